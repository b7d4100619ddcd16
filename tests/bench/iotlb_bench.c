/*
 * What the IOTLB of virtual IOMMUs costs: a hit, and dropping a page, an address space or all, with
 * a thousand and with a million entries in it. Prints nanoseconds, the least of several rounds;
 * fails if dropping a page costs twice as much or more with a million, or dropping all grows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <time.h>

#include "hw/iommu/iotlb.h"

#define ROUNDS 9
#define TIMES  2000

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * (uint64_t)NS_PER_SEC + ts.tv_nsec;
}

static const IotlbTag own = { .domain = 1, .asid = 1, .stage = IOTLB_FIRST };

/* Entries of others, and 256 of our own that the measured calls drop. */
static void fill(Iotlb *tlb, size_t entries)
{
    IommuPage page = { .shift = 12, .access = IOMMU_READ_WRITE };

    for (size_t n = 0; n < entries; n++) {
        IotlbTag tag = { .domain = 2 + n % 1000, .asid = n % 50, .stage = IOTLB_FIRST };

        iotlb_insert(tlb, tag, iotlb_mark(tlb, tag), (uint64_t)n << 12, &page);
    }
    for (uint64_t n = 0; n < 256; n++) {
        iotlb_insert(tlb, own, iotlb_mark(tlb, own), n << 12, &page);
    }
}

static void hit(Iotlb *tlb, uint64_t n)
{
    IommuPage page;

    iotlb_find(tlb, own, (n % 256) << 12, &page);
}

static void drop_page(Iotlb *tlb, uint64_t n)
{
    iotlb_drop_pages(tlb, &own, 1, (n % 256) << 12, 4096);
}

static void drop_asid(Iotlb *tlb, uint64_t n)
{
    iotlb_drop_asid(tlb, own.domain, own.asid);
}

static void drop_all(Iotlb *tlb, uint64_t n)
{
    iotlb_drop_all(tlb);
}

static double measure(Iotlb *tlb, void (*fn)(Iotlb *tlb, uint64_t n))
{
    double least = 1e9;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t start = now_ns();

        for (uint64_t n = 0; n < TIMES; n++) {
            fn(tlb, n);
        }
        least = MIN(least, (double)(now_ns() - start) / TIMES);
    }
    return least;
}

int main(void)
{
    static const struct {
        const char *name;
        void (*fn)(Iotlb *tlb, uint64_t n);
        bool is_bounded;
    } rows[] = {
        { "hit", hit }, { "drop a page", drop_page, true },
        { "drop an address space", drop_asid, true }, { "drop all", drop_all, true },
    };
    g_autoptr(Iotlb) small = iotlb_new(1u << 21), large = iotlb_new(1u << 21);
    int status = 0;

    fill(small, 1000);
    fill(large, 1000000);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        double a = measure(small, rows[i].fn), b = measure(large, rows[i].fn);
        bool is_good = !rows[i].is_bounded || b < 2 * a;

        printf("%-24s 1k entries %7.1f ns   1M entries %7.1f ns   x%.2f%s\n", rows[i].name, a, b,
               b / a, is_good ? "" : "   TOO SLOW");
        status |= !is_good;
    }
    return status;
}
