/*
 * String instructions: SDM volume 1, 7.3.9. Without a repeat prefix they are loads and stores;
 * with one a helper does many elements at once and the instruction begins again until it is done.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

#include "target/i386/helpers.h"

/* Cuts an index register's new value to the address size. */
static void put_index(X86Tr *t, unsigned reg, IrRef value)
{
    unsigned bytes = t->in.address_width / 8;

    tr_put_gpr(t, reg, bytes, bytes == 8 ? value : ir_trunc(t->b, value));
}

static IrRef get_index(X86Tr *t, unsigned reg)
{
    return tr_to_i64(t, tr_get_gpr(t, reg, t->in.address_width / 8));
}

/* Plus or minus the element's size, by DF. */
static IrRef step_of(X86Tr *t, unsigned bytes)
{
    IrRef df = ir_extract(t->b, ir_get(t->b, SLOT_EFLAGS), 10, 1);

    return ir_select(t->b, df, ir_i64(t->b, -(int64_t)bytes), ir_i64(t->b, bytes));
}

static void advance(X86Tr *t, unsigned reg, unsigned bytes)
{
    put_index(t, reg, ir_add(t->b, ir_get(t->b, SLOT_RAX + reg), step_of(t, bytes)));
}

/* The segment of the source: DS unless a prefix says otherwise. */
static unsigned source_segment(const X86Tr *t)
{
    return t->in.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_CS ? X86_CS :
           t->in.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_SS ? X86_SS :
           t->in.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_ES ? X86_ES :
           t->in.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_FS ? X86_FS :
           t->in.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_GS ? X86_GS : X86_DS;
}

static IrRef source(X86Tr *t, unsigned bytes)
{
    return tr_linear(t, source_segment(t), get_index(t, X86_RSI), bytes, false);
}

static IrRef destination(X86Tr *t, unsigned bytes, bool is_write)
{
    return tr_linear(t, X86_ES, get_index(t, X86_RDI), bytes, is_write);
}

static void compare(X86Tr *t, unsigned bytes, IrRef x, IrRef y)
{
    tr_set_flags(t, (X86KnownFlags){ .op = FLAGS_SUB, .bytes = bytes, .a = x, .b = y,
                                     .result = tr_cut(t, bytes, ir_sub(t->b, x, y)) });
}

static void once(X86Tr *t, X86String op, unsigned bytes)
{
    IrRef x, y;

    switch (op) {
    case X86_MOVS:
        x = tr_load(t, bytes, source(t, bytes));
        tr_store(t, bytes, destination(t, bytes, true), x);
        advance(t, X86_RSI, bytes);
        advance(t, X86_RDI, bytes);
        break;
    case X86_STOS:
        tr_store(t, bytes, destination(t, bytes, true), tr_get_gpr(t, X86_RAX, bytes));
        advance(t, X86_RDI, bytes);
        break;
    case X86_LODS:
        x = tr_load(t, bytes, source(t, bytes));
        tr_put_gpr(t, X86_RAX, bytes, x);
        advance(t, X86_RSI, bytes);
        break;
    case X86_CMPS:
        y = tr_load(t, bytes, destination(t, bytes, false));
        compare(t, bytes, tr_load(t, bytes, source(t, bytes)), y);
        advance(t, X86_RSI, bytes);
        advance(t, X86_RDI, bytes);
        break;
    default:
        compare(t, bytes, tr_get_gpr(t, X86_RAX, bytes),
                tr_load(t, bytes, destination(t, bytes, false)));
        advance(t, X86_RDI, bytes);
        break;
    }
}

static const IrHelper repeat_helper = {
    .name = "repeat", .fn = x86_help_repeat, .result = IR_I32, .arg_count = 1,
    .args = { IR_I32 },
    .reads = GROUP_GPR(X86_RAX) | GROUP_GPR(X86_RCX) | GROUP_GPR(X86_RSI) | GROUP_GPR(X86_RDI) |
             GROUP_SEGS | GROUP_EFLAGS | GROUP_FLAGS | GROUP_GPR(X86_RDX),
    .writes = GROUP_GPR(X86_RAX) | GROUP_GPR(X86_RCX) | GROUP_GPR(X86_RSI) | GROUP_GPR(X86_RDI) |
              GROUP_FLAGS,
    .flags = IR_HELPER_RAISES,
};

