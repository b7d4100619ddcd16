/*
 * Ports of PCI Express: base types. Each level adds its capabilities in realize, by the table of
 * the concrete type; see pcie_port.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/hotplug.h"
#include "hw/pci/msi.h"
#include "hw/pci/pcie_aer.h"
#include "pcie_port.h"

static const PciePortType *port_ops(const PciDevice *dev)
{
    return object_ops(dev);
}

static bool add_interrupts(PciDevice *dev, Error **errp)
{
    const PciePortType *ops = port_ops(dev);
    MsiSpec msi = { .at = ops->interrupt_at, .vectors = ops->msi_vectors,
                    .is_64 = ops->is_msi_64, .has_masks = ops->has_msi_masks };

    if (ops->express_type == PCIE_ROOT_PORT) {
        dev->config[PCI_INTERRUPT_PIN] = 1;
    }
    return ops->msi_vectors ? msi_init(dev, &msi, errp) :
                              msix_init_bar(dev, 1, 0, errp);
}

static bool add_ssvid(PciDevice *dev, Error **errp)
{
    const PciePortType *ops = port_ops(dev);

    return pci_add_ssvid_capability(dev, ops->ssvid_at, ops->ssvid_vendor, ops->ssvid_id, errp);
}

static bool add_express(PciDevice *dev, Error **errp)
{
    const PciePortType *ops = port_ops(dev);
    PciePort *port = PCIE_PORT(dev);
    PcieCapSpec spec = {
        .at = ops->express_at, .type = ops->express_type, .port = port->port,
        .speed = port->speed, .width = port->width, .has_flr = ops->has_flr,
        .forwards_ari = ops->express_type != PCIE_UPSTREAM_PORT, .has_prefixes = true,
        .reports_errors = true,
    };

    return pcie_cap_init(dev, &spec, errp);
}

/* The list of capabilities is in the order of their places. */
static bool add_conventional(PciDevice *dev, Error **errp)
{
    return port_ops(dev)->ssvid_at < port_ops(dev)->interrupt_at ?
           add_ssvid(dev, errp) && add_interrupts(dev, errp) :
           add_interrupts(dev, errp) && add_ssvid(dev, errp);
}

static bool port_realize(Device *device, Error **errp)
{
    PciDevice *dev = PCI_DEVICE(device);
    PcieAerSpec aer = { .at = port_ops(dev)->aer_at, .version = 2,
                        .log_max = PCIE_PORT(dev)->aer_log_max,
                        .vector = port_ops(dev)->msi_vectors > 1 };

    return add_conventional(dev, errp) && add_express(dev, errp) &&
           pcie_aer_init(dev, &aer, errp);
}

static const Property port_props[] = {
    PROP_U8("port", PciePort, port, .doc = "Number of the link"),
    PROP_U16("aer_log_max", PciePort, aer_log_max, .initial = 8,
             .doc = "Errors whose headers are remembered, 128 at most"),
};

static const PciePortType port_type = {
    .name = TYPE_PCIE_PORT,
    .parent = TYPE_PCI_BRIDGE,
    .doc = "A port of PCI Express",
    .size = sizeof(PciePort),
    .is_abstract = true,
    .is_express_port = true,
    .secondary_type = TYPE_PCIE_BUS,
    .properties = PROPERTIES(port_props),
    .realize = port_realize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_EXPRESS }, { 0 } },
};
PCIE_PORT_TYPE(port_type)

/* --- with a slot --- */

static bool slot_realize(Device *device, Error **errp)
{
    PciDevice *dev = PCI_DEVICE(device);
    PcieSlotPort *port = PCIE_SLOT_PORT(dev);
    PcieSlotSpec spec = {
        .chassis = port->chassis, .number = port->slot,
        .is_hotpluggable = port->has_hotplug,
        .has_native_hotplug = port->has_hotplug && port->has_native_hotplug,
        .has_power_controller = port->has_power_controller,
    };

    if (!pci_check_chassis_slot(dev, port->chassis, port->slot, errp)) {
        return false;
    }
    pcie_slot_init(dev, &spec);
    PCI_BRIDGE(dev)->bus->has_one_slot = true; /* the other end of the link */
    bus_set_hotplug_handler(&PCI_BRIDGE(dev)->bus->parent, &device->parent);
    return true;
}

static bool pre_plug(Object *handler, Device *dev, Error **errp)
{
    return pcie_slot_pre_plug(PCI_DEVICE(handler), dev, errp);
}

static bool plug(Object *handler, Device *dev, Error **errp)
{
    return pcie_slot_plug(PCI_DEVICE(handler), dev, errp);
}

static bool unplug_request(Object *handler, Device *dev, Error **errp)
{
    return pcie_slot_unplug_request(PCI_DEVICE(handler), dev, errp);
}

static void unplug(Object *handler, Device *dev)
{
    pcie_slot_unplug(PCI_DEVICE(handler), dev);
}

static const HotplugHandler slot_handler = { pre_plug, plug, unplug_request, unplug };

static const Property slot_props[] = {
    PROP_U8("chassis", PcieSlotPort, chassis, .doc = "Number of the chassis its slot is in"),
    PROP_U16("slot", PcieSlotPort, slot, .max = 0x1fff, .doc = "Number of the slot there"),
    PROP_BOOL("hotplug", PcieSlotPort, has_hotplug, .initial = true,
              .doc = "Devices can be plugged and unplugged"),
    PROP_BOOL("x-native-hotplug", PcieSlotPort, has_native_hotplug, .initial = true,
              .doc = "The slot's registers tell of it"),
    PROP_BOOL("power_controller_present", PcieSlotPort, has_power_controller, .initial = true,
              .doc = "The guest can switch the slot's power"),
};

static const PciePortType slot_type = {
    .name = TYPE_PCIE_SLOT,
    .parent = TYPE_PCIE_PORT,
    .doc = "A port of PCI Express with a slot",
    .size = sizeof(PcieSlotPort),
    .is_abstract = true,
    .properties = PROPERTIES(slot_props),
    .show_in_slot = pcie_slot_show,
    .realize = slot_realize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_HOTPLUG_HANDLER, &slot_handler },
                                           { TYPE_PCI_EXPRESS }, { 0 } },
};
PCIE_PORT_TYPE(slot_type)

/* --- at the root complex --- */

static bool root_realize(Device *device, Error **errp)
{
    PciDevice *dev = PCI_DEVICE(device);
    unsigned acs_at = port_ops(dev)->acs_at;

    return !acs_at || PCIE_SLOT_PORT(dev)->is_without_acs || pcie_acs_init(dev, acs_at, errp);
}

static const Property root_props[] = {
    PROP_BOOL("disable-acs", PcieSlotPort, is_without_acs,
              .doc = "Without access control services"),
};

static const PciePortType root_type = {
    .name = TYPE_PCIE_ROOT_PORT,
    .parent = TYPE_PCIE_SLOT,
    .doc = "A root port of PCI Express",
    .is_abstract = true,
    .express_type = PCIE_ROOT_PORT,
    .closes_on_reset = true,
    .properties = PROPERTIES(root_props),
    .realize = root_realize,
};
PCIE_PORT_TYPE(root_type)
