/*
 * The Arm CPU models.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_MODELS_H
#define TARGET_ARM_MODELS_H

#include <stddef.h>
#include <stdint.h>

/* What a model has; most bring a property. */
typedef enum ArmTrait {
    ARM_TRAIT_A64 = BIT(0),    /* AArch64 state */
    ARM_TRAIT_EL2 = BIT(1),
    ARM_TRAIT_EL3 = BIT(2),
    ARM_TRAIT_PMU = BIT(3),
    ARM_TRAIT_VFP = BIT(4),
    ARM_TRAIT_NEON = BIT(5),
    ARM_TRAIT_TIMER = BIT(6),  /* the generic timer */
    ARM_TRAIT_CBAR = BIT(7),   /* base address of private peripherals, set by the board */
    ARM_TRAIT_MPU = BIT(8),
    ARM_TRAIT_REGIONS = BIT(9), /* with a number of MPU regions the board may choose */
    ARM_TRAIT_M = BIT(10),     /* M profile */
    ARM_TRAIT_DSP = BIT(11),
    ARM_TRAIT_SECURE = BIT(12), /* M profile security extension */
    ARM_TRAIT_SVE = BIT(13),
    ARM_TRAIT_MAX = BIT(14),   /* "max": what is only chosen there */
} ArmTrait;

typedef struct ArmModel {
    const char *name;
    uint32_t midr;
    uint32_t traits;
    uint16_t sve_lengths; /* bit n: vectors of (n + 1) * 128 bits */
} ArmModel;

extern const ArmModel arm_models[];
extern const size_t arm_model_count;

#endif
