/*
 * Integer arithmetic and logic: SDM volume 1, 7.3.2 and 7.3.4. With LOCK, and always for XCHG, the
 * memory operand is changed atomically.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

#include "target/i386/helpers.h"

typedef enum Alu { ALU_ADD, ALU_ADC, ALU_SUB, ALU_SBB, ALU_AND, ALU_OR, ALU_XOR, ALU_CMP,
                   ALU_TEST } Alu;

/* The result; *f describes its flags. */
static IrRef compute(X86Tr *t, Alu alu, unsigned bytes, IrRef x, IrRef y, X86KnownFlags *f)
{
    IrBuilder *b = t->b;
    IrRef carry, result;

    *f = (X86KnownFlags){ .bytes = bytes, .a = x, .b = y };
    switch (alu) {
    case ALU_ADD:
        f->op = FLAGS_ADD;
        result = ir_add(b, x, y);
        break;
    case ALU_ADC:
    case ALU_SBB:
        carry = tr_carry(t);
        f->op = alu == ALU_ADC ? FLAGS_ADC : FLAGS_SBB;
        f->carry = carry;
        carry = bytes == 8 ? ir_zext(b, carry) : carry;
        result = alu == ALU_ADC ? ir_add(b, ir_add(b, x, y), carry)
                                : ir_sub(b, ir_sub(b, x, y), carry);
        break;
    case ALU_SUB:
    case ALU_CMP:
        f->op = FLAGS_SUB;
        result = ir_sub(b, x, y);
        break;
    case ALU_OR:
        f->op = FLAGS_LOGIC;
        result = ir_or(b, x, y);
        break;
    case ALU_XOR:
        f->op = FLAGS_LOGIC;
        result = ir_xor(b, x, y);
        break;
    default:
        f->op = FLAGS_LOGIC;
        result = ir_and(b, x, y);
        break;
    }
    f->result = tr_cut(t, bytes, result);
    return f->result;
}

static IrOp atomic_op(Alu alu)
{
    return alu == ALU_AND ? IR_FETCH_AND : alu == ALU_OR ? IR_FETCH_OR :
           alu == ALU_XOR ? IR_FETCH_XOR : IR_FETCH_ADD;
}

static IrRef negate(X86Tr *t, IrRef x)
{
    return ir_neg(t->b, x);
}

/* What is added or combined atomically. */
static IrRef atomic_operand(X86Tr *t, Alu alu, unsigned bytes, IrRef y)
{
    IrRef carry = 0;

    if (alu == ALU_ADC || alu == ALU_SBB) {
        carry = bytes == 8 ? ir_zext(t->b, tr_carry(t)) : tr_carry(t);
        y = ir_add(t->b, y, carry);
    }
    return alu == ALU_SUB || alu == ALU_SBB ? negate(t, y) : y;
}

static void alu_locked(X86Tr *t, Alu alu)
{
    unsigned bytes = tr_bytes(t, 0);
    IrRef linear = tr_address(t, 0, true);
    IrRef y = tr_read_as(t, 1, bytes), old;
    X86KnownFlags f;

    old = ir_atomic(t->b, atomic_op(alu), tr_mem(t, bytes), linear,
                    atomic_operand(t, alu, bytes, y));
    compute(t, alu, bytes, bytes == 8 ? tr_to_i64(t, old) : tr_to_i32(t, old), y, &f);
    tr_set_flags(t, f);
}

static void alu(X86Tr *t)
{
    Alu alu = t->row->arg;
    unsigned bytes = tr_bytes(t, 0);
    X86KnownFlags f;

    if (tr_has_lock(t)) {
        alu_locked(t, alu);
        return;
    }
    bool is_write = alu != ALU_CMP && alu != ALU_TEST;
    IrRef linear = tr_is_mem(t, 0) ? tr_address(t, 0, is_write) : 0;
    IrRef x = linear ? tr_load(t, bytes, linear) : tr_read(t, 0);
    IrRef y = tr_read_as(t, 1, bytes), result = compute(t, alu, bytes, x, y, &f);

    if (is_write) {
        tr_write_at(t, 0, linear, result);
    }
    tr_set_flags(t, f);
}

