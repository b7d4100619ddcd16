/*
 * Instructions of the secure virtual machine, and for all others: a look at what a guest's VMCB
 * intercepts, before them, once what they raise by themselves has been seen to. AMD APM volume 2,
 * 15.9 and 15.32.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

#include "target/i386/helpers.h"
#include "target/i386/svm.h"

/* --- intercepts --- */

#define CHECK .reads = GROUP_ALL, .flags = IR_HELPER_RAISES

static const IrHelper check_helper = {
    .name = "svm_check", .fn = x86_help_svm_check, .arg_count = 3,
    .args = { IR_I32, IR_I64, IR_I64 }, CHECK,
};
static const IrHelper check_register = {
    .name = "svm_check_register", .fn = x86_help_svm_check_register, .arg_count = 3,
    .args = { IR_I32, IR_I64, IR_I64 }, CHECK,
};
static const IrHelper check_msr = {
    .name = "svm_check_msr", .fn = x86_help_svm_check_msr, .arg_count = 2,
    .args = { IR_I32, IR_I64 }, CHECK,
};
static const IrHelper check_port = {
    .name = "svm_check_port", .fn = x86_help_svm_check_port, .arg_count = 3,
    .args = { IR_I32, IR_I32, IR_I64 }, CHECK,
};

/* An instruction with an intercept of its own. */
typedef struct InterceptRow {
    ZydisMnemonic mnemonic;
    uint8_t bit;
    bool needs_cpl0;      /* else #GP comes first */
} InterceptRow;

static const InterceptRow intercept_rows[] = {
    { ZYDIS_MNEMONIC_SIDT, SVM_IDTR_READ }, { ZYDIS_MNEMONIC_SGDT, SVM_GDTR_READ },
    { ZYDIS_MNEMONIC_SLDT, SVM_LDTR_READ }, { ZYDIS_MNEMONIC_STR, SVM_TR_READ },
    { ZYDIS_MNEMONIC_LIDT, SVM_IDTR_WRITE, true }, { ZYDIS_MNEMONIC_LGDT, SVM_GDTR_WRITE, true },
    { ZYDIS_MNEMONIC_LLDT, SVM_LDTR_WRITE, true }, { ZYDIS_MNEMONIC_LTR, SVM_TR_WRITE, true },
    { ZYDIS_MNEMONIC_RDTSC, SVM_RDTSC }, { ZYDIS_MNEMONIC_RDPMC, SVM_RDPMC },
    { ZYDIS_MNEMONIC_PUSHF, SVM_PUSHF }, { ZYDIS_MNEMONIC_PUSHFD, SVM_PUSHF },
    { ZYDIS_MNEMONIC_PUSHFQ, SVM_PUSHF }, { ZYDIS_MNEMONIC_POPF, SVM_POPF },
    { ZYDIS_MNEMONIC_POPFD, SVM_POPF }, { ZYDIS_MNEMONIC_POPFQ, SVM_POPF },
    { ZYDIS_MNEMONIC_CPUID, SVM_CPUID }, { ZYDIS_MNEMONIC_RSM, SVM_RSM },
    { ZYDIS_MNEMONIC_IRET, SVM_IRET }, { ZYDIS_MNEMONIC_IRETD, SVM_IRET },
    { ZYDIS_MNEMONIC_IRETQ, SVM_IRET }, { ZYDIS_MNEMONIC_INVD, SVM_INVD, true },
    { ZYDIS_MNEMONIC_PAUSE, SVM_PAUSE }, { ZYDIS_MNEMONIC_HLT, SVM_HLT, true },
    { ZYDIS_MNEMONIC_INVLPGA, SVM_INVLPGA, true }, { ZYDIS_MNEMONIC_RDTSCP, SVM_RDTSCP },
    { ZYDIS_MNEMONIC_WBINVD, SVM_WBINVD, true }, { ZYDIS_MNEMONIC_MONITOR, SVM_MONITOR, true },
    { ZYDIS_MNEMONIC_MWAIT, SVM_MWAIT, true }, { ZYDIS_MNEMONIC_XSETBV, SVM_XSETBV, true },
    { ZYDIS_MNEMONIC_INT1, SVM_ICEBP }, { ZYDIS_MNEMONIC_VMRUN, SVM_VMRUN, true },
    { ZYDIS_MNEMONIC_VMMCALL, SVM_VMMCALL }, { ZYDIS_MNEMONIC_VMLOAD, SVM_VMLOAD, true },
    { ZYDIS_MNEMONIC_VMSAVE, SVM_VMSAVE, true }, { ZYDIS_MNEMONIC_STGI, SVM_STGI, true },
    { ZYDIS_MNEMONIC_CLGI, SVM_CLGI, true }, { ZYDIS_MNEMONIC_SKINIT, SVM_SKINIT, true },
};

