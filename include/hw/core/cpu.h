/*
 * Cpu: a virtual CPU as a device: a model with properties, a place in the topology, and the
 * part that accelerators run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_CPU_H
#define HW_CORE_CPU_H

#include "hw/core/device.h"
#include "hw/core/topology.h"
#include "system/vcpu.h"

#define TYPE_CPU "cpu"

struct Machine;

typedef struct Cpu {
    Device parent;
    Vcpu vcpu;
    int64_t ids[TOPOLOGY_LEVEL_COUNT]; /* properties socket-id ...; -1: not set */
    int64_t node_id;
    CpuSlot *slot;
    bool start_powered_off;
} Cpu;
DECLARE_CAST(Cpu, CPU)

typedef struct CpuType {
    struct DeviceType;
    /* Registers for `info registers`, for people. */
    void (*print_registers)(Cpu *cpu, GString *out);
} CpuType;
#define CPU_TYPE(decl) OBJECT_TYPE(decl)

static inline const CpuType *cpu_ops(const Cpu *cpu)
{
    return object_ops(cpu);
}

/*
 * "-cpu MODEL[,+f,-f,f=v]": finds the type and makes its features -global values. NULL with
 * *errp set: no such model.
 */
const char *cpu_parse_option(const char *text, Error **errp);
/* -cpu help. */
void cpu_print_models(GString *out);
/* Makes and realizes the CPU of an empty slot, under /machine/unattached. */
bool cpu_create_in_slot(struct Machine *machine, CpuSlot *slot, Error **errp);

#endif
