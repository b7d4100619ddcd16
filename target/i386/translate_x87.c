/*
 * x87: one helper, told the opcode. What is translated here is who may run, where the operand is,
 * and what comes back to EFLAGS and AX. SDM volume 1, chapter 8. EMMS is MMX's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"
#include "target/i386/translate_vector.h"

#include "target/i386/exception.h"

static const IrHelper pending = {
    .name = "x87_pending", .fn = x86_help_x87_pending, .arg_count = 0,
    .flags = IR_HELPER_RAISES,
};
static const IrHelper x87_helper = {
    .name = "x87", .fn = x86_help_x87, .result = IR_I32, .arg_count = 3,
    .args = { IR_I32, IR_I64, IR_I32 }, .reads = GROUP_PC, .flags = IR_HELPER_RAISES,
};

void x86_translate_fpu_check(X86Tr *t)
{
    ir_call(t->b, &pending, NULL);
}

static bool x87_ready(X86Tr *t)
{
    bool is_wait = t->in.mnemonic == ZYDIS_MNEMONIC_FWAIT;
    bool is_mmx = t->in.mnemonic == ZYDIS_MNEMONIC_EMMS;
    uint32_t both = X86_MODE_MP | X86_MODE_TS;

    if (is_mmx && (t->mode & X86_MODE_EM)) {
        tr_raise(t, VECTOR_UD);
        return false;
    }
    if (is_wait ? (t->mode & both) == both : t->mode & (X86_MODE_EM | X86_MODE_TS)) {
        tr_raise(t, VECTOR_NM);
        return false;
    }
    return true;
}

enum { WAITS = BIT(0), TO_FLAGS = BIT(1), TO_AX = BIT(2), HAS_CONDITION = BIT(3) };

static uint32_t what(const X86Tr *t)
{
    uint32_t modrm = t->in.raw.modrm.mod << 6 | t->in.raw.modrm.reg << 3 | t->in.raw.modrm.rm;

    return (t->in.opcode & 7u) << 8 | modrm | (t->in.operand_width != 16 ? X86_X87_WIDE : 0) |
           (t->mode & X86_MODE_ALIGN ? X86_X87_ALIGN : 0);
}

/* Of FCMOVcc, by the place of its bit: B, E, BE, U; then their opposites. */
static IrRef condition(X86Tr *t)
{
    static const uint8_t codes[4] = { 2, 4, 6, 10 };
    unsigned code = codes[t->in.raw.modrm.reg & 3] | ((t->in.opcode & 7) == 3 ? 1 : 0);

    return tr_condition_value(t, code);
}

static void x87(X86Tr *t)
{
    bool is_memory = t->in.raw.modrm.mod != 3;
    IrRef linear = ir_i64(t->b, 0), is_true = ir_i32(t->b, 0), result;
    unsigned segment = 0;

    if (t->row->arg & WAITS) {
        x86_translate_fpu_check(t);
    }
    for (unsigned n = 0; is_memory && n < t->in.operand_count_visible; n++) {
        if (tr_is_mem(t, n)) {
            segment = tr_segment(t, n);
            linear = tr_address(t, n, tr_op(t, n)->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE);
        }
    }
    if (t->row->arg & HAS_CONDITION) {
        is_true = condition(t);
    }
    result = ir_call_v(t->b, &x87_helper, ir_i32(t->b, what(t) | segment << X86_X87_SEGMENT), linear,
                       is_true);
    if (t->row->arg & TO_FLAGS) {
        tr_set_flags_word(t, result);
    }
    if ((t->row->arg & TO_AX) && !is_memory) {
        tr_put_gpr(t, X86_RAX, 2, result);
    }
}

static void fwait(X86Tr *t)
{
    x86_translate_fpu_check(t);
}

static void emms(X86Tr *t)
{
    x86_translate_fpu_check(t);
    ir_st(t->b, IR_MEM_8, offsetof(X86State, fpu.top), 0, ir_i32(t->b, 0));
    ir_st(t->b, IR_MEM_8, offsetof(X86State, fpu.valid), 0, ir_i32(t->b, 0));
}

