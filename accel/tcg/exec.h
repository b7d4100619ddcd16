/*
 * The engine's own state: of each vCPU, of regions and of the TLB.
 *
 * Locks, in order: translation, machine lock, region_lock, the list of vCPUs, TcgTlb.lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_EXEC_H
#define ACCEL_TCG_EXEC_H

#include <setjmp.h>

#include "accel/tcg/debug.h"
#include "accel/tcg/ir_internal.h"
#include "accel/tcg/memory.h"
#include "system/ram_block.h"

#define TCG_NOT_RAM UINT64_MAX

/* --- regions (region.c) --- */

typedef struct TcgRegion TcgRegion;
struct TcgRegion {
    /* What is looked at when one is looked for stands together. */
    TcgKey key;
    uint32_t mode;             /* stands for cs_base and flags */
    bool is_cached;            /* in the table: others may run it too */
    bool is_valid;             /* atomic: false once its code was written to */
    bool is_hot;               /* follows jumps */
    uint8_t page_count;
    uint64_t ram[2];           /* RAM offset of its first byte, of its second page */
    TcgRegion *next;           /* in the table */
    const void *entry;         /* its host code's; NULL: there is none */
    uint64_t second_page;      /* where, if there are two: before or after the first */
    struct { uint64_t begin, end; } code[2]; /* RAM offsets of bytes translated, by page */
    TcgRegion *page_next[2];
    uint16_t guest_insns;
    struct InterpCode *interp; /* what the interpreter runs; NULL: there is host code */
    struct HostCode *host;
    uint16_t *insns;           /* if they are counted: where each is, from key.pc on */
};

/* An indirect jump's target. */
typedef struct TcgJump {
    uint64_t pc;
    const void *code;
    TcgRegion *region;
    uint32_t mode;
    bool is_global;
} TcgJump;
#define TCG_JUMPS       16384 /* 256 groups of 64, a group holds pages alike in their low bits */
#define TCG_JUMP_GROUP  64
#define TCG_JUMP_GROUPS (TCG_JUMPS / TCG_JUMP_GROUP)
static inline unsigned tcg_jump_group(uint64_t pc)
{
    return (pc >> TCG_PAGE_BITS) % TCG_JUMP_GROUPS;
}
static inline unsigned tcg_jump_index(uint64_t pc)
{
    return tcg_jump_group(pc) * TCG_JUMP_GROUP + (pc ^ pc >> 6) % TCG_JUMP_GROUP;
}
/* Where it is if another one took its place. */
static inline unsigned tcg_jump_second(uint64_t pc)
{
    return tcg_jump_index(pc) ^ 1;
}

/* Guards the table and chains; a leaf but for TcgTlb.lock. What changes them takes it. */
void region_lock(void);
void region_unlock(void);

/* No lock: the table's regions, dropped ones too, live until the next flush of everything. */
TcgRegion *region_find(const TcgKey *key, uint32_t mode, uint64_t ram);
/* How often it was entered, if that is counted; hot ones: UINT32_MAX. */
uint32_t region_heat(const TcgKey *key, uint32_t mode, uint64_t ram);
/* False: code was written to since region_writes() was `writes`: the region may be stale. */
bool region_add(TcgRegion *region, uint64_t writes);
uint64_t region_writes(void);
/* Nothing leads there any more. */
void region_retire(TcgRegion *region);
void region_free(TcgRegion *region);
/* All of them; no vCPU is in any. */
void region_flush_all(void);
unsigned region_count(void);
/* Of what no cache of host code bounds there is too much: flush. */
bool region_is_full(void);
uint32_t region_mode(uint64_t cs_base, uint64_t flags);
/* Bytes are written, by whomever. True if `current` is among the regions that are dropped. */
bool region_invalidate(uint64_t ram, uint64_t bytes, const TcgRegion *current);
/* The page holds code: a write must be announced. Any thread. */
bool region_page_has_code(const RamBlock *block, uint64_t offset);
/* Announces writes by others than vCPUs. */
void region_init(void);
void region_info(GString *out);

/* --- translation (translate.c) --- */

