/*
 * QMP commands of run state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/run_state.h"

#include "qapi/qapi-commands-control.h"
#include "qapi/qapi-commands-machine.h"
#include "qapi/qapi-commands-misc.h"
#include "qapi/qapi-commands-run-state.h"
#include "system/run_state_internal.h"

StatusInfo *qmp_query_status(Error **errp)
{
    StatusInfo *info = g_new0(StatusInfo, 1);

    info->status = run_state_current();
    info->running = vm_is_running();
    return info;
}

bool qmp_stop(Error **errp)
{
    if (run_state_current() == RUN_STATE_INMIGRATE) {
        vm_set_autostart(false);
    } else {
        vm_stop(RUN_STATE_PAUSED);
    }
    return true;
}

bool qmp_cont(Error **errp)
{
    /* A client that sent system_reset just before means the machine after it. */
    vm_serve_reset_request();
    if (run_state_needs_reset()) {
        return error_set(errp, "Resetting the Virtual Machine is required");
    }
    switch (run_state_current()) {
    case RUN_STATE_FINISH_MIGRATE:
        return error_set(errp, "Migration is not finalized yet");
    case RUN_STATE_INMIGRATE:
        vm_set_autostart(true);
        return true;
    default:
        if (!vm_may_start(errp)) {
            return false;
        }
        vm_start();
        return true;
    }
}

bool qmp_quit(Error **errp)
{
    vm_request_quit(SHUTDOWN_CAUSE_HOST_QMP_QUIT, EXIT_SUCCESS);
    return true;
}

bool qmp_system_reset(Error **errp)
{
    vm_request_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    return true;
}

bool qmp_system_powerdown(Error **errp)
{
    vm_request_powerdown();
    return true;
}

bool qmp_system_wakeup(Error **errp)
{
    if (!vm_has_wakeup_support()) {
        return error_set(errp, "wake-up from suspend is not supported by this guest");
    }
    return vm_request_wakeup(WAKEUP_OTHER, errp);
}

bool qmp_set_action(bool has_reboot, RebootAction reboot, bool has_shutdown,
                    ShutdownAction shutdown, bool has_panic, PanicAction panic, bool has_watchdog,
                    WatchdogAction watchdog, Error **errp)
{
    RunActions *actions = run_actions();

    actions->reboot = has_reboot ? reboot : actions->reboot;
    actions->shutdown = has_shutdown ? shutdown : actions->shutdown;
    actions->panic = has_panic ? panic : actions->panic;
    actions->watchdog = has_watchdog ? watchdog : actions->watchdog;
    return true;
}

bool qmp_watchdog_set_action(WatchdogAction action, Error **errp)
{
    run_actions()->watchdog = action;
    return true;
}