static void inc_dec(X86Tr *t)
{
    bool is_inc = t->row->arg;
    unsigned bytes = tr_bytes(t, 0);
    IrRef linear = tr_is_mem(t, 0) ? tr_address(t, 0, true) : 0;
    IrRef carry = tr_carry(t), step = tr_const(t, bytes, is_inc ? 1 : UINT64_MAX);
    IrRef old, result;

    if (tr_has_lock(t)) {
        old = ir_atomic(t->b, IR_FETCH_ADD, tr_mem(t, bytes), linear, step);
        old = bytes == 8 ? tr_to_i64(t, old) : tr_to_i32(t, old);
    } else {
        old = linear ? tr_load(t, bytes, linear) : tr_read(t, 0);
    }
    result = tr_cut(t, bytes, ir_add(t->b, old, step));
    if (!tr_has_lock(t)) {
        tr_write_at(t, 0, linear, result);
    }
    tr_set_flags(t, (X86KnownFlags){ .op = is_inc ? FLAGS_INC : FLAGS_DEC, .bytes = bytes,
                                     .a = old, .b = step, .result = result, .carry = carry });
}

/* Exchanges if memory still holds `old`; else begins the instruction again. */
static void exchange_or_retry(X86Tr *t, unsigned bytes, IrRef linear, IrRef old, IrRef new)
{
    IrRef found = ir_cmpxchg(t->b, tr_mem(t, bytes), linear, old, new);

    found = bytes == 8 ? tr_to_i64(t, found) : tr_to_i32(t, found);
    ir_exit_if(t->b, IR_NE, found, old, tr_pc(t, t->rip));
}

static void neg(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);
    IrRef linear = tr_is_mem(t, 0) ? tr_address(t, 0, true) : 0;
    IrRef x = linear ? tr_load(t, bytes, linear) : tr_read(t, 0);
    IrRef result = tr_cut(t, bytes, ir_neg(t->b, x));

    if (tr_has_lock(t)) {
        exchange_or_retry(t, bytes, linear, x, result);
    } else {
        tr_write_at(t, 0, linear, result);
    }
    tr_set_flags(t, (X86KnownFlags){ .op = FLAGS_SUB, .bytes = bytes, .a = tr_const(t, bytes, 0),
                                     .b = x, .result = result });
}

static void not(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);
    IrRef linear = tr_is_mem(t, 0) ? tr_address(t, 0, true) : 0;

    if (tr_has_lock(t)) {
        ir_atomic(t->b, IR_FETCH_XOR, tr_mem(t, bytes), linear, tr_const(t, bytes, UINT64_MAX));
        return;
    }
    IrRef x = linear ? tr_load(t, bytes, linear) : tr_read(t, 0);
    tr_write_at(t, 0, linear, tr_cut(t, bytes, ir_not(t->b, x)));
}

/* --- exchanges --- */

static IrRef as_width(X86Tr *t, unsigned bytes, IrRef value)
{
    return bytes == 8 ? tr_to_i64(t, value) : tr_to_i32(t, value);
}

static void xchg(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0), mem = tr_is_mem(t, 1) ? 1 : 0;
    IrRef x, y;

    if (!tr_is_mem(t, 0) && !tr_is_mem(t, 1)) {
        x = tr_read(t, 0);
        y = tr_read(t, 1);
        tr_write(t, 0, y);
        tr_write(t, 1, x);
        return;
    }
    x = ir_atomic(t->b, IR_XCHG, tr_mem(t, bytes), tr_address(t, mem, true), tr_read(t, !mem));
    tr_write(t, !mem, as_width(t, bytes, x));
}

static void xadd(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);
    IrRef y = tr_read(t, 1), x, sum;
    X86KnownFlags f;

    if (tr_is_mem(t, 0)) {
        x = ir_atomic(t->b, IR_FETCH_ADD, tr_mem(t, bytes), tr_address(t, 0, true), y);
        x = as_width(t, bytes, x);
        compute(t, ALU_ADD, bytes, x, y, &f);
        tr_write(t, 1, x);
    } else {
        x = tr_read(t, 0);
        sum = compute(t, ALU_ADD, bytes, x, y, &f);
        tr_write(t, 1, x);
        tr_write(t, 0, sum);
    }
    tr_set_flags(t, f);
}

