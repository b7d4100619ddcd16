/*
 * System instructions: SDM volume 3, 2.8, and what else calls into the CPU's plain C: far
 * transfers, extended state. Those that may change the mode end their region.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

#include "target/i386/helpers.h"

#define ALL .reads = GROUP_ALL, .writes = GROUP_ALL, .flags = IR_HELPER_RAISES
#define READS_ALL .reads = GROUP_ALL, .flags = IR_HELPER_RAISES

static const IrHelper far_helper = {
    .name = "far", .fn = x86_help_far, .arg_count = 4,
    .args = { IR_I32, IR_I64, IR_I32, IR_I64 }, ALL,
};
static const IrHelper far_return_helper = {
    .name = "far_return", .fn = x86_help_far_return, .arg_count = 2, .args = { IR_I32, IR_I32 },
    ALL,
};
static const IrHelper iret_helper = {
    .name = "iret", .fn = x86_help_iret, .arg_count = 2, .args = { IR_I32, IR_I64 }, ALL,
};

void x86_translate_far(X86Tr *t, bool is_call)
{
    unsigned bytes = t->in.operand_width / 8;
    IrRef selector, offset;

    if (tr_is_mem(t, 0)) {
        IrRef at = tr_offset(t, 0), above = ir_add(t->b, at, ir_i64(t->b, bytes));
        unsigned segment = tr_segment(t, 0);

        offset = tr_to_i64(t, tr_load(t, bytes, tr_linear(t, segment, at, bytes, false)));
        selector = tr_load(t, 2, tr_linear(t, segment, above, 2, false));
    } else {
        offset = ir_i64(t->b, tr_op(t, 0)->ptr.offset);
        selector = ir_i32(t->b, tr_op(t, 0)->ptr.segment);
    }
    ir_call_v(t->b, &far_helper, selector, offset,
              ir_i32(t->b, bytes | (is_call ? X86_FAR_CALL : 0)), ir_i64(t->b, t->next_rip));
    tr_forget_flags(t);
    t->has_new_rip = true;
    tr_leave(t);
}

void x86_translate_far_return(X86Tr *t, unsigned released)
{
    ir_call_v(t->b, &far_return_helper, ir_i32(t->b, t->in.operand_width / 8),
              ir_i32(t->b, released));
    t->has_new_rip = true;
    tr_leave(t);
}

static void iret(X86Tr *t)
{
    ir_call_v(t->b, &iret_helper, ir_i32(t->b, t->in.operand_width / 8),
              ir_i64(t->b, t->next_rip));
    tr_forget_flags(t);
    t->has_new_rip = true;
    tr_leave(t);
}

/* --- one helper, no operands: what it needs and what follows --- */

enum {
    SYS_CPL0 = BIT(0),      /* #GP(0) elsewhere */
    SYS_LEAVES = BIT(1),    /* the mode may be another */
    SYS_JUMPS = BIT(2),     /* it sets RIP */
    SYS_PROTECTED = BIT(3), /* #UD in real and virtual-8086 mode */
    SYS_FLAGS = BIT(4),     /* it sets arithmetic flags */
    SYS_HIDDEN = BIT(5),    /* #UD unless CPL is 0 */
};

typedef struct SystemRow {
    IrHelper helper;
    unsigned needs;
} SystemRow;

enum {
    OP_HLT, OP_CLTS, OP_INVD, OP_CPUID, OP_RDTSC, OP_RDTSCP, OP_RDMSR, OP_WRMSR, OP_SYSCALL,
    OP_SYSRET, OP_SYSENTER, OP_SYSEXIT, OP_XSETBV, OP_XGETBV, OP_MONITOR, OP_MWAIT,
    OP_RSM, OP_PAUSE, OP_RDPKRU, OP_WRPKRU, OP_RDPMC, OP_SYSRET64, OP_SYSEXIT64, OP_SERIALIZE,
};

