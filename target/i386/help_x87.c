/*
 * x87 instructions: SDM volume 1, chapter 8. The opcode (D8..DF and ModRM) finds what to do; the
 * stack, its faults and unmasked exceptions are here, arithmetic is in x87_host.c, what is saved of
 * it in x87_environment.c.
 *
 * Left out: FERR# (with CR0.NE clear an unmasked exception is not reported).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"

#include "target/i386/control.h"
#include "target/i386/exception.h"
#include "target/i386/x87_parts.h"

#define STACK_FAULT (FSW_IE | FSW_SF)
#define FSW_NOT_ORDERED (FSW_C0 | FSW_C2 | FSW_C3)
#define FDP_EXCPTN_ONLY 6 /* bits of CPUID.7.EBX */
#define ZERO_FCS_FDS    13

static const X86Extended default_nan = { UINT64_C(0xc000000000000000), 0xffff, { 0 } };

/* --- the stack --- */

static void put(X87 *x, unsigned i, X86Extended value)
{
    x->f->reg[x87_number(x, i)] = value;
    x->f->valid |= BIT(x87_number(x, i));
}

static void pop(X87 *x)
{
    x->f->valid &= ~BIT(x->f->top);
    x->f->top = (x->f->top + 1) & 7;
}

/* --- status --- */

/* Takes in what an operation set. False: nothing may be stored. */
static bool note(X87 *x, uint16_t status, uint16_t codes)
{
    X86Fpu *f = x->f;
    uint16_t early = FSW_IE | FSW_DE | FSW_ZE;

    /* There is no result then that could be rounded. */
    if (status & early & ~f->control) {
        status &= ~(FSW_OE | FSW_UE | FSW_PE | (status & FSW_SF ? 0 : FSW_C1));
    }
    f->status = (f->status & ~codes) | (status & codes) |
                (status & (FSW_EXCEPTIONS | FSW_SF));
    x87_summarize(f);
    x->is_blocked = status & early & ~f->control;
    return !x->is_blocked;
}

static bool underflow(X87 *x)
{
    return note(x, STACK_FAULT, FSW_C1);
}

static X87Run begin(const X87 *x)
{
    return (X87Run){ .control = x->f->control | FSW_EXCEPTIONS };
}

/* For results in registers: unmasked, these two scale them. */
static X87Run begin_computing(const X87 *x)
{
    return (X87Run){ .control = x->f->control | (FSW_EXCEPTIONS & ~(FSW_OE | FSW_UE)) };
}

/* What is to be pushed is in an empty register: that counts before a full stack does. */
static void push_nothing(X87 *x)
{
    if (underflow(x)) {
        x->f->top = (x->f->top - 1) & 7;
        put(x, 0, default_nan);
    }
}

static void push(X87 *x, X86Extended value, uint16_t status)
{
    if (x->f->valid >> ((x->f->top - 1) & 7) & 1) {
        if (!note(x, STACK_FAULT | FSW_C1, FSW_C1)) {
            return;
        }
        value = default_nan;
    } else if (!note(x, status, FSW_C1)) {
        return;
    }
    x->f->top = (x->f->top - 1) & 7;
    put(x, 0, value);
}

/* --- arithmetic --- */

/* The eight operations of D8 and its kin on a and b; FCOM and FCOMP are done elsewhere. */
static X86Extended arithmetic(X87Run *run, unsigned op, X86Extended a, X86Extended b)
{
    switch (op) {
    case 0:
        return x87_compute(run, X87_ADD, a, b);
    case 1:
        return x87_compute(run, X87_MUL, a, b);
    case 4:
        return x87_compute(run, X87_SUB, a, b);
    case 5:
        return x87_compute(run, X87_SUB, b, a);
    case 6:
        return x87_compute(run, X87_DIV, a, b);
    default:
        return x87_compute(run, X87_DIV, b, a);
    }
}

