/*
 * What a guest architecture gives the software CPU, and the part of a CPU's state that is the
 * engine's. TcgCpu is the first member of the target's state struct; slots are offsets in that.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_TARGET_H
#define ACCEL_TCG_TARGET_H

#include "accel/tcg/ir.h"
#include "system/address_space.h"
#include "system/vcpu.h"

#define TCG_MMU_MODES 8
#define TCG_PAGE_BITS 12
#define TCG_INSN_BYTES 16 /* at least the longest of any target */

/* What a region was translated for: the same bytes in another mode are another region. */
typedef struct TcgKey {
    uint64_t pc, cs_base, flags; /* flags: whatever of the state the translator looked at */
} TcgKey;

typedef enum TcgAccess { TCG_READ, TCG_WRITE, TCG_EXECUTE } TcgAccess;

/* A translation of a page. */
typedef struct TcgPage {
    GuestAddr phys;      /* of the address asked for, or of its page */
    AddressSpace *as;    /* NULL: TcgCpu.as */
    MemTxAttrs attrs;
    uint8_t page_bits;   /* of the guest's page: at least TCG_PAGE_BITS */
    bool can_read, can_write, can_execute; /* without asking again (dirty bits) */
    bool is_one_access;  /* do not keep it */
    bool is_global;      /* the same for all tags: see tcg_tlb_flush_tag() */
} TcgPage;

typedef struct TcgFault {
    uint64_t addr;
    TcgAccess access;
    unsigned mmu, bytes;
} TcgFault;

typedef struct TcgTlbEntry {
    /* Page address where an access may go on in place; else something no address equals. */
    uint64_t read, write, execute;
    uint64_t addend;     /* host address = guest address + addend */
} TcgTlbEntry;

typedef struct TcgTlbFast {
    uint64_t mask;       /* (entries - 1) * sizeof(TcgTlbEntry) */
    TcgTlbEntry *table;
} TcgTlbFast;

/* Guest addresses that code accesses by adding a number: see accel/tcg/span.c. */
#define TCG_SPANS      48 /* of a kind, for each mode */
#define TCG_SPAN_ROOMS 4
#define TCG_SPAN_ROOM_BYTES { 1, 4, 8, 32 }
typedef enum TcgSpanKind { TCG_SPAN_READ, TCG_SPAN_WRITE, TCG_SPAN_KINDS } TcgSpanKind;
typedef struct TcgSpan {
    uint64_t start, addend;
    /* Accesses of TCG_SPAN_ROOM_BYTES begin less than this behind start; 0: none do. */
    uint64_t room[TCG_SPAN_ROOMS];
    uint64_t filled_at;    /* host_ticks() */
    int32_t misses_left;   /* until it is filled again */
    uint8_t doubts, phase, samples;
    int8_t votes;
} TcgSpan;
_Static_assert(sizeof(TcgSpan) == 64, "a cache line");
/* Likewise, in a few runs, each with its own number to add: see accel/tcg/scatter.c. */
#define TCG_SCATTERS     5
#define TCG_SCATTER_RUNS 6
typedef struct TcgScatter {
    uint64_t start;
    uint64_t room[TCG_SPAN_ROOMS];
    uint64_t bound[TCG_SCATTER_RUNS - 1]; /* where all runs but the first begin; UINT64_MAX: no run */
    uint64_t addend[TCG_SCATTER_RUNS];
    uint64_t first, last;                 /* the pages it is wanted for */
    uint64_t filled_at;                   /* host_ticks() */
    int32_t misses_left;                  /* until it is filled again */
    uint8_t doubts;
} __attribute__((aligned(64))) TcgScatter;
/*
 * Hosts take a load for one of what was stored just before if the addresses' low 12 bits are the
 * same, and wait: spans and what comes before them lie so that those of slots differ from theirs.
 */
typedef struct TcgSpanSet {
    TcgSpan of[TCG_SPANS];
    TcgScatter scatters[TCG_SCATTERS]; /* of a mode's reads alone */
    uint8_t unused[64];
} TcgSpanSet;
_Static_assert(sizeof(TcgSpanSet) == 4096, "all spans are apart from slots");
#define TCG_SPANS_APART 2880

struct TcgCpu {
    Vcpu *vcpu;
    const struct TcgTargetOps *ops;
    AddressSpace *as;
    struct TcgExec *exec;       /* the engine's */
    struct TcgTlb *tlb_state;
    struct InterpFrame *frame;  /* the interpreter is inside a region */
    uint32_t host_mxcsr;
    bool is_one_insn;           /* the next region has one instruction */
    uint64_t icount;            /* instructions of all regions entered, if they are counted */
    uint64_t icount_limit;      /* atomic: no region is entered that leads beyond */
    uint64_t wraps_at;          /* addresses below it go on from 0 there; 0: none does */
    uint32_t requests;          /* atomic, the target's: what service() is to do, once it can; 0: nothing */
    uint64_t reserved[1];
    uint64_t spans_used[TCG_MMU_MODES][TCG_SPAN_KINDS];
    TcgSpanSet spans[TCG_MMU_MODES][TCG_SPAN_KINDS];
    uint8_t apart[TCG_SPANS_APART];
    /* What generated code looks at comes last: the state's slots follow. */
    const void *pieces[12];     /* the back end's: code that all regions use */
    struct TcgJump *jumps;      /* indirect jumps, of the current address-space tag */
    struct HostFrame *host_frame; /* generated code's, on the stack */
    uintptr_t host_pc;          /* which raising operation is under way; 0: none */
    int exit_wanted;            /* atomic: leave at the next region */
    int exit_unwanted;          /* written instead of it */
    TcgTlbFast tlb[TCG_MMU_MODES];
} __attribute__((aligned(64)));

