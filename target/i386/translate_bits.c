/*
 * Single bits, counts, BMI1, BMI2, ADX, CRC32, byte order: SDM volume 1, 7.3.7 and chapter 5.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

#include "target/i386/helpers.h"

typedef enum BitOp { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT } BitOp;

static IrRef typed(X86Tr *t, unsigned bytes, uint64_t value)
{
    return ir_const(t->b, tr_type(bytes), value);
}

/* CF is the bit; of the others, those that follow from the result stay. */
static void set_bit_carry(X86Tr *t, IrRef carry)
{
    X86KnownFlags *f = &t->flags;

    if (f->is_known && f->op != FLAGS_KNOWN) {
        tr_set_flags(t, (X86KnownFlags){ .op = FLAGS_BITS, .bytes = f->bytes,
                                         .result = f->result, .carry = carry });
        return;
    }
    tr_merge_flags(t, FLAG_CF, carry);
}

/* A bit string in memory: the register's upper bits choose the word. */
static IrRef bit_string_address(X86Tr *t, unsigned bytes, bool is_write)
{
    IrRef offset = tr_offset(t, 0), index;
    unsigned shift = 3 + (unsigned)__builtin_ctz(bytes);

    if (!tr_is_imm(t, 1)) {
        index = tr_read(t, 1);
        index = bytes == 8 ? index : ir_sext(t->b, tr_sign_extend(t, bytes, index));
        index = ir_shl(t->b, ir_sar(t->b, index, ir_i64(t->b, shift)),
                       ir_i64(t->b, __builtin_ctz(bytes)));
        offset = ir_add(t->b, offset, index);
        offset = t->in.address_width == 64 ? offset : t->in.address_width == 32
                     ? ir_zext32(t->b, offset) : ir_zext16(t->b, offset);
    }
    return tr_linear(t, tr_segment(t, 0), offset, bytes, is_write);
}

static IrRef changed_bit(X86Tr *t, BitOp op, unsigned bytes, IrRef x, IrRef mask)
{
    switch (op) {
    case BIT_SET:
        return ir_or(t->b, x, mask);
    case BIT_RESET:
        return ir_and(t->b, x, ir_not(t->b, mask));
    default:
        return ir_xor(t->b, x, mask);
    }
}

static IrRef change_atomically(X86Tr *t, BitOp op, unsigned bytes, IrRef linear, IrRef mask)
{
    IrOp atomic = op == BIT_SET ? IR_FETCH_OR : op == BIT_RESET ? IR_FETCH_AND : IR_FETCH_XOR;
    IrRef old = ir_atomic(t->b, atomic, tr_mem(t, bytes), linear,
                          op == BIT_RESET ? ir_not(t->b, mask) : mask);

    return bytes == 8 ? tr_to_i64(t, old) : tr_to_i32(t, old);
}

static void bit_test(X86Tr *t)
{
    BitOp op = t->row->arg;
    unsigned bytes = tr_bytes(t, 0);
    IrRef linear = tr_is_mem(t, 0) ? bit_string_address(t, bytes, op != BIT_TEST) : 0;
    IrRef index = ir_and(t->b, tr_read_as(t, 1, bytes), typed(t, bytes, 8 * bytes - 1));
    IrRef mask = ir_shl(t->b, typed(t, bytes, 1), index), x;

    if (tr_has_lock(t)) {
        x = change_atomically(t, op, bytes, linear, mask);
    } else {
        x = linear ? tr_load(t, bytes, linear) : tr_read(t, 0);
        if (op != BIT_TEST) {
            tr_write_at(t, 0, linear, changed_bit(t, op, bytes, x, mask));
        }
    }
    x = ir_and(t->b, ir_shr(t->b, x, index), typed(t, bytes, 1));
    set_bit_carry(t, tr_to_i32(t, x));
}

/* --- counts --- */

static void bit_scan(X86Tr *t)
{
    bool is_reverse = t->row->arg;
    unsigned bytes = tr_bytes(t, 0);
    IrRef x = tr_read(t, 1), found, is_zero, width = typed(t, bytes, bytes == 8 ? 63 : 31);
    bool is_high;
    unsigned n = tr_gpr_number(tr_op(t, 0)->reg.value, &is_high);
    IrRef old = ir_get(t->b, SLOT_RAX + n);

    found = is_reverse ? ir_xor(t->b, ir_clz(t->b, x), width) : ir_ctz(t->b, x);
    is_zero = ir_setcond(t->b, IR_EQ, x, typed(t, bytes, 0));
    found = tr_to_i64(t, found);
    found = bytes == 2 ? ir_deposit(t->b, old, found, 0, 16) : found;
    /* Of nothing, the destination stays as it is. */
    ir_put(t->b, SLOT_RAX + n, ir_select(t->b, is_zero, old, found));
    tr_set_logic_flags(t, bytes, x);
}