#define NO_ARGS(name_, fn_) .name = name_, .fn = fn_, .arg_count = 1, .args = { IR_I64 }
static const SystemRow system_rows[] = {
    [OP_HLT] = { { NO_ARGS("hlt", x86_help_hlt), ALL }, SYS_CPL0 | SYS_LEAVES | SYS_JUMPS },
    [OP_CLTS] = { { NO_ARGS("clts", x86_help_clts), READS_ALL }, SYS_CPL0 | SYS_LEAVES },
    [OP_INVD] = { { NO_ARGS("invd", x86_help_nothing) }, SYS_CPL0 },
    [OP_CPUID] = { { NO_ARGS("cpuid", x86_help_cpuid),
                     .reads = GROUP_GPR(0) | GROUP_GPR(1) | GROUP_GPR(2) | GROUP_GPR(3),
                     .writes = GROUP_GPR(0) | GROUP_GPR(1) | GROUP_GPR(2) | GROUP_GPR(3) }, 0 },
    [OP_RDTSC] = { { NO_ARGS("rdtsc", x86_help_rdtsc), .reads = GROUP_EFLAGS,
                     .writes = GROUP_GPR(0) | GROUP_GPR(2), .flags = IR_HELPER_RAISES }, 0 },
    [OP_RDTSCP] = { { NO_ARGS("rdtscp", x86_help_rdtscp),
                      .writes = GROUP_GPR(0) | GROUP_GPR(1) | GROUP_GPR(2),
                      .flags = IR_HELPER_RAISES }, 0 },
    [OP_RDMSR] = { { NO_ARGS("rdmsr", x86_help_rdmsr), ALL }, SYS_CPL0 },
    [OP_WRMSR] = { { NO_ARGS("wrmsr", x86_help_wrmsr), ALL }, SYS_CPL0 | SYS_LEAVES },
    [OP_SYSCALL] = { { NO_ARGS("syscall", x86_help_syscall), ALL },
                     SYS_LEAVES | SYS_JUMPS | SYS_FLAGS },
    [OP_SYSRET] = { { NO_ARGS("sysret", x86_help_sysret), ALL },
                    SYS_LEAVES | SYS_JUMPS | SYS_FLAGS },
    [OP_SYSRET64] = { { NO_ARGS("sysret64", x86_help_sysret64), ALL },
                      SYS_LEAVES | SYS_JUMPS | SYS_FLAGS },
    [OP_SYSENTER] = { { NO_ARGS("sysenter", x86_help_sysenter), ALL }, SYS_LEAVES | SYS_JUMPS },
    [OP_SYSEXIT] = { { NO_ARGS("sysexit", x86_help_sysexit), ALL }, SYS_LEAVES | SYS_JUMPS },
    [OP_SYSEXIT64] = { { NO_ARGS("sysexit64", x86_help_sysexit64), ALL },
                       SYS_LEAVES | SYS_JUMPS },
    [OP_XSETBV] = { { NO_ARGS("xsetbv", x86_help_xsetbv), READS_ALL }, SYS_LEAVES },
    [OP_XGETBV] = { { NO_ARGS("xgetbv", x86_help_xgetbv), .reads = GROUP_ALL,
                      .writes = GROUP_GPR(0) | GROUP_GPR(2), .flags = IR_HELPER_RAISES }, 0 },
    [OP_MONITOR] = { { NO_ARGS("monitor", x86_help_monitor), READS_ALL }, SYS_HIDDEN },
    [OP_MWAIT] = { { NO_ARGS("mwait", x86_help_mwait), ALL },
                   SYS_HIDDEN | SYS_LEAVES | SYS_JUMPS },
    [OP_RSM] = { { NO_ARGS("rsm", x86_help_rsm), ALL }, SYS_LEAVES | SYS_JUMPS | SYS_FLAGS },
    [OP_PAUSE] = { { NO_ARGS("pause", x86_help_pause) }, SYS_LEAVES },
    [OP_RDPKRU] = { { NO_ARGS("rdpkru", x86_help_rdpkru), .reads = GROUP_GPR(1),
                      .writes = GROUP_GPR(0) | GROUP_GPR(2), .flags = IR_HELPER_RAISES }, 0 },
    [OP_WRPKRU] = { { NO_ARGS("wrpkru", x86_help_wrpkru), READS_ALL }, SYS_LEAVES },
    [OP_RDPMC] = { { NO_ARGS("rdpmc", x86_help_rdpmc), READS_ALL }, 0 },
    [OP_SERIALIZE] = { { NO_ARGS("serialize", x86_help_nothing) }, SYS_LEAVES },
};

