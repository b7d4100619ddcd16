/*
 * Keymaps: see ui/keymap.h. Symbols as in the X protocol's appendix on keysyms.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/keymap.h"

/* What a key makes, alone and with Shift. */
typedef struct Symbols {
    QKeyCode key;
    uint32_t plain, shifted; /* 0: nothing of its own */
} Symbols;

struct Keymap {
    const char *name;
    const Symbols *symbols;
    size_t count;
};

static const Symbols en_us[] = {
    { Q_KEY_CODE_GRAVE_ACCENT, '`', '~' }, { Q_KEY_CODE_1, '1', '!' }, { Q_KEY_CODE_2, '2', '@' },
    { Q_KEY_CODE_3, '3', '#' }, { Q_KEY_CODE_4, '4', '$' }, { Q_KEY_CODE_5, '5', '%' },
    { Q_KEY_CODE_6, '6', '^' }, { Q_KEY_CODE_7, '7', '&' }, { Q_KEY_CODE_8, '8', '*' },
    { Q_KEY_CODE_9, '9', '(' }, { Q_KEY_CODE_0, '0', ')' }, { Q_KEY_CODE_MINUS, '-', '_' },
    { Q_KEY_CODE_EQUAL, '=', '+' }, { Q_KEY_CODE_Q, 'q', 'Q' }, { Q_KEY_CODE_W, 'w', 'W' },
    { Q_KEY_CODE_E, 'e', 'E' }, { Q_KEY_CODE_R, 'r', 'R' }, { Q_KEY_CODE_T, 't', 'T' },
    { Q_KEY_CODE_Y, 'y', 'Y' }, { Q_KEY_CODE_U, 'u', 'U' }, { Q_KEY_CODE_I, 'i', 'I' },
    { Q_KEY_CODE_O, 'o', 'O' }, { Q_KEY_CODE_P, 'p', 'P' }, { Q_KEY_CODE_BRACKET_LEFT, '[', '{' },
    { Q_KEY_CODE_BRACKET_RIGHT, ']', '}' }, { Q_KEY_CODE_BACKSLASH, '\\', '|' },
    { Q_KEY_CODE_A, 'a', 'A' }, { Q_KEY_CODE_S, 's', 'S' }, { Q_KEY_CODE_D, 'd', 'D' },
    { Q_KEY_CODE_F, 'f', 'F' }, { Q_KEY_CODE_G, 'g', 'G' }, { Q_KEY_CODE_H, 'h', 'H' },
    { Q_KEY_CODE_J, 'j', 'J' }, { Q_KEY_CODE_K, 'k', 'K' }, { Q_KEY_CODE_L, 'l', 'L' },
    { Q_KEY_CODE_SEMICOLON, ';', ':' }, { Q_KEY_CODE_APOSTROPHE, '\'', '"' },
    { Q_KEY_CODE_Z, 'z', 'Z' }, { Q_KEY_CODE_X, 'x', 'X' }, { Q_KEY_CODE_C, 'c', 'C' },
    { Q_KEY_CODE_V, 'v', 'V' }, { Q_KEY_CODE_B, 'b', 'B' }, { Q_KEY_CODE_N, 'n', 'N' },
    { Q_KEY_CODE_M, 'm', 'M' }, { Q_KEY_CODE_COMMA, ',', '<' }, { Q_KEY_CODE_DOT, '.', '>' },
    { Q_KEY_CODE_SLASH, '/', '?' }, { Q_KEY_CODE_SPC, ' ', 0 },
};

