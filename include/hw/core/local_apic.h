/*
 * LocalApic: where an x86 CPU and its interrupt controller meet. The CPU makes a device that has
 * this interface ("apic", or a kernel's twin) and attaches itself; neither knows more of the other.
 *
 * All functions want the machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_LOCAL_APIC_H
#define HW_CORE_LOCAL_APIC_H

#include "hw/core/apic_bus.h"

#define TYPE_LOCAL_APIC "local-apic"

#define MSR_APIC_BASE         0x1b
#define MSR_APIC_TSC_DEADLINE 0x6e0
#define MSR_APIC_X2APIC_FIRST 0x800
#define MSR_APIC_X2APIC_LAST  0x8ff

#define APIC_BASE_BSP     BIT64(8)
#define APIC_BASE_X2APIC  BIT64(10)
#define APIC_BASE_ENABLED BIT64(11)

struct Vcpu;

/* What a local APIC asks of its CPU: requests, served when the vCPU gets to them. */
typedef struct ApicCpuOps {
    void (*set_intr)(void *cpu, bool is_pending); /* acknowledge() has something */
    void (*raise_nmi)(void *cpu);
    void (*raise_smi)(void *cpu);
    /* Reset but for what INIT keeps; then waits for STARTUP unless it is the boot processor. */
    void (*raise_init)(void *cpu);
    void (*raise_startup)(void *cpu, uint8_t vector);
    /* CLOCK_VIRTUAL time at which its TSC reaches a value. NULL: it has no TSC deadline timer. */
    int64_t (*tsc_time_ns)(void *cpu, uint64_t tsc);
} ApicCpuOps;

typedef struct ApicCpu {
    const ApicCpuOps *ops;
    void *opaque;
    struct Vcpu *vcpu;       /* whose accesses to the APIC page are its own; may be NULL */
    MemoryRegion *memory;    /* of this CPU alone: the page is put there; NULL: the window serves */
    uint8_t physical_bits;   /* of its addresses: what the base MSR takes */
    bool is_bsp;
    bool has_x2apic;
} ApicCpu;

/* The interface's operations. */
typedef struct LocalApic {
    /* --- for the CPU --- */
    void (*attach)(Device *apic, const ApicCpu *cpu); /* before it is realized; copied */
    /* The vector to take now, -1: none. */
    int (*acknowledge)(Device *apic);
    uint8_t (*task_priority)(Device *apic); /* 8 bits; CR8 is the upper four */
    void (*set_task_priority)(Device *apic, uint8_t value);
    /* The MSRs above. False: the access is a general protection fault. */
    bool (*read_msr)(Device *apic, uint32_t msr, uint64_t *value);
    bool (*write_msr)(Device *apic, uint32_t msr, uint64_t value);
    /* --- for the bus --- */
    struct Vcpu *(*vcpu)(Device *apic);
    bool (*matches)(Device *apic, const ApicMessage *message);
    /* It can take part in lowest priority arbitration; the lowest *priority wins. */
    bool (*arbitrates)(Device *apic, uint8_t *priority);
    void (*deliver)(Device *apic, const ApicMessage *message);
    uint32_t (*read)(Device *apic, uint32_t offset);
    void (*write)(Device *apic, uint32_t offset, uint32_t value);
    /* --- for people; may be NULL --- */
    void (*print)(Device *apic, GString *out);
} LocalApic;

static inline const LocalApic *local_apic_ops(Device *apic)
{
    return object_interface(apic, TYPE_LOCAL_APIC);
}

#endif
