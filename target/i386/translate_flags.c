/*
 * Instructions on EFLAGS: SDM volume 1, 7.3.13.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

#include "accel/tcg/translate.h"
#include "target/i386/helpers.h"

static void put_flag(X86Tr *t, uint32_t flag, bool is_set)
{
    IrRef flags = ir_get(t->b, SLOT_EFLAGS);

    ir_put(t->b, SLOT_EFLAGS, is_set ? ir_or(t->b, flags, ir_i32(t->b, flag))
                                     : ir_and(t->b, flags, ir_i32(t->b, ~flag)));
}

static void set_carry(X86Tr *t)
{
    tr_merge_flags(t, FLAG_CF, ir_i32(t->b, t->row->arg));
}

static void complement_carry(X86Tr *t)
{
    tr_merge_flags(t, FLAG_CF, ir_xor(t->b, tr_carry(t), ir_i32(t->b, 1)));
}

static void set_direction(X86Tr *t)
{
    put_flag(t, FLAG_DF, t->row->arg);
}

#define AH_FLAGS (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF)

static void lahf(X86Tr *t)
{
    IrRef word = ir_or(t->b, ir_and(t->b, tr_flags_word(t), ir_i32(t->b, AH_FLAGS)),
                       ir_i32(t->b, FLAG_ONE));

    ir_put(t->b, SLOT_RAX, ir_deposit(t->b, ir_get(t->b, SLOT_RAX), ir_zext(t->b, word), 8, 8));
}

static void sahf(X86Tr *t)
{
    IrRef ah = ir_extract(t->b, ir_trunc(t->b, ir_get(t->b, SLOT_RAX)), 8, 8);

    tr_merge_flags(t, AH_FLAGS, ir_and(t->b, ah, ir_i32(t->b, AH_FLAGS)));
}

static void salc(X86Tr *t)
{
    tr_put_gpr(t, X86_RAX, 1, ir_zext8(t->b, ir_neg(t->b, tr_carry(t))));
}

/* PUSHF and POPF in virtual-8086 mode need IOPL 3. */
static bool may_push(X86Tr *t)
{
    if ((t->mode & X86_MODE_VM) && (t->mode >> X86_MODE_IOPL_SHIFT & 3) != 3) {
        tr_raise_gp(t);
        return false;
    }
    return true;
}

static void pushf(X86Tr *t)
{
    unsigned bytes = t->in.operand_width / 8;
    IrRef word;

    if (!may_push(t)) {
        return;
    }
    word = ir_or(t->b, ir_get(t->b, SLOT_EFLAGS), tr_flags_word(t));
    word = ir_and(t->b, word, ir_i32(t->b, ~(FLAG_RF | FLAG_VM)));
    word = ir_or(t->b, word, ir_i32(t->b, FLAG_ONE));
    tr_push(t, bytes, bytes == 8 ? ir_zext(t->b, word) : tr_cut(t, bytes, word));
}

static const IrHelper load_flags = {
    .name = "load_flags", .fn = x86_help_load_flags, .arg_count = 2, .args = { IR_I32, IR_I32 },
    .reads = GROUP_FLAGS | GROUP_EFLAGS, .writes = GROUP_FLAGS | GROUP_EFLAGS,
};

static uint32_t writable_flags(const X86Tr *t, unsigned bytes)
{
    unsigned cpl = tr_cpl(t), iopl = t->mode >> X86_MODE_IOPL_SHIFT & 3;
    uint32_t mask = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID;

    mask |= cpl == 0 ? FLAG_IOPL : 0;
    mask |= cpl <= iopl ? FLAG_IF : 0;
    return bytes == 2 ? mask & 0xffff : mask | FLAG_RF;
}

