/*
 * Folding: what an operation is equal to, seen when it is built.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir_internal.h"

typedef struct Fold {
    IrBuilder *b;
    IrInsn *insn;
    const IrInsn *x, *y;     /* the first two arguments */
    bool x_is_const, y_is_const;
    uint64_t cx, cy;
    uint64_t ones;           /* all bits of the type */
} Fold;

static bool is_integer(IrType type)
{
    return type == IR_I32 || type == IR_I64;
}

/* The value with its low `bits` counting is the same as ref's: strip what changes upper bits. */
static IrRef strip_upper(IrBuilder *b, IrRef ref, unsigned bits)
{
    for (;;) {
        const IrInsn *insn = ir_insn(b, ref);
        unsigned kept;
        uint64_t mask;

        switch (insn->op) {
        case IR_ZEXT8:
        case IR_SEXT8:
            kept = 8;
            break;
        case IR_ZEXT16:
        case IR_SEXT16:
            kept = 16;
            break;
        case IR_ZEXT32:
        case IR_SEXT32:
            kept = 32;
            break;
        case IR_EXTRACT:
            kept = insn->imm & 0xff ? 0 : insn->imm >> 8;
            break;
        case IR_AND:
            kept = ir_is_const(b, insn->b, &mask) ? __builtin_ctzll(~mask | BIT64(63)) : 0;
            break;
        case IR_TRUNC: {
            IrRef wide = strip_upper(b, insn->a, bits);

            return wide == insn->a ? ref : strip_upper(b, ir_trunc(b, wide), bits);
        }
        case IR_DEPOSIT:
            if ((insn->imm & 0xff) >= bits) {
                ref = insn->a;
                continue;
            }
            if ((insn->imm & 0xff) == 0 && (insn->imm >> 8) >= bits) {
                ref = insn->b;
                continue;
            }
            return ref;
        default:
            return ref;
        }
        if (kept < bits) {
            return ref;
        }
        ref = insn->a;
    }
}

/* How many low bits can be other than zero. */
static unsigned width_of(const IrBuilder *b, IrRef ref)
{
    const IrInsn *insn = ir_insn(b, ref);
    unsigned full = ir_type_bits(insn->type);

    switch (insn->op) {
    case IR_CONST:
        return insn->imm ? 64 - __builtin_clzll(insn->imm) : 1;
    case IR_ZEXT8:
        return 8;
    case IR_ZEXT16:
        return 16;
    case IR_ZEXT32:
        return 32;
    case IR_ZEXT:
        return width_of(b, insn->a);
    case IR_SETCOND:
        return 1;
    case IR_EXTRACT:
        return insn->imm >> 8;
    case IR_AND:
        return MIN(width_of(b, insn->a), width_of(b, insn->b));
    case IR_LOAD:
        return insn->imm & IR_MEM_SIGNED ? full : MIN(full, 8 * ir_mem_bytes(insn->imm));
    default:
        return full;
    }
}

static IrRef result(Fold *f, uint64_t value)
{
    return ir_const(f->b, f->insn->type, value);
}

static IrRef fold_constants(Fold *f)
{
    bool is_unary = !f->insn->b;
    IrValue x = { .u64 = f->cx }, y = { .u64 = f->cy }, out;

    if (!f->x_is_const || !(is_unary || f->y_is_const)) {
        return 0;
    }
    ir_eval(f->insn, &x, &y, NULL, &out);
    return result(f, out.u64);
}

static IrRef fold_extension(Fold *f, unsigned bits, bool is_signed)
{
    f->insn->a = strip_upper(f->b, f->insn->a, bits);
    if (width_of(f->b, f->insn->a) <= (is_signed ? bits - 1 : bits)) {
        return f->insn->a;
    }
    f->x = ir_insn(f->b, f->insn->a);
    f->x_is_const = ir_is_const(f->b, f->insn->a, &f->cx);
    /* The upper half of an I64 made of an I32. */
    if (bits == 32 && f->x->op == IR_ZEXT && is_signed) {
        return ir_sext(f->b, f->x->a);
    }
    if (bits == 32 && f->x->op == IR_SEXT) {
        return is_signed ? f->insn->a : ir_zext(f->b, f->x->a);
    }
    return fold_constants(f);
}

