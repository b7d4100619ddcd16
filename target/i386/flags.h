/*
 * Arithmetic flags, lazily: an instruction records its kind and operands, and who reads a flag
 * computes it. SDM volume 1, 3.4.3.1 and appendix A.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_FLAGS_H
#define TARGET_I386_FLAGS_H

#include "target/i386/state.h"

/*
 * What the fields of X86LazyFlags mean. But for KNOWN, the operand's width is added: op + log2 of
 * its bytes; values are zero-extended from it.
 */
typedef enum X86FlagOp {
    FLAGS_KNOWN = 0,  /* src: the flags themselves, at their places in EFLAGS */
    FLAGS_ADD = 4,    /* src: the addend */
    FLAGS_ADC = 8,    /* src: the addend, src2: carry in */
    FLAGS_SUB = 12,   /* src: what was subtracted */
    FLAGS_SBB = 16,   /* ..., src2: borrow in */
    FLAGS_LOGIC = 20, /* CF and OF are clear */
    FLAGS_INC = 24,   /* src: CF, which stays */
    FLAGS_DEC = 28,   /* likewise */
    FLAGS_SHL = 32,   /* src: the value before the last step */
    FLAGS_SHR = 36,   /* likewise; SAR too */
    FLAGS_MUL = 40,   /* src: not zero if the product does not fit */
    FLAGS_BITS = 44,  /* src: CF; OF is clear */
} X86FlagOp;

/* FLAGS_ARITH bits. */
uint32_t x86_flags_compute(uint32_t op, uint64_t result, uint64_t src, uint64_t src2);

static inline uint32_t x86_flags_arith(const X86State *s)
{
    return x86_flags_compute(s->flags.op, s->flags.result, s->flags.src, s->flags.src2);
}

/* EFLAGS as PUSHF and interrupts store it. */
static inline uint32_t x86_eflags(const X86State *s)
{
    return s->eflags | x86_flags_arith(s) | FLAG_ONE;
}

static inline void x86_set_arith_flags(X86State *s, uint32_t eflags)
{
    s->flags = (X86LazyFlags){ .op = FLAGS_KNOWN, .src = eflags & FLAGS_ARITH };
}

#endif
