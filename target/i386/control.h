/*
 * Control, debug and model-specific registers, and what else system instructions do. Functions
 * raise what the instruction raises. SDM volume 3, chapters 2, 9 and 17, volume 4.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_CONTROL_H
#define TARGET_I386_CONTROL_H

#include "hw/core/x86_start.h"
#include "system/port_call.h"
#include "target/i386/exception.h"

/* Names of bits the features stand for, where code asks often. */
static inline bool x86_has(const X86Cpu *cpu, X86Word word, unsigned bit)
{
    return x86_feature_has(&cpu->features, word, bit);
}

/* MOV to and from CR0, CR2, CR3, CR4, CR8, by number. */
void x86_write_cr(X86Cpu *cpu, unsigned n, uint64_t value);
uint64_t x86_read_cr(X86Cpu *cpu, unsigned n);
void x86_lmsw(X86Cpu *cpu, uint16_t value);
void x86_write_dr(X86Cpu *cpu, unsigned n, uint64_t value);
uint64_t x86_read_dr(X86Cpu *cpu, unsigned n);
bool x86_write_efer(X86Cpu *cpu, uint64_t value);
/* No bits that the CPU has not. */
bool x86_is_good_efer(const X86Cpu *cpu, uint64_t value);
bool x86_is_allowed_cr4(const X86Cpu *cpu, uint64_t value);
void x86_xsetbv(X86Cpu *cpu, uint32_t index, uint64_t value);
uint64_t x86_xgetbv(X86Cpu *cpu, uint32_t index);
void x86_invlpg(X86Cpu *cpu, uint64_t linear);
void x86_invpcid(X86Cpu *cpu, uint64_t type, uint64_t descriptor_low, uint64_t linear);

void x86_rdmsr(X86Cpu *cpu, uint32_t msr, uint64_t *value);
void x86_wrmsr(X86Cpu *cpu, uint32_t msr, uint64_t value);

uint64_t x86_tsc(const X86Cpu *cpu);
uint64_t x86_tsc_hz(const X86Cpu *cpu);

void x86_syscall(X86Cpu *cpu, uint64_t next_rip);
void x86_sysret(X86Cpu *cpu, bool is_64);
void x86_sysenter(X86Cpu *cpu);
void x86_sysexit(X86Cpu *cpu, bool is_64);

/* Raises #GP(0) if the task may not. */
void x86_check_port(X86Cpu *cpu, uint16_t port, unsigned bytes);
uint32_t x86_port_in(X86Cpu *cpu, uint16_t port, unsigned bytes);
void x86_port_out(X86Cpu *cpu, uint16_t port, unsigned bytes, uint32_t value);
/* How the device behind a port gets at the registers of who accesses it. */
extern const PortCallCpu x86_port_call;

/* System management mode: target/i386/smm.c. */
void x86_enter_smm(X86Cpu *cpu);
void x86_rsm(X86Cpu *cpu);

/* DR7 or DR0..3 changed. */
void x86_update_breakpoints(X86Cpu *cpu);
/* XSAVE components that are not in their initial state. */
uint64_t x86_components_in_use(const X86State *s);

/* State that a RESET or INIT gives. */
void x86_reset_state(X86Cpu *cpu, bool is_init);
/* After STARTUP. */
void x86_start_at(X86Cpu *cpu, uint8_t vector);
/* In a kernel, without firmware: target/i386/start.c. */
extern const X86StartCpu x86_start_cpu;

#endif
