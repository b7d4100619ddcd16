/*
 * PciePort: what root, upstream and downstream ports share. A port is a table of where its
 * capabilities are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_BRIDGE_PCIE_PORT_H
#define HW_PCI_BRIDGE_PCIE_PORT_H

#include "hw/pci/pci_bridge.h"
#include "hw/pci/pcie.h"

#define TYPE_PCIE_PORT      "pcie-port"
#define TYPE_PCIE_SLOT      "pcie-slot"
#define TYPE_PCIE_ROOT_PORT "pcie-root-port-base"

typedef struct PciePortType {
    struct PciBridgeType;
    uintptr_t express_type;           /* PcieType */
    uintptr_t express_at, ssvid_at, interrupt_at, aer_at, acs_at; /* acs_at 0: none */
    uintptr_t ssvid_vendor, ssvid_id;
    /* MSI with so many vectors, or MSI-X in BAR 0 if there are none; the second is for errors. */
    uintptr_t msi_vectors, is_msi_64, has_msi_masks;
    uintptr_t has_flr;
} PciePortType;
#define PCIE_PORT_TYPE(decl) OBJECT_TYPE(decl)

typedef struct PciePort {
    PciBridge parent;
    uint8_t port;         /* property: of the link */
    uint16_t aer_log_max; /* property */
    uint8_t speed, width; /* of the link, 0: 1 */
} PciePort;
DECLARE_CAST(PciePort, PCIE_PORT)

/* A port with a slot behind it. */
typedef struct PcieSlotPort {
    PciePort parent;
    uint8_t chassis;      /* properties */
    uint16_t slot;
    bool has_hotplug, has_native_hotplug, has_power_controller;
    bool is_without_acs;  /* of root ports */
} PcieSlotPort;
DECLARE_CAST(PcieSlotPort, PCIE_SLOT_PORT)

#endif