/* Keys that are the same everywhere. */
static const Symbols common[] = {
    { Q_KEY_CODE_BACKSPACE, 0xff08, 0 }, { Q_KEY_CODE_TAB, 0xff09, 0xfe20 },
    { Q_KEY_CODE_LF, 0xff0a, 0 }, { Q_KEY_CODE_RET, 0xff0d, 0 }, { Q_KEY_CODE_PAUSE, 0xff13, 0xff6b },
    { Q_KEY_CODE_SCROLL_LOCK, 0xff14, 0 }, { Q_KEY_CODE_SYSRQ, 0xff15, 0 },
    { Q_KEY_CODE_ESC, 0xff1b, 0 }, { Q_KEY_CODE_COMPOSE, 0xff20, 0 },
    { Q_KEY_CODE_MUHENKAN, 0xff22, 0 }, { Q_KEY_CODE_HENKAN, 0xff23, 0 },
    { Q_KEY_CODE_HIRAGANA, 0xff25, 0 }, { Q_KEY_CODE_KATAKANAHIRAGANA, 0xff27, 0 },
    { Q_KEY_CODE_LANG1, 0xff31, 0 }, { Q_KEY_CODE_LANG2, 0xff34, 0 },
    { Q_KEY_CODE_HOME, 0xff50, 0 }, { Q_KEY_CODE_LEFT, 0xff51, 0 }, { Q_KEY_CODE_UP, 0xff52, 0 },
    { Q_KEY_CODE_RIGHT, 0xff53, 0 }, { Q_KEY_CODE_DOWN, 0xff54, 0 }, { Q_KEY_CODE_PGUP, 0xff55, 0 },
    { Q_KEY_CODE_PGDN, 0xff56, 0 }, { Q_KEY_CODE_END, 0xff57, 0 }, { Q_KEY_CODE_PRINT, 0xff61, 0 },
    { Q_KEY_CODE_INSERT, 0xff63, 0 }, { Q_KEY_CODE_UNDO, 0xff65, 0 }, { Q_KEY_CODE_AGAIN, 0xff66, 0 },
    { Q_KEY_CODE_COMPOSE, 0xff67, 0 }, { Q_KEY_CODE_FIND, 0xff68, 0 }, { Q_KEY_CODE_STOP, 0xff69, 0 },
    { Q_KEY_CODE_HELP, 0xff6a, 0 }, { Q_KEY_CODE_ALT_R, 0xff7e, 0xfe03 },
    { Q_KEY_CODE_NUM_LOCK, 0xff7f, 0 }, { Q_KEY_CODE_KP_ENTER, 0xff8d, 0 },
    { Q_KEY_CODE_KP_7, 0xff95, 0xffb7 }, { Q_KEY_CODE_KP_4, 0xff96, 0xffb4 },
    { Q_KEY_CODE_KP_8, 0xff97, 0xffb8 }, { Q_KEY_CODE_KP_6, 0xff98, 0xffb6 },
    { Q_KEY_CODE_KP_2, 0xff99, 0xffb2 }, { Q_KEY_CODE_KP_9, 0xff9a, 0xffb9 },
    { Q_KEY_CODE_KP_3, 0xff9b, 0xffb3 }, { Q_KEY_CODE_KP_1, 0xff9c, 0xffb1 },
    { Q_KEY_CODE_KP_5, 0xff9d, 0xffb5 }, { Q_KEY_CODE_KP_0, 0xff9e, 0xffb0 },
    { Q_KEY_CODE_KP_DECIMAL, 0xff9f, 0xffae }, { Q_KEY_CODE_KP_MULTIPLY, 0xffaa, 0 },
    { Q_KEY_CODE_KP_ADD, 0xffab, 0 }, { Q_KEY_CODE_KP_COMMA, 0xffac, 0 },
    { Q_KEY_CODE_KP_SUBTRACT, 0xffad, 0 }, { Q_KEY_CODE_KP_DIVIDE, 0xffaf, 0 },
    { Q_KEY_CODE_KP_EQUALS, 0xffbd, 0 }, { Q_KEY_CODE_F1, 0xffbe, 0 }, { Q_KEY_CODE_F2, 0xffbf, 0 },
    { Q_KEY_CODE_F3, 0xffc0, 0 }, { Q_KEY_CODE_F4, 0xffc1, 0 }, { Q_KEY_CODE_F5, 0xffc2, 0 },
    { Q_KEY_CODE_F6, 0xffc3, 0 }, { Q_KEY_CODE_F7, 0xffc4, 0 }, { Q_KEY_CODE_F8, 0xffc5, 0 },
    { Q_KEY_CODE_F9, 0xffc6, 0 }, { Q_KEY_CODE_F10, 0xffc7, 0 }, { Q_KEY_CODE_F11, 0xffc8, 0 },
    { Q_KEY_CODE_F12, 0xffc9, 0 }, { Q_KEY_CODE_F13, 0xffca, 0 }, { Q_KEY_CODE_F14, 0xffcb, 0 },
    { Q_KEY_CODE_F15, 0xffcc, 0 }, { Q_KEY_CODE_F16, 0xffcd, 0 }, { Q_KEY_CODE_F17, 0xffce, 0 },
    { Q_KEY_CODE_F18, 0xffcf, 0 }, { Q_KEY_CODE_F19, 0xffd0, 0 }, { Q_KEY_CODE_F20, 0xffd1, 0 },
    { Q_KEY_CODE_F21, 0xffd2, 0 }, { Q_KEY_CODE_F22, 0xffd3, 0 }, { Q_KEY_CODE_F23, 0xffd4, 0 },
    { Q_KEY_CODE_F24, 0xffd5, 0 }, { Q_KEY_CODE_SHIFT, 0xffe1, 0 },
    { Q_KEY_CODE_SHIFT_R, 0xffe2, 0 }, { Q_KEY_CODE_CTRL, 0xffe3, 0 },
    { Q_KEY_CODE_CTRL_R, 0xffe4, 0 }, { Q_KEY_CODE_CAPS_LOCK, 0xffe5, 0 },
    { Q_KEY_CODE_META_L, 0xffe7, 0 }, { Q_KEY_CODE_META_R, 0xffe8, 0 },
    { Q_KEY_CODE_ALT, 0xffe9, 0 }, { Q_KEY_CODE_ALT_R, 0xffea, 0 },
    { Q_KEY_CODE_META_L, 0xffeb, 0 }, { Q_KEY_CODE_META_R, 0xffec, 0 },
    { Q_KEY_CODE_DELETE, 0xffff, 0 },
};

static const Keymap maps[] = { { KEYMAP_DEFAULT, en_us, ARRAY_SIZE(en_us) } };

const Keymap *keymap_find(const char *name, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
        if (!strcmp(maps[i].name, name)) {
            return &maps[i];
        }
    }
    error_set(errp, "there is no keymap '%s'; this build has '" KEYMAP_DEFAULT "'", name);
    return NULL;
}

static bool search(const Symbols *symbols, size_t count, uint32_t keysym, KeymapKey *out)
{
    for (size_t i = 0; keysym && i < count; i++) {
        if (symbols[i].plain == keysym || symbols[i].shifted == keysym) {
            *out = (KeymapKey){ symbols[i].key, symbols[i].plain != keysym };
            return true;
        }
    }
    return false;
}

bool keymap_lookup(const Keymap *map, uint32_t keysym, KeymapKey *out)
{
    return search(map->symbols, map->count, keysym, out) ||
           search(common, ARRAY_SIZE(common), keysym, out);
}
