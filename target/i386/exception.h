/*
 * Exceptions and interrupts: raising them from anywhere, and taking the CPU to their handlers.
 * SDM volume 3, chapter 6.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_EXCEPTION_H
#define TARGET_I386_EXCEPTION_H

#include "target/i386/mode.h"

enum {
    VECTOR_DE, VECTOR_DB, VECTOR_NMI, VECTOR_BP, VECTOR_OF, VECTOR_BR, VECTOR_UD, VECTOR_NM,
    VECTOR_DF, VECTOR_TS = 10, VECTOR_NP, VECTOR_SS, VECTOR_GP, VECTOR_PF, VECTOR_MF = 16,
    VECTOR_AC, VECTOR_MC, VECTOR_XM,
};
#define NO_VECTOR (-1)

typedef enum X86EventKind {
    EVENT_FAULT,    /* restarts the instruction */
    EVENT_TRAP,     /* after it */
    EVENT_EXTERNAL, /* interrupt, NMI */
    EVENT_SOFTWARE, /* INT n, INT3, INTO: the gate's privilege counts */
} X86EventKind;

/*
 * All of these leave the instruction: they do not return, and the CPU's state is what it was before
 * it. A helper raises before it changes anything.
 */
_Noreturn void x86_raise(X86Cpu *cpu, unsigned vector);
_Noreturn void x86_raise_error(X86Cpu *cpu, unsigned vector, uint32_t error);
_Noreturn void x86_raise_page_fault(X86Cpu *cpu, uint64_t linear, uint32_t error);
/* A linear address that is not canonical: #GP(0), or #SS(0) where the operand is in SS. */
_Noreturn void x86_raise_noncanonical(X86Cpu *cpu, uint64_t linear);
/* With state as it is after the instruction. `debug`: bits for DR6. */
_Noreturn void x86_raise_debug(X86Cpu *cpu, X86EventKind kind, uint64_t debug);
/* INT n and its kin; the handler returns to next_rip. */
_Noreturn void x86_raise_software(X86Cpu *cpu, unsigned vector, uint64_t next_rip);
_Noreturn static inline void x86_raise_gp(X86Cpu *cpu)
{
    x86_raise_error(cpu, VECTOR_GP, 0);
}
_Noreturn static inline void x86_raise_ud(X86Cpu *cpu)
{
    x86_raise(cpu, VECTOR_UD);
}

/* Enters the handler of state.event. What goes wrong on the way raises again. */
void x86_deliver_event(X86Cpu *cpu);
/* DR6 and DR7 as a debug exception leaves them. */
void x86_take_debug_bits(X86State *s, const X86Event *event);
/* An interrupt of the controller, or an NMI. */
void x86_set_external_event(X86Cpu *cpu, unsigned vector);

/* --- the way out: who catches what is raised (the run loop, a test) --- */

_Noreturn void x86_leave(X86Cpu *cpu);

#endif
