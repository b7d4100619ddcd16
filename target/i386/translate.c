/*
 * The translator's frame: decoding by Zydis, the table of mnemonics, features, operands.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

#include "accel/tcg/translate.h"
#include "target/i386/control.h"
#include "target/i386/helpers.h"
#include "target/i386/isa.h"
#include "target/i386/segment.h"
#include "target/i386/translate_vector.h"
#include "util/log.h"

static const X86Rows *const groups[] = {
    &x86_rows_move, &x86_rows_alu, &x86_rows_shift, &x86_rows_bits, &x86_rows_jump,
    &x86_rows_string, &x86_rows_flags, &x86_rows_system, &x86_rows_x87, &x86_rows_sse,
    &x86_rows_sse_int, &x86_rows_avx, &x86_rows_svm,
};

typedef struct Mnemonic {
    const X86Row *row;
    const X86Rows *group;
} Mnemonic;

/* By mnemonic; made once. */
static const Mnemonic *mnemonic_table(void)
{
    static Mnemonic table[ZYDIS_MNEMONIC_MAX_VALUE + 1];
    static gsize is_made;

    if (g_once_init_enter(&is_made)) {
        for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
            for (size_t i = 0; i < groups[g]->count; i++) {
                const X86Row *row = &groups[g]->rows[i];

                assert(!table[row->mnemonic].row);
                table[row->mnemonic] = (Mnemonic){ row, groups[g] };
            }
        }
        g_once_init_leave(&is_made, 1);
    }
    return table;
}