#define PLAIN(name) { ZYDIS_MNEMONIC_##name, x87, WAITS }
#define QUIET(name, arg) { ZYDIS_MNEMONIC_##name, x87, arg }

static const X86Row rows[] = {
    PLAIN(F2XM1), PLAIN(FABS), PLAIN(FADD), PLAIN(FADDP), PLAIN(FBLD), PLAIN(FBSTP), PLAIN(FCHS),
    PLAIN(FCOM), PLAIN(FCOMP), PLAIN(FCOMPP), PLAIN(FCOS), PLAIN(FDECSTP), PLAIN(FDIV),
    PLAIN(FDIVP), PLAIN(FDIVR), PLAIN(FDIVRP), PLAIN(FFREE), PLAIN(FFREEP), PLAIN(FIADD),
    PLAIN(FICOM), PLAIN(FICOMP), PLAIN(FIDIV), PLAIN(FIDIVR), PLAIN(FILD), PLAIN(FIMUL),
    PLAIN(FINCSTP), PLAIN(FIST), PLAIN(FISTP), PLAIN(FISTTP), PLAIN(FISUB), PLAIN(FISUBR),
    PLAIN(FLD), PLAIN(FLD1), PLAIN(FLDCW), PLAIN(FLDENV), PLAIN(FLDL2E), PLAIN(FLDL2T),
    PLAIN(FLDLG2), PLAIN(FLDLN2), PLAIN(FLDPI), PLAIN(FLDZ), PLAIN(FMUL), PLAIN(FMULP),
    PLAIN(FNOP), PLAIN(FPATAN), PLAIN(FPREM), PLAIN(FPREM1), PLAIN(FPTAN), PLAIN(FRNDINT),
    PLAIN(FRSTOR), PLAIN(FSCALE), PLAIN(FSIN), PLAIN(FSINCOS), PLAIN(FSQRT), PLAIN(FST),
    PLAIN(FSTP), PLAIN(FSUB), PLAIN(FSUBP), PLAIN(FSUBR), PLAIN(FSUBRP), PLAIN(FTST),
    PLAIN(FUCOM), PLAIN(FUCOMP), PLAIN(FUCOMPP), PLAIN(FXAM), PLAIN(FXCH), PLAIN(FXTRACT),
    PLAIN(FYL2X), PLAIN(FYL2XP1),
    QUIET(FNCLEX, 0), QUIET(FNINIT, 0), QUIET(FNSAVE, 0), QUIET(FNSTCW, 0), QUIET(FNSTENV, 0),
    QUIET(FNSTSW, TO_AX), QUIET(FENI8087_NOP, 0), QUIET(FDISI8087_NOP, 0),
    QUIET(FSETPM287_NOP, 0),
    QUIET(FCOMI, WAITS | TO_FLAGS), QUIET(FCOMIP, WAITS | TO_FLAGS),
    QUIET(FUCOMI, WAITS | TO_FLAGS), QUIET(FUCOMIP, WAITS | TO_FLAGS),
    QUIET(FCMOVB, WAITS | HAS_CONDITION), QUIET(FCMOVBE, WAITS | HAS_CONDITION),
    QUIET(FCMOVE, WAITS | HAS_CONDITION), QUIET(FCMOVU, WAITS | HAS_CONDITION),
    QUIET(FCMOVNB, WAITS | HAS_CONDITION), QUIET(FCMOVNBE, WAITS | HAS_CONDITION),
    QUIET(FCMOVNE, WAITS | HAS_CONDITION), QUIET(FCMOVNU, WAITS | HAS_CONDITION),
    { ZYDIS_MNEMONIC_FWAIT, fwait }, { ZYDIS_MNEMONIC_EMMS, emms },
};
const X86Rows x86_rows_x87 = { rows, ARRAY_SIZE(rows), x87_ready };