static void system_op(X86Tr *t)
{
    const SystemRow *row = &system_rows[t->row->arg];

    if (((row->needs & SYS_PROTECTED) && !tr_is_protected(t)) ||
        ((row->needs & SYS_HIDDEN) && tr_cpl(t) != 0)) {
        tr_undefined(t);
        return;
    }
    if ((row->needs & SYS_CPL0) && !tr_needs_cpl0(t)) {
        return;
    }
    ir_call_v(t->b, &row->helper, ir_i64(t->b, t->next_rip));
    if (row->needs & SYS_FLAGS) {
        tr_forget_flags(t);
    }
    if (row->needs & SYS_JUMPS) {
        t->has_new_rip = true;
        tr_leave(t);
    } else if (row->needs & SYS_LEAVES) {
        tr_leave_next(t);
    }
}

static void sysret(X86Tr *t)
{
    static const X86Row narrow = { .arg = OP_SYSRET }, wide = { .arg = OP_SYSRET64 };

    t->row = t->in.operand_width == 64 || (t->in.attributes & ZYDIS_ATTRIB_HAS_REX &&
             t->in.raw.rex.W) ? &wide : &narrow;
    system_op(t);
}

static void sysexit(X86Tr *t)
{
    static const X86Row narrow = { .arg = OP_SYSEXIT }, wide = { .arg = OP_SYSEXIT64 };

    t->row = t->in.raw.rex.W ? &wide : &narrow;
    system_op(t);
}

static void syscall_op(X86Tr *t)
{
    static const X86Row row = { .arg = OP_SYSCALL };

    t->row = &row;
    system_op(t);
}

static void swapgs(X86Tr *t)
{
    unsigned slot = SLOT_SEG_BASE + X86_GS, kernel = offsetof(X86State, kernel_gs_base);
    IrRef base = ir_get(t->b, slot);

    if (tr_needs_cpl0(t)) {
        ir_put(t->b, slot, ir_ld(t->b, IR_I64, IR_MEM_64, kernel, 0));
        ir_st(t->b, IR_MEM_64, kernel, 0, base);
    }
}

/* F3 90 with REX.B is an exchange with R8, whatever Zydis calls it. */
static void pause_op(X86Tr *t)
{
    static const X86Row row = { .arg = OP_PAUSE };
    unsigned bytes = t->in.raw.rex.W ? 8 : t->in.attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE ? 2 : 4;
    IrRef x, y;

    if (!t->in.raw.rex.B) {
        t->row = &row;
        system_op(t);
        return;
    }
    x = tr_get_gpr(t, X86_RAX, bytes);
    y = tr_get_gpr(t, 8, bytes);
    tr_put_gpr(t, X86_RAX, bytes, y);
    tr_put_gpr(t, 8, bytes, x);
}

/* --- control and debug registers --- */

static const IrHelper read_cr = {
    .name = "read_cr", .fn = x86_help_read_cr, .result = IR_I64, .arg_count = 1,
    .args = { IR_I32 }, READS_ALL,
};
static const IrHelper write_cr = {
    .name = "write_cr", .fn = x86_help_write_cr, .arg_count = 2, .args = { IR_I32, IR_I64 }, ALL,
};
static const IrHelper read_dr = {
    .name = "read_dr", .fn = x86_help_read_dr, .result = IR_I64, .arg_count = 1,
    .args = { IR_I32 }, READS_ALL,
};
static const IrHelper write_dr = {
    .name = "write_dr", .fn = x86_help_write_dr, .arg_count = 2, .args = { IR_I32, IR_I64 }, ALL,
};

static void move_special(X86Tr *t, ZydisRegister first, const IrHelper *read,
                         const IrHelper *write)
{
    bool is_write = ZydisRegisterGetClass(tr_op(t, 1)->reg.value) == ZYDIS_REGCLASS_GPR64 ||
                    ZydisRegisterGetClass(tr_op(t, 1)->reg.value) == ZYDIS_REGCLASS_GPR32;
    unsigned n = tr_op(t, is_write ? 0 : 1)->reg.value - first;
    IrRef value;

    if (!tr_needs_cpl0(t)) {
        return;
    }
    if (is_write) {
        value = tr_to_i64(t, tr_read(t, 1));
        ir_call_v(t->b, write, ir_i32(t->b, n), value);
        tr_leave_next(t);
        return;
    }
    value = ir_call_v(t->b, read, ir_i32(t->b, n));
    tr_write(t, 0, tr_is_64(t) ? value : ir_trunc(t->b, value));
}

