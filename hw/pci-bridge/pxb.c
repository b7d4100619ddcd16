/*
 * Expander buses: pxb and pxb-pcie, functions of the board's root bus that bring another root with
 * a number, and a NUMA node, of its own. It shares the board's memory, ports, interrupt lines and
 * IOMMU; boards find it in the list of their root and describe it to firmware.
 *
 * Behind pxb the user's bus is that of a bridge, which firmware can give windows to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/core/numa.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_host.h"

typedef struct Pxb {
    PciDevice parent;
    uint8_t bus_nr;      /* properties */
    uint16_t numa_node;
    bool bypasses_iommu;
    PciHost *host;       /* borrowed */
} Pxb;
DECLARE_CAST(Pxb, PXB)

typedef struct PxbType {
    struct PciDeviceType;
    uintptr_t is_express;
} PxbType;
#define PXB_TYPE(decl) OBJECT_TYPE(decl)

static const DeviceType pxb_host_type = {
    .name = "pxb-host",
    .parent = TYPE_PCI_HOST,
    .doc = "Host bridge of an expander bus",
    .access = DEVICE_ACCESS_BOARD,
};
DEVICE_TYPE(pxb_host_type)

static const BusType pxb_bus_type = {
    .name = "pxb-bus", .parent = TYPE_PCI_BUS, .doc = "Root bus of an expander",
};
BUS_TYPE(pxb_bus_type)

static const BusType pxb_pcie_bus_type = {
    .name = "pxb-pcie-bus", .parent = TYPE_PCIE_BUS, .doc = "Root bus of a PCI Express expander",
};
BUS_TYPE(pxb_pcie_bus_type)

static bool check(Pxb *pxb, bool is_express, Error **errp)
{
    const PciBus *bus = pci_device_bus(&pxb->parent);

    if (pci_bus_is_express(bus) != is_express) {
        return error_set(errp, "%s devices cannot reside on a %s bus", object_type_name(pxb),
                         is_express ? "PCI" : "PCIe");
    }
    if (bus->bridge || bus->main_root) {
        return error_set(errp, "PXB devices can be attached only to root bus");
    }
    return pxb->numa_node == PCI_NO_NUMA_NODE || 
           pxb->numa_node < numa_node_count(machine_current()->numa) ||
           error_set(errp, "Illegal numa node %u", pxb->numa_node);
}

/* The user's bus, behind a bridge on the expander's. */
static bool add_bridge(Pxb *pxb, Error **errp)
{
    Device *bridge = device_new("pci-bridge");

    bridge->id = g_strdup(pxb->parent.parent.id);
    bridge->is_part = true;
    return object_set_int(bridge, "chassis_nr", pxb->bus_nr, errp) &&
           object_set_bool(bridge, "shpc", false, errp) &&
           object_set_text(bridge, "msi", "off", errp) &&
           device_realize_and_unref(bridge, &pxb->host->bus->parent, errp);
}

static bool add_root(Pxb *pxb, bool is_express, Error **errp)
{
    PciBus *main_root = pci_device_bus(&pxb->parent);
    const char *id = pxb->parent.parent.id;
    PciBus *bus = pci_bus_new(is_express ? "pxb-pcie-bus" : "pxb-bus", DEVICE(pxb->host),
                              !is_express ? "pxb-internal" : id ? id : object_type_name(pxb),
                              (PciBusSpaces){ main_root->memory, main_root->io });

    bus->root_number = pxb->bus_nr;
    bus->numa_node = pxb->numa_node;
    bus->bypasses_iommu = pxb->bypasses_iommu;
    bus->takes_only_bridges = true;
    pxb->host->bus = bus;
    return pci_bus_add_expander(main_root, bus, errp);
}

static void pxb_unrealize(Device *device)
{
    Pxb *pxb = PXB(device);
    PciBus *bus = pxb->host->bus;

    while (bus->parent.devices->len) {
        device_delete(bus->parent.devices->pdata[bus->parent.devices->len - 1]);
    }
    if (bus->main_root) {
        pci_bus_remove_expander(bus);
    }
    pxb->host->bus = NULL;
    object_unparent(bus);
    device_delete(DEVICE(pxb->host));
    pxb->host = NULL;
}

static bool pxb_realize(Device *device, Error **errp)
{
    Pxb *pxb = PXB(device);
    bool is_express = ((const PxbType *)object_ops(pxb))->is_express;
    Device *host;

    if (!check(pxb, is_express, errp)) {
        return false;
    }
    store_le16(pxb->parent.config + PCI_STATUS, 0x00a0); /* 66 MHz, fast back-to-back */
    host = device_new("pxb-host");
    pxb->host = PCI_HOST(host);
    if (!device_realize_and_unref(host, bus_system(), errp)) {
        return false;
    }
    if (!add_root(pxb, is_express, errp) || (!is_express && !add_bridge(pxb, errp))) {
        pxb_unrealize(device);
        return false;
    }
    return true;
}

static const Property pxb_props[] = {
    PROP_U8("bus_nr", Pxb, bus_nr, .doc = "Number of its root bus"),
    PROP_U16("numa_node", Pxb, numa_node, .initial = PCI_NO_NUMA_NODE,
             .doc = "Node of its devices, 128: any"),
    PROP_BOOL("bypass_iommu", Pxb, bypasses_iommu,
              .doc = "Its devices are not behind the virtual IOMMU"),
};

static const PxbType pxb_type = {
    .name = "pxb",
    .parent = TYPE_PCI_DEVICE,
    .doc = "PCI expander bus",
    .size = sizeof(Pxb),
    .vendor_id = PCI_VENDOR_REDHAT, .device_id = 0x0009, .class_id = PCI_CLASS_BRIDGE_HOST,
    .category = DEVICE_CATEGORY_BRIDGE,
    .is_not_hotpluggable = true,
    .properties = PROPERTIES(pxb_props),
    .realize = pxb_realize,
    .unrealize = pxb_unrealize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
};
PXB_TYPE(pxb_type)

static const PxbType pxb_pcie_type = {
    .name = "pxb-pcie",
    .parent = TYPE_PCI_DEVICE,
    .doc = "PCI Express expander bus",
    .size = sizeof(Pxb),
    .vendor_id = PCI_VENDOR_REDHAT, .device_id = 0x000b, .class_id = PCI_CLASS_BRIDGE_HOST,
    .category = DEVICE_CATEGORY_BRIDGE,
    .is_not_hotpluggable = true,
    .is_express = true,
    .properties = PROPERTIES(pxb_props),
    .realize = pxb_realize,
    .unrealize = pxb_unrealize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
};
PXB_TYPE(pxb_pcie_type)