static void compare(X87 *x, X86Extended b, bool is_quiet, bool is_b_empty)
{
    X87Run run = begin(x);

    if (x87_is_empty(x, 0) || is_b_empty) {
        note(x, STACK_FAULT | FSW_NOT_ORDERED, FSW_CODES);
        return;
    }
    x87_compare(&run, x87_get(x, 0), b, is_quiet);
    note(x, run.status & ~FSW_C1, FSW_CODES);
}

static void compare_registers(X87 *x, unsigned i, bool is_quiet, unsigned pops)
{
    compare(x, x87_get(x, i), is_quiet, x87_is_empty(x, i));
    for (; pops > 0 && !x->is_blocked; pops--) {
        pop(x);
    }
}

/* ST(to) = ST(0) op ST(i), or as `to` says. */
static void compute_registers(X87 *x, unsigned op, unsigned i, bool is_to_i, bool pops)
{
    X87Run run = begin_computing(x);
    X86Extended value;
    bool is_fine;

    if (x87_is_empty(x, 0) || x87_is_empty(x, i)) {
        value = default_nan;
        is_fine = underflow(x);
    } else {
        /* D8: ST0 = ST0 op STi. DC, DE: STi = STi op ST0, with the two kinds of each swapped. */
        unsigned as_d8 = is_to_i && op >= 4 ? op ^ 1 : op;

        value = is_to_i ? arithmetic(&run, as_d8, x87_get(x, i), x87_get(x, 0))
                        : arithmetic(&run, op, x87_get(x, 0), x87_get(x, i));
        is_fine = note(x, run.status, FSW_C1);
    }
    if (is_fine) {
        put(x, is_to_i ? i : 0, value);
        if (pops) {
            pop(x);
        }
    }
}

/* ST(0) = ST(0) op memory, or FCOM and FCOMP: the operand as it is, for no load may quiet it first. */
static void compute_memory(X87 *x, unsigned op, X87Format format, const void *memory)
{
    bool compares = op == X87_FCOM || op == X87_FCOMP;
    X87Run run = begin_computing(x);
    X86Extended value = default_nan;

    if (x87_is_empty(x, 0)) {
        run.status = STACK_FAULT | (compares ? FSW_NOT_ORDERED : 0);
    } else {
        value = x87_compute_memory(&run, op, x87_get(x, 0), format, memory);
    }
    if (!note(x, compares ? run.status & ~FSW_C1 : run.status, compares ? FSW_CODES : FSW_C1)) {
        return;
    }
    if (!compares) {
        put(x, 0, value);
    } else if (op == X87_FCOMP) {
        pop(x);
    }
}

/* --- loads and stores --- */

static unsigned format_bytes(X87Format format)
{
    static const uint8_t bytes[] = { 4, 8, 2, 4, 8, 10 };

    return bytes[format];
}

static void load(X87 *x, X87Format format)
{
    uint8_t memory[16] = { 0 };
    X87Run run = begin(x);
    X86Extended value;

    x86_read_bytes(x->cpu, x->linear, memory, format_bytes(format), x->mmu);
    value = x87_from(&run, format, memory);
    push(x, value, run.status & ~FSW_C1);
}

static void load80(X87 *x)
{
    X86Extended value = { 0 };

    x86_read_bytes(x->cpu, x->linear, &value, 10, x->mmu);
    push(x, value, 0);
}

static void store80(X87 *x)
{
    X86Extended value = x87_is_empty(x, 0) ? default_nan : x87_get(x, 0);

    x86_check_writable(x->cpu, x->linear, 10, x->mmu);
    if (x87_is_empty(x, 0) && !underflow(x)) {
        return;
    }
    x->f->status &= x87_is_empty(x, 0) ? UINT16_MAX : ~FSW_C1;
    x86_write_bytes(x->cpu, x->linear, &value, 10, x->mmu);
    pop(x);
}

/* What an empty register stores: the format's indefinite. */
static void indefinite(X87Format format, uint8_t memory[16])
{
    X87Run run = { .control = 0x37f };

    x87_to(&run, format, default_nan, memory);
}

