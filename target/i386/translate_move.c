/*
 * Data movement: SDM volume 1, 7.3.1; the stack, segment registers, conditional moves.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

#include "target/i386/helpers.h"

static unsigned segment_number(ZydisRegister reg)
{
    return reg - ZYDIS_REGISTER_ES;
}

static bool is_segment(const X86Tr *t, unsigned n)
{
    return tr_op(t, n)->type == ZYDIS_OPERAND_TYPE_REGISTER &&
           tr_op(t, n)->reg.value >= ZYDIS_REGISTER_ES &&
           tr_op(t, n)->reg.value <= ZYDIS_REGISTER_GS;
}

static bool is_in_class(const X86Tr *t, unsigned n, ZydisRegisterClass class)
{
    return tr_op(t, n)->type == ZYDIS_OPERAND_TYPE_REGISTER &&
           ZydisRegisterGetClass(tr_op(t, n)->reg.value) == class;
}

/* --- segment registers --- */

static const IrHelper load_segment = {
    .name = "load_segment", .fn = x86_help_load_segment, .arg_count = 2,
    .args = { IR_I32, IR_I32 }, .reads = GROUP_SEGS | GROUP_EFLAGS, .writes = GROUP_SEGS,
    .flags = IR_HELPER_RAISES,
};
static const IrHelper get_selector = {
    .name = "selector", .fn = x86_help_selector, .result = IR_I32, .arg_count = 1,
    .args = { IR_I32 },
};

static IrRef selector_of(X86Tr *t, unsigned reg)
{
    return ir_call_v(t->b, &get_selector, ir_i32(t->b, reg));
}

static void put_segment(X86Tr *t, unsigned reg, IrRef selector)
{
    ir_call_v(t->b, &load_segment, ir_i32(t->b, reg | (reg == X86_SS ? X86_LOADS_SHADOW : 0)),
              tr_to_i32(t, selector));
}

/* FS and GS are in no mode of translation; the others may change it. */
static void end_segment_load(X86Tr *t, unsigned reg)
{
    t->is_quiet |= reg == X86_SS;
    if (reg < X86_FS) {
        tr_leave_next(t);
    }
}

static void mov_segment(X86Tr *t)
{
    unsigned reg = segment_number(tr_op(t, 0)->reg.value);

    if (reg == X86_CS) {
        tr_undefined(t);
        return;
    }
    put_segment(t, reg, tr_read_as(t, 1, 2));
    end_segment_load(t, reg);
}

/* --- MOV --- */

static void mov(X86Tr *t)
{
    if (is_segment(t, 0)) {
        mov_segment(t);
    } else if (is_segment(t, 1)) {
        tr_write(t, 0, selector_of(t, segment_number(tr_op(t, 1)->reg.value)));
    } else if (is_in_class(t, 0, ZYDIS_REGCLASS_CONTROL) ||
               is_in_class(t, 1, ZYDIS_REGCLASS_CONTROL)) {
        x86_translate_mov_control(t);
    } else if (is_in_class(t, 0, ZYDIS_REGCLASS_DEBUG) ||
               is_in_class(t, 1, ZYDIS_REGCLASS_DEBUG)) {
        x86_translate_mov_debug(t);
    } else if (is_in_class(t, 0, ZYDIS_REGCLASS_TEST) ||
               is_in_class(t, 1, ZYDIS_REGCLASS_TEST)) {
        tr_undefined(t);
    } else {
        tr_write(t, 0, tr_read_as(t, 1, tr_bytes(t, 0)));
    }
}

static void movzx(X86Tr *t)
{
    IrRef x = tr_read(t, 1);

    tr_write(t, 0, tr_bytes(t, 0) == 8 ? tr_to_i64(t, x) : x);
}

static void movsx(X86Tr *t)
{
    unsigned from = tr_bytes(t, 1), to = tr_bytes(t, 0);
    IrRef x = tr_sign_extend(t, from, tr_read(t, 1));

    tr_write(t, 0, to == 8 ? (from == 8 ? x : ir_sext(t->b, x)) : tr_cut(t, to, x));
}

static void lea(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);
    IrRef offset = tr_offset(t, 1);

    tr_write(t, 0, bytes == 8 ? offset : tr_cut(t, bytes, ir_trunc(t->b, offset)));
}

static void cmov(X86Tr *t)
{
    IrRef y = tr_read(t, 1), x = tr_read(t, 0);

    tr_write(t, 0, ir_select(t->b, tr_condition_value(t, t->row->arg), y, x));
}

