/*
 * SR-IOV (PCI Express Base 5.0, chapter 9). Virtual functions are made when the guest sets VF
 * Enable and go when it clears it or the function is reset; a load makes them with the function,
 * before their own state comes. Left out: VF migration (9.6).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/pci/pcie_parts.h"
#include "hw/pci/pcie_sriov.h"
#include "util/log.h"

#define SUPPORTED_PAGES 0x00000553 /* 4 KiB, 8, 64, 256, 1 MiB, 4 */

struct PcieSriov {
    const char *vf_type;
    GPtrArray *vfs; /* borrowed: they are in the tree */
    PciBar bars[PCI_BAR_ROM];
    bool is_changing;
};

static PcieSriov *sriov_of(const PciDevice *dev)
{
    return dev->pcie ? dev->pcie->sriov : NULL;
}

static uint16_t get(const PciDevice *pf, unsigned reg)
{
    return load_le16(pf->config + pf->pcie->sriov_cap + reg);
}

static void put(PciDevice *pf, unsigned reg, uint16_t value)
{
    store_le16(pf->config + pf->pcie->sriov_cap + reg, value);
}

static void init_registers(PciDevice *pf, const PcieSriovSpec *spec)
{
    unsigned at = spec->at;

    put(pf, PCI_SRIOV_INITIAL_VF, spec->total_vfs);
    put(pf, PCI_SRIOV_TOTAL_VF, spec->total_vfs);
    put(pf, PCI_SRIOV_VF_OFFSET, spec->offset);
    put(pf, PCI_SRIOV_VF_STRIDE, spec->stride);
    put(pf, PCI_SRIOV_VF_DEVICE, spec->vf_device_id);
    store_le32(pf->config + at + PCI_SRIOV_SUPPORTED_PAGES, SUPPORTED_PAGES);
    store_le32(pf->config + at + PCI_SRIOV_PAGE_SIZE, 1);
    store_le16(pf->writable + at + PCI_SRIOV_CTRL,
               PCI_SRIOV_CTRL_VF_ENABLE | PCI_SRIOV_CTRL_VF_MSE | PCI_SRIOV_CTRL_ARI);
    store_le16(pf->writable + at + PCI_SRIOV_NUM_VF, 0xffff);
    store_le32(pf->writable + at + PCI_SRIOV_PAGE_SIZE, SUPPORTED_PAGES);
    memset(pf->fixed + at + PCI_SRIOV_CTRL, 0, 4);
    memset(pf->fixed + at + PCI_SRIOV_NUM_VF, 0, 2);
    memset(pf->fixed + at + PCI_SRIOV_PAGE_SIZE, 0, 4);
}

bool pcie_sriov_init(PciDevice *pf, const PcieSriovSpec *spec, Error **errp)
{
    unsigned last = pf->devfn + spec->offset + spec->stride * (spec->total_vfs - 1);

    assert(pf->express_cap && spec->total_vfs && spec->offset && spec->stride);
    if (last >= PCI_DEVFN_COUNT * (pci_device_bus(pf)->bridge ? PCI_BUS_COUNT : 1)) {
        return error_set(errp, "%s: %u virtual functions do not fit bus '%s'",
                         device_label(&pf->parent), spec->total_vfs, bus_name(pf->parent.bus));
    }
    if (!pcie_add_capability(pf, PCIE_EXT_CAP(PCI_EXT_CAP_ID_SRIOV, 1), spec->at, PCI_SRIOV_BYTES,
                             errp)) {
        return false;
    }
    pf->pcie->sriov_cap = spec->at;
    pf->pcie->sriov = g_new0(PcieSriov, 1);
    pf->pcie->sriov->vf_type = spec->vf_type;
    pf->pcie->sriov->vfs = g_ptr_array_new();
    init_registers(pf, spec);
    pci_bus_layout_changed(pci_device_bus(pf));
    return true;
}

void pcie_sriov_add_bar(PciDevice *pf, unsigned n, uint8_t type, uint64_t size)
{
    unsigned at = pf->pcie->sriov_cap + PCI_SRIOV_BAR0 + 4 * n;

    assert(n < PCI_BAR_ROM && size >= 4 * KiB && !(size & (size - 1)) && !(type & PCI_BAR_IO));
    sriov_of(pf)->bars[n] = (PciBar){ .size = size, .type = type };
    store_le32(pf->config + at, type);
    if (type & PCI_BAR_64) {
        assert(n + 1 < PCI_BAR_ROM);
        store_le64(pf->writable + at, ~(size - 1));
        memset(pf->fixed + at, 0, 8);
    } else {
        store_le32(pf->writable + at, ~(size - 1));
        memset(pf->fixed + at, 0, 4);
    }
    pf->fixed[at] = 0xf;
}

void pcie_sriov_each_place(const PciDevice *pf, void (*fn)(void *opaque, unsigned place),
                           void *opaque)
{
    unsigned total = sriov_of(pf) ? get(pf, PCI_SRIOV_TOTAL_VF) : 0;

    for (unsigned i = 0; i < total; i++) {
        fn(opaque, pci_device_requester_id(pf) + get(pf, PCI_SRIOV_VF_OFFSET) +
                       i * get(pf, PCI_SRIOV_VF_STRIDE));
    }
}

unsigned pcie_sriov_count(const PciDevice *pf)
{
    return sriov_of(pf) ? sriov_of(pf)->vfs->len : 0;
}