void x86_translate_mov_control(X86Tr *t)
{
    move_special(t, ZYDIS_REGISTER_CR0, &read_cr, &write_cr);
}

void x86_translate_mov_debug(X86Tr *t)
{
    move_special(t, ZYDIS_REGISTER_DR0, &read_dr, &write_dr);
}

static const IrHelper lmsw_helper = {
    .name = "lmsw", .fn = x86_help_lmsw, .arg_count = 1, .args = { IR_I32 }, ALL,
};

static void lmsw(X86Tr *t)
{
    if (tr_needs_cpl0(t)) {
        ir_call_v(t->b, &lmsw_helper, tr_read_as(t, 0, 2));
        tr_leave_next(t);
    }
}

/* --- descriptor tables --- */

static const IrHelper umip = {
    .name = "umip", .fn = x86_help_umip, .arg_count = 0, .flags = IR_HELPER_RAISES,
};

static void smsw(X86Tr *t)
{
    IrRef value;

    if (tr_cpl(t) != 0) {
        ir_call(t->b, &umip, NULL);
    }
    value = ir_call_v(t->b, &read_cr, ir_i32(t->b, 0));
    if (tr_is_mem(t, 0)) {
        tr_store(t, 2, tr_linear(t, tr_segment(t, 0), tr_offset(t, 0), 2, true), value);
    } else {
        unsigned bytes = tr_bytes(t, 0);

        tr_write(t, 0, bytes == 8 ? value : tr_cut(t, bytes, ir_trunc(t->b, value)));
    }
}

static const IrHelper load_table = {
    .name = "load_table", .fn = x86_help_load_table, .arg_count = 3,
    .args = { IR_I32, IR_I32, IR_I64 }, ALL,
};
static const IrHelper table_base = {
    .name = "table_base", .fn = x86_help_table_base, .result = IR_I64, .arg_count = 1,
    .args = { IR_I32 },
};
static const IrHelper table_limit = {
    .name = "table_limit", .fn = x86_help_table_limit, .result = IR_I32, .arg_count = 1,
    .args = { IR_I32 },
};

static void lgdt(X86Tr *t)
{
    unsigned bytes = tr_is_64(t) ? 8 : 4, segment = tr_segment(t, 0);
    IrRef at, above, limit, base;

    if (!tr_needs_cpl0(t)) {
        return;
    }
    at = tr_offset(t, 0);
    above = ir_add(t->b, at, ir_i64(t->b, 2));
    limit = tr_load(t, 2, tr_linear(t, segment, at, 2, false));
    base = tr_to_i64(t, tr_load(t, bytes, tr_linear(t, segment, above, bytes, false)));
    if (!tr_is_64(t) && t->in.operand_width == 16) {
        base = ir_and(t->b, base, ir_i64(t->b, 0xffffff));
    }
    ir_call_v(t->b, &load_table, ir_i32(t->b, t->row->arg), limit, base);
}

static void sgdt(X86Tr *t)
{
    unsigned bytes = tr_is_64(t) ? 8 : 4, segment = tr_segment(t, 0);
    IrRef at = tr_offset(t, 0), above = ir_add(t->b, at, ir_i64(t->b, 2));
    IrRef which = ir_i32(t->b, t->row->arg);

    if (tr_cpl(t) != 0) {
        ir_call(t->b, &umip, NULL);
    }
    tr_store(t, 2, tr_linear(t, segment, at, 2, true), ir_call_v(t->b, &table_limit, which));
    tr_store(t, bytes, tr_linear(t, segment, above, bytes, true),
             ir_call_v(t->b, &table_base, which));
}

static const IrHelper selector_helper = {
    .name = "selector", .fn = x86_help_selector, .result = IR_I32, .arg_count = 1,
    .args = { IR_I32 },
};
static const IrHelper load_system_segment = {
    .name = "load_system_segment", .fn = x86_help_load_system_segment, .arg_count = 2,
    .args = { IR_I32, IR_I32 }, ALL,
};

/* SLDT, STR. */
static void store_selector(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);
    IrRef value;

    if (!tr_is_protected(t)) {
        tr_undefined(t);
        return;
    }
    if (tr_cpl(t) != 0) {
        ir_call(t->b, &umip, NULL);
    }
    value = ir_call_v(t->b, &selector_helper, ir_i32(t->b, t->row->arg));
    if (tr_is_mem(t, 0)) {
        tr_store(t, 2, tr_linear(t, tr_segment(t, 0), tr_offset(t, 0), 2, true), value);
    } else {
        tr_write(t, 0, bytes == 8 ? ir_zext(t->b, value) : value);
    }
}

