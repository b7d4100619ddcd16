/*
 * Control transfers: SDM volume 1, 7.3.8: near jumps, calls and returns, loops, far transfers,
 * software interrupts, system calls.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

#include "accel/tcg/translate.h"
#include "target/i386/exception.h"
#include "target/i386/helpers.h"

static const IrHelper check_target = {
    .name = "check_target", .fn = x86_help_check_target, .arg_count = 1, .args = { IR_I64 },
    .flags = IR_HELPER_RAISES,
};

static const IrHelper check_taken = {
    .name = "check_taken", .fn = x86_help_check_taken, .arg_count = 2, .args = { IR_I32, IR_I64 },
    .flags = IR_HELPER_RAISES,
};

/* The code segment may end below the target, which is masked. */
static bool may_be_beyond(const X86Tr *t, IrRef rip)
{
    uint64_t value;

    return t->mode & X86_MODE_LIMIT ||
           (!(t->mode & X86_MODE_CODE32) && t->in.operand_width != 16 &&
            !(ir_is_const(t->b, rip, &value) && value <= 0xffff));
}

static void check_rip(X86Tr *t, IrRef rip)
{
    if (may_be_beyond(t, rip)) {
        ir_call_v(t->b, &check_target, rip);
    }
}

static uint64_t near_target(X86Tr *t)
{
    uint64_t target = t->next_rip + tr_op(t, 0)->imm.value.s;

    return target & tr_code_mask(t, t->in.operand_width / 8);
}

/* Where control goes when it must pass through the main loop. */
static bool leave_for(X86Tr *t, IrRef rip)
{
    if (!t->is_alone) {
        return false;
    }
    tr_put_rip(t, rip);
    t->is_ended = t->has_new_rip = true;
    return true;
}

void tr_jump(X86Tr *t, uint64_t rip)
{
    if (leave_for(t, ir_i64(t->b, rip))) {
        return;
    }
    if (tcg_follow(t->b, tr_pc(t, rip))) {
        t->next_rip = rip;
        return;
    }
    t->is_ended = true;
    ir_exit_direct(t->b, tr_pc(t, rip));
}

void tr_jump_to(X86Tr *t, IrRef rip)
{
    if (!leave_for(t, rip)) {
        t->is_ended = true;
        ir_exit_indirect(t->b, tr_pc_of(t, rip));
    }
}

static void jmp(X86Tr *t)
{
    if (t->in.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR) {
        x86_translate_far(t, false);
    } else if (tr_is_imm(t, 0)) {
        uint64_t target = near_target(t);

        check_rip(t, ir_i64(t->b, target));
        tr_jump(t, target);
    } else {
        IrRef target = tr_to_i64(t, tr_read(t, 0));

        check_rip(t, target);
        tr_jump_to(t, target);
    }
}

/* Before the instruction changes anything. */
static void check_branch(X86Tr *t, X86Test c)
{
    IrRef target = ir_i64(t->b, near_target(t));

    if (may_be_beyond(t, target)) {
        ir_call_v(t->b, &check_taken, ir_setcond(t->b, c.cond, c.x, c.y), target);
    }
}

static void branch_on(X86Tr *t, X86Test c)
{
    uint64_t target = near_target(t);
    TcgBranch branch = { c.cond, c.x, c.y, tr_pc(t, target), tr_pc(t, t->next_rip) };

    if (t->is_alone) {
        IrRef is_taken = ir_setcond(t->b, c.cond, c.x, c.y);

        leave_for(t, ir_select(t->b, is_taken, ir_i64(t->b, target),
                               ir_i64(t->b, t->next_rip)));
        return;
    }
    switch (tcg_branch(t->b, &branch)) {
    case TCG_WAY_TAKEN:
        t->next_rip = target;
        break;
    case TCG_WAY_NEXT:
        break;
    default:
        t->is_ended = true;
        break;
    }
}

static void jcc(X86Tr *t)
{
    X86Test c = tr_condition(t, t->row->arg);

    check_branch(t, c);
    branch_on(t, c);
}

/* --- loops --- */

static IrRef counter(X86Tr *t, int step, unsigned bytes)
{
    IrRef count = tr_get_gpr(t, X86_RCX, bytes);

    return step ? tr_cut(t, bytes, ir_add(t->b, count, tr_const(t, bytes, (int64_t)step)))
                : count;
}

static void jcxz(X86Tr *t)
{
    unsigned bytes = t->row->arg;
    IrRef count = counter(t, 0, bytes);

    X86Test c = { IR_EQ, count, ir_const(t->b, tr_type(bytes), 0) };

    check_branch(t, c);
    branch_on(t, c);
}

typedef enum Loop { LOOP_ALWAYS, LOOP_ZERO, LOOP_NOT_ZERO } Loop;

static void loop(X86Tr *t)
{
    Loop kind = t->row->arg;
    unsigned bytes = t->in.address_width / 8;
    IrRef count = counter(t, -1, bytes), go_on;
    X86Test c = { IR_NE, count, ir_const(t->b, tr_type(bytes), 0) };

    if (kind != LOOP_ALWAYS) {
        go_on = ir_and(t->b, ir_setcond(t->b, c.cond, c.x, c.y),
                       tr_condition_value(t, kind == LOOP_ZERO ? 4 : 5));
        c = (X86Test){ IR_NE, go_on, ir_i32(t->b, 0) };
    }
    check_branch(t, c);
    tr_put_gpr(t, X86_RCX, bytes, count);
    branch_on(t, c);
}

