/*
 * What operations compute: one definition for folding, the interpreter and the unwinder.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir_internal.h"

static uint64_t mask_of(unsigned len)
{
    return len == 64 ? UINT64_MAX : BIT64(len) - 1;
}

static int64_t sign_extend(IrType type, uint64_t x)
{
    return type == IR_I32 ? (int32_t)x : (int64_t)x;
}

bool ir_eval_cond(IrCond cond, IrType type, uint64_t x, uint64_t y)
{
    int64_t sx = sign_extend(type, x), sy = sign_extend(type, y);

    x = type == IR_I32 ? (uint32_t)x : x;
    y = type == IR_I32 ? (uint32_t)y : y;
    switch (cond) {
    case IR_EQ:
        return x == y;
    case IR_NE:
        return x != y;
    case IR_LT:
        return sx < sy;
    case IR_GE:
        return sx >= sy;
    case IR_LE:
        return sx <= sy;
    case IR_GT:
        return sx > sy;
    case IR_LTU:
        return x < y;
    case IR_GEU:
        return x >= y;
    case IR_LEU:
        return x <= y;
    case IR_GTU:
        return x > y;
    case IR_TEST_EQ:
        return (x & y) == 0;
    case IR_TEST_NE:
        return (x & y) != 0;
    }
    return false;
}

/* Of either width, for I32 with zeros above x and y; what is above in the result is cut later. */
static uint64_t eval_regular(const IrInsn *insn, uint64_t x, uint64_t y)
{
    unsigned bits = ir_type_bits(insn->type), n = y & (bits - 1), rest = -n & (bits - 1);
    int64_t sx = sign_extend(insn->type, x), sy = sign_extend(insn->type, y);

    switch ((IrOp)insn->op) {
    case IR_NOT:
        return ~x;
    case IR_NEG:
        return -x;
    case IR_BSWAP:
        return __builtin_bswap64(x) >> (64 - bits);
    case IR_CLZ:
        return x ? __builtin_clzll(x) - (64 - bits) : bits;
    case IR_CTZ:
        return x ? __builtin_ctzll(x) : bits;
    case IR_POPCNT:
        return __builtin_popcountll(x);
    case IR_ZEXT8:
        return (uint8_t)x;
    case IR_ZEXT16:
        return (uint16_t)x;
    case IR_ZEXT32:
        return (uint32_t)x;
    case IR_SEXT8:
        return (int8_t)x;
    case IR_SEXT16:
        return (int16_t)x;
    case IR_SEXT32:
        return (int32_t)x;
    case IR_ADD:
        return x + y;
    case IR_SUB:
        return x - y;
    case IR_MUL:
        return x * y;
    case IR_MULHU:
        return (unsigned __int128)x * y >> bits;
    case IR_MULHS:
        return (__int128)sx * sy >> bits;
    case IR_AND:
        return x & y;
    case IR_OR:
        return x | y;
    case IR_XOR:
        return x ^ y;
    case IR_SHL:
        return x << n;
    case IR_SHR:
        return x >> n;
    case IR_SAR:
        return sx >> n;
    case IR_ROTL:
        return x << n | x >> rest;
    case IR_ROTR:
        return x >> n | x << rest;
    default:
        g_assert_not_reached();
    }
}

static uint64_t deposit(uint64_t x, uint64_t field, unsigned imm)
{
    unsigned pos = imm & 0xff;
    uint64_t mask = mask_of(imm >> 8) << pos;

    return (x & ~mask) | (field << pos & mask);
}

void ir_eval(const IrInsn *insn, const IrValue *x, const IrValue *y, const IrValue *z,
             IrValue *out)
{
    uint64_t a = x->u64, result;

    switch ((IrOp)insn->op) {
    case IR_SELECT:
        *out = x->u32 ? *y : *z;
        out->u64 = insn->type == IR_I32 ? out->u32 : out->u64;
        return;
    case IR_SETCOND:
        result = ir_eval_cond(ir_setcond_cond(insn), ir_setcond_type(insn), a, y->u64);
        break;
    case IR_ZEXT:
        result = (uint32_t)a;
        break;
    case IR_SEXT:
        result = (int32_t)a;
        break;
    case IR_TRUNC:
        result = (uint32_t)a;
        break;
    case IR_EXTRACT:
        result = a >> (insn->imm & 0xff) & mask_of(insn->imm >> 8);
        break;
    case IR_DEPOSIT:
        result = deposit(a, y->u64, insn->imm);
        break;
    case IR_VLOW:
        *out = *x;
        out->quads[2] = out->quads[3] = 0;
        return;
    case IR_VHIGH:
        *out = (IrValue){ .quads = { x->quads[2], x->quads[3] } };
        return;
    case IR_VCONCAT:
        *out = (IrValue){ .quads = { x->quads[0], x->quads[1], y->quads[0], y->quads[1] } };
        return;
    default:
        result = insn->type == IR_I32 ? eval_regular(insn, x->u32, y ? y->u32 : 0)
                                      : eval_regular(insn, a, y ? y->u64 : 0);
        break;
    }
    out->u64 = insn->type == IR_I32 ? (uint32_t)result : result;
}
