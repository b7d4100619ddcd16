/*
 * The IR of a region of guest code, and its builder: what a target's translator calls.
 *
 * A region is a list of operations on SSA values: one entry, side exits, no joins. Guest registers
 * are slots; ir_put() emits no store: memory is brought up to date where the region is left, or
 * when a fault is really taken. A pure operation that no path needs is never computed, so state
 * may be put in whatever form is cheapest (lazy flags).
 *
 * The builder folds: constants, identities, equal expressions, reads of slots put before.
 * Guest addresses are I64. Scalars in floating point are the lowest lane of a V128.
 * Reference: docs/devel/cpu-engine.md.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_IR_H
#define ACCEL_TCG_IR_H

#include "accel/tcg/ir_ops.h"
#include "accel/tcg/ir_vec.h"

typedef struct IrBuilder IrBuilder;
typedef struct TcgCpu TcgCpu;
typedef uint16_t IrRef; /* a value; 0: none */

typedef enum IrType { IR_VOID, IR_I32, IR_I64, IR_V128, IR_V256 } IrType;

#define IR_OP_ENUM(NAME, name, shape, flags) IR_##NAME,
typedef enum IrOp { IR_OPS(IR_OP_ENUM) IR_OP_COUNT } IrOp;
#undef IR_OP_ENUM

/* An even condition's opposite is the odd one after it. */
typedef enum IrCond {
    IR_EQ, IR_NE, IR_LT, IR_GE, IR_LE, IR_GT,
    IR_LTU, IR_GEU, IR_LEU, IR_GTU,
    IR_TEST_EQ, IR_TEST_NE, /* (a & b) == 0, != 0 */
} IrCond;

/* How memory is accessed: size, kind and, for guest memory, the MMU mode. */
typedef uint32_t IrMem;
#define IR_MEM_8        0
#define IR_MEM_16       1
#define IR_MEM_32       2
#define IR_MEM_64       3
#define IR_MEM_128      4
#define IR_MEM_256      5
#define IR_MEM_SIZE     7     /* mask: log2 of bytes */
#define IR_MEM_SIGNED   0x08  /* the load extends by the sign; else by zeros */
#define IR_MEM_SWAP     0x10  /* the order of bytes is not the host's */
#define IR_MEM_ALIGNED  0x20  /* TcgTargetOps.unaligned if the address is not a multiple of size */
#define IR_MEM_PROBE    0x40  /* a load that only raises what it would: of a device nothing is read */
#define IR_MEM_MMU(n)   ((IrMem)(n) << 8) /* 0..7 */
#define ir_mem_bytes(mem)   (1u << ((mem) & IR_MEM_SIZE))
#define ir_mem_mmu(mem)     ((mem) >> 8 & 7)

/* A guest register: a field of the CPU's state. Slots do not overlap. */
typedef struct IrSlot {
    const char *name;
    uint32_t offset; /* in the state, of which TcgCpu is the start */
    IrType type;
    uint8_t group;   /* 0..63: what helpers read and write is told by group */
} IrSlot;

/* A C function generated code calls: fn(TcgCpu *, arguments...). At most 4, I32 or I64. */
typedef struct IrHelper {
    const char *name;
    void *fn;
    IrType result;        /* IR_VOID, IR_I32, IR_I64 */
    uint8_t arg_count;
    IrType args[4];
    uint64_t reads;       /* BIT64(group): slots that must be in memory */
    uint64_t writes;      /* likewise; what was known of them is forgotten */
    uint8_t flags;        /* IrHelperFlags */
} IrHelper;
typedef enum IrHelperFlags {
    IR_HELPER_RAISES = 1, /* may call what is said in accel/tcg/memory.h to raise, and tcg_raise() */
    IR_HELPER_PURE = 2,   /* the result depends on the arguments alone, which do not include the
                           * state: fn(arguments...) */
} IrHelperFlags;
#define IR_ALL_GROUPS UINT64_MAX

/* --- values --- */

IrType ir_type(const IrBuilder *b, IrRef ref);
IrRef ir_const(IrBuilder *b, IrType type, uint64_t value); /* I32, I64 */
static inline IrRef ir_i32(IrBuilder *b, uint32_t value) { return ir_const(b, IR_I32, value); }
static inline IrRef ir_i64(IrBuilder *b, uint64_t value) { return ir_const(b, IR_I64, value); }
IrRef ir_vconst(IrBuilder *b, IrType type, const void *bytes);
/* Is it a constant, and which? */
bool ir_is_const(const IrBuilder *b, IrRef ref, uint64_t *value);

/* Folds, shares or appends. */
IrRef ir_emit(IrBuilder *b, IrOp op, IrType type, IrRef x, IrRef y, IrRef z, uint64_t imm);

