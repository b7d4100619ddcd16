/*
 * Iotlb: see hw/iommu/iotlb.h.
 *
 * A table of sets of four entries. Each entry has a stamp: the sum of the counters that concern it
 * when its tables were read - of the whole, its domain, its address space, what is nested in the
 * domain. Counters only grow, so an entry whose stamp is not today's sum was dropped. Counters of
 * address spaces are shared by some of them, which drops too much at worst.
 *
 * Pages are dropped by looking for each; above MANY_PAGES the address space or domain is.
 *
 * Readers copy a set's entry and see by the set's sequence number (odd: being written) whether
 * that was one piece.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/iommu/iotlb.h"

#define WAYS          4
#define DOMAINS       65536
#define ASID_COUNTERS 65536
#define MANY_PAGES    512
#define RUN_PAGES     64 /* that lie beside each other */

/* Entry.tag: the address space, domain and stage; Entry.page: what is below the page's size is 0,
 * but the shift; Entry.value: the translated page and: */
enum { CAN_READ = 1, CAN_WRITE = 2, IS_PRIVILEGED = 4, IS_EXECUTABLE = 8, IS_DIRTY = 16 };

typedef struct Entry {
    uint64_t tag, page, stamp, value;
} Entry;

typedef struct Set {
    uint32_t sequence; /* odd while it is written */
    uint32_t next;     /* the way that is replaced next */
    Entry ways[WAYS];
} Set;

struct Iotlb {
    Set *sets;
    size_t set_mask;
    uint64_t shifts[IOTLB_STAGES]; /* a bit for each page size there ever was */
    uint64_t all;
    uint64_t page_drops;
    uint64_t *domains, *nested, *asids;
    IotlbCounters counters;
    GMutex lock; /* of writers */
};

#define GET(field)        __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define PUT(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)
#define COUNT(field)      PUT(field, GET(field) + 1)

static uint64_t mix(uint64_t x)
{
    x *= UINT64_C(0x9e3779b97f4a7c15);
    return x ^ x >> 32;
}

/* Not 0, which is an entry that never was. */
static uint64_t pack_tag(IotlbTag tag)
{
    return UINT64_C(1) << 63 | (uint64_t)tag.stage << 40 | (uint64_t)tag.domain << 24 |
           (tag.asid & 0xffffff);
}

static size_t asid_index(uint16_t domain, uint32_t asid)
{
    return (asid + domain * 0x6a09u) % ASID_COUNTERS;
}

static uint64_t today(const Iotlb *tlb, IotlbTag tag)
{
    uint64_t sum = __atomic_load_n(&tlb->all, __ATOMIC_ACQUIRE) +
                   __atomic_load_n(&tlb->domains[tag.domain], __ATOMIC_ACQUIRE);

    if (tag.stage != IOTLB_SECOND) {
        sum += __atomic_load_n(&tlb->asids[asid_index(tag.domain, tag.asid)], __ATOMIC_ACQUIRE);
    }
    if (tag.stage == IOTLB_NESTED) {
        sum += __atomic_load_n(&tlb->nested[tag.domain], __ATOMIC_ACQUIRE);
    }
    return sum;
}

static uint64_t page_of(IovaAddr addr, unsigned shift)
{
    return (addr >> shift << shift) | shift;
}

/* Sets of neighbours are neighbours. */
static Set *set_of(Iotlb *tlb, uint64_t tag, uint64_t page)
{
    unsigned shift = page & 63;
    uint64_t n = page >> shift;

    return &tlb->sets[(mix(n / RUN_PAGES + mix(tag + shift)) * RUN_PAGES + n % RUN_PAGES) &
                      tlb->set_mask];
}

/* --- looking up --- */

