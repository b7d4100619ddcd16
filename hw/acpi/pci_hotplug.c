/*
 * Registers for PCI hot-plug: a bus is selected by number (BSEL, 0x10); then slots as bits: came
 * (0, cleared when read), is to go (4), eject (8, written), can be ejected (0xc). Writing a slot's
 * bit to 0x14 makes it show the acpi-index of the function 0 there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hotplug_parts.h"
#include "hw/core/hotplug.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pcie.h"
#include "trace.h"
#include "util/log.h"

enum { UP = 0, DOWN = 4, EJECT = 8, REMOVABLE = 0xc, SELECTOR = 0x10, INDEX = 0x14 };

/* --- buses and their numbers --- */

int acpi_pci_hotplug_bsel(const AcpiHotplug *hp, const PciBus *bus)
{
    for (unsigned n = 0; n < hp->pci.bus_count; n++) {
        if (hp->pci.buses[n] == bus) {
            return n;
        }
    }
    return -1;
}

static void adopt_bus(AcpiHotplug *hp, PciBus *bus)
{
    if (hp->pci.bus_count < ACPI_PCI_HOTPLUG_BUSES) {
        hp->pci.buses[hp->pci.bus_count++] = bus;
        bus_set_hotplug_handler(&bus->parent, &hp->owner->parent);
    }
}

static void adopt_behind(void *opaque, PciDevice *dev)
{
    const GPtrArray *buses = dev->parent.buses;

    for (guint i = 0; pci_device_ops(dev)->is_bridge && buses && i < buses->len; i++) {
        if (!object_is_a(buses->pdata[i], TYPE_PCI_BUS)) {
            continue;
        }
        if (pcie_takes_devices_later(dev)) {
            adopt_bus(opaque, buses->pdata[i]);
        } else {
            bus_set_hotplug_handler(buses->pdata[i], NULL);
        }
    }
}

void acpi_pci_hotplug_adopt(AcpiHotplug *hp, PciBus *root, AcpiPciScope scope)
{
    if (scope.with_root) {
        adopt_bus(hp, root);
    }
    if (scope.with_bridges) {
        pci_bus_each(root, adopt_behind, hp);
    }
}

/* --- registers --- */

static PciBus *selected_bus(const AcpiHotplug *hp)
{
    return hp->pci.selector < hp->pci.bus_count ? hp->pci.buses[hp->pci.selector] : NULL;
}

static bool is_removable(const PciDevice *dev)
{
    return !dev || (!device_ops(&dev->parent)->is_not_hotpluggable &&
                    (!pci_device_ops(dev)->is_bridge || dev->parent.is_hotplugged));
}

static uint32_t removable_slots(const PciBus *bus)
{
    uint32_t mask = UINT32_MAX;

    for (unsigned devfn = 0; devfn < PCI_DEVFN_COUNT; devfn++) {
        if (!is_removable(bus->devices[devfn])) {
            mask &= ~BIT(PCI_SLOT(devfn));
        }
    }
    return mask;
}

/* Function 0 last: the others are behind it. */
static void eject(AcpiHotplug *hp, PciBus *bus, unsigned slot)
{
    trace_acpi_eject("PCI", slot);
    hp->pci.slots[hp->pci.selector].up &= ~BIT(slot);
    hp->pci.slots[hp->pci.selector].down &= ~BIT(slot);
    for (int n = 7; n >= 0; n--) {
        PciDevice *dev = bus->devices[PCI_DEVFN(slot, n)];

        if (dev && is_removable(dev)) {
            hotplug_unplug(&dev->parent);
        }
    }
}

static uint64_t pci_read(void *opaque, uint64_t at, unsigned bytes)
{
    AcpiHotplug *hp = opaque;
    PciBus *bus = selected_bus(hp);
    AcpiPciBusSlots *slots = bus ? &hp->pci.slots[hp->pci.selector] : NULL;
    uint32_t up;

    switch (at) {
    case UP:
        up = slots ? slots->up : 0;
        if (slots) {
            slots->up = 0;
        }
        return up;
    case DOWN:
        return slots ? slots->down : 0;
    case REMOVABLE:
        return bus ? removable_slots(bus) : 0;
    case SELECTOR:
        return hp->pci.selector;
    case INDEX:
        return hp->pci.index;
    default:
        return 0;
    }
}

static void find_index(AcpiHotplug *hp, PciBus *bus, uint32_t slots)
{
    PciDevice *dev = bus && slots ? bus->devices[PCI_DEVFN(__builtin_ctz(slots), 0)] : NULL;

    hp->pci.index = dev ? dev->acpi_index : 0;
}

static void pci_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    AcpiHotplug *hp = opaque;
    PciBus *bus = selected_bus(hp);

    if (at == SELECTOR) {
        hp->pci.selector = value;
    } else if (at == INDEX) {
        find_index(hp, bus, value);
    } else if (at == EJECT && bus && value) {
        eject(hp, bus, __builtin_ctz(value));
    } else {
        guest_error("acpi: PCI hot-plug write at 0x%" PRIx64, at);
    }
}

const MemoryOps acpi_pci_hotplug_ops = {
    .read = pci_read, .write = pci_write, .endian = ENDIAN_LITTLE,
    .valid = { 4, 4 }, .impl = { 4, 4 },
};

/* --- plugging --- */

bool acpi_pci_hotplug_pre_plug(AcpiHotplug *hp, PciDevice *dev, Error **errp)
{
    return !dev->parent.is_hotplugged ||
           acpi_pci_hotplug_bsel(hp, pci_device_bus(dev)) >= 0 ||
           error_set(errp, "Unsupported bus. Bus doesn't have property 'acpi-pcihp-bsel' set");
}

static AcpiPciBusSlots *slots_of(AcpiHotplug *hp, const PciDevice *dev)
{
    int bsel = acpi_pci_hotplug_bsel(hp, pci_device_bus(dev));

    return bsel < 0 ? NULL : &hp->pci.slots[bsel];
}

/* A bridge with slots shows what is in them, whoever tells the guest. */
static void show_in_slot(const PciDevice *dev, bool is_there)
{
    PciDevice *bridge = pci_device_bus(dev)->bridge;

    if (bridge && !PCI_FUNCTION(dev->devfn)) {
        pci_bridge_show_in_slot(bridge, dev, is_there);
    }
}

/* Others of a slot wait for its function 0. */
void acpi_pci_hotplug_plug(AcpiHotplug *hp, PciDevice *dev)
{
    AcpiPciBusSlots *slots = slots_of(hp, dev);

    if (slots && dev->parent.is_hotplugged && PCI_FUNCTION(dev->devfn) == 0) {
        slots->up |= BIT(PCI_SLOT(dev->devfn));
        show_in_slot(dev, true);
        acpi_hotplug_raise(hp, ACPI_EVENT_PCI);
    }
}

void acpi_pci_hotplug_request(AcpiHotplug *hp, PciDevice *dev)
{
    AcpiPciBusSlots *slots = slots_of(hp, dev);

    if (slots) {
        slots->down |= BIT(PCI_SLOT(dev->devfn));
        acpi_hotplug_raise(hp, ACPI_EVENT_PCI);
    }
}

void acpi_pci_hotplug_unplug(AcpiHotplug *hp, PciDevice *dev)
{
    AcpiPciBusSlots *slots = slots_of(hp, dev);

    if (slots) {
        show_in_slot(dev, false);
        slots->up &= ~BIT(PCI_SLOT(dev->devfn));
        slots->down &= ~BIT(PCI_SLOT(dev->devfn));
    }
}
