/*
 * Texas Instruments' XIO3130: a switch of an upstream port and downstream ports behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "pcie_port.h"

#define VENDOR_TI 0x104c

static const PciePortType upstream_type = {
    .name = "x3130-upstream",
    .parent = TYPE_PCIE_PORT,
    .doc = "Upstream port of a PCI Express switch",
    .vendor_id = VENDOR_TI, .device_id = 0x8232, .revision = 2,
    .express_type = PCIE_UPSTREAM_PORT, .has_flr = true,
    .interrupt_at = 0x70, .ssvid_at = 0x80, .express_at = 0x90, .aer_at = 0x100,
    .msi_vectors = 1, .is_msi_64 = true,
};
PCIE_PORT_TYPE(upstream_type)

static const PciePortType downstream_type = {
    .name = "xio3130-downstream",
    .parent = TYPE_PCIE_SLOT,
    .doc = "Downstream port of a PCI Express switch",
    .vendor_id = VENDOR_TI, .device_id = 0x8233, .revision = 1,
    .express_type = PCIE_DOWNSTREAM_PORT, .has_flr = true,
    .interrupt_at = 0x70, .ssvid_at = 0x80, .express_at = 0x90, .aer_at = 0x100,
    .msi_vectors = 1, .is_msi_64 = true,
};
PCIE_PORT_TYPE(downstream_type)