static void check(X86Tr *t, unsigned bit, IrRef info1)
{
    ir_call_v(t->b, &check_helper, ir_i32(t->b, bit), info1, ir_i64(t->b, t->next_rip));
}

/* MOV to and from CRn and DRn; SMSW, LMSW and CLTS are of CR0 too. */
static void check_move(X86Tr *t)
{
    bool is_debug = t->in.mnemonic == ZYDIS_MNEMONIC_MOV &&
                    (ZydisRegisterGetClass(tr_op(t, 0)->reg.value) == ZYDIS_REGCLASS_DEBUG ||
                     ZydisRegisterGetClass(tr_op(t, 1)->reg.value) == ZYDIS_REGCLASS_DEBUG);
    ZydisRegister first = is_debug ? ZYDIS_REGISTER_DR0 : ZYDIS_REGISTER_CR0;
    unsigned n = 0, gpr = X86_SVM_NO_GPR;
    bool is_write = t->in.mnemonic != ZYDIS_MNEMONIC_SMSW, is_high;
    IrRef value = ir_i64(t->b, 0);

    if (t->in.mnemonic == ZYDIS_MNEMONIC_MOV) {
        unsigned class = ZydisRegisterGetClass(tr_op(t, 0)->reg.value);

        is_write = class == ZYDIS_REGCLASS_CONTROL || class == ZYDIS_REGCLASS_DEBUG;
        n = tr_op(t, !is_write)->reg.value - first;
        gpr = tr_gpr_number(tr_op(t, is_write)->reg.value, &is_high);
        value = is_write ? tr_to_i64(t, tr_read(t, 1)) : value;
    } else if (t->in.mnemonic == ZYDIS_MNEMONIC_LMSW) {
        value = tr_to_i64(t, tr_read_as(t, 0, 2));
    }
    ir_call_v(t->b, &check_register,
              ir_i32(t->b, n | gpr << 8 | (is_write ? X86_SVM_WRITES : 0) |
                     (is_debug ? X86_SVM_DEBUG : 0) |
                     (t->in.mnemonic == ZYDIS_MNEMONIC_LMSW ? X86_SVM_LMSW : 0) |
                     (t->in.mnemonic == ZYDIS_MNEMONIC_CLTS ? X86_SVM_CLTS : 0)),
              value, ir_i64(t->b, t->next_rip));
}

/* exit_info_1 of IN, OUT and their string forms, without the port. */
static void check_io(X86Tr *t)
{
    bool is_string = t->in.mnemonic >= ZYDIS_MNEMONIC_INSB && t->in.mnemonic <= ZYDIS_MNEMONIC_INSW;
    bool is_out_string = t->in.mnemonic >= ZYDIS_MNEMONIC_OUTSB &&
                         t->in.mnemonic <= ZYDIS_MNEMONIC_OUTSW;
    bool is_in = t->in.mnemonic == ZYDIS_MNEMONIC_IN || is_string;
    bool repeats = t->in.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
                                       ZYDIS_ATTRIB_HAS_REPNE);
    unsigned bytes = MIN(tr_bytes(t, t->in.mnemonic == ZYDIS_MNEMONIC_OUT ? 1 : 0), 4u);
    unsigned address = t->in.address_width == 64 ? 4 : t->in.address_width == 32 ? 2 : 1;
    uint32_t info = is_in | bytes << 4 | address << 7;
    IrRef port = tr_get_gpr(t, X86_RDX, 2);

    if (is_string || is_out_string) {
        bytes = tr_bytes(t, is_string ? 0 : 1);
        info = is_in | BIT(2) | (repeats ? BIT(3) : 0) | bytes << 4 | address << 7 |
               (is_string ? X86_ES : tr_segment(t, 1)) << 10;
    } else if (tr_is_imm(t, is_in)) {
        port = ir_i32(t->b, tr_op(t, is_in)->imm.value.u & 0xff);
    } else if (tr_is_imm(t, !is_in)) {
        port = ir_i32(t->b, tr_op(t, !is_in)->imm.value.u & 0xff);
    }
    ir_call_v(t->b, &check_port, port, ir_i32(t->b, info), ir_i64(t->b, t->next_rip));
}

static void check_invlpg(X86Tr *t)
{
    IrRef linear = ir_i64(t->b, 0);

    if (tr_has(t, X86_8000_000A_EDX, 7)) {
        linear = ir_add(t->b, tr_offset(t, 0), ir_get(t->b, SLOT_SEG_BASE + tr_segment(t, 0)));
    }
    check(t, SVM_INVLPG, linear);
}

