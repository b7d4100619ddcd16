/*
 * MSI-X: see hw/pci/msi.h. The table and the pending bits lie in the device's BARs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci_parts.h"

#define MSIX_MAX_VECTORS 2048

struct PciMsix {
    uint32_t vectors;
    uint32_t table_bytes, pba_bytes;
    uint8_t *table, *pba;
    MemoryRegion table_region, pba_region, bar;
    MemoryRegion *table_parent, *pba_parent;
    const MsixNotifier *notifier;
    bool was_masked[MSIX_MAX_VECTORS]; /* as the notifier knows it */
};

static const VMField pci_msix_fields[] = {
    VM_BYTES_HELD(PciMsix, table, table_bytes),
    VM_BYTES_HELD(PciMsix, pba, pba_bytes),
};
static const VMState table_state = VMSTATE_INIT(pci_msix_fields, .version = 1);

static bool has_msix(void *opaque)
{
    return PCI_DEVICE(opaque)->msix;
}

static const VMField table_fields[] = { VM_STRUCT_POINTER(PciDevice, msix, table_state) };
const VMState pci_msix_state =
    VMSTATE_INIT(table_fields, .name = "msix", .version = 1, .needed = has_msix);

static uint16_t flags(const PciDevice *dev)
{
    return dev->msix_cap ? load_le16(dev->config + dev->msix_cap + PCI_MSIX_FLAGS) : 0;
}

bool msix_is_enabled(const PciDevice *dev)
{
    return flags(dev) & PCI_MSIX_FLAGS_ENABLE;
}

unsigned msix_vectors(const PciDevice *dev)
{
    return dev->msix ? dev->msix->vectors : 0;
}

static uint8_t *entry(const PciDevice *dev, unsigned vector)
{
    return dev->msix->table + vector * PCI_MSIX_ENTRY_BYTES;
}

bool msix_is_masked(const PciDevice *dev, unsigned vector)
{
    return (flags(dev) & (PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASK_ALL)) !=
               PCI_MSIX_FLAGS_ENABLE ||
           load_le32(entry(dev, vector) + PCI_MSIX_ENTRY_CONTROL) & PCI_MSIX_ENTRY_MASKED;
}

bool msix_is_pending(const PciDevice *dev, unsigned vector)
{
    return dev->msix->pba[vector / 8] & BIT(vector % 8);
}

static void set_pending(PciDevice *dev, unsigned vector, bool is_pending)
{
    uint8_t *byte = &dev->msix->pba[vector / 8];

    *byte = is_pending ? *byte | BIT(vector % 8) : *byte & ~BIT(vector % 8);
}

MsiMessage msix_message(const PciDevice *dev, unsigned vector)
{
    return (MsiMessage){ load_le64(entry(dev, vector)),
                         load_le32(entry(dev, vector) + PCI_MSIX_ENTRY_DATA) };
}

void msix_notify(PciDevice *dev, unsigned vector)
{
    if (!msix_is_enabled(dev) || vector >= dev->msix->vectors) {
        return;
    }
    if (msix_is_masked(dev, vector)) {
        set_pending(dev, vector, true);
        return;
    }
    pci_send_message(dev, msix_message(dev, vector));
}

/* --- masks --- */

static void tell(PciDevice *dev, unsigned vector, bool is_masked)
{
    PciMsix *msix = dev->msix;

    if (!msix->notifier || msix->was_masked[vector] == is_masked) {
        return;
    }
    msix->was_masked[vector] = is_masked;
    if (is_masked) {
        msix->notifier->masked(dev, vector);
    } else {
        msix->notifier->unmasked(dev, vector, msix_message(dev, vector));
    }
}

static void mask_changed(PciDevice *dev, unsigned vector)
{
    bool is_masked = msix_is_masked(dev, vector);

    tell(dev, vector, is_masked);
    if (!is_masked && msix_is_pending(dev, vector)) {
        set_pending(dev, vector, false);
        msix_notify(dev, vector);
    }
}

static void all_masks_changed(PciDevice *dev)
{
    for (unsigned vector = 0; vector < msix_vectors(dev); vector++) {
        mask_changed(dev, vector);
    }
}

void msix_set_notifier(PciDevice *dev, const MsixNotifier *notifier)
{
    PciMsix *msix = dev->msix;

    for (unsigned vector = 0; vector < msix->vectors; vector++) {
        if (!notifier) {
            tell(dev, vector, true);
        }
        msix->was_masked[vector] = true;
    }
    msix->notifier = notifier;
    all_masks_changed(dev);
}

void pci_msix_written(PciDevice *dev, unsigned at, unsigned bytes)
{
    if (dev->msix_cap && pci_range_touches(at, bytes, dev->msix_cap + PCI_MSIX_FLAGS, 2)) {
        all_masks_changed(dev);
    }
}

void pci_msix_reload(PciDevice *dev)
{
    all_masks_changed(dev);
}

/* --- memory --- */

static uint64_t table_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return load_bytes(PCI_DEVICE(opaque)->msix->table + offset, bytes, ENDIAN_LITTLE);
}

/* A vector that was unmasked all the time moves to its new message by a masked moment. */
static void table_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    PciDevice *dev = opaque;
    unsigned vector = offset / PCI_MSIX_ENTRY_BYTES;

    if (offset % PCI_MSIX_ENTRY_BYTES < PCI_MSIX_ENTRY_CONTROL) {
        tell(dev, vector, true);
    }
    store_bytes(dev->msix->table + offset, bytes, ENDIAN_LITTLE, value);
    mask_changed(dev, vector);
}

