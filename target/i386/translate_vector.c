/*
 * Vector operands, and instructions that are one operation on them: see translate_vector.h.
 *
 * MMX forms work on the low half of a 128-bit value; those whose halves do not fall together that
 * way (unpack high, pack, horizontal) are arranged so that they do.
 *
 * Left out: unmasked exceptions of SSE (#XM): flags are gathered, nothing is raised.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/translate_vector.h"

#include "target/i386/exception.h"
#include "target/i386/helpers.h"

/* --- may it run --- */

static bool is_mmx(const X86Tr *t)
{
    return tr_is_mmx(t, 0) || (t->in.operand_count_visible > 1 && tr_is_mmx(t, 1));
}

static bool raise_not_ready(X86Tr *t, unsigned vector)
{
    tr_raise(t, vector);
    return false;
}

bool tr_vec_ready(X86Tr *t)
{
    bool is_vex = tr_is_vex(t);

    if (is_vex ? !(t->mode & X86_MODE_AVX) || !tr_is_protected(t)
               : (t->mode & X86_MODE_EM) || (!is_mmx(t) && !(t->mode & X86_MODE_SSE))) {
        return raise_not_ready(t, VECTOR_UD);
    }
    return !(t->mode & X86_MODE_TS) || raise_not_ready(t, VECTOR_NM);
}

/* --- registers --- */

unsigned tr_vec_number(ZydisRegister reg)
{
    return reg >= ZYDIS_REGISTER_YMM0 && reg <= ZYDIS_REGISTER_YMM31 ? reg - ZYDIS_REGISTER_YMM0
                                                                     : reg - ZYDIS_REGISTER_XMM0;
}

unsigned tr_first_source(const X86Tr *t)
{
    return tr_is_vex(t) ? 1 : 0;
}

IrRef tr_zero_vec(X86Tr *t, IrType type)
{
    static const uint8_t zero[32];

    return ir_vconst(t->b, type, zero);
}

IrRef tr_get_vec(X86Tr *t, unsigned n, IrType type)
{
    IrRef low = ir_get(t->b, SLOT_XMM + n);

    return type == IR_V256 ? ir_vconcat(t->b, low, ir_get(t->b, SLOT_YMM_HIGH + n)) : low;
}

void tr_put_vec(X86Tr *t, unsigned n, IrRef value)
{
    if (ir_type(t->b, value) == IR_V256) {
        ir_put(t->b, SLOT_XMM + n, ir_vlow(t->b, value));
        ir_put(t->b, SLOT_YMM_HIGH + n, ir_vhigh(t->b, value));
        return;
    }
    ir_put(t->b, SLOT_XMM + n, value);
    if (tr_is_vex(t)) {
        ir_put(t->b, SLOT_YMM_HIGH + n, tr_zero_vec(t, IR_V128));
    }
}

/* --- MMX --- */

static uint32_t mmx_offset(unsigned n)
{
    return offsetof(X86State, fpu.reg[0].significand) + n * sizeof(X86Extended);
}

IrRef tr_get_mmx(X86Tr *t, unsigned n)
{
    IrRef bits = ir_ld(t->b, IR_I64, IR_MEM_64, mmx_offset(n), 0);

    return ir_vec(t->b, IR_V_MOVQ_G, IR_V128, bits, 0, 0, 0);
}

void tr_put_mmx(X86Tr *t, unsigned n, IrRef value)
{
    IrRef bits = ir_vec(t->b, IR_V_MOVQ_R, IR_V128, value, 0, 0, 0);

    ir_st(t->b, IR_MEM_64, mmx_offset(n), 0, bits);
    ir_st(t->b, IR_MEM_16, mmx_offset(n) + 8, 0, ir_i32(t->b, 0xffff));
}

void tr_enter_mmx(X86Tr *t)
{
    x86_translate_fpu_check(t);
    t->uses_mmx = true;
}

void tr_leave_mmx(X86Tr *t)
{
    ir_st(t->b, IR_MEM_8, offsetof(X86State, fpu.top), 0, ir_i32(t->b, 0));
    ir_st(t->b, IR_MEM_8, offsetof(X86State, fpu.valid), 0, ir_i32(t->b, 0xff));
}

static unsigned mmx_number(const X86Tr *t, unsigned n)
{
    return tr_op(t, n)->reg.value - ZYDIS_REGISTER_MM0;
}

/* --- operands --- */

IrRef tr_load_vec(X86Tr *t, unsigned bytes, IrRef linear)
{
    IrRef value;

    if (bytes == 32 || bytes == 16) {
        return ir_load(t->b, bytes == 32 ? IR_V256 : IR_V128, tr_mem(t, bytes) & ~IR_MEM_ALIGNED,
                       linear);
    }
    value = tr_load(t, bytes, linear);
    return ir_vec(t->b, bytes == 8 ? IR_V_MOVQ_G : IR_V_MOVD_G, IR_V128, value, 0, 0, 0);
}

