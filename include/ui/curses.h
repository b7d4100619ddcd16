/*
 * The terminal as a display: text screens of the machine and its text consoles, one at a time.
 * Alt (or ESC) and a digit choose. Machine lock; there is one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UI_CURSES_H
#define UI_CURSES_H

#include "qom/error.h"
#include "ui/keymap.h"

bool curses_is_built(void);
/* Takes over standard input and output. `keymap`: the guest's keyboard. */
bool curses_start(const Keymap *keymap, Error **errp);
/* Gives the terminal back; also if it was not taken. */
void curses_cleanup(void);

#endif
