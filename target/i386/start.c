/*
 * CPUs as firmware, or a boot loader, would have left them for a kernel.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/control.h"
#include "target/i386/segment.h"

#define MTRR_ENABLED    BIT(11)
#define MTRR_WRITE_BACK 6

static X86Segment segment(const X86StartSegment *from)
{
    X86Descriptor d = { .low = from->descriptor, .high = from->descriptor >> 32 };

    return x86_segment_from(&d, from->selector);
}

static void put_segments(X86State *s, const X86StartState *from)
{
    for (unsigned reg = X86_ES; reg <= X86_GS; reg++) {
        s->seg[reg] = segment(reg == X86_CS ? &from->code : &from->data);
    }
    s->seg[X86_TR] = segment(&from->tss);
    s->gdt = (X86Table){ from->gdt_base, from->gdt_limit };
    s->idt = (X86Table){ 0 };
}

static void set_up(Object *cpu)
{
    X86_CPU(cpu)->state.mtrr_default = MTRR_ENABLED | MTRR_WRITE_BACK;
}

static void start(Object *obj, const X86StartState *from)
{
    X86Cpu *cpu = X86_CPU(obj);
    X86State *s = &cpu->state;

    memset(s->gpr, 0, sizeof(s->gpr));
    s->gpr[X86_RAX] = from->rax;
    s->gpr[X86_RBX] = from->rbx;
    s->gpr[X86_RSI] = from->rsi;
    s->gpr[X86_RSP] = from->rsp;
    s->rip = from->rip;
    s->cr0 = from->cr0;
    s->cr3 = from->cr3;
    s->cr4 = from->cr4;
    s->efer = from->efer;
    put_segments(s, from);
    x86_load_eflags(cpu, from->rflags, UINT32_MAX);
    x86_flush_all(cpu, true);
    x86_update_mode(cpu);
    x86_give_rip(s);
}

const X86StartCpu x86_start_cpu = { .set_up = set_up, .start = start };
