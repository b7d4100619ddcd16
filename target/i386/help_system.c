/*
 * Helpers for system instructions: SDM volume 2.
 *
 * Left out: CPUID faulting. MONITOR watches nothing: MWAIT waits for an interrupt or returns at
 * once, which the architecture allows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"

#include "accel/tcg/memory.h"
#include "target/i386/control.h"
#include "target/i386/execute.h"
#include "target/i386/memory.h"
#include "target/i386/segment.h"

static void put_pair(X86State *s, uint64_t value)
{
    s->gpr[X86_RAX] = (uint32_t)value;
    s->gpr[X86_RDX] = value >> 32;
}

static uint64_t get_pair(const X86State *s)
{
    return (uint32_t)s->gpr[X86_RAX] | s->gpr[X86_RDX] << 32;
}

void x86_help_nothing(TcgCpu *tcg, uint64_t next_rip)
{
}

/* --- waiting --- */

static void wait_for_interrupt(X86Cpu *cpu, uint64_t next_rip)
{
    cpu->state.rip = next_rip;
    x86_give_rip(&cpu->state);
    x86_halt(cpu);
}

void x86_help_hlt(TcgCpu *tcg, uint64_t next_rip)
{
    wait_for_interrupt(x86_cpu_of(tcg), next_rip);
}

void x86_help_monitor(TcgCpu *tcg, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    if ((uint32_t)cpu->state.gpr[X86_RCX]) {
        x86_raise_gp(cpu);
    }
}

/* Other CPUs' writes would end the wait; we do not see them, so it ends at once if there are any. */
void x86_help_mwait(TcgCpu *tcg, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    if ((uint32_t)cpu->state.gpr[X86_RCX] & ~1u) {
        x86_raise_gp(cpu);
    }
    if (vcpu_count() > 1) {
        cpu->state.rip = next_rip;
        x86_give_rip(&cpu->state);
        tcg_yield(tcg);
    } else {
        wait_for_interrupt(cpu, next_rip);
    }
}

void x86_help_pause(TcgCpu *tcg, uint64_t next_rip)
{
    if (vcpu_count() > 1) {
        tcg_yield(tcg);
    }
}

void x86_help_umwait(TcgCpu *tcg, uint32_t control, uint32_t is_tpause)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    if (control & ~1u) {
        x86_raise_gp(cpu);
    }
    if ((cpu->state.cr4 & CR4_TSD) && x86_cpl(&cpu->state) != 0) {
        x86_raise_gp(cpu);
    }
    tcg_yield(tcg);
}

/* --- what the CPU is, and time --- */

void x86_help_cpuid(TcgCpu *tcg, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    X86State *s = &cpu->state;
    X86CpuidRegs regs;

    x86_cpu_cpuid(cpu, s->gpr[X86_RAX], s->gpr[X86_RCX], &regs);
    s->gpr[X86_RAX] = regs.eax;
    s->gpr[X86_RBX] = regs.ebx;
    s->gpr[X86_RCX] = regs.ecx;
    s->gpr[X86_RDX] = regs.edx;
}

static void check_tsc(X86Cpu *cpu)
{
    if ((cpu->state.cr4 & CR4_TSD) && x86_cpl(&cpu->state) != 0) {
        x86_raise_gp(cpu);
    }
}

void x86_help_rdtsc(TcgCpu *tcg, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    check_tsc(cpu);
    put_pair(&cpu->state, x86_tsc(cpu));
}

void x86_help_rdtscp(TcgCpu *tcg, uint64_t next_rip)
{
    x86_help_rdtsc(tcg, next_rip);
    x86_cpu_of(tcg)->state.gpr[X86_RCX] = (uint32_t)x86_cpu_of(tcg)->state.tsc_aux;
}

void x86_help_rdpmc(TcgCpu *tcg, uint64_t next_rip)
{
    /* There are no counters. */
    x86_raise_gp(x86_cpu_of(tcg));
}

void x86_help_rdmsr(TcgCpu *tcg, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    uint64_t value;

    x86_rdmsr(cpu, cpu->state.gpr[X86_RCX], &value);
    put_pair(&cpu->state, value);
}

