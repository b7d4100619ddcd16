/*
 * Guest memory for helpers, and what they do to the TLB.
 *
 * Loads, stores and probes raise as instructions do: from a helper with IR_HELPER_RAISES, or from
 * TcgTargetOps' deliver(), service() and tlb_fill(). The machine lock is taken for devices.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_MEMORY_H
#define ACCEL_TCG_MEMORY_H

#include "accel/tcg/target.h"

/* `mem` as in the IR; up to 64 bits. */
uint64_t tcg_load(TcgCpu *cpu, IrMem mem, uint64_t addr);
void tcg_store(TcgCpu *cpu, IrMem mem, uint64_t addr, uint64_t value);
/* 16 or 32 bytes, as they are in memory. */
void tcg_load_bytes(TcgCpu *cpu, IrMem mem, uint64_t addr, void *bytes);
void tcg_store_bytes(TcgCpu *cpu, IrMem mem, uint64_t addr, const void *bytes);

/* Atomic for all vCPUs, unaligned too; the old value, zero extended. */
uint64_t tcg_atomic(TcgCpu *cpu, IrOp op, IrMem mem, uint64_t addr, uint64_t value);
uint64_t tcg_cmpxchg(TcgCpu *cpu, IrMem mem, uint64_t addr, uint64_t expected, uint64_t value);
/* Aligned to 16; *expected becomes what was there; true if it was exchanged. */
bool tcg_cmpxchg16(TcgCpu *cpu, IrMem mem, uint64_t addr, uint64_t expected[2],
                   const uint64_t value[2]);

/* --- in place: what the TLB has at hand --- */

static inline TcgTlbEntry *tlb_entry(TcgCpu *cpu, unsigned mmu, uint64_t addr)
{
    uint64_t at = addr >> (TCG_PAGE_BITS - 5) & cpu->tlb[mmu].mask;

    return (TcgTlbEntry *)((char *)cpu->tlb[mmu].table + at);
}
_Static_assert(sizeof(TcgTlbEntry) == 32, "generated code knows");

/* NULL: the slow way, for whatever reason. Nobody has to hear of what is done there. */
static inline void *tlb_fast_read(TcgCpu *cpu, unsigned mmu, uint64_t addr, unsigned bytes)
{
    const TcgTlbEntry *entry = tlb_entry(cpu, mmu, addr);

    return (addr ^ entry->read) <= (1u << TCG_PAGE_BITS) - bytes
               ? (void *)(uintptr_t)(addr + entry->addend) : NULL;
}
static inline void *tlb_fast_write(TcgCpu *cpu, unsigned mmu, uint64_t addr, unsigned bytes)
{
    const TcgTlbEntry *entry = tlb_entry(cpu, mmu, addr);

    return (addr ^ entry->write) <= (1u << TCG_PAGE_BITS) - bytes
               ? (void *)(uintptr_t)(addr + entry->addend) : NULL;
}

/*
 * `bytes` within one page, as host memory; raises if the access is not allowed. NULL: not RAM, or
 * with data breakpoints: go by tcg_load(). With TCG_WRITE the page counts as written, code on these bytes as invalid.
 */
void *tcg_host(TcgCpu *cpu, TcgAccess access, unsigned mmu, uint64_t addr, unsigned bytes);
/* What tcg_host() gave for TCG_WRITE has been written: before the instruction ends. */
void tcg_wrote(TcgCpu *cpu, unsigned mmu, uint64_t addr, unsigned bytes);
/* Raises what an access would raise, all bytes, and does nothing else. */
void tcg_probe(TcgCpu *cpu, TcgAccess access, unsigned mmu, uint64_t addr, unsigned bytes);
/* Raises nothing: false if not allowed. For debuggers too. */
bool tcg_translate(TcgCpu *cpu, TcgAccess access, unsigned mmu, uint64_t addr, TcgPage *page);

/* A page of physical memory, as a vCPU sees it. */
typedef struct TcgFrame {
    GuestAddr phys;       /* of the page */
    AddressSpace *as;     /* NULL: none */
    bool is_secure;
    bool is_host_writable;
    RamBlock *block;      /* NULL: a device, or nothing */
    uint64_t block_offset;
    uint8_t *host;        /* NULL: not by way of RAM */
} TcgFrame;
/* Found again fast in the vCPU's thread; inside rcu_lock(). For walks of page tables. */
void tcg_frame(TcgCpu *cpu, AddressSpace *as, MemTxAttrs attrs, GuestAddr phys, TcgFrame *out);

/* --- the TLB: of this vCPU, in its thread --- */

#define TCG_ALL_MMUS 0xff /* bit n: mode n */

/*
 * Entries are kept apart by a tag (PCID, ASID, VMID): the current one is changed at no cost. Few
 * are kept: one not seen for long starts empty. 0 at first.
 */
void tcg_tlb_set_tag(TcgCpu *cpu, uint64_t tag);
/* All tags, all pages. */
void tcg_tlb_flush(TcgCpu *cpu, unsigned mmus);
/* All but global pages: of a tag, of all tags. */
void tcg_tlb_flush_tag(TcgCpu *cpu, uint64_t tag, unsigned mmus);
void tcg_tlb_flush_all_tags(TcgCpu *cpu, unsigned mmus);
/* The page, of whatever size, that holds addr; all tags. */
void tcg_tlb_flush_page(TcgCpu *cpu, uint64_t addr, unsigned mmus);
void tcg_tlb_flush_page_tag(TcgCpu *cpu, uint64_t tag, uint64_t addr, unsigned mmus);
/* Any thread: every vCPU, before it runs more guest code. */
void tcg_tlb_flush_all_cpus(void);

/*
 * Runs fn while no other vCPU runs guest code. In a vCPU's thread, from a helper or service(); the
 * machine lock is not held.
 */
void tcg_exclusive(TcgCpu *cpu, void (*fn)(void *opaque), void *opaque);

#endif
