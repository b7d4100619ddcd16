/*
 * A bridge from PCI Express to a conventional bus with a standard hot-plug controller.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/msi.h"
#include "hw/pci/pcie_aer.h"
#include "shpc.h"

typedef struct PciePciBridge {
    ShpcBridge parent;
    int msi;
} PciePciBridge;
DECLARE_CAST(PciePciBridge, PCIE_PCI_BRIDGE)

static bool add_express(PciDevice *dev, Error **errp)
{
    PcieCapSpec spec = { .type = PCIE_TO_PCI_BRIDGE, .forwards_ari = true, .has_prefixes = true,
                         .reports_errors = true };
    PcieAerSpec aer = { .at = PCI_CONFIG_SIZE, .version = 2 };

    return pcie_cap_init(dev, &spec, errp) && pci_add_pm_capability(dev, 0, errp) &&
           pcie_aer_init(dev, &aer, errp);
}

static bool pcie_pci_bridge_realize(Device *device, Error **errp)
{
    PciDevice *dev = PCI_DEVICE(device);
    MsiSpec msi = { .vectors = 1, .is_64 = true, .has_masks = true };

    return shpc_bridge_init(SHPC_BRIDGE(dev), errp) && add_express(dev, errp) &&
           (PCIE_PCI_BRIDGE(dev)->msi == ON_OFF_AUTO_VALUE_OFF || msi_init(dev, &msi, errp));
}

static const Property pcie_pci_bridge_props[] = {
    PROP_ON_OFF_AUTO("msi", PciePciBridge, msi, .doc = "It can send messages"),
};

static const PciBridgeType pcie_pci_bridge_type = {
    .name = "pcie-pci-bridge",
    .parent = TYPE_PCI_BRIDGE,
    .doc = "Bridge from PCI Express to PCI",
    .size = sizeof(PciePciBridge),
    .vendor_id = PCI_VENDOR_REDHAT, .device_id = 0x000e,
    .secondary_type = TYPE_PCI_BUS,
    .properties = PROPERTIES(pcie_pci_bridge_props),
    .config_read = shpc_bridge_config_read,
    .config_write = shpc_bridge_config_write,
    .show_in_slot = shpc_bridge_show_in_slot,
    .finalize = shpc_bridge_finalize,
    .realize = pcie_pci_bridge_realize,
    .reset_hold = shpc_bridge_reset_hold,
    .vmstate = &shpc_bridge_state,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_EXPRESS },
                                           { TYPE_HOTPLUG_HANDLER, &shpc_bridge_handler }, { 0 } },
};
PCI_BRIDGE_TYPE(pcie_pci_bridge_type)
