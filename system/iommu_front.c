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
#define WHO_VALID BIT64(63)

typedef struct Entry {
    uint32_t sequence; /* odd while it is written */
    bool is_writable, is_large;
    uint64_t page, who;
    uint64_t changes, map_changes;
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

static uint64_t get(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/* Counters only grow: their sum is the same while none did. */
static uint64_t changes_of(const IommuChanges *changes, uint64_t page, bool is_large)
{
    const uint64_t *counter = is_large ? &changes->some :
                                         &changes->pages[page / PAGE_BYTES % IOMMU_CHANGE_SLOTS];

    return get(&changes->all) + get(counter);
}

IommuStamp iommu_front_stamp(const IommuRegion *iommu, uint64_t offset)
{
    const IommuChanges *changes = iommu->changes;

    return (IommuStamp){ changes ? changes_of(changes, offset, false) : 0,
                         changes ? changes_of(changes, offset, true) : 0,
                         get(&memory_map_changes) };
}

/* Requests of a kind that is not kept have a number that none of those have. */
static uint64_t who_of(MemTxAttrs attrs, bool is_write)
{
    return WHO_VALID | attrs.requester_id | (uint64_t)attrs.pasid << 16 |
           (uint64_t)is_write << 40 | (uint64_t)attrs.has_requester_id << 41 |
           (uint64_t)attrs.has_pasid << 42 | (uint64_t)attrs.is_debug << 43 |
           (uint64_t)attrs.is_translated << 44;
}

/* Neighbours beside each other; a page's reads and writes far from each other. */
static Entry *entry_of(struct IommuFront *front, uint64_t page, MemTxAttrs attrs, bool is_write)
{
    uint64_t n = page / PAGE_BYTES + attrs.pasid * 37 + (is_write ? ENTRIES / 2 : 0);

    return &front->entries[n % ENTRIES];
}

bool iommu_front_find(IommuRegion *iommu, uint64_t offset, MemTxAttrs attrs, bool is_write,
                      MemoryTarget *target)
{
    struct IommuFront *front = __atomic_load_n(&iommu->front, __ATOMIC_ACQUIRE);
    uint64_t inside = offset % PAGE_BYTES, page = offset - inside;
    uint32_t sequence;
    const Entry *e;

    if (!front) {
        return false;
    }
    e = entry_of(front, page, attrs, is_write);
    __builtin_prefetch(e + 1); /* buffers are looked up page after page */
    target->bytes = PAGE_BYTES - inside; /* early: copying waits for it */
    sequence = __atomic_load_n(&e->sequence, __ATOMIC_ACQUIRE);
    if (e->page != page || e->who != who_of(attrs, is_write) ||
        e->changes != changes_of(iommu->changes, page, e->is_large) ||
        e->map_changes != get(&memory_map_changes)) {
        return false;
    }
    target->region = e->region;
    target->offset = e->offset + inside;
    target->host = e->host + inside;
    target->is_writable = e->is_writable;
    target->result = MEM_TX_OK;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (sequence & 1 || __atomic_load_n(&e->sequence, __ATOMIC_RELAXED) != sequence) {
        return false;
    }
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

/* While the map changes, nothing is kept. */
static bool is_for_front(const IommuRegion *iommu, const IommuFrontKey *key,
                         const MemoryTarget *target)
{
    uint64_t inside = key->offset % PAGE_BYTES;

    return iommu->changes && !key->attrs.is_debug && !key->attrs.is_translated &&
           !(key->stamp.map & 1) && target->host && target->bytes >= PAGE_BYTES - inside &&
           target->offset >= inside && (!key->is_write || target->is_writable);
}

void iommu_front_keep(IommuRegion *iommu, const IommuFrontKey *key, const MemoryTarget *target)
{
    uint64_t inside = key->offset % PAGE_BYTES, page = key->offset - inside;
    uint32_t sequence;
    Entry *e;

    if (!is_for_front(iommu, key, target)) {
        return;
    }
    e = entry_of(make_front(iommu), page, key->attrs, key->is_write);
    sequence = __atomic_load_n(&e->sequence, __ATOMIC_RELAXED);
    if (sequence & 1 || !__atomic_compare_exchange_n(&e->sequence, &sequence, sequence + 1, false,
                                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        return; /* another thread writes it */
    }
    __atomic_thread_fence(__ATOMIC_RELEASE);
    e->page = page;
    e->who = who_of(key->attrs, key->is_write);
    e->is_large = key->is_large;
    e->changes = key->is_large ? key->stamp.large : key->stamp.small;
    e->map_changes = key->stamp.map;
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
