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

struct CpuDebug;
struct Machine;

typedef struct Cpu {
    Device parent;
    Vcpu vcpu;
    int32_t ids[TOPOLOGY_LEVEL_COUNT]; /* properties socket-id ...; -1: not set */
    int32_t node_id;                   /* likewise */
    CpuSlot *slot;                     /* borrowed from the machine; NULL: not in one */
    bool start_powered_off;
} Cpu;
DECLARE_CAST(Cpu, CPU)

typedef struct CpuType {
    struct DeviceType;
    /* Registers for `info registers`, for people. */
    void (*print_registers)(Cpu *cpu, GString *out);
    const VcpuOps *vcpu_ops;
    /* Where it starts after a reset: what loaders want. NULL: it cannot be told. */
    void (*set_pc)(Cpu *cpu, uint64_t pc);
    /* For debuggers: hw/core/cpu_debug.h. NULL: it cannot be looked into. */
    const struct CpuDebug *debug;
} CpuType;
#define CPU_TYPE(decl) OBJECT_TYPE(decl)

/* Rows for the levels a target's CPUs have. */
#define PROP_CPU_ID(name, S, level, ...)                                                           \
    PROP_I32(name, S, parent.ids[level], .initial = -1, .doc = "Its place in the topology",       \
             __VA_ARGS__)
#define PROP_CPU_NODE(S)                                                                           \
    PROP_I32("node-id", S, parent.node_id, .initial = -1, .doc = "Its NUMA node")

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
