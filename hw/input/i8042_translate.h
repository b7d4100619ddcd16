/*
 * Scan codes of set 2 as a keyboard controller hands them on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_INPUT_I8042_TRANSLATE_H
#define HW_INPUT_I8042_TRANSLATE_H

/* One byte other than the 0xf0 before a release, which adds 0x80 to the next one's. */
uint8_t i8042_translate(uint8_t code);

#endif
