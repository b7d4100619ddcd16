/*
 * Caches of x86 models: the processor's own where the model is known for them, else a plain set
 * per vendor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/caches.h"

#define LINE_BYTES 64
#define CACHE_COUNT 4
#define L1D(kib_, ways_) { X86_CACHE_DATA, 1, (ways_), false, (kib_) }
#define L1I(kib_, ways_) { X86_CACHE_CODE, 1, (ways_), false, (kib_) }
#define L2(kib_, ways_)  { X86_CACHE_UNIFIED, 2, (ways_), false, (kib_) }
#define L3(kib_, ways_)  { X86_CACHE_UNIFIED, 3, (ways_), true, (kib_) }

typedef struct CacheSet {
    const char *vendor;    /* NULL: any */
    uint32_t family, model; /* 0: any */
    X86Cache caches[CACHE_COUNT];
} CacheSet;

/* The first that fits. */
static const CacheSet own_sets[] = {
    { X86_VENDOR_AMD, 23, 49, { L1D(32, 8), L1I(32, 8), L2(512, 8), L3(16384, 16) } },
    { X86_VENDOR_AMD, 23, 0, { L1D(32, 8), L1I(64, 4), L2(512, 8), L3(8192, 16) } },
    { X86_VENDOR_HYGON, 24, 0, { L1D(32, 8), L1I(64, 4), L2(512, 8), L3(8192, 16) } },
    { X86_VENDOR_AMD, 25, 17, { L1D(32, 8), L1I(32, 8), L2(1024, 8), L3(32768, 16) } },
    { X86_VENDOR_AMD, 25, 0, { L1D(32, 8), L1I(32, 8), L2(512, 8), L3(32768, 16) } },
};
static const CacheSet plain_sets[] = {
    { X86_VENDOR_AMD, 0, 0, { L1D(64, 2), L1I(64, 2), L2(512, 16), L3(16384, 16) } },
    { NULL, 0, 0, { L1D(32, 8), L1I(32, 8), L2(4096, 16), L3(16384, 16) } },
};

static bool fits(const CacheSet *set, const X86Cpu *cpu)
{
    return (!set->vendor || !strcmp(set->vendor, cpu->vendor)) &&
           (!set->family || set->family == cpu->family) &&
           (!set->model || set->model == cpu->model);
}

static const CacheSet *set_of(const X86Cpu *cpu)
{
    const CacheSet *set = plain_sets;

    for (size_t i = 0; !cpu->has_legacy_caches && i < ARRAY_SIZE(own_sets); i++) {
        if (fits(&own_sets[i], cpu)) {
            return &own_sets[i];
        }
    }
    while (!fits(set, cpu)) {
        set++;
    }
    return set;
}

const X86Cache *x86_cpu_cache(const X86Cpu *cpu, unsigned n)
{
    if (n >= CACHE_COUNT || (n == 3 && !cpu->has_l3_cache)) {
        return NULL;
    }
    return &set_of(cpu)->caches[n];
}

void x86_cache_describe(const X86Cache *cache, unsigned sharing, X86CpuidRegs *out)
{
    out->eax = cache->kind | cache->level << 5 | BIT(8); /* initialises itself */
    out->eax |= (MIN(sharing, 4096) - 1) << 14;
    out->ebx = (LINE_BYTES - 1) | (uint32_t)(cache->ways - 1) << 22;
    out->ecx = cache->kib * 1024 / LINE_BYTES / cache->ways - 1;
    out->edx = cache->level == 1 ? BIT(0) : 0; /* WBINVD does not reach others' */
}

uint32_t x86_cache_amd_l1(const X86Cache *cache)
{
    return cache->kib << 24 | (uint32_t)cache->ways << 16 | 1 << 8 | LINE_BYTES;
}

/* Associativity as 80000006h encodes it. */
static uint32_t amd_ways(unsigned ways)
{
    return ways <= 2 ? ways : ways <= 4 ? 4 : ways <= 8 ? 6 : 8;
}

uint32_t x86_cache_amd_l2(const X86Cache *cache)
{
    return cache->kib << 16 | amd_ways(cache->ways) << 12 | 1 << 8 | LINE_BYTES;
}

uint32_t x86_cache_amd_l3(const X86Cache *cache)
{
    return cache->kib / 512 << 18 | amd_ways(cache->ways) << 12 | 1 << 8 | LINE_BYTES;
}
