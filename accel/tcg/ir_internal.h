/*
 * The IR as passes and back ends see it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_IR_INTERNAL_H
#define ACCEL_TCG_IR_INTERNAL_H

#include "accel/tcg/target.h"

#define IR_MAX_INSNS   8192
#define IR_SPARE_INSNS 2048 /* a guest instruction never takes more */
#define IR_MAX_SLOTS   256
#define IR_MAX_GUEST_INSNS 256
#define IR_MAX_EXITS   64
#define IR_MAX_VCONSTS 64
#define IR_BUCKETS     512

typedef struct IrInsn {
    uint8_t op, type;
    uint8_t heat;    /* IrHeat, by ir_mark() */
    uint8_t compared; /* EXIT_IF: the IrType of what is compared */
    IrRef snap;      /* the last PUT or SYNC before; of what raises or leaves, and of these */
    IrRef a, b, c, d;
    IrRef chain;     /* the next one with the same hash */
    uint64_t imm;
} IrInsn;

/* Where a value is needed: not at all, by snapshots of what raises, on the main path. */
typedef enum IrHeat { IR_UNUSED, IR_COLD, IR_HOT } IrHeat;

typedef enum IrExitKind {
    IR_EXIT_DIRECT, /* chained */
    IR_EXIT_INDIRECT,
    IR_EXIT_MAIN,
    IR_EXIT_LOOP,   /* to the region's own start */
} IrExitKind;

typedef struct IrExit {
    IrExitKind kind;
    uint64_t pc;        /* IR_EXIT_DIRECT */
    bool is_call, is_return;
    uint64_t return_pc; /* is_call */
    uint32_t mode;      /* what follows is in: see region_mode() */
} IrExit;

typedef union IrValue {
    uint32_t u32;
    uint64_t u64;
    uint8_t bytes[32];
    uint64_t quads[4];
} IrValue;

/* Where the last tcg_insn_start() began, to be taken back. */
typedef struct IrInsnStart {
    IrRef put, before, last_put;
} IrInsnStart;

typedef struct IrOpInfo {
    const char *name;
    const char *shape;
    uint8_t flags;
} IrOpInfo;
extern const IrOpInfo ir_ops[IR_OP_COUNT];

/* One at a time is built (the translation lock); tests make their own. */
struct IrBuilder {
    const TcgTargetOps *ops;
    unsigned count;          /* insns[0] is not used */
    IrRef last_put;
    unsigned exit_count, vconst_count;
    bool has_ended;
    IrRef slot_value[IR_MAX_SLOTS];
    uint16_t insn_offset[IR_MAX_GUEST_INSNS];
    IrRef buckets[IR_BUCKETS];
    IrExit exits[IR_MAX_EXITS];
    IrValue vconsts[IR_MAX_VCONSTS];
    /* the translation (translate.c) */
    TcgCpu *cpu;
    TcgKey key;
    TcgLimits limits;
    uint32_t mode;
    unsigned guest_insns;
    uint64_t first_pc;
    uint64_t last_pc; /* where the last instruction begins, for people */
    GuestAddr page_phys[2];
    const uint8_t *page_host[2];
    AddressSpace *page_as;
    unsigned page_count;
    uint64_t page_pc[2];            /* the first instruction's, and one beside it */
    uint64_t page_ram[2];           /* RAM offset of the page, or TCG_NOT_RAM */
    uint64_t low_pc[2], high_pc[2]; /* of instructions that start there; low above high: none */
    uint64_t visited[2 * (1 << TCG_PAGE_BITS) / 64]; /* offsets in an even and an odd page where
                                                      * they start */
    IrInsnStart insn_start;
    IrInsn insns[IR_MAX_INSNS];
};

void ir_begin(IrBuilder *b, const TcgTargetOps *ops);

static inline const IrInsn *ir_insn(const IrBuilder *b, IrRef ref)
{
    return &b->insns[ref];
}
static inline bool ir_op_is(const IrInsn *insn, unsigned flags)
{
    return ir_ops[insn->op].flags & flags;
}
static inline unsigned ir_type_bits(IrType type)
{
    return type == IR_I32 ? 32 : type == IR_I64 ? 64 : type == IR_V128 ? 128 : 256;
}

/* SETCOND's imm is the condition and the type of what is compared. */
static inline IrCond ir_setcond_cond(const IrInsn *insn)
{
    return insn->imm & 0xff;
}
static inline IrType ir_setcond_type(const IrInsn *insn)
{
    return insn->imm >> 8;
}

/* As ir_exit_direct(), in a mode by its number. */
void ir_exit_direct_in(IrBuilder *b, uint64_t pc, uint32_t mode);
/* Values that a snapshot adds to memory: by slot, the newest first. */
typedef struct IrSnapshot {
    unsigned count;
    struct { uint16_t slot; IrRef value; } entries[IR_MAX_SLOTS];
} IrSnapshot;
/* `groups`: of these only. */
void ir_snapshot(const TcgTargetOps *ops, const IrInsn *insns, IrRef snap, uint64_t groups,
                 IrSnapshot *out);
/* What an exit or SYNC stores. */
void ir_stores(const IrBuilder *b, const IrInsn *insn, IrSnapshot *out);

/* At most so many values live in registers around a loop. */
#define IR_MAX_CARRIED 20
typedef struct IrCarried {
    uint16_t slot;
    bool is_dirty;  /* else it is the same all the time */
    IrRef head;     /* its value at the loop's start */
    IrRef end;      /* at its end */
} IrCarried;
typedef struct IrLoop {
    unsigned count;
    IrCarried carried[IR_MAX_CARRIED];
} IrLoop;
/*
 * A region that ends with a jump to its start: chooses what is carried in registers, at most
 * `integers` and `vectors`, and makes that part of every snapshot. Before ir_mark().
 */
void ir_carry(IrBuilder *b, unsigned integers, unsigned vectors, IrLoop *loop);

/* The I32 it gives is known to have zeros above, in the back end's registers. */
bool ir_has_zeros_above(const IrInsn *insn);
/* Replaces what only widens or narrows by its argument, whose type may then be the other one. */
void ir_alias(IrBuilder *b, IrLoop *loop);

/* Sets every insn's heat. */
void ir_mark(IrBuilder *b);

/* --- folding (ir_fold.c) --- */

/* The value it is equal to, or 0; may simplify *insn in place. */
IrRef ir_fold(IrBuilder *b, IrInsn *insn);
/* Appends or finds an equal one. */
IrRef ir_append(IrBuilder *b, const IrInsn *insn);

/* --- evaluation (ir_eval.c) --- */

/* Pure operations on integers and VLOW..VCONCAT; constants apart. */
void ir_eval(const IrInsn *insn, const IrValue *x, const IrValue *y, const IrValue *z,
             IrValue *out);
bool ir_eval_cond(IrCond cond, IrType type, uint64_t x, uint64_t y);

#endif
