/*
 * What RESET and INIT leave in an x86 CPU: SDM volume 3, table 9-1; and STARTUP.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/control.h"
#include "target/i386/flags.h"
#include "target/i386/memory.h"
#include "target/i386/mxcsr.h"
#include "util/log.h"

#define RESET_CS_BASE UINT32_C(0xffff0000)
#define RESET_RIP     0xfff0
#define PAT_RESET     UINT64_C(0x0007040600070406)
#define FCW_RESET     0x37f
#define SMBASE_RESET  0x30000
#define MISC_ENABLE_RESET 1 /* fast strings */

/* INIT keeps these: it is no RESET for numbers, caches and what software set up once. */
static void keep_over_init(X86State *s, const X86State *old)
{
    memcpy(s->vec, old->vec, sizeof(s->vec));
    s->fpu = old->fpu;
    s->xcr0 = old->xcr0;
    s->smbase = old->smbase;
    s->tsc_offset = old->tsc_offset;
    s->tsc_adjust = old->tsc_adjust;
    s->pat = old->pat;
    s->misc_enable = old->misc_enable;
    s->feature_control = old->feature_control;
    s->mtrr_default = old->mtrr_default;
    memcpy(s->mtrr_fixed, old->mtrr_fixed, sizeof(s->mtrr_fixed));
    memcpy(s->mtrr, old->mtrr, sizeof(s->mtrr));
    memcpy(s->mce_banks, old->mce_banks, sizeof(s->mce_banks));
    s->microcode = old->microcode;
}

static void reset_segments(X86State *s)
{
    uint32_t data = SEG_P | SEG_S | SEG_WRITABLE | SEG_ACCESSED;

    for (unsigned reg = X86_ES; reg <= X86_GS; reg++) {
        s->seg[reg] = (X86Segment){ .limit = 0xffff, .access = data };
    }
    s->seg[X86_CS] = (X86Segment){ .selector = 0xf000, .base = RESET_CS_BASE, .limit = 0xffff,
                                   .access = data | SEG_CODE };
    s->seg[X86_LDTR] = (X86Segment){ .limit = 0xffff, .access = SEG_P | 2 };
    s->seg[X86_TR] = (X86Segment){ .limit = 0xffff, .access = SEG_P | 11 };
    s->gdt.limit = s->idt.limit = 0xffff;
}

static uint32_t family_signature(const X86Cpu *cpu)
{
    X86CpuidRegs regs;

    x86_cpu_cpuid(cpu, 1, 0, &regs);
    return regs.eax;
}

void x86_reset_state(X86Cpu *cpu, bool is_init)
{
    X86State *s = &cpu->state, old = *s;
    size_t head = sizeof(s->tcg);

    if (log_enabled(LOG_CPU_RESET)) {
        x86_log_state(cpu, "CPU Reset (CPU %u)\n", cpu->parent.vcpu.index);
    }
    memset((char *)s + head, 0, sizeof(*s) - head);
    s->rip = RESET_RIP;
    s->gpr[X86_RDX] = family_signature(cpu);
    s->cr0 = CR0_CD | CR0_NW | CR0_ET;
    if (is_init) {
        s->cr0 = (old.cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
    }
    s->dr[6] = DR6_FIXED_1;
    s->dr[7] = DR7_FIXED_1;
    s->event.vector = NO_VECTOR;
    s->pat = PAT_RESET;
    s->fpu.control = FCW_RESET;
    s->xcr0 = 1;
    s->smbase = SMBASE_RESET;
    s->misc_enable = MISC_ENABLE_RESET;
    s->microcode = UINT64_C(0x100000000);
    reset_segments(s);
    if (is_init) {
        keep_over_init(s, &old);
    }
    x86_set_mxcsr(s, is_init ? old.mxcsr | (old.host_mxcsr & MXCSR_FLAGS) : MXCSR_RESET_VALUE);
    x86_flush_all(cpu, true);
    x86_update_breakpoints(cpu);
    x86_update_mode(cpu);
    x86_give_rip(s);
}

void x86_start_at(X86Cpu *cpu, uint8_t vector)
{
    X86State *s = &cpu->state;

    s->rip = 0;
    s->seg[X86_CS].selector = vector << 8;
    s->seg[X86_CS].base = (uint32_t)vector << 12;
    s->is_waiting = false;
    x86_update_mode(cpu);
    x86_give_rip(s);
}
