/*
 * IOMMU regions and their notifiers: see system/iommu_region.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "iommu_front.h"

void iommu_region_init(IommuRegion *iommu, Object *owner, const IommuOps *ops, const char *name,
                       uint64_t size)
{
    memory_region_init(&iommu->region, owner, name, size);
    iommu->region.kind = MEMORY_IOMMU;
    iommu->ops = ops;
    iommu->notices = 0;
    iommu->changes = NULL;
    iommu->front = NULL;
    g_queue_init(&iommu->notifiers);
}

void iommu_region_clear(IommuRegion *iommu)
{
    assert(!iommu->notifiers.length);
    memory_region_clear(&iommu->region);
    iommu_front_free(iommu);
}

IommuRegion *iommu_region_of(MemoryRegion *mr)
{
    return mr->kind == MEMORY_IOMMU ? container_of(mr, IommuRegion, region) : NULL;
}

uint64_t iommu_region_min_page_bytes(const IommuRegion *iommu)
{
    return iommu->ops->min_page_bytes ? iommu->ops->min_page_bytes : 4096;
}

/* --- changes --- */

#define MOST_CHANGED_PAGES 64

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
}

void iommu_changes_add(IommuChanges *changes)
{
    count(&changes->all);
}

void iommu_changes_add_pages(IommuChanges *changes, IovaAddr addr, uint64_t bytes)
{
    uint64_t last = addr + (bytes - 1);

    if (!bytes || last < addr || bytes >> 12 > MOST_CHANGED_PAGES) {
        count(&changes->all);
        return;
    }
    count(&changes->some);
    for (uint64_t page = addr >> 12; page <= last >> 12; page++) {
        count(&changes->pages[page % IOMMU_CHANGE_SLOTS]);
    }
}

/* --- notifiers --- */

static bool update_notices(IommuRegion *iommu, Error **errp)
{
    unsigned notices = 0, old = iommu->notices;

    for (GList *at = iommu->notifiers.head; at; at = at->next) {
        notices |= ((IommuNotifier *)at->data)->notices;
    }
    if (notices != old && iommu->ops->notices_changed &&
        !iommu->ops->notices_changed(iommu, old, notices, errp)) {
        return false;
    }
    iommu->notices = notices;
    return true;
}

bool iommu_notifier_register(IommuNotifier *notifier, IommuRegion *iommu, Error **errp)
{
    assert(notifier->first <= notifier->last);
    notifier->iommu = iommu;
    notifier->link = (GList){ .data = notifier };
    g_queue_push_tail_link(&iommu->notifiers, &notifier->link);
    if (!update_notices(iommu, errp)) {
        g_queue_unlink(&iommu->notifiers, &notifier->link);
        notifier->iommu = NULL;
        return false;
    }
    return true;
}

void iommu_notifier_unregister(IommuNotifier *notifier)
{
    IommuRegion *iommu = notifier->iommu;

    g_queue_unlink(&iommu->notifiers, &notifier->link);
    notifier->iommu = NULL;
    update_notices(iommu, NULL);
}

static bool concerns(const IommuNotifier *notifier, const IommuEntry *entry)
{
    uint64_t first = entry->iova & ~entry->page_mask, last = first | entry->page_mask;

    return first <= notifier->last && last >= notifier->first;
}

/*
 * A page that reaches over an end of the notifier's range is told in the aligned powers of two
 * that fill what is inside.
 */
static void notify_cut(IommuNotifier *notifier, IommuEntry entry)
{
    uint64_t page_first = entry.iova & ~entry.page_mask;
    uint64_t at = MAX(page_first, notifier->first);
    uint64_t last = MIN(page_first | entry.page_mask, notifier->last);
    GuestAddr translated = entry.translated & ~entry.page_mask;
    uint64_t page_mask = entry.page_mask;

    for (;;) {
        uint64_t mask = page_mask;

        while (mask && ((at & mask) || mask > last - at)) {
            mask >>= 1;
        }
        entry.iova = at;
        entry.translated = translated + (at - page_first);
        entry.page_mask = mask;
        notifier->notify(notifier, &entry);
        if (last - at <= mask) {
            break;
        }
        at += mask + 1;
    }
}

void iommu_region_notify(IommuRegion *iommu, IommuNotice notice, const IommuEntry *entry)
{
    for (GList *at = iommu->notifiers.head, *next; at; at = next) {
        IommuNotifier *notifier = at->data;

        next = at->next;
        if (notifier->notices & notice && concerns(notifier, entry)) {
            notify_cut(notifier, *entry);
        }
    }
}

/* Asks for each page, and skips what one answer covers. */
static void replay_by_pages(IommuNotifier *notifier)
{
    IommuRegion *iommu = notifier->iommu;
    uint64_t page_mask = iommu_region_min_page_bytes(iommu) - 1;
    uint64_t at = notifier->first & ~page_mask;

    for (;;) {
        IommuEntry entry;
        uint64_t last;

        rcu_lock();
        entry = iommu_region_translate(iommu, at, IOMMU_NONE, MEM_TX_NONE);
        rcu_unlock();
        entry.iova = at & ~entry.page_mask;
        entry.translated &= ~entry.page_mask;
        if (entry.access != IOMMU_NONE) {
            notify_cut(notifier, entry);
        }
        last = at | MAX(entry.page_mask, page_mask);
        if (last >= notifier->last) {
            break;
        }
        at = last + 1;
    }
}

void iommu_notifier_replay(IommuNotifier *notifier)
{
    IommuRegion *iommu = notifier->iommu;

    if (iommu->ops->replay) {
        iommu->ops->replay(iommu, notifier);
    } else {
        replay_by_pages(notifier);
    }
}