static bool is_control_move(const X86Tr *t)
{
    for (unsigned n = 0; n < 2; n++) {
        ZydisRegisterClass class = tr_op(t, n)->type == ZYDIS_OPERAND_TYPE_REGISTER
                                       ? ZydisRegisterGetClass(tr_op(t, n)->reg.value)
                                       : ZYDIS_REGCLASS_INVALID;

        if (class == ZYDIS_REGCLASS_CONTROL || class == ZYDIS_REGCLASS_DEBUG) {
            return true;
        }
    }
    return false;
}

/* Those whose exits say more. */
static bool check_special(X86Tr *t)
{
    switch (t->in.mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
        if (is_control_move(t) && tr_cpl(t) == 0) {
            check_move(t);
        }
        return true;
    case ZYDIS_MNEMONIC_LMSW:
    case ZYDIS_MNEMONIC_CLTS:
        if (tr_cpl(t) == 0) {
            check_move(t);
        }
        return true;
    case ZYDIS_MNEMONIC_SMSW:
        check_move(t);
        return true;
    case ZYDIS_MNEMONIC_RDMSR:
    case ZYDIS_MNEMONIC_WRMSR:
        if (tr_cpl(t) == 0) {
            ir_call_v(t->b, &check_msr,
                      ir_i32(t->b, t->in.mnemonic == ZYDIS_MNEMONIC_WRMSR),
                      ir_i64(t->b, t->next_rip));
        }
        return true;
    case ZYDIS_MNEMONIC_IN: case ZYDIS_MNEMONIC_OUT:
    case ZYDIS_MNEMONIC_INSB: case ZYDIS_MNEMONIC_INSW: case ZYDIS_MNEMONIC_INSD:
    case ZYDIS_MNEMONIC_OUTSB: case ZYDIS_MNEMONIC_OUTSW: case ZYDIS_MNEMONIC_OUTSD:
        check_io(t);
        return true;
    case ZYDIS_MNEMONIC_INVLPG:
        if (tr_cpl(t) == 0) {
            check_invlpg(t);
        }
        return true;
    case ZYDIS_MNEMONIC_INT:
        check(t, SVM_INT_N, ir_i64(t->b, tr_op(t, 0)->imm.value.u & 0xff));
        return true;
    case ZYDIS_MNEMONIC_INT3:
        check(t, X86_SVM_INT3, ir_i64(t->b, 0));
        return true;
    default:
        return false;
    }
}

void x86_translate_intercept(X86Tr *t)
{
    if (check_special(t)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(intercept_rows); i++) {
        const InterceptRow *row = &intercept_rows[i];

        if (row->mnemonic == t->in.mnemonic && !(row->needs_cpl0 && tr_cpl(t) != 0)) {
            check(t, row->bit, ir_i64(t->b, 0));
        }
    }
}

/* --- its own instructions --- */

static const IrHelper svm_helper = {
    .name = "svm", .fn = x86_help_svm, .arg_count = 2, .args = { IR_I32, IR_I64 },
    .reads = GROUP_ALL, .writes = GROUP_ALL, .flags = IR_HELPER_RAISES,
};

static void svm(X86Tr *t)
{
    if (!tr_is_protected(t)) {
        tr_undefined(t);
    } else if (tr_needs_cpl0(t)) {
        ir_call_v(t->b, &svm_helper, ir_i32(t->b, t->row->arg), ir_i64(t->b, t->next_rip));
        tr_leave_next(t);
    }
}

/* A guest's call to its host; without one, nothing. */
static void vmmcall(X86Tr *t)
{
    tr_undefined(t);
}

static const X86Row rows[] = {
    { ZYDIS_MNEMONIC_VMRUN, svm, X86_SVM_VMRUN }, { ZYDIS_MNEMONIC_VMLOAD, svm, X86_SVM_VMLOAD },
    { ZYDIS_MNEMONIC_VMSAVE, svm, X86_SVM_VMSAVE }, { ZYDIS_MNEMONIC_STGI, svm, X86_SVM_STGI },
    { ZYDIS_MNEMONIC_CLGI, svm, X86_SVM_CLGI }, { ZYDIS_MNEMONIC_INVLPGA, svm, X86_SVM_INVLPGA },
    { ZYDIS_MNEMONIC_VMMCALL, vmmcall }, { ZYDIS_MNEMONIC_SKINIT, vmmcall },
};
const X86Rows x86_rows_svm = X86_ROWS(rows);