/* A number below the format's normal ones, or none left of it. */
static bool is_tiny(X87Format format, const uint8_t *memory, uint16_t status)
{
    static const uint64_t exponents[] = { [X87_F32] = 0x7f800000, [X87_F64] = UINT64_C(0x7ff) << 52 };
    static const uint64_t signs[] = { [X87_F32] = BIT64(31), [X87_F64] = BIT64(63) };
    uint64_t bits = 0;

    if (format != X87_F32 && format != X87_F64) {
        return false;
    }
    memcpy(&bits, memory, format_bytes(format));
    return (status & FSW_UE) || (!(bits & exponents[format]) && (bits & ~signs[format]));
}

/* Unmasked, these two keep a result that does not fit from memory, and it is not inexact. */
static bool fits(X87 *x, X87Format format, const uint8_t *memory, uint16_t status)
{
    uint16_t what = status & FSW_OE ? FSW_OE : is_tiny(format, memory, status) ? FSW_UE : 0;

    if (!(what & ~x->f->control)) {
        return true;
    }
    note(x, what, FSW_C1);
    return false;
}

static void store(X87 *x, X87Format format, bool truncates, bool pops)
{
    unsigned bytes = format_bytes(format);
    X87Run run = begin(x);
    uint8_t memory[16] = { 0 };
    bool is_fine;

    x86_check_writable(x->cpu, x->linear, bytes, x->mmu);
    if (x87_is_empty(x, 0)) {
        indefinite(format, memory);
        is_fine = underflow(x);
    } else if (truncates) {
        x87_truncate_to(&run, format, x87_get(x, 0), memory);
        is_fine = note(x, run.status, FSW_C1);
    } else {
        x87_to(&run, format, x87_get(x, 0), memory);
        is_fine = fits(x, format, memory, run.status) && note(x, run.status, FSW_C1);
    }
    if (is_fine) {
        x86_write_bytes(x->cpu, x->linear, memory, bytes, x->mmu);
        if (pops) {
            pop(x);
        }
    }
}

/* --- memory forms --- */

static void arithmetic_memory(X87 *x, unsigned op, X87Format format)
{
    uint8_t memory[16] = { 0 };

    x86_read_bytes(x->cpu, x->linear, memory, format_bytes(format), x->mmu);
    compute_memory(x, op, format, memory);
}

static void do_d9_memory(X87 *x, unsigned reg, bool is_wide)
{
    switch (reg) {
    case 0:
        load(x, X87_F32);
        break;
    case 2:
    case 3:
        store(x, X87_F32, false, reg == 3);
        break;
    case 4:
        x87_fldenv(x, is_wide);
        break;
    case 5:
        x87_set_control_word(x->f, x86_read(x->cpu, x->linear, 2, x->mmu));
        x87_summarize(x->f);
        break;
    case 6:
        x87_fstenv(x, is_wide);
        break;
    default:
        x86_write(x->cpu, x->linear, 2, x->f->control, x->mmu);
        break;
    }
}

static void do_db_memory(X87 *x, unsigned reg)
{
    switch (reg) {
    case 0:
        load(x, X87_I32);
        break;
    case 1:
        store(x, X87_I32, true, true);
        break;
    case 2:
    case 3:
        store(x, X87_I32, false, reg == 3);
        break;
    case 5:
        load80(x);
        break;
    default:
        store80(x);
        break;
    }
}

static void do_dd_memory(X87 *x, unsigned reg, bool is_wide)
{
    switch (reg) {
    case 0:
        load(x, X87_F64);
        break;
    case 1:
        store(x, X87_I64, true, true);
        break;
    case 2:
    case 3:
        store(x, X87_F64, false, reg == 3);
        break;
    case 4:
        x87_frstor(x, is_wide);
        break;
    case 6:
        x87_fsave(x, is_wide);
        break;
    default:
        x86_write(x->cpu, x->linear, 2, x87_status_word(x->f), x->mmu);
        break;
    }
}

