/*
 * The x86-64 back end: what its files share. Needs AVX2, BMI1, BMI2, LZCNT and MOVBE; hosts
 * without them interpret.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_HOST_X86_64_JIT_H
#define ACCEL_TCG_HOST_X86_64_JIT_H

#include "accel/tcg/host-x86_64/emit.h"
#include "accel/tcg/host.h"

/* Registers: 0..15 general, 16..31 vectors. A set of them is a mask. */
#define XMM(n)       (16 + (n))
#define IS_XMM(reg)  ((reg) >= 16)
typedef uint32_t RegSet;
#define GPRS         (0xffffu & ~(BIT(RSP) | BIT(RBP)))
#define XMMS         0xffff0000u
#define CALLEE_SAVED (BIT(RBX) | BIT(R12) | BIT(R13) | BIT(R14) | BIT(R15))
#define CALLER_SAVED ((GPRS | XMMS) & ~CALLEE_SAVED)

/* RBP points behind TcgCpu, to the target's first slots. */
#define BIAS ((int32_t)sizeof(TcgCpu))
#define CPU_DISP(field) ((int32_t)offsetof(TcgCpu, field) - BIAS)
_Static_assert(((offsetof(TcgCpu, spans) - sizeof(TcgCpu)) & 4095) >= 0x300 &&
               ((offsetof(TcgCpu, spans) - sizeof(TcgCpu)) & 4095) <= 0x400,
               "TCG_SPANS_APART keeps spans apart from slots");
static inline Rm rm_state(uint32_t offset)
{
    return rm_mem(RBP, (int32_t)offset - BIAS);
}

#define SPILLS       96
#define VSPILLS      48
/* On the host's stack while generated code runs; RSP points to it. */
typedef struct HostFrame {
    uint64_t spills[SPILLS];
    uint64_t gprs[16];    /* as they were in an operation that raises, or calls a slow way */
    uint64_t addr;        /* outside of its span */
    uint32_t place, span; /* the place's name, where in TcgCpu its span is */
    uintptr_t site;       /* the address after the call */
    uint64_t unused;
    IrValue vspills[VSPILLS];
    IrValue xmms[16];
} HostFrame;
_Static_assert(sizeof(HostFrame) % 16 == 0, "the stack stays aligned");
#define FRAME(field) rm_mem(RSP, offsetof(HostFrame, field))

/* Where a value is found by who unwinds. */
typedef enum LocKind { LOC_CONST, LOC_GPR, LOC_XMM, LOC_SPILL, LOC_VSPILL, LOC_SLOT, LOC_NODE } LocKind;
typedef struct Loc {
    uint16_t slot;
    uint8_t kind, unused;
    int32_t value; /* number of register, spill slot or node; the constant, sign extended */
} Loc;
/* An operation the unwinder does; its arguments are locations. */
typedef struct Node {
    uint64_t imm;     /* IR_VCONST: its place */
    Loc args[3];
    uint8_t op, type;
    bool has_b, has_c;
} Node;
typedef struct Site {
    int32_t place;    /* of the address after the call */
    uint32_t first;   /* in locs */
    uint16_t count;
    int16_t pc;       /* from the region's on; NO_PC: among the locs, or as it is in memory */
} Site;
#define NO_PC INT16_MIN

typedef enum SlowKind {
    SLOW_LOAD, SLOW_STORE, SLOW_ATOMIC, SLOW_SPAN, SLOW_SCATTER, SLOW_KINDS
} SlowKind;

/*
 * What slow ways of memory are asked for stands behind the call, as the operands of instructions that
 * do nothing: a word of this; of stores, the constant, if it is one; of atomics, another word.
 */
#define SLOW_MEM         0xffff /* IrMem */
#define SLOW_ADDR_SHIFT  16     /* the registers' numbers */
#define SLOW_VALUE_SHIFT 20
#define SLOW_IS_I32      BIT(25)
#define SLOW_IS_CONSTANT BIT(26)
#define SLOW_OP          0xff   /* IrOp, of atomics, in their second word */
#define SLOW_DEST_SHIFT  8
#define SLOW_EXPECTED_SHIFT 12
#define SLOW_ASK_BYTES   5
#define SLOW_ASK_OPCODE  0xa9   /* test eax, imm32 */