/* The page of code that holds pc; may raise. */
typedef struct TcgCodePage {
    const uint8_t *host; /* of the page; NULL: a device's */
    uint64_t ram;        /* of the page, or TCG_NOT_RAM */
    AddressSpace *as;
    GuestAddr phys;
    MemTxAttrs attrs;
    bool is_global;
} TcgCodePage;
bool tcg_find_code(TcgCpu *cpu, uint64_t pc, bool is_probe, TcgCodePage *page);
/* May raise. NULL: the code cache is full. */
TcgRegion *tcg_translate_region(TcgCpu *cpu, const TcgKey *key, const TcgLimits *limits);
/* After something was raised: gives the lock up if this thread has it. */
void tcg_translation_abandon(void);

/* --- the interpreter (interp.c) --- */

typedef struct InterpFrame InterpFrame;
struct InterpCode *interp_compile(IrBuilder *b);
size_t interp_code_bytes(const struct InterpCode *code);
void interp_code_free(struct InterpCode *code);
void interp_run(TcgCpu *cpu, const TcgRegion *region);
/* Writes the state as it is before the operation under way. */
void interp_restore(TcgCpu *cpu);
const TcgRegion *interp_region(const TcgCpu *cpu);

/* --- the TLB (tlb.c) --- */

typedef struct TlbFull {
    uint64_t page;        /* guest address; TLB_NO_PAGE: none */
    GuestAddr phys;
    AddressSpace *as;
    MemTxAttrs attrs;
    uint8_t allowed;      /* BIT(TcgAccess) */
    bool is_one_access;
    bool is_global;
    bool is_watched;      /* has data breakpoints */
    uint8_t page_bits;
    RamBlock *block;      /* NULL: a device, or nothing */
    uint64_t block_offset;
    uint8_t *host;
    bool is_host_writable;
    uint8_t quiet_writes; /* noted ones since the page last had code */
} TlbFull;
#define TLB_NO_PAGE UINT64_C(1)

#define TLB_MIN_ENTRIES 256u
#define TLB_MAX_ENTRIES 8192u

/* Which of a table's entries hold something, and which of them go with a flush of one tag. */
#define TLB_USED_WORDS (MAX(TLB_MAX_ENTRIES, TCG_JUMPS) / 64)
typedef struct TlbUsed {
    uint64_t any[TLB_USED_WORDS], local[TLB_USED_WORDS];
} TlbUsed;
static inline void tlb_used_set(TlbUsed *used, unsigned at, bool is_global)
{
    uint64_t bit = UINT64_C(1) << at % 64;

    used->any[at / 64] |= bit;
    used->local[at / 64] = (used->local[at / 64] & ~bit) | (is_global ? 0 : bit);
}

typedef struct TlbTable {
    unsigned entries;     /* power of two; 0: not made yet */
    unsigned fills;       /* since the last flush, with what that kept */
    unsigned flushes_with_few;
    uint64_t large;       /* bit n: there may be large pages in every 64th GiB from the nth on */
    TcgTlbEntry *fast;
    TlbFull *full;
    TlbUsed used;
} TlbTable;

#define TLB_TAGS 8
typedef struct TlbTag {
    uint64_t tag;
    uint64_t last_used;
    TlbTable modes[TCG_MMU_MODES];
    TcgJump *jumps;
    TlbUsed jumps_used;
} TlbTag;

#define TLB_FRAMES 512

typedef struct TcgTlb {
    GMutex lock; /* the tables, against those who protect pages from other threads */
    TlbTag tags[TLB_TAGS];
    TlbTag *current;
    uint64_t uses;
    unsigned second_jumps; /* found in their second place */
    TlbFull once; /* the last translation that is not kept */
    TcgFrame frames[TLB_FRAMES];
} TcgTlb;

