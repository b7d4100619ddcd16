/*
 * pci-bridge and pci-bridge-seat: a bridge to a conventional bus with a standard hot-plug
 * controller, a slot number (PCI-to-PCI Bridge 1.2, 13) and MSI.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/msi.h"
#include "shpc.h"

#define SLOT_ID_BYTES   4
#define SLOT_ID_FIRST   0x20 /* first of its chassis; slots are told by the controller */

typedef struct PciBridgeDevice {
    ShpcBridge parent;
    uint8_t chassis;   /* properties */
    int msi;
    bool has_shpc;
    PciReserve reserve;
} PciBridgeDevice;
DECLARE_CAST(PciBridgeDevice, PCI_BRIDGE_DEVICE)

/* The chassis' number is the guest's to change. */
static bool add_slot_id(PciBridgeDevice *b, Error **errp)
{
    PciDevice *dev = PCI_DEVICE(b);
    unsigned at;

    if (!b->chassis) {
        return error_set(errp, "Bridge chassis not specified. Each bridge is required to be "
                         "assigned a unique chassis id > 0.");
    }
    at = pci_add_capability(dev, PCI_CAP_ID_SLOT, 0, SLOT_ID_BYTES, errp);
    if (!at) {
        return false;
    }
    dev->config[at + 2] = SLOT_ID_FIRST;
    dev->config[at + 3] = b->chassis;
    dev->writable[at + 3] = 0xff;
    dev->fixed[at + 3] = 0;
    return true;
}

static bool pci_bridge_device_realize(Device *device, Error **errp)
{
    PciBridgeDevice *b = PCI_BRIDGE_DEVICE(device);
    PciDevice *dev = PCI_DEVICE(device);
    MsiSpec msi = { .vectors = 1, .is_64 = true, .has_masks = true };

    return (!b->has_shpc || shpc_bridge_init(&b->parent, errp)) && add_slot_id(b, errp) &&
           (b->msi == ON_OFF_AUTO_VALUE_OFF || msi_init(dev, &msi, errp)) &&
           pci_add_reserve_capability(dev, 0, &b->reserve, errp);
}

static const Property pci_bridge_device_props[] = {
    PROP_U8("chassis_nr", PciBridgeDevice, chassis, .doc = "Number of its chassis, not 0"),
    PROP_ON_OFF_AUTO("msi", PciBridgeDevice, msi, .doc = "It can send messages"),
    PROP_BOOL("shpc", PciBridgeDevice, has_shpc, .initial = true,
              .doc = "It has a standard hot-plug controller"),
    PROPS_PCI_RESERVE(PciBridgeDevice, reserve),
};

static const PciBridgeType pci_bridge_device_type = {
    .name = "pci-bridge",
    .parent = TYPE_PCI_BRIDGE,
    .doc = "Bridge to a PCI bus",
    .size = sizeof(PciBridgeDevice),
    .vendor_id = PCI_VENDOR_REDHAT, .device_id = 0x0001,
    .secondary_type = TYPE_PCI_BUS,
    .properties = PROPERTIES(pci_bridge_device_props),
    .config_read = shpc_bridge_config_read,
    .config_write = shpc_bridge_config_write,
    .show_in_slot = shpc_bridge_show_in_slot,
    .finalize = shpc_bridge_finalize,
    .realize = pci_bridge_device_realize,
    .reset_hold = shpc_bridge_reset_hold,
    .vmstate = &shpc_bridge_state,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL },
                                           { TYPE_HOTPLUG_HANDLER, &shpc_bridge_handler }, { 0 } },
};
PCI_BRIDGE_TYPE(pci_bridge_device_type)

static const PciBridgeType seat_type = {
    .name = "pci-bridge-seat",
    .parent = "pci-bridge",
    .doc = "Bridge to a PCI bus with the devices of one seat",
    .device_id = 0x000a,
};
PCI_BRIDGE_TYPE(seat_type)