/* --- calls and returns --- */

static void call(X86Tr *t)
{
    unsigned bytes = t->in.operand_width / 8;
    uint64_t back = t->next_rip, target;
    IrRef to;

    if (t->in.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR) {
        x86_translate_far(t, true);
        return;
    }
    to = tr_is_imm(t, 0) ? ir_i64(t->b, near_target(t)) : tr_to_i64(t, tr_read(t, 0));
    check_rip(t, to);
    tr_push(t, bytes, tr_const(t, bytes, back));
    if (leave_for(t, to)) {
        return;
    }
    if (ir_is_const(t->b, to, &target) && tcg_follow(t->b, tr_pc(t, target))) {
        t->next_rip = target;
        return;
    }
    t->is_ended = true;
    ir_exit_call(t->b, tr_pc_of(t, to), tr_pc(t, back));
}

static void ret(X86Tr *t)
{
    unsigned bytes = t->in.operand_width / 8;
    uint64_t released = t->in.operand_count_visible ? tr_op(t, 0)->imm.value.u : 0;
    IrRef to;

    if (t->in.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR) {
        x86_translate_far_return(t, released);
        return;
    }
    to = tr_to_i64(t, tr_top(t, bytes));
    check_rip(t, to);
    tr_drop(t, bytes + released);
    if (!leave_for(t, to)) {
        t->is_ended = true;
        ir_exit_return(t->b, tr_pc_of(t, to));
    }
}

/* --- interrupts --- */

static const IrHelper software_interrupt = {
    .name = "int", .fn = x86_help_int, .arg_count = 2, .args = { IR_I32, IR_I64 },
    .reads = GROUP_EFLAGS, .flags = IR_HELPER_RAISES,
};
static const IrHelper into_helper = {
    .name = "into", .fn = x86_help_into, .arg_count = 2, .args = { IR_I32, IR_I64 },
    .flags = IR_HELPER_RAISES,
};
static const IrHelper int1_helper = {
    .name = "int1", .fn = x86_help_int1, .arg_count = 0, .reads = GROUP_PC,
    .flags = IR_HELPER_RAISES,
};

static void interrupt(X86Tr *t)
{
    unsigned vector = t->row->arg ? t->row->arg : tr_op(t, 0)->imm.value.u;

    ir_call_v(t->b, &software_interrupt,
              ir_i32(t->b, vector | (t->row->arg ? 0 : X86_INT_CHECKS_VM)),
              ir_i64(t->b, t->next_rip));
    tr_leave(t);
}

static void into(X86Tr *t)
{
    ir_call_v(t->b, &into_helper, tr_condition_value(t, 0), ir_i64(t->b, t->next_rip));
}

/* A trap, as if by hardware. */
static void int1(X86Tr *t)
{
    tr_put_rip(t, ir_i64(t->b, t->next_rip));
    ir_call(t->b, &int1_helper, NULL);
    tr_leave(t);
}

static void undefined(X86Tr *t)
{
    tr_undefined(t);
}

#define JCC_ROW(cc, n) { ZYDIS_MNEMONIC_##cc, jcc, n },

static const X86Row rows[] = {
    { ZYDIS_MNEMONIC_JMP, jmp },
    JCC_ROW(JO, 0) JCC_ROW(JNO, 1) JCC_ROW(JB, 2) JCC_ROW(JNB, 3) JCC_ROW(JZ, 4)
    JCC_ROW(JNZ, 5) JCC_ROW(JBE, 6) JCC_ROW(JNBE, 7) JCC_ROW(JS, 8) JCC_ROW(JNS, 9)
    JCC_ROW(JP, 10) JCC_ROW(JNP, 11) JCC_ROW(JL, 12) JCC_ROW(JNL, 13) JCC_ROW(JLE, 14)
    JCC_ROW(JNLE, 15)
    { ZYDIS_MNEMONIC_JCXZ, jcxz, 2 },
    { ZYDIS_MNEMONIC_JECXZ, jcxz, 4 },
    { ZYDIS_MNEMONIC_JRCXZ, jcxz, 8 },
    { ZYDIS_MNEMONIC_LOOP, loop, LOOP_ALWAYS },
    { ZYDIS_MNEMONIC_LOOPE, loop, LOOP_ZERO },
    { ZYDIS_MNEMONIC_LOOPNE, loop, LOOP_NOT_ZERO },
    { ZYDIS_MNEMONIC_CALL, call },
    { ZYDIS_MNEMONIC_RET, ret },
    { ZYDIS_MNEMONIC_INT, interrupt, 0 },
    { ZYDIS_MNEMONIC_INT3, interrupt, VECTOR_BP },
    { ZYDIS_MNEMONIC_INTO, into },
    { ZYDIS_MNEMONIC_INT1, int1 },
    { ZYDIS_MNEMONIC_UD0, undefined },
    { ZYDIS_MNEMONIC_UD1, undefined },
    { ZYDIS_MNEMONIC_UD2, undefined },
};
const X86Rows x86_rows_jump = X86_ROWS(rows);