/* Code that all regions use, by its index in TcgCpu.pieces; slow ways: without and with vectors. */
enum { PIECE_LEAVE, PIECE_NEXT, PIECE_SLOW, PIECES = PIECE_SLOW + 2 * SLOW_KINDS };
_Static_assert(PIECES <= ARRAY_SIZE(((TcgCpu *)NULL)->pieces), "there is room");
static inline Rm rm_piece(unsigned piece)
{
    return rm_mem(RBP, CPU_DISP(pieces) + 8 * (int32_t)piece);
}

struct HostExit {
    struct HostCode *code;
    uint64_t pc;          /* IR_EXIT_DIRECT */
    struct HostExit *next; /* also chained to the same region */
    uint32_t mode;
    int patch;            /* place of the jump's distance; 0: it is not chained */
    int tail;             /* where it leads unchained */
    int far_tail;         /* chained to a region whose second page may come to be elsewhere */
    uint8_t kind;         /* IrExitKind */
    bool is_chained;
};

struct HostCode {
    const TcgRegion *region;
    uint8_t *middle;      /* place 0, as it runs */
    int main_bytes, cold_bytes;
    unsigned exit_count, site_count;
    int heat;             /* entries until then; atomic in spirit: losing one does no harm */
    const Site *sites;
    const Loc *locs;
    const Node *nodes;
    HostExit *incoming;
    struct HostCode *next;
    HostExit exits[];     /* the last one: at the entry, for requests and promotion */
};

/* What is accessed off one base: a slot, a page of constants, or a value of this region's. */
typedef struct SpanOwner {
    uint64_t base;
    bool is_known;   /* not the last: names the same in other regions */
    bool is_scatter; /* what it owns is one */
    TcgSpanKind kind;
    unsigned mmu, index;
    uint32_t place;  /* a hash of it all */
} SpanOwner;

typedef struct Jit {
    Emit emit;
    IrBuilder *b;
    TcgRegion *region;
    HostCode *code;
    IrRef at;                      /* the operation being written */
    int8_t reg[IR_MAX_INSNS];      /* where a value is from here on; NO_REG */
    int16_t spill[IR_MAX_INSNS];   /* 1 + slot; 0: none */
    IrRef owner[32];
    RegSet free;
    RegSet blocked;                /* not to be given out now */
    unsigned spills, vspills;
    bool is_too_large;
    int vconst_place[IR_MAX_VCONSTS];
    GArray *sites, *locs, *nodes;
    IrSnapshot snapshot;           /* of what was put up to there */
    IrRef snapshot_ref;
    bool has_v256;
    IrLoop loop;
    int8_t loop_reg[IR_MAX_CARRIED]; /* where carried values are at the jump */
    int loop_jump;                   /* main code from its end up to and with it; 0: no loop */
    int8_t hint[IR_MAX_INSNS];       /* the register a value is best in; NO_REG */
    bool is_invariant[IR_MAX_INSNS]; /* a HEAD that is in its slot all the time */
    bool is_dispatch;                /* ends in a jump to an address from data, hot: part of an
                                      * interpreter's loop, for all that is known */
    SpanOwner span_owners[TCG_SPANS];
    unsigned span_owner_count;
} Jit;

/* --- registers (regalloc.c) --- */

