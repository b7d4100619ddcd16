/*
 * Keymaps in a build without xkbcommon. See ui/keymap_parts.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/keymap_parts.h"

const Keymap *keymap_of_host(const char *name)
{
    return NULL;
}

const char *keymap_names_of_host(void)
{
    return "";
}
