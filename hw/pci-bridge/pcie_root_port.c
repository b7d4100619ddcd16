/*
 * Root ports: the generic one, and that of Intel's 5520 and X58 I/O hubs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "pcie_port.h"

#define RESERVE_AT 0 /* where there is room */

typedef enum LinkSpeed { SPEED_2_5, SPEED_5, SPEED_8, SPEED_16, SPEED_COUNT } LinkSpeed;
static const char *const speed_names[] = { "2_5", "5", "8", "16" };
static const EnumTable speed_table = { "PCIELinkSpeed", speed_names, SPEED_COUNT };

static const char *const width_names[] = { "1", "2", "4", "8", "12", "16", "32" };
static const EnumTable width_table = { "PCIELinkWidth", width_names, ARRAY_SIZE(width_names) };

typedef struct RootPort {
    PcieSlotPort parent;
    PciReserve reserve;
    int speed, width;
    bool migrates_msix;
} RootPort;
DECLARE_CAST(RootPort, ROOT_PORT)

/* Before the capabilities are made, on the levels above. */
static void link_changed(Object *obj, const Property *p)
{
    RootPort *root = ROOT_PORT(obj);

    PCIE_PORT(obj)->speed = root->speed + 1;
    PCIE_PORT(obj)->width = atoi(width_names[root->width]);
}

static void root_port_init(Object *obj)
{
    link_changed(obj, NULL);
}

static bool root_port_realize(Device *dev, Error **errp)
{
    return pci_add_reserve_capability(PCI_DEVICE(dev), RESERVE_AT, &ROOT_PORT(dev)->reserve, errp);
}

static const Property root_port_props[] = {
    PROPS_PCI_RESERVE(RootPort, reserve),
    PROP_ENUM("x-speed", RootPort, speed, speed_table, .initial = SPEED_16,
              .changed = link_changed, .doc = "GT/s of the link"),
    PROP_ENUM("x-width", RootPort, width, width_table, .initial = 6, .changed = link_changed,
              .doc = "Lanes of the link"),
    PROP_BOOL("x-migrate-msix", RootPort, migrates_msix, .initial = true,
              .doc = "MSI-X state is saved; it always is"),
};

static const PciePortType pcie_root_port_type = {
    .name = "pcie-root-port",
    .parent = TYPE_PCIE_ROOT_PORT,
    .doc = "PCI Express root port",
    .size = sizeof(RootPort),
    .vendor_id = PCI_VENDOR_REDHAT, .device_id = 0x000c,
    .ssvid_vendor = PCI_VENDOR_REDHAT,
    .ssvid_at = 0x40, .interrupt_at = 0x48, .express_at = 0x54, .aer_at = 0x100, .acs_at = 0x148,
    .properties = PROPERTIES(root_port_props),
    .init = root_port_init,
    .realize = root_port_realize,
};
PCIE_PORT_TYPE(pcie_root_port_type)

static const PciePortType ioh3420_type = {
    .name = "ioh3420",
    .parent = TYPE_PCIE_ROOT_PORT,
    .doc = "Root port of an Intel I/O hub",
    .vendor_id = 0x8086, .device_id = 0x3420, .revision = 2,
    .ssvid_vendor = 0x8086,
    .ssvid_at = 0x40, .interrupt_at = 0x60, .express_at = 0x90, .aer_at = 0x100,
    .msi_vectors = 2, .has_msi_masks = true,
};
PCIE_PORT_TYPE(ioh3420_type)
