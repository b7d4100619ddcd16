/*
 * See cli/networks.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/networks.h"

#include "net/net.h"
#include "system/run_state.h"

static void state_changed(Notifier *notifier, void *data)
{
    const RunStateChange *change = data;

    net_machine_runs(change->is_running);
}

static bool add_netdev(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    if (json_member(value->keys, "help")) {
        g_autofree char *help = net_help();

        option_exit_with(g_string_new(help));
    }
    return net_add_from_options(value->keys, value->text, value->is_json, errp);
}

bool networks_add(OptionSet *set)
{
    static Notifier notifier = { .fn = state_changed };

    vm_add_state_notifier(&notifier);
    return option_each(set, "netdev", add_netdev, NULL);
}
