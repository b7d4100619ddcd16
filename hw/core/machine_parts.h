/*
 * What the parts of hw/core/machine*.c share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_MACHINE_PARTS_H
#define HW_CORE_MACHINE_PARTS_H

#include "hw/core/machine.h"

/* hw/core/machine_memory.c: sets machine->ram, unless the machine has none. */
bool machine_make_ram(Machine *machine, Error **errp);
void machine_free_ram(Machine *machine);

#endif