static void count_zeros(X86Tr *t)
{
    bool is_leading = t->row->arg;
    unsigned bytes = tr_bytes(t, 0);
    IrRef x, result;

    if (!(is_leading ? tr_has(t, X86_8000_0001_ECX, 5) : tr_has(t, X86_7_0_EBX, 3))) {
        bit_scan(t);
        return;
    }
    x = tr_read(t, 1);
    if (is_leading) {
        result = ir_clz(t->b, x);
        result = bytes == 2 ? ir_sub(t->b, result, ir_i32(t->b, 16)) : result;
    } else {
        result = ir_ctz(t->b, bytes == 2 ? ir_or(t->b, x, ir_i32(t->b, 0x10000)) : x);
    }
    tr_write(t, 0, result);
    tr_set_flags(t, (X86KnownFlags){ .op = FLAGS_BITS, .bytes = bytes, .result = result,
                                     .carry = ir_setcond(t->b, IR_EQ, x, typed(t, bytes, 0)) });
}

static void popcnt(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);
    IrRef x = tr_read(t, 1), zero = ir_setcond(t->b, IR_EQ, x, typed(t, bytes, 0));

    tr_write(t, 0, ir_popcnt(t->b, x));
    tr_set_flags_word(t, ir_shl(t->b, zero, ir_i32(t->b, 6)));
}

/* --- BMI1 --- */

static void andn(X86Tr *t)
{
    IrRef result = ir_and(t->b, ir_not(t->b, tr_read(t, 1)), tr_read(t, 2));

    tr_write(t, 0, result);
    tr_set_logic_flags(t, tr_bytes(t, 0), result);
}

typedef enum LowestBit { BLSI, BLSR, BLSMSK } LowestBit;

static void lowest_bit(X86Tr *t)
{
    LowestBit op = t->row->arg;
    unsigned bytes = tr_bytes(t, 0);
    IrRef x = tr_read(t, 1), zero = typed(t, bytes, 0), less, result;

    less = ir_sub(t->b, x, typed(t, bytes, 1));
    result = op == BLSI ? ir_and(t->b, x, ir_neg(t->b, x)) :
             op == BLSR ? ir_and(t->b, x, less) : ir_xor(t->b, x, less);
    tr_write(t, 0, result);
    tr_set_flags(t, (X86KnownFlags){
        .op = FLAGS_BITS, .bytes = bytes, .result = result,
        .carry = ir_setcond(t->b, op == BLSI ? IR_NE : IR_EQ, x, zero) });
}

static void bextr(X86Tr *t)
{
    IrBuilder *b = t->b;
    unsigned bytes = tr_bytes(t, 0), bits = 8 * bytes;
    IrRef x = tr_read(t, 1), control = tr_to_i32(t, tr_read(t, 2));
    IrRef start = ir_zext8(b, control), length = ir_extract(b, control, 8, 8), mask, result;
    IrRef zero = typed(t, bytes, 0), one = typed(t, bytes, 1);

    IrRef is_in = ir_setcond(b, IR_LTU, start, ir_i32(b, bits));
    IrRef is_short = ir_setcond(b, IR_LTU, length, ir_i32(b, bits));
    start = bytes == 8 ? ir_zext(b, start) : start;
    length = bytes == 8 ? ir_zext(b, length) : length;
    mask = ir_select(b, is_short, ir_sub(b, ir_shl(b, one, length), one),
                     typed(t, bytes, UINT64_MAX));
    result = ir_and(b, ir_select(b, is_in, ir_shr(b, x, start), zero), mask);
    tr_write(t, 0, result);
    tr_set_logic_flags(t, bytes, result);
}

/* --- BMI2 --- */

static void bzhi(X86Tr *t)
{
    IrBuilder *b = t->b;
    unsigned bytes = tr_bytes(t, 0);
    IrRef x = tr_read(t, 1), n = ir_zext8(b, tr_to_i32(t, tr_read(t, 2))), mask, result;
    IrRef is_in = ir_setcond(b, IR_LTU, n, ir_i32(b, 8 * bytes));
    IrRef one = typed(t, bytes, 1);

    n = bytes == 8 ? ir_zext(b, n) : n;
    mask = ir_sub(b, ir_shl(b, one, n), one);
    result = ir_select(b, is_in, ir_and(b, x, mask), x);
    tr_write(t, 0, result);
    tr_set_flags(t, (X86KnownFlags){ .op = FLAGS_BITS, .bytes = bytes, .result = result,
                                     .carry = ir_xor(b, is_in, ir_i32(b, 1)) });
}

static const IrHelper pdep_helper = {
    .name = "pdep", .fn = x86_pdep, .result = IR_I64, .arg_count = 2, .args = { IR_I64, IR_I64 },
    .flags = IR_HELPER_PURE,
};
static const IrHelper pext_helper = {
    .name = "pext", .fn = x86_pext, .result = IR_I64, .arg_count = 2, .args = { IR_I64, IR_I64 },
    .flags = IR_HELPER_PURE,
};

static void deposit_extract(X86Tr *t)
{
    IrRef x = tr_to_i64(t, tr_read(t, 1)), mask = tr_to_i64(t, tr_read(t, 2));
    IrRef result = ir_call_v(t->b, t->row->arg ? &pdep_helper : &pext_helper, x, mask);

    tr_write(t, 0, tr_bytes(t, 0) == 8 ? result : ir_trunc(t->b, result));
}