static bool find_in_set(Set *set, uint64_t tag, uint64_t page, uint64_t stamp, uint64_t *value)
{
    uint32_t sequence;

    do {
        bool is_found = false;

        sequence = __atomic_load_n(&set->sequence, __ATOMIC_ACQUIRE);
        for (unsigned i = 0; i < WAYS && !is_found; i++) {
            Entry *e = &set->ways[i];

            is_found = GET(e->page) == page && GET(e->tag) == tag && GET(e->stamp) == stamp;
            *value = GET(e->value);
        }
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (!(sequence & 1) && GET(set->sequence) == sequence) {
            return is_found;
        }
    } while (true);
}

static void unpack(uint64_t value, unsigned shift, IommuPage *page)
{
    *page = (IommuPage){
        .addr = value & ~UINT64_C(0xfff),
        .shift = shift,
        .access = (IommuAccess)(value & (CAN_READ | CAN_WRITE)),
        .is_privileged = value & IS_PRIVILEGED,
        .is_executable = value & IS_EXECUTABLE,
        .is_dirty = value & IS_DIRTY,
    };
}

static uint64_t pack_value(const IommuPage *page)
{
    return page->addr >> page->shift << page->shift | page->access |
           (page->is_privileged ? IS_PRIVILEGED : 0) | (page->is_executable ? IS_EXECUTABLE : 0) |
           (page->is_dirty ? IS_DIRTY : 0);
}

bool iotlb_find(Iotlb *tlb, IotlbTag tag, IovaAddr addr, IommuPage *page)
{
    uint64_t packed = pack_tag(tag), stamp = today(tlb, tag), value;

    for (uint64_t shifts = GET(tlb->shifts[tag.stage]); shifts; shifts &= shifts - 1) {
        unsigned shift = __builtin_ctzll(shifts);
        uint64_t at = page_of(addr, shift);

        if (find_in_set(set_of(tlb, packed, at), packed, at, stamp, &value)) {
            unpack(value, shift, page);
            COUNT(tlb->counters.hits);
            return true;
        }
    }
    COUNT(tlb->counters.misses);
    return false;
}

/* --- putting in --- */

IotlbMark iotlb_mark(const Iotlb *tlb, IotlbTag tag)
{
    return (IotlbMark){ today(tlb, tag), __atomic_load_n(&tlb->page_drops, __ATOMIC_ACQUIRE) };
}

/* The same page, an entry that never was, or the next in turn. */
static Entry *choose(Set *set, uint64_t tag, uint64_t page)
{
    for (unsigned i = 0; i < WAYS; i++) {
        if (!set->ways[i].tag || (set->ways[i].tag == tag && set->ways[i].page == page)) {
            return &set->ways[i];
        }
    }
    return &set->ways[set->next++ % WAYS];
}

static void write_entry(Set *set, Entry *e, Entry value)
{
    PUT(set->sequence, set->sequence + 1);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    PUT(e->tag, value.tag);
    PUT(e->page, value.page);
    PUT(e->stamp, value.stamp);
    PUT(e->value, value.value);
    __atomic_store_n(&set->sequence, set->sequence + 1, __ATOMIC_RELEASE);
}

void iotlb_insert(Iotlb *tlb, IotlbTag tag, IotlbMark mark, IovaAddr addr, const IommuPage *page)
{
    Entry entry = { pack_tag(tag), page_of(addr, page->shift), mark.stamp, pack_value(page) };
    Set *set = set_of(tlb, entry.tag, entry.page);

    assert(page->shift >= 12 && page->shift < 64);
    g_mutex_lock(&tlb->lock);
    if (tlb->page_drops == mark.page_drops) {
        PUT(tlb->shifts[tag.stage], tlb->shifts[tag.stage] | UINT64_C(1) << page->shift);
        write_entry(set, choose(set, entry.tag, entry.page), entry);
        tlb->counters.inserts++;
    }
    g_mutex_unlock(&tlb->lock);
}

/* --- dropping --- */

static void drop_by(Iotlb *tlb, uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
    COUNT(tlb->counters.drops);
}

void iotlb_drop_all(Iotlb *tlb)
{
    drop_by(tlb, &tlb->all);
}

void iotlb_drop_domain(Iotlb *tlb, uint16_t domain)
{
    drop_by(tlb, &tlb->domains[domain]);
}

