/*
 * The DMI-to-PCI bridge of Intel's I/O controller hubs (82801B/E to ICH9): a bridge to a
 * conventional bus that decodes subtractively. Nothing else decodes behind the root bus, so what it
 * forwards is by its windows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_bridge.h"

#define SSVID_AT 0x50

static bool i82801b11_realize(Device *dev, Error **errp)
{
    return pci_add_ssvid_capability(PCI_DEVICE(dev), SSVID_AT, 0, 0, errp);
}

static const PciBridgeType i82801b11_type = {
    .name = "i82801b11-bridge",
    .parent = TYPE_PCI_BRIDGE,
    .doc = "DMI-to-PCI bridge of an Intel ICH",
    .vendor_id = 0x8086, .device_id = 0x244e, .revision = 0x92, .prog_if = 1,
    .secondary_type = TYPE_PCI_BUS,
    .realize = i82801b11_realize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
};
PCI_BRIDGE_TYPE(i82801b11_type)
