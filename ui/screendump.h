/*
 * What the formats of screen dumps share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UI_SCREENDUMP_H
#define UI_SCREENDUMP_H

#include "ui/console.h"

void screendump_line(const Surface *surface, uint32_t y, uint8_t *rgb);
/* screendump_png.c, or screendump_no_png.c in builds without libpng. */
bool screendump_has_png(void);
bool screendump_write_png(const Surface *surface, FILE *file);

#endif
