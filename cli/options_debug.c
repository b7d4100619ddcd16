/*
 * Options: looking inside, tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"
#include "system/guest_debug.h"

static const OptionParam trace_params[] = {
    { "enable", OPTION_PARAM_STRING, "events, by pattern" },
    { "events", OPTION_PARAM_STRING, "file with patterns" },
    { "file", OPTION_PARAM_STRING, "where they are written" }, { 0 },
};

static bool apply_s(OptionSet *set, const char *arg, Error **errp)
{
    return option_set_add(set, "gdb", DEBUG_SERVER_DEFAULT, errp);
}

static const OptionDef defs[] = {
    { "d", NULL, OPTION_TEXT, .syntax = "ITEM[,...]", .help = "log items; '-d help' lists them" },
    { "D", NULL, OPTION_TEXT, .syntax = "FILE", .help = "log to a file ('%d': the process id)" },
    { "dfilter", NULL, OPTION_TEXT, .syntax = "RANGE[,...]",
      .help = "log only these guest addresses: A..B, A+SIZE, A-SIZE" },
    { "gdb", NULL, OPTION_TEXT, .syntax = "DEVICE",
      .help = "serve gdb: tcp:[HOST]:PORT, unix:PATH, chardev:ID or another chardev" },
    { "perfmap", NULL, OPTION_FLAG,
      .help = "tell perf where translated code is, in /tmp/perf-PID.map" },
    { "s", NULL, OPTION_FLAG, .help = "the same as '-gdb " DEBUG_SERVER_DEFAULT "'", .apply = apply_s },
    { "trace", NULL, OPTION_KEYS, "enable", .group = "trace", .params = trace_params,
      .syntax = "[enable=]PATTERN[,events=FILE][,file=FILE]",
      .help = "enable trace events; '-trace help' lists them" },
    { "qtest", NULL, OPTION_TEXT, .syntax = "SPEC", .help = "serve the qtest protocol" },
    { "qtest-log", NULL, OPTION_TEXT, .syntax = "FILE", .help = "where its dialogue is written" },
};
const OptionFamily options_debug = { "Debugging and tests", defs, ARRAY_SIZE(defs) };