/* LLDT, LTR. */
static void load_selector(X86Tr *t)
{
    if (!tr_is_protected(t)) {
        tr_undefined(t);
    } else if (tr_needs_cpl0(t)) {
        ir_call_v(t->b, &load_system_segment, ir_i32(t->b, t->row->arg), tr_read_as(t, 0, 2));
    }
}

static const IrHelper ask_selector = {
    .name = "ask_selector", .fn = x86_help_ask_selector, .result = IR_I64, .arg_count = 2,
    .args = { IR_I32, IR_I32 }, READS_ALL,
};

/* LAR, LSL, VERR, VERW: bit 32 of the answer is ZF. Without one the whole register stays as it was. */
static void ask(X86Tr *t)
{
    bool has_value = t->row->arg == X86_LAR || t->row->arg == X86_LSL;
    unsigned bytes = tr_is_64(t) && tr_bytes(t, 0) == 4 ? 8 : tr_bytes(t, 0);
    IrRef answer, zero, value;
    bool is_high;
    unsigned n;

    if (!tr_is_protected(t)) {
        tr_undefined(t);
        return;
    }
    answer = ir_call_v(t->b, &ask_selector, ir_i32(t->b, t->row->arg),
                       tr_read_as(t, has_value ? 1 : 0, 2));
    zero = ir_trunc(t->b, ir_extract(t->b, answer, 32, 1));
    if (has_value) {
        value = ir_trunc(t->b, answer);
        value = bytes == 8 ? ir_zext(t->b, value) : tr_cut(t, bytes, value);
        n = tr_gpr_number(tr_op(t, 0)->reg.value, &is_high);
        tr_put_gpr(t, n, bytes, ir_select(t->b, zero, value, tr_get_gpr(t, n, bytes)));
    }
    tr_merge_flags(t, FLAG_ZF, ir_shl(t->b, zero, ir_i32(t->b, 6)));
}

static void arpl(X86Tr *t)
{
    IrRef linear, x, y, rpl_x, rpl_y, less;

    if (!tr_is_protected(t)) {
        tr_undefined(t);
        return;
    }
    linear = tr_is_mem(t, 0) ? tr_address(t, 0, true) : 0;
    x = linear ? tr_load(t, 2, linear) : tr_read(t, 0);
    y = tr_read(t, 1);
    rpl_x = ir_and(t->b, x, ir_i32(t->b, 3));
    rpl_y = ir_and(t->b, y, ir_i32(t->b, 3));
    less = ir_setcond(t->b, IR_LTU, rpl_x, rpl_y);
    tr_write_at(t, 0, linear,
                ir_select(t->b, less,
                          ir_or(t->b, ir_and(t->b, x, ir_i32(t->b, 0xfffc)), rpl_y), x));
    tr_merge_flags(t, FLAG_ZF, ir_shl(t->b, less, ir_i32(t->b, 6)));
}

/* --- translations --- */

static const IrHelper invlpg_helper = {
    .name = "invlpg", .fn = x86_help_invlpg, .arg_count = 1, .args = { IR_I64 }, READS_ALL,
};
static const IrHelper invpcid_helper = {
    .name = "invpcid", .fn = x86_help_invpcid, .arg_count = 3,
    .args = { IR_I64, IR_I64, IR_I64 }, READS_ALL,
};

static void invlpg(X86Tr *t)
{
    IrRef offset, base;

    if (!tr_needs_cpl0(t)) {
        return;
    }
    offset = tr_offset(t, 0);
    base = ir_get(t->b, SLOT_SEG_BASE + tr_segment(t, 0));
    if (tr_is_64(t)) {
        offset = tr_segment(t, 0) < X86_FS ? offset : ir_add(t->b, offset, base);
    } else {
        offset = ir_zext32(t->b, ir_add(t->b, offset, base));
    }
    ir_call_v(t->b, &invlpg_helper, offset);
    tr_leave_next(t);
}