/* SSE wants its 16-byte operands aligned, but for the instructions made to load anything, and under MXCSR.MM. */
static bool wants_alignment(const X86Tr *t, unsigned bytes)
{
    return !tr_is_vex(t) && bytes == 16 && !(t->mode & X86_MODE_MM);
}

static IrRef load_operand(X86Tr *t, unsigned n)
{
    unsigned bytes = tr_bytes(t, n);
    IrRef linear = tr_address(t, n, false);

    if (wants_alignment(t, bytes)) {
        return ir_load(t->b, IR_V128, tr_mem(t, 16) | IR_MEM_ALIGNED, linear);
    }
    return tr_load_vec(t, bytes, linear);
}

IrRef tr_read_vec(X86Tr *t, unsigned n, IrType type)
{
    if (tr_is_mem(t, n)) {
        return load_operand(t, n);
    }
    return tr_is_mmx(t, n) ? tr_get_mmx(t, mmx_number(t, n))
                           : tr_get_vec(t, tr_vec_number(tr_op(t, n)->reg.value), type);
}

void tr_write_vec(X86Tr *t, unsigned n, IrRef value)
{
    if (tr_is_mmx(t, n)) {
        tr_put_mmx(t, mmx_number(t, n), value);
    } else {
        tr_put_vec(t, tr_vec_number(tr_op(t, n)->reg.value), value);
    }
}

void tr_set_vec(X86Tr *t, IrRef value)
{
    tr_write_vec(t, 0, value);
}

static unsigned immediate(const X86Tr *t)
{
    return t->ops[t->in.operand_count_visible - 1].imm.value.u & 0xff;
}

static IrRef vec2(X86Tr *t, IrVec op, IrRef x, IrRef y)
{
    return ir_vec(t->b, op, ir_type(t->b, x), x, y, 0, 0);
}

/* --- MMX forms of two operands --- */

/* Both operands side by side in one value, the first one below. */
static IrRef side_by_side(X86Tr *t, IrRef x, IrRef y)
{
    return vec2(t, IR_V_PUNPCKLQDQ, x, y);
}

static IrRef upper_half(X86Tr *t, IrRef x)
{
    return ir_vec(t->b, IR_V_PSRLDQ_I, IR_V128, x, 0, 0, 8);
}

static IrRef mmx_shuffle(X86Tr *t, IrRef x, IrRef y)
{
    static const uint8_t mask[16] = { 0x87, 0x87, 0x87, 0x87, 0x87, 0x87, 0x87, 0x87 };

    return vec2(t, IR_V_PSHUFB, x, vec2(t, IR_V_PAND, y, ir_vconst(t->b, IR_V128, mask)));
}

static IrRef mmx_rvm(X86Tr *t, IrVec op, IrRef x, IrRef y)
{
    IrRef both;

    switch (op) {
    case IR_V_PUNPCKHBW:
        return upper_half(t, vec2(t, IR_V_PUNPCKLBW, x, y));
    case IR_V_PUNPCKHWD:
        return upper_half(t, vec2(t, IR_V_PUNPCKLWD, x, y));
    case IR_V_PUNPCKHDQ:
        return upper_half(t, vec2(t, IR_V_PUNPCKLDQ, x, y));
    case IR_V_PSHUFB:
        return mmx_shuffle(t, x, y);
    case IR_V_PACKSSWB:
    case IR_V_PACKUSWB:
    case IR_V_PACKSSDW:
    case IR_V_PHADDW:
    case IR_V_PHADDD:
    case IR_V_PHADDSW:
    case IR_V_PHSUBW:
    case IR_V_PHSUBD:
    case IR_V_PHSUBSW:
        both = side_by_side(t, x, y);
        return vec2(t, op, both, both);
    default:
        return vec2(t, op, x, y);
    }
}

/* --- shapes --- */

void tr_vec_rvm(X86Tr *t)
{
    IrVec op = t->row->arg;
    IrType type = tr_vec_type(t);
    unsigned first = tr_first_source(t);
    IrRef x, y;

    if (tr_is_mmx(t, 0)) {
        tr_enter_mmx(t);
        y = tr_read_vec(t, 1, IR_V128);
        x = tr_read_vec(t, 0, IR_V128);
        tr_set_vec(t, mmx_rvm(t, op, x, y));
        return;
    }
    y = tr_read_vec(t, first + 1, type);
    x = tr_read_vec(t, first, type);
    tr_set_vec(t, vec2(t, op, x, y));
}

