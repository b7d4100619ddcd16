/*
 * I/O ports: who may, and the access. SDM volume 1, chapter 19.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/control.h"
#include "target/i386/segment.h"

void x86_check_port(X86Cpu *cpu, uint16_t port, unsigned bytes)
{
    X86State *s = &cpu->state;
    bool is_privileged = x86_cpl(s) <= (s->eflags >> 12 & 3) && !(s->eflags & FLAG_VM);

    if ((s->cr0 & CR0_PE) && !is_privileged && !x86_tss_opens_port(cpu, port, bytes)) {
        x86_raise_gp(cpu);
    }
}

/* The trap comes after the instruction. */
static void note_port(X86State *s, uint16_t port, unsigned bytes)
{
    for (unsigned n = 0; (s->mode & X86_MODE_BREAKS) && n < 4; n++) {
        unsigned size = x86_break_bytes(s, n);
        uint64_t first = s->dr[n] & ~(uint64_t)(size - 1);

        if (x86_break_type(s, n) == X86_BREAK_PORT && port < first + size &&
            first < port + bytes) {
            s->debug_pending |= BIT(n);
        }
    }
}

uint32_t x86_port_in(X86Cpu *cpu, uint16_t port, unsigned bytes)
{
    uint64_t value;

    note_port(&cpu->state, port, bytes);
    address_space_load(address_space_io(), port, mem_format(bytes, ENDIAN_LITTLE),
                       x86_mem_attrs(cpu), &value);
    return value;
}

void x86_port_out(X86Cpu *cpu, uint16_t port, unsigned bytes, uint32_t value)
{
    note_port(&cpu->state, port, bytes);
    address_space_store(address_space_io(), port, mem_format(bytes, ENDIAN_LITTLE),
                        x86_mem_attrs(cpu), value);
}

/* --- devices that are called with arguments in registers --- */

static void get_call_regs(Object *cpu, PortCallRegs *regs)
{
    const uint64_t *gpr = X86_CPU(cpu)->state.gpr;

    *regs = (PortCallRegs){
        .eax = gpr[X86_RAX], .ebx = gpr[X86_RBX], .ecx = gpr[X86_RCX],
        .edx = gpr[X86_RDX], .esi = gpr[X86_RSI], .edi = gpr[X86_RDI],
    };
}

static void set_call_reg(uint64_t *gpr, uint32_t value)
{
    if ((uint32_t)*gpr != value) {
        *gpr = value;
    }
}

static void set_call_regs(Object *cpu, const PortCallRegs *regs)
{
    uint64_t *gpr = X86_CPU(cpu)->state.gpr;

    set_call_reg(&gpr[X86_RAX], regs->eax);
    set_call_reg(&gpr[X86_RBX], regs->ebx);
    set_call_reg(&gpr[X86_RCX], regs->ecx);
    set_call_reg(&gpr[X86_RDX], regs->edx);
    set_call_reg(&gpr[X86_RSI], regs->esi);
    set_call_reg(&gpr[X86_RDI], regs->edi);
}

const PortCallCpu x86_port_call = { .get = get_call_regs, .set = set_call_regs };
