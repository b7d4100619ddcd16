/*
 * Configuration space of a function: what reads show, which bits writes change, capabilities.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_parts.h"
#include "hw/pci/pcie_regs.h"
#include "system/run_state.h"

static void init_ids(PciDevice *dev)
{
    const PciDeviceType *ops = pci_device_ops(dev);
    bool has_ids = ops->subsystem_vendor_id || ops->subsystem_id;

    store_le16(dev->config + PCI_VENDOR_ID, ops->vendor_id);
    store_le16(dev->config + PCI_DEVICE_ID, ops->device_id);
    dev->config[PCI_REVISION_ID] = ops->revision;
    dev->config[PCI_CLASS_PROG] = ops->prog_if;
    store_le16(dev->config + PCI_CLASS_DEVICE, ops->class_id);
    if (!ops->is_bridge) {
        store_le16(dev->config + PCI_SUBSYSTEM_VENDOR_ID,
                   has_ids ? ops->subsystem_vendor_id : PCI_VENDOR_REDHAT_QUMRANET);
        store_le16(dev->config + PCI_SUBSYSTEM_ID,
                   has_ids ? ops->subsystem_id : PCI_SUBSYSTEM_DEFAULT);
    }
    dev->config[PCI_HEADER_TYPE] = (ops->is_bridge ? PCI_HEADER_TYPE_BRIDGE : 0) |
                                   (dev->is_multifunction ? PCI_HEADER_MULTIFUNCTION : 0);
}

static void init_fixed(PciDevice *dev)
{
    memset(dev->fixed + PCI_VENDOR_ID, 0xff, 4);
    memset(dev->fixed + PCI_REVISION_ID, 0xff, 4);
    dev->fixed[PCI_STATUS] = PCI_STATUS_CAP_LIST;
    dev->fixed[PCI_HEADER_TYPE] = 0xff;
    dev->fixed[PCI_CAPABILITY_LIST] = 0xff;
}

static void init_masks(PciDevice *dev)
{
    store_le16(dev->writable + PCI_COMMAND,
               PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
                   PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
    store_le16(dev->clear_on_1 + PCI_STATUS, PCI_STATUS_ERRORS);
    dev->writable[PCI_CACHE_LINE] = 0xff;
    dev->writable[PCI_INTERRUPT_LINE] = 0xff;
    /* Devices' own registers behind the header: theirs to restrict (as of a capability). */
    memset(dev->writable + PCI_HEADER_SIZE, 0xff, dev->config_size - PCI_HEADER_SIZE);
}

void pci_config_init(PciDevice *dev)
{
    dev->config_size = pci_device_is_express(dev) ? PCIE_CONFIG_SIZE : PCI_CONFIG_SIZE;
    dev->config = g_malloc0(5 * dev->config_size);
    dev->writable = dev->config + dev->config_size;
    dev->clear_on_1 = dev->writable + dev->config_size;
    dev->fixed = dev->clear_on_1 + dev->config_size;
    dev->used = dev->fixed + dev->config_size;
    init_ids(dev);
    init_masks(dev);
    init_fixed(dev);
}

void pci_config_clear(PciDevice *dev)
{
    g_clear_pointer(&dev->config, g_free);
    g_clear_pointer(&dev->initial, g_free);
    dev->pm_cap = dev->msi_cap = dev->msix_cap = dev->express_cap = 0;
}

/* Before a guest changes anything. */
static void keep_initial(PciDevice *dev)
{
    if (!dev->initial) {
        dev->initial = g_memdup2(dev->config, dev->config_size);
    }
}

/* Sticky are, of what there is, the errors. */
static bool is_sticky(const PciDevice *dev, unsigned at, unsigned aer)
{
    return dev->keeps_sticky && aer && at >= aer && at < aer + PCI_ERR_BYTES;
}

/* Of 8 bytes, those that this reset leaves alone. */
static uint64_t kept_asleep(const PciDevice *dev, unsigned at)
{
    const PciConfigRange *range = vm_is_waking() ? pci_device_ops(dev)->kept_asleep : NULL;
    uint64_t kept = 0;

    for (; range && range->bytes; range++) {
        for (unsigned i = 0; i < 8; i++) {
            kept |= pci_range_touches(at + i, 1, range->at, range->bytes) ? UINT64_C(0xff) << 8 * i : 0;
        }
    }
    return kept;
}

