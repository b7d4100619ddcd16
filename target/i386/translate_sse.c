/*
 * Floating-point vectors: SSE, SSE2, SSE3, SSE4.1 and their VEX forms; conversions, MXCSR. SDM
 * volume 1, chapters 10 to 12. Rounding and sticky flags are the host's: guest code runs with the
 * guest's MXCSR.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"
#include "target/i386/translate_vector.h"

static IrRef vec(X86Tr *t, IrVec op, IrRef x, IrRef y)
{
    return ir_vec(t->b, op, IR_V128, x, y, 0, 0);
}

static unsigned last_immediate(const X86Tr *t)
{
    return t->ops[t->in.operand_count_visible - 1].imm.value.u & 0xff;
}

/* --- moves of parts --- */

static IrRef low_quad(X86Tr *t, IrRef x)
{
    return ir_vec(t->b, IR_V_MOVQ_R, IR_V128, x, 0, 0, 0);
}

static IrRef high_quad(X86Tr *t, IrRef x)
{
    return ir_vec(t->b, IR_V_PEXTRQ, IR_V128, x, 0, 0, 1);
}

static IrRef with_quad(X86Tr *t, IrRef x, IrRef quad, unsigned half)
{
    return ir_vec(t->b, IR_V_PINSRQ, IR_V128, x, quad, 0, half);
}

/* MOVLPS, MOVLPD, MOVHPS, MOVHPD; arg: the half. */
static void move_half(X86Tr *t)
{
    unsigned half = t->row->arg, first = tr_first_source(t);
    IrRef x, quad;

    if (tr_is_mem(t, 0)) {
        x = tr_read_vec(t, 1, IR_V128);
        tr_store(t, 8, tr_address(t, 0, true), half ? high_quad(t, x) : low_quad(t, x));
        return;
    }
    quad = tr_load(t, 8, tr_address(t, first + 1, false));
    tr_set_vec(t, with_quad(t, tr_read_vec(t, first, IR_V128), quad, half));
}

/* MOVSS, MOVSD. */
static void move_scalar(X86Tr *t)
{
    IrVec op = t->row->arg;
    unsigned bytes = op == IR_V_MOVSS ? 4 : 8, last = t->in.operand_count_visible - 1;
    IrRef x;

    if (tr_is_mem(t, 0)) {
        x = tr_read_vec(t, 1, IR_V128);
        x = ir_vec(t->b, bytes == 8 ? IR_V_MOVQ_R : IR_V_MOVD_R, IR_V128, x, 0, 0, 0);
        tr_store(t, bytes, tr_address(t, 0, true), x);
    } else if (tr_is_mem(t, last)) {
        tr_set_vec(t, tr_load_vec(t, bytes, tr_address(t, last, false)));
    } else {
        tr_set_vec(t, vec(t, op, tr_read_vec(t, last - 1, IR_V128),
                          tr_read_vec(t, last, IR_V128)));
    }
}

/* MOVDDUP of 128 bits reads eight bytes, of 256 all. */
static void movddup(X86Tr *t)
{
    IrType type = tr_vec_type(t);

    tr_set_vec(t, ir_vec(t->b, IR_V_MOVDDUP, type, tr_read_vec(t, 1, type), 0, 0, 0));
}

static void move_nontemporal(X86Tr *t)
{
    static const X86Row row = { .arg = true };

    t->row = &row;
    tr_vec_move(t);
}

/* --- conversions --- */

/* Of two sources where the SSE form has the destination as the first. */
static void convert_scalar(X86Tr *t)
{
    unsigned first = tr_first_source(t);
    IrRef y = tr_read_vec(t, first + 1, IR_V128), x = tr_read_vec(t, first, IR_V128);

    tr_set_vec(t, vec(t, t->row->arg, x, y));
}

static void convert_from_int(X86Tr *t)
{
    bool is_double = t->row->arg;
    unsigned first = tr_first_source(t), bytes = tr_bytes(t, first + 1);
    IrRef value = tr_read(t, first + 1), x = tr_read_vec(t, first, IR_V128);
    IrVec op = is_double ? (bytes == 8 ? IR_V_CVTSI2SD_Q : IR_V_CVTSI2SD)
                         : (bytes == 8 ? IR_V_CVTSI2SS_Q : IR_V_CVTSI2SS);

    tr_set_vec(t, ir_vec(t->b, op, IR_V128, x, value, 0, 0));
}