#define MOVES (GROUP_GPR(X86_RCX) | GROUP_GPR(X86_RSI) | GROUP_GPR(X86_RDI))
static const IrHelper repeat_movs = {
    .name = "repeat_movs", .fn = x86_help_repeat_wide, .result = IR_I32, .arg_count = 1, .args = { IR_I32 },
    .reads = MOVES | GROUP_EFLAGS, .writes = MOVES, .flags = IR_HELPER_RAISES,
};
#define STORES (GROUP_GPR(X86_RCX) | GROUP_GPR(X86_RDI))
static const IrHelper repeat_stos = {
    .name = "repeat_stos", .fn = x86_help_repeat_wide, .result = IR_I32, .arg_count = 1, .args = { IR_I32 },
    .reads = STORES | GROUP_GPR(X86_RAX) | GROUP_EFLAGS, .writes = STORES, .flags = IR_HELPER_RAISES,
};

static const IrHelper *helper_for(const X86Tr *t, X86String op)
{
    bool is_wide = t->in.address_width == 64 && source_segment(t) < X86_FS && !(t->mode & X86_MODE_ALIGN) &&
                   !t->is_alone;

    return is_wide && op == X86_MOVS ? &repeat_movs : is_wide && op == X86_STOS ? &repeat_stos : &repeat_helper;
}

static uint32_t describe(const X86Tr *t, X86String op, unsigned bytes)
{
    unsigned width = t->in.address_width / 8;
    bool ends_on_equal = t->in.attributes & (ZYDIS_ATTRIB_HAS_REPNE | ZYDIS_ATTRIB_HAS_REPNZ);

    return op | (uint32_t)__builtin_ctz(bytes) << 4 | source_segment(t) << 8 |
           (uint32_t)__builtin_ctz(width) << 12 | (ends_on_equal ? X86_STRING_REPNE : 0) |
           (t->is_alone ? X86_STRING_ONCE : 0);
}

static bool is_repeated(const X86Tr *t)
{
    return t->in.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
                               ZYDIS_ATTRIB_HAS_REPNE);
}

/* Helpers do some elements; what is left is for the next time. */
static void repeat(X86Tr *t, X86String op, unsigned bytes)
{
    IrRef is_done = ir_call_v(t->b, helper_for(t, op), ir_i32(t->b, describe(t, op, bytes)));

    if (op == X86_CMPS || op == X86_SCAS) {
        tr_forget_flags(t);
    }
    if (t->is_alone) {
        tr_put_rip(t, ir_select(t->b, is_done, ir_i64(t->b, t->next_rip),
                                         ir_i64(t->b, t->rip)));
        t->is_ended = t->has_new_rip = true;
        return;
    }
    ir_exit_if(t->b, IR_EQ, is_done, ir_i32(t->b, 0), tr_pc(t, t->rip));
}

static void string(X86Tr *t)
{
    X86String op = t->row->arg & 15;
    unsigned bytes = t->row->arg >> 4;

    if (is_repeated(t)) {
        repeat(t, op, bytes);
    } else {
        once(t, op, bytes);
    }
}

/* MOVSD and CMPSD are names of SSE2 instructions too. */
static void string_or_sse(X86Tr *t)
{
    if (t->in.meta.category == ZYDIS_CATEGORY_STRINGOP) {
        string(t);
    } else {
        x86_translate_sse_scalar(t);
    }
}

/* --- ports --- */

static const IrHelper check_port = {
    .name = "check_port", .fn = x86_help_check_port, .arg_count = 2, .args = { IR_I32, IR_I32 },
    .reads = GROUP_EFLAGS, .flags = IR_HELPER_RAISES,
};
/* The device may be one that is called with arguments in registers. */
static const IrHelper port_in = {
    .name = "in", .fn = x86_help_in, .result = IR_I32, .arg_count = 2,
    .args = { IR_I32, IR_I32 }, .reads = GROUP_GPRS, .writes = GROUP_GPRS,
    .flags = IR_HELPER_RAISES,
};
static const IrHelper port_out = {
    .name = "out", .fn = x86_help_out, .arg_count = 3, .args = { IR_I32, IR_I32, IR_I32 },
    .reads = GROUP_GPRS, .writes = GROUP_GPRS, .flags = IR_HELPER_RAISES,
};

