/*
 * Usages of keys (HID Usage Tables 1.12, 10: keyboard page).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_USB_HID_USAGES_H
#define HW_USB_HID_USAGES_H

#include "qapi/qapi-types-ui.h"

#define HID_USAGE_FIRST_MODIFIER 0xe0

/* 0: the key has none. */
uint8_t hid_usage(QKeyCode key);

#endif
