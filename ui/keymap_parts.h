/*
 * What a keymap is made of.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UI_KEYMAP_PARTS_H
#define UI_KEYMAP_PARTS_H

#include "ui/keymap.h"

/* What a key makes: alone, with Shift, with AltGr, with both. 0: nothing of its own. */
#define KEYMAP_LEVELS 4
typedef struct KeymapSymbols {
    QKeyCode key;
    uint32_t at[KEYMAP_LEVELS];
} KeymapSymbols;

struct Keymap {
    const char *name;
    const KeymapSymbols *symbols;
    size_t count;
};

/* A layout of the host's that is known by this name; NULL: there is none. Not to be freed. */
const Keymap *keymap_of_host(const char *name);
/* What names there are beside KEYMAP_DEFAULT, a blank before each; "" if there are none. */
const char *keymap_names_of_host(void);

#endif
