/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/trace_output.h"

#include "util/trace_file.h"

bool trace_output_open(const char *path, char **why)
{
    return trace_file_open(path, why);
}
