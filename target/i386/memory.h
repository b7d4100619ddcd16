/*
 * Memory as an x86 CPU's own microcode reaches it: by linear address, through page tables, with
 * faults raised as exceptions; and page tables themselves. SDM volume 3, chapter 4.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_MEMORY_H
#define TARGET_I386_MEMORY_H

#include "system/address_space.h"
#include "target/i386/mode.h"

typedef enum X86Access { X86_READ, X86_WRITE, X86_EXECUTE } X86Access;

/* Bits of a page fault's error code. */
#define PF_PRESENT  BIT(0)
#define PF_WRITE    BIT(1)
#define PF_USER     BIT(2)
#define PF_RESERVED BIT(3)
#define PF_FETCH    BIT(4)
#define PF_KEY      BIT(5)

/* What a linear address means for one kind of access. */
typedef struct X86Page {
    uint64_t physical;   /* of the address, with its offset */
    unsigned bits;       /* of the page's size */
    bool is_readable, is_writable, is_executable; /* without another walk */
    bool is_global;
    uint32_t error;      /* why not: the page fault's error code */
    uint64_t nested_error; /* why not, by nested tables, of guest address .physical; 0: not they */
} X86Page;

/* Walks the page tables, sets accessed and dirty bits. False: `error` says why not. */
bool x86_walk(X86Cpu *cpu, uint64_t linear, X86Access access, X86Mmu mmu, X86Page *page);
/* Likewise, but changes and checks nothing: for debuggers. False: not mapped. */
bool x86_walk_debug(X86Cpu *cpu, uint64_t linear, X86Page *page);

bool x86_is_canonical(const X86State *s, uint64_t linear);
/* Who accesses, as devices and SMRAM see it. */
MemTxAttrs x86_mem_attrs(const X86Cpu *cpu);
/* Of what the CPU can address, A20 included. */
uint64_t x86_physical_mask(const X86Cpu *cpu);

/* 1, 2, 4 or 8 bytes; may cross a page. Raise page faults and, for bad addresses, #GP(0). */
uint64_t x86_read(X86Cpu *cpu, uint64_t linear, unsigned bytes, X86Mmu mmu);
void x86_write(X86Cpu *cpu, uint64_t linear, unsigned bytes, uint64_t value, X86Mmu mmu);
/* Any size. The write touches nothing if a part of it faults. */
void x86_read_bytes(X86Cpu *cpu, uint64_t linear, void *out, size_t bytes, X86Mmu mmu);
void x86_write_bytes(X86Cpu *cpu, uint64_t linear, const void *data, size_t bytes, X86Mmu mmu);
/* Raises what a write of these bytes would raise. */
void x86_check_writable(X86Cpu *cpu, uint64_t linear, size_t bytes, X86Mmu mmu);

/* Physical memory; what nobody answers reads as all ones. */
uint64_t x86_read_physical(X86Cpu *cpu, uint64_t physical, unsigned bytes);
void x86_write_physical(X86Cpu *cpu, uint64_t physical, unsigned bytes, uint64_t value);

/* Forgets translations: of one page (in all modes), or all (global ones too if asked). */
void x86_flush_page(X86Cpu *cpu, uint64_t linear);
void x86_flush_all(X86Cpu *cpu, bool with_global);
/* Of pages only the rights change: what no page known depends on flushes nothing. */
void x86_set_pkru(X86Cpu *cpu, uint32_t value);
void x86_flush_pcid(X86Cpu *cpu, uint64_t pcid);
/* CR3 was loaded; `keeps`: what is known of its PCID stays. */
void x86_switch_space(X86Cpu *cpu, bool keeps);
/* What the CPU sees: the system's memory, with SMRAM in system management mode. */
AddressSpace *x86_memory_space(X86Cpu *cpu);

#endif
