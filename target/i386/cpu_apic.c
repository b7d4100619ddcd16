/*
 * The CPU's local APIC: made when the CPU is realized, and what it asks of the CPU: requests that
 * the vCPU serves when it gets to them (target/i386/execute.c).
 *
 * A CPU without an APIC takes interrupts from its INTR pin, the unnamed input; one with an APIC
 * leaves that pin to the APIC's LINT0.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/local_apic.h"
#include "target/i386/control.h"

static void request(X86Cpu *cpu, uint32_t what)
{
    __atomic_or_fetch(&cpu->state.tcg.requests, what, __ATOMIC_SEQ_CST);
    vcpu_kick(&cpu->parent.vcpu);
}

static void set_intr(void *opaque, bool is_pending)
{
    X86Cpu *cpu = opaque;

    if (is_pending) {
        request(cpu, X86_REQUEST_INTR);
    } else {
        __atomic_and_fetch(&cpu->state.tcg.requests, ~X86_REQUEST_INTR, __ATOMIC_SEQ_CST);
    }
}

/* When the TSC reaches a value. */
static int64_t tsc_time_ns(void *opaque, uint64_t tsc)
{
    X86Cpu *cpu = opaque;
    unsigned __int128 ticks = tsc - cpu->state.tsc_offset;

    return MIN(ticks * NS_PER_SEC / x86_tsc_hz(cpu), (unsigned __int128)INT64_MAX);
}

int x86_cpu_acknowledge(X86Cpu *cpu)
{
    return cpu->apic ? local_apic_ops(cpu->apic)->acknowledge(cpu->apic)
                     : apic_bus_acknowledge_pic();
}

static void raise_nmi(void *cpu)
{
    request(cpu, X86_REQUEST_NMI);
}

static void raise_smi(void *cpu)
{
    request(cpu, X86_REQUEST_SMI);
}

static void raise_init(void *cpu)
{
    request(cpu, X86_REQUEST_INIT);
}

static void raise_startup(void *opaque, uint8_t vector)
{
    X86Cpu *cpu = opaque;

    cpu->startup_vector = vector;
    request(cpu, X86_REQUEST_STARTUP);
}

static const ApicCpuOps cpu_ops_for_apic = {
    .set_intr = set_intr,
    .raise_nmi = raise_nmi,
    .raise_smi = raise_smi,
    .raise_init = raise_init,
    .raise_startup = raise_startup,
    .tsc_time_ns = tsc_time_ns,
};

/* Several CPUs cannot be started without APICs, whatever the model says. */
static bool needs_apic(const X86Cpu *cpu)
{
    return x86_cpu_has(cpu, "apic") || cpu->parent.vcpu.index > 0;
}

bool x86_cpu_make_apic(X86Cpu *cpu, Error **errp)
{
    ApicCpu side = {
        .ops = &cpu_ops_for_apic,
        .opaque = cpu,
        .vcpu = &cpu->parent.vcpu,
        .physical_bits = cpu->phys_bits,
        .is_bsp = cpu->parent.vcpu.index == 0,
        .has_x2apic = x86_cpu_has(cpu, "x2apic"),
    };
    Device *apic;

    if (!needs_apic(cpu)) {
        return true;
    }
    apic = device_new("apic");
    object_add_child((Object *)cpu, "lapic", apic, NULL);
    object_unref(apic);
    object_set_int(apic, "id", cpu->apic_id, NULL);
    local_apic_ops(apic)->attach(apic, &side);
    if (!device_realize(apic, NULL, errp)) {
        object_unparent(apic);
        return false;
    }
    cpu->apic = apic;
    return true;
}

void x86_cpu_drop_apic(X86Cpu *cpu)
{
    if (cpu->apic) {
        device_delete(cpu->apic);
        cpu->apic = NULL;
    }
}

void x86_cpu_set_intr(void *opaque, unsigned n, int level)
{
    if (!X86_CPU(opaque)->apic) {
        set_intr(opaque, level);
    }
}
