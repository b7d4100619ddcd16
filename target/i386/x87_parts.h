/*
 * What the parts of the x87's instructions share: the state they work on, its stack, and what is
 * saved of it (x87_environment.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_X87_PARTS_H
#define TARGET_I386_X87_PARTS_H

#include "target/i386/execute.h"
#include "target/i386/memory.h"
#include "target/i386/x87_arith.h"

typedef struct X87 {
    X86Cpu *cpu;
    X86State *s;
    X86Fpu *f;
    uint64_t linear;
    X86Mmu mmu;
    bool is_blocked; /* an unmasked exception keeps results away */
} X87;

/* --- the stack --- */

static inline unsigned x87_number(const X87 *x, unsigned i)
{
    return (x->f->top + i) & 7;
}

static inline bool x87_is_empty(const X87 *x, unsigned i)
{
    return !(x->f->valid >> x87_number(x, i) & 1);
}

static inline X86Extended x87_get(const X87 *x, unsigned i)
{
    return x->f->reg[x87_number(x, i)];
}

/* --- x87_environment.c --- */
/* ES and B, from what is pending. */
void x87_summarize(X86Fpu *f);
uint16_t x87_status_word(const X86Fpu *f);
void x87_set_control_word(X86Fpu *f, uint16_t value);
void x87_fninit(X86Fpu *f);
void x87_fstenv(X87 *x, bool is_wide);
void x87_fldenv(X87 *x, bool is_wide);
void x87_fsave(X87 *x, bool is_wide);
void x87_frstor(X87 *x, bool is_wide);

#endif
