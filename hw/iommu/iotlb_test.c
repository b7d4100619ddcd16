/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/iommu/iotlb.h"

static IotlbTag tag_of(uint16_t domain, uint32_t asid, IotlbStage stage)
{
    return (IotlbTag){ .domain = domain, .asid = asid, .stage = stage };
}

static void put(Iotlb *tlb, IotlbTag tag, IovaAddr addr, unsigned shift, GuestAddr to)
{
    IommuPage page = { .addr = to, .shift = shift, .access = IOMMU_READ };

    iotlb_insert(tlb, tag, iotlb_mark(tlb, tag), addr, &page);
}

static bool has(Iotlb *tlb, IotlbTag tag, IovaAddr addr)
{
    IommuPage page;

    return iotlb_find(tlb, tag, addr, &page);
}

static void test_pages(void)
{
    g_autoptr(Iotlb) tlb = iotlb_new(64);
    IotlbTag tag = tag_of(1, 5, IOTLB_FIRST);
    IommuPage page = { .addr = 0x123456000, .shift = 12, .access = IOMMU_READ_WRITE,
                       .is_privileged = true, .is_executable = true, .is_dirty = true };

    iotlb_insert(tlb, tag, iotlb_mark(tlb, tag), 0x7000, &page);
    put(tlb, tag, 0x40200000, 21, 0x80000000);
    memset(&page, 0, sizeof(page));
    g_assert_true(iotlb_find(tlb, tag, 0x7abc, &page));
    g_assert_cmphex(page.addr, ==, 0x123456000);
    g_assert_cmpint(page.access, ==, IOMMU_READ_WRITE);
    g_assert_true(page.is_privileged && page.is_executable && page.is_dirty);
    g_assert_true(iotlb_find(tlb, tag, 0x403fffff, &page));
    g_assert_cmphex(page.addr, ==, 0x80000000);
    g_assert_cmpint(page.shift, ==, 21);
    g_assert_false(page.is_privileged || page.is_executable || page.is_dirty);
    g_assert_false(has(tlb, tag, 0x8000));
    g_assert_false(has(tlb, tag_of(1, 6, IOTLB_FIRST), 0x7000));
    g_assert_false(has(tlb, tag_of(2, 5, IOTLB_FIRST), 0x7000));
    g_assert_false(has(tlb, tag_of(1, 5, IOTLB_NESTED), 0x7000));
    iotlb_drop_pages(tlb, &tag, 1, 0x40333000, 4096); /* part of a large page */
    g_assert_false(has(tlb, tag, 0x40200000));
    g_assert_true(has(tlb, tag, 0x7000));
    g_assert_cmpuint(iotlb_used(tlb), ==, 1);
    iotlb_drop_pages(tlb, &tag, 1, 0xfffffffffffff000, 0x2000); /* not over the end */
    g_assert_true(has(tlb, tag, 0x7000));
}

/* Tables that are read while they are dropped do not get in. */
static void test_mark(void)
{
    g_autoptr(Iotlb) tlb = iotlb_new(64);
    IotlbTag tag = tag_of(3, 1, IOTLB_NESTED);
    IommuPage page = { .shift = 12, .access = IOMMU_READ };

    for (unsigned how = 0; how < 6; how++) {
        IotlbMark mark = iotlb_mark(tlb, tag);

        switch (how) {
        case 0:
            iotlb_drop_all(tlb);
            break;
        case 1:
            iotlb_drop_domain(tlb, 3);
            break;
        case 2:
            iotlb_drop_asid(tlb, 3, 1);
            break;
        case 3:
            iotlb_drop_nested(tlb, 3);
            break;
        case 4:
            iotlb_drop_pages(tlb, &tag, 1, 0x1000, 4096);
            break;
        case 5: /* of others */
            iotlb_drop_domain(tlb, 4);
            iotlb_drop_asid(tlb, 3, 2);
            break;
        }
        iotlb_insert(tlb, tag, mark, 0x1000, &page);
        g_assert_cmpint(has(tlb, tag, 0x1000), ==, how == 5);
    }
}

/* --- against a naive model --- */

typedef struct Known {
    IotlbTag tag;
    uint64_t first, last;
    GuestAddr to;
} Known;

