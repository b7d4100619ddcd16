/*
 * System flash of a PC, in place of a ROM. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_PC_FLASH_H
#define HW_I386_PC_FLASH_H

#include "pc_machine.h"

/* Which chips there are: pc->flash[0] is NULL when firmware is a ROM. */
bool pc_find_flash(PcMachine *pc, Error **errp);
/* Makes and maps them; `memory` is what is below 1 MiB. */
bool pc_make_flash(PcMachine *pc, MemoryRegion *memory, Error **errp);

#endif
