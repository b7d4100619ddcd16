/*
 * Run states, what may follow what, starting and stopping: see system/run_state.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/run_state.h"

#include "qapi/qapi-events-run-state.h"
#include "system/clock.h"
#include "system/machine_lock.h"
#include "system/run_state_internal.h"
#include "system/vcpu.h"

#define S(state) BIT(RUN_STATE_##state)
/* Why a running VM stops; a stopped one may get another of these reasons. */
#define STOPPED                                                                                    \
    (S(DEBUG) | S(INTERNAL_ERROR) | S(IO_ERROR) | S(PAUSED) | S(SHUTDOWN) | S(WATCHDOG) |          \
     S(GUEST_PANICKED))
#define MIGRATION (S(FINISH_MIGRATE) | S(POSTMIGRATE) | S(SAVE_VM) | S(RESTORE_VM))

/* For each state, those that may follow it. */
static const uint32_t followers[RUN_STATE_COUNT] = {
    [RUN_STATE_PRELAUNCH] = S(RUNNING) | S(SUSPENDED) | S(INMIGRATE) | MIGRATION | STOPPED,
    [RUN_STATE_INMIGRATE] = S(RUNNING) | S(SUSPENDED) | S(PRELAUNCH) | S(POSTMIGRATE) | S(COLO) |
                            STOPPED,
    [RUN_STATE_RUNNING] = S(SUSPENDED) | S(FINISH_MIGRATE) | S(SAVE_VM) | S(RESTORE_VM) |
                          S(COLO) | STOPPED,
    [RUN_STATE_SUSPENDED] = S(RUNNING) | S(PRELAUNCH) | S(FINISH_MIGRATE) | S(SAVE_VM) |
                            S(RESTORE_VM) | S(COLO) | STOPPED,
    [RUN_STATE_PAUSED] = S(RUNNING) | S(SUSPENDED) | S(PRELAUNCH) | MIGRATION | S(COLO) | STOPPED,
    [RUN_STATE_DEBUG] = S(RUNNING) | S(SUSPENDED) | S(PRELAUNCH) | MIGRATION | STOPPED,
    [RUN_STATE_IO_ERROR] = S(RUNNING) | S(SUSPENDED) | S(PRELAUNCH) | MIGRATION | STOPPED,
    [RUN_STATE_WATCHDOG] = S(RUNNING) | S(SUSPENDED) | S(PRELAUNCH) | MIGRATION | S(COLO) |
                           STOPPED,
    [RUN_STATE_GUEST_PANICKED] = S(RUNNING) | S(SUSPENDED) | S(PRELAUNCH) | MIGRATION | STOPPED,
    /* Only a reset leads on from these two. */
    [RUN_STATE_INTERNAL_ERROR] = S(PRELAUNCH) | MIGRATION | STOPPED,
    [RUN_STATE_SHUTDOWN] = S(PRELAUNCH) | MIGRATION | STOPPED,
    [RUN_STATE_FINISH_MIGRATE] = S(RUNNING) | S(SUSPENDED) | S(PRELAUNCH) | S(POSTMIGRATE) |
                                 S(COLO) | STOPPED,
    [RUN_STATE_POSTMIGRATE] = S(RUNNING) | S(SUSPENDED) | S(PRELAUNCH) | S(FINISH_MIGRATE) |
                              STOPPED,
    [RUN_STATE_SAVE_VM] = S(RUNNING) | S(SUSPENDED) | S(PRELAUNCH) | S(POSTMIGRATE) | STOPPED,
    [RUN_STATE_RESTORE_VM] = S(RUNNING) | S(SUSPENDED) | S(PRELAUNCH) | STOPPED,
    [RUN_STATE_COLO] = S(RUNNING) | S(SHUTDOWN) | S(PAUSED) | S(PRELAUNCH),
};

static RunState state = RUN_STATE_PRELAUNCH; /* atomic */
static bool is_autostart = true;
static bool was_suspended; /* a stopped VM whose guest sleeps */
static NotifierList state_notifiers;
static bool (*start_check)(Error **errp); /* NULL: nobody minds */

RunState run_state_current(void)
{
    return __atomic_load_n(&state, __ATOMIC_ACQUIRE);
}

bool run_state_can_become(RunState from, RunState to)
{
    return from == to || (followers[from] & BIT(to));
}

void run_state_set(RunState next)
{
    machine_lock_assert_held();
    assert(run_state_can_become(state, next));
    __atomic_store_n(&state, next, __ATOMIC_RELEASE);
}

bool run_state_needs_reset(void)
{
    return state == RUN_STATE_INTERNAL_ERROR || state == RUN_STATE_SHUTDOWN;
}

bool vm_is_autostart(void)
{
    return is_autostart;
}

void vm_set_autostart(bool is_on)
{
    is_autostart = is_on;
}

void vm_set_start_check(bool (*may_start)(Error **errp))
{
    start_check = may_start;
}

bool vm_may_start(Error **errp)
{
    return !start_check || start_check(errp);
}

void vm_add_state_notifier(Notifier *notifier)
{
    notifier_add(&state_notifiers, notifier);
}

/* A suspended guest sleeps, but its clocks run: an alarm may wake it. */
static bool is_live(RunState s)
{
    return s == RUN_STATE_RUNNING || s == RUN_STATE_SUSPENDED;
}

bool vm_is_live(void)
{
    return is_live(run_state_current());
}

bool vm_prepare_start(void)
{
    RunState next = was_suspended ? RUN_STATE_SUSPENDED : RUN_STATE_RUNNING;
    RunStateChange change = { true, next };

    machine_lock_assert_held();
    vm_cancel_stop_request();
    if (is_live(state)) {
        return false;
    }
    was_suspended = false;
    qapi_event_send_resume();
    clock_start_virtual();
    run_state_set(next);
    notifier_tell(&state_notifiers, &change);
    return true;
}

void vm_start(void)
{
    if (vm_prepare_start() && state == RUN_STATE_RUNNING) {
        vcpu_resume_all();
    }
}

void vm_stop(RunState next)
{
    RunStateChange change = { false, next };

    if (vcpu_in_thread()) {
        vm_request_stop(next);
        vcpu_pause(vcpu_current());
        return;
    }
    machine_lock_assert_held();
    if (!is_live(state)) {
        return;
    }
    was_suspended = state == RUN_STATE_SUSPENDED;
    clock_stop_virtual();
    vcpu_pause_all();
    run_state_set(next);
    notifier_tell_reverse(&state_notifiers, &change);
    qapi_event_send_stop();
}

void vm_stop_force_state(RunState next)
{
    if (is_live(state)) {
        vm_stop(next);
    } else {
        run_state_set(next);
    }
}

void vm_forget_suspend(void)
{
    was_suspended = false;
}
