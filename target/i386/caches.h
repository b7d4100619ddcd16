/*
 * The caches an x86 CPU claims to have, and how CPUID words them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_CACHES_H
#define TARGET_I386_CACHES_H

#include "target/i386/cpu.h"

typedef enum X86CacheKind { X86_CACHE_DATA = 1, X86_CACHE_CODE, X86_CACHE_UNIFIED } X86CacheKind;

typedef struct X86Cache {
    X86CacheKind kind;
    uint8_t level;
    uint8_t ways;
    bool is_of_die; /* shared by all cores of a die, not only by the threads of one */
    uint32_t kib;   /* lines have 64 bytes */
} X86Cache;

/* In the order data, code, second level, third level; NULL: there is none. */
const X86Cache *x86_cpu_cache(const X86Cpu *cpu, unsigned n);
/* Leaf 4 and, alike but for what is in EAX above bit 25, 8000001Dh. */
void x86_cache_describe(const X86Cache *cache, unsigned sharing, X86CpuidRegs *out);
/* Registers of 80000005h and 80000006h. */
uint32_t x86_cache_amd_l1(const X86Cache *cache);
uint32_t x86_cache_amd_l2(const X86Cache *cache);
uint32_t x86_cache_amd_l3(const X86Cache *cache);

#endif
