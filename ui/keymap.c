/*
 * Keymaps: see ui/keymap.h. Symbols as in the X protocol's appendix on keysyms.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/keymap_parts.h"

static const KeymapSymbols en_us[] = {
    { Q_KEY_CODE_GRAVE_ACCENT, { '`', '~' } }, { Q_KEY_CODE_1, { '1', '!' } },
    { Q_KEY_CODE_2, { '2', '@' } }, { Q_KEY_CODE_3, { '3', '#' } }, { Q_KEY_CODE_4, { '4', '$' } },
    { Q_KEY_CODE_5, { '5', '%' } }, { Q_KEY_CODE_6, { '6', '^' } }, { Q_KEY_CODE_7, { '7', '&' } },
    { Q_KEY_CODE_8, { '8', '*' } }, { Q_KEY_CODE_9, { '9', '(' } }, { Q_KEY_CODE_0, { '0', ')' } },
    { Q_KEY_CODE_MINUS, { '-', '_' } }, { Q_KEY_CODE_EQUAL, { '=', '+' } },
    { Q_KEY_CODE_Q, { 'q', 'Q' } }, { Q_KEY_CODE_W, { 'w', 'W' } }, { Q_KEY_CODE_E, { 'e', 'E' } },
    { Q_KEY_CODE_R, { 'r', 'R' } }, { Q_KEY_CODE_T, { 't', 'T' } }, { Q_KEY_CODE_Y, { 'y', 'Y' } },
    { Q_KEY_CODE_U, { 'u', 'U' } }, { Q_KEY_CODE_I, { 'i', 'I' } }, { Q_KEY_CODE_O, { 'o', 'O' } },
    { Q_KEY_CODE_P, { 'p', 'P' } }, { Q_KEY_CODE_BRACKET_LEFT, { '[', '{' } },
    { Q_KEY_CODE_BRACKET_RIGHT, { ']', '}' } }, { Q_KEY_CODE_BACKSLASH, { '\\', '|' } },
    { Q_KEY_CODE_A, { 'a', 'A' } }, { Q_KEY_CODE_S, { 's', 'S' } }, { Q_KEY_CODE_D, { 'd', 'D' } },
    { Q_KEY_CODE_F, { 'f', 'F' } }, { Q_KEY_CODE_G, { 'g', 'G' } }, { Q_KEY_CODE_H, { 'h', 'H' } },
    { Q_KEY_CODE_J, { 'j', 'J' } }, { Q_KEY_CODE_K, { 'k', 'K' } }, { Q_KEY_CODE_L, { 'l', 'L' } },
    { Q_KEY_CODE_SEMICOLON, { ';', ':' } }, { Q_KEY_CODE_APOSTROPHE, { '\'', '"' } },
    { Q_KEY_CODE_Z, { 'z', 'Z' } }, { Q_KEY_CODE_X, { 'x', 'X' } }, { Q_KEY_CODE_C, { 'c', 'C' } },
    { Q_KEY_CODE_V, { 'v', 'V' } }, { Q_KEY_CODE_B, { 'b', 'B' } }, { Q_KEY_CODE_N, { 'n', 'N' } },
    { Q_KEY_CODE_M, { 'm', 'M' } }, { Q_KEY_CODE_COMMA, { ',', '<' } },
    { Q_KEY_CODE_DOT, { '.', '>' } }, { Q_KEY_CODE_SLASH, { '/', '?' } },
    { Q_KEY_CODE_SPC, { ' ' } },
};

/* Keys that are the same everywhere. */
static const KeymapSymbols common[] = {
    { Q_KEY_CODE_BACKSPACE, { 0xff08 } }, { Q_KEY_CODE_TAB, { 0xff09, 0xfe20 } },
    { Q_KEY_CODE_LF, { 0xff0a } }, { Q_KEY_CODE_RET, { 0xff0d } },
    { Q_KEY_CODE_PAUSE, { 0xff13, 0xff6b } }, { Q_KEY_CODE_SCROLL_LOCK, { 0xff14 } },
    { Q_KEY_CODE_SYSRQ, { 0xff15 } }, { Q_KEY_CODE_ESC, { 0xff1b } },
    { Q_KEY_CODE_COMPOSE, { 0xff20 } }, { Q_KEY_CODE_MUHENKAN, { 0xff22 } },
    { Q_KEY_CODE_HENKAN, { 0xff23 } }, { Q_KEY_CODE_HIRAGANA, { 0xff25 } },
    { Q_KEY_CODE_KATAKANAHIRAGANA, { 0xff27 } }, { Q_KEY_CODE_LANG1, { 0xff31 } },
    { Q_KEY_CODE_LANG2, { 0xff34 } }, { Q_KEY_CODE_HOME, { 0xff50 } },
    { Q_KEY_CODE_LEFT, { 0xff51 } }, { Q_KEY_CODE_UP, { 0xff52 } },
    { Q_KEY_CODE_RIGHT, { 0xff53 } }, { Q_KEY_CODE_DOWN, { 0xff54 } },
    { Q_KEY_CODE_PGUP, { 0xff55 } }, { Q_KEY_CODE_PGDN, { 0xff56 } },
    { Q_KEY_CODE_END, { 0xff57 } }, { Q_KEY_CODE_PRINT, { 0xff61 } },
    { Q_KEY_CODE_INSERT, { 0xff63 } }, { Q_KEY_CODE_UNDO, { 0xff65 } },
    { Q_KEY_CODE_AGAIN, { 0xff66 } }, { Q_KEY_CODE_COMPOSE, { 0xff67 } },
    { Q_KEY_CODE_FIND, { 0xff68 } }, { Q_KEY_CODE_STOP, { 0xff69 } },
    { Q_KEY_CODE_HELP, { 0xff6a } }, { Q_KEY_CODE_ALT_R, { 0xff7e, 0xfe03 } },
    { Q_KEY_CODE_NUM_LOCK, { 0xff7f } }, { Q_KEY_CODE_KP_ENTER, { 0xff8d } },
    { Q_KEY_CODE_KP_7, { 0xff95, 0xffb7 } }, { Q_KEY_CODE_KP_4, { 0xff96, 0xffb4 } },
    { Q_KEY_CODE_KP_8, { 0xff97, 0xffb8 } }, { Q_KEY_CODE_KP_6, { 0xff98, 0xffb6 } },
    { Q_KEY_CODE_KP_2, { 0xff99, 0xffb2 } }, { Q_KEY_CODE_KP_9, { 0xff9a, 0xffb9 } },
    { Q_KEY_CODE_KP_3, { 0xff9b, 0xffb3 } }, { Q_KEY_CODE_KP_1, { 0xff9c, 0xffb1 } },
    { Q_KEY_CODE_KP_5, { 0xff9d, 0xffb5 } }, { Q_KEY_CODE_KP_0, { 0xff9e, 0xffb0 } },
    { Q_KEY_CODE_KP_DECIMAL, { 0xff9f, 0xffae } }, { Q_KEY_CODE_KP_MULTIPLY, { 0xffaa } },
    { Q_KEY_CODE_KP_ADD, { 0xffab } }, { Q_KEY_CODE_KP_COMMA, { 0xffac } },
    { Q_KEY_CODE_KP_SUBTRACT, { 0xffad } }, { Q_KEY_CODE_KP_DIVIDE, { 0xffaf } },
    { Q_KEY_CODE_KP_EQUALS, { 0xffbd } }, { Q_KEY_CODE_F1, { 0xffbe } },
    { Q_KEY_CODE_F2, { 0xffbf } }, { Q_KEY_CODE_F3, { 0xffc0 } }, { Q_KEY_CODE_F4, { 0xffc1 } },
    { Q_KEY_CODE_F5, { 0xffc2 } }, { Q_KEY_CODE_F6, { 0xffc3 } }, { Q_KEY_CODE_F7, { 0xffc4 } },
    { Q_KEY_CODE_F8, { 0xffc5 } }, { Q_KEY_CODE_F9, { 0xffc6 } }, { Q_KEY_CODE_F10, { 0xffc7 } },
    { Q_KEY_CODE_F11, { 0xffc8 } }, { Q_KEY_CODE_F12, { 0xffc9 } }, { Q_KEY_CODE_F13, { 0xffca } },
    { Q_KEY_CODE_F14, { 0xffcb } }, { Q_KEY_CODE_F15, { 0xffcc } }, { Q_KEY_CODE_F16, { 0xffcd } },
    { Q_KEY_CODE_F17, { 0xffce } }, { Q_KEY_CODE_F18, { 0xffcf } }, { Q_KEY_CODE_F19, { 0xffd0 } },
    { Q_KEY_CODE_F20, { 0xffd1 } }, { Q_KEY_CODE_F21, { 0xffd2 } }, { Q_KEY_CODE_F22, { 0xffd3 } },
    { Q_KEY_CODE_F23, { 0xffd4 } }, { Q_KEY_CODE_F24, { 0xffd5 } },
    { Q_KEY_CODE_SHIFT, { 0xffe1 } }, { Q_KEY_CODE_SHIFT_R, { 0xffe2 } },
    { Q_KEY_CODE_CTRL, { 0xffe3 } }, { Q_KEY_CODE_CTRL_R, { 0xffe4 } },
    { Q_KEY_CODE_CAPS_LOCK, { 0xffe5 } }, { Q_KEY_CODE_META_L, { 0xffe7 } },
    { Q_KEY_CODE_META_R, { 0xffe8 } }, { Q_KEY_CODE_ALT, { 0xffe9 } },
    { Q_KEY_CODE_ALT_R, { 0xffea } }, { Q_KEY_CODE_META_L, { 0xffeb } },
    { Q_KEY_CODE_META_R, { 0xffec } }, { Q_KEY_CODE_DELETE, { 0xffff } },
};

static const Keymap default_map = { KEYMAP_DEFAULT, en_us, ARRAY_SIZE(en_us) };

const Keymap *keymap_find(const char *name, Error **errp)
{
    const Keymap *map = strcmp(name, KEYMAP_DEFAULT) ? keymap_of_host(name) : &default_map;

    if (!map) {
        error_set(errp, "there is no keymap '%s'; there are: " KEYMAP_DEFAULT "%s", name,
                  keymap_names_of_host());
    }
    return map;
}

/* The key that needs the fewest others. */
static bool search(const KeymapSymbols *symbols, size_t count, uint32_t keysym, KeymapKey *out)
{
    for (unsigned level = 0; keysym && level < KEYMAP_LEVELS; level++) {
        for (size_t i = 0; i < count; i++) {
            if (symbols[i].at[level] == keysym) {
                *out = (KeymapKey){ symbols[i].key, level & 1, level & 2 };
                return true;
            }
        }
    }
    return false;
}

bool keymap_lookup(const Keymap *map, uint32_t keysym, KeymapKey *out)
{
    return search(map->symbols, map->count, keysym, out) ||
           search(common, ARRAY_SIZE(common), keysym, out);
}