void tr_vec_rvmi(X86Tr *t)
{
    IrType type = tr_vec_type(t);
    unsigned first = tr_first_source(t);
    IrRef y, x;

    if (tr_is_mmx(t, 0)) {
        tr_enter_mmx(t);
    }
    y = tr_read_vec(t, first + 1, type);
    x = tr_read_vec(t, first, type);
    if (tr_is_mmx(t, 0)) { /* PALIGNR */
        tr_set_vec(t, ir_vec(t->b, IR_V_PSRLDQ_I, IR_V128, side_by_side(t, y, x), 0, 0,
                             MIN(immediate(t), 16)));
        return;
    }
    tr_set_vec(t, ir_vec(t->b, t->row->arg, type, x, y, 0, immediate(t)));
}

void tr_vec_rm(X86Tr *t)
{
    IrType type = tr_vec_type(t);

    if (tr_is_mmx(t, 0)) {
        tr_enter_mmx(t);
    }
    tr_set_vec(t, ir_vec(t->b, t->row->arg, type, tr_read_vec(t, 1, type), 0, 0, 0));
}

void tr_vec_rmi(X86Tr *t)
{
    IrType type = tr_vec_type(t);

    tr_set_vec(t, ir_vec(t->b, t->row->arg, type, tr_read_vec(t, 1, type), 0, 0, immediate(t)));
}

void tr_vec_rx(X86Tr *t)
{
    IrRef x = tr_read_vec(t, 1, IR_V128);

    if (ir_type(t->b, x) == IR_V256) {
        x = ir_vlow(t->b, x);
    }
    tr_set_vec(t, ir_vec(t->b, t->row->arg, tr_vec_type(t), x, 0, 0, 0));
}

/* The form with an immediate of a shift by register. */
static IrVec immediate_form(IrVec op)
{
    static const struct { IrVec by_register, by_immediate; } forms[] = {
        { IR_V_PSRLW, IR_V_PSRLW_I }, { IR_V_PSRLD, IR_V_PSRLD_I }, { IR_V_PSRLQ, IR_V_PSRLQ_I },
        { IR_V_PSRAW, IR_V_PSRAW_I }, { IR_V_PSRAD, IR_V_PSRAD_I }, { IR_V_PSLLW, IR_V_PSLLW_I },
        { IR_V_PSLLD, IR_V_PSLLD_I }, { IR_V_PSLLQ, IR_V_PSLLQ_I },
    };

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        if (forms[i].by_register == op) {
            return forms[i].by_immediate;
        }
    }
    return op; /* PSLLDQ, PSRLDQ: there is no other */
}

void tr_vec_shift(X86Tr *t)
{
    IrVec op = t->row->arg;
    IrType type = tr_vec_type(t);
    unsigned first = tr_first_source(t), last = t->in.operand_count_visible - 1;
    IrRef count, x;

    if (tr_is_mmx(t, 0)) {
        tr_enter_mmx(t);
    }
    if (tr_is_imm(t, last)) {
        x = tr_read_vec(t, first, type);
        tr_set_vec(t, ir_vec(t->b, immediate_form(op), type, x, 0, 0, immediate(t)));
        return;
    }
    count = tr_read_vec(t, last, IR_V128);
    x = tr_read_vec(t, first, type);
    tr_set_vec(t, ir_vec(t->b, op, type, x, count, 0, 0));
}

/* MOVAPS and its kin; arg: the memory operand must be aligned. */
void tr_vec_move(X86Tr *t)
{
    IrType type = tr_vec_type(t);
    unsigned bytes = type == IR_V256 ? 32 : 16;
    IrMem mem = (tr_mem(t, bytes) & ~IR_MEM_ALIGNED) | (t->row->arg ? IR_MEM_ALIGNED : 0);

    if (tr_is_mem(t, 0)) {
        ir_store(t->b, mem, tr_address(t, 0, true), tr_read_vec(t, 1, type));
    } else if (tr_is_mem(t, 1)) {
        tr_set_vec(t, ir_load(t->b, type, mem, tr_address(t, 1, false)));
    } else {
        tr_set_vec(t, tr_read_vec(t, 1, type));
    }
}

void tr_vec_to_gpr(X86Tr *t)
{
    IrType type = tr_vec_type(t);
    IrRef x = tr_read_vec(t, 1, type), value = ir_vec(t->b, t->row->arg, type, x, 0, 0, 0);

    tr_write(t, 0, tr_bytes(t, 0) == 8 ? tr_to_i64(t, value) : tr_to_i32(t, value));
}

void tr_vec_compare(X86Tr *t)
{
    IrType type = tr_vec_type(t);
    IrRef y = tr_read_vec(t, 1, type), x = tr_read_vec(t, 0, type);

    tr_set_flags_word(t, ir_vec(t->b, t->row->arg, type, x, y, 0, 0));
}