static void do_df_memory(X87 *x, unsigned reg)
{
    switch (reg) {
    case 0:
        load(x, X87_I16);
        break;
    case 1:
        store(x, X87_I16, true, true);
        break;
    case 2:
    case 3:
        store(x, X87_I16, false, reg == 3);
        break;
    case 4:
        load(x, X87_BCD);
        break;
    case 5:
        load(x, X87_I64);
        break;
    case 6:
        store(x, X87_BCD, false, true);
        break;
    default:
        store(x, X87_I64, false, true);
        break;
    }
}

static void do_memory(X87 *x, unsigned op, unsigned reg, bool is_wide)
{
    static const X87Format formats[] = { X87_F32, 0, X87_I32, 0, X87_F64, 0, X87_I16 };

    switch (op) {
    case 1:
        do_d9_memory(x, reg, is_wide);
        break;
    case 3:
        do_db_memory(x, reg);
        break;
    case 5:
        do_dd_memory(x, reg, is_wide);
        break;
    case 7:
        do_df_memory(x, reg);
        break;
    default:
        arithmetic_memory(x, reg, formats[op]);
        break;
    }
}

/* --- D9: one operand, two, constants --- */

static void compute_top(X87 *x, X87Op op, uint16_t codes)
{
    X87Run run = begin_computing(x);
    X86Extended value = default_nan;
    bool is_fine;

    if (x87_is_empty(x, 0)) {
        is_fine = underflow(x);
    } else {
        value = x87_compute(&run, op, x87_get(x, 0), x87_get(x, 0));
        is_fine = note(x, run.status, codes);
    }
    if (is_fine) {
        put(x, 0, value);
    }
}

static bool is_nan(X86Extended value)
{
    return (value.sign_exponent & 0x7fff) == 0x7fff && value.significand << 1;
}

/* A remainder that is none leaves the quotient's bits as they were: C0, C3. */
static uint16_t codes_of(X87Op op, X86Extended value, uint16_t codes)
{
    return (op == X87_FPREM || op == X87_FPREM1) && is_nan(value) ? FSW_C1 | FSW_C2 : codes;
}

/* st1 and st0 give one value; `pops`: in place of both. */
static void compute_two(X87 *x, X87Op op, bool st0_first, bool pops, uint16_t codes)
{
    X87Run run = begin_computing(x);
    X86Extended value = default_nan;
    bool is_fine;

    if (x87_is_empty(x, 0) || x87_is_empty(x, 1)) {
        is_fine = underflow(x);
    } else {
        value = st0_first ? x87_compute(&run, op, x87_get(x, 0), x87_get(x, 1))
                          : x87_compute(&run, op, x87_get(x, 1), x87_get(x, 0));
        is_fine = note(x, run.status, codes_of(op, value, codes));
    }
    if (is_fine) {
        put(x, pops ? 1 : 0, value);
        if (pops) {
            pop(x);
        }
    }
}

static void compute_pair(X87 *x, X87Pair op)
{
    X87Run run = begin_computing(x);
    X86Extended value = default_nan, pushed = default_nan;

    if (x87_is_empty(x, 0)) {
        if (underflow(x)) {
            put(x, 0, value);
            x->f->top = (x->f->top - 1) & 7;
            put(x, 0, pushed);
        }
        return;
    }
    if (!x87_is_empty(x, 7)) {
        if (note(x, STACK_FAULT | FSW_C1, FSW_C1)) {
            put(x, 0, default_nan);
            x->f->top = (x->f->top - 1) & 7;
            put(x, 0, default_nan);
        }
        return;
    }
    value = x87_compute_pair(&run, op, x87_get(x, 0), &pushed);
    if (note(x, run.status, op == X87_FXTRACT ? FSW_C1 : FSW_C1 | FSW_C2) &&
        !(run.status & FSW_C2)) {
        put(x, 0, value);
        x->f->top = (x->f->top - 1) & 7;
        put(x, 0, pushed);
    }
}