void x86_help_wrmsr(TcgCpu *tcg, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    x86_wrmsr(cpu, cpu->state.gpr[X86_RCX], get_pair(&cpu->state));
}

uint64_t x86_help_random(TcgCpu *tcg)
{
    return (uint64_t)g_random_int() << 32 | g_random_int();
}

/* --- system calls --- */

#define JUMPS(name, call)                                                                          \
    void name(TcgCpu *tcg, uint64_t next_rip)                                                      \
    {                                                                                              \
        X86Cpu *cpu = x86_cpu_of(tcg);                                                             \
                                                                                                   \
        x86_take_rip(&cpu->state);                                                                 \
        call;                                                                                      \
        x86_give_rip(&cpu->state);                                                                 \
        x86_interrupts_changed(cpu);                                                               \
    }

JUMPS(x86_help_syscall, x86_syscall(cpu, next_rip))
JUMPS(x86_help_sysret, x86_sysret(cpu, false))
JUMPS(x86_help_sysret64, x86_sysret(cpu, true))
JUMPS(x86_help_sysenter, x86_sysenter(cpu))
JUMPS(x86_help_sysexit, x86_sysexit(cpu, false))
JUMPS(x86_help_sysexit64, x86_sysexit(cpu, true))
JUMPS(x86_help_rsm, x86_rsm(cpu))

/* --- control registers --- */

void x86_help_clts(TcgCpu *tcg, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    cpu->state.cr0 &= ~(uint64_t)CR0_TS;
    x86_update_mode(cpu);
}

uint64_t x86_help_read_cr(TcgCpu *tcg, uint32_t n)
{
    return x86_read_cr(x86_cpu_of(tcg), n);
}

void x86_help_write_cr(TcgCpu *tcg, uint32_t n, uint64_t value)
{
    x86_write_cr(x86_cpu_of(tcg), n, value);
    x86_interrupts_changed(x86_cpu_of(tcg));
}

uint64_t x86_help_read_dr(TcgCpu *tcg, uint32_t n)
{
    return x86_read_dr(x86_cpu_of(tcg), n);
}

void x86_help_write_dr(TcgCpu *tcg, uint32_t n, uint64_t value)
{
    x86_write_dr(x86_cpu_of(tcg), n, value);
}

void x86_help_lmsw(TcgCpu *tcg, uint32_t value)
{
    x86_lmsw(x86_cpu_of(tcg), value);
}

void x86_help_xsetbv(TcgCpu *tcg, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    x86_xsetbv(cpu, cpu->state.gpr[X86_RCX], get_pair(&cpu->state));
}

void x86_help_xgetbv(TcgCpu *tcg, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    put_pair(&cpu->state, x86_xgetbv(cpu, cpu->state.gpr[X86_RCX]));
}

static void check_keys(X86Cpu *cpu)
{
    if (!(cpu->state.cr4 & CR4_PKE)) {
        x86_raise_ud(cpu);
    }
    if ((uint32_t)cpu->state.gpr[X86_RCX]) {
        x86_raise_gp(cpu);
    }
}

void x86_help_rdpkru(TcgCpu *tcg, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    check_keys(cpu);
    put_pair(&cpu->state, cpu->state.pkru);
}

void x86_help_wrpkru(TcgCpu *tcg, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    check_keys(cpu);
    if ((uint32_t)cpu->state.gpr[X86_RDX]) {
        x86_raise_gp(cpu);
    }
    x86_set_pkru(cpu, cpu->state.gpr[X86_RAX]);
}

/* --- descriptor tables --- */

/* What CR4.UMIP keeps from user code. */
void x86_help_umip(TcgCpu *tcg)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    if (cpu->state.cr4 & CR4_UMIP) {
        x86_raise_gp(cpu);
    }
}

static X86Table *table(X86State *s, uint32_t which)
{
    return which == X86_TABLE_GDT ? &s->gdt : &s->idt;
}

