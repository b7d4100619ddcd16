/*
 * Where `-trace file=` leads: the build picks trace_output_simple.c or trace_output_log.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_TRACE_OUTPUT_H
#define UTIL_TRACE_OUTPUT_H

bool trace_output_open(const char *path, char **why);

#endif
