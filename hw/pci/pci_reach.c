/*
 * How many bus numbers a host bridge can ever need: what tables announce, for a guest that looks at
 * every number it is told of.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_host.h"
#include "hw/pci/pcie_parts.h"

static void note_place(void *opaque, unsigned place)
{
    unsigned *most = opaque;

    *most = MAX(*most, place);
}

/* Numbers that virtual functions of the bus have behind its own. */
static unsigned extension(const PciBus *bus)
{
    unsigned most = pci_bus_number(bus) * PCI_DEVFN_COUNT;

    for (unsigned devfn = 0; devfn < PCI_DEVFN_COUNT; devfn++) {
        if (bus->devices[devfn]) {
            pcie_sriov_each_place(bus->devices[devfn], note_place, &most);
        }
    }
    return most / PCI_DEVFN_COUNT - pci_bus_number(bus);
}

/* Beside the number of the bus itself. */
static unsigned count_behind(const PciBus *bus, bool *may_grow)
{
    unsigned count = extension(bus);

    *may_grow |= bus->parent.hotplug && (!bus->bridge || pcie_takes_devices_later(bus->bridge));
    for (unsigned devfn = 0; devfn < PCI_DEVFN_COUNT; devfn++) {
        const PciDevice *dev = bus->devices[devfn];

        if (dev && object_is_a(dev, TYPE_PCI_BRIDGE)) {
            unsigned behind = count_behind(PCI_BRIDGE(dev)->bus, may_grow);

            count += 1 + MAX(behind, pci_bridge_reserved_buses(dev));
        }
    }
    return count;
}

unsigned pci_host_bus_count(const PciHost *host, bool is_plugged_later)
{
    const GPtrArray *expanders = host->bus->expanders;
    bool may_grow = false;
    unsigned last = count_behind(host->bus, &may_grow);

    for (guint i = 0; expanders && i < expanders->len; i++) {
        const PciBus *root = expanders->pdata[i];

        last = MAX(last, root->root_number + count_behind(root, &may_grow));
    }
    return may_grow && is_plugged_later ? PCI_BUS_COUNT : MIN(last + 1, PCI_BUS_COUNT);
}
