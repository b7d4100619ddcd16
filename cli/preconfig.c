/*
 * Waiting before the machine is made: see cli/preconfig.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/preconfig.h"
#include "monitor/monitor.h"
#include "qapi/qapi-commands-misc.h"
#include "system/run_state.h"
#include "util/event_loop.h"

/* Whether the machine's making waits. */
static bool is_waiting;

bool qmp_x_exit_preconfig(Error **errp)
{
    if (!is_waiting) {
        return error_set(errp, "The command is permitted only before machine initialization");
    }
    is_waiting = false;
    return true;
}

bool preconfig_wait(int *status)
{
    is_waiting = true;
    monitor_set_preconfig(true);
    while (is_waiting) {
        event_loop_run_once(event_loop_main(), true);
        if (vm_serve_requests(status)) {
            return false;
        }
    }
    monitor_set_preconfig(false);
    return true;
}
