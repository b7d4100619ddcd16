/*
 * IOMMU regions: accesses to them go on elsewhere, at an address that their owner translates. A
 * virtual IOMMU gives each bus master (and each PASID) an address space over one of these.
 *
 * Translation runs inside rcu_lock(), on any thread, without the machine lock. Notifiers are
 * changed and called under the machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_IOMMU_REGION_H
#define SYSTEM_IOMMU_REGION_H

#include "system/address_space.h"

typedef enum IommuAccess {
    IOMMU_NONE = 0,
    IOMMU_READ = 1,
    IOMMU_WRITE = 2,
    IOMMU_READ_WRITE = 3,
} IommuAccess;

/* What a page of the region means. */
typedef struct IommuEntry {
    AddressSpace *target;  /* where the translated address is */
    IovaAddr iova;         /* offset in the region */
    GuestAddr translated;
    uint64_t page_mask;    /* size of the page in bytes, less one */
    IommuAccess access;    /* what is permitted; IOMMU_NONE: nothing is mapped here */
    bool has_pasid;
    uint32_t pasid;
} IommuEntry;

typedef struct IommuRegion IommuRegion;
typedef struct IommuNotifier IommuNotifier;

typedef enum IommuNotice {
    IOMMU_NOTICE_UNMAP = 1 << 0,
    IOMMU_NOTICE_MAP = 1 << 1,
    IOMMU_NOTICE_DEVICE_IOTLB = 1 << 2, /* what a device with ATS may have cached is void */
} IommuNotice;

typedef struct IommuOps {
    /* `access` IOMMU_NONE only asks (no fault is recorded). */
    IommuEntry (*translate)(IommuRegion *iommu, uint64_t offset, IommuAccess access,
                            MemTxAttrs attrs);
    /* Optional. Which notices are wanted by anyone has changed; may refuse. */
    bool (*notices_changed)(IommuRegion *iommu, unsigned old, unsigned new, Error **errp);
    /* Optional. Tells one notifier of all that is mapped in its range, as IOMMU_NOTICE_MAP. */
    void (*replay)(IommuRegion *iommu, IommuNotifier *notifier);
    uint64_t min_page_bytes; /* 0: 4096 */
} IommuOps;

/* Counts what may have changed translations, after it did. Pages of 4 KiB are told apart by their
 * number, some of them sharing a count, so that what is kept of others stays. */
#define IOMMU_CHANGE_SLOTS 1024
typedef struct IommuChanges {
    uint64_t all;  /* of all translations at once */
    uint64_t some; /* of pages, whichever */
    uint64_t pages[IOMMU_CHANGE_SLOTS];
} IommuChanges;

void iommu_changes_add(IommuChanges *changes);
/* Of what [addr, addr + bytes) touches; bytes 0: 2^64. */
void iommu_changes_add_pages(IommuChanges *changes, IovaAddr addr, uint64_t bytes);

struct IommuRegion {
    MemoryRegion region;
    const IommuOps *ops;
    GQueue notifiers;
    unsigned notices; /* IommuNotice, wanted by anyone */
    const IommuChanges *changes; /* its owner's; NULL: each access asks */
    struct IommuFront *front; /* what was found lately */
};

struct IommuNotifier {
    unsigned notices;      /* IommuNotice */
    uint64_t first, last;  /* offsets in the region, inclusive */
    void (*notify)(IommuNotifier *notifier, const IommuEntry *entry);
    IommuRegion *iommu;    /* set while it is registered */
    GList link;
};

void iommu_region_init(IommuRegion *iommu, Object *owner, const IommuOps *ops, const char *name,
                       uint64_t size);
/* As memory_region_clear(); no notifier may be left. */
void iommu_region_clear(IommuRegion *iommu);
static inline IommuEntry iommu_region_translate(IommuRegion *iommu, uint64_t offset,
                                                IommuAccess access, MemTxAttrs attrs)
{
    return iommu->ops->translate(iommu, offset, access, attrs);
}
/* How often the owner was not asked, for it had answered before. */
uint64_t iommu_front_hits(const IommuRegion *iommu);
/* NULL if `mr` is no IOMMU region. */
IommuRegion *iommu_region_of(MemoryRegion *mr);
uint64_t iommu_region_min_page_bytes(const IommuRegion *iommu);

/* The fields `notices` to `notify` are the caller's. */
bool iommu_notifier_register(IommuNotifier *notifier, IommuRegion *iommu, Error **errp);
void iommu_notifier_unregister(IommuNotifier *notifier);
/* Tells it of everything mapped now; by .replay, or by asking for each page. */
void iommu_notifier_replay(IommuNotifier *notifier);
/* Entries are cut to the notifiers' ranges; access IOMMU_NONE says it is no longer mapped. */
void iommu_region_notify(IommuRegion *iommu, IommuNotice notice, const IommuEntry *entry);

#endif
