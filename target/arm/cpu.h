/*
 * ArmCpu: an Arm CPU, A, R or M profile. It executes nothing yet.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_CPU_H
#define TARGET_ARM_CPU_H

#include "hw/core/cpu.h"
#include "target/arm/models.h"
#include "target/arm/sve.h"

#define TYPE_ARM_CPU     "arm-cpu"
#define TYPE_AARCH64_CPU "aarch64-cpu"
#define ARM_CPU_SUFFIX   "-arm-cpu"

typedef struct ArmCpu {
    Cpu parent;
    /* properties */
    uint64_t midr, mp_affinity, rvbar, cbar, timer_hz;
    uint32_t psci_conduit, mpu_regions, vector_table, secure_vector_table;
    bool has_el2, has_el3, has_pmu, has_vfp, has_neon, has_mpu, has_dsp, has_lpa2;
    bool has_pauth, has_pauth_impdef, has_pauth_qarma3;
    bool is_aarch64, has_high_vectors, is_big_endian;
    ArmSveChoice sve;
    /* state */
    uint32_t sve_lengths; /* as arm_sve_resolve() found */
} ArmCpu;
DECLARE_CAST(ArmCpu, ARM_CPU)

typedef struct ArmCpuType {
    struct CpuType;
    const ArmModel *model;
} ArmCpuType;

static inline const ArmModel *arm_cpu_model(const ArmCpu *cpu)
{
    return ((const ArmCpuType *)object_ops(cpu))->model;
}

/* Checks what was chosen against each other, and works out what follows. */
bool arm_cpu_finish(ArmCpu *cpu, Error **errp);

#endif
