/*
 * MXCSR: what software set, and the image guest code runs with: all exceptions masked, sticky flags
 * gathered by the host. SDM volume 1, 10.2.3.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_MXCSR_H
#define TARGET_I386_MXCSR_H

#include "target/i386/control.h"

#define MXCSR_MASK  0xffffu   /* what every CPU has */
#define MXCSR_MM    BIT(17)   /* AMD's: operands of SSE need no alignment */
#define MXCSR_FLAGS 0x3fu
#define MXCSR_MASKS 0x1f80u
#define MXCSR_UM    BIT(11)
#define MXCSR_FTZ   BIT(15)
#define MXCSR_RESET_VALUE 0x1f80u

#define MISALIGNSSE 7 /* bit of CPUID.80000001.ECX */
static inline uint32_t x86_mxcsr_mask(const X86Cpu *cpu)
{
    return MXCSR_MASK | (x86_has(cpu, X86_8000_0001_ECX, MISALIGNSSE) ? MXCSR_MM : 0);
}

/* With sticky flags; not while guest code runs (a helper has its own, see TcgTargetOps). */
uint32_t x86_mxcsr(const X86State *s);
void x86_set_mxcsr(X86State *s, uint32_t value);

/* From now on, the running flags are those of one instruction. */
void x86_begin_fp_flags(X86State *s);
/* True: of these some are not masked; MXCSR has what the exception leaves there. */
bool x86_take_fp_exceptions(X86State *s);

#endif