/* To a register, which otherwise stays as a whole. */
static void write_if(X86Tr *t, IrRef condition, IrRef value)
{
    bool is_high;
    unsigned slot = SLOT_RAX + tr_gpr_number(tr_op(t, 0)->reg.value, &is_high);
    IrRef old = ir_get(t->b, slot);

    tr_write(t, 0, value);
    ir_put(t->b, slot, ir_select(t->b, condition, ir_get(t->b, slot), old));
}

static void cmpxchg(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);
    IrRef expected = tr_get_gpr(t, X86_RAX, bytes), new = tr_read(t, 1), old, is_same;
    X86KnownFlags f;

    if (tr_is_mem(t, 0)) {
        old = as_width(t, bytes, ir_cmpxchg(t->b, tr_mem(t, bytes), tr_address(t, 0, true),
                                            expected, new));
        compute(t, ALU_CMP, bytes, expected, old, &f);
        is_same = ir_setcond(t->b, IR_EQ, expected, old);
    } else {
        old = tr_read(t, 0);
        compute(t, ALU_CMP, bytes, expected, old, &f);
        is_same = ir_setcond(t->b, IR_EQ, expected, old);
        write_if(t, is_same, new);
    }
    /* Of 32 bits the accumulator's upper half is cleared only if it is loaded. */
    IrRef rax = ir_get(t->b, SLOT_RAX);
    IrRef loaded = bytes >= 4 ? tr_to_i64(t, old)
                              : ir_deposit(t->b, rax, tr_to_i64(t, old), 0, 8 * bytes);
    ir_put(t->b, SLOT_RAX, ir_select(t->b, is_same, rax, loaded));
    tr_set_flags(t, f);
}

static const IrHelper cmpxchg8b = {
    .name = "cmpxchg8b", .fn = x86_help_cmpxchg8b, .arg_count = 2, .args = { IR_I64, IR_I32 },
    .reads = GROUP_GPR(0) | GROUP_GPR(1) | GROUP_GPR(2) | GROUP_GPR(3) | GROUP_FLAGS,
    .writes = GROUP_GPR(0) | GROUP_GPR(2) | GROUP_FLAGS, .flags = IR_HELPER_RAISES,
};
static const IrHelper cmpxchg16b = {
    .name = "cmpxchg16b", .fn = x86_help_cmpxchg16b, .arg_count = 2, .args = { IR_I64, IR_I32 },
    .reads = GROUP_GPR(0) | GROUP_GPR(1) | GROUP_GPR(2) | GROUP_GPR(3) | GROUP_FLAGS,
    .writes = GROUP_GPR(0) | GROUP_GPR(2) | GROUP_FLAGS, .flags = IR_HELPER_RAISES,
};

static void cmpxchg_double(X86Tr *t)
{
    ir_call_v(t->b, t->row->arg ? &cmpxchg16b : &cmpxchg8b, tr_address(t, 0, true),
              ir_i32(t->b, 0));
    tr_forget_flags(t);
}

/* --- multiplication and division --- */

/* The full product of a byte, word or doubleword, as I64. */
static IrRef product(X86Tr *t, unsigned bytes, bool is_signed, IrRef x, IrRef y)
{
    if (is_signed) {
        x = ir_sext(t->b, tr_sign_extend(t, bytes, x));
        y = ir_sext(t->b, tr_sign_extend(t, bytes, y));
    } else {
        x = ir_zext(t->b, x);
        y = ir_zext(t->b, y);
    }
    return ir_mul(t->b, x, y);
}

static void set_mul_flags(X86Tr *t, unsigned bytes, IrRef low, IrRef overflow)
{
    tr_set_flags(t, (X86KnownFlags){ .op = FLAGS_MUL, .bytes = bytes, .result = low,
                                     .carry = overflow });
}

/* Nonzero if the signed product is more than its lower half extended. */
static IrRef signed_overflow(X86Tr *t, unsigned bytes, IrRef full)
{
    IrRef low = bytes == 1 ? ir_sext8(t->b, full) : bytes == 2 ? ir_sext16(t->b, full)
                                                               : ir_sext32(t->b, full);

    return ir_setcond(t->b, IR_NE, low, full);
}

