/*
 * What a guest's reset, shutdown, crash or a watchdog leads to (-action, set-action).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/run_state.h"

#include "qapi/qapi-events-run-state.h"

static RunActions actions = {
    REBOOT_ACTION_RESET, SHUTDOWN_ACTION_POWEROFF, PANIC_ACTION_SHUTDOWN, WATCHDOG_ACTION_RESET,
};
static void (*inject_nmi)(void);

RunActions *run_actions(void)
{
    return &actions;
}

void vm_guest_panicked(const GuestPanicInformation *info)
{
    bool must_pause = actions.panic == PANIC_ACTION_PAUSE ||
                      (actions.panic == PANIC_ACTION_SHUTDOWN &&
                       actions.shutdown == SHUTDOWN_ACTION_PAUSE);

    if (must_pause) {
        qapi_event_send_guest_panicked(GUEST_PANIC_ACTION_PAUSE, info);
        vm_request_stop(RUN_STATE_GUEST_PANICKED);
    } else if (actions.panic == PANIC_ACTION_NONE) {
        qapi_event_send_guest_panicked(GUEST_PANIC_ACTION_RUN, info);
    } else {
        qapi_event_send_guest_panicked(GUEST_PANIC_ACTION_POWEROFF, info);
        vm_request_quit(SHUTDOWN_CAUSE_GUEST_PANIC,
                        actions.panic == PANIC_ACTION_EXIT_FAILURE ? EXIT_FAILURE : EXIT_SUCCESS);
    }
}

void vm_set_nmi_handler(void (*inject)(void))
{
    inject_nmi = inject;
}

void vm_watchdog_expired(void)
{
    qapi_event_send_watchdog(actions.watchdog);
    switch (actions.watchdog) {
    case WATCHDOG_ACTION_RESET:
        vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
        break;
    case WATCHDOG_ACTION_SHUTDOWN:
        vm_request_powerdown();
        break;
    case WATCHDOG_ACTION_POWEROFF:
        vm_request_quit(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_SUCCESS);
        break;
    case WATCHDOG_ACTION_PAUSE:
        vm_request_stop(RUN_STATE_WATCHDOG);
        break;
    case WATCHDOG_ACTION_DEBUG:
        warn_report("watchdog: timer fired");
        break;
    case WATCHDOG_ACTION_INJECT_NMI:
        if (inject_nmi) {
            inject_nmi();
        }
        break;
    default:
        break;
    }
}
