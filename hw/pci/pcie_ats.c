/*
 * ATS (PCI Express Base 5.0, 10.5.1) and PASID (7.8.9): what a guest enables, and translation
 * requests to the IOMMU in front of the function.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pcie_parts.h"

#define ATS_BYTES   8
#define PASID_BYTES 8

bool pcie_ats_init(PciDevice *dev, unsigned at, bool is_aligned, Error **errp)
{
    if (!pcie_add_capability(dev, PCIE_EXT_CAP(PCI_EXT_CAP_ID_ATS, 1), at, ATS_BYTES, errp)) {
        return false;
    }
    pcie_state(dev)->ats_cap = at;
    store_le16(dev->config + at + PCI_ATS_CAP, is_aligned ? PCI_ATS_CAP_PAGE_ALIGNED : 0);
    store_le16(dev->writable + at + PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE | PCI_ATS_CTRL_STU);
    store_le16(dev->fixed + at + PCI_ATS_CTRL, 0);
    return true;
}

static bool has_bit(const PciDevice *dev, unsigned cap, unsigned reg, uint16_t bit)
{
    return cap && load_le16(dev->config + cap + reg) & bit;
}

bool pcie_ats_is_enabled(const PciDevice *dev)
{
    return dev->pcie && has_bit(dev, dev->pcie->ats_cap, PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE);
}

bool pcie_pasid_init(PciDevice *dev, unsigned at, uint8_t width, uint16_t caps, Error **errp)
{
    uint16_t control = PCI_PASID_CTRL_ENABLE | (caps & (PCI_PASID_CAP_EXEC | PCI_PASID_CAP_PRIV));

    assert(width && width <= 20);
    if (!pcie_add_capability(dev, PCIE_EXT_CAP(PCI_EXT_CAP_ID_PASID, 1), at, PASID_BYTES, errp)) {
        return false;
    }
    pcie_state(dev)->pasid_cap = at;
    store_le16(dev->config + at + PCI_PASID_CAP, caps | width << PCI_PASID_CAP_WIDTH_SHIFT);
    store_le16(dev->writable + at + PCI_PASID_CTRL, control);
    store_le16(dev->fixed + at + PCI_PASID_CTRL, 0);
    return true;
}

bool pcie_pasid_is_enabled(const PciDevice *dev)
{
    return dev->pcie && has_bit(dev, dev->pcie->pasid_cap, PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE);
}

const PciIommuOps *pcie_requester(const PciDevice *dev, uint32_t pasid, PciRequester *who,
                                  void **opaque)
{
    const PciIommuOps *ops = NULL;

    if (dev->devfn >= 0 && (pasid == PCIE_NO_PASID || pcie_pasid_is_enabled(dev))) {
        ops = pci_device_iommu(dev, who, opaque);
        who->has_pasid = pasid != PCIE_NO_PASID;
        who->pasid = who->has_pasid ? pasid : 0;
    }
    return ops;
}

/* What the control bits do not permit is not asked for. */
static bool is_permitted(const PciDevice *dev, const PciAtsRequest *request)
{
    uint16_t control = pcie_pasid_is_enabled(dev) ?
                       load_le16(dev->config + dev->pcie->pasid_cap + PCI_PASID_CTRL) : 0;

    return (!request->is_execute || control & PCI_PASID_CTRL_EXEC) &&
           (!request->is_privileged || control & PCI_PASID_CTRL_PRIV);
}

bool pcie_ats_is_served(const PciDevice *dev)
{
    PciRequester who;
    void *opaque;
    const PciIommuOps *ops = pcie_requester(dev, PCIE_NO_PASID, &who, &opaque);

    return ops && ops->ats_translate && (!ops->has_ats || ops->has_ats(opaque));
}

int pcie_ats_request(PciDevice *dev, uint32_t pasid, const PciAtsRequest *request,
                     IommuEntry *results, unsigned count)
{
    PciRequester who;
    void *opaque;
    const PciIommuOps *ops = pcie_ats_is_enabled(dev) ?
                             pcie_requester(dev, pasid, &who, &opaque) : NULL;

    if (!ops || !ops->ats_translate || !pci_may_request(dev) || !is_permitted(dev, request)) {
        return -1;
    }
    return ops->ats_translate(opaque, &who, request, results, count);
}

/* --- what a function hears of its TLB --- */

static void dropped(IommuNotifier *notifier, const IommuEntry *entry)
{
    PcieAtsWatch *watch = container_of(notifier, PcieAtsWatch, notifier);

    watch->dropped(watch, entry);
}

static void region_came(MemoryListener *listener, const MemorySection *section)
{
    PcieAtsWatch *watch = container_of(listener, PcieAtsWatch, listener);
    IommuRegion *iommu = iommu_region_of(section->region);

    if (iommu && !watch->notifier.iommu) {
        watch->notifier = (IommuNotifier){ .notices = IOMMU_NOTICE_DEVICE_IOTLB,
                                           .last = UINT64_MAX, .notify = dropped };
        iommu_notifier_register(&watch->notifier, iommu, NULL);
    }
}

static void region_went(MemoryListener *listener, const MemorySection *section)
{
    PcieAtsWatch *watch = container_of(listener, PcieAtsWatch, listener);

    if (watch->notifier.iommu &&
        iommu_region_of(section->region) == watch->notifier.iommu) {
        iommu_notifier_unregister(&watch->notifier);
    }
}

static const MemoryListenerOps watch_ops = { .name = "ats", .region_add = region_came,
                                             .region_del = region_went };

void pcie_ats_watch(PciDevice *dev, PcieAtsWatch *watch)
{
    memory_listener_register(&watch->listener, &watch_ops, pci_device_dma_as(dev));
}

void pcie_ats_unwatch(PcieAtsWatch *watch)
{
    memory_listener_unregister(&watch->listener);
}