/* arg: the 32-bit form; the 64-bit one is next in the list of operations. */
static void convert_to_int(X86Tr *t)
{
    IrVec op = t->row->arg + (tr_bytes(t, 0) == 8 ? 1 : 0);

    tr_write(t, 0, ir_vec(t->b, op, IR_V128, tr_read_vec(t, 1, IR_V128), 0, 0, 0));
}

/* CVTPD2PS and its kin: half as wide. */
static void convert_narrow(X86Tr *t)
{
    IrType type = tr_bytes(t, 1) == 32 ? IR_V256 : IR_V128;

    tr_set_vec(t, ir_vec(t->b, t->row->arg, type, tr_read_vec(t, 1, type), 0, 0, 0));
}

/* CVTPI2PS, CVTPI2PD: from MMX or memory. */
static void convert_from_mmx(X86Tr *t)
{
    bool is_double = t->row->arg;
    IrRef x, y;

    if (tr_is_mmx(t, 1)) {
        tr_enter_mmx(t);
    }
    y = tr_read_vec(t, 1, IR_V128);
    if (is_double) {
        tr_set_vec(t, vec(t, IR_V_CVTDQ2PD, y, 0));
        return;
    }
    x = tr_read_vec(t, 0, IR_V128);
    tr_set_vec(t, with_quad(t, x, low_quad(t, vec(t, IR_V_CVTDQ2PS, y, 0)), 0));
}

/* CVTPS2PI, CVTTPS2PI, CVTPD2PI, CVTTPD2PI. */
static void convert_to_mmx(X86Tr *t)
{
    IrRef x;

    tr_enter_mmx(t);
    x = tr_read_vec(t, 1, IR_V128);
    if (t->row->arg == IR_V_CVTPS2DQ || t->row->arg == IR_V_CVTTPS2DQ) {
        /* The upper two lanes do not count, nor may they raise flags. */
        x = vec(t, IR_V_MOVQ, x, 0);
    }
    tr_set_vec(t, vec(t, t->row->arg, x, 0));
}

static void cvtps2ph(X86Tr *t)
{
    IrType type = tr_vec_type(t);
    IrRef x = ir_vec(t->b, IR_V_CVTPS2PH, type, tr_read_vec(t, 1, type), 0, 0,
                     last_immediate(t));

    if (!tr_is_mem(t, 0)) {
        tr_set_vec(t, x);
    } else if (type == IR_V256) {
        ir_store(t->b, tr_mem(t, 16) & ~IR_MEM_ALIGNED, tr_address(t, 0, true), x);
    } else {
        tr_store(t, 8, tr_address(t, 0, true), low_quad(t, x));
    }
}

/* --- scalars with one source: the rest is the destination's --- */

static void unary_scalar(X86Tr *t)
{
    unsigned last = t->in.operand_count_visible - 1;
    IrRef y = tr_read_vec(t, last, IR_V128), x = tr_read_vec(t, last - 1, IR_V128);

    tr_set_vec(t, vec(t, t->row->arg, x, y));
}

/* RSQRTSS is there of all lanes only: the lowest is taken. */
static void rsqrtss(X86Tr *t)
{
    unsigned last = t->in.operand_count_visible - 1;
    IrRef y = vec(t, IR_V_RSQRTPS, tr_read_vec(t, last, IR_V128), 0);

    tr_set_vec(t, vec(t, IR_V_MOVSS, tr_read_vec(t, last - 1, IR_V128), y));
}

static void round_scalar(X86Tr *t)
{
    unsigned last = t->in.operand_count_visible - 2;
    IrRef y = tr_read_vec(t, last, IR_V128), x = tr_read_vec(t, last - 1, IR_V128);

    tr_set_vec(t, ir_vec(t->b, t->row->arg, IR_V128, x, y, 0, last_immediate(t)));
}

/* INSERTPS: from memory its source is the one element. */
static void insertps(X86Tr *t)
{
    unsigned first = tr_first_source(t), imm = last_immediate(t);
    IrRef y = tr_read_vec(t, first + 1, IR_V128), x = tr_read_vec(t, first, IR_V128);

    imm &= tr_is_mem(t, first + 1) ? 0x3f : 0xff;
    tr_set_vec(t, ir_vec(t->b, IR_V_INSERTPS, IR_V128, x, y, 0, imm));
}