/* ir_add(b, x, y), ir_zext(b, x), ir_select(b, cond, x, y) and so on, by the list. */
#define IR_FN_T_T(op, fn)                                                                          \
    static inline IrRef fn(IrBuilder *b, IrRef x)                                                  \
    { return ir_emit(b, op, ir_type(b, x), x, 0, 0, 0); }
#define IR_FN_L_I(op, fn)                                                                          \
    static inline IrRef fn(IrBuilder *b, IrRef x) { return ir_emit(b, op, IR_I64, x, 0, 0, 0); }
#define IR_FN_I_L(op, fn)                                                                          \
    static inline IrRef fn(IrBuilder *b, IrRef x) { return ir_emit(b, op, IR_I32, x, 0, 0, 0); }
#define IR_FN_T_TT(op, fn)                                                                         \
    static inline IrRef fn(IrBuilder *b, IrRef x, IrRef y)                                         \
    { return ir_emit(b, op, ir_type(b, x), x, y, 0, 0); }
#define IR_FN_T_ITT(op, fn)                                                                        \
    static inline IrRef fn(IrBuilder *b, IrRef c, IrRef x, IrRef y)                                \
    { return ir_emit(b, op, ir_type(b, x), c, x, y, 0); }
#define IR_FN_SPECIAL(op, fn)
#define IR_OP_FN(NAME, name, shape, flags) IR_FN_##shape(IR_##NAME, ir_##name)
IR_OPS(IR_OP_FN)
#undef IR_OP_FN

IrRef ir_extract(IrBuilder *b, IrRef x, unsigned pos, unsigned len);          /* zero extended */
IrRef ir_deposit(IrBuilder *b, IrRef x, IrRef field, unsigned pos, unsigned len);
IrRef ir_setcond(IrBuilder *b, IrCond cond, IrRef x, IrRef y);
IrRef ir_vlow(IrBuilder *b, IrRef x);
IrRef ir_vhigh(IrBuilder *b, IrRef x);
IrRef ir_vconcat(IrBuilder *b, IrRef low, IrRef high);
/* One instruction of accel/tcg/ir_vec.h, which says what the arguments are; absent ones are 0. */
IrRef ir_vec(IrBuilder *b, IrVec vec, IrType type, IrRef x, IrRef y, IrRef z, unsigned imm8);
/* This host has the instruction at this width. */
bool ir_has_vec(IrVec vec, IrType type);

/* --- state and memory --- */

IrRef ir_get(IrBuilder *b, unsigned slot);
void ir_put(IrBuilder *b, unsigned slot, IrRef x);
/* Fields of the state that are no slots; `index` (I64, bytes) may be 0. */
IrRef ir_ld(IrBuilder *b, IrType type, IrMem mem, uint32_t offset, IrRef index);
void ir_st(IrBuilder *b, IrMem mem, uint32_t offset, IrRef index, IrRef x);
/* Guest memory. A load of 8 to 32 bits may give I32 or I64; a store takes the low bits. */
IrRef ir_load(IrBuilder *b, IrType type, IrMem mem, IrRef addr);
void ir_store(IrBuilder *b, IrMem mem, IrRef addr, IrRef x);
/* Atomic; the old value, zero extended. `op` is XCHG or FETCH_x. */
IrRef ir_atomic(IrBuilder *b, IrOp op, IrMem mem, IrRef addr, IrRef x);
IrRef ir_cmpxchg(IrBuilder *b, IrMem mem, IrRef addr, IrRef expected, IrRef x);
/* Orders all accesses to guest memory. */
void ir_fence(IrBuilder *b);
/* Up to four arguments; the result or 0. */
IrRef ir_call(IrBuilder *b, const IrHelper *helper, const IrRef *args);
#define ir_call_v(b, helper, ...) ir_call(b, helper, (const IrRef[]){ __VA_ARGS__ })
/* Brings these groups of slots up to date in memory, now. */
void ir_sync(IrBuilder *b, uint64_t groups);

/* --- control: see accel/tcg/translate.h for following jumps --- */

/* Ends the region: goes on at `pc` (put into the PC slot), in the same mode. */
void ir_exit_direct(IrBuilder *b, uint64_t pc);
void ir_exit_indirect(IrBuilder *b, IrRef pc);
/* As the two, and the target will return to `return_pc`. */
void ir_exit_call(IrBuilder *b, IrRef pc, uint64_t return_pc);
void ir_exit_return(IrBuilder *b, IrRef pc);
/* Back to the main loop, which looks again at mode, requests and PC (put by the caller). */
void ir_exit_main(IrBuilder *b);
/* Leaves for `pc` if the condition holds, else goes on. */
void ir_exit_if(IrBuilder *b, IrCond cond, IrRef x, IrRef y, uint64_t pc);

/* --- text --- */

const char *ir_op_name(IrOp op);
const char *ir_cond_name(IrCond cond);
/* All of it, one operation a line. */
void ir_dump(const IrBuilder *b, GString *out);
/* NULL, or what is wrong with it (g_free). */
char *ir_check(const IrBuilder *b);

#endif