PciDevice *pcie_sriov_vf(const PciDevice *pf, unsigned index)
{
    return sriov_of(pf)->vfs->pdata[index];
}

uint64_t pcie_vf_bar_address(const PciDevice *vf, unsigned n)
{
    const PciDevice *pf = vf->pf;
    const PciBar *bar = &sriov_of(pf)->bars[n];
    const uint8_t *at = pf->config + pf->pcie->sriov_cap + PCI_SRIOV_BAR0 + 4 * n;
    uint64_t base = bar->type & PCI_BAR_64 ? load_le64(at) : load_le32(at);
    uint64_t addr = (base & ~(bar->size - 1)) + vf->vf_index * bar->size;
    uint64_t last = addr + bar->size - 1;

    if (!(get(pf, PCI_SRIOV_CTRL) & PCI_SRIOV_CTRL_VF_MSE) || !(base & ~(bar->size - 1)) ||
        last < addr || last == UINT64_MAX || (!(bar->type & PCI_BAR_64) && last >= UINT32_MAX)) {
        return PCI_UNMAPPED;
    }
    return addr;
}

/* --- virtual functions --- */

/* A virtual function has no ids and no enables of its own (9.3.4.1). */
static void hide_header(PciDevice *vf)
{
    store_le32(vf->config + PCI_VENDOR_ID, UINT32_MAX);
    store_le16(vf->writable + PCI_COMMAND, PCI_COMMAND_MASTER);
    vf->writable[PCI_CACHE_LINE] = vf->writable[PCI_INTERRUPT_LINE] = 0;
    vf->config[PCI_INTERRUPT_PIN] = 0;
}

static bool add_vf(PciDevice *pf, unsigned index, Error **errp)
{
    g_autoptr(Device) device = device_new(sriov_of(pf)->vf_type);
    unsigned place = pf->devfn + get(pf, PCI_SRIOV_VF_OFFSET) +
                     index * get(pf, PCI_SRIOV_VF_STRIDE);
    PciBus *bus = pci_device_bus(pf);
    PciDevice *vf = PCI_DEVICE(device);

    if (place >= PCI_DEVFN_COUNT) {
        bus = pci_bus_extended(bus, place / PCI_DEVFN_COUNT);
    }
    vf->addr = place % PCI_DEVFN_COUNT;
    vf->pf = pf;
    vf->vf_index = index;
    device->is_part = true;
    if (!device_realize(device, &bus->parent, errp)) {
        return false;
    }
    hide_header(vf);
    g_ptr_array_add(sriov_of(pf)->vfs, vf);
    return true;
}

void pcie_sriov_stop(PciDevice *pf)
{
    GPtrArray *vfs = sriov_of(pf) ? sriov_of(pf)->vfs : NULL;

    while (vfs && vfs->len) {
        PciDevice *vf = vfs->pdata[vfs->len - 1];

        g_ptr_array_set_size(vfs, vfs->len - 1);
        device_delete(&vf->parent);
    }
}

static void start(PciDevice *pf)
{
    unsigned count = get(pf, PCI_SRIOV_NUM_VF);
    g_autoptr(Error) err = NULL;

    if (count > get(pf, PCI_SRIOV_TOTAL_VF)) {
        guest_error("%s: %u virtual functions asked for, of %u", device_label(&pf->parent),
                    count, get(pf, PCI_SRIOV_TOTAL_VF));
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!add_vf(pf, i, &err)) {
            guest_error("%s: virtual function %u: %s", device_label(&pf->parent), i,
                        error_text(err));
            pcie_sriov_stop(pf);
            return;
        }
    }
}

static void follow_enable(PciDevice *pf)
{
    bool is_on = get(pf, PCI_SRIOV_CTRL) & PCI_SRIOV_CTRL_VF_ENABLE;
    unsigned at = pf->pcie->sriov_cap + PCI_SRIOV_NUM_VF;

    if (!is_on || pcie_sriov_count(pf) != get(pf, PCI_SRIOV_NUM_VF)) {
        pcie_sriov_stop(pf);
    }
    if (is_on && !pcie_sriov_count(pf)) {
        start(pf);
    }
    /* Their number stands while they are there. */
    store_le16(pf->writable + at, is_on ? 0 : 0xffff);
}

void pcie_sriov_written(PciDevice *pf, unsigned at, unsigned bytes)
{
    if (!sriov_of(pf) || sriov_of(pf)->is_changing ||
        !pci_range_touches(at, bytes, pf->pcie->sriov_cap, PCI_SRIOV_BYTES)) {
        return;
    }
    sriov_of(pf)->is_changing = true;
    follow_enable(pf);
    sriov_of(pf)->is_changing = false;
    memory_transaction_begin();
    for (unsigned i = 0; i < pcie_sriov_count(pf); i++) {
        pci_update_mappings(pcie_sriov_vf(pf, i));
    }
    memory_transaction_commit();
}

/* The configuration is as at the start: VF Enable is 0. */
void pcie_sriov_reset(PciDevice *pf)
{
    if (sriov_of(pf)) {
        put(pf, PCI_SRIOV_NUM_VF, 0);
        pcie_sriov_written(pf, pf->pcie->sriov_cap, PCI_SRIOV_BYTES);
    }
}

void pcie_sriov_discard(PciDevice *pf)
{
    if (sriov_of(pf)) {
        g_ptr_array_unref(pf->pcie->sriov->vfs);
        g_clear_pointer(&pf->pcie->sriov, g_free);
    }
}
