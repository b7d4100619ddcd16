/*
 * pvpanic: what a guest tells of its own end, wherever the register is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_PVPANIC_H
#define HW_MISC_PVPANIC_H

#define PVPANIC_PANICKED    BIT(0)
#define PVPANIC_CRASHLOADED BIT(1)
#define PVPANIC_KNOWN       (PVPANIC_PANICKED | PVPANIC_CRASHLOADED)

void pvpanic_tell(uint8_t events);

#endif
