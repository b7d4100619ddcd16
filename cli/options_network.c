/*
 * Options: networks. This build has none: what asks for none is accepted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"

static bool only_none(OptionSet *set, const char *arg, Error **errp)
{
    return !strcmp(arg, "none") ||
           error_set(errp, "this build has no networks; 'none' is accepted");
}

static const OptionDef defs[] = {
    { "net", NULL, OPTION_TEXT, .apply = only_none, .syntax = "none", .help = "no network" },
    { "nic", NULL, OPTION_TEXT, .apply = only_none, .syntax = "none", .help = "no network adapter" },
};
const OptionFamily options_network = { "Network", defs, ARRAY_SIZE(defs) };