/* Eight conditions; with VEX 32. */
static void compare_vectors(X86Tr *t)
{
    IrType type = tr_vec_type(t);
    unsigned first = tr_first_source(t), imm = last_immediate(t) & (tr_is_vex(t) ? 31 : 7);
    IrRef y = tr_read_vec(t, first + 1, type), x = tr_read_vec(t, first, type);

    tr_set_vec(t, ir_vec(t->b, t->row->arg, type, x, y, 0, imm));
}

/* --- MXCSR --- */

static const IrHelper load_mxcsr = {
    .name = "ldmxcsr", .fn = x86_help_ldmxcsr, .arg_count = 1, .args = { IR_I32 },
    .reads = GROUP_VECTORS, .flags = IR_HELPER_RAISES,
};
static const IrHelper store_mxcsr = {
    .name = "stmxcsr", .fn = x86_help_stmxcsr, .result = IR_I32, .arg_count = 0,
    .reads = GROUP_VECTORS,
};

static void ldmxcsr(X86Tr *t)
{
    ir_call_v(t->b, &load_mxcsr, tr_read(t, 0));
    tr_leave_next(t);
}

static void stmxcsr(X86Tr *t)
{
    tr_write(t, 0, ir_call(t->b, &store_mxcsr, NULL));
}

/* MOVSD, CMPSD: the string instructions' names. */
void x86_translate_sse_scalar(X86Tr *t)
{
    static const X86Row mov = { .arg = IR_V_MOVSD }, cmp = { .arg = IR_V_CMPSD };

    if (!tr_vec_ready(t)) {
        return;
    }
    if (t->in.mnemonic == ZYDIS_MNEMONIC_MOVSD) {
        t->row = &mov;
        move_scalar(t);
    } else {
        t->row = &cmp;
        compare_vectors(t);
    }
}

