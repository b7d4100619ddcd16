/*
 * Glyphs of text consoles.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UI_FONT_H
#define UI_FONT_H

#define FONT_WIDTH  8
#define FONT_HEIGHT 16
#define FONT_FIRST  ' '
#define FONT_LAST   '~'

/* From FONT_FIRST to FONT_LAST; a byte for each line from the top, its highest bit on the left. */
extern const uint8_t font_glyphs[][FONT_HEIGHT];

#endif
