/*
 * ResetControl: port 0xcf9 of Intel south bridges (82371SB data sheet 2.2.6; ICH9 13.7.5): a write
 * of RST_CPU resets the machine. A hard, a soft and a full reset are the same here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_RESET_CONTROL_H
#define HW_I386_RESET_CONTROL_H

#include "system/memory.h"

#define RESET_CONTROL_SYSTEM BIT(1) /* a hard reset */
#define RESET_CONTROL_CPU    BIT(2) /* do it */
#define RESET_CONTROL_FULL   BIT(3) /* ICH: with a cycle of power */

typedef struct ResetControl {
    MemoryRegion region;
    uint8_t value, writable;
} ResetControl;

/* In the owner's init and finalize; `writable` are the bits that are kept. */
void reset_control_init(ResetControl *control, Object *owner, const char *name, uint8_t writable);
void reset_control_clear(ResetControl *control);
/* In its realize and unrealize. */
void reset_control_map(ResetControl *control);
void reset_control_unmap(ResetControl *control);

#endif