void tlb_init(TcgCpu *cpu);
void tlb_clear(TcgCpu *cpu);
/* The translation, which allows the access; raises if there is none. */
const TlbFull *tlb_find(TcgCpu *cpu, const TcgFault *fault);
/* NULL instead of raising. */
const TlbFull *tlb_probe(TcgCpu *cpu, const TcgFault *fault);
/* Any thread: writes to the page go the slow way from now on. */
void tlb_protect(TcgCpu *cpu, const RamBlock *block, uint64_t offset);
/* A write to RAM the slow way: what must be known of it is told; may leave for the main loop. */
void tlb_note_write(TcgCpu *cpu, const TlbFull *full, uint64_t addr, unsigned bytes);
/* It has been done: code that another vCPU translated meanwhile is of what was there before. */
void tlb_wrote(const TlbFull *full, uint64_t addr, unsigned bytes);
/* In the vCPU's thread: what a change of the memory map, told by .is_flush_wanted, asks for. */
void tlb_follow_map(TcgCpu *cpu);
/* The jump that leads to the PC now, in this mode; NULL: not known. */
const TcgJump *tlb_known_jump(TcgCpu *cpu, uint64_t pc, uint32_t mode);
void tlb_remember_jump(TcgCpu *cpu, const TcgJump *jump);
void tlb_drop_jumps(TcgCpu *cpu, const TcgRegion *region);

/* --- spans (span.c); with TcgTlb.lock but for span_fill() --- */

/* Forgets what was found; `kinds`: BIT(TcgSpanKind). */
void span_drop(TcgCpu *cpu, unsigned mmus, unsigned kinds);
/* The TLB has this now. */
void span_filled(TcgCpu *cpu, unsigned mmu, uint64_t page, uint64_t addend);
/*
 * Code that owns the span accesses the address, which is not inside; `place` is its name, a hash.
 * False: it is no longer fit for one. In the vCPU's thread.
 */
bool span_fill(TcgCpu *cpu, TcgSpan *span, uint64_t addr, uint32_t place);
bool span_is_fit(uint32_t place);
void span_give_up(uint32_t place);

/* --- scatters (scatter.c); likewise --- */

void scatter_drop(TcgCpu *cpu, unsigned mmu);
/* False: the TLB has had the page elsewhere until now. */
bool scatter_agrees(TcgCpu *cpu, unsigned mmu, uint64_t page, uint64_t addend);
/* As span_fill(). */
bool scatter_fill(TcgCpu *cpu, TcgScatter *scatter, uint64_t addr, uint32_t place);

/* --- running (exec.c) --- */

/* What of a key is not its PC, and the number that stands for it. */
typedef struct TcgMode {
    uint64_t cs_base, flags;
    uint32_t number; /* 0: none */
} TcgMode;
#define TCG_MODES 16

typedef struct TcgExec {
    TcgCpu *cpu;
    sigjmp_buf back;
    int exception;        /* -1: none */
    bool is_flush_wanted; /* atomic */
    bool is_running;      /* counted among those in guest code */
    bool is_insn_alone;   /* a region of one instruction runs, once */
    TcgDebug debug;
    TcgMode modes[TCG_MODES]; /* seen lately */
    TcgRegion *once;      /* runs, and is in no table */
    TcgKey again;         /* of a region to be made anew, hot at once */
    bool has_again;
    struct HostExit *last_exit; /* led to the main loop; to be chained */
    IrValue *values;      /* the interpreter's, once it ran */
    struct TcgExec *next;
} TcgExec;

void exec_run(Vcpu *vcpu);
/* Calls for every vCPU; its list is locked. */
void exec_each(void (*fn)(TcgCpu *cpu, void *opaque), void *opaque);
/*
 * For generated code, whose state is in memory: where it goes on, or NULL: to the main loop. May
 * raise.
 */
const void *exec_next_code(TcgCpu *cpu);
/* Drops the region under way, which goes on; the next time it is entered it is made anew. */
void exec_make_again(TcgCpu *cpu);
/* The region under way in this thread, or NULL. */
const TcgRegion *exec_current_region(const TcgCpu *cpu);

/* What -accel tcg was told. */
typedef struct TcgOptions {
    bool is_jit, is_one_insn, is_counting, is_single_thread;
    uint64_t cache_bytes;
    int hot_after; /* entries */
} TcgOptions;
extern TcgOptions tcg_options;

#endif
