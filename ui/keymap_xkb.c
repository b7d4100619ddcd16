/*
 * Keymaps of the host: its X keyboard layouts, by xkbcommon.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/keymap_parts.h"

#include <xkbcommon/xkbcommon.h>

#include "ui/keycodes.h"

#define EVDEV_OFFSET 8 /* from a key of evdev to one of X */

/* Names of -k, which are languages, and countries where a language has several keyboards. */
typedef struct Layout {
    const char *name, *layout, *variant;
} Layout;
static const Layout layouts[] = {
    { "ar", "ara" },       { "bepo", "fr", "bepo" }, { "cz", "cz" },
    { "da", "dk" },        { "de", "de", "nodeadkeys" }, { "de-ch", "ch" },
    { "en-gb", "gb" },     { "es", "es" },           { "et", "ee" },
    { "fi", "fi" },        { "fo", "fo" },           { "fr", "fr", "nodeadkeys" },
    { "fr-be", "be" },     { "fr-ca", "ca", "fr" },  { "fr-ch", "ch", "fr" },
    { "hr", "hr" },        { "hu", "hu" },           { "is", "is" },
    { "it", "it" },        { "ja", "jp" },           { "lt", "lt" },
    { "lv", "lv" },        { "mk", "mk" },           { "nl", "nl" },
    { "no", "no" },        { "pl", "pl" },           { "pt", "pt" },
    { "pt-br", "br" },     { "ru", "ru" },           { "sl", "si" },
    { "sv", "se" },        { "th", "th" },           { "tr", "tr" },
};

static void add_key(struct xkb_keymap *xkb, xkb_keycode_t code, void *opaque)
{
    unsigned evdev = code - EVDEV_OFFSET;
    QKeyCode key = code >= EVDEV_OFFSET ? key_from_evdev(evdev) : Q_KEY_CODE_UNMAPPED;
    KeymapSymbols symbols = { .key = key };

    if (key == Q_KEY_CODE_UNMAPPED) {
        return;
    }
    for (xkb_level_index_t level = 0; level < KEYMAP_LEVELS; level++) {
        const xkb_keysym_t *made;

        if (xkb_keymap_key_get_syms_by_level(xkb, code, 0, level, &made) == 1) {
            symbols.at[level] = made[0];
        }
    }
    g_array_append_val((GArray *)opaque, symbols);
}

/* NULL: the host does not have it. */
static const Keymap *load(const Layout *layout)
{
    const struct xkb_rule_names names = {
        .model = "pc105", .layout = layout->layout,
        .variant = layout->variant ? layout->variant : "",
    };
    struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    struct xkb_keymap *xkb =
        context ? xkb_keymap_new_from_names(context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS) : NULL;
    Keymap *map = NULL;

    if (xkb) {
        GArray *keys = g_array_new(FALSE, FALSE, sizeof(KeymapSymbols));

        xkb_keymap_key_for_each(xkb, add_key, keys);
        map = g_new(Keymap, 1);
        *map = (Keymap){ layout->name, (KeymapSymbols *)keys->data, keys->len };
        g_array_free(keys, FALSE);
    }
    xkb_keymap_unref(xkb);
    xkb_context_unref(context);
    return map;
}

const Keymap *keymap_of_host(const char *name)
{
    static const Keymap *loaded[ARRAY_SIZE(layouts)];

    for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
        if (!strcmp(layouts[i].name, name)) {
            loaded[i] = loaded[i] ? loaded[i] : load(&layouts[i]);
            return loaded[i];
        }
    }
    return NULL;
}

const char *keymap_names_of_host(void)
{
    static GString *names;

    if (!names) {
        names = g_string_new(NULL);
        for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
            g_string_append_printf(names, " %s", layouts[i].name);
        }
    }
    return names->str;
}