static bool knows(const GArray *known, IotlbTag tag, IovaAddr addr, GuestAddr *to)
{
    for (guint i = known->len; i-- > 0;) {
        const Known *k = &g_array_index(known, Known, i);

        if (k->tag.domain == tag.domain && k->tag.asid == tag.asid &&
            k->tag.stage == tag.stage && addr >= k->first && addr <= k->last) {
            *to = k->to + (addr - k->first);
            return true;
        }
    }
    return false;
}

typedef bool Goes(const Known *k, IotlbTag tag, uint64_t first, uint64_t last);

static void forget(GArray *known, Goes *goes, IotlbTag tag, uint64_t first, uint64_t last)
{
    for (guint i = known->len; i-- > 0;) {
        if (goes(&g_array_index(known, Known, i), tag, first, last)) {
            g_array_remove_index(known, i);
        }
    }
}

static bool any(const Known *k, IotlbTag tag, uint64_t first, uint64_t last)
{
    return true;
}

static bool of_domain(const Known *k, IotlbTag tag, uint64_t first, uint64_t last)
{
    return k->tag.domain == tag.domain;
}

static bool of_asid(const Known *k, IotlbTag tag, uint64_t first, uint64_t last)
{
    return k->tag.domain == tag.domain && k->tag.asid == tag.asid && k->tag.stage != IOTLB_SECOND;
}

static bool nested_in(const Known *k, IotlbTag tag, uint64_t first, uint64_t last)
{
    return k->tag.domain == tag.domain && k->tag.stage == IOTLB_NESTED;
}

static bool of_pages(const Known *k, IotlbTag tag, uint64_t first, uint64_t last)
{
    return k->tag.domain == tag.domain && k->tag.asid == tag.asid && k->tag.stage == tag.stage &&
           k->first <= last && k->last >= first;
}

static IotlbTag random_tag(GRand *random)
{
    IotlbStage stage = (IotlbStage)g_rand_int_range(random, 0, 3);

    return tag_of(g_rand_int_range(random, 0, 3),
                  stage == IOTLB_SECOND ? 0 : g_rand_int_range(random, 0, 4), stage);
}

/* Page n of a size is here, so that sizes do not overlap. */
static IovaAddr random_addr(GRand *random, unsigned *shift)
{
    static const unsigned shifts[] = { 12, 21, 30 };
    unsigned i = g_rand_int_range(random, 0, ARRAY_SIZE(shifts));

    *shift = shifts[i];
    return ((uint64_t)i << 40) + ((uint64_t)g_rand_int_range(random, 0, 64) << shifts[i]);
}

static void insert_both(Iotlb *tlb, GArray *known, GRand *random, IotlbTag tag)
{
    unsigned shift;
    IovaAddr addr = random_addr(random, &shift);
    Known k = { tag, addr, addr + (UINT64_C(1) << shift) - 1,
                (uint64_t)g_rand_int_range(random, 1, 1 << 20) << shift };

    forget(known, of_pages, tag, k.first, k.last);
    g_array_append_val(known, k);
    put(tlb, tag, addr, shift, k.to);
}

static void step(Iotlb *tlb, GArray *known, GRand *random)
{
    unsigned what = g_rand_int_range(random, 0, 200), shift;
    IotlbTag tag = random_tag(random);
    IovaAddr addr = random_addr(random, &shift);
    uint64_t bytes = (uint64_t)g_rand_int_range(random, 1, 40) * 4096;

    if (what == 0) {
        iotlb_drop_all(tlb);
        forget(known, any, tag, 0, 0);
    } else if (what == 1) {
        iotlb_drop_domain(tlb, tag.domain);
        forget(known, of_domain, tag, 0, 0);
    } else if (what < 4) {
        iotlb_drop_asid(tlb, tag.domain, tag.asid);
        forget(known, of_asid, tag, 0, 0);
    } else if (what == 4) {
        iotlb_drop_nested(tlb, tag.domain);
        forget(known, nested_in, tag, 0, 0);
    } else if (what < 30) {
        iotlb_drop_pages(tlb, &tag, 1, addr, bytes);
        forget(known, of_pages, tag, addr, addr + bytes - 1);
    } else if (what < 100) {
        insert_both(tlb, known, random, tag);
    } else {
        GuestAddr to;
        IommuPage page;
        bool is_known;

        addr += g_rand_int_range(random, 0, 4096);
        is_known = knows(known, tag, addr, &to);
        /* There is room for all: nothing is forgotten either. */
        g_assert_cmpint(iotlb_find(tlb, tag, addr, &page), ==, is_known);
        if (is_known) {
            g_assert_cmphex(page.addr + (addr & ((UINT64_C(1) << page.shift) - 1)), ==, to);
        }
    }
}

