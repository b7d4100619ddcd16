/*
 * x87 arithmetic by the host's x87: see x87_arith.h. Every function loads the control word it is
 * given, does one instruction, and gives the host's back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/x87_arith.h"

#define HOST_CONTROL 0x37f

static const uint16_t host_control = HOST_CONTROL;

#define ENTER "fnclex\n\tfldcw %[cw]\n\t"
/* What is pending, of what the guest has unmasked, would come with the next instruction that waits. */
#define STATUS "\n\tfnstsw %[sw]\n\tfnclex\n\t"
#define LEAVE "\n\tfldcw %[host]"
#define CLOBBERS "st", "st(1)", "st(2)", "st(3)", "memory"

/* Loads `first`, then `second` on top of it, runs, takes the top and drops the rest. */
#define TWO(insns, first, second, drops)                                                           \
    __asm__ volatile(ENTER "fldt %[x]\n\tfldt %[y]\n\t" insns STATUS "fstpt %[out]\n\t" drops LEAVE \
                     : [out] "=m"(out), [sw] "=m"(run->status)                                     \
                     : [x] "m"(first), [y] "m"(second), [cw] "m"(run->control),                    \
                       [host] "m"(host_control)                                                    \
                     : CLOBBERS)
#define ONE(insns)                                                                                 \
    __asm__ volatile(ENTER "fldt %[x]\n\t" insns STATUS "fstpt %[out]" LEAVE                       \
                     : [out] "=m"(out), [sw] "=m"(run->status)                                     \
                     : [x] "m"(a), [cw] "m"(run->control), [host] "m"(host_control)                \
                     : CLOBBERS)
#define DROP "fstp %%st(0)\n\t"

X86Extended x87_compute(X87Run *run, X87Op op, X86Extended a, X86Extended b)
{
    X86Extended out = { 0 };

    switch (op) {
    case X87_ADD:
        TWO("fadd %%st(1), %%st", a, b, DROP);
        break;
    case X87_MUL:
        TWO("fmul %%st(1), %%st", a, b, DROP);
        break;
    case X87_SUB:
        TWO("fsubr %%st(1), %%st", a, b, DROP);
        break;
    case X87_DIV:
        TWO("fdivr %%st(1), %%st", a, b, DROP);
        break;
    case X87_FYL2X:
        TWO("fyl2x", a, b, "");
        break;
    case X87_FYL2XP1:
        TWO("fyl2xp1", a, b, "");
        break;
    case X87_FPATAN:
        TWO("fpatan", a, b, "");
        break;
    case X87_FPREM:
        TWO("fprem", b, a, DROP);
        break;
    case X87_FPREM1:
        TWO("fprem1", b, a, DROP);
        break;
    case X87_FSCALE:
        TWO("fscale", b, a, DROP);
        break;
    case X87_FSQRT:
        ONE("fsqrt");
        break;
    case X87_FRNDINT:
        ONE("frndint");
        break;
    case X87_F2XM1:
        ONE("f2xm1");
        break;
    case X87_FSIN:
        ONE("fsin");
        break;
    default:
        ONE("fcos");
        break;
    }
    return out;
}

#define MEMORY(insn, type)                                                                         \
    __asm__ volatile(ENTER "fldt %[x]\n\t" insn " %[m]" STATUS "fstpt %[out]" LEAVE                \
                     : [out] "=m"(out), [sw] "=m"(run->status)                                     \
                     : [x] "m"(a), [m] "m"(*(const type *)memory), [cw] "m"(run->control),         \
                       [host] "m"(host_control)                                                    \
                     : CLOBBERS)

/* FCOMP compares as FCOM does: its pop is the caller's. */
#define WITH_MEMORY(name, kind, suffix, type)                                                      \
    static X86Extended name(X87Run *run, unsigned op, X86Extended a, const void *memory)           \
    {                                                                                              \
        X86Extended out = { 0 };                                                                   \
                                                                                                   \
        switch (op) {                                                                              \
        case 0:                                                                                    \
            MEMORY(kind "add" suffix, type);                                                       \
            break;                                                                                 \
        case 1:                                                                                    \
            MEMORY(kind "mul" suffix, type);                                                       \
            break;                                                                                 \
        case X87_FCOM:                                                                             \
        case X87_FCOMP:                                                                            \
            MEMORY(kind "com" suffix, type);                                                       \
            break;                                                                                 \
        case 4:                                                                                    \
            MEMORY(kind "sub" suffix, type);                                                       \
            break;                                                                                 \
        case 5:                                                                                    \
            MEMORY(kind "subr" suffix, type);                                                      \
            break;                                                                                 \
        case 6:                                                                                    \
            MEMORY(kind "div" suffix, type);                                                       \
            break;                                                                                 \
        default:                                                                                   \
            MEMORY(kind "divr" suffix, type);                                                      \
            break;                                                                                 \
        }                                                                                          \
        return out;                                                                                \
    }

WITH_MEMORY(with_f32, "f", "s", float)
WITH_MEMORY(with_f64, "f", "l", double)
WITH_MEMORY(with_i16, "fi", "s", int16_t)
WITH_MEMORY(with_i32, "fi", "l", int32_t)

X86Extended x87_compute_memory(X87Run *run, unsigned op, X86Extended a, X87Format format, const void *memory)
{
    switch (format) {
    case X87_F32:
        return with_f32(run, op, a, memory);
    case X87_F64:
        return with_f64(run, op, a, memory);
    case X87_I16:
        return with_i16(run, op, a, memory);
    default:
        return with_i32(run, op, a, memory);
    }
}

