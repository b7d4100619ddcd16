/*
 * The keyboard controller, for what works beside its mouse.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_INPUT_I8042_H
#define HW_INPUT_I8042_H

#include "hw/core/device.h"

#define TYPE_I8042 "i8042"

/* Has the mouse's driver look at the mouse, so that it asks elsewhere too. Machine lock. */
void i8042_nudge_mouse(Device *controller);

#endif
