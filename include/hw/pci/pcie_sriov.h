/*
 * Single root I/O virtualization: a physical function that makes virtual ones while its guest wants
 * them. A virtual function is a PciDevice of a type of its own; its realize calls pci_add_bar() and
 * the capability functions as any other. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCIE_SRIOV_H
#define HW_PCI_PCIE_SRIOV_H

#include "hw/pci/pcie.h"

typedef struct PcieSriovSpec {
    unsigned at;            /* in extended space */
    const char *vf_type;    /* what they are; for ever */
    uint16_t vf_device_id;
    uint16_t total_vfs;
    uint16_t offset, stride; /* the first one's place after the function's, and between them */
} PcieSriovSpec;
/* After pcie_cap_init(). On a root bus all virtual functions must fit that bus; below a bridge they
 * may have numbers behind it, which answer where software gave them to the bridge. */
bool pcie_sriov_init(PciDevice *pf, const PcieSriovSpec *spec, Error **errp);
/* BAR `n` of each of them: `size` bytes, a power of two of at least 4 KiB; memory. */
void pcie_sriov_add_bar(PciDevice *pf, unsigned n, uint8_t type, uint64_t size);
/* How many there are now, and the one at `index`. */
unsigned pcie_sriov_count(const PciDevice *pf);
PciDevice *pcie_sriov_vf(const PciDevice *pf, unsigned index);
/* All virtual functions go; for a type whose unrealize takes away what they use. */
void pcie_sriov_stop(PciDevice *pf);
/* The function behind a virtual one; NULL: it is none. */
static inline PciDevice *pci_device_pf(const PciDevice *dev)
{
    return dev->pf;
}
static inline unsigned pci_device_vf_index(const PciDevice *dev)
{
    return dev->vf_index;
}

#endif
