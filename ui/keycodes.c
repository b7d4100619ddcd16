/*
 * The codes of keys: see ui/keycodes.h. Sets 1 to 3 as in IBM's and Microsoft's keyboard scan code
 * specifications; keys that those do not have are where Linux's AT keyboard table puts them.
 *
 * A code of set 2 becomes that of set 1 in the keyboard controller, so the two columns agree.
 * What a table cannot say (Print with modifiers, Pause) is known to the PS/2 keyboard.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/keycodes.h"

static const KeyCodes codes[Q_KEY_CODE_COUNT] = {
    [Q_KEY_CODE_SHIFT] = { 0x2a, 0x12, 0x12, 42 },
    [Q_KEY_CODE_SHIFT_R] = { 0x36, 0x59, 0x59, 54 },
    [Q_KEY_CODE_ALT] = { 0x38, 0x11, 0x19, 56 },
    [Q_KEY_CODE_ALT_R] = { 0xe038, 0xe011, 0x39, 100 },
    [Q_KEY_CODE_CTRL] = { 0x1d, 0x14, 0x11, 29 },
    [Q_KEY_CODE_CTRL_R] = { 0xe01d, 0xe014, 0x58, 97 },
    [Q_KEY_CODE_MENU] = { 0xe01e, 0xe01c, 0, 139 },
    [Q_KEY_CODE_ESC] = { 0x01, 0x76, 0x08, 1 },
    [Q_KEY_CODE_1] = { 0x02, 0x16, 0x16, 2 },
    [Q_KEY_CODE_2] = { 0x03, 0x1e, 0x1e, 3 },
    [Q_KEY_CODE_3] = { 0x04, 0x26, 0x26, 4 },
    [Q_KEY_CODE_4] = { 0x05, 0x25, 0x25, 5 },
    [Q_KEY_CODE_5] = { 0x06, 0x2e, 0x2e, 6 },
    [Q_KEY_CODE_6] = { 0x07, 0x36, 0x36, 7 },
    [Q_KEY_CODE_7] = { 0x08, 0x3d, 0x3d, 8 },
    [Q_KEY_CODE_8] = { 0x09, 0x3e, 0x3e, 9 },
    [Q_KEY_CODE_9] = { 0x0a, 0x46, 0x46, 10 },
    [Q_KEY_CODE_0] = { 0x0b, 0x45, 0x45, 11 },
    [Q_KEY_CODE_MINUS] = { 0x0c, 0x4e, 0x4e, 12 },
    [Q_KEY_CODE_EQUAL] = { 0x0d, 0x55, 0x55, 13 },
    [Q_KEY_CODE_BACKSPACE] = { 0x0e, 0x66, 0x66, 14 },
    [Q_KEY_CODE_TAB] = { 0x0f, 0x0d, 0x0d, 15 },
    [Q_KEY_CODE_Q] = { 0x10, 0x15, 0x15, 16 },
    [Q_KEY_CODE_W] = { 0x11, 0x1d, 0x1d, 17 },
    [Q_KEY_CODE_E] = { 0x12, 0x24, 0x24, 18 },
    [Q_KEY_CODE_R] = { 0x13, 0x2d, 0x2d, 19 },
    [Q_KEY_CODE_T] = { 0x14, 0x2c, 0x2c, 20 },
    [Q_KEY_CODE_Y] = { 0x15, 0x35, 0x35, 21 },
    [Q_KEY_CODE_U] = { 0x16, 0x3c, 0x3c, 22 },
    [Q_KEY_CODE_I] = { 0x17, 0x43, 0x43, 23 },
    [Q_KEY_CODE_O] = { 0x18, 0x44, 0x44, 24 },
    [Q_KEY_CODE_P] = { 0x19, 0x4d, 0x4d, 25 },
    [Q_KEY_CODE_BRACKET_LEFT] = { 0x1a, 0x54, 0x54, 26 },
    [Q_KEY_CODE_BRACKET_RIGHT] = { 0x1b, 0x5b, 0x5b, 27 },
    [Q_KEY_CODE_RET] = { 0x1c, 0x5a, 0x5a, 28 },
    [Q_KEY_CODE_A] = { 0x1e, 0x1c, 0x1c, 30 },
    [Q_KEY_CODE_S] = { 0x1f, 0x1b, 0x1b, 31 },
    [Q_KEY_CODE_D] = { 0x20, 0x23, 0x23, 32 },
    [Q_KEY_CODE_F] = { 0x21, 0x2b, 0x2b, 33 },
    [Q_KEY_CODE_G] = { 0x22, 0x34, 0x34, 34 },
    [Q_KEY_CODE_H] = { 0x23, 0x33, 0x33, 35 },
    [Q_KEY_CODE_J] = { 0x24, 0x3b, 0x3b, 36 },
    [Q_KEY_CODE_K] = { 0x25, 0x42, 0x42, 37 },
    [Q_KEY_CODE_L] = { 0x26, 0x4b, 0x4b, 38 },
    [Q_KEY_CODE_SEMICOLON] = { 0x27, 0x4c, 0x4c, 39 },
    [Q_KEY_CODE_APOSTROPHE] = { 0x28, 0x52, 0x52, 40 },
    [Q_KEY_CODE_GRAVE_ACCENT] = { 0x29, 0x0e, 0x0e, 41 },
    [Q_KEY_CODE_BACKSLASH] = { 0x2b, 0x5d, 0x5c, 43 },
    [Q_KEY_CODE_Z] = { 0x2c, 0x1a, 0x1a, 44 },
    [Q_KEY_CODE_X] = { 0x2d, 0x22, 0x22, 45 },
    [Q_KEY_CODE_C] = { 0x2e, 0x21, 0x21, 46 },
    [Q_KEY_CODE_V] = { 0x2f, 0x2a, 0x2a, 47 },
    [Q_KEY_CODE_B] = { 0x30, 0x32, 0x32, 48 },
    [Q_KEY_CODE_N] = { 0x31, 0x31, 0x31, 49 },
    [Q_KEY_CODE_M] = { 0x32, 0x3a, 0x3a, 50 },
    [Q_KEY_CODE_COMMA] = { 0x33, 0x41, 0x41, 51 },
    [Q_KEY_CODE_DOT] = { 0x34, 0x49, 0x49, 52 },
    [Q_KEY_CODE_SLASH] = { 0x35, 0x4a, 0x4a, 53 },
    [Q_KEY_CODE_ASTERISK] = { 0x37, 0x7c, 0x7e, 55 },
    [Q_KEY_CODE_SPC] = { 0x39, 0x29, 0x29, 57 },
    [Q_KEY_CODE_CAPS_LOCK] = { 0x3a, 0x58, 0x14, 58 },
    [Q_KEY_CODE_F1] = { 0x3b, 0x05, 0x07, 59 },
    [Q_KEY_CODE_F2] = { 0x3c, 0x06, 0x0f, 60 },
    [Q_KEY_CODE_F3] = { 0x3d, 0x04, 0x17, 61 },
    [Q_KEY_CODE_F4] = { 0x3e, 0x0c, 0x1f, 62 },
    [Q_KEY_CODE_F5] = { 0x3f, 0x03, 0x27, 63 },
    [Q_KEY_CODE_F6] = { 0x40, 0x0b, 0x2f, 64 },
    [Q_KEY_CODE_F7] = { 0x41, 0x83, 0x37, 65 },
    [Q_KEY_CODE_F8] = { 0x42, 0x0a, 0x3f, 66 },
    [Q_KEY_CODE_F9] = { 0x43, 0x01, 0x47, 67 },
    [Q_KEY_CODE_F10] = { 0x44, 0x09, 0x4f, 68 },
    [Q_KEY_CODE_NUM_LOCK] = { 0x45, 0x77, 0x76, 69 },
    [Q_KEY_CODE_SCROLL_LOCK] = { 0x46, 0x7e, 0x5f, 70 },
    [Q_KEY_CODE_KP_DIVIDE] = { 0xe035, 0xe04a, 0x77, 98 },
    [Q_KEY_CODE_KP_MULTIPLY] = { 0x37, 0x7c, 0x7e, 55 },
    [Q_KEY_CODE_KP_SUBTRACT] = { 0x4a, 0x7b, 0x84, 74 },
    [Q_KEY_CODE_KP_ADD] = { 0x4e, 0x79, 0x7c, 78 },
    [Q_KEY_CODE_KP_ENTER] = { 0xe01c, 0xe05a, 0x79, 96 },
    [Q_KEY_CODE_KP_DECIMAL] = { 0x53, 0x71, 0x71, 83 },
    [Q_KEY_CODE_SYSRQ] = { 0x54, 0x84, 0x57, 99 },
    [Q_KEY_CODE_KP_0] = { 0x52, 0x70, 0x70, 82 },
    [Q_KEY_CODE_KP_1] = { 0x4f, 0x69, 0x69, 79 },
    [Q_KEY_CODE_KP_2] = { 0x50, 0x72, 0x72, 80 },
    [Q_KEY_CODE_KP_3] = { 0x51, 0x7a, 0x7a, 81 },
    [Q_KEY_CODE_KP_4] = { 0x4b, 0x6b, 0x6b, 75 },
    [Q_KEY_CODE_KP_5] = { 0x4c, 0x73, 0x73, 76 },
    [Q_KEY_CODE_KP_6] = { 0x4d, 0x74, 0x74, 77 },
    [Q_KEY_CODE_KP_7] = { 0x47, 0x6c, 0x6c, 71 },
    [Q_KEY_CODE_KP_8] = { 0x48, 0x75, 0x75, 72 },
    [Q_KEY_CODE_KP_9] = { 0x49, 0x7d, 0x7d, 73 },
    [Q_KEY_CODE_LESS] = { 0x56, 0x61, 0x13, 86 },
    [Q_KEY_CODE_F11] = { 0x57, 0x78, 0x56, 87 },
    [Q_KEY_CODE_F12] = { 0x58, 0x07, 0x5e, 88 },
    [Q_KEY_CODE_PRINT] = { 0xe037, 0xe07c, 0x57, 99 },
    [Q_KEY_CODE_HOME] = { 0xe047, 0xe06c, 0x6e, 102 },
    [Q_KEY_CODE_PGUP] = { 0xe049, 0xe07d, 0x6f, 104 },
    [Q_KEY_CODE_PGDN] = { 0xe051, 0xe07a, 0x6d, 109 },
    [Q_KEY_CODE_END] = { 0xe04f, 0xe069, 0x65, 107 },
    [Q_KEY_CODE_LEFT] = { 0xe04b, 0xe06b, 0x61, 105 },
    [Q_KEY_CODE_UP] = { 0xe048, 0xe075, 0x63, 103 },
    [Q_KEY_CODE_DOWN] = { 0xe050, 0xe072, 0x60, 108 },
    [Q_KEY_CODE_RIGHT] = { 0xe04d, 0xe074, 0x6a, 106 },
    [Q_KEY_CODE_INSERT] = { 0xe052, 0xe070, 0x67, 110 },
    [Q_KEY_CODE_DELETE] = { 0xe053, 0xe071, 0x64, 111 },
    [Q_KEY_CODE_STOP] = { 0xe068, 0xe028, 0x0a, 128 },
    [Q_KEY_CODE_AGAIN] = { 0xe005, 0xe025, 0, 129 },
    [Q_KEY_CODE_PROPS] = { 0xe006, 0xe02e, 0, 130 },
    [Q_KEY_CODE_UNDO] = { 0xe007, 0xe036, 0, 131 },
    [Q_KEY_CODE_FRONT] = { 0xe00c, 0xe04e, 0, 132 },
    [Q_KEY_CODE_COPY] = { 0xe078, 0xe063, 0, 133 },
    [Q_KEY_CODE_OPEN] = { 0x64, 0x08, 0, 134 },
    [Q_KEY_CODE_PASTE] = { 0x65, 0x10, 0, 135 },
    [Q_KEY_CODE_FIND] = { 0xe041, 0xe002, 0, 136 },
    [Q_KEY_CODE_CUT] = { 0xe03c, 0xe006, 0, 137 },
    [Q_KEY_CODE_LF] = { 0x5b, 0x1f, 0, 101 },
    [Q_KEY_CODE_HELP] = { 0xe075, 0xe05c, 0, 138 },
    [Q_KEY_CODE_META_L] = { 0xe05b, 0xe01f, 0x8b, 125 },
    [Q_KEY_CODE_META_R] = { 0xe05c, 0xe027, 0x8c, 126 },
    [Q_KEY_CODE_COMPOSE] = { 0xe05d, 0xe02f, 0x8d, 127 },
    [Q_KEY_CODE_PAUSE] = { 0xe046, 0xe07e, 0x62, 119 },
    [Q_KEY_CODE_RO] = { 0x73, 0x51, 0x51, 89 },
    [Q_KEY_CODE_HIRAGANA] = { 0x77, 0x62, 0x87, 91 },
    [Q_KEY_CODE_HENKAN] = { 0x79, 0x64, 0x86, 92 },
    [Q_KEY_CODE_YEN] = { 0x7d, 0x6a, 0x5d, 124 },
    [Q_KEY_CODE_MUHENKAN] = { 0x7b, 0x67, 0x85, 94 },
    [Q_KEY_CODE_KATAKANAHIRAGANA] = { 0x70, 0x13, 0x87, 93 },
    [Q_KEY_CODE_KP_COMMA] = { 0x7e, 0x6d, 0, 121 },
    [Q_KEY_CODE_KP_EQUALS] = { 0x59, 0x0f, 0, 117 },
    [Q_KEY_CODE_POWER] = { 0xe05e, 0xe037, 0, 116 },
    [Q_KEY_CODE_SLEEP] = { 0xe05f, 0xe03f, 0, 142 },
    [Q_KEY_CODE_WAKE] = { 0xe063, 0xe05e, 0, 143 },
    [Q_KEY_CODE_AUDIONEXT] = { 0xe019, 0xe04d, 0x93, 163 },
    [Q_KEY_CODE_AUDIOPREV] = { 0xe010, 0xe015, 0x94, 165 },
    [Q_KEY_CODE_AUDIOSTOP] = { 0xe024, 0xe03b, 0x98, 166 },
    [Q_KEY_CODE_AUDIOPLAY] = { 0xe022, 0xe034, 0, 164 },
    [Q_KEY_CODE_AUDIOMUTE] = { 0xe020, 0xe023, 0x9c, 113 },
    [Q_KEY_CODE_VOLUMEUP] = { 0xe030, 0xe032, 0x95, 115 },
    [Q_KEY_CODE_VOLUMEDOWN] = { 0xe02e, 0xe021, 0x9d, 114 },
    [Q_KEY_CODE_MEDIASELECT] = { 0xe06d, 0xe050, 0, 226 },
    [Q_KEY_CODE_MAIL] = { 0xe06c, 0xe048, 0, 155 },
    [Q_KEY_CODE_CALCULATOR] = { 0xe021, 0xe02b, 0xa3, 140 },
    [Q_KEY_CODE_COMPUTER] = { 0xe06b, 0xe040, 0, 157 },
    [Q_KEY_CODE_AC_HOME] = { 0xe032, 0xe03a, 0x97, 172 },
    [Q_KEY_CODE_AC_BACK] = { 0xe06a, 0xe038, 0, 158 },
    [Q_KEY_CODE_AC_FORWARD] = { 0xe069, 0xe030, 0, 159 },
    [Q_KEY_CODE_AC_REFRESH] = { 0xe067, 0xe020, 0, 173 },
    [Q_KEY_CODE_AC_BOOKMARKS] = { 0xe066, 0xe018, 0, 156 },
    [Q_KEY_CODE_LANG1] = { 0x72, 0xf2, 0, 122 },
    [Q_KEY_CODE_LANG2] = { 0x71, 0xf1, 0, 123 },
    [Q_KEY_CODE_F13] = { 0x5d, 0x2f, 0x7f, 183 },
    [Q_KEY_CODE_F14] = { 0x5e, 0x37, 0x80, 184 },
    [Q_KEY_CODE_F15] = { 0x5f, 0x3f, 0x81, 185 },
    [Q_KEY_CODE_F16] = { 0x55, 0x60, 0x82, 186 },
    [Q_KEY_CODE_F17] = { 0xe003, 0xe01e, 0x83, 187 },
    [Q_KEY_CODE_F18] = { 0xe077, 0xe062, 0, 188 },
    [Q_KEY_CODE_F19] = { 0xe004, 0xe026, 0, 189 },
    [Q_KEY_CODE_F20] = { 0x5a, 0x17, 0, 190 },
    [Q_KEY_CODE_F21] = { 0x74, 0x53, 0, 191 },
    [Q_KEY_CODE_F22] = { 0xe079, 0xe064, 0, 192 },
    [Q_KEY_CODE_F23] = { 0x6d, 0x50, 0, 193 },
    [Q_KEY_CODE_F24] = { 0x6f, 0x6f, 0, 194 },
};

const KeyCodes *key_codes(QKeyCode key)
{
    assert(key < Q_KEY_CODE_COUNT);
    return &codes[key];
}

unsigned key_number(QKeyCode key)
{
    uint16_t code = key_codes(key)->set1;

    return (code & 0x7f) | (code > 0xff ? 0x80 : 0);
}

/* The first in order of the enumeration: '*' is on two keys of one number. */
QKeyCode key_from_number(int64_t number)
{
    for (int key = 1; number > 0 && key < Q_KEY_CODE_COUNT; key++) {
        if (key_number(key) == number) {
            return key;
        }
    }
    return Q_KEY_CODE_UNMAPPED;
}

QKeyCode key_from_evdev(unsigned code)
{
    for (int key = 1; code && key < Q_KEY_CODE_COUNT; key++) {
        if (codes[key].evdev == code) {
            return key;
        }
    }
    return Q_KEY_CODE_UNMAPPED;
}
