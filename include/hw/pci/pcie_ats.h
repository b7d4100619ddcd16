/*
 * Address translation services, page requests and process address space ids: capabilities of a
 * function, and its way to the virtual IOMMU in front of it. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCIE_ATS_H
#define HW_PCI_PCIE_ATS_H

#include "hw/pci/pci_iommu.h"
#include "hw/pci/pcie.h"
#include "system/memory_listener.h"

#define PCIE_NO_PASID UINT32_MAX

/* `is_aligned`: untranslated addresses are page aligned. */
bool pcie_ats_init(PciDevice *dev, unsigned at, bool is_aligned, Error **errp);
bool pcie_ats_is_enabled(const PciDevice *dev);
/* Is there an IOMMU that answers such requests? */
bool pcie_ats_is_served(const PciDevice *dev);
/*
 * Asks for translations, with `pasid` or PCIE_NO_PASID. Fills at most `count` entries; how many, or
 * -1: the guest has not enabled it, there is no IOMMU, or the request is not permitted.
 */
int pcie_ats_request(PciDevice *dev, uint32_t pasid, const PciAtsRequest *request,
                     IommuEntry *results, unsigned count);

/* Tells a function with translations of its own which ones are void; `dropped` is the caller's. */
typedef struct PcieAtsWatch {
    void (*dropped)(struct PcieAtsWatch *watch, const IommuEntry *entry);
    MemoryListener listener;
    IommuNotifier notifier;
} PcieAtsWatch;
void pcie_ats_watch(PciDevice *dev, PcieAtsWatch *watch);
void pcie_ats_unwatch(PcieAtsWatch *watch);

/* `capacity`: page requests it can have outstanding. */
bool pcie_pri_init(PciDevice *dev, unsigned at, uint32_t capacity, Error **errp);
bool pcie_pri_is_enabled(const PciDevice *dev);
/* False: not enabled, no credit left, no IOMMU, or refused. Else the answer comes by notifier. */
bool pcie_page_request(PciDevice *dev, uint32_t pasid, const PciPageRequest *request);
/* After a refusal: false if it is for good, as the IOMMU's tables stand; else there may be room later. */
bool pcie_may_request_pages(PciDevice *dev, uint32_t pasid);
/* Who hears answers for `pasid`; NULL: nobody any more. The core takes it away with the device. */
bool pcie_set_page_notifier(PciDevice *dev, uint32_t pasid, PciPageNotifier *notifier);

/* `width`: bits, 1 to 20. */
bool pcie_pasid_init(PciDevice *dev, unsigned at, uint8_t width, uint16_t caps, Error **errp);
bool pcie_pasid_is_enabled(const PciDevice *dev);

#endif
