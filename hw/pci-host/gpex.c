/*
 * gpex-pcihost and gpex-root: a PCI Express host bridge that is ECAM, memory windows and INTx
 * lines, as "pci-host-ecam-generic" device trees and ACPI's PNP0A08 describe it. It has no
 * registers and nothing to set up. See hw/pci-host/gpex.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci-host/gpex.h"

#define GPEX_PORT_BYTES (64 * KiB)

typedef struct Gpex {
    PciHost parent;
    bool allows_unmapped; /* property */
    MemoryRegion memory, ports;               /* what the bus sees */
    MemoryRegion memory_window, ports_window; /* the same, over what answers where nobody does */
    MemoryRegion windows[GPEX_MAX_WINDOWS];   /* in the system's memory */
    unsigned window_count;
    IrqLine lines[PCI_PIN_COUNT];
} Gpex;
DECLARE_CAST(Gpex, GPEX)

/* --- interrupts --- */

static unsigned line_of(void *opaque, const PciDevice *dev, unsigned pin)
{
    return gpex_line(PCI_SLOT(dev->devfn), pin);
}

static void set_line(void *opaque, unsigned line, int level)
{
    irq_set(&GPEX(opaque)->lines[line], level);
}

static const PciIntxRouter router = { line_of, set_line, PCI_PIN_COUNT };

/* --- memory --- */

/* Where no function answers, a master abort: all ones, and nobody is told. */
static uint64_t absent_read(void *opaque, uint64_t at, unsigned bytes)
{
    return UINT64_MAX;
}

static void absent_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
}

static const MemoryOps absent_ops = {
    .read = absent_read, .write = absent_write, .endian = ENDIAN_LITTLE, .is_lock_free = true,
    .valid = { .min = 1, .max = 8, .unaligned = true }, .impl = { .min = 1, .max = 8 },
};

static void init_window(Gpex *gpex, MemoryRegion *window, MemoryRegion *inner, const char *name)
{
    Object *obj = (Object *)gpex;

    if (gpex->allows_unmapped) {
        memory_region_init_io(window, obj, &absent_ops, name, inner->size);
    } else {
        memory_region_init(window, obj, name, inner->size);
    }
    memory_region_add(window, 0, inner);
}

void gpex_map_memory(Device *dev, uint64_t base, uint64_t bytes)
{
    Gpex *gpex = GPEX(dev);
    MemoryRegion *window = &gpex->windows[gpex->window_count++];

    assert(gpex->window_count <= GPEX_MAX_WINDOWS);
    memory_region_init_alias(window, &dev->parent, "gpex_mmio_window", &gpex->memory_window,
                             (MemoryWindow){ base, bytes });
    memory_region_add(memory_region_system(), base, window);
}

/* --- life --- */

static void gpex_init(Object *obj)
{
    Gpex *gpex = GPEX(obj);

    memory_region_init(&gpex->memory, obj, "gpex_mmio", MEMORY_SIZE_WHOLE);
    memory_region_init(&gpex->ports, obj, "gpex_ioport", GPEX_PORT_BYTES);
}

static void gpex_finalize(Object *obj)
{
    Gpex *gpex = GPEX(obj);

    if (gpex->parent.bus) {
        memory_region_remove(&gpex->memory_window, &gpex->memory);
        memory_region_remove(&gpex->ports_window, &gpex->ports);
        memory_region_clear(&gpex->memory_window);
        memory_region_clear(&gpex->ports_window);
    }
    memory_region_clear(&gpex->memory);
    memory_region_clear(&gpex->ports);
}

static bool add_root(Gpex *gpex, Error **errp)
{
    Device *root = device_new(TYPE_GPEX_ROOT);

    object_set_int(root, "addr", PCI_DEVFN(0, 0), NULL);
    object_add_child((Object *)gpex, "gpex_root", root, NULL);
    return device_realize_and_unref(root, BUS(gpex->parent.bus), errp);
}

/* Once: what exists then goes with the object. */
static void make_bus(Gpex *gpex)
{
    PciHost *host = &gpex->parent;
    PciBusSpaces spaces = { &gpex->memory, &gpex->ports };

    init_window(gpex, &gpex->memory_window, &gpex->memory, "gpex_mmio_window");
    init_window(gpex, &gpex->ports_window, &gpex->ports, "gpex_ioport_window");
    mmio_device_add_region(&host->parent, &gpex->memory_window);
    mmio_device_add_region(&host->parent, &gpex->ports_window);
    host->bus = pci_bus_new(TYPE_PCIE_BUS, DEVICE(host), "pcie.0", spaces);
    pci_bus_set_router(host->bus, &router, gpex);
}

static bool gpex_realize(Device *dev, Error **errp)
{
    Gpex *gpex = GPEX(dev);

    if (!gpex->parent.bus) {
        make_bus(gpex);
    }
    return add_root(gpex, errp);
}

static void gpex_unrealize(Device *dev)
{
    Gpex *gpex = GPEX(dev);

    while (gpex->window_count) {
        MemoryRegion *window = &gpex->windows[--gpex->window_count];

        memory_region_remove(memory_region_system(), window);
        memory_region_clear(window);
    }
}

static const Property gpex_props[] = {
    PROP_BOOL("allow-unmapped-accesses", Gpex, allows_unmapped, .initial = true,
              .doc = "Reads of a window where no function is give all ones, not an abort"),
};
static const IrqDef gpex_irqs[] = {
    IRQ_ROW_OUT("sysbus-irq", Gpex, lines[0], .count = PCI_PIN_COUNT),
};

static const DeviceType gpex_type = {
    .name = TYPE_GPEX_HOST,
    .doc = "Generic PCI Express host bridge",
    .parent = TYPE_PCIE_HOST,
    .size = sizeof(Gpex),
    .irqs = IRQS(gpex_irqs),
    .properties = PROPERTIES(gpex_props),
    .init = gpex_init,
    .finalize = gpex_finalize,
    .realize = gpex_realize,
    .unrealize = gpex_unrealize,
};
DEVICE_TYPE(gpex_type)

/* --- the bridge as a function --- */

static const PciDeviceType gpex_root_type = {
    .name = TYPE_GPEX_ROOT,
    .doc = "Generic PCI Express host bridge, as a function",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(PciDevice),
    .category = DEVICE_CATEGORY_BRIDGE,
    .access = DEVICE_ACCESS_BOARD,
    .is_not_hotpluggable = true,
    .vendor_id = PCI_VENDOR_REDHAT,
    .device_id = 0x0008,
    .class_id = PCI_CLASS_BRIDGE_HOST,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
};
PCI_DEVICE_TYPE(gpex_root_type)
