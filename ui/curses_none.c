/*
 * A build without ncursesw.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/curses.h"

bool curses_is_built(void)
{
    return false;
}

bool curses_start(const Keymap *keymap, Error **errp)
{
    return error_set(errp, "this build has no curses");
}

void curses_cleanup(void)
{
}