static void mulx(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);
    IrRef x = tr_get_gpr(t, X86_RDX, bytes), y = tr_read(t, 2), low, high;

    if (bytes == 8) {
        low = ir_mul(t->b, x, y);
        high = ir_mulhu(t->b, x, y);
    } else {
        IrRef full = ir_mul(t->b, ir_zext(t->b, x), ir_zext(t->b, y));

        low = ir_trunc(t->b, full);
        high = ir_trunc(t->b, ir_shr(t->b, full, ir_i64(t->b, 32)));
    }
    /* If both are one register it gets the upper half. */
    tr_write(t, 1, low);
    tr_write(t, 0, high);
}

/* --- ADX: a carry chain in CF or OF alone --- */

static void add_with_flag(X86Tr *t)
{
    IrBuilder *b = t->b;
    uint32_t flag = t->row->arg;
    unsigned bit = flag == FLAG_CF ? 0 : 11, bytes = tr_bytes(t, 0);
    IrRef word = tr_flags_word(t), x = tr_read(t, 0), y = tr_read(t, 1);
    IrRef carry = flag == FLAG_CF ? tr_carry(t) : ir_extract(b, word, bit, 1);
    IrRef wide = bytes == 8 ? ir_zext(b, carry) : carry;
    IrRef first = ir_add(b, x, y), sum = ir_add(b, first, wide);
    IrRef out = ir_or(b, ir_setcond(b, IR_LTU, first, x), ir_setcond(b, IR_LTU, sum, first));

    tr_write(t, 0, sum);
    tr_merge_flags(t, flag, ir_shl(b, out, ir_i32(b, bit)));
}

/* --- CRC32, byte order --- */

static const IrHelper crc32_helper = {
    .name = "crc32", .fn = x86_crc32, .result = IR_I64, .arg_count = 3,
    .args = { IR_I64, IR_I64, IR_I32 }, .flags = IR_HELPER_PURE,
};

static void crc32(X86Tr *t)
{
    IrRef old = ir_zext32(t->b, tr_to_i64(t, tr_read(t, 0)));
    IrRef crc = ir_call_v(t->b, &crc32_helper, old, tr_to_i64(t, tr_read(t, 1)),
                          ir_i32(t->b, tr_bytes(t, 1)));

    tr_write(t, 0, tr_bytes(t, 0) == 8 ? crc : ir_trunc(t->b, crc));
}

static IrRef swapped(X86Tr *t, unsigned bytes, IrRef x)
{
    return bytes == 2 ? ir_shr(t->b, ir_bswap(t->b, x), ir_i32(t->b, 16)) : ir_bswap(t->b, x);
}

static void bswap(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);

    /* Of 16 bits the result is undefined; CPUs give zero. */
    tr_write(t, 0, bytes == 2 ? ir_i32(t->b, 0) : ir_bswap(t->b, tr_read(t, 0)));
}

static void movbe(X86Tr *t)
{
    tr_write(t, 0, swapped(t, tr_bytes(t, 0), tr_read(t, 1)));
}

static const X86Row rows[] = {
    { ZYDIS_MNEMONIC_BT, bit_test, BIT_TEST },
    { ZYDIS_MNEMONIC_BTS, bit_test, BIT_SET },
    { ZYDIS_MNEMONIC_BTR, bit_test, BIT_RESET },
    { ZYDIS_MNEMONIC_BTC, bit_test, BIT_COMPLEMENT },
    { ZYDIS_MNEMONIC_BSF, bit_scan, false },
    { ZYDIS_MNEMONIC_BSR, bit_scan, true },
    { ZYDIS_MNEMONIC_TZCNT, count_zeros, false },
    { ZYDIS_MNEMONIC_LZCNT, count_zeros, true },
    { ZYDIS_MNEMONIC_POPCNT, popcnt },
    { ZYDIS_MNEMONIC_ANDN, andn },
    { ZYDIS_MNEMONIC_BLSI, lowest_bit, BLSI },
    { ZYDIS_MNEMONIC_BLSR, lowest_bit, BLSR },
    { ZYDIS_MNEMONIC_BLSMSK, lowest_bit, BLSMSK },
    { ZYDIS_MNEMONIC_BEXTR, bextr },
    { ZYDIS_MNEMONIC_BZHI, bzhi },
    { ZYDIS_MNEMONIC_PDEP, deposit_extract, true },
    { ZYDIS_MNEMONIC_PEXT, deposit_extract, false },
    { ZYDIS_MNEMONIC_MULX, mulx },
    { ZYDIS_MNEMONIC_ADCX, add_with_flag, FLAG_CF },
    { ZYDIS_MNEMONIC_ADOX, add_with_flag, FLAG_OF },
    { ZYDIS_MNEMONIC_CRC32, crc32 },
    { ZYDIS_MNEMONIC_BSWAP, bswap },
    { ZYDIS_MNEMONIC_MOVBE, movbe },
};
const X86Rows x86_rows_bits = X86_ROWS(rows);