static void invpcid(X86Tr *t)
{
    IrRef offset, low, linear;
    unsigned segment = tr_segment(t, 1);

    if (!tr_needs_cpl0(t)) {
        return;
    }
    offset = tr_offset(t, 1);
    low = tr_load(t, 8, tr_linear(t, segment, offset, 16, false));
    linear = tr_load(t, 8, tr_linear(t, segment, ir_add(t->b, offset, ir_i64(t->b, 8)), 8,
                                     false));
    ir_call_v(t->b, &invpcid_helper, tr_to_i64(t, tr_read(t, 0)), low, linear);
    tr_leave_next(t);
}

/* --- FS and GS bases, RDPID, random numbers --- */

static const IrHelper check_fsgsbase = {
    .name = "check_fsgsbase", .fn = x86_help_check_fsgsbase, .arg_count = 0,
    .flags = IR_HELPER_RAISES,
};
static const IrHelper check_canonical = {
    .name = "check_canonical", .fn = x86_help_check_canonical, .arg_count = 1,
    .args = { IR_I64 }, .flags = IR_HELPER_RAISES,
};

static void read_base(X86Tr *t)
{
    IrRef base;

    ir_call(t->b, &check_fsgsbase, NULL);
    base = ir_get(t->b, SLOT_SEG_BASE + t->row->arg);
    tr_write(t, 0, tr_bytes(t, 0) == 8 ? base : ir_trunc(t->b, base));
}

static void write_base(X86Tr *t)
{
    IrRef base = tr_to_i64(t, tr_read(t, 0));

    ir_call(t->b, &check_fsgsbase, NULL);
    ir_call_v(t->b, &check_canonical, base);
    ir_put(t->b, SLOT_SEG_BASE + t->row->arg, base);
}

static void rdpid(X86Tr *t)
{
    IrRef value = ir_ld(t->b, IR_I64, IR_MEM_64, offsetof(X86State, tsc_aux), 0);

    tr_write(t, 0, tr_bytes(t, 0) == 8 ? value : ir_trunc(t->b, value));
}

static const IrHelper random_helper = {
    .name = "random", .fn = x86_help_random, .result = IR_I64, .arg_count = 0,
};

static void random_number(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0);
    IrRef value = ir_call(t->b, &random_helper, NULL);

    tr_write(t, 0, bytes == 8 ? value : tr_cut(t, bytes, ir_trunc(t->b, value)));
    tr_set_flags_word(t, ir_i32(t->b, FLAG_CF));
}

/* --- order, caches --- */

static void fence(X86Tr *t)
{
    ir_fence(t->b);
}

static void nothing(X86Tr *t)
{
}

/* Reads nothing, but faults as a read of the byte. */
static void probe(X86Tr *t, IrRef linear)
{
    ir_load(t->b, IR_I32, tr_mem(t, 1) | IR_MEM_PROBE, linear);
}

static void flush_line(X86Tr *t)
{
    probe(t, tr_linear(t, tr_segment(t, 0), tr_offset(t, 0), 1, false));
}

/* --- memory operands as a whole: FXSAVE, XSAVE, BOUND, MOVDIR64B --- */

static const IrHelper save_state = {
    .name = "save_state", .fn = x86_help_save_state, .arg_count = 2, .args = { IR_I32, IR_I64 },
    ALL,
};

static void extended_state(X86Tr *t)
{
    IrRef linear = tr_linear(t, tr_segment(t, 0), tr_offset(t, 0), 1, false);
    unsigned bytes = t->in.operand_width == 64 || t->in.raw.rex.W ? X86_SAVE_WIDE : 0;

    ir_call_v(t->b, &save_state, ir_i32(t->b, t->row->arg | bytes), linear);
    tr_leave_next(t);
}

static const IrHelper bound_helper = {
    .name = "bound", .fn = x86_help_bound, .arg_count = 3, .args = { IR_I32, IR_I32, IR_I32 },
    .flags = IR_HELPER_RAISES,
};

static void bound(X86Tr *t)
{
    unsigned bytes = tr_bytes(t, 0), segment = tr_segment(t, 1);
    IrRef at = tr_offset(t, 1), above = ir_add(t->b, at, ir_i64(t->b, bytes)), low, high;

    low = tr_load(t, bytes, tr_linear(t, segment, at, bytes, false));
    high = tr_load(t, bytes, tr_linear(t, segment, above, bytes, false));
    ir_call_v(t->b, &bound_helper, tr_sign_extend(t, bytes, tr_read(t, 0)),
              tr_sign_extend(t, bytes, low), tr_sign_extend(t, bytes, high));
}

