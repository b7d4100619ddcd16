/*
 * PpcCpu: a Power or PowerPC CPU. It executes nothing yet.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_PPC_CPU_H
#define TARGET_PPC_CPU_H

#include "hw/core/cpu.h"
#include "target/ppc/models.h"

#define TYPE_PPC_CPU   "powerpc64-cpu"
#define PPC_CPU_SUFFIX "-powerpc64-cpu"

typedef struct PpcCpu {
    Cpu parent;
} PpcCpu;
DECLARE_CAST(PpcCpu, PPC_CPU)

typedef struct PpcCpuType {
    struct CpuType;
    const PpcModel *model; /* NULL: a family */
} PpcCpuType;

static inline const PpcCpuType *ppc_cpu_ops(const PpcCpu *cpu)
{
    return object_ops(cpu);
}

#endif
