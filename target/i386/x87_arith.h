/*
 * Arithmetic on 80-bit numbers as the x87 does it: value and status of one operation. The door to
 * a software implementation: x87_host.c does it with the host's x87.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_X87_ARITH_H
#define TARGET_I386_X87_ARITH_H

#include "target/i386/state.h"

/* Status word. */
#define FSW_IE BIT(0)
#define FSW_DE BIT(1)
#define FSW_ZE BIT(2)
#define FSW_OE BIT(3)
#define FSW_UE BIT(4)
#define FSW_PE BIT(5)
#define FSW_SF BIT(6)
#define FSW_ES BIT(7)
#define FSW_C0 BIT(8)
#define FSW_C1 BIT(9)
#define FSW_C2 BIT(10)
#define FSW_C3 BIT(14)
#define FSW_B  BIT(15)
#define FSW_EXCEPTIONS 0x3fu
#define FSW_CODES (FSW_C0 | FSW_C1 | FSW_C2 | FSW_C3)

/*
 * An operation under a control word; status: what it set. Overflow and underflow may be unmasked where the
 * result is a register: it is scaled then, as the guest wants it. All others are masked.
 */
typedef struct X87Run {
    uint16_t control, status;
} X87Run;

typedef enum X87Op {
    X87_ADD, X87_MUL, X87_SUB, X87_DIV, /* a op b */
    X87_FYL2X, X87_FYL2XP1, X87_FPATAN, /* of st1 = a, st0 = b */
    X87_FPREM, X87_FPREM1, X87_FSCALE,  /* of st0 = a, st1 = b */
    X87_FSQRT, X87_FRNDINT, X87_F2XM1, X87_FSIN, X87_FCOS, /* of a */
} X87Op;
X86Extended x87_compute(X87Run *run, X87Op op, X86Extended a, X86Extended b);

/* Two results: st0 before the push and what is pushed. */
typedef enum X87Pair { X87_FPTAN, X87_FSINCOS, X87_FXTRACT } X87Pair;
X86Extended x87_compute_pair(X87Run *run, X87Pair op, X86Extended a, X86Extended *pushed);

/* C0, C2, C3 as FCOM (or FUCOM, quiet) sets them. */
uint16_t x87_compare(X87Run *run, X86Extended a, X86Extended b, bool is_quiet);
uint16_t x87_examine(X86Extended a);
/* FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ. */
X86Extended x87_constant(X87Run *run, unsigned n);

typedef enum X87Format { X87_F32, X87_F64, X87_I16, X87_I32, X87_I64, X87_BCD } X87Format;
/* One of the eight operations in the order of their opcodes, on a and m32, m64, m16int or m32int. */
enum { X87_FCOM = 2, X87_FCOMP = 3 };
X86Extended x87_compute_memory(X87Run *run, unsigned op, X86Extended a, X87Format format, const void *memory);
X86Extended x87_from(X87Run *run, X87Format format, const void *memory);
void x87_to(X87Run *run, X87Format format, X86Extended a, void *memory);
/* FISTTP. */
void x87_truncate_to(X87Run *run, X87Format format, X86Extended a, void *memory);

#endif