static uint64_t pba_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return load_bytes(PCI_DEVICE(opaque)->msix->pba + offset, bytes, ENDIAN_LITTLE);
}

static void pba_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    /* read-only for a guest */
}

static const MemoryOps table_ops = {
    .read = table_read, .write = table_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 4, .max = 8 }, .impl = { .min = 4, .max = 4 },
};
static const MemoryOps pba_ops = {
    .read = pba_read, .write = pba_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 4, .max = 8 }, .impl = { .min = 4, .max = 4 },
};

/* --- life --- */

static void mask_all(PciMsix *msix)
{
    memset(msix->table, 0, msix->table_bytes);
    memset(msix->pba, 0, msix->pba_bytes);
    for (unsigned vector = 0; vector < msix->vectors; vector++) {
        msix->table[vector * PCI_MSIX_ENTRY_BYTES + PCI_MSIX_ENTRY_CONTROL] =
            PCI_MSIX_ENTRY_MASKED;
    }
}

static PciMsix *msix_new(PciDevice *dev, const MsixSpec *spec)
{
    PciMsix *msix = dev->msix ? dev->msix : g_new0(PciMsix, 1);

    msix->vectors = spec->vectors;
    msix->table_bytes = spec->vectors * PCI_MSIX_ENTRY_BYTES;
    msix->pba_bytes = ROUND_UP(spec->vectors, 64) / 8;
    msix->table = g_malloc(msix->table_bytes);
    msix->pba = g_malloc(msix->pba_bytes);
    mask_all(msix);
    memory_region_init_io(&msix->table_region, &dev->parent.parent, &table_ops, "msix-table",
                          msix->table_bytes);
    memory_region_init_io(&msix->pba_region, &dev->parent.parent, &pba_ops, "msix-pba",
                          msix->pba_bytes);
    msix->table_parent = spec->table_region;
    msix->pba_parent = spec->pba_region;
    memory_region_add_overlap(spec->table_region, spec->table_offset, &msix->table_region, 1);
    memory_region_add_overlap(spec->pba_region, spec->pba_offset, &msix->pba_region, 1);
    return msix;
}

bool msix_init(PciDevice *dev, const MsixSpec *spec, Error **errp)
{
    unsigned cap;

    if (!spec->vectors || spec->vectors > MSIX_MAX_VECTORS) {
        return error_set(errp, "The number of MSI-X vectors is invalid");
    }
    assert(IS_ALIGNED(spec->table_offset, 8) && IS_ALIGNED(spec->pba_offset, 8));
    cap = pci_add_capability(dev, PCI_CAP_ID_MSIX, spec->at, 12, errp);
    if (!cap) {
        return false;
    }
    store_le16(dev->config + cap + PCI_MSIX_FLAGS, spec->vectors - 1);
    store_le32(dev->config + cap + PCI_MSIX_TABLE, spec->table_offset | spec->table_bar);
    store_le32(dev->config + cap + PCI_MSIX_PBA, spec->pba_offset | spec->pba_bar);
    store_le16(dev->writable + cap + PCI_MSIX_FLAGS,
               PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASK_ALL);
    store_le16(dev->fixed + cap + PCI_MSIX_FLAGS, 0x3fff);
    dev->msix = msix_new(dev, spec);
    dev->msix_cap = cap;
    return true;
}

bool msix_init_bar(PciDevice *dev, unsigned vectors, unsigned bar, Error **errp)
{
    uint32_t pba_offset = MAX(2048, ROUND_UP(vectors * PCI_MSIX_ENTRY_BYTES, 2048));
    uint64_t size = 4096;
    g_autofree char *name = g_strdup_printf("%s-msix", object_type_name(dev));
    MsixSpec spec = { .vectors = vectors, .table_bar = bar, .pba_bar = bar,
                      .pba_offset = pba_offset };

    if (!vectors || vectors > MSIX_MAX_VECTORS) {
        return error_set(errp, "The number of MSI-X vectors is invalid");
    }
    while (size < pba_offset + ROUND_UP(vectors, 64) / 8) {
        size *= 2;
    }
    dev->msix = g_new0(PciMsix, 1);
    memory_region_init(&dev->msix->bar, &dev->parent.parent, name, size);
    spec.table_region = spec.pba_region = &dev->msix->bar;
    if (!msix_init(dev, &spec, errp)) {
        memory_region_clear(&dev->msix->bar);
        g_clear_pointer(&dev->msix, g_free);
        return false;
    }
    pci_add_bar(dev, bar, 0, &dev->msix->bar);
    return true;
}

void pci_msix_reset(PciDevice *dev)
{
    uint8_t *at = dev->config + dev->msix_cap + PCI_MSIX_FLAGS;

    if (dev->msix_cap) {
        store_le16(at, load_le16(at) & 0x7ff);
        mask_all(dev->msix);
        all_masks_changed(dev);
    }
}

void pci_msix_discard(PciDevice *dev)
{
    PciMsix *msix = dev->msix;

    if (!msix) {
        return;
    }
    memory_region_clear(&msix->table_region);
    memory_region_clear(&msix->pba_region);
    memory_region_clear(&msix->bar);
    g_free(msix->table);
    g_free(msix->pba);
    g_clear_pointer(&dev->msix, g_free);
}

void pci_msix_stop(PciDevice *dev)
{
    if (dev->msix) {
        memory_region_remove(dev->msix->table_parent, &dev->msix->table_region);
        memory_region_remove(dev->msix->pba_parent, &dev->msix->pba_region);
    }
}
