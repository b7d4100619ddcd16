/*
 * Keymaps: the key that makes a symbol, for users whose keyboard is known only by what it types:
 * clients of VNC without scan codes, terminals.
 *
 * Symbols are keysyms of the X protocol: Latin-1 by its codes, others from 0xfe00.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UI_KEYMAP_H
#define UI_KEYMAP_H

#include "qapi/qapi-types-ui.h"
#include "qom/error.h"

#define KEYMAP_DEFAULT "en-us"

typedef struct Keymap Keymap;

typedef struct KeymapKey {
    QKeyCode key;
    bool needs_shift, needs_altgr; /* held with it */
} KeymapKey;

/* By the name of -k; NULL: there is none. Not to be freed. */
const Keymap *keymap_find(const char *name, Error **errp);
/* False: no key of the map makes this symbol. */
bool keymap_lookup(const Keymap *map, uint32_t keysym, KeymapKey *out);

#endif