static void setcc(X86Tr *t)
{
    tr_write(t, 0, tr_condition_value(t, t->row->arg));
}

static void xlat(X86Tr *t)
{
    /* Zydis has the table's address as RBX with AL as index, in operand 1. */
    IrRef offset = ir_add(t->b, ir_get(t->b, SLOT_RBX),
                          ir_zext8(t->b, ir_get(t->b, SLOT_RAX)));
    unsigned segment = X86_DS;

    for (unsigned n = 0; n < t->in.operand_count; n++) {
        segment = tr_is_mem(t, n) ? tr_segment(t, n) : segment;
    }
    offset = t->in.address_width == 64 ? offset : t->in.address_width == 32
                 ? ir_zext32(t->b, offset) : ir_zext16(t->b, offset);
    tr_put_gpr(t, X86_RAX, 1, tr_load(t, 1, tr_linear(t, segment, offset, 1, false)));
}

/* --- the stack --- */

static void push(X86Tr *t)
{
    unsigned bytes = t->in.operand_width / 8;
    IrRef x;

    if (is_segment(t, 0)) {
        x = selector_of(t, segment_number(tr_op(t, 0)->reg.value));
        x = bytes == 8 ? ir_zext(t->b, x) : x;
    } else {
        x = tr_read_as(t, 0, bytes);
    }
    tr_push(t, bytes, x);
}

static void pop_segment(X86Tr *t, unsigned bytes)
{
    unsigned reg = segment_number(tr_op(t, 0)->reg.value);

    put_segment(t, reg, tr_top(t, bytes));
    tr_drop(t, bytes);
    end_segment_load(t, reg);
}

static void pop(X86Tr *t)
{
    unsigned bytes = t->in.operand_width / 8;
    IrRef x, sp;

    if (is_segment(t, 0)) {
        pop_segment(t, bytes);
        return;
    }
    x = tr_top(t, bytes);
    if (!tr_is_mem(t, 0)) {
        tr_drop(t, bytes);
        tr_write(t, 0, x);
        return;
    }
    /* An address by RSP uses its new value, which a fault must not leave. */
    sp = ir_get(t->b, SLOT_RSP);
    tr_drop(t, bytes);
    IrRef linear = tr_offset(t, 0), dropped = ir_get(t->b, SLOT_RSP);
    ir_put(t->b, SLOT_RSP, sp);
    linear = tr_linear(t, tr_segment(t, 0), linear, bytes, true);
    tr_store(t, bytes, linear, x);
    ir_put(t->b, SLOT_RSP, dropped);
}

static void push_all(X86Tr *t)
{
    static const uint8_t order[] = { X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP,
                                     X86_RSI, X86_RDI };
    unsigned bytes = t->row->arg;
    IrRef sp = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
        sp = tr_stack_pointer(t, -(int64_t)((i + 1) * bytes));
        tr_store(t, bytes, tr_linear(t, X86_SS, sp, bytes, true),
                 tr_get_gpr(t, order[i], bytes));
    }
    tr_put_stack_pointer(t, sp);
}

static void pop_all(X86Tr *t)
{
    static const uint8_t order[] = { X86_RDI, X86_RSI, X86_RBP, X86_RSP, X86_RBX, X86_RDX,
                                     X86_RCX, X86_RAX };
    unsigned bytes = t->row->arg;
    IrRef values[ARRAY_SIZE(order)];

    for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
        IrRef sp = tr_stack_pointer(t, i * bytes);

        values[i] = order[i] == X86_RSP ? 0
                        : tr_load(t, bytes, tr_linear(t, X86_SS, sp, bytes, false));
    }
    tr_drop(t, sizeof(order) * bytes);
    for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
        if (values[i]) {
            tr_put_gpr(t, order[i], bytes, values[i]);
        }
    }
}

static const IrHelper enter_helper = {
    .name = "enter", .fn = x86_help_enter, .arg_count = 3, .args = { IR_I32, IR_I32, IR_I32 },
    .reads = GROUP_GPR(X86_RSP) | GROUP_GPR(X86_RBP) | GROUP_SEGS,
    .writes = GROUP_GPR(X86_RSP) | GROUP_GPR(X86_RBP), .flags = IR_HELPER_RAISES,
};

static void enter(X86Tr *t)
{
    ir_call_v(t->b, &enter_helper, ir_i32(t->b, tr_op(t, 0)->imm.value.u),
              ir_i32(t->b, tr_op(t, 1)->imm.value.u & 31),
              ir_i32(t->b, t->in.operand_width / 8));
}