static void mul_accumulator64(X86Tr *t, bool is_signed, IrRef y)
{
    IrBuilder *b = t->b;
    IrRef x = ir_get(b, SLOT_RAX), low = ir_mul(b, x, y);
    IrRef high = is_signed ? ir_mulhs(b, x, y) : ir_mulhu(b, x, y);
    IrRef extension = is_signed ? ir_sar(b, low, ir_i64(b, 63)) : ir_i64(b, 0);

    ir_put(b, SLOT_RAX, low);
    ir_put(b, SLOT_RDX, high);
    set_mul_flags(t, 8, low, ir_setcond(b, IR_NE, high, extension));
}

static void mul_accumulator(X86Tr *t, bool is_signed)
{
    unsigned bytes = tr_bytes(t, 0);
    IrRef y = tr_read(t, 0), full, low, overflow;

    if (bytes == 8) {
        mul_accumulator64(t, is_signed, y);
        return;
    }
    full = product(t, bytes, is_signed, tr_get_gpr(t, X86_RAX, bytes), y);
    low = tr_cut(t, bytes, ir_trunc(t->b, full));
    overflow = is_signed ? signed_overflow(t, bytes, full)
                         : ir_setcond(t->b, IR_NE, ir_shr(t->b, full, ir_i64(t->b, 8 * bytes)),
                                      ir_i64(t->b, 0));
    if (bytes == 1) {
        tr_put_gpr(t, X86_RAX, 2, ir_trunc(t->b, full));
    } else {
        tr_put_gpr(t, X86_RAX, bytes, low);
        tr_put_gpr(t, X86_RDX, bytes,
                   ir_trunc(t->b, ir_shr(t->b, full, ir_i64(t->b, 8 * bytes))));
    }
    set_mul_flags(t, bytes, low, overflow);
}

static void mul(X86Tr *t)
{
    mul_accumulator(t, false);
}

static void imul(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0), first = t->in.operand_count_visible == 3 ? 1 : 0;
    IrRef x, y, full, low;

    if (t->in.operand_count_visible == 1) {
        mul_accumulator(t, true);
        return;
    }
    x = tr_read(t, first);
    y = tr_read_as(t, first + 1, bytes);
    if (bytes == 8) {
        low = ir_mul(t->b, x, y);
        tr_write(t, 0, low);
        set_mul_flags(t, 8, low, ir_setcond(t->b, IR_NE, ir_mulhs(t->b, x, y),
                                            ir_sar(t->b, low, ir_i64(t->b, 63))));
        return;
    }
    full = product(t, bytes, true, x, y);
    low = tr_cut(t, bytes, ir_trunc(t->b, full));
    tr_write(t, 0, low);
    set_mul_flags(t, bytes, low, signed_overflow(t, bytes, full));
}

static const IrHelper div_helper = {
    .name = "div", .fn = x86_help_div, .arg_count = 2, .args = { IR_I64, IR_I32 },
    .reads = GROUP_GPR(X86_RAX) | GROUP_GPR(X86_RDX),
    .writes = GROUP_GPR(X86_RAX) | GROUP_GPR(X86_RDX), .flags = IR_HELPER_RAISES,
};
static const IrHelper idiv_helper = {
    .name = "idiv", .fn = x86_help_idiv, .arg_count = 2, .args = { IR_I64, IR_I32 },
    .reads = GROUP_GPR(X86_RAX) | GROUP_GPR(X86_RDX),
    .writes = GROUP_GPR(X86_RAX) | GROUP_GPR(X86_RDX), .flags = IR_HELPER_RAISES,
};

static void divide(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);

    ir_call_v(t->b, t->row->arg ? &idiv_helper : &div_helper, tr_to_i64(t, tr_read(t, 0)),
              ir_i32(t->b, bytes));
}

/* --- decimal --- */

static const IrHelper decimal_helper = {
    .name = "decimal", .fn = x86_help_decimal, .arg_count = 2, .args = { IR_I32, IR_I32 },
    .reads = GROUP_GPR(X86_RAX) | GROUP_FLAGS, .writes = GROUP_GPR(X86_RAX) | GROUP_FLAGS,
    .flags = IR_HELPER_RAISES,
};

