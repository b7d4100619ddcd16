/*
 * An x86 CPU under the software engine: what target/i386 gives accel/tcg, and requests from
 * outside (the local APIC, other CPUs).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_EXECUTE_H
#define TARGET_I386_EXECUTE_H

#include "accel/tcg/target.h"
#include "target/i386/cpu.h"

extern const TcgTargetOps x86_tcg_ops;
extern const IrSlot x86_slots[];
extern const VMState x86_cpu_vmstate;

/* What the CPU sees in SMM; made when it is first needed. Machine lock. */
void x86_make_smm_space(X86Cpu *cpu);
void x86_drop_smm_space(X86Cpu *cpu);

/* Waits for an interrupt, from the next instruction on. */
void x86_halt(X86Cpu *cpu);
/* An interrupt that was held back may be taken now. */
void x86_interrupts_changed(X86Cpu *cpu);
/* A reason to go on while halted. */
bool x86_has_work(X86Cpu *cpu);

/* The engine's questions about memory: target/i386/memory.c. */
bool x86_tlb_fill(TcgCpu *tcg, const TcgFault *fault, bool is_probe, TcgPage *out);
void x86_unaligned(TcgCpu *tcg, const TcgFault *fault);

#endif
