/*
 * Flags and condition codes in translated code: SDM volume 1, appendix B. A comparison that follows
 * from what this region knows is one host comparison; else the flags are computed from the slots.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

/* Places in EFLAGS. */
enum { BIT_CF = 0, BIT_PF = 2, BIT_AF = 4, BIT_ZF = 6, BIT_SF = 7, BIT_OF = 11 };

static const IrHelper compute_helper = {
    .name = "flags", .fn = x86_flags_compute, .result = IR_I32, .arg_count = 4,
    .args = { IR_I32, IR_I64, IR_I64, IR_I64 }, .flags = IR_HELPER_PURE,
};

static uint32_t slot_op(const X86KnownFlags *f)
{
    return f->op == FLAGS_KNOWN ? FLAGS_KNOWN : f->op + (uint32_t)__builtin_ctz(f->bytes);
}

/* FLAGS_x: what the slots of the sources hold. */
static void put_sources(X86Tr *t, const X86KnownFlags *f)
{
    IrBuilder *b = t->b;

    switch (f->op) {
    case FLAGS_ADC:
    case FLAGS_SBB:
        ir_put(b, SLOT_FLAGS_SRC2, tr_to_i64(t, f->carry));
        __attribute__((fallthrough));
    case FLAGS_ADD:
    case FLAGS_SUB:
    case FLAGS_SHL:
    case FLAGS_SHR:
        ir_put(b, SLOT_FLAGS_SRC, tr_to_i64(t, f->b));
        break;
    case FLAGS_LOGIC:
        break;
    default:
        ir_put(b, SLOT_FLAGS_SRC, tr_to_i64(t, f->carry));
        break;
    }
}

void tr_set_flags(X86Tr *t, X86KnownFlags flags)
{
    flags.is_known = true;
    t->flags = flags;
    ir_put(t->b, SLOT_FLAGS_OP, ir_i32(t->b, slot_op(&flags)));
    if (flags.result) {
        ir_put(t->b, SLOT_FLAGS_RESULT, tr_to_i64(t, flags.result));
    }
    put_sources(t, &flags);
}

void tr_set_logic_flags(X86Tr *t, unsigned bytes, IrRef result)
{
    tr_set_flags(t, (X86KnownFlags){ .op = FLAGS_LOGIC, .bytes = bytes, .result = result });
}

void tr_set_flags_word(X86Tr *t, IrRef word)
{
    tr_set_flags(t, (X86KnownFlags){ .op = FLAGS_KNOWN, .bytes = 4, .carry = word });
}

void tr_merge_flags(X86Tr *t, uint32_t mask, IrRef word)
{
    IrRef old = ir_and(t->b, tr_flags_word(t), ir_i32(t->b, ~mask));

    tr_set_flags_word(t, ir_or(t->b, old, word));
}

void tr_forget_flags(X86Tr *t)
{
    t->flags = (X86KnownFlags){ .is_known = false };
}

IrRef tr_flags_word(X86Tr *t)
{
    if (t->flags.is_known && t->flags.op == FLAGS_KNOWN) {
        return t->flags.carry;
    }
    return ir_call_v(t->b, &compute_helper, ir_get(t->b, SLOT_FLAGS_OP),
                     ir_get(t->b, SLOT_FLAGS_RESULT), ir_get(t->b, SLOT_FLAGS_SRC),
                     ir_get(t->b, SLOT_FLAGS_SRC2));
}

static IrRef word_bit(X86Tr *t, unsigned bit)
{
    return ir_extract(t->b, tr_flags_word(t), bit, 1);
}

static IrRef zero_of(X86Tr *t, IrRef like)
{
    return ir_const(t->b, ir_type(t->b, like), 0);
}

/* CF of ADC and SBB: the sum of three, in a wider type or by steps. */
static IrRef carry_of_three(X86Tr *t, const X86KnownFlags *f)
{
    IrBuilder *b = t->b;
    bool is_adc = f->op == FLAGS_ADC;
    IrRef without = is_adc ? ir_setcond(b, IR_LTU, f->result, f->b)
                           : ir_setcond(b, IR_LTU, f->a, f->b);
    IrRef with = is_adc ? ir_setcond(b, IR_LEU, f->result, f->b)
                        : ir_setcond(b, IR_LEU, f->a, f->b);

    return ir_select(b, f->carry, with, without);
}

IrRef tr_carry(X86Tr *t)
{
    const X86KnownFlags *f = &t->flags;
    IrBuilder *b = t->b;

    if (!f->is_known) {
        return word_bit(t, BIT_CF);
    }
    switch (f->op) {
    case FLAGS_ADD:
        return ir_setcond(b, IR_LTU, f->result, f->b);
    case FLAGS_SUB:
        return ir_setcond(b, IR_LTU, f->a, f->b);
    case FLAGS_ADC:
    case FLAGS_SBB:
        return carry_of_three(t, f);
    case FLAGS_LOGIC:
        return ir_i32(b, 0);
    case FLAGS_INC:
    case FLAGS_DEC:
    case FLAGS_BITS:
        return f->carry;
    case FLAGS_SHL:
        return tr_to_i32(t, ir_extract(b, f->b, 8 * f->bytes - 1, 1));
    case FLAGS_SHR:
        return tr_to_i32(t, ir_extract(b, f->b, 0, 1));
    case FLAGS_MUL:
        return ir_setcond(b, IR_NE, f->carry, zero_of(t, f->carry));
    default:
        return word_bit(t, BIT_CF);
    }
}

