/*
 * Text consoles (chardev-vc) as screens: each is a Console that whoever shows screens can show, and can be typed into.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UI_TEXT_CONSOLE_H
#define UI_TEXT_CONSOLE_H

#include "qapi/qapi-types-ui.h"
#include "ui/console.h"

/* What users choose from by number: the machine's screens, then text consoles. NULL: there are not so many. */
Console *console_choice(unsigned n);
bool console_is_text(const Console *console); /* NULL is not */
/* A key that a text console knows, else a character of ASCII (0: none). */
void text_console_type(Console *console, QKeyCode key, uint8_t character);
/* No text console is shown from now on. */
void text_consoles_cleanup(void);

#endif
