/*
 * Secure virtual machine: AMD APM volume 2, chapter 15. A CPU in guest mode runs from a VMCB; what
 * that intercepts takes it back to the host (#VMEXIT).
 *
 * An exit is asked for from anywhere, like an exception, and made between instructions (svm.c);
 * what is intercepted is told by svm_intercept.c, before instructions by translate_svm.c. Nested
 * page tables are paging.c's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_SVM_H
#define TARGET_I386_SVM_H

#include "target/i386/exception.h"

/* Bits of the two words of general intercepts, as one: the exit code is SVM_EXIT_GENERAL + bit. */
enum {
    SVM_INTR, SVM_NMI, SVM_SMI, SVM_INIT, SVM_VINTR, SVM_CR0_SEL_WRITE, SVM_IDTR_READ,
    SVM_GDTR_READ, SVM_LDTR_READ, SVM_TR_READ, SVM_IDTR_WRITE, SVM_GDTR_WRITE, SVM_LDTR_WRITE,
    SVM_TR_WRITE, SVM_RDTSC, SVM_RDPMC, SVM_PUSHF, SVM_POPF, SVM_CPUID, SVM_RSM, SVM_IRET,
    SVM_INT_N, SVM_INVD, SVM_PAUSE, SVM_HLT, SVM_INVLPG, SVM_INVLPGA, SVM_IOIO, SVM_MSR,
    SVM_TASK_SWITCH, SVM_FERR_FREEZE, SVM_SHUTDOWN,
    SVM_VMRUN, SVM_VMMCALL, SVM_VMLOAD, SVM_VMSAVE, SVM_STGI, SVM_CLGI, SVM_SKINIT, SVM_RDTSCP,
    SVM_ICEBP, SVM_WBINVD, SVM_MONITOR, SVM_MWAIT, SVM_MWAIT_ARMED, SVM_XSETBV,
};
#define SVM_EXIT_CR_READ   0x00
#define SVM_EXIT_CR_WRITE  0x10
#define SVM_EXIT_DR_READ   0x20
#define SVM_EXIT_DR_WRITE  0x30
#define SVM_EXIT_EXCEPTION 0x40
#define SVM_EXIT_GENERAL   0x60
#define SVM_EXIT_NPF       0x400
#define SVM_EXIT_INVALID   UINT64_MAX

/* Of int_ctl. */
#define SVM_V_TPR          0xfu
#define SVM_V_IRQ          BIT(8)
#define SVM_V_GIF          BIT(9)
#define SVM_V_PRIORITY(c)  ((c) >> 16 & 15)
#define SVM_V_IGNORES_TPR  BIT(20)
#define SVM_V_MASKING      BIT(24)
#define SVM_V_GIF_ENABLED  BIT(25)

/* Nested page faults: exit_info_1 beyond the page fault's error code. */
#define NPF_FINAL  BIT64(32) /* the guest's own address */
#define NPF_TABLES BIT64(33) /* an entry of the guest's tables */

/* --- asking (from anywhere; they do not return) --- */

/* With the state as before the instruction; next_rip 0: none is told. */
_Noreturn void x86_svm_exit(X86Cpu *cpu, uint64_t code, uint64_t info1, uint64_t info2,
                            uint64_t next_rip);
/* VMRUN of the VMCB at rAX. */
_Noreturn void x86_svm_enter(X86Cpu *cpu, uint64_t next_rip);
/* What was asked for; from TcgTargetOps.deliver. True: there was something. */
bool x86_svm_serve(X86Cpu *cpu);

/* --- intercepts (svm_intercept.c); of a CPU in guest mode --- */

static inline bool x86_svm_intercepts(const X86State *s, unsigned bit)
{
    return s->svm.is_guest && (s->svm.intercepts >> bit & 1);
}
/* Exits if the guest's VMCB says so. */
void x86_svm_check(X86Cpu *cpu, unsigned bit, uint64_t info1, uint64_t next_rip);
void x86_svm_check_cr(X86Cpu *cpu, unsigned n, bool is_write, int gpr, uint64_t next_rip);
void x86_svm_check_dr(X86Cpu *cpu, unsigned n, bool is_write, int gpr, uint64_t next_rip);
void x86_svm_check_cr0(X86Cpu *cpu, uint64_t value, bool is_lmsw, uint64_t next_rip);
void x86_svm_check_msr(X86Cpu *cpu, bool is_write, uint64_t next_rip);
void x86_svm_check_port(X86Cpu *cpu, uint16_t port, uint32_t info, uint64_t next_rip);
void x86_svm_check_task(X86Cpu *cpu, uint16_t selector, bool is_iret, bool is_jump);
/* state.event is an exception that is intercepted: exits. */
void x86_svm_check_event(X86Cpu *cpu);
/* What of the requests makes it exit, by code; 0: nothing. Machine lock. */
unsigned x86_svm_request_exit(const X86Cpu *cpu, uint32_t requests);
/* Of requests that are there, what GIF, the guest's and the host's IF leave. */
uint32_t x86_svm_takeable(const X86Cpu *cpu, uint32_t requests);
/* The virtual interrupt that is due; -1: none. */
int x86_svm_acknowledge(X86Cpu *cpu);

/* --- instructions (svm.c) --- */

void x86_svm_vmload(X86Cpu *cpu);
void x86_svm_vmsave(X86Cpu *cpu);
void x86_svm_set_gif(X86Cpu *cpu, bool is_set);
/* After loading saved state. */
void x86_svm_state_loaded(X86Cpu *cpu);

static inline bool x86_svm_has_virtual_tpr(const X86State *s)
{
    return s->svm.is_guest && (s->svm.int_ctl & SVM_V_MASKING);
}

#endif