static IrRef fold_width_change(Fold *f)
{
    const IrInsn *x = f->x;

    if (f->insn->op == IR_TRUNC) {
        f->insn->a = strip_upper(f->b, f->insn->a, 32);
        x = ir_insn(f->b, f->insn->a);
        if (x->op == IR_ZEXT || x->op == IR_SEXT) {
            return x->a;
        }
        return ir_is_const(f->b, f->insn->a, &f->cx) ? result(f, f->cx) : 0;
    }
    if (f->insn->op == IR_ZEXT && x->op == IR_TRUNC) {
        return ir_emit(f->b, IR_ZEXT32, IR_I64, x->a, 0, 0, 0);
    }
    if (f->insn->op == IR_SEXT && x->op == IR_TRUNC) {
        return ir_emit(f->b, IR_SEXT32, IR_I64, x->a, 0, 0, 0);
    }
    return fold_constants(f);
}

/* (x op c1) op c2 */
static IrRef fold_chain(Fold *f)
{
    uint64_t inner;

    if (f->y_is_const && f->x->op == f->insn->op && ir_is_const(f->b, f->x->b, &inner)) {
        IrValue a = { .u64 = inner }, c = { .u64 = f->cy }, out;

        ir_eval(f->insn, &a, &c, NULL, &out);
        return ir_emit(f->b, f->insn->op, f->insn->type, f->x->a, result(f, out.u64), 0, 0);
    }
    return 0;
}

static IrRef fold_and(Fold *f)
{
    if (f->y_is_const && f->cy == 0) {
        return f->insn->b;
    }
    if ((f->y_is_const && f->cy == f->ones) || f->insn->a == f->insn->b) {
        return f->insn->a;
    }
    if (f->y_is_const && (f->cy & (f->cy + 1)) == 0 &&
        width_of(f->b, f->insn->a) <= __builtin_ctzll(~f->cy)) {
        return f->insn->a;
    }
    if (f->y_is_const && (f->cy == 0xff || f->cy == 0xffff)) {
        return ir_emit(f->b, f->cy == 0xff ? IR_ZEXT8 : IR_ZEXT16, f->insn->type, f->insn->a, 0, 0,
                       0);
    }
    if (f->y_is_const && f->cy == UINT32_MAX) {
        return ir_emit(f->b, IR_ZEXT32, IR_I64, f->insn->a, 0, 0, 0);
    }
    return fold_chain(f);
}

static IrRef fold_or_xor_add(Fold *f)
{
    if (f->y_is_const && f->cy == 0) {
        return f->insn->a;
    }
    if (f->insn->op == IR_OR) {
        if (f->insn->a == f->insn->b) {
            return f->insn->a;
        }
        if (f->y_is_const && f->cy == f->ones) {
            return f->insn->b;
        }
    }
    if (f->insn->op == IR_XOR) {
        if (f->insn->a == f->insn->b) {
            return result(f, 0);
        }
        if (f->y_is_const && f->cy == f->ones) {
            return ir_not(f->b, f->insn->a);
        }
    }
    return fold_chain(f);
}

static IrRef fold_sub(Fold *f)
{
    if (f->insn->a == f->insn->b) {
        return result(f, 0);
    }
    if (f->y_is_const) {
        return ir_add(f->b, f->insn->a, result(f, -f->cy));
    }
    return f->x_is_const && f->cx == 0 ? ir_neg(f->b, f->insn->b) : 0;
}

static IrRef fold_mul(Fold *f)
{
    if (!f->y_is_const) {
        return 0;
    }
    if (f->cy == 0) {
        return f->insn->b;
    }
    if ((f->cy & (f->cy - 1)) == 0) {
        return ir_shl(f->b, f->insn->a, result(f, __builtin_ctzll(f->cy)));
    }
    return fold_chain(f);
}

