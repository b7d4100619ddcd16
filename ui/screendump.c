/*
 * QMP screendump: what a console shows, as a PPM (P6) or PNG file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/screendump.h"

#include <glib/gstdio.h>

#include "qapi/qapi-commands-ui.h"
#include "ui/console.h"

/* Bytes red, green, blue of one line. */
void screendump_line(const Surface *surface, uint32_t y, uint8_t *rgb)
{
    const uint32_t *pixels = surface_line(surface, y);

    for (uint32_t x = 0; x < surface->width; x++) {
        rgb[3 * x] = pixels[x] >> 16;
        rgb[3 * x + 1] = pixels[x] >> 8;
        rgb[3 * x + 2] = pixels[x];
    }
}

static bool write_ppm(const Surface *surface, FILE *file)
{
    g_autofree uint8_t *rgb = g_malloc((size_t)surface->width * 3);
    bool is_ok = fprintf(file, "P6\n%u %u\n255\n", surface->width, surface->height) > 0;

    for (uint32_t y = 0; is_ok && y < surface->height; y++) {
        screendump_line(surface, y, rgb);
        is_ok = fwrite(rgb, 3, surface->width, file) == surface->width;
    }
    return is_ok;
}

static bool write_file(const Surface *surface, const char *path, ImageFormat format, Error **errp)
{
    FILE *file = g_fopen(path, "wb");
    bool is_ok;

    if (!file) {
        return error_set_errno(errp, errno, "failed to open file '%s'", path);
    }
    is_ok = format == IMAGE_FORMAT_PNG ? screendump_write_png(surface, file) :
                                         write_ppm(surface, file);
    is_ok &= !fclose(file);
    if (!is_ok) {
        g_unlink(path);
        return error_set(errp, "failed to write screendump to '%s'", path);
    }
    return true;
}

bool qmp_screendump(const char *filename, const char *device, bool has_head, int64_t head,
                    bool has_format, ImageFormat format, Error **errp)
{
    Console *console;

    if (has_head && !device) {
        return error_set(errp, "'head' must be specified together with 'device'");
    }
    if (has_format && format == IMAGE_FORMAT_PNG && !screendump_has_png()) {
        return error_set(errp, "Enable PNG support with libpng for screendump");
    }
    console = device ? console_find(device, has_head ? head : 0, errp) : console_nth(0);
    if (!console) {
        return device ? false : error_set(errp, "There is no console to take a screendump from");
    }
    console_refresh(console);
    return write_file(console_surface(console), filename, has_format ? format : IMAGE_FORMAT_PPM,
                      errp);
}
