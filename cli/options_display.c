/*
 * Options: screens and sound. This build has none: what asks for none is accepted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"

static bool only_none(OptionSet *set, const char *arg, Error **errp)
{
    return !strcmp(arg, "none") ||
           error_set(errp, "this build has no '%s'; 'none' is accepted", arg);
}

static bool only_none_driver(OptionSet *set, const char *arg, Error **errp)
{
    return g_str_has_prefix(arg, "none") || g_str_has_prefix(arg, "driver=none") ||
           strstr(arg, "\"none\"") || error_set(errp, "this build has no sound; the driver 'none' "
                                                "is accepted");
}

static const OptionDef defs[] = {
    { "display", NULL, OPTION_TEXT, .apply = only_none, .syntax = "none", .help = "no screen" },
    { "nographic", NULL, OPTION_FLAG,
      .help = "no screen; first serial line and monitor on the terminal" },
    { "vga", NULL, OPTION_TEXT, .syntax = "none|std|ADAPTER", .help = "the board's display adapter" },
    { "vnc", NULL, OPTION_TEXT, .apply = only_none, .syntax = "none", .help = "no VNC server" },
    { "audio", NULL, OPTION_TEXT, .apply = only_none, .syntax = "none", .help = "no sound" },
    { "audiodev", NULL, OPTION_TEXT, .apply = only_none_driver, .syntax = "none,id=ID",
      .help = "a sound back end that is silent" },
};
const OptionFamily options_display = { "Display and sound", defs, ARRAY_SIZE(defs) };