static void exchange(X87 *x, unsigned i)
{
    X86Extended a, b;

    if ((x87_is_empty(x, 0) || x87_is_empty(x, i)) && !underflow(x)) {
        return;
    }
    a = x87_is_empty(x, 0) ? default_nan : x87_get(x, 0);
    b = x87_is_empty(x, i) ? default_nan : x87_get(x, i);
    if (!x87_is_empty(x, 0) && !x87_is_empty(x, i)) {
        x->f->status &= ~FSW_C1;
    }
    put(x, 0, b);
    put(x, i, a);
}

static void change_sign(X87 *x, uint16_t keep, uint16_t flip)
{
    X86Extended value = default_nan;

    if (x87_is_empty(x, 0)) {
        if (!underflow(x)) {
            return;
        }
    } else {
        value = x87_get(x, 0);
        value.sign_exponent = (value.sign_exponent & keep) ^ flip;
        x->f->status &= ~FSW_C1;
    }
    put(x, 0, value);
}

static void examine(X87 *x)
{
    X86Extended value = x87_get(x, 0);
    uint16_t codes = x87_is_empty(x, 0) ? FSW_C3 | FSW_C0 | (value.sign_exponent >> 15 ? FSW_C1 : 0)
                                    : x87_examine(value);

    x->f->status = (x->f->status & ~FSW_CODES) | codes;
}

static void load_constant(X87 *x, unsigned n)
{
    X87Run run = begin(x);

    push(x, x87_constant(&run, n), 0);
}

static void do_d9_f(X87 *x, unsigned n)
{
    switch (n) {
    case 0:
        compute_top(x, X87_F2XM1, FSW_C1);
        break;
    case 1:
        compute_two(x, X87_FYL2X, false, true, FSW_C1);
        break;
    case 2:
        compute_pair(x, X87_FPTAN);
        break;
    case 3:
        compute_two(x, X87_FPATAN, false, true, FSW_C1);
        break;
    case 4:
        compute_pair(x, X87_FXTRACT);
        break;
    case 5:
        compute_two(x, X87_FPREM1, true, false, FSW_CODES);
        break;
    case 6:
    case 7:
        x->f->top = (x->f->top + (n == 6 ? -1 : 1)) & 7;
        x->f->status &= ~FSW_C1;
        break;
    case 8:
        compute_two(x, X87_FPREM, true, false, FSW_CODES);
        break;
    case 9:
        compute_two(x, X87_FYL2XP1, false, true, FSW_C1);
        break;
    case 10:
        compute_top(x, X87_FSQRT, FSW_C1);
        break;
    case 11:
        compute_pair(x, X87_FSINCOS);
        break;
    case 12:
        compute_top(x, X87_FRNDINT, FSW_C1);
        break;
    case 13:
        compute_two(x, X87_FSCALE, true, false, FSW_C1);
        break;
    case 14:
        compute_top(x, X87_FSIN, FSW_C1 | FSW_C2);
        break;
    default:
        compute_top(x, X87_FCOS, FSW_C1 | FSW_C2);
        break;
    }
}

static void do_d9_register(X87 *x, unsigned modrm)
{
    static const X86Extended zero;
    unsigned i = modrm & 7;

    switch (modrm >> 3 & 7) {
    case 0:
        if (x87_is_empty(x, i)) {
            push_nothing(x);
        } else {
            push(x, x87_get(x, i), 0);
        }
        break;
    case 1:
    case 3:
        exchange(x, i);
        break;
    case 2:
        break;
    case 4:
        if (i < 2) {
            change_sign(x, i ? 0x7fff : 0xffff, i ? 0 : 0x8000);
        } else if (i == 4) {
            compare(x, zero, false, false);
        } else {
            examine(x);
        }
        break;
    case 5:
        load_constant(x, i);
        break;
    default:
        do_d9_f(x, modrm & 15);
        break;
    }
}

/* --- other register forms --- */

static void store_register(X87 *x, unsigned i, bool pops)
{
    X86Extended value = default_nan;

    if (x87_is_empty(x, 0)) {
        if (!underflow(x)) {
            return;
        }
    } else {
        value = x87_get(x, 0);
        x->f->status &= ~FSW_C1;
    }
    put(x, i, value);
    if (pops) {
        pop(x);
    }
}

