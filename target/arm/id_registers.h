/*
 * What an Arm CPU says of itself: ID registers, as Arm ARM D19.2 and G8.2 define them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_ID_REGISTERS_H
#define TARGET_ARM_ID_REGISTERS_H

#include <stdint.h>

/* Named after the registers. What the board decides (GIC, affinity) is not in them. */
typedef struct ArmIdRegisters {
    uint32_t id_pfr0, id_pfr1, id_pfr2, id_dfr0, id_mmfr0, id_mmfr1, id_mmfr2, id_mmfr3,
        id_mmfr4, id_isar0, id_isar1, id_isar2, id_isar3, id_isar4, id_isar5, id_isar6,
        mvfr0, mvfr1, mvfr2, ctr, clidr;
    uint64_t id_aa64pfr0, id_aa64pfr1, id_aa64dfr0, id_aa64isar0, id_aa64isar1,
        id_aa64mmfr0, id_aa64mmfr1, id_aa64mmfr2;
} ArmIdRegisters;

/* NULL: not known for this model. */
const ArmIdRegisters *arm_id_registers(const char *model);

#endif