/* The address `bytes` further on. */
static inline uint64_t tcg_further(const TcgCpu *cpu, uint64_t addr, uint64_t bytes)
{
    return addr + bytes - (addr < cpu->wraps_at && bytes >= cpu->wraps_at - addr ? cpu->wraps_at : 0);
}

/* What a translation is to look like. */
typedef struct TcgLimits {
    unsigned max_insns;
    bool is_single_step;
    bool is_hot;         /* follow jumps: translate.h */
} TcgLimits;

typedef struct TcgTargetOps {
    size_t state_bytes;
    const IrSlot *slots;
    unsigned slot_count, pc_slot;  /* the PC's slot is I64 */
    unsigned mmu_count;            /* 1..TCG_MMU_MODES are used */
    /* Offset of the MXCSR image guest code runs with (exceptions masked); 0: the host's. */
    uint32_t host_fp_offset;
    void (*get_key)(TcgCpu *cpu, TcgKey *key);
    /*
     * Translates guest code from key->pc on, calling tcg_insn_start() for each instruction and
     * ending with an ir_exit_*() (accel/tcg/translate.h).
     */
    void (*translate)(TcgCpu *cpu, IrBuilder *b, const TcgKey *key, const TcgLimits *limits);
    /*
     * Translates an address. If it cannot: a probe returns false, anything else takes note of the
     * fault and calls tcg_raise().
     */
    bool (*tlb_fill)(TcgCpu *cpu, const TcgFault *fault, bool is_probe, TcgPage *page);
    /* Calls tcg_raise(). An access with IR_MEM_ALIGNED is not aligned. */
    void (*unaligned)(TcgCpu *cpu, const TcgFault *fault);
    /* Nobody answers at the address, or with an error; may tcg_raise(). NULL: nothing happens. */
    void (*bus_error)(TcgCpu *cpu, const TcgFault *fault, MemTxResult result);
    /* What tcg_raise() announced: enters the guest's handler. May raise again. No lock held. */
    void (*deliver)(TcgCpu *cpu, int exception);
    /*
     * Before each entry into guest code after exit_wanted: takes interrupts, sets vcpu->is_halted,
     * and so on; takes the machine lock if it needs it. May raise.
     */
    void (*service)(TcgCpu *cpu);
    /* The mode in which instructions are fetched. */
    unsigned (*fetch_mmu)(TcgCpu *cpu);
    /* The instruction before touched these of tcg_set_watches(), by bits. May raise. */
    void (*watch_hit)(TcgCpu *cpu, unsigned hits);
    /* For `-d cpu`; may be NULL. */
    void (*print_state)(TcgCpu *cpu, GString *out);
    /* For `-d in_asm`: instructions that begin within `count` bytes, TCG_INSN_BYTES - 1 more can be
     * read. May be NULL. */
    void (*disassemble)(TcgCpu *cpu, const TcgKey *key, const uint8_t *bytes, size_t count,
                        GString *out);
} TcgTargetOps;

/* Before the vCPU is listed; the state is zeroed memory of the caller's, ops->state_bytes. */
void tcg_cpu_init(TcgCpu *cpu, Vcpu *vcpu, const TcgTargetOps *ops, AddressSpace *as);
/* Once it is off the list. */
void tcg_cpu_clear(TcgCpu *cpu);
/* NULL: another accelerator runs it. */
static inline TcgCpu *tcg_cpu_of(Vcpu *vcpu)
{
    return vcpu->accel_data;
}

/* Any thread: service() is called before more guest code runs, soon. */
void tcg_request_service(TcgCpu *cpu);

/* From a helper after which the region ends: the guest waits for another vCPU. */
void tcg_yield(TcgCpu *cpu);

/* --- from helpers with IR_HELPER_RAISES, and from deliver(), service(), tlb_fill() --- */

/*
 * Slots of groups the helper reads or writes are in memory when it runs and stay as it leaves
 * them; all others are brought back to what they were before the operation. Then deliver().
 */
void tcg_raise(TcgCpu *cpu, int exception) __attribute__((noreturn));
/* The same without an exception: the instruction starts again, or where the state's PC says. */
void tcg_exit_to_main(TcgCpu *cpu) __attribute__((noreturn));
/* Brings the state's slots to what they are before the operation, and returns. */
void tcg_restore(TcgCpu *cpu);

#endif