/* The operand out of range leaves one value only: then nothing is pushed. */
#define PAIR(insn)                                                                                 \
    __asm__ volatile(ENTER "fldt %[x]\n\t" insn STATUS "fstpt %[top]\n\t"                             \
                     "testw $0x400, %[sw]\n\tjnz 1f\n\tfstpt %[out]\n\t1:" LEAVE                   \
                     : [out] "=m"(out), [top] "=m"(top), [sw] "=m"(run->status)                    \
                     : [x] "m"(a), [cw] "m"(run->control), [host] "m"(host_control)                \
                     : CLOBBERS, "cc")

X86Extended x87_compute_pair(X87Run *run, X87Pair op, X86Extended a, X86Extended *pushed)
{
    X86Extended out = a, top = { 0 };

    switch (op) {
    case X87_FPTAN:
        PAIR("fptan");
        break;
    case X87_FSINCOS:
        PAIR("fsincos");
        break;
    default:
        __asm__ volatile(ENTER "fldt %[x]\n\tfxtract" STATUS "fstpt %[top]\n\t"
                         "fstpt %[out]\n\t" LEAVE
                         : [out] "=m"(out), [top] "=m"(top), [sw] "=m"(run->status)
                         : [x] "m"(a), [cw] "m"(run->control), [host] "m"(host_control)
                         : CLOBBERS);
        run->status &= ~FSW_C2;
        break;
    }
    *pushed = top;
    return out;
}

#define COMPARE(insn)                                                                              \
    __asm__ volatile(ENTER "fldt %[y]\n\tfldt %[x]\n\t" insn STATUS                                  \
                     "fstp %%st(0)\n\tfstp %%st(0)" LEAVE                                          \
                     : [sw] "=m"(run->status)                                                      \
                     : [x] "m"(a), [y] "m"(b), [cw] "m"(run->control), [host] "m"(host_control)    \
                     : CLOBBERS)

uint16_t x87_compare(X87Run *run, X86Extended a, X86Extended b, bool is_quiet)
{
    if (is_quiet) {
        COMPARE("fucom %%st(1)");
    } else {
        COMPARE("fcom %%st(1)");
    }
    return run->status & (FSW_C0 | FSW_C2 | FSW_C3);
}

uint16_t x87_examine(X86Extended a)
{
    uint16_t status;

    __asm__ volatile("fldt %[x]\n\tfxam\n\tfnstsw %[sw]\n\tfstp %%st(0)"
                     : [sw] "=m"(status) : [x] "m"(a) : CLOBBERS);
    return status & FSW_CODES;
}

#define CONSTANT(insn)                                                                             \
    __asm__ volatile(ENTER insn "\n\tfstpt %[out]" LEAVE                                           \
                     : [out] "=m"(out)                                                             \
                     : [cw] "m"(run->control), [host] "m"(host_control) : CLOBBERS)

X86Extended x87_constant(X87Run *run, unsigned n)
{
    X86Extended out = { 0 };

    switch (n) {
    case 0:
        CONSTANT("fld1");
        break;
    case 1:
        CONSTANT("fldl2t");
        break;
    case 2:
        CONSTANT("fldl2e");
        break;
    case 3:
        CONSTANT("fldpi");
        break;
    case 4:
        CONSTANT("fldlg2");
        break;
    case 5:
        CONSTANT("fldln2");
        break;
    default:
        CONSTANT("fldz");
        break;
    }
    return out;
}

#define LOAD(insn, type)                                                                           \
    __asm__ volatile(ENTER insn " %[m]" STATUS "fstpt %[out]" LEAVE                                    \
                     : [out] "=m"(out), [sw] "=m"(run->status)                                     \
                     : [m] "m"(*(const type *)memory), [cw] "m"(run->control),                     \
                       [host] "m"(host_control)                                                    \
                     : CLOBBERS)

typedef struct Bcd { uint8_t digits[10]; } Bcd;

X86Extended x87_from(X87Run *run, X87Format format, const void *memory)
{
    X86Extended out = { 0 };

    switch (format) {
    case X87_F32:
        LOAD("flds", float);
        break;
    case X87_F64:
        LOAD("fldl", double);
        break;
    case X87_I16:
        LOAD("filds", int16_t);
        break;
    case X87_I32:
        LOAD("fildl", int32_t);
        break;
    case X87_I64:
        LOAD("fildll", int64_t);
        break;
    default:
        LOAD("fbld", Bcd);
        break;
    }
    return out;
}

#define STORE(insn, type)                                                                          \
    __asm__ volatile(ENTER "fldt %[x]\n\t" insn " %[m]" STATUS LEAVE                               \
                     : [m] "=m"(*(type *)memory), [sw] "=m"(run->status)                           \
                     : [x] "m"(a), [cw] "m"(run->control), [host] "m"(host_control)                \
                     : CLOBBERS)

void x87_to(X87Run *run, X87Format format, X86Extended a, void *memory)
{
    switch (format) {
    case X87_F32:
        STORE("fstps", float);
        break;
    case X87_F64:
        STORE("fstpl", double);
        break;
    case X87_I16:
        STORE("fistps", int16_t);
        break;
    case X87_I32:
        STORE("fistpl", int32_t);
        break;
    case X87_I64:
        STORE("fistpll", int64_t);
        break;
    default:
        STORE("fbstp", Bcd);
        break;
    }
}

/* As with rounding towards zero. */
void x87_truncate_to(X87Run *run, X87Format format, X86Extended a, void *memory)
{
    run->control |= 0xc00;
    x87_to(run, format, a, memory);
}