static void move_if(X87 *x, unsigned i, bool is_true)
{
    if (x87_is_empty(x, 0) || x87_is_empty(x, i)) {
        if (underflow(x)) {
            put(x, 0, default_nan);
        }
        return;
    }
    if (is_true) {
        put(x, 0, x87_get(x, i));
    }
}

/* FCOMI and its kin: ZF, PF, CF. */
static uint32_t compare_to_flags(X87 *x, unsigned i, bool is_quiet, bool pops)
{
    X87Run run = begin(x);
    uint16_t codes = FSW_C0 | FSW_C2 | FSW_C3;

    if (x87_is_empty(x, 0) || x87_is_empty(x, i)) {
        underflow(x);
    } else {
        codes = x87_compare(&run, x87_get(x, 0), x87_get(x, i), is_quiet);
        note(x, run.status & ~FSW_C1, FSW_C1);
    }
    if (pops && !x->is_blocked) {
        pop(x);
    }
    return (codes & FSW_C0 ? FLAG_CF : 0) | (codes & FSW_C2 ? FLAG_PF : 0) |
           (codes & FSW_C3 ? FLAG_ZF : 0);
}

static void do_d8_register(X87 *x, unsigned op, unsigned modrm)
{
    unsigned kind = modrm >> 3 & 7, i = modrm & 7;

    if (kind == 2 || kind == 3) {
        compare_registers(x, op == 6 && kind == 3 ? 1 : i, false,
                          op == 6 ? (kind == 3 ? 2 : 1) : kind == 3);
        return;
    }
    compute_registers(x, kind, i, op != 0, op == 6);
}

static void do_dd_register(X87 *x, unsigned modrm)
{
    unsigned i = modrm & 7;

    switch (modrm >> 3 & 7) {
    case 0:
        x->f->valid &= ~BIT(x87_number(x, i));
        break;
    case 1:
        exchange(x, i);
        break;
    case 2:
    case 3:
        store_register(x, i, modrm & 8);
        break;
    default:
        compare_registers(x, i, true, modrm & 8 ? 1 : 0);
        break;
    }
}

static void do_db_register(X87 *x, unsigned modrm)
{
    if (modrm == 0xe2) {
        x->f->status &= ~(FSW_EXCEPTIONS | FSW_SF | FSW_ES | FSW_B);
    } else if (modrm == 0xe3) {
        x87_fninit(x->f);
    }
    /* E0, E1, E4 did something to coprocessors of old. */
}

static uint32_t do_register(X87 *x, unsigned op, unsigned modrm, bool is_true)
{
    unsigned i = modrm & 7, kind = modrm >> 3 & 7;

    switch (op) {
    case 1:
        do_d9_register(x, modrm);
        return 0;
    case 2:
        if (kind == 5) {
            compare_registers(x, 1, true, 2);
        } else {
            move_if(x, i, is_true);
        }
        return 0;
    case 3:
        if (kind >= 5) {
            return compare_to_flags(x, i, kind == 5, false);
        }
        if (kind < 4) {
            move_if(x, i, is_true);
        } else {
            do_db_register(x, modrm);
        }
        return 0;
    case 5:
        do_dd_register(x, modrm);
        return 0;
    case 7:
        if (modrm == 0xe0) {
            return x87_status_word(x->f);
        }
        if (kind == 5 || kind == 6) {
            return compare_to_flags(x, i, kind == 5, true);
        }
        if (kind == 1) {
            exchange(x, i);
        } else if (kind == 0) {
            x->f->valid &= ~BIT(x87_number(x, i));
            pop(x);
        } else {
            store_register(x, i, true);
        }
        return 0;
    default:
        do_d8_register(x, op, modrm);
        return 0;
    }
}

/* FNINIT, FNSTENV, FNSAVE, FNCLEX, FNSTSW, FNSTCW touch no number: they leave the pointers. */
static bool is_control(unsigned op, unsigned modrm)
{
    unsigned reg = modrm >> 3 & 7;
    bool is_memory = modrm < 0xc0;

    return is_memory ? (op == 1 && reg >= 4) || (op == 5 && (reg == 4 || reg >= 6))
                     : (op == 3 && reg == 4) || (op == 7 && modrm == 0xe0);
}

