/*
 * Helpers for the secure virtual machine's instructions and intercepts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"

#include "target/i386/control.h"
#include "target/i386/memory.h"
#include "target/i386/svm.h"

void x86_help_svm_check(TcgCpu *tcg, uint32_t bit, uint64_t info1, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    if (bit != X86_SVM_INT3) {
        x86_svm_check(cpu, bit, info1, next_rip);
    } else if (cpu->state.svm.exceptions >> VECTOR_BP & 1) {
        x86_svm_exit(cpu, SVM_EXIT_EXCEPTION + VECTOR_BP, 0, 0, next_rip);
    }
}

void x86_help_svm_check_register(TcgCpu *tcg, uint32_t what, uint64_t value, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    unsigned n = what & 0xff, gpr = what >> 8 & 0xff;
    bool is_write = what & X86_SVM_WRITES;
    int known = gpr == X86_SVM_NO_GPR ? -1 : (int)gpr;

    if (what & X86_SVM_DEBUG) {
        x86_svm_check_dr(cpu, n, is_write, known, next_rip);
        return;
    }
    x86_svm_check_cr(cpu, n, is_write, known, next_rip);
    if (is_write && n == 0 && !(what & X86_SVM_CLTS)) {
        x86_svm_check_cr0(cpu, value, what & X86_SVM_LMSW, next_rip);
    }
}

void x86_help_svm_check_msr(TcgCpu *tcg, uint32_t is_write, uint64_t next_rip)
{
    x86_svm_check_msr(x86_cpu_of(tcg), is_write, next_rip);
}

void x86_help_svm_check_port(TcgCpu *tcg, uint32_t port, uint32_t info, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    unsigned width = info >> 7 & 7;
    uint64_t mask = width == 4 ? UINT64_MAX : width == 2 ? UINT32_MAX : UINT16_MAX;

    /* Repeated no times, it touches nothing. */
    if ((info & BIT(3)) && !(cpu->state.gpr[X86_RCX] & mask)) {
        return;
    }
    x86_check_port(cpu, port, info >> 4 & 7);
    x86_svm_check_port(cpu, port, info, next_rip);
}

/* rAX is a page of memory. */
static void check_address(X86Cpu *cpu)
{
    uint64_t vmcb = cpu->state.gpr[X86_RAX];

    if ((vmcb & 0xfff) || vmcb >> cpu->phys_bits) {
        x86_raise_gp(cpu);
    }
}

void x86_help_svm(TcgCpu *tcg, uint32_t op, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    if (!(cpu->state.efer & EFER_SVME)) {
        x86_raise_ud(cpu);
    }
    switch (op) {
    case X86_SVM_VMRUN:
        check_address(cpu);
        x86_svm_enter(cpu, next_rip);
    case X86_SVM_VMLOAD:
        check_address(cpu);
        x86_svm_vmload(cpu);
        break;
    case X86_SVM_VMSAVE:
        check_address(cpu);
        x86_svm_vmsave(cpu);
        break;
    case X86_SVM_INVLPGA:
        x86_flush_page(cpu, cpu->state.gpr[X86_RAX]);
        break;
    default:
        x86_svm_set_gif(cpu, op == X86_SVM_STGI);
        break;
    }
}