static const IrHelper movdir64b_helper = {
    .name = "movdir64b", .fn = x86_help_movdir64b, .result = IR_I32, .arg_count = 3,
    .args = { IR_I64, IR_I64, IR_I32 }, READS_ALL,
};

/* MOVDIR64B, ENQCMD, ENQCMDS: 64 bytes to the address in a register, in ES. */
static void move_64_bytes(X86Tr *t)
{
    unsigned bytes = t->in.address_width / 8;
    IrRef from = tr_linear(t, tr_segment(t, 1), tr_offset(t, 1), 64, false), to, zero;

    if (t->row->arg == X86_ENQCMDS && !tr_needs_cpl0(t)) {
        return;
    }
    to = tr_linear(t, X86_ES, tr_to_i64(t, tr_read_as(t, 0, bytes)), 64, true);
    zero = ir_call_v(t->b, &movdir64b_helper, from, to, ir_i32(t->b, t->row->arg));
    if (t->row->arg != X86_MOVDIR64B) {
        tr_set_flags_word(t, ir_shl(t->b, zero, ir_i32(t->b, 6)));
    }
}

/* --- WAITPKG --- */

static const IrHelper umwait_helper = {
    .name = "umwait", .fn = x86_help_umwait, .arg_count = 2, .args = { IR_I32, IR_I32 },
    .reads = GROUP_GPR(0) | GROUP_GPR(2), .flags = IR_HELPER_RAISES,
};

static void umonitor(X86Tr *t)
{
    IrRef address = tr_to_i64(t, tr_read_as(t, 0, t->in.address_width / 8));

    probe(t, tr_linear(t, X86_DS, address, 1, false));
}

/* The wait may end at any time: it does so at once, by the deadline's reckoning. */
static void umwait(X86Tr *t)
{
    ir_call_v(t->b, &umwait_helper, tr_read_as(t, 0, 4), ir_i32(t->b, t->row->arg));
    tr_set_flags_word(t, ir_i32(t->b, 0));
}

static void undefined(X86Tr *t)
{
    tr_undefined(t);
}

