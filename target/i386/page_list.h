/*
 * All pages that an x86 CPU's tables map, in order of address: for people and for dumps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_PAGE_LIST_H
#define TARGET_I386_PAGE_LIST_H

#include "hw/core/cpu_debug.h"
#include "target/i386/cpu.h"

#define PTE_P   BIT64(0)
#define PTE_W   BIT64(1)
#define PTE_U   BIT64(2)
#define PTE_PWT BIT64(3)
#define PTE_PCD BIT64(4)
#define PTE_A   BIT64(5)
#define PTE_D   BIT64(6)
#define PTE_PS  BIT64(7)
#define PTE_G   BIT64(8)
#define PTE_NX  BIT64(63)
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)

typedef struct X86PageEntry {
    uint64_t linear;    /* not sign-extended */
    uint64_t physical;
    uint64_t entry;     /* the last one's flags */
    uint64_t rights;    /* PTE_W and PTE_U, of all levels */
    unsigned bits;      /* of the page's size */
} X86PageEntry;
typedef void X86PageFn(void *opaque, const X86PageEntry *page);

/*
 * True if that were all. Tables may map themselves: of more than a million entries looked at, the
 * rest is left out.
 */
bool x86_each_page(X86Cpu *cpu, X86PageFn *fn, void *opaque);

/* The address as software writes it. */
uint64_t x86_canonical(const X86State *s, uint64_t linear);

void x86_print_pages(Cpu *cpu, GString *out);
void x86_print_ranges(Cpu *cpu, GString *out);
bool x86_each_mapping(Cpu *cpu, CpuMappingFn *fn, void *opaque);

#endif
