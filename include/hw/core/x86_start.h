/*
 * How an x86 CPU enters a kernel that no firmware starts: registers that a board computes, and the
 * interface by which the boot processor takes them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_X86_START_H
#define HW_CORE_X86_START_H

#include "qom/object.h"

#define TYPE_X86_START_CPU "x86-start-cpu"

/* A segment register: selector, and the descriptor as it stands in the GDT. */
typedef struct X86StartSegment {
    uint16_t selector;
    uint64_t descriptor; /* a 64-bit TSS: its lower half, base 0 */
} X86StartSegment;

/* General registers not named are 0; interrupts are off; the IDT is empty. */
typedef struct X86StartState {
    bool is_long_mode;
    uint64_t rip, rsp, rax, rbx, rsi, rflags;
    uint64_t cr0, cr3, cr4, efer;
    X86StartSegment code, data, tss; /* `data`: DS, ES, FS, GS and SS */
    uint64_t gdt_base;
    uint16_t gdt_limit;
} X86StartState;

/* Machine lock; the CPU is stopped and has just been reset. */
typedef struct X86StartCpu {
    /* What firmware does for each CPU: memory is write-back by its MTRRs. */
    void (*set_up)(Object *cpu);
    /* For the boot processor. */
    void (*start)(Object *cpu, const X86StartState *state);
} X86StartCpu;

#endif