/* What a guest can change is as it was at first; what hardware shows is its owners'. */
void pci_config_reset(PciDevice *dev)
{
    unsigned aer = dev->keeps_sticky ? pcie_find_capability(dev, PCI_EXT_CAP_ID_AER) : 0;

    keep_initial(dev);
    for (unsigned at = 0; at < dev->config_size; at += 8) {
        uint64_t mask = load_le64(dev->writable + at) | load_le64(dev->clear_on_1 + at);
        uint64_t value = load_le64(dev->config + at);

        mask &= ~kept_asleep(dev, at);
        if (mask && !is_sticky(dev, at, aer) && !is_sticky(dev, at + 4, aer)) {
            store_le64(dev->config + at,
                       (value & ~mask) | (load_le64(dev->initial + at) & mask));
        }
    }
}

/* --- cycles --- */

uint32_t pci_config_read_default(PciDevice *dev, unsigned at, unsigned bytes)
{
    return load_bytes(dev->config + at, bytes, ENDIAN_LITTLE);
}

static void apply_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++, value >>= 8) {
        uint8_t *byte = dev->config + at + i;
        uint8_t mask = dev->writable[at + i];

        *byte = (*byte & ~mask) | (value & mask);
        *byte &= ~(value & dev->clear_on_1[at + i]);
    }
}

static bool touches_mappings(const PciDevice *dev, unsigned at, unsigned bytes)
{
    return pci_range_touches(at, bytes, PCI_COMMAND, 2) ||
           pci_range_touches(at, bytes, PCI_BAR0, 24) ||
           pci_range_touches(at, bytes, PCI_ROM_ADDRESS, 4) ||
           pci_range_touches(at, bytes, PCI_BRIDGE_ROM_ADDRESS, 4) ||
           (dev->pm_cap && pci_range_touches(at, bytes, dev->pm_cap + PCI_PM_CTRL, 2));
}

void pci_config_write_default(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    apply_write(dev, at, value, bytes);
    if (touches_mappings(dev, at, bytes)) {
        pci_update_mappings(dev);
        pci_dma_update(dev);
    }
    pci_msi_written(dev, at, bytes);
    pci_msix_written(dev, at, bytes);
    pci_pcie_written(dev, at, bytes);
    pci_intx_update(dev);
}

uint32_t pci_config_read(PciDevice *dev, unsigned at, unsigned bytes)
{
    const PciDeviceType *ops = pci_device_ops(dev);

    assert(bytes && bytes <= 4);
    if (at >= dev->config_size || bytes > dev->config_size - at || dev->is_without_power) {
        return UINT32_MAX >> (32 - 8 * bytes);
    }
    return ops->config_read ? ops->config_read(dev, at, bytes) :
                              pci_config_read_default(dev, at, bytes);
}

void pci_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    const PciDeviceType *ops = pci_device_ops(dev);

    if (at >= dev->config_size || bytes > dev->config_size - at || dev->is_without_power) {
        return;
    }
    keep_initial(dev);
    if (ops->config_write) {
        ops->config_write(dev, at, value, bytes);
    } else {
        pci_config_write_default(dev, at, value, bytes);
    }
}

/* --- capabilities --- */

static unsigned find_room(const PciDevice *dev, unsigned bytes)
{
    for (unsigned at = PCI_HEADER_SIZE, free_bytes = 0; at < PCI_CONFIG_SIZE; at++) {
        free_bytes = dev->used[at] ? 0 : free_bytes + 1;
        if (free_bytes >= bytes && IS_ALIGNED(at + 1 - free_bytes, 4)) {
            return at + 1 - free_bytes;
        }
        if (free_bytes >= bytes + 3) {
            return ROUND_UP(at + 1 - free_bytes, 4);
        }
    }
    return 0;
}

static bool is_free(const PciDevice *dev, unsigned at, unsigned bytes, unsigned end)
{
    if (at >= end || bytes > end - at) {
        return false;
    }
    for (unsigned i = 0; i < bytes; i++) {
        if (dev->used[at + i]) {
            return false;
        }
    }
    return true;
}

