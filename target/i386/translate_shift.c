/*
 * Shifts and rotates: SDM volume 1, 7.3.6. A count of zero changes no flag; where it is a variable,
 * each part of the lazy flags is chosen by it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

#include "target/i386/helpers.h"

typedef enum Shift { SHIFT_LEFT, SHIFT_RIGHT, SHIFT_ARITHMETIC } Shift;

static IrRef typed(X86Tr *t, unsigned bytes, uint64_t value)
{
    return ir_const(t->b, tr_type(bytes), value);
}

/* The masked count, of the operand's type. */
static IrRef count_of(X86Tr *t, unsigned bytes, unsigned operand)
{
    IrRef count;

    if (tr_is_imm(t, operand)) {
        return typed(t, bytes, tr_op(t, operand)->imm.value.u & (bytes == 8 ? 63 : 31));
    }
    count = ir_and(t->b, tr_get_gpr(t, X86_RCX, 1), ir_i32(t->b, bytes == 8 ? 63 : 31));
    return bytes == 8 ? ir_zext(t->b, count) : count;
}

static IrRef shift_by(X86Tr *t, Shift kind, unsigned bytes, IrRef x, IrRef count)
{
    switch (kind) {
    case SHIFT_LEFT:
        return ir_shl(t->b, x, count);
    case SHIFT_RIGHT:
        return ir_shr(t->b, x, count);
    default:
        return ir_sar(t->b, tr_sign_extend(t, bytes, x), count);
    }
}

static IrRef choose(X86Tr *t, IrRef is_new, IrRef new, unsigned slot)
{
    return ir_select(t->b, is_new, new, ir_get(t->b, slot));
}

/* Flags of a shift by `count`; nothing if that is zero. */
static void set_flags_if(X86Tr *t, IrRef count, X86KnownFlags f)
{
    IrBuilder *b = t->b;
    uint32_t op = f.op + (uint32_t)__builtin_ctz(f.bytes);
    uint64_t value;
    IrRef is_new;

    if (ir_is_const(b, count, &value)) {
        if (value) {
            tr_set_flags(t, f);
        }
        return;
    }
    is_new = ir_setcond(b, IR_NE, count, ir_const(b, ir_type(b, count), 0));
    ir_put(b, SLOT_FLAGS_SRC, choose(t, is_new, tr_to_i64(t, f.b), SLOT_FLAGS_SRC));
    ir_put(b, SLOT_FLAGS_RESULT, choose(t, is_new, tr_to_i64(t, f.result), SLOT_FLAGS_RESULT));
    ir_put(b, SLOT_FLAGS_OP, choose(t, is_new, ir_i32(b, op), SLOT_FLAGS_OP));
    tr_forget_flags(t);
}

static void shift(X86Tr *t)
{
    Shift kind = t->row->arg;
    unsigned bytes = tr_bytes(t, 0);
    IrRef linear = tr_is_mem(t, 0) ? tr_address(t, 0, true) : 0;
    IrRef x = linear ? tr_load(t, bytes, linear) : tr_read(t, 0);
    IrRef count = count_of(t, bytes, 1);
    IrRef result = tr_cut(t, bytes, shift_by(t, kind, bytes, x, count));
    IrRef before = shift_by(t, kind, bytes, x, ir_sub(t->b, count, typed(t, bytes, 1)));

    tr_write_at(t, 0, linear, result);
    set_flags_if(t, count, (X86KnownFlags){
        .op = kind == SHIFT_LEFT ? FLAGS_SHL : FLAGS_SHR, .bytes = bytes, .result = result,
        .b = tr_cut(t, bytes, before) });
}

/* --- double shifts --- */

/* Of 16 bits: the operands side by side, three times over, so that counts above 16 do as Intel's. */
static IrRef double_shift16(X86Tr *t, bool is_left, IrRef x, IrRef y, IrRef count)
{
    IrBuilder *b = t->b;
    IrRef wide = ir_deposit(b, tr_to_i64(t, x), tr_to_i64(t, y), 16, 16);

    wide = ir_deposit(b, wide, tr_to_i64(t, x), 32, 16);
    count = tr_to_i64(t, count);
    return ir_trunc(b, is_left ? ir_shr(b, ir_shl(b, wide, count), ir_i64(b, 32))
                               : ir_shr(b, wide, count));
}

static IrRef double_shift(X86Tr *t, bool is_left, unsigned bytes, IrRef x, IrRef y, IrRef count)
{
    IrBuilder *b = t->b;
    IrRef one = typed(t, bytes, 1), rest, filled;

    if (bytes == 2) {
        return tr_cut(t, 2, double_shift16(t, is_left, x, y, count));
    }
    /* In two steps, so that a count of zero brings nothing in. */
    rest = ir_xor(b, count, typed(t, bytes, 8 * bytes - 1));
    filled = is_left ? ir_shr(b, ir_shr(b, y, one), rest) : ir_shl(b, ir_shl(b, y, one), rest);
    return ir_or(b, is_left ? ir_shl(b, x, count) : ir_shr(b, x, count), filled);
}

static void shift_double(X86Tr *t)
{
    bool is_left = t->row->arg;
    unsigned bytes = tr_bytes(t, 0);
    IrRef linear = tr_is_mem(t, 0) ? tr_address(t, 0, true) : 0;
    IrRef x = linear ? tr_load(t, bytes, linear) : tr_read(t, 0), y = tr_read(t, 1);
    IrRef count = count_of(t, bytes, 2);
    IrRef before = ir_and(t->b, ir_sub(t->b, count, typed(t, bytes, 1)),
                          typed(t, bytes, bytes == 8 ? 63 : 31));
    IrRef result = double_shift(t, is_left, bytes, x, y, count);

    tr_write_at(t, 0, linear, result);
    set_flags_if(t, count, (X86KnownFlags){
        .op = is_left ? FLAGS_SHL : FLAGS_SHR, .bytes = bytes, .result = result,
        .b = double_shift(t, is_left, bytes, x, y, before) });
}

