/*
 * Options: screens and sound. There is no sound: what asks for none is accepted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"

static bool apply_curses(OptionSet *set, const char *arg, Error **errp)
{
    return option_set_add(set, "display", "curses", errp);
}

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

#define S(n) { n, OPTION_PARAM_STRING }
#define B(n) { n, OPTION_PARAM_BOOL }
#define N(n) { n, OPTION_PARAM_NUMBER }

static const OptionParam vnc_params[] = {
    S("vnc"), S("id"), S("websocket"), S("share"), S("display"), N("head"), N("connections"),
    N("to"), B("ipv4"), B("ipv6"), B("password"), S("password-secret"), B("reverse"),
    N("key-delay-ms"), B("lossy"), B("non-adaptive"), B("power-control"),
    S("audiodev"), { 0 },
};

static const OptionDef defs[] = {
    { "display", NULL, OPTION_TEXT, .syntax = "none|curses|vnc=WHERE[,...]|help",
      .help = "where the screen is shown" },
    { "k", NULL, OPTION_TEXT, .syntax = "KEYMAP",
      .help = "the keyboard of users whose keys are known by symbols: en-us (default), de, fr, ..." },
    { "curses", NULL, OPTION_FLAG, .apply = apply_curses, .is_hidden = true },
    { "nographic", NULL, OPTION_FLAG,
      .help = "no screen; first serial line and monitor on the terminal" },
    { "vga", NULL, OPTION_TEXT, .syntax = "none|std|ADAPTER", .help = "the board's display adapter" },
    { "vnc", NULL, OPTION_KEYS, "vnc", .group = "vnc", .is_flat = true, .params = vnc_params,
      .syntax = "HOST:N|unix:PATH|none[,KEY=VALUE...]",
      .help = "a VNC server, at port 5900 + N; keys: id=ID; to=N: highest display to try;\n"
              "ipv4=on|off, ipv6=on|off; websocket=on|[HOST:]PORT; password=on: as set_password\n"
              "says; password-secret=ID; reverse=on: connect to a client that listens at HOST:N;\n"
              "share=allow-exclusive|force-shared|ignore; connections=N; lossy=on: JPEG is allowed;\n"
              "display=ID and head=N: another screen than the first; key-delay-ms=N;\n"
              "power-control=on: clients may shut the machine down and reset it" },
    { "audio", NULL, OPTION_TEXT, .apply = only_none, .syntax = "none", .help = "no sound" },
    { "audiodev", NULL, OPTION_TEXT, .apply = only_none_driver, .syntax = "none,id=ID",
      .help = "a sound back end that is silent" },
};
const OptionFamily options_display = { "Display and sound", defs, ARRAY_SIZE(defs) };