/* What EFLAGS.AC wants of D8..DF's memory operands, by the register field; SDM volume 3, table 6-7. */
#define ENVIRONMENT 0
static const uint8_t alignments[8][8] = {
    { 4, 4, 4, 4, 4, 4, 4, 4 },
    { 4, 4, 4, 4, ENVIRONMENT, 2, ENVIRONMENT, 2 },
    { 4, 4, 4, 4, 4, 4, 4, 4 },
    { 4, 4, 4, 4, 4, 8, 4, 8 },
    { 8, 8, 8, 8, 8, 8, 8, 8 },
    { 8, 8, 8, 8, ENVIRONMENT, 8, ENVIRONMENT, 2 },
    { 2, 2, 2, 2, 2, 2, 2, 2 },
    { 2, 2, 2, 2, 8, 8, 8, 8 },
};

static void check_alignment(X86Cpu *cpu, unsigned op, unsigned reg, uint64_t linear, bool is_wide)
{
    unsigned bytes = alignments[op][reg];
    TcgFault fault = { .addr = linear, .bytes = bytes == ENVIRONMENT ? (is_wide ? 4 : 2) : bytes };

    if (linear & (fault.bytes - 1)) {
        x86_unaligned(&cpu->state.tcg, &fault);
    }
}

/* Of what is at a linear address: an offset in its segment where selectors are saved beside it. */
static uint64_t pointer(const X86State *s, unsigned segment, uint64_t linear)
{
    if (!x86_is_protected(s)) {
        return (uint32_t)linear;
    }
    if (s->mode & X86_MODE_CODE64) {
        return segment < X86_FS ? linear : linear - s->seg[segment].base;
    }
    return (uint32_t)(linear - s->seg[segment].base);
}

/* CPUID says which of the pointers a CPU no longer keeps, or only for exceptions. */
static void note_pointers(X86Cpu *cpu, uint32_t what, uint64_t linear)
{
    X86State *s = &cpu->state;
    X86Fpu *f = &s->fpu;
    bool has_selectors = !x86_has(cpu, X86_7_0_EBX, ZERO_FCS_FDS);
    unsigned segment = what >> X86_X87_SEGMENT & 7;

    f->ip = pointer(s, X86_CS, s->pc);
    f->cs = has_selectors ? s->seg[X86_CS].selector : 0;
    f->opcode = what & 0x7ff;
    if ((what & 0xff) < 0xc0 &&
        (!x86_has(cpu, X86_7_0_EBX, FDP_EXCPTN_ONLY) || (f->status & FSW_ES))) {
        f->dp = pointer(s, segment, linear);
        f->ds = has_selectors ? s->seg[segment].selector : 0;
    }
}

void x86_help_x87_pending(TcgCpu *tcg)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    if ((cpu->state.fpu.status & FSW_ES) && (cpu->state.cr0 & CR0_NE)) {
        x86_raise(cpu, VECTOR_MF);
    }
}

uint32_t x86_help_x87(TcgCpu *tcg, uint32_t what, uint64_t linear, uint32_t is_true)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    X86State *s = &cpu->state;
    X87 x = { .cpu = cpu, .s = s, .f = &s->fpu, .linear = linear, .mmu = x86_mmu(s) };
    unsigned op = what >> 8 & 7, modrm = what & 0xff;
    uint32_t result = 0;

    if (modrm < 0xc0) {
        if (what & X86_X87_ALIGN) {
            check_alignment(cpu, op, modrm >> 3 & 7, linear, what & X86_X87_WIDE);
        }
        do_memory(&x, op, modrm >> 3 & 7, what & X86_X87_WIDE);
    } else {
        result = do_register(&x, op, modrm, is_true);
    }
    if (!is_control(op, modrm)) {
        note_pointers(cpu, what, linear);
    }
    return result;
}