static void test_model(void)
{
    for (uint32_t seed = 1; seed <= 4; seed++) {
        g_autoptr(GRand) random = g_rand_new_with_seed(seed);
        g_autoptr(Iotlb) tlb = iotlb_new(65536);
        g_autoptr(GArray) known = g_array_new(FALSE, FALSE, sizeof(Known));

        for (unsigned i = 0; i < 30000; i++) {
            step(tlb, known, random);
        }
        g_assert_cmpuint(iotlb_used(tlb), ==, known->len);
    }
}

/* A full one forgets, and mixes nothing up. */
static void test_full(void)
{
    g_autoptr(Iotlb) tlb = iotlb_new(256);
    IotlbTag tag = tag_of(1, 0, IOTLB_SECOND);
    IommuPage page;
    unsigned found = 0;

    for (uint64_t n = 0; n < 1000; n++) {
        put(tlb, tag, n << 12, 12, (n + 7) << 12);
    }
    for (uint64_t n = 0; n < 1000; n++) {
        if (iotlb_find(tlb, tag, n << 12, &page)) {
            g_assert_cmphex(page.addr, ==, (n + 7) << 12);
            found++;
        }
    }
    g_assert_cmpuint(found, >, 128);
    g_assert_cmpuint(found, <=, 256);
}

/* --- several threads --- */

enum { RACE_PAGES = 64, RACE_ROUNDS = 20000 };
typedef struct Race {
    Iotlb *tlb;
    uint64_t version; /* what the "tables" say: page n is at (version << 20 | n) << 12 */
    uint64_t dropped; /* everything of versions before is dropped */
    bool is_over;
} Race;

static gpointer reader(gpointer opaque)
{
    Race *race = opaque;
    IotlbTag tag = tag_of(1, 1, IOTLB_FIRST);
    uint64_t n = 0;

    while (!__atomic_load_n(&race->is_over, __ATOMIC_ACQUIRE)) {
        uint64_t oldest = __atomic_load_n(&race->dropped, __ATOMIC_SEQ_CST);
        IotlbMark mark = iotlb_mark(race->tlb, tag);
        IommuPage page;

        n = (n + 1) % RACE_PAGES;
        if (iotlb_find(race->tlb, tag, n << 12, &page)) {
            g_assert_cmphex(page.addr >> 12 & 0xfffff, ==, n);
            g_assert_cmpuint(page.addr >> 32, >=, oldest);
        } else {
            page = (IommuPage){ .shift = 12, .access = IOMMU_READ };
            page.addr = (__atomic_load_n(&race->version, __ATOMIC_SEQ_CST) << 20 | n) << 12;
            iotlb_insert(race->tlb, tag, mark, n << 12, &page);
        }
    }
    return NULL;
}

static void test_threads(void)
{
    g_autoptr(Iotlb) tlb = iotlb_new(64);
    Race race = { .tlb = tlb };
    IotlbTag raced = tag_of(1, 1, IOTLB_FIRST);
    GThread *threads[2];

    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        threads[i] = g_thread_new("reader", reader, &race);
    }
    for (uint64_t round = 1; round < RACE_ROUNDS; round++) {
        __atomic_store_n(&race.version, round, __ATOMIC_SEQ_CST);
        if (round % 2) {
            iotlb_drop_asid(tlb, 1, 1);
        } else {
            iotlb_drop_pages(tlb, &raced, 1, 0, RACE_PAGES * 4096);
        }
        __atomic_store_n(&race.dropped, round, __ATOMIC_SEQ_CST);
    }
    __atomic_store_n(&race.is_over, true, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        g_thread_join(threads[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/iotlb/pages", test_pages);
    g_test_add_func("/iotlb/mark", test_mark);
    g_test_add_func("/iotlb/model", test_model);
    g_test_add_func("/iotlb/full", test_full);
    g_test_add_func("/iotlb/threads", test_threads);
    return g_test_run();
}
