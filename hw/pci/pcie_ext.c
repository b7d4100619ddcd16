/*
 * Small extended capabilities (PCI Express Base 5.0, 7.7.8 ACS, 7.8.8 ARI, 7.9.3 DSN). ACS is what
 * a guest looks at to form isolation groups: peer-to-peer traffic of emulated functions goes
 * through the memory map, which redirection does not change.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pcie_parts.h"

#define ACS_BYTES 8
#define ARI_BYTES 8
#define DSN_BYTES 12

bool pcie_acs_init(PciDevice *dev, unsigned at, Error **errp)
{
    if (!pcie_add_capability(dev, PCIE_EXT_CAP(PCI_EXT_CAP_ID_ACS, 1), at, ACS_BYTES, errp)) {
        return false;
    }
    pcie_state(dev)->acs_cap = at;
    store_le16(dev->config + at + PCI_ACS_CAP, PCI_ACS_PORT_SERVICES);
    store_le16(dev->writable + at + PCI_ACS_CTRL, PCI_ACS_PORT_SERVICES);
    store_le16(dev->fixed + at + PCI_ACS_CTRL, 0);
    return true;
}

bool pcie_ari_init(PciDevice *dev, unsigned at, uint8_t next, Error **errp)
{
    if (!pcie_add_capability(dev, PCIE_EXT_CAP(PCI_EXT_CAP_ID_ARI, 1), at, ARI_BYTES, errp)) {
        return false;
    }
    store_le16(dev->config + at + PCI_ARI_CAP, next << 8);
    return true;
}

bool pcie_dsn_init(PciDevice *dev, unsigned at, uint64_t serial, Error **errp)
{
    if (!pcie_add_capability(dev, PCIE_EXT_CAP(PCI_EXT_CAP_ID_DSN, 1), at, DSN_BYTES, errp)) {
        return false;
    }
    store_le64(dev->config + at + 4, serial);
    return true;
}

bool pcie_ari_is_forwarded(const PciDevice *dev)
{
    const PciDevice *port = pci_device_bus(dev)->bridge;

    return port && pcie_is_downstream_port(port) &&
           pcie_get16(port, PCI_EXP_DEVCTL2) & PCI_EXP_DEVCTL2_ARI;
}
