/*
 * TextScreen: what a terminal shows after the bytes sent to it. Plain text, CR, LF, BS, TAB, and
 * of ECMA-48 cursor movement, erasing and colours (SGR); lines leave at the top.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_TEXT_SCREEN_H
#define CHARDEV_TEXT_SCREEN_H

#define TEXT_SCREEN_PARAMS 8

typedef struct TextScreen {
    unsigned cols, rows;
    unsigned x, y;         /* of the cursor; x == cols: the next character wraps */
    uint16_t *cells;       /* rows * cols: ASCII, a VGA's colours in the high byte */
    uint8_t ink, paper;    /* of what is written now, as a VGA has them */
    bool is_bright, is_inverse;
    int state;
    unsigned params[TEXT_SCREEN_PARAMS], param_count;
} TextScreen;

/* False if there is no memory for it. Both sizes from 1. */
bool text_screen_init(TextScreen *screen, unsigned cols, unsigned rows);
void text_screen_clear(TextScreen *screen);
void text_screen_write(TextScreen *screen, const uint8_t *bytes, size_t size);
/* Its lines without blanks at their ends, each ended by LF. Free it. */
char *text_screen_text(const TextScreen *screen);

#endif
