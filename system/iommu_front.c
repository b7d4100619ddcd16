/*
 * See iommu_front.h. One way, a cache line for each entry; readers see by its sequence number
 * whether they got one piece.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "iommu_front.h"

#define ENTRIES    2048
#define PAGE_BYTES 4096

/* Entry.who, beside PASID and requester. */
#define WHO_VALID     BIT64(40)
#define WHO_WRITES    BIT64(41)
#define WHO_PASID     BIT64(42)
#define WHO_REQUESTER BIT64(43)

typedef struct Entry {
    uint32_t sequence; /* odd while it is written */
    bool is_writable;
    uint64_t page, who;
    IommuStamp stamp;
    MemoryRegion *region;
    uint64_t offset;   /* of the page, in `region` */
    uint8_t *host;     /* of the page */
} Entry;
_Static_assert(sizeof(Entry) == 64, "a cache line");

struct IommuFront {
    Entry entries[ENTRIES] __attribute__((aligned(64)));
    uint64_t hits;     /* threads at once may lose counts of each other */
};

uint64_t memory_map_changes;

IommuStamp iommu_front_stamp(const IommuRegion *iommu)
{
    return (IommuStamp){ iommu->changes ? __atomic_load_n(iommu->changes, __ATOMIC_ACQUIRE) : 0,
                         __atomic_load_n(&memory_map_changes, __ATOMIC_ACQUIRE) };
}

static bool is_for_front(const IommuRegion *iommu, MemTxAttrs attrs, IommuStamp stamp)
{
    return iommu->changes && !attrs.is_debug && !attrs.is_translated && !(stamp.map & 1);
}

static uint64_t who_of(MemTxAttrs attrs, bool is_write)
{
    return WHO_VALID | (is_write ? WHO_WRITES : 0) |
           (attrs.has_pasid ? WHO_PASID | (uint64_t)attrs.pasid << 16 : 0) |
           (attrs.has_requester_id ? WHO_REQUESTER | attrs.requester_id : 0);
}

/* Neighbours beside each other; a page's reads and writes far from each other. */
static Entry *entry_of(struct IommuFront *front, uint64_t page, uint64_t who)
{
    uint64_t n = page / PAGE_BYTES + (who >> 16 & 0xfffff) * 37 +
                 (who & WHO_WRITES ? ENTRIES / 2 : 0);

    return &front->entries[n % ENTRIES];
}

bool iommu_front_find(IommuRegion *iommu, MemTxAttrs attrs, bool is_write, MemoryTarget *target)
{
    struct IommuFront *front = __atomic_load_n(&iommu->front, __ATOMIC_ACQUIRE);
    IommuStamp stamp = iommu_front_stamp(iommu);
    uint64_t inside = target->offset % PAGE_BYTES, page = target->offset - inside;
    uint64_t who = who_of(attrs, is_write);
    MemoryTarget found;
    uint32_t sequence;
    const Entry *e;

    if (!front || !is_for_front(iommu, attrs, stamp)) {
        return false;
    }
    e = entry_of(front, page, who);
    __builtin_prefetch(e + 1); /* buffers are looked up page after page */
    sequence = __atomic_load_n(&e->sequence, __ATOMIC_ACQUIRE);
    if (e->page != page || e->who != who || e->stamp.region != stamp.region ||
        e->stamp.map != stamp.map) {
        return false;
    }
    found = (MemoryTarget){ e->region, e->offset + inside, PAGE_BYTES - inside, e->host + inside,
                            e->is_writable, MEM_TX_OK };
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (sequence & 1 || __atomic_load_n(&e->sequence, __ATOMIC_RELAXED) != sequence) {
        return false;
    }
    *target = found;
    front->hits++;
    return true;
}

static struct IommuFront *make_front(IommuRegion *iommu)
{
    struct IommuFront *front = __atomic_load_n(&iommu->front, __ATOMIC_ACQUIRE), *made;

    if (front) {
        return front;
    }
    made = g_aligned_alloc0(1, sizeof(*made), 64);
    if (!__atomic_compare_exchange_n(&iommu->front, &front, made, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        g_aligned_free(made);
        return front;
    }
    return made;
}

void iommu_front_keep(IommuRegion *iommu, IommuStamp stamp, uint64_t offset, MemTxAttrs attrs,
                      bool is_write, const MemoryTarget *target)
{
    uint64_t inside = offset % PAGE_BYTES, page = offset - inside;
    uint64_t who = who_of(attrs, is_write);
    uint32_t sequence;
    Entry *e;

    if (!is_for_front(iommu, attrs, stamp) || !target->host ||
        target->bytes < PAGE_BYTES - inside || target->offset < inside ||
        (is_write && !target->is_writable)) {
        return;
    }
    e = entry_of(make_front(iommu), page, who);
    sequence = __atomic_load_n(&e->sequence, __ATOMIC_RELAXED);
    if (sequence & 1 || !__atomic_compare_exchange_n(&e->sequence, &sequence, sequence + 1, false,
                                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        return; /* another thread writes it */
    }
    __atomic_thread_fence(__ATOMIC_RELEASE);
    e->page = page;
    e->who = who;
    e->stamp = stamp;
    e->region = target->region;
    e->offset = target->offset - inside;
    e->host = (uint8_t *)target->host - inside;
    e->is_writable = target->is_writable;
    __atomic_store_n(&e->sequence, sequence + 2, __ATOMIC_RELEASE);
}

void iommu_front_free(IommuRegion *iommu)
{
    g_clear_pointer(&iommu->front, g_aligned_free);
}

uint64_t iommu_front_hits(const IommuRegion *iommu)
{
    const struct IommuFront *front = __atomic_load_n(&iommu->front, __ATOMIC_ACQUIRE);

    return front ? front->hits : 0;
}
