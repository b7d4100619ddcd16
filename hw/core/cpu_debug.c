/*
 * Looking into CPUs: see hw/core/cpu_debug.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu_debug.h"

typedef struct Call {
    Cpu *cpu;
    void (*fn)(Cpu *cpu, void *opaque);
    void *opaque;
} Call;

static void run_call(Vcpu *vcpu, void *opaque)
{
    Call *call = opaque;

    call->fn(call->cpu, call->opaque);
}

void cpu_debug_call(Cpu *cpu, void (*fn)(Cpu *cpu, void *opaque), void *opaque)
{
    Call call = { cpu, fn, opaque };

    if (cpu->vcpu.is_stopped || !cpu->vcpu.thread) {
        fn(cpu, opaque);
    } else {
        vcpu_run_on(&cpu->vcpu, run_call, &call);
    }
}

static bool locate_for_access(Cpu *cpu, uint64_t addr, CpuPlace *place)
{
    place->as = address_space_system();
    place->attrs = MEM_TX_NONE;
    if (!cpu_debug(cpu) || !cpu_debug(cpu)->locate(cpu, addr, place)) {
        return false;
    }
    place->attrs.is_debug = true;
    return true;
}

bool cpu_debug_read(Cpu *cpu, uint64_t addr, void *out, size_t bytes)
{
    uint8_t *to = out;
    CpuPlace place;

    while (bytes) {
        if (!locate_for_access(cpu, addr, &place)) {
            return false;
        }
        size_t part = MIN(bytes, place.bytes);

        if (address_space_read(place.as, place.physical, place.attrs, to, part) != MEM_TX_OK) {
            return false;
        }
        to += part;
        addr += part;
        bytes -= part;
    }
    return true;
}

bool cpu_debug_write(Cpu *cpu, uint64_t addr, const void *data, size_t bytes)
{
    const uint8_t *from = data;
    CpuPlace place;

    while (bytes) {
        if (!locate_for_access(cpu, addr, &place)) {
            return false;
        }
        size_t part = MIN(bytes, place.bytes);

        if (address_space_write_rom(place.as, place.physical, place.attrs, from, part)) {
            return false;
        }
        from += part;
        addr += part;
        bytes -= part;
    }
    return true;
}
