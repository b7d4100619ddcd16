/*
 * Screen dumps as PNG, by libpng.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/screendump.h"

#include <png.h>

bool screendump_has_png(void)
{
    return true;
}

/* libpng comes back with longjmp() when it fails. */
static bool write_lines(png_struct *png, png_info *info, const Surface *surface, uint8_t *rgb)
{
    if (setjmp(png_jmpbuf(png))) {
        return false;
    }
    png_set_IHDR(png, info, surface->width, surface->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (uint32_t y = 0; y < surface->height; y++) {
        screendump_line(surface, y, rgb);
        png_write_row(png, rgb);
    }
    png_write_end(png, NULL);
    return true;
}

bool screendump_write_png(const Surface *surface, FILE *file)
{
    g_autofree uint8_t *rgb = g_malloc((size_t)surface->width * 3);
    png_struct *png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_info *info = png ? png_create_info_struct(png) : NULL;
    bool is_ok = false;

    if (info) {
        png_init_io(png, file);
        is_ok = write_lines(png, info, surface, rgb);
    }
    png_destroy_write_struct(&png, &info);
    return is_ok;
}
