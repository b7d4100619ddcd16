/*
 * Address line 20: see x86_a20.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "x86_a20.h"

static void set_cpu(Device *cpu, int level)
{
    irq_input_set(device_irq_in(cpu, "a20", 0), level);
}

static void line_changed(void *opaque, unsigned n, int level)
{
    const CpuSlots *slots = MACHINE(opaque)->slots;

    for (unsigned i = 0; slots && i < slots->count; i++) {
        if (slots->slots[i].cpu) {
            set_cpu(slots->slots[i].cpu, level);
        }
    }
}

void x86_a20_init(X86A20 *a20, Machine *machine)
{
    irq_inputs_init(&a20->cpus, 1, line_changed, machine);
    irq_or_init(&a20->gates, X86_A20_GATE_COUNT);
    irq_connect(&a20->gates.out, irq_inputs_at(&a20->cpus, 0));
    irq_input_set(irq_inputs_at(&a20->gates.in, X86_A20_8042), 1);
}

void x86_a20_clear(X86A20 *a20)
{
    irq_or_clear(&a20->gates);
    irq_inputs_clear(&a20->cpus);
}

void x86_a20_connect(X86A20 *a20, X86A20Gate gate, Device *dev)
{
    irq_connect(device_irq_out(dev, "a20", 0), irq_inputs_at(&a20->gates.in, gate));
}

void x86_a20_tell(const X86A20 *a20, Device *cpu)
{
    set_cpu(cpu, irq_level(&a20->gates.out));
}