#define MOVE(name, is_aligned) { ZYDIS_MNEMONIC_##name, tr_vec_move, is_aligned },                 \
                               { ZYDIS_MNEMONIC_V##name, tr_vec_move, is_aligned }
#define RVM(name) VEC_BOTH(name, tr_vec_rvm)
#define FOUR(name) RVM(name##PS), RVM(name##PD), RVM(name##SS), RVM(name##SD)
#define BOTH_AS(name, fn, arg) { ZYDIS_MNEMONIC_##name, fn, arg }, { ZYDIS_MNEMONIC_V##name, fn, arg }

static const X86Row rows[] = {
    MOVE(MOVAPS, true), MOVE(MOVAPD, true), MOVE(MOVUPS, false), MOVE(MOVUPD, false),
    BOTH_AS(MOVNTPS, move_nontemporal, 0), BOTH_AS(MOVNTPD, move_nontemporal, 0),
    BOTH_AS(MOVLPS, move_half, 0), BOTH_AS(MOVLPD, move_half, 0),
    BOTH_AS(MOVHPS, move_half, 1), BOTH_AS(MOVHPD, move_half, 1),
    RVM(MOVLHPS), RVM(MOVHLPS),
    { ZYDIS_MNEMONIC_VMOVSD, move_scalar, IR_V_MOVSD }, BOTH_AS(MOVSS, move_scalar, IR_V_MOVSS),
    VEC_BOTH(MOVSHDUP, tr_vec_rm), VEC_BOTH(MOVSLDUP, tr_vec_rm), VEC_BOTH(MOVDDUP, movddup),
    FOUR(ADD), FOUR(SUB), FOUR(MUL), FOUR(DIV), FOUR(MIN), FOUR(MAX),
    RVM(ANDPS), RVM(ANDPD), RVM(ANDNPS), RVM(ANDNPD), RVM(ORPS), RVM(ORPD), RVM(XORPS),
    RVM(XORPD), RVM(UNPCKLPS), RVM(UNPCKLPD), RVM(UNPCKHPS), RVM(UNPCKHPD),
    RVM(HADDPS), RVM(HADDPD), RVM(HSUBPS), RVM(HSUBPD), RVM(ADDSUBPS), RVM(ADDSUBPD),
    VEC_BOTH(SQRTPS, tr_vec_rm), VEC_BOTH(SQRTPD, tr_vec_rm), VEC_BOTH(SQRTSS, unary_scalar),
    VEC_BOTH(SQRTSD, unary_scalar), VEC_BOTH(RSQRTPS, tr_vec_rm), VEC_BOTH(RCPPS, tr_vec_rm),
    VEC_BOTH(RCPSS, unary_scalar), BOTH_AS(RSQRTSS, rsqrtss, 0),
    VEC_BOTH(CMPPS, compare_vectors), VEC_BOTH(CMPPD, compare_vectors),
    VEC_BOTH(CMPSS, compare_vectors), { ZYDIS_MNEMONIC_VCMPSD, compare_vectors, IR_V_CMPSD },
    VEC_BOTH(SHUFPS, tr_vec_rvmi), VEC_BOTH(SHUFPD, tr_vec_rvmi), VEC_BOTH(BLENDPS, tr_vec_rvmi),
    VEC_BOTH(BLENDPD, tr_vec_rvmi), VEC_BOTH(DPPS, tr_vec_rvmi), VEC_BOTH(DPPD, tr_vec_rvmi),
    VEC_BOTH(ROUNDPS, tr_vec_rmi), VEC_BOTH(ROUNDPD, tr_vec_rmi),
    VEC_BOTH(ROUNDSS, round_scalar), VEC_BOTH(ROUNDSD, round_scalar),
    BOTH_AS(INSERTPS, insertps, 0),
    VEC_BOTH(COMISS, tr_vec_compare), VEC_BOTH(COMISD, tr_vec_compare),
    VEC_BOTH(UCOMISS, tr_vec_compare), VEC_BOTH(UCOMISD, tr_vec_compare),
    VEC_BOTH(MOVMSKPS, tr_vec_to_gpr), VEC_BOTH(MOVMSKPD, tr_vec_to_gpr),
    VEC_BOTH(CVTDQ2PS, tr_vec_rm), VEC_BOTH(CVTPS2DQ, tr_vec_rm), VEC_BOTH(CVTTPS2DQ, tr_vec_rm),
    VEC_BOTH(CVTDQ2PD, tr_vec_rx), VEC_BOTH(CVTPS2PD, tr_vec_rx),
    VEC_BOTH(CVTPD2PS, convert_narrow), VEC_BOTH(CVTPD2DQ, convert_narrow),
    VEC_BOTH(CVTTPD2DQ, convert_narrow),
    VEC_BOTH(CVTSS2SD, convert_scalar), VEC_BOTH(CVTSD2SS, convert_scalar),
    BOTH_AS(CVTSI2SS, convert_from_int, false), BOTH_AS(CVTSI2SD, convert_from_int, true),
    BOTH_AS(CVTSS2SI, convert_to_int, IR_V_CVTSS2SI),
    BOTH_AS(CVTSD2SI, convert_to_int, IR_V_CVTSD2SI),
    BOTH_AS(CVTTSS2SI, convert_to_int, IR_V_CVTTSS2SI),
    BOTH_AS(CVTTSD2SI, convert_to_int, IR_V_CVTTSD2SI),
    { ZYDIS_MNEMONIC_CVTPI2PS, convert_from_mmx, false },
    { ZYDIS_MNEMONIC_CVTPI2PD, convert_from_mmx, true },
    { ZYDIS_MNEMONIC_CVTPS2PI, convert_to_mmx, IR_V_CVTPS2DQ },
    { ZYDIS_MNEMONIC_CVTTPS2PI, convert_to_mmx, IR_V_CVTTPS2DQ },
    { ZYDIS_MNEMONIC_CVTPD2PI, convert_to_mmx, IR_V_CVTPD2DQ },
    { ZYDIS_MNEMONIC_CVTTPD2PI, convert_to_mmx, IR_V_CVTTPD2DQ },
    VEC_VEX(CVTPH2PS, tr_vec_rx), { ZYDIS_MNEMONIC_VCVTPS2PH, cvtps2ph },
    BOTH_AS(LDMXCSR, ldmxcsr, 0), BOTH_AS(STMXCSR, stmxcsr, 0),
};
const X86Rows x86_rows_sse = { rows, ARRAY_SIZE(rows), tr_vec_ready };
