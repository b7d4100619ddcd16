/*
 * Fast system calls: SYSCALL, SYSRET, SYSENTER, SYSEXIT. SDM volume 2, AMD APM volume 3.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/control.h"
#include "target/i386/flags.h"
#include "target/i386/memory.h"

/* A flat segment, without a look at its descriptor. */
static X86Segment flat_code(uint16_t selector, unsigned dpl, bool is_64)
{
    return (X86Segment){ .selector = selector, .limit = UINT32_MAX,
                         .access = SEG_G | (is_64 ? SEG_L : SEG_DB) | SEG_P |
                                   dpl << SEG_DPL_SHIFT | SEG_S | SEG_CODE | SEG_READABLE |
                                   SEG_ACCESSED };
}

static X86Segment flat_data(uint16_t selector, unsigned dpl)
{
    return (X86Segment){ .selector = selector, .limit = UINT32_MAX,
                         .access = SEG_G | SEG_DB | SEG_P | dpl << SEG_DPL_SHIFT | SEG_S |
                                   SEG_WRITABLE | SEG_ACCESSED };
}

static void take_segments(X86Cpu *cpu, X86Segment cs, X86Segment ss)
{
    cpu->state.seg[X86_CS] = cs;
    cpu->state.seg[X86_SS] = ss;
    x86_update_mode(cpu);
}

void x86_syscall(X86Cpu *cpu, uint64_t next_rip)
{
    X86State *s = &cpu->state;
    uint16_t selector = s->star >> 32 & 0xfffc;
    bool was_64 = x86_is_code64(s);

    if (!(s->efer & EFER_SCE)) {
        x86_raise_ud(cpu);
    }
    if (!x86_is_long(s)) {
        s->gpr[X86_RCX] = (uint32_t)next_rip;
        s->eflags &= ~(FLAG_IF | FLAG_RF | FLAG_VM);
        take_segments(cpu, flat_code(selector, 0, false), flat_data(selector + 8, 0));
        s->rip = (uint32_t)s->star;
        return;
    }
    s->gpr[X86_RCX] = next_rip;
    s->gpr[11] = x86_eflags(s) & ~FLAG_RF;
    x86_put_eflags(s, 0, s->fmask | FLAG_RF);
    take_segments(cpu, flat_code(selector, 0, true), flat_data(selector + 8, 0));
    s->rip = was_64 ? s->lstar : s->cstar;
}

void x86_sysret(X86Cpu *cpu, bool is_64)
{
    X86State *s = &cpu->state;
    uint16_t selector = s->star >> 48;
    uint32_t mask = FLAGS_ARITH | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_AC |
                    FLAG_ID | FLAG_VIF | FLAG_VIP | FLAG_RF;

    if (!(s->efer & EFER_SCE)) {
        x86_raise_ud(cpu);
    }
    if (!x86_is_protected(s) || x86_cpl(s) != 0 ||
        (is_64 && !x86_is_canonical(s, s->gpr[X86_RCX]))) {
        x86_raise_gp(cpu);
    }
    if (x86_is_long(s)) {
        x86_put_eflags(s, s->gpr[11] & ~FLAG_RF, mask);
    } else {
        s->eflags |= FLAG_IF;
    }
    s->rip = is_64 ? s->gpr[X86_RCX] : (uint32_t)s->gpr[X86_RCX];
    take_segments(cpu, flat_code(((is_64 ? selector + 16 : selector) & 0xffff) | 3, 3, is_64),
                  flat_data(((selector + 8) & 0xffff) | 3, 3));
}

void x86_sysenter(X86Cpu *cpu)
{
    X86State *s = &cpu->state;
    uint16_t selector = s->sysenter_cs & 0xfffc;
    bool is_64 = x86_is_long(s);

    if (!(s->cr0 & CR0_PE) || !selector) {
        x86_raise_gp(cpu);
    }
    s->eflags &= ~(FLAG_VM | FLAG_IF | FLAG_RF);
    take_segments(cpu, flat_code(selector, 0, is_64), flat_data(selector + 8, 0));
    s->gpr[X86_RSP] = is_64 ? s->sysenter_esp : (uint32_t)s->sysenter_esp;
    s->rip = is_64 ? s->sysenter_eip : (uint32_t)s->sysenter_eip;
}

void x86_sysexit(X86Cpu *cpu, bool is_64)
{
    X86State *s = &cpu->state;
    uint16_t selector = (s->sysenter_cs & 0xfffc) + (is_64 ? 32 : 16);

    if (!x86_is_protected(s) || x86_cpl(s) != 0 || !(s->sysenter_cs & 0xfffc) ||
        (is_64 && (!x86_is_canonical(s, s->gpr[X86_RCX]) ||
                   !x86_is_canonical(s, s->gpr[X86_RDX])))) {
        x86_raise_gp(cpu);
    }
    s->gpr[X86_RSP] = is_64 ? s->gpr[X86_RCX] : (uint32_t)s->gpr[X86_RCX];
    s->rip = is_64 ? s->gpr[X86_RDX] : (uint32_t)s->gpr[X86_RDX];
    take_segments(cpu, flat_code(selector | 3, 3, is_64), flat_data((selector + 8) | 3, 3));
}
