/*
 * Options: networks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"

static const OptionDef defs[] = {
    { "netdev", NULL, OPTION_KEYS, "type", .group = "netdev", .takes_json = true,
      .syntax = "TYPE,id=ID[,KEY=VALUE...]",
      .help = "the host's end of a network; devices name it with 'netdev='" },
    { "nic", NULL, OPTION_KEYS, "type", .group = "nic", .takes_json = false,
      .syntax = "TYPE[,model=MODEL][,mac=ADDR][,id=ID][,KEY=VALUE...]|none",
      .help = "an adapter and the host's end of its network, as -netdev takes it" },
    { "net", NULL, OPTION_KEYS, "type", .group = "net",
      .syntax = "nic[,netdev=ID][,macaddr=ADDR][,model=MODEL]|TYPE[,KEY=VALUE...]|none",
      .help = "the older way: adapters and hosts' ends at one hub" },
};
const OptionFamily options_network = { "Network", defs, ARRAY_SIZE(defs) };