static void leave(X86Tr *t)
{
    unsigned bytes = t->in.operand_width / 8;
    unsigned width = tr_is_64(t) ? 8 : t->mode & X86_MODE_STACK32 ? 4 : 2;
    IrRef sp = tr_to_i64(t, tr_get_gpr(t, X86_RBP, width));
    IrRef x = tr_load(t, bytes, tr_linear(t, X86_SS, sp, bytes, false));

    tr_put_stack_pointer(t, sp);
    tr_drop(t, bytes);
    tr_put_gpr(t, X86_RBP, bytes, x);
}

/* LDS, LES, LFS, LGS, LSS: a far pointer in memory. */
static void load_far(X86Tr *t)
{
    unsigned reg = t->row->arg, bytes = tr_bytes(t, 0);
    IrRef offset = tr_offset(t, 1), x, selector;
    unsigned segment = tr_segment(t, 1);
    IrRef upper = ir_add(t->b, offset, ir_i64(t->b, bytes));

    x = tr_load(t, bytes, tr_linear(t, segment, offset, bytes, false));
    selector = tr_load(t, 2, tr_linear(t, segment, upper, 2, false));
    put_segment(t, reg, selector);
    tr_write(t, 0, x);
    end_segment_load(t, reg);
}

static void nothing(X86Tr *t)
{
}

/* PREFETCHx and hints read nothing and cannot fault. */
#define CC_ROWS(ROW)                                                                               \
    ROW(O, 0) ROW(NO, 1) ROW(B, 2) ROW(NB, 3) ROW(Z, 4) ROW(NZ, 5) ROW(BE, 6) ROW(NBE, 7)          \
    ROW(S, 8) ROW(NS, 9) ROW(P, 10) ROW(NP, 11) ROW(L, 12) ROW(NL, 13) ROW(LE, 14) ROW(NLE, 15)
#define CMOV_ROW(cc, n) { ZYDIS_MNEMONIC_CMOV##cc, cmov, n },
#define SET_ROW(cc, n)  { ZYDIS_MNEMONIC_SET##cc, setcc, n },

static const X86Row rows[] = {
    { ZYDIS_MNEMONIC_MOV, mov },
    { ZYDIS_MNEMONIC_MOVZX, movzx },
    { ZYDIS_MNEMONIC_MOVSX, movsx },
    { ZYDIS_MNEMONIC_MOVSXD, movsx },
    { ZYDIS_MNEMONIC_LEA, lea },
    CC_ROWS(CMOV_ROW)
    CC_ROWS(SET_ROW)
    { ZYDIS_MNEMONIC_XLAT, xlat },
    { ZYDIS_MNEMONIC_PUSH, push },
    { ZYDIS_MNEMONIC_POP, pop },
    { ZYDIS_MNEMONIC_PUSHA, push_all, 2 },
    { ZYDIS_MNEMONIC_PUSHAD, push_all, 4 },
    { ZYDIS_MNEMONIC_POPA, pop_all, 2 },
    { ZYDIS_MNEMONIC_POPAD, pop_all, 4 },
    { ZYDIS_MNEMONIC_ENTER, enter },
    { ZYDIS_MNEMONIC_LEAVE, leave },
    { ZYDIS_MNEMONIC_LDS, load_far, X86_DS },
    { ZYDIS_MNEMONIC_LES, load_far, X86_ES },
    { ZYDIS_MNEMONIC_LFS, load_far, X86_FS },
    { ZYDIS_MNEMONIC_LGS, load_far, X86_GS },
    { ZYDIS_MNEMONIC_LSS, load_far, X86_SS },
    { ZYDIS_MNEMONIC_MOVNTI, mov },
    { ZYDIS_MNEMONIC_MOVDIRI, mov },
    { ZYDIS_MNEMONIC_NOP, nothing },
    { ZYDIS_MNEMONIC_PREFETCH, nothing },
    { ZYDIS_MNEMONIC_PREFETCHW, nothing },
    { ZYDIS_MNEMONIC_PREFETCHWT1, nothing },
    { ZYDIS_MNEMONIC_PREFETCHNTA, nothing },
    { ZYDIS_MNEMONIC_PREFETCHT0, nothing },
    { ZYDIS_MNEMONIC_PREFETCHT1, nothing },
    { ZYDIS_MNEMONIC_PREFETCHT2, nothing },
    { ZYDIS_MNEMONIC_ENDBR32, nothing },
    { ZYDIS_MNEMONIC_ENDBR64, nothing },
};
const X86Rows x86_rows_move = X86_ROWS(rows);
