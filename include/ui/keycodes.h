/*
 * The codes of keys: what a QKeyCode is to a PC's keyboard and to an evdev device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UI_KEYCODES_H
#define UI_KEYCODES_H

#include "qapi/qapi-types-ui.h"

/* 0: there is none. */
typedef struct KeyCodes {
    uint16_t set1, set2; /* scan codes when pressed; 0xe0NN: two bytes */
    uint8_t set3;
    uint16_t evdev;      /* KEY_* of Linux */
} KeyCodes;

const KeyCodes *key_codes(QKeyCode key);
/* By set 1, with 0x80 for a 0xe0 before it. Q_KEY_CODE_UNMAPPED: no key has this number. */
QKeyCode key_from_number(int64_t number);
/* The reverse; 0: it has none. */
unsigned key_number(QKeyCode key);
QKeyCode key_from_evdev(unsigned code);

#endif