void x86_help_load_table(TcgCpu *tcg, uint32_t which, uint32_t limit, uint64_t base)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    if (!x86_is_canonical(&cpu->state, base)) {
        x86_raise_gp(cpu);
    }
    *table(&cpu->state, which) = (X86Table){ base, limit };
}

uint64_t x86_help_table_base(TcgCpu *tcg, uint32_t which)
{
    return table(&x86_cpu_of(tcg)->state, which)->base;
}

uint32_t x86_help_table_limit(TcgCpu *tcg, uint32_t which)
{
    return table(&x86_cpu_of(tcg)->state, which)->limit;
}

void x86_help_load_system_segment(TcgCpu *tcg, uint32_t reg, uint32_t selector)
{
    if (reg == X86_LDTR) {
        x86_lldt(x86_cpu_of(tcg), selector);
    } else {
        x86_ltr(x86_cpu_of(tcg), selector);
    }
}

uint64_t x86_help_ask_selector(TcgCpu *tcg, uint32_t question, uint32_t selector)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    uint32_t value = 0;
    bool is_yes;

    switch (question) {
    case X86_LAR:
        is_yes = x86_lar(cpu, selector, &value);
        break;
    case X86_LSL:
        is_yes = x86_lsl(cpu, selector, &value);
        break;
    default:
        is_yes = x86_verify(cpu, selector, question == X86_VERW);
        break;
    }
    return value | (uint64_t)is_yes << 32;
}

/* --- translations --- */

void x86_help_invlpg(TcgCpu *tcg, uint64_t linear)
{
    x86_invlpg(x86_cpu_of(tcg), linear);
}

void x86_help_invpcid(TcgCpu *tcg, uint64_t type, uint64_t pcid, uint64_t linear)
{
    x86_invpcid(x86_cpu_of(tcg), type, pcid, linear);
}

/* --- FS and GS bases --- */

void x86_help_check_fsgsbase(TcgCpu *tcg)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    if (!(cpu->state.cr4 & CR4_FSGSBASE)) {
        x86_raise_ud(cpu);
    }
}

void x86_help_check_canonical(TcgCpu *tcg, uint64_t linear)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    if (!x86_is_canonical(&cpu->state, linear)) {
        x86_raise_gp(cpu);
    }
}

/* --- 64-byte stores --- */

#define PASID_VALID BIT64(31)

/* What a command carries in front: privilege and PASID. */
static void prepare_command(X86Cpu *cpu, uint8_t data[64], X86Move64 op)
{
    uint32_t head;

    memcpy(&head, data, sizeof(head));
    if (op == X86_ENQCMD) {
        if (!(cpu->state.pasid & PASID_VALID) || head) {
            x86_raise_gp(cpu);
        }
        head = cpu->state.pasid & 0xfffff;
    } else if (head & 0x7ff00000) {
        x86_raise_gp(cpu);
    }
    memcpy(data, &head, sizeof(head));
}

uint32_t x86_help_movdir64b(TcgCpu *tcg, uint64_t from, uint64_t to, uint32_t op)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    unsigned mmu = x86_mmu(&cpu->state);
    MemTxAttrs attrs = x86_mem_attrs(cpu);
    TcgPage page;
    uint8_t data[64];

    if (to & 63) {
        x86_raise_gp(cpu);
    }
    x86_read_bytes(cpu, from, data, sizeof(data), mmu);
    tcg_probe(tcg, TCG_WRITE, mmu, to, 64);
    if (op != X86_MOVDIR64B) {
        prepare_command(cpu, data, op);
        attrs.is_deferrable = true;
    } else if (tcg_host(tcg, TCG_WRITE, mmu, to, 64)) {
        memcpy(tcg_host(tcg, TCG_WRITE, mmu, to, 64), data, 64);
        tcg_wrote(tcg, mmu, to, 64);
        return 0;
    }
    if (!tcg_translate(tcg, TCG_WRITE, mmu, to, &page)) {
        return 1;
    }
    return address_space_store64(x86_memory_space(cpu), page.phys, attrs, data) != MEM_TX_OK;
}