/* --- rotates --- */

/* A byte or word, repeated to fill 32 bits: rotating that rotates it. */
static IrRef repeated(X86Tr *t, unsigned bytes, IrRef x)
{
    if (bytes == 1) {
        x = ir_mul(t->b, x, ir_i32(t->b, 0x01010101));
    } else if (bytes == 2) {
        x = ir_mul(t->b, x, ir_i32(t->b, 0x00010001));
    }
    return x;
}

static IrRef bit_as_i32(X86Tr *t, IrRef x, unsigned bit)
{
    return tr_to_i32(t, ir_extract(t->b, x, bit, 1));
}

static void set_rotate_flags(X86Tr *t, bool is_left, unsigned bytes, IrRef result, IrRef count)
{
    IrBuilder *b = t->b;
    unsigned top = 8 * bytes - 1;
    IrRef high = bit_as_i32(t, result, top), carry, other, word, old;
    uint64_t value;

    if (ir_is_const(b, count, &value) && !value) {
        return;
    }
    carry = is_left ? bit_as_i32(t, result, 0) : high;
    other = is_left ? high : bit_as_i32(t, result, top - 1);
    word = ir_or(b, carry, ir_shl(b, ir_xor(b, carry, other), ir_i32(b, 11)));
    old = tr_flags_word(t);
    word = ir_or(b, word, ir_and(b, old, ir_i32(b, ~(FLAG_CF | FLAG_OF))));
    word = ir_select(b, ir_setcond(b, IR_NE, count, ir_const(b, ir_type(b, count), 0)), word, old);
    tr_set_flags_word(t, word);
}

static void rotate(X86Tr *t)
{
    bool is_left = t->row->arg;
    unsigned bytes = tr_bytes(t, 0);
    IrRef linear = tr_is_mem(t, 0) ? tr_address(t, 0, true) : 0;
    IrRef x = linear ? tr_load(t, bytes, linear) : tr_read(t, 0);
    IrRef count = count_of(t, bytes, 1), wide = repeated(t, bytes, x);
    IrRef result = tr_cut(t, bytes, is_left ? ir_rotl(t->b, wide, count)
                                            : ir_rotr(t->b, wide, count));

    tr_write_at(t, 0, linear, result);
    set_rotate_flags(t, is_left, bytes, result, count);
}

static const IrHelper carry_rotate = {
    .name = "rotate_carry", .fn = x86_rotate_carry, .result = IR_I64, .arg_count = 4,
    .args = { IR_I64, IR_I32, IR_I32, IR_I32 }, .flags = IR_HELPER_PURE,
};
static const IrHelper carry_rotate_flags = {
    .name = "rotate_carry_flags", .fn = x86_rotate_carry_flags, .result = IR_I32, .arg_count = 4,
    .args = { IR_I64, IR_I32, IR_I32, IR_I32 }, .flags = IR_HELPER_PURE,
};

/* Through CF. */
static void rotate_carry(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);
    IrRef linear = tr_is_mem(t, 0) ? tr_address(t, 0, true) : 0;
    IrRef x = tr_to_i64(t, linear ? tr_load(t, bytes, linear) : tr_read(t, 0));
    IrRef count = tr_to_i32(t, count_of(t, bytes, 1)), old = tr_flags_word(t);
    IrRef kind = ir_i32(t->b, bytes | (t->row->arg ? X86_ROTATE_LEFT : 0));
    IrRef result = ir_call_v(t->b, &carry_rotate, x, old, count, kind);
    IrRef flags = ir_call_v(t->b, &carry_rotate_flags, x, old, count, kind);

    tr_write_at(t, 0, linear, bytes == 8 ? result : ir_trunc(t->b, result));
    tr_set_flags_word(t, flags);
}

/* --- without flags: BMI2 --- */

static void shift_plain(X86Tr *t)
{
    Shift kind = t->row->arg;
    unsigned bytes = tr_bytes(t, 0);
    IrRef x = tr_read(t, 1), count = tr_read_as(t, 2, bytes);

    tr_write(t, 0, shift_by(t, kind, bytes, x, count));
}

static void rorx(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);

    tr_write(t, 0, ir_rotr(t->b, tr_read(t, 1), typed(t, bytes, tr_op(t, 2)->imm.value.u)));
}

static const X86Row rows[] = {
    { ZYDIS_MNEMONIC_SHL, shift, SHIFT_LEFT },
    { ZYDIS_MNEMONIC_SHR, shift, SHIFT_RIGHT },
    { ZYDIS_MNEMONIC_SAR, shift, SHIFT_ARITHMETIC },
    { ZYDIS_MNEMONIC_SHLD, shift_double, true },
    { ZYDIS_MNEMONIC_SHRD, shift_double, false },
    { ZYDIS_MNEMONIC_ROL, rotate, true },
    { ZYDIS_MNEMONIC_ROR, rotate, false },
    { ZYDIS_MNEMONIC_RCL, rotate_carry, true },
    { ZYDIS_MNEMONIC_RCR, rotate_carry, false },
    { ZYDIS_MNEMONIC_SHLX, shift_plain, SHIFT_LEFT },
    { ZYDIS_MNEMONIC_SHRX, shift_plain, SHIFT_RIGHT },
    { ZYDIS_MNEMONIC_SARX, shift_plain, SHIFT_ARITHMETIC },
    { ZYDIS_MNEMONIC_RORX, rorx },
};
const X86Rows x86_rows_shift = X86_ROWS(rows);