static X86Test test(IrCond cond, IrRef x, IrRef y)
{
    return (X86Test){ cond, x, y };
}

static X86Test test_bit(X86Tr *t, unsigned bit)
{
    return test(IR_TEST_NE, tr_flags_word(t), ir_i32(t->b, BIT(bit)));
}

static X86Test test_value(X86Tr *t, IrRef value)
{
    return test(IR_NE, value, ir_i32(t->b, 0));
}

static bool has_result(const X86KnownFlags *f)
{
    return f->is_known && f->op != FLAGS_KNOWN;
}

static X86Test test_zero(X86Tr *t)
{
    const X86KnownFlags *f = &t->flags;

    if (f->is_known && f->op == FLAGS_SUB) {
        return test(IR_EQ, f->a, f->b);
    }
    return has_result(f) ? test(IR_EQ, f->result, zero_of(t, f->result)) : test_bit(t, BIT_ZF);
}

static X86Test test_sign(X86Tr *t)
{
    const X86KnownFlags *f = &t->flags;

    if (has_result(f)) {
        return test(IR_LT, tr_sign_extend(t, f->bytes, f->result), zero_of(t, f->result));
    }
    return test_bit(t, BIT_SF);
}

static X86Test test_parity(X86Tr *t)
{
    const X86KnownFlags *f = &t->flags;

    if (has_result(f)) {
        IrRef low = ir_zext8(t->b, tr_to_i32(t, f->result));

        return test(IR_TEST_EQ, ir_popcnt(t->b, low), ir_i32(t->b, 1));
    }
    return test_bit(t, BIT_PF);
}

static X86Test test_below_or_equal(X86Tr *t)
{
    const X86KnownFlags *f = &t->flags;

    if (f->is_known && f->op == FLAGS_SUB) {
        return test(IR_LEU, f->a, f->b);
    }
    if (f->is_known && f->op == FLAGS_LOGIC) {
        return test_zero(t);
    }
    if (has_result(f)) {
        IrRef zero = ir_setcond(t->b, IR_EQ, f->result, zero_of(t, f->result));

        return test_value(t, ir_or(t->b, tr_carry(t), zero));
    }
    return test(IR_TEST_NE, tr_flags_word(t), ir_i32(t->b, FLAG_CF | FLAG_ZF));
}

/* SF != OF, as bit 0. */
static IrRef less_bit(X86Tr *t)
{
    IrRef word = tr_flags_word(t);

    return ir_xor(t->b, ir_extract(t->b, word, BIT_SF, 1), ir_extract(t->b, word, BIT_OF, 1));
}

static X86Test test_less(X86Tr *t)
{
    const X86KnownFlags *f = &t->flags;

    if (f->is_known && f->op == FLAGS_SUB) {
        return test(IR_LT, tr_sign_extend(t, f->bytes, f->a),
                    tr_sign_extend(t, f->bytes, f->b));
    }
    if (f->is_known && f->op == FLAGS_LOGIC) {
        return test_sign(t);
    }
    return test_value(t, less_bit(t));
}

static X86Test test_less_or_equal(X86Tr *t)
{
    const X86KnownFlags *f = &t->flags;

    if (f->is_known && f->op == FLAGS_SUB) {
        return test(IR_LE, tr_sign_extend(t, f->bytes, f->a),
                    tr_sign_extend(t, f->bytes, f->b));
    }
    if (f->is_known && f->op == FLAGS_LOGIC) {
        return test(IR_LE, tr_sign_extend(t, f->bytes, f->result), zero_of(t, f->result));
    }
    return test_value(t, ir_or(t->b, less_bit(t), word_bit(t, BIT_ZF)));
}

static X86Test test_even(X86Tr *t, unsigned code)
{
    switch (code >> 1) {
    case 0:
        return test_bit(t, BIT_OF);
    case 1:
        return test_value(t, tr_carry(t));
    case 2:
        return test_zero(t);
    case 3:
        return test_below_or_equal(t);
    case 4:
        return test_sign(t);
    case 5:
        return test_parity(t);
    case 6:
        return test_less(t);
    default:
        return test_less_or_equal(t);
    }
}

X86Test tr_condition(X86Tr *t, unsigned code)
{
    const X86KnownFlags *f = &t->flags;
    X86Test result;

    if ((code >> 1) == 1 && f->is_known && (f->op == FLAGS_SUB || f->op == FLAGS_ADD)) {
        result = f->op == FLAGS_SUB ? test(IR_LTU, f->a, f->b) : test(IR_LTU, f->result, f->b);
    } else {
        result = test_even(t, code);
    }
    result.cond ^= code & 1;
    return result;
}

IrRef tr_condition_value(X86Tr *t, unsigned code)
{
    X86Test c = tr_condition(t, code);

    return ir_setcond(t->b, c.cond, c.x, c.y);
}