static void popf(X86Tr *t)
{
    unsigned bytes = t->in.operand_width / 8;
    IrRef word;
    uint32_t mask = writable_flags(t, bytes);

    if (!may_push(t)) {
        return;
    }
    word = tr_to_i32(t, tr_top(t, bytes));
    tr_drop(t, bytes);
    ir_call_v(t->b, &load_flags, ir_and(t->b, word, ir_i32(t->b, ~FLAG_RF)),
              ir_i32(t->b, mask));
    tr_forget_flags(t);
    if (!t->is_alone) {
        /* Mostly nothing has changed that code depends on; requests are seen on entry. */
        ir_exit_if(t->b, IR_EQ, ir_ld(t->b, IR_I32, IR_MEM_32, offsetof(X86State, mode), 0),
                   ir_i32(t->b, t->mode), tr_pc(t, t->next_rip));
    }
    tr_leave_next(t);
}

/* CLI, STI: by IOPL; at CPL 3 CR4.PVI would make a difference, which we do not have. */
static bool may_change_if(X86Tr *t)
{
    if (tr_cpl(t) > (t->mode >> X86_MODE_IOPL_SHIFT & 3)) {
        tr_raise_gp(t);
        return false;
    }
    return true;
}

static void cli(X86Tr *t)
{
    if (may_change_if(t)) {
        put_flag(t, FLAG_IF, false);
    }
}

static const IrHelper sti_helper = {
    .name = "sti", .fn = x86_help_sti, .arg_count = 0,
    .reads = GROUP_EFLAGS, .writes = GROUP_EFLAGS,
};

/* Requests are seen after the next instruction. */
static void sti(X86Tr *t)
{
    if (!may_change_if(t)) {
        return;
    }
    if (!t->is_in_shadow && !tr_can_shadow(t)) {
        ir_call(t->b, &sti_helper, NULL);
        tr_leave_next(t);
        return;
    }
    put_flag(t, FLAG_IF, true);
    tcg_look_at_requests(t->b);
    t->is_in_shadow = true;
}

static const IrHelper set_ac = {
    .name = "set_ac", .fn = x86_help_set_ac, .arg_count = 1, .args = { IR_I32 },
    .reads = GROUP_EFLAGS, .writes = GROUP_EFLAGS,
};

/* CLAC, STAC: level 0's accesses to user pages, if CR4.SMAP forbids them. */
static void change_ac(X86Tr *t)
{
    X86Mmu mmu = t->row->arg || !(t->mode & X86_MODE_SMAP) ? X86_MMU_SUPERVISOR
                                                           : X86_MMU_SUPERVISOR_SMAP;
    uint32_t mode = (t->mode & ~(3u << X86_MODE_MMU_SHIFT)) | mmu << X86_MODE_MMU_SHIFT;

    if (tr_cpl(t) != 0) {
        tr_undefined(t);
    } else if (t->is_alone) {
        ir_call_v(t->b, &set_ac, ir_i32(t->b, t->row->arg));
        tr_leave_next(t);
    } else {
        put_flag(t, FLAG_AC, t->row->arg);
        if (mode != t->mode) {
            tr_leave_in(t, mode);
        }
    }
}

static const X86Row rows[] = {
    { ZYDIS_MNEMONIC_CLC, set_carry, 0 },
    { ZYDIS_MNEMONIC_STC, set_carry, 1 },
    { ZYDIS_MNEMONIC_CMC, complement_carry },
    { ZYDIS_MNEMONIC_CLD, set_direction, false },
    { ZYDIS_MNEMONIC_STD, set_direction, true },
    { ZYDIS_MNEMONIC_LAHF, lahf },
    { ZYDIS_MNEMONIC_SAHF, sahf },
    { ZYDIS_MNEMONIC_SALC, salc },
    { ZYDIS_MNEMONIC_PUSHF, pushf },
    { ZYDIS_MNEMONIC_PUSHFD, pushf },
    { ZYDIS_MNEMONIC_PUSHFQ, pushf },
    { ZYDIS_MNEMONIC_POPF, popf },
    { ZYDIS_MNEMONIC_POPFD, popf },
    { ZYDIS_MNEMONIC_POPFQ, popf },
    { ZYDIS_MNEMONIC_CLI, cli },
    { ZYDIS_MNEMONIC_STI, sti },
    { ZYDIS_MNEMONIC_CLAC, change_ac, false },
    { ZYDIS_MNEMONIC_STAC, change_ac, true },
};
const X86Rows x86_rows_flags = X86_ROWS(rows);