static void decimal(X86Tr *t)
{
    uint32_t base = t->in.operand_count_visible ? tr_op(t, 0)->imm.value.u : 0;

    ir_call_v(t->b, &decimal_helper, ir_i32(t->b, t->row->arg), ir_i32(t->b, base));
    tr_forget_flags(t);
}

/* --- sign extension of the accumulator --- */

static void extend_accumulator(X86Tr *t)
{
    unsigned bytes = t->row->arg; /* of the result */
    IrRef half = tr_get_gpr(t, X86_RAX, bytes == 8 ? 4 : bytes / 2);

    tr_put_gpr(t, X86_RAX, bytes,
               bytes == 8 ? ir_sext(t->b, half)
                          : tr_cut(t, bytes, tr_sign_extend(t, bytes / 2, half)));
}

static void extend_to_rdx(X86Tr *t)
{
    unsigned bytes = t->row->arg;
    IrRef x = tr_sign_extend(t, bytes, tr_get_gpr(t, X86_RAX, bytes));
    IrRef sign = ir_sar(t->b, x, ir_const(t->b, tr_type(bytes), bytes == 8 ? 63 : 31));

    tr_put_gpr(t, X86_RDX, bytes, tr_cut(t, bytes, sign));
}

static const X86Row rows[] = {
    { ZYDIS_MNEMONIC_ADD, alu, ALU_ADD },
    { ZYDIS_MNEMONIC_ADC, alu, ALU_ADC },
    { ZYDIS_MNEMONIC_SUB, alu, ALU_SUB },
    { ZYDIS_MNEMONIC_SBB, alu, ALU_SBB },
    { ZYDIS_MNEMONIC_AND, alu, ALU_AND },
    { ZYDIS_MNEMONIC_OR, alu, ALU_OR },
    { ZYDIS_MNEMONIC_XOR, alu, ALU_XOR },
    { ZYDIS_MNEMONIC_CMP, alu, ALU_CMP },
    { ZYDIS_MNEMONIC_TEST, alu, ALU_TEST },
    { ZYDIS_MNEMONIC_INC, inc_dec, true },
    { ZYDIS_MNEMONIC_DEC, inc_dec, false },
    { ZYDIS_MNEMONIC_NEG, neg },
    { ZYDIS_MNEMONIC_NOT, not },
    { ZYDIS_MNEMONIC_XCHG, xchg },
    { ZYDIS_MNEMONIC_XADD, xadd },
    { ZYDIS_MNEMONIC_CMPXCHG, cmpxchg },
    { ZYDIS_MNEMONIC_CMPXCHG8B, cmpxchg_double, false },
    { ZYDIS_MNEMONIC_CMPXCHG16B, cmpxchg_double, true },
    { ZYDIS_MNEMONIC_MUL, mul },
    { ZYDIS_MNEMONIC_IMUL, imul },
    { ZYDIS_MNEMONIC_DIV, divide, false },
    { ZYDIS_MNEMONIC_IDIV, divide, true },
    { ZYDIS_MNEMONIC_DAA, decimal, X86_DAA },
    { ZYDIS_MNEMONIC_DAS, decimal, X86_DAS },
    { ZYDIS_MNEMONIC_AAA, decimal, X86_AAA },
    { ZYDIS_MNEMONIC_AAS, decimal, X86_AAS },
    { ZYDIS_MNEMONIC_AAM, decimal, X86_AAM },
    { ZYDIS_MNEMONIC_AAD, decimal, X86_AAD },
    { ZYDIS_MNEMONIC_CBW, extend_accumulator, 2 },
    { ZYDIS_MNEMONIC_CWDE, extend_accumulator, 4 },
    { ZYDIS_MNEMONIC_CDQE, extend_accumulator, 8 },
    { ZYDIS_MNEMONIC_CWD, extend_to_rdx, 2 },
    { ZYDIS_MNEMONIC_CDQ, extend_to_rdx, 4 },
    { ZYDIS_MNEMONIC_CQO, extend_to_rdx, 8 },
};
const X86Rows x86_rows_alu = X86_ROWS(rows);