static IrRef fold_shift(Fold *f)
{
    unsigned mask = ir_type_bits(f->insn->type) - 1;

    if (f->x_is_const && f->cx == 0) {
        return f->insn->a;
    }
    if (!f->y_is_const) {
        /* The count is taken modulo the width anyway. */
        f->insn->b = strip_upper(f->b, f->insn->b, mask == 31 ? 5 : 6);
        return 0;
    }
    if ((f->cy & mask) == 0) {
        return f->insn->a;
    }
    f->insn->b = result(f, f->cy & mask);
    return 0;
}

static IrRef fold_extract(Fold *f)
{
    unsigned pos = f->insn->imm & 0xff, len = f->insn->imm >> 8;
    IrType type = f->insn->type;

    if (f->x->op == IR_DEPOSIT) {
        unsigned at = f->x->imm & 0xff, end = at + (f->x->imm >> 8);

        if (pos >= at && pos + len <= end) {
            return ir_extract(f->b, f->x->b, pos - at, len);
        }
        if (pos + len <= at || pos >= end) {
            return ir_extract(f->b, f->x->a, pos, len);
        }
    }
    if (pos == 0) {
        if (len == ir_type_bits(type)) {
            return f->insn->a;
        }
        if (len == 8 || len == 16 || len == 32) {
            return ir_emit(f->b, len == 8 ? IR_ZEXT8 : len == 16 ? IR_ZEXT16 : IR_ZEXT32, type,
                           f->insn->a, 0, 0, 0);
        }
        return ir_and(f->b, f->insn->a, result(f, BIT64(len) - 1));
    }
    if (pos + len == ir_type_bits(type)) {
        return ir_shr(f->b, f->insn->a, result(f, pos));
    }
    return 0;
}

static IrRef fold_deposit(Fold *f)
{
    unsigned pos = f->insn->imm & 0xff, len = f->insn->imm >> 8;

    if (len == ir_type_bits(f->insn->type)) {
        return f->insn->b;
    }
    f->insn->b = strip_upper(f->b, f->insn->b, len);
    /* What is covered by this one. */
    if (f->x->op == IR_DEPOSIT && (f->x->imm & 0xff) >= pos &&
        (f->x->imm & 0xff) + (f->x->imm >> 8) <= pos + len) {
        f->insn->a = f->x->a;
    }
    if (pos == 0 && strip_upper(f->b, f->insn->a, len) == f->insn->b) {
        return f->insn->a;
    }
    f->y_is_const = ir_is_const(f->b, f->insn->b, &f->cy);
    f->x_is_const = ir_is_const(f->b, f->insn->a, &f->cx);
    return 0;
}

static IrCond swap_cond(IrCond cond)
{
    static const uint8_t swapped[] = {
        [IR_EQ] = IR_EQ, [IR_NE] = IR_NE, [IR_LT] = IR_GT, [IR_GE] = IR_LE, [IR_LE] = IR_GE,
        [IR_GT] = IR_LT, [IR_LTU] = IR_GTU, [IR_GEU] = IR_LEU, [IR_LEU] = IR_GEU,
        [IR_GTU] = IR_LTU, [IR_TEST_EQ] = IR_TEST_EQ, [IR_TEST_NE] = IR_TEST_NE,
    };

    return swapped[cond];
}

static IrRef fold_setcond(Fold *f)
{
    IrInsn *insn = f->insn;
    IrCond cond = ir_setcond_cond(insn);
    IrType type = ir_setcond_type(insn);

    if (f->x_is_const && f->y_is_const) {
        return result(f, ir_eval_cond(cond, type, f->cx, f->cy));
    }
    if (insn->a == insn->b && cond < IR_TEST_EQ) {
        return result(f, ir_eval_cond(cond, type, 0, 0));
    }
    if (f->x_is_const) {
        IrRef a = insn->a;

        insn->a = insn->b;
        insn->b = a;
        insn->imm = swap_cond(cond) | type << 8;
        return 0;
    }
    if (f->y_is_const && f->cy == 0 && f->x->op == IR_SETCOND && (cond == IR_NE || cond == IR_EQ)) {
        return cond == IR_NE ? insn->a
                             : ir_emit(f->b, IR_SETCOND, IR_I32, f->x->a, f->x->b, 0,
                                       f->x->imm ^ 1);
    }
    return 0;
}

