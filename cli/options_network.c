/*
 * Options: networks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"

#include "net/net.h"

static bool only_none(OptionSet *set, const char *arg, Error **errp)
{
    return !strcmp(arg, "none") ||
           error_set(errp, "this build has no network adapters; 'none' is accepted");
}

static const OptionDef defs[] = {
    { "netdev", NULL, OPTION_KEYS, "type", .group = "netdev", .takes_json = true,
      .syntax = "TYPE,id=ID[,KEY=VALUE...]",
      .help = "the host's end of a network; devices name it with 'netdev='" },
    { "net", NULL, OPTION_TEXT, .apply = only_none, .syntax = "none", .help = "no network" },
    { "nic", NULL, OPTION_TEXT, .apply = only_none, .syntax = "none", .help = "no network adapter" },
};
const OptionFamily options_network = { "Network", defs, ARRAY_SIZE(defs) };
