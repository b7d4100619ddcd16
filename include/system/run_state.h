/*
 * Run state: whether the guest runs and why not, and the requests (shut down, reset, ...) that
 * the main loop serves. Machine lock, unless a declaration says "any thread".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_RUN_STATE_H
#define SYSTEM_RUN_STATE_H

#include "qapi/qapi-types-run-state.h"
#include "qom/error.h"
#include "util/notifier.h"

/* Prelaunch at first. Any thread. */
RunState run_state_current(void);
static inline bool vm_is_running(void)
{
    return run_state_current() == RUN_STATE_RUNNING;
}
/* Clocks and devices run: also while the guest sleeps. Any thread. */
bool vm_is_live(void);
bool run_state_can_become(RunState from, RunState to);
/* A change that the table does not allow is our bug. Tells nobody: see vm_start(), vm_stop(). */
void run_state_set(RunState next);
/* The guest cannot go on before a reset. */
bool run_state_needs_reset(void);

/* Whether the VM is to run once it is made, or its migration is in (-S, stop, cont). */
bool vm_is_autostart(void);
void vm_set_autostart(bool is_on);

/* Asked before a client has the VM go on; false: it cannot. One, for good. */
void vm_set_start_check(bool (*may_start)(Error **errp));
bool vm_may_start(Error **errp);

/* No effect on a VM that runs. */
void vm_start(void);
/*
 * All of vm_start() but letting vCPUs go: RESUME, clocks, state, notifiers. False if it runs
 * already.
 */
bool vm_prepare_start(void);
/*
 * Stops vCPUs and clocks, changes state, tells notifiers, sends STOP. A VM that does not run
 * keeps its state. In a vCPU thread: a request, and the vCPU stops when it comes back to its loop.
 */
void vm_stop(RunState state);
/* As vm_stop(), and changes the state of a VM that was stopped before too. */
void vm_stop_force_state(RunState state);

/* What a state notifier is sent. */
typedef struct RunStateChange {
    bool is_running;
    RunState state;
} RunStateChange;
/* Told by priority when the VM starts, in reverse when it stops: devices above back ends. */
void vm_add_state_notifier(Notifier *notifier);

/* --- requests: any thread and signal handlers, no lock; the last of a kind stands --- */

void vm_request_shutdown(ShutdownCause cause);
/* The process was sent a signal: it quits whatever -no-shutdown says. */
void vm_request_kill(int signal, int pid);
/* Quits as above, without a signal. */
void vm_request_quit(ShutdownCause cause, int exit_status);
void vm_request_reset(ShutdownCause cause);
void vm_request_powerdown(void);
void vm_request_suspend(void);
void vm_request_stop(RunState state);
void vm_request_debug(void);

typedef enum WakeupReason {
    WAKEUP_NONE,
    WAKEUP_RTC,
    WAKEUP_PM_TIMER,
    WAKEUP_OTHER,
    WAKEUP_REASON_COUNT
} WakeupReason;
/* Fails unless the guest is suspended and the reason is enabled. */
bool vm_request_wakeup(WakeupReason reason, Error **errp);
/* Devices: whether a reason wakes the guest; all do at first. */
void vm_enable_wakeup(WakeupReason reason, bool is_on);
/* The machine can be woken from suspend at all (query-current-machine). */
void vm_set_wakeup_support(bool is_on);
bool vm_has_wakeup_support(void);
/* For a reset: it is that of a machine whose memory kept its contents. */
bool vm_is_waking(void);

/* WakeupReason * for wakeup, nothing for the others. */
void vm_add_suspend_notifier(Notifier *notifier);
void vm_add_wakeup_notifier(Notifier *notifier);
void vm_add_powerdown_notifier(Notifier *notifier);
/* ShutdownCause *; after SHUTDOWN was sent and before the process ends or pauses. */
void vm_add_shutdown_notifier(Notifier *notifier);

/*
 * Serves what was asked for; in the main loop, outside any callback. True: the process is to end,
 * with *exit_status.
 */
bool vm_serve_requests(int *exit_status);
/* Runs the main loop until the process is to end; its exit status. */
int vm_run_main_loop(void);

/* What resets the machine's devices and vCPUs; hw/core installs it. */
void vm_set_reset_handler(void (*reset)(ShutdownCause cause));
/* At once, vCPUs paused meanwhile; RESET is sent afterwards unless the cause is internal. */
void vm_reset(ShutdownCause cause);
bool shutdown_cause_is_guest(ShutdownCause cause);

/* --- what guests' misfortunes lead to --- */

typedef struct RunActions {
    RebootAction reboot;
    ShutdownAction shutdown;
    PanicAction panic;
    WatchdogAction watchdog;
} RunActions;
/* -action, -no-reboot, -no-shutdown, set-action change it in place. */
RunActions *run_actions(void);
/* Any thread. Sends the event, then does as run_actions() say. */
/* `info` may be NULL. */
void vm_guest_panicked(const GuestPanicInformation *info);
void vm_watchdog_expired(void);
/* What the watchdog's "inject-nmi" calls; the machine installs it. */
void vm_set_nmi_handler(void (*inject_nmi)(void));

#endif
