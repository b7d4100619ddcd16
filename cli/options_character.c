/*
 * Options: lines, monitors, TPMs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"

#define S(n) { n, OPTION_PARAM_STRING }
#define B(n) { n, OPTION_PARAM_BOOL }
#define N(n) { n, OPTION_PARAM_NUMBER }

static const OptionParam chardev_params[] = {
    S("backend"), S("path"), S("input-path"), S("host"), S("port"), S("fd"), S("localaddr"),
    S("localport"), B("to"), B("ipv4"), B("ipv6"), B("wait"), B("server"), B("delay"),
    B("nodelay"), N("reconnect"), N("reconnect-ms"), B("telnet"), B("tn3270"), S("tls-creds"),
    S("tls-authz"), B("websocket"), N("width"), N("height"), N("cols"), N("rows"), B("mux"),
    B("signal"), S("name"), N("debug"), { "size", OPTION_PARAM_SIZE }, S("chardev"), B("append"),
    S("logfile"), B("logappend"), B("mouse"), B("clipboard"), B("abstract"), B("tight"),
    S("chardevs"), S("id"), { 0 },
};
static const OptionParam mon_params[] = {
    S("mode"), S("chardev"), B("pretty"), S("id"), { 0 },
};

static const OptionParam tpmdev_params[] = {
    S("type"), S("id"), S("chardev"), S("path"), S("cancel-path"), { 0 },
};

static const OptionDef defs[] = {
    { "chardev", NULL, OPTION_KEYS, "backend", .group = "chardev", .params = chardev_params,
      .syntax = "BACKEND,id=ID[,mux=on|off][,logfile=FILE][,logappend=on|off][,KEY=VALUE...]",
      .help = "the host's side of a line; '-chardev help' lists back ends" },
    { "serial", NULL, OPTION_TEXT, .syntax = "SPEC", .help = "a serial line of the machine" },
    { "parallel", NULL, OPTION_TEXT, .syntax = "SPEC", .help = "a parallel line of the machine" },
    { "debugcon", NULL, OPTION_TEXT, .targets = "x86_64", .syntax = "SPEC",
      .help = "what firmware writes to port 0xe9 (-global isa-debugcon.iobase=N)" },
    { "monitor", NULL, OPTION_TEXT, .syntax = "SPEC", .help = "a monitor for people" },
    { "qmp", NULL, OPTION_TEXT, .syntax = "SPEC", .help = "a monitor for programs (QMP)" },
    { "qmp-pretty", NULL, OPTION_TEXT, .syntax = "SPEC", .help = "the same, output indented" },
    { "mon", NULL, OPTION_KEYS, "chardev", .group = "mon", .params = mon_params,
      .syntax = "[chardev=]ID[,mode=readline|control][,pretty=on|off]",
      .help = "a monitor on a chardev" },
    { "tpmdev", NULL, OPTION_KEYS, "type", .group = "tpmdev", .params = tpmdev_params,
      .syntax = "emulator,id=ID,chardev=ID|passthrough,id=ID[,path=FILE][,cancel-path=FILE]",
      .help = "what a TPM is made of; '-tpmdev help' lists it" },
};
const OptionFamily options_character = { "Lines, monitors, TPMs", defs, ARRAY_SIZE(defs) };
