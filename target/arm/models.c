/*
 * The Arm CPU models: main ID register and traits, from the processors' technical reference
 * manuals.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/models.h"

#define A64     ARM_TRAIT_A64
#define EL2     ARM_TRAIT_EL2
#define EL3     ARM_TRAIT_EL3
#define PMU     ARM_TRAIT_PMU
#define VFP     ARM_TRAIT_VFP
#define NEON    ARM_TRAIT_NEON
#define TIMER   ARM_TRAIT_TIMER
#define CBAR    ARM_TRAIT_CBAR
#define MPU     ARM_TRAIT_MPU
#define REGIONS ARM_TRAIT_REGIONS
#define M       ARM_TRAIT_M
#define DSP     ARM_TRAIT_DSP
#define SECURE  ARM_TRAIT_SECURE
#define SVE     ARM_TRAIT_SVE
#define ALL     ARM_TRAIT_MAX
#define APPLICATION_32 (EL2 | EL3 | PMU | VFP | NEON | TIMER | CBAR)
#define APPLICATION_64 (APPLICATION_32 | A64)

const ArmModel arm_models[] = {
    { "a64fx", 0x461f0010, A64 | EL2 | EL3 | PMU | VFP | NEON | TIMER | SVE,
      BIT(0) | BIT(1) | BIT(3) },
    { "arm1026", 0x4106a262, VFP },
    { "arm1136", 0x4117b363, VFP },
    { "arm1136-r2", 0x4107b362, VFP },
    { "arm1176", 0x410fb767, EL3 | VFP },
    { "arm11mpcore", 0x410fb022, VFP },
    { "arm926", 0x41069265, VFP },
    { "arm946", 0x41059461, MPU },
    { "cortex-a15", 0x414fc0f0, APPLICATION_32 },
    { "cortex-a35", 0x411fd040, APPLICATION_64 },
    { "cortex-a53", 0x410fd034, APPLICATION_64 },
    { "cortex-a55", 0x412fd050, APPLICATION_64 },
    { "cortex-a57", 0x411fd070, APPLICATION_64 },
    { "cortex-a7", 0x410fc075, APPLICATION_32 },
    { "cortex-a710", 0x412fd471, APPLICATION_64 | SVE, BIT(0) },
    { "cortex-a72", 0x410fd083, APPLICATION_64 },
    { "cortex-a76", 0x414fd0b1, APPLICATION_64 },
    { "cortex-a8", 0x410fc080, EL3 | VFP | NEON },
    { "cortex-a9", 0x410fc090, EL3 | VFP | NEON | CBAR },
    { "cortex-m0", 0x410cc200, M | MPU },
    { "cortex-m3", 0x410fc231, M | MPU | REGIONS },
    { "cortex-m33", 0x410fd213, M | MPU | DSP | VFP | SECURE },
    { "cortex-m4", 0x410fc240, M | MPU | REGIONS | DSP | VFP },
    { "cortex-m55", 0x410fd221, M | MPU | DSP | VFP | SECURE },
    { "cortex-m7", 0x411fc272, M | MPU | REGIONS | DSP | VFP },
    { "cortex-r5", 0x411fc153, PMU | MPU | REGIONS },
    { "cortex-r52", 0x411fd133, EL2 | PMU | VFP | NEON | TIMER | MPU | REGIONS },
    { "cortex-r5f", 0x411fc153, PMU | VFP | MPU | REGIONS },
    { "max", 0x000f0510, APPLICATION_64 | SVE | ALL, 0xffff },
    { "neoverse-n1", 0x414fd0c1, APPLICATION_64 },
    { "neoverse-n2", 0x410fd493, APPLICATION_64 | SVE, BIT(0) },
    { "neoverse-v1", 0x411fd402, APPLICATION_64 | SVE, BIT(0) | BIT(1) },
    { "pxa250", 0x69052100, 0 },
    { "pxa255", 0x69052d00, 0 },
    { "pxa260", 0x69052903, 0 },
    { "pxa261", 0x69052d05, 0 },
    { "pxa262", 0x69052d06, 0 },
    { "pxa270", 0x69054110, 0 },
    { "pxa270-a0", 0x69054110, 0 },
    { "pxa270-a1", 0x69054111, 0 },
    { "pxa270-b0", 0x69054112, 0 },
    { "pxa270-b1", 0x69054113, 0 },
    { "pxa270-c0", 0x69054114, 0 },
    { "pxa270-c5", 0x69054117, 0 },
    { "sa1100", 0x4401a11b, 0 },
    { "sa1110", 0x6901b119, 0 },
    { "ti925t", 0x54029252, 0 },
};
const size_t arm_model_count = ARRAY_SIZE(arm_models);