#define SYSTEM(name) { ZYDIS_MNEMONIC_##name, system_op, OP_##name }
static const X86Row rows[] = {
    SYSTEM(HLT), SYSTEM(CLTS), SYSTEM(CPUID), SYSTEM(RDTSC), SYSTEM(RDTSCP), SYSTEM(RDMSR),
    SYSTEM(WRMSR), SYSTEM(SYSENTER), SYSTEM(XSETBV), SYSTEM(XGETBV),
    SYSTEM(MONITOR), SYSTEM(MWAIT), SYSTEM(RSM), SYSTEM(RDPKRU), SYSTEM(WRPKRU),
    SYSTEM(RDPMC), SYSTEM(SERIALIZE), SYSTEM(INVD),
    { ZYDIS_MNEMONIC_PAUSE, pause_op },
    { ZYDIS_MNEMONIC_WBINVD, system_op, OP_INVD },
    { ZYDIS_MNEMONIC_SWAPGS, swapgs },
    { ZYDIS_MNEMONIC_SYSCALL, syscall_op },
    { ZYDIS_MNEMONIC_SYSRET, sysret },
    { ZYDIS_MNEMONIC_SYSEXIT, sysexit },
    { ZYDIS_MNEMONIC_IRET, iret }, { ZYDIS_MNEMONIC_IRETD, iret },
    { ZYDIS_MNEMONIC_IRETQ, iret },
    { ZYDIS_MNEMONIC_LMSW, lmsw }, { ZYDIS_MNEMONIC_SMSW, smsw },
    { ZYDIS_MNEMONIC_LGDT, lgdt, X86_TABLE_GDT }, { ZYDIS_MNEMONIC_LIDT, lgdt, X86_TABLE_IDT },
    { ZYDIS_MNEMONIC_SGDT, sgdt, X86_TABLE_GDT }, { ZYDIS_MNEMONIC_SIDT, sgdt, X86_TABLE_IDT },
    { ZYDIS_MNEMONIC_SLDT, store_selector, X86_LDTR },
    { ZYDIS_MNEMONIC_STR, store_selector, X86_TR },
    { ZYDIS_MNEMONIC_LLDT, load_selector, X86_LDTR },
    { ZYDIS_MNEMONIC_LTR, load_selector, X86_TR },
    { ZYDIS_MNEMONIC_LAR, ask, X86_LAR }, { ZYDIS_MNEMONIC_LSL, ask, X86_LSL },
    { ZYDIS_MNEMONIC_VERR, ask, X86_VERR }, { ZYDIS_MNEMONIC_VERW, ask, X86_VERW },
    { ZYDIS_MNEMONIC_ARPL, arpl },
    { ZYDIS_MNEMONIC_INVLPG, invlpg }, { ZYDIS_MNEMONIC_INVPCID, invpcid },
    { ZYDIS_MNEMONIC_RDFSBASE, read_base, X86_FS }, { ZYDIS_MNEMONIC_RDGSBASE, read_base, X86_GS },
    { ZYDIS_MNEMONIC_WRFSBASE, write_base, X86_FS },
    { ZYDIS_MNEMONIC_WRGSBASE, write_base, X86_GS },
    { ZYDIS_MNEMONIC_RDPID, rdpid },
    { ZYDIS_MNEMONIC_RDRAND, random_number }, { ZYDIS_MNEMONIC_RDSEED, random_number },
    { ZYDIS_MNEMONIC_LFENCE, nothing }, { ZYDIS_MNEMONIC_SFENCE, nothing },
    { ZYDIS_MNEMONIC_MFENCE, fence },
    { ZYDIS_MNEMONIC_CLFLUSH, flush_line }, { ZYDIS_MNEMONIC_CLFLUSHOPT, flush_line },
    { ZYDIS_MNEMONIC_CLWB, flush_line },
    { ZYDIS_MNEMONIC_FXSAVE, extended_state, X86_FXSAVE },
    { ZYDIS_MNEMONIC_FXSAVE64, extended_state, X86_FXSAVE | X86_SAVE_WIDE },
    { ZYDIS_MNEMONIC_FXRSTOR, extended_state, X86_FXRSTOR },
    { ZYDIS_MNEMONIC_FXRSTOR64, extended_state, X86_FXRSTOR | X86_SAVE_WIDE },
    { ZYDIS_MNEMONIC_XSAVE, extended_state, X86_XSAVE },
    { ZYDIS_MNEMONIC_XSAVE64, extended_state, X86_XSAVE | X86_SAVE_WIDE },
    { ZYDIS_MNEMONIC_XSAVEOPT, extended_state, X86_XSAVEOPT },
    { ZYDIS_MNEMONIC_XSAVEOPT64, extended_state, X86_XSAVEOPT | X86_SAVE_WIDE },
    { ZYDIS_MNEMONIC_XSAVEC, extended_state, X86_XSAVEC },
    { ZYDIS_MNEMONIC_XSAVEC64, extended_state, X86_XSAVEC | X86_SAVE_WIDE },
    { ZYDIS_MNEMONIC_XSAVES, extended_state, X86_XSAVES },
    { ZYDIS_MNEMONIC_XSAVES64, extended_state, X86_XSAVES | X86_SAVE_WIDE },
    { ZYDIS_MNEMONIC_XRSTOR, extended_state, X86_XRSTOR },
    { ZYDIS_MNEMONIC_XRSTOR64, extended_state, X86_XRSTOR | X86_SAVE_WIDE },
    { ZYDIS_MNEMONIC_XRSTORS, extended_state, X86_XRSTORS },
    { ZYDIS_MNEMONIC_XRSTORS64, extended_state, X86_XRSTORS | X86_SAVE_WIDE },
    { ZYDIS_MNEMONIC_BOUND, bound },
    { ZYDIS_MNEMONIC_MOVDIR64B, move_64_bytes, X86_MOVDIR64B },
    { ZYDIS_MNEMONIC_ENQCMD, move_64_bytes, X86_ENQCMD },
    { ZYDIS_MNEMONIC_ENQCMDS, move_64_bytes, X86_ENQCMDS },
    { ZYDIS_MNEMONIC_UMONITOR, umonitor },
    { ZYDIS_MNEMONIC_UMWAIT, umwait, 0 }, { ZYDIS_MNEMONIC_TPAUSE, umwait, 1 },
    { ZYDIS_MNEMONIC_VMCALL, undefined },
};
const X86Rows x86_rows_system = X86_ROWS(rows);
