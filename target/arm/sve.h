/*
 * Which vector lengths an Arm CPU with SVE has, out of what the user chose.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_SVE_H
#define TARGET_ARM_SVE_H

#include "qom/error.h"

#define ARM_SVE_LENGTHS 16 /* multiples of 128 bits; sets have bit n - 1 for n */

typedef struct ArmSveChoice {
    bool is_on;
    uint32_t wanted, refused; /* sets of lengths the user named */
    uint32_t max_vq;          /* longest, in units of 128 bits; 0: not chosen */
} ArmSveChoice;

/*
 * `supported`: lengths the model can have, all powers of two below its longest among them. The
 * architecture wants the same of the result (Arm ARM, ZCR_ELx.LEN).
 */
bool arm_sve_resolve(const ArmSveChoice *choice, uint32_t supported, uint32_t *lengths,
                     Error **errp);

#endif