static void take(PciDevice *dev, unsigned at, unsigned bytes)
{
    memset(dev->used + at, 0xff, bytes);
    memset(dev->config + at, 0, bytes);
    memset(dev->writable + at, 0, bytes);
    memset(dev->clear_on_1 + at, 0, bytes);
    memset(dev->fixed + at, 0xff, bytes);
}

unsigned pci_add_capability(PciDevice *dev, uint8_t id, unsigned at, unsigned bytes, Error **errp)
{
    at = at ? at : find_room(dev, ROUND_UP(bytes, 4));
    if (!at || !is_free(dev, at, ROUND_UP(bytes, 4), PCI_CONFIG_SIZE)) {
        error_set(errp, "%s: no room for PCI capability %x at %x", device_label(&dev->parent), id,
                  at);
        return 0;
    }
    take(dev, at, ROUND_UP(bytes, 4));
    dev->config[at] = id;
    dev->config[at + 1] = dev->config[PCI_CAPABILITY_LIST];
    dev->config[PCI_CAPABILITY_LIST] = at;
    dev->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
    return at;
}

unsigned pci_find_capability(const PciDevice *dev, uint8_t id)
{
    unsigned at = dev->config[PCI_CAPABILITY_LIST];

    for (unsigned i = 0; at && i < PCI_CONFIG_SIZE / 4; i++, at = dev->config[at + 1]) {
        if (dev->config[at] == id) {
            return at;
        }
    }
    return 0;
}

/* The last header of the extended chain; 0: it is empty. */
static unsigned last_extended(const PciDevice *dev)
{
    unsigned at = PCI_CONFIG_SIZE;

    if (!load_le32(dev->config + at)) {
        return 0;
    }
    while (load_le32(dev->config + at) >> 20) {
        at = load_le32(dev->config + at) >> 20;
    }
    return at;
}

bool pcie_add_capability(PciDevice *dev, uint32_t id_and_version, unsigned at, unsigned bytes,
                         Error **errp)
{
    unsigned last;

    if (dev->config_size < PCIE_CONFIG_SIZE || at < PCI_CONFIG_SIZE || !IS_ALIGNED(at, 4) ||
        !is_free(dev, at, bytes, PCIE_CONFIG_SIZE)) {
        return error_set(errp, "%s: no room for PCI Express capability %x at %x",
                         device_label(&dev->parent), id_and_version & 0xffff, at);
    }
    last = last_extended(dev);
    if (!last && at != PCI_CONFIG_SIZE) {
        return error_set(errp, "%s: the first PCI Express capability must be at %x",
                         device_label(&dev->parent), PCI_CONFIG_SIZE);
    }
    take(dev, at, bytes);
    store_le32(dev->config + at, id_and_version);
    if (last) {
        store_le32(dev->config + last, load_le32(dev->config + last) | at << 20);
    }
    return true;
}

unsigned pcie_find_capability(const PciDevice *dev, uint16_t id)
{
    unsigned at = PCI_CONFIG_SIZE;

    if (dev->config_size < PCIE_CONFIG_SIZE || !load_le32(dev->config + at)) {
        return 0;
    }
    for (; at; at = load_le32(dev->config + at) >> 20) {
        if (load_le16(dev->config + at) == id) {
            return at;
        }
    }
    return 0;
}

bool pci_add_pm_capability(PciDevice *dev, unsigned at, Error **errp)
{
    dev->pm_cap = pci_add_capability(dev, PCI_CAP_ID_PM, at, 8, errp);
    if (!dev->pm_cap) {
        return false;
    }
    store_le16(dev->config + dev->pm_cap + PCI_PM_PMC, 3); /* PM 1.2 */
    store_le16(dev->config + dev->pm_cap + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
    store_le16(dev->writable + dev->pm_cap + PCI_PM_CTRL, PCI_PM_CTRL_STATE);
    store_le16(dev->fixed + dev->pm_cap + PCI_PM_CTRL, 0);
    return true;
}

bool pci_device_is_powered(const PciDevice *dev)
{
    return !dev->is_without_power &&
           (!dev->pm_cap ||
            !(load_le16(dev->config + dev->pm_cap + PCI_PM_CTRL) & PCI_PM_CTRL_STATE));
}