/* One decoder for each width of code; read only. */
static const ZydisDecoder *decoder_for(uint32_t mode)
{
    static ZydisDecoder decoders[3];
    static gsize is_made;

    if (g_once_init_enter(&is_made)) {
        ZydisDecoderInit(&decoders[0], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
        ZydisDecoderInit(&decoders[1], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
        ZydisDecoderInit(&decoders[2], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
        for (size_t i = 0; i < ARRAY_SIZE(decoders); i++) {
            ZydisDecoderEnableMode(&decoders[i], ZYDIS_DECODER_MODE_KNC, ZYAN_FALSE);
            ZydisDecoderEnableMode(&decoders[i], ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
            ZydisDecoderEnableMode(&decoders[i], ZYDIS_DECODER_MODE_CET, ZYAN_FALSE);
            ZydisDecoderEnableMode(&decoders[i], ZYDIS_DECODER_MODE_CLDEMOTE, ZYAN_FALSE);
        }
        g_once_init_leave(&is_made, 1);
    }
    return &decoders[mode & X86_MODE_CODE64 ? 2 : mode & X86_MODE_CODE32 ? 1 : 0];
}

bool x86_decode(X86Tr *t, const uint8_t *bytes, size_t length)
{
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder_for(t->mode), bytes, length, &t->in,
                                             t->ops))) {
        return false;
    }
    t->next_rip = t->rip + t->in.length;
    t->next_rip &= tr_is_64(t) ? UINT64_MAX : UINT32_MAX;
    t->row = mnemonic_table()[t->in.mnemonic].row;
    if (!x86_has_instruction(t->cpu, &t->in)) {
        return false;
    }
    if (!t->row) {
        unimp("x86: %s at %#" PRIx64, ZydisMnemonicGetString(t->in.mnemonic), t->rip);
    }
    return t->row;
}

bool x86_translates(const X86Cpu *cpu, const ZydisDecodedInstruction *in)
{
    return mnemonic_table()[in->mnemonic].row && x86_has_instruction(cpu, in);
}

bool x86_is_vector_instruction(const ZydisDecodedInstruction *in)
{
    const X86Rows *group = mnemonic_table()[in->mnemonic].group;

    return group == &x86_rows_sse || group == &x86_rows_sse_int || group == &x86_rows_avx ||
           (in->mnemonic == ZYDIS_MNEMONIC_MOVSD || in->mnemonic == ZYDIS_MNEMONIC_CMPSD);
}

ZyanStatus x86_decode_status(const X86Tr *t, const uint8_t *bytes, size_t length,
                             ZydisDecodedInstruction *in)
{
    return ZydisDecoderDecodeInstruction(decoder_for(t->mode), NULL, bytes, length, in);
}

void x86_translate_one(X86Tr *t)
{
    const X86Rows *group = mnemonic_table()[t->in.mnemonic].group;

    t->uses_mmx = false;
    if (t->mode & X86_MODE_GUEST) {
        x86_translate_intercept(t);
    }
    if (!group->is_ready || group->is_ready(t)) {
        t->row->fn(t);
    }
    if (t->uses_mmx) {
        tr_leave_mmx(t);
    }
}

bool tr_has(const X86Tr *t, X86Word word, unsigned bit)
{
    return x86_has(t->cpu, word, bit);
}

/* --- raising --- */

void tr_raise(X86Tr *t, unsigned vector)
{
    ir_call_v(t->b, &x86_helper_raise, ir_i32(t->b, vector));
    tr_leave(t);
}

void tr_undefined(X86Tr *t)
{
    tr_raise(t, VECTOR_UD);
}

void tr_raise_gp(X86Tr *t)
{
    ir_call_v(t->b, &x86_helper_raise_gp, ir_i32(t->b, 0));
    tr_leave(t);
}

bool tr_needs_cpl0(X86Tr *t)
{
    if (tr_cpl(t) != 0) {
        tr_raise_gp(t);
        return false;
    }
    return true;
}

/* --- values --- */

IrRef tr_const(X86Tr *t, unsigned bytes, uint64_t value)
{
    if (bytes == 8) {
        return ir_i64(t->b, value);
    }
    return ir_i32(t->b, value & (UINT64_MAX >> (64 - 8 * bytes)));
}

IrRef tr_cut(X86Tr *t, unsigned bytes, IrRef value)
{
    return bytes == 1 ? ir_zext8(t->b, value) : bytes == 2 ? ir_zext16(t->b, value) : value;
}

IrRef tr_sign_extend(X86Tr *t, unsigned bytes, IrRef value)
{
    return bytes == 1 ? ir_sext8(t->b, value) : bytes == 2 ? ir_sext16(t->b, value) : value;
}

IrRef tr_to_i64(X86Tr *t, IrRef value)
{
    return ir_type(t->b, value) == IR_I64 ? value : ir_zext(t->b, value);
}

IrRef tr_to_i32(X86Tr *t, IrRef value)
{
    return ir_type(t->b, value) == IR_I32 ? value : ir_trunc(t->b, value);
}

/* --- registers --- */

unsigned tr_gpr_number(ZydisRegister reg, bool *is_high)
{
    *is_high = false;
    if (reg >= ZYDIS_REGISTER_AL && reg <= ZYDIS_REGISTER_R15B) {
        unsigned n = reg - ZYDIS_REGISTER_AL;

        *is_high = n >= 4 && n < 8;
        return n < 4 ? n : n - 4;
    }
    if (reg >= ZYDIS_REGISTER_AX && reg <= ZYDIS_REGISTER_R15W) {
        return reg - ZYDIS_REGISTER_AX;
    }
    if (reg >= ZYDIS_REGISTER_EAX && reg <= ZYDIS_REGISTER_R15D) {
        return reg - ZYDIS_REGISTER_EAX;
    }
    assert(reg >= ZYDIS_REGISTER_RAX && reg <= ZYDIS_REGISTER_R15);
    return reg - ZYDIS_REGISTER_RAX;
}

IrRef tr_get_gpr(X86Tr *t, unsigned n, unsigned bytes)
{
    IrRef value = ir_get(t->b, SLOT_RAX + n);

    return bytes == 8 ? value : tr_cut(t, bytes, ir_trunc(t->b, value));
}

void tr_put_gpr(X86Tr *t, unsigned n, unsigned bytes, IrRef value)
{
    if (bytes < 4) {
        value = ir_deposit(t->b, ir_get(t->b, SLOT_RAX + n), tr_to_i64(t, value), 0, 8 * bytes);
    }
    ir_put(t->b, SLOT_RAX + n, tr_to_i64(t, value));
}

static IrRef get_reg(X86Tr *t, ZydisRegister reg, unsigned bytes)
{
    bool is_high;
    unsigned n = tr_gpr_number(reg, &is_high);

    if (is_high) {
        return ir_extract(t->b, ir_trunc(t->b, ir_get(t->b, SLOT_RAX + n)), 8, 8);
    }
    return tr_get_gpr(t, n, bytes);
}

static void put_reg(X86Tr *t, ZydisRegister reg, unsigned bytes, IrRef value)
{
    bool is_high;
    unsigned n = tr_gpr_number(reg, &is_high);

    if (is_high) {
        ir_put(t->b, SLOT_RAX + n, ir_deposit(t->b, ir_get(t->b, SLOT_RAX + n),
                                              tr_to_i64(t, value), 8, 8));
        return;
    }
    tr_put_gpr(t, n, bytes, value);
}

/* --- memory operands --- */

static IrRef cut_address(X86Tr *t, IrRef offset)
{
    return t->in.address_width == 64 ? offset :
           t->in.address_width == 32 ? ir_zext32(t->b, offset) : ir_zext16(t->b, offset);
}

static IrRef address_register(X86Tr *t, ZydisRegister reg)
{
    bool is_high;

    return ir_get(t->b, SLOT_RAX + tr_gpr_number(reg, &is_high));
}

static unsigned log2_of(unsigned scale)
{
    return scale == 8 ? 3 : scale == 4 ? 2 : scale == 2 ? 1 : 0;
}

/* Zydis 4.0 names R13D as base where a SIB byte with a 32-bit address has none. */
static bool has_wrong_base(const X86Tr *t, const ZydisDecodedOperand *op)
{
    return op->mem.base == ZYDIS_REGISTER_R13D && (t->in.attributes & ZYDIS_ATTRIB_HAS_SIB) &&
           t->in.raw.modrm.mod == 0 && (t->in.raw.sib.base & 7) == 5;
}

IrRef tr_offset(X86Tr *t, unsigned n)
{
    const ZydisDecodedOperand *op = tr_op(t, n);
    bool has_base = op->mem.base != ZYDIS_REGISTER_NONE && !has_wrong_base(t, op);
    uint64_t displacement = has_wrong_base(t, op) ? t->in.raw.disp.value : op->mem.disp.value;
    IrRef sum = 0;

    if (op->mem.base == ZYDIS_REGISTER_RIP || op->mem.base == ZYDIS_REGISTER_EIP) {
        return cut_address(t, ir_i64(t->b, t->next_rip + displacement));
    }
    if (has_base) {
        sum = address_register(t, op->mem.base);
    }
    if (op->mem.index != ZYDIS_REGISTER_NONE) {
        IrRef index = address_register(t, op->mem.index);

        index = op->mem.scale > 1
                    ? ir_shl(t->b, index, ir_i64(t->b, log2_of(op->mem.scale))) : index;
        sum = sum ? ir_add(t->b, sum, index) : index;
    }
    if (!sum) {
        return cut_address(t, ir_i64(t->b, displacement));
    }
    if (displacement) {
        sum = ir_add(t->b, sum, ir_i64(t->b, displacement));
    }
    return cut_address(t, sum);
}

unsigned tr_segment(const X86Tr *t, unsigned n)
{
    switch (tr_op(t, n)->mem.segment) {
    case ZYDIS_REGISTER_ES:
        return X86_ES;
    case ZYDIS_REGISTER_CS:
        return X86_CS;
    case ZYDIS_REGISTER_SS:
        return X86_SS;
    case ZYDIS_REGISTER_FS:
        return X86_FS;
    case ZYDIS_REGISTER_GS:
        return X86_GS;
    default:
        return X86_DS;
    }
}

IrRef tr_linear(X86Tr *t, unsigned segment, IrRef offset, unsigned bytes, bool is_write)
{
    if (tr_is_64(t)) {
        return segment < X86_FS ? offset
                                : ir_add(t->b, offset, ir_get(t->b, SLOT_SEG_BASE + segment));
    }
    if ((t->mode & X86_MODE_FLAT) && segment < X86_FS && !(is_write && segment == X86_CS)) {
        return offset;
    }
    ir_call_v(t->b, &x86_helper_check_limit, ir_trunc(t->b, offset),
              ir_i32(t->b, segment | is_write << 8 | bytes << 16));
    return ir_zext32(t->b, ir_add(t->b, offset, ir_get(t->b, SLOT_SEG_BASE + segment)));
}

IrRef tr_address(X86Tr *t, unsigned n, bool is_write)
{
    return tr_linear(t, tr_segment(t, n), tr_offset(t, n), tr_bytes(t, n), is_write);
}

static unsigned log2_bytes(unsigned bytes)
{
    return __builtin_ctz(bytes);
}

IrMem tr_mem(const X86Tr *t, unsigned bytes)
{
    return log2_bytes(bytes) | IR_MEM_MMU(t->mode >> X86_MODE_MMU_SHIFT & 3) |
           (t->mode & X86_MODE_ALIGN ? IR_MEM_ALIGNED : 0);
}

IrRef tr_load(X86Tr *t, unsigned bytes, IrRef linear)
{
    return ir_load(t->b, tr_type(bytes), tr_mem(t, bytes), linear);
}

void tr_store(X86Tr *t, unsigned bytes, IrRef linear, IrRef value)
{
    ir_store(t->b, tr_mem(t, bytes), linear, value);
}

/* --- operands --- */

IrRef tr_read_as(X86Tr *t, unsigned n, unsigned bytes)
{
    const ZydisDecodedOperand *op = tr_op(t, n);

    switch (op->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        return get_reg(t, op->reg.value, bytes);
    case ZYDIS_OPERAND_TYPE_MEMORY:
        return tr_load(t, bytes, tr_linear(t, tr_segment(t, n), tr_offset(t, n), bytes, false));
    default:
        return tr_const(t, bytes, op->imm.is_signed ? (uint64_t)op->imm.value.s
                                                    : op->imm.value.u);
    }
}

IrRef tr_read(X86Tr *t, unsigned n)
{
    return tr_read_as(t, n, tr_bytes(t, n));
}

void tr_write_at(X86Tr *t, unsigned n, IrRef linear, IrRef value)
{
    if (tr_is_mem(t, n)) {
        tr_store(t, tr_bytes(t, n), linear, value);
    } else {
        put_reg(t, tr_op(t, n)->reg.value, tr_bytes(t, n), value);
    }
}

void tr_write(X86Tr *t, unsigned n, IrRef value)
{
    tr_write_at(t, n, tr_is_mem(t, n) ? tr_address(t, n, true) : 0, value);
}

/* --- stack --- */

static unsigned stack_bytes(const X86Tr *t)
{
    return tr_is_64(t) ? 8 : t->mode & X86_MODE_STACK32 ? 4 : 2;
}

IrRef tr_stack_pointer(X86Tr *t, int64_t plus)
{
    IrRef sp = ir_get(t->b, SLOT_RSP);

    sp = plus ? ir_add(t->b, sp, ir_i64(t->b, plus)) : sp;
    return stack_bytes(t) == 8 ? sp : stack_bytes(t) == 4 ? ir_zext32(t->b, sp)
                                                         : ir_zext16(t->b, sp);
}

void tr_put_stack_pointer(X86Tr *t, IrRef value)
{
    tr_put_gpr(t, X86_RSP, stack_bytes(t), stack_bytes(t) == 8 ? value : ir_trunc(t->b, value));
}

void tr_push(X86Tr *t, unsigned bytes, IrRef value)
{
    IrRef sp = tr_stack_pointer(t, -(int64_t)bytes);

    tr_store(t, bytes, tr_linear(t, X86_SS, sp, bytes, true), value);
    tr_put_stack_pointer(t, sp);
}

IrRef tr_top(X86Tr *t, unsigned bytes)
{
    return tr_load(t, bytes, tr_linear(t, X86_SS, tr_stack_pointer(t, 0), bytes, false));
}

void tr_drop(X86Tr *t, uint64_t bytes)
{
    tr_put_stack_pointer(t, tr_stack_pointer(t, bytes));
}

/* --- leaving --- */

uint64_t tr_code_mask(const X86Tr *t, unsigned bytes)
{
    return tr_is_64(t) ? UINT64_MAX : bytes == 2 ? 0xffff : UINT32_MAX;
}

uint64_t tr_pc(const X86Tr *t, uint64_t rip)
{
    return tr_is_64(t) ? rip : (uint32_t)(t->cs_base + rip);
}

IrRef tr_pc_of(X86Tr *t, IrRef rip)
{
    return tr_is_64(t) ? rip : ir_zext32(t->b, ir_add(t->b, rip, ir_i64(t->b, t->cs_base)));
}

void tr_put_rip(X86Tr *t, IrRef rip)
{
    ir_put(t->b, SLOT_PC, tr_pc_of(t, rip));
}

void tr_leave(X86Tr *t)
{
    t->is_ended = t->has_new_rip = true;
    if (!t->is_alone) {
        ir_exit_main(t->b);
    }
}

void tr_leave_next(X86Tr *t)
{
    tr_put_rip(t, ir_i64(t->b, t->next_rip));
    tr_leave(t);
}

void tr_leave_in(X86Tr *t, uint32_t mode)
{
    assert(!t->is_alone);
    ir_st(t->b, IR_MEM_32, offsetof(X86State, mode), 0, ir_i32(t->b, mode));
    tcg_exit_in(t->b, tr_pc(t, t->next_rip), mode);
    t->is_ended = true;
}

/* A guest of ours may be looked at from outside between the two: its shadow is in its state. */
bool tr_can_shadow(X86Tr *t)
{
    uint64_t next = tr_pc(t, t->next_rip), page = UINT64_C(1) << TCG_PAGE_BITS;

    return !t->is_alone && !(t->mode & (X86_MODE_GUEST | X86_MODE_XM)) &&
           (next & (page - 1)) <= page - X86_MOST_INSN_BYTES && !tcg_is_full(t->b, next);
}
