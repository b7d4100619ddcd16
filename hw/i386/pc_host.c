/*
 * Host bridges of PCs: see pc_host.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "pc_host.h"

#define PCI_PRIORITY (-1) /* behind RAM */
#define HOLE64_ALIGN GiB
#define LEGACY_BASE  0xa0000
#define LEGACY_BYTES 0x60000

void pc_host_init(Object *obj)
{
    PcHost *host = PC_HOST(obj);

    memory_region_init(&host->pci, (Object *)host, "pci", MEMORY_SIZE_WHOLE);
    memory_region_init_reserved(&host->legacy, (Object *)host, "pci-legacy", LEGACY_BYTES);
    memory_region_add_overlap(&host->pci, LEGACY_BASE, &host->legacy, PCI_PRIORITY);
}

void pc_host_finalize(Object *obj)
{
    PcHost *host = PC_HOST(obj);

    memory_region_remove(&host->pci, &host->legacy);
    memory_region_clear(&host->legacy);
    memory_region_clear(&host->pci);
}

static void map(PcHost *host)
{
    memory_region_add_overlap(memory_region_system(), 0, &host->pci, PCI_PRIORITY);
    memory_region_add(memory_region_io(), 0xcf8, &host->parent.address_region);
    memory_region_add(memory_region_io(), 0xcfc, &host->parent.data_region);
}

void pc_host_unrealize(Device *dev)
{
    PcHost *host = PC_HOST(dev);

    memory_region_remove(memory_region_io(), &host->parent.data_region);
    memory_region_remove(memory_region_io(), &host->parent.address_region);
    memory_region_remove(memory_region_system(), &host->pci);
}

bool pc_host_realize(PcHost *host, const char *bus_type, const char *bus_name, Device *function,
                     Error **errp)
{
    PciBusSpaces spaces = { &host->pci, memory_region_io() };
    Device *dev = DEVICE(host);
    PciBus *bus;

    if (!host->ram) {
        return error_set(errp, "%s: it is part of a PC", object_type_name(host));
    }
    map(host);
    bus = host->parent.bus = pci_bus_new(bus_type, dev, bus_name, spaces);
    bus->bypasses_iommu = host->parent.bypasses_iommu;
    bus->firmware_name = PC_FIRMWARE_NAME;
    PCI_DEVICE(function)->addr = PCI_DEVFN(0, 0);
    if (!device_realize(function, &bus->parent, errp)) {
        pc_host_unrealize(dev);
        return false;
    }
    return true;
}

/* --- holes --- */

MemoryWindow pc_host_hole32(const PcHost *host)
{
    uint64_t start = MIN(host->below_4g_bytes, PC_HOLE_END);

    return (MemoryWindow){ start, PC_HOLE_END - start };
}

typedef struct Span {
    uint64_t start, end;
} Span;

/* Firmware put something there: the hole holds it. */
static void add_high_bars(void *opaque, PciDevice *dev)
{
    Span *span = opaque;

    for (unsigned n = 0; n < PCI_BAR_COUNT; n++) {
        const PciBar *bar = &dev->bars[n];

        if (bar->region && bar->addr != PCI_UNMAPPED && !(bar->type & PCI_BAR_IO) &&
            bar->addr >= 4 * GiB) {
            span->start = span->end ? MIN(span->start, bar->addr) : bar->addr;
            span->end = MAX(span->end, bar->addr + bar->size);
        }
    }
}

MemoryWindow pc_host_hole64(const PcHost *host)
{
    Span used = { 0 };
    uint64_t start, end;

    if (host->parent.bus) {
        pci_bus_each(host->parent.bus, add_high_bars, &used);
    }
    if (!host->has_hole64) {
        return (MemoryWindow){ used.start, used.end - used.start };
    }
    start = ROUND_UP(MAX(host->above_4g_end, 4 * GiB), HOLE64_ALIGN);
    start = used.end ? MIN(start, used.start) : start;
    end = MAX(used.end, ROUND_UP(start + host->hole64_bytes, HOLE64_ALIGN));
    return (MemoryWindow){ start, end - start };
}

json_object *pc_host_get_hole(Object *obj, const Property *p, Error **errp)
{
    bool is_high = strstr(p->name, "hole64");
    MemoryWindow hole = is_high ? pc_host_hole64(PC_HOST(obj)) : pc_host_hole32(PC_HOST(obj));
    bool is_end = g_str_has_suffix(p->name, "-end");

    return json_object_new_uint64(hole.offset + (is_end ? hole.size : 0));
}