static IrRef fold_select(Fold *f)
{
    if (f->x_is_const) {
        return f->cx ? f->insn->b : f->insn->c;
    }
    return f->insn->b == f->insn->c ? f->insn->b : 0;
}

static IrRef fold_vector(Fold *f)
{
    const IrInsn *x = f->x;

    switch (f->insn->op) {
    case IR_VLOW:
        return x->op == IR_VCONCAT ? x->a : 0;
    case IR_VHIGH:
        return x->op == IR_VCONCAT ? x->b : 0;
    case IR_VCONCAT:
        return x->op == IR_VLOW && f->y->op == IR_VHIGH && x->a == f->y->a ? x->a : 0;
    default:
        return 0;
    }
}

static void prepare(Fold *f)
{
    IrInsn *insn = f->insn;

    if ((ir_ops[insn->op].flags & IR_COMMUTES) && ir_insn(f->b, insn->a)->op == IR_CONST) {
        IrRef a = insn->a;

        insn->a = insn->b;
        insn->b = a;
    }
    f->x = ir_insn(f->b, insn->a);
    f->y = ir_insn(f->b, insn->b);
    f->x_is_const = insn->a && ir_is_const(f->b, insn->a, &f->cx);
    f->y_is_const = insn->b && ir_is_const(f->b, insn->b, &f->cy);
    f->ones = insn->type == IR_I32 ? UINT32_MAX : UINT64_MAX;
}

IrRef ir_fold(IrBuilder *b, IrInsn *insn)
{
    Fold f = { .b = b, .insn = insn };
    IrRef found = 0;

    if (!insn->a) {
        return 0;
    }
    prepare(&f);
    switch ((IrOp)insn->op) {
    case IR_ZEXT8:
        return fold_extension(&f, 8, false);
    case IR_SEXT8:
        return fold_extension(&f, 8, true);
    case IR_ZEXT16:
        return fold_extension(&f, 16, false);
    case IR_SEXT16:
        return fold_extension(&f, 16, true);
    case IR_ZEXT32:
        return fold_extension(&f, 32, false);
    case IR_SEXT32:
        return fold_extension(&f, 32, true);
    case IR_ZEXT:
    case IR_SEXT:
    case IR_TRUNC:
        return fold_width_change(&f);
    case IR_SELECT:
        return fold_select(&f);
    case IR_SETCOND:
        return fold_setcond(&f);
    case IR_VLOW:
    case IR_VHIGH:
    case IR_VCONCAT:
        return fold_vector(&f);
    case IR_AND:
        found = fold_and(&f);
        break;
    case IR_OR:
    case IR_XOR:
    case IR_ADD:
        found = fold_or_xor_add(&f);
        break;
    case IR_SUB:
        found = f.x_is_const && f.y_is_const ? 0 : fold_sub(&f);
        break;
    case IR_MUL:
        found = fold_mul(&f);
        break;
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROTL:
    case IR_ROTR:
        found = fold_shift(&f);
        break;
    case IR_EXTRACT:
        found = f.x_is_const ? 0 : fold_extract(&f);
        break;
    case IR_DEPOSIT:
        found = fold_deposit(&f);
        break;
    case IR_NOT:
    case IR_NEG:
        found = f.x->op == insn->op ? f.x->a : 0;
        break;
    default:
        break;
    }
    if (found) {
        return found;
    }
    return is_integer(insn->type) && ir_op_is(insn, IR_PURE) && insn->op != IR_VEC
               ? fold_constants(&f)
               : 0;
}
