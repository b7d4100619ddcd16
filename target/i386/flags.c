/*
 * Arithmetic flags from what instructions recorded: see flags.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/flags.h"

/* One recorded operation; values are cut to its width. */
typedef struct Operands {
    uint64_t result, a, b, carry, sign;
} Operands;

static uint32_t result_flags(const Operands *o)
{
    uint32_t flags = __builtin_parity(o->result & 0xff) ? 0 : FLAG_PF;

    flags |= o->result ? 0 : FLAG_ZF;
    return flags | (o->result & o->sign ? FLAG_SF : 0);
}

static uint32_t carry_flags(bool is_carry, bool is_half, bool is_overflow)
{
    return (is_carry ? FLAG_CF : 0) | (is_half ? FLAG_AF : 0) | (is_overflow ? FLAG_OF : 0);
}

static uint32_t add_flags(const Operands *o)
{
    return carry_flags(o->carry ? o->result <= o->b : o->result < o->b,
                       (o->result ^ o->a ^ o->b) & 0x10,
                       (o->a ^ o->result) & (o->b ^ o->result) & o->sign);
}

static uint32_t sub_flags(const Operands *o)
{
    return carry_flags(o->carry ? o->a <= o->b : o->a < o->b, (o->result ^ o->a ^ o->b) & 0x10,
                       (o->a ^ o->b) & (o->a ^ o->result) & o->sign);
}

static uint32_t shift_flags(const Operands *o, bool is_carry)
{
    return carry_flags(is_carry, false, (o->result ^ o->b) & o->sign);
}

uint32_t x86_flags_compute(uint32_t op, uint64_t result, uint64_t src, uint64_t src2)
{
    unsigned bits = 8u << (op & 3);
    uint64_t mask = UINT64_MAX >> (64 - bits);
    Operands o = { result & mask, 0, src & mask, src2 & 1, BIT64(bits - 1) };

    switch (op & ~3u) {
    case FLAGS_ADD:
        o.carry = 0;
        G_GNUC_FALLTHROUGH;
    case FLAGS_ADC:
        o.a = (o.result - o.b - o.carry) & mask;
        return result_flags(&o) | add_flags(&o);
    case FLAGS_SUB:
        o.carry = 0;
        G_GNUC_FALLTHROUGH;
    case FLAGS_SBB:
        o.a = (o.result + o.b + o.carry) & mask;
        return result_flags(&o) | sub_flags(&o);
    case FLAGS_LOGIC:
        return result_flags(&o);
    case FLAGS_INC:
        return result_flags(&o) |
               carry_flags(o.b & 1, !(o.result & 0xf), o.result == o.sign);
    case FLAGS_DEC:
        return result_flags(&o) |
               carry_flags(o.b & 1, (o.result & 0xf) == 0xf, o.result == o.sign - 1);
    case FLAGS_SHL:
        return result_flags(&o) | shift_flags(&o, o.b & o.sign);
    case FLAGS_SHR:
        return result_flags(&o) | shift_flags(&o, o.b & 1);
    case FLAGS_MUL:
        return result_flags(&o) | (src ? FLAG_CF | FLAG_OF : 0);
    case FLAGS_BITS:
        return result_flags(&o) | (o.b & 1 ? FLAG_CF : 0);
    default:
        return src & FLAGS_ARITH;
    }
}