static IrRef port_of(X86Tr *t, unsigned n, unsigned bytes)
{
    IrRef port = tr_is_imm(t, n) ? ir_i32(t->b, tr_op(t, n)->imm.value.u & 0xff)
                                 : tr_get_gpr(t, X86_RDX, 2);

    if (tr_cpl(t) > (t->mode >> X86_MODE_IOPL_SHIFT & 3) || (t->mode & X86_MODE_VM)) {
        ir_call_v(t->b, &check_port, port, ir_i32(t->b, bytes));
    }
    return port;
}

static void in(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);
    IrRef port = port_of(t, 1, bytes);

    tr_put_gpr(t, X86_RAX, bytes, ir_call_v(t->b, &port_in, port, ir_i32(t->b, bytes)));
}

static void out(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 1);
    IrRef port = port_of(t, 0, bytes);

    ir_call_v(t->b, &port_out, port, ir_i32(t->b, bytes), tr_get_gpr(t, X86_RAX, bytes));
    /* The memory map may be another one. */
    tr_leave_next(t);
}

/* INS, OUTS: always by the helper, once or many times. */
static void string_port(X86Tr *t)
{
    X86String op = t->row->arg & 15;
    unsigned bytes = t->row->arg >> 4;

    ir_call_v(t->b, &check_port, tr_get_gpr(t, X86_RDX, 2), ir_i32(t->b, bytes));
    if (is_repeated(t)) {
        repeat(t, op, bytes);
        return;
    }
    ir_call_v(t->b, &repeat_helper,
              ir_i32(t->b, describe(t, op, bytes) | X86_STRING_UNCOUNTED));
}

#define STRING(name, op, bytes) { ZYDIS_MNEMONIC_##name, string, (op) | (bytes) << 4 }

static const X86Row rows[] = {
    STRING(MOVSB, X86_MOVS, 1), STRING(MOVSW, X86_MOVS, 2), STRING(MOVSQ, X86_MOVS, 8),
    STRING(STOSB, X86_STOS, 1), STRING(STOSW, X86_STOS, 2), STRING(STOSD, X86_STOS, 4),
    STRING(STOSQ, X86_STOS, 8),
    STRING(LODSB, X86_LODS, 1), STRING(LODSW, X86_LODS, 2), STRING(LODSD, X86_LODS, 4),
    STRING(LODSQ, X86_LODS, 8),
    STRING(CMPSB, X86_CMPS, 1), STRING(CMPSW, X86_CMPS, 2), STRING(CMPSQ, X86_CMPS, 8),
    STRING(SCASB, X86_SCAS, 1), STRING(SCASW, X86_SCAS, 2), STRING(SCASD, X86_SCAS, 4),
    STRING(SCASQ, X86_SCAS, 8),
    { ZYDIS_MNEMONIC_MOVSD, string_or_sse, X86_MOVS | 4 << 4 },
    { ZYDIS_MNEMONIC_CMPSD, string_or_sse, X86_CMPS | 4 << 4 },
    { ZYDIS_MNEMONIC_IN, in },
    { ZYDIS_MNEMONIC_OUT, out },
    { ZYDIS_MNEMONIC_INSB, string_port, X86_INS | 1 << 4 },
    { ZYDIS_MNEMONIC_INSW, string_port, X86_INS | 2 << 4 },
    { ZYDIS_MNEMONIC_INSD, string_port, X86_INS | 4 << 4 },
    { ZYDIS_MNEMONIC_OUTSB, string_port, X86_OUTS | 1 << 4 },
    { ZYDIS_MNEMONIC_OUTSW, string_port, X86_OUTS | 2 << 4 },
    { ZYDIS_MNEMONIC_OUTSD, string_port, X86_OUTS | 4 << 4 },
};
const X86Rows x86_rows_string = X86_ROWS(rows);