void ra_begin(Jit *j);
/* At the region's start: constants that are still wanted. */
void ra_end(Jit *j);
static inline RegSet ra_class(IrType type)
{
    return type >= IR_V128 ? XMMS : GPRS;
}
static inline bool ra_is_wanted(const Jit *j, IrRef ref)
{
    return j->reg[ref] != NO_REG || j->spill[ref];
}
/* The register, in `set`, that holds the value here. */
int ra_use(Jit *j, IrRef ref, RegSet set);
/* Where the operation's result is to be put; in `set`. It is free before. */
int ra_def(Jit *j, IrRef ref, RegSet set);
/* A free register for the moment; block it to keep it. */
int ra_scratch(Jit *j, RegSet set);
void ra_evict(Jit *j, RegSet set);
/* `dest` gets the value, before what was written last: two-operand instructions. */
void ra_left(Jit *j, int dest, IrRef ref);
void ra_assign(Jit *j, IrRef ref, int reg);
/* Notes a place where the state can be had, of this operation's snapshot. */
void ra_snapshot(Jit *j, const IrInsn *insn, int place);
/* Gives values for a snapshot a place to be in. */
void ra_hold_snapshot(Jit *j, const IrInsn *insn);
RegSet ra_snapshot_regs(Jit *j, const IrInsn *insn);
void ra_move(Jit *j, int to, int from, IrType type);
void ra_load_spill(Jit *j, int reg, IrRef ref);
void ra_store_spill(Jit *j, int reg, IrRef ref);
/* It has no register any more. */
void ra_forget(Jit *j, IrRef ref);

/* --- operations --- */

void jit_integer(Jit *j, const IrInsn *insn);
void jit_vector(Jit *j, const IrInsn *insn);
void jit_state(Jit *j, const IrInsn *insn);
void jit_memory(Jit *j, const IrInsn *insn);
void jit_atomic(Jit *j, const IrInsn *insn);
void jit_call(Jit *j, const IrInsn *insn);
void jit_exit(Jit *j, const IrInsn *insn);
void jit_entry(Jit *j);
/* Back to host_run(), in the cold; exit NULL: nothing more is known. */
void jit_leave(Jit *j, const HostExit *exit);
/* ops_loop.c, in order */
void jit_loop_begin(Jit *j);
void jit_loop_hints(Jit *j);
void jit_loop_end(Jit *j, const IrInsn *insn);
void jit_loop_start(Jit *j);
/* Writes a comparison of a and b; the condition to test, as CC_x. */
int jit_compare(Jit *j, IrCond cond, IrType type, IrRef a, IrRef b);
int jit_cc(IrCond cond);
/* Stores a list of values into their slots. */
void jit_stores(Jit *j, const IrSnapshot *stores);
/* The place of 8 bytes that hold the address. */
int jit_pointer(Jit *j, const void *fn);
void jit_load_vector(Jit *j, int reg, Rm rm, IrType type);
void jit_store_vector(Jit *j, int reg, Rm rm, IrType type);

/* --- what is known of code (store.c) --- */

/* Zeros that stay until everything is forgotten; one translation at a time. */
void *store_take(size_t bytes);
/* Gives back what was taken, and all that was taken after it. */
void store_cut(void *from);
void store_reset(void);
size_t store_used(void);

/* --- the cache (cache.c) --- */

typedef struct HostCache {
    uint8_t *code;       /* as it runs */
    uint8_t *write;      /* the same, writable */
    size_t bytes, used, first;
    size_t populated;    /* up to here it can be written without a fault, or could once */
    HostCode *all;
    /* common pieces */
    const void *enter, *leave_unknown;
    const void *pieces[ARRAY_SIZE(((TcgCpu *)NULL)->pieces)]; /* as TcgCpu's */
} HostCache;
/* Regions; single vector operations. */
extern HostCache host_cache, vec_cache;
/* 0: the latter only. */
bool cache_init(uint64_t bytes, Error **errp);
/* Copies what was written; NULL: no room. */
uint8_t *cache_add(HostCache *cache, const Emit *e);

/* `-d op_opt,out_asm`, -perfmap. */
void host_log_code(const HostCode *code);
void host_log_ir(const Jit *j);
/* Instructions as text, one a line (disassemble.c). */
void host_disassemble(const uint8_t *bytes, size_t count, uint64_t address, GString *out);

bool host_cpu_can_jit(void);
/* Writes one operation of accel/tcg/ir_vec.h; registers are numbered 0..15. */
void vec_emit(Emit *e, const IrInsn *insn, int dest, int x, int y, int z);

#endif
