/*
 * Builds without libpng.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/screendump.h"

bool screendump_has_png(void)
{
    return false;
}

bool screendump_write_png(const Surface *surface, FILE *file)
{
    return false;
}
