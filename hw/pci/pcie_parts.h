/*
 * What the files of PCI Express share: the state of a function that its configuration does not
 * hold.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCIE_PARTS_H
#define HW_PCI_PCIE_PARTS_H

#include "hw/pci/pci_parts.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "hw/pci/pcie_ats.h"

#define PCIE_AER_LOG_MAX 128

typedef struct PcieAerLog {
    uint16_t used, limit;
    PcieAerError *errors; /* `limit` of them, oldest first */
} PcieAerLog;

typedef struct PcieSlot {
    uint8_t chassis;
    uint16_t number;
    uint16_t old_control;   /* SLTCTL as last looked at */
    bool is_event_up;       /* an interrupt is asked for */
    uint8_t vector;
} PcieSlot;

typedef struct PciePri PciePri;
typedef struct PcieSriov PcieSriov;

struct PcieState {
    PciDevice *dev;
    PcieSlot slot;
    uint16_t aer_cap, acs_cap, ats_cap, pri_cap, pasid_cap, sriov_cap; /* offsets; 0: none */
    uint8_t aer_vector;
    bool has_root_errors;    /* a root port or root complex event collector */
    PcieAerLog aer;
    PciePri *pri;
    PcieSriov *sriov;
};

static inline unsigned pcie_at(const PciDevice *dev, unsigned reg)
{
    return dev->express_cap + reg;
}
static inline uint16_t pcie_get16(const PciDevice *dev, unsigned reg)
{
    return load_le16(dev->config + pcie_at(dev, reg));
}
static inline uint32_t pcie_get32(const PciDevice *dev, unsigned reg)
{
    return load_le32(dev->config + pcie_at(dev, reg));
}
/* Version 1 of the capability ends before it: there are no prefixes. */
static inline bool pcie_has_caps_2(const PciDevice *dev)
{
    return (pcie_get16(dev, PCI_EXP_FLAGS) & 0xf) > 1;
}
static inline uint32_t pcie_caps_2(const PciDevice *dev)
{
    return pcie_has_caps_2(dev) ? pcie_get32(dev, PCI_EXP_DEVCAP2) : 0;
}
static inline void pcie_put16(PciDevice *dev, unsigned reg, uint16_t value)
{
    store_le16(dev->config + pcie_at(dev, reg), value);
}
/* Sets `set` in place of `clear`. */
static inline void pcie_change16(PciDevice *dev, unsigned reg, uint16_t clear, uint16_t set)
{
    pcie_put16(dev, reg, (pcie_get16(dev, reg) & ~clear) | set);
}

/* Made when a function gets its first capability of Express. */
PcieState *pcie_state(PciDevice *dev);

/* What pcie_written(), pcie_reset() and pcie_reload() call for each part. */
void pcie_slot_written(PciDevice *dev, unsigned at, unsigned bytes);
void pcie_slot_reset(PciDevice *dev);
void pcie_slot_reload(PciDevice *dev);
void pcie_aer_written(PciDevice *dev, unsigned at, unsigned bytes);
void pcie_aer_reset(PciDevice *dev);
void pcie_pri_written(PciDevice *dev, unsigned at, unsigned bytes);
void pcie_pri_reset(PciDevice *dev);
void pcie_pri_reload(PciDevice *dev);
void pcie_pri_stop(PciDevice *dev);
void pcie_pri_discard(PciDevice *dev);
void pcie_sriov_written(PciDevice *dev, unsigned at, unsigned bytes);
void pcie_sriov_reset(PciDevice *dev);
void pcie_sriov_discard(PciDevice *dev);
/* The IOMMU's operations for the function and `pasid`; NULL: none, or PASID is not enabled. */
const PciIommuOps *pcie_requester(const PciDevice *dev, uint32_t pasid, PciRequester *who,
                                  void **opaque);
/* INTx level and messages of a port: of its slot, and of errors if it is a root. */
bool pcie_aer_wants_irq(const PciDevice *dev);
void pcie_port_update_intx(PciDevice *dev);

#endif