void iotlb_drop_asid(Iotlb *tlb, uint16_t domain, uint32_t asid)
{
    drop_by(tlb, &tlb->asids[asid_index(domain, asid)]);
}

void iotlb_drop_nested(Iotlb *tlb, uint16_t domain)
{
    drop_by(tlb, &tlb->nested[domain]);
}

static void drop_page(Iotlb *tlb, uint64_t tag, uint64_t page)
{
    Set *set = set_of(tlb, tag, page);

    for (unsigned i = 0; i < WAYS; i++) {
        if (set->ways[i].tag == tag && set->ways[i].page == page) {
            write_entry(set, &set->ways[i], (Entry){ 0 });
        }
    }
}

static void drop_many(Iotlb *tlb, IotlbTag tag)
{
    if (tag.stage == IOTLB_SECOND) {
        iotlb_drop_domain(tlb, tag.domain);
    } else {
        iotlb_drop_asid(tlb, tag.domain, tag.asid);
    }
}

static void drop_range(Iotlb *tlb, IotlbTag tag, IovaAddr first, IovaAddr last)
{
    uint64_t packed = pack_tag(tag);

    for (uint64_t shifts = tlb->shifts[tag.stage]; shifts; shifts &= shifts - 1) {
        unsigned shift = __builtin_ctzll(shifts);

        for (uint64_t n = first >> shift; n <= last >> shift; n++) {
            drop_page(tlb, packed, n << shift | shift);
        }
    }
}

void iotlb_drop_pages(Iotlb *tlb, const IotlbTag *tags, unsigned count, IovaAddr addr,
                      uint64_t bytes)
{
    IovaAddr last = bytes && addr <= UINT64_MAX - (bytes - 1) ? addr + bytes - 1 : UINT64_MAX;

    if (!bytes || bytes >> 12 > MANY_PAGES) {
        for (unsigned i = 0; i < count; i++) {
            drop_many(tlb, tags[i]);
        }
        return;
    }
    g_mutex_lock(&tlb->lock);
    __atomic_fetch_add(&tlb->page_drops, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < count; i++) {
        drop_range(tlb, tags[i], addr, last);
    }
    tlb->counters.drops++;
    g_mutex_unlock(&tlb->lock);
}

/* --- life --- */

Iotlb *iotlb_new(size_t pages)
{
    Iotlb *tlb = g_new0(Iotlb, 1);
    size_t sets = 16;

    while (sets * WAYS < pages) {
        sets *= 2;
    }
    tlb->sets = g_new0(Set, sets);
    tlb->set_mask = sets - 1;
    tlb->domains = g_new0(uint64_t, DOMAINS);
    tlb->nested = g_new0(uint64_t, DOMAINS);
    tlb->asids = g_new0(uint64_t, ASID_COUNTERS);
    g_mutex_init(&tlb->lock);
    return tlb;
}

void iotlb_free(Iotlb *tlb)
{
    if (tlb) {
        g_free(tlb->sets);
        g_free(tlb->domains);
        g_free(tlb->nested);
        g_free(tlb->asids);
        g_mutex_clear(&tlb->lock);
        g_free(tlb);
    }
}

/* --- for people --- */

IotlbCounters iotlb_counters(const Iotlb *tlb)
{
    return tlb->counters;
}

size_t iotlb_used(Iotlb *tlb)
{
    size_t used = 0;

    g_mutex_lock(&tlb->lock);
    for (size_t i = 0; i <= tlb->set_mask; i++) {
        for (unsigned k = 0; k < WAYS; k++) {
            const Entry *e = &tlb->sets[i].ways[k];
            IotlbTag tag = { .domain = e->tag >> 24, .asid = e->tag & 0xffffff,
                             .stage = (IotlbStage)(e->tag >> 40 & 3) };

            used += e->tag && e->stamp == today(tlb, tag);
        }
    }
    g_mutex_unlock(&tlb->lock);
    return used;
}
