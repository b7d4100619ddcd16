/*
 * Requests that the main loop serves. Asking is an atomic store and a wake-up, so that signal
 * handlers and vCPU threads may; serving happens outside any callback.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/run_state.h"

#include <signal.h>

#include "qapi/qapi-events-run-state.h"
#include "system/machine_lock.h"
#include "system/run_state_internal.h"
#include "system/vcpu.h"
#include "util/event_loop.h"

/* Atomic; 0 is "not asked for", so states are kept plus one. */
static struct {
    int shutdown, reset; /* ShutdownCause */
    int stop;            /* RunState + 1 */
    int wakeup;          /* WakeupReason + 1 */
    int powerdown, suspend, debug;
    int must_quit, exit_status;
    int signal, signal_pid;
} requests;

static unsigned enabled_wakeups = ~0u; /* bits of WakeupReason */
static bool has_wakeup_support, is_waking;
static void (*reset_machine)(ShutdownCause cause);
static NotifierList suspend_notifiers, wakeup_notifiers, powerdown_notifiers, shutdown_notifiers;

static void ask(int *request, int value)
{
    __atomic_store_n(request, value, __ATOMIC_SEQ_CST);
    event_loop_wake(event_loop_main());
}

static int take(int *request)
{
    return __atomic_exchange_n(request, 0, __ATOMIC_SEQ_CST);
}

/* --- asking --- */

void vm_request_shutdown(ShutdownCause cause)
{
    ask(&requests.shutdown, cause);
}

void vm_request_quit(ShutdownCause cause, int exit_status)
{
    __atomic_store_n(&requests.exit_status, exit_status, __ATOMIC_SEQ_CST);
    __atomic_store_n(&requests.must_quit, 1, __ATOMIC_SEQ_CST);
    ask(&requests.shutdown, cause);
}

void vm_request_kill(int signal, int pid)
{
    __atomic_store_n(&requests.signal_pid, pid, __ATOMIC_SEQ_CST);
    __atomic_store_n(&requests.signal, signal, __ATOMIC_SEQ_CST);
    vm_request_quit(SHUTDOWN_CAUSE_HOST_SIGNAL, EXIT_SUCCESS);
}

void vm_request_reset(ShutdownCause cause)
{
    /* A part of the machine that resets the whole is not the guest's reboot. */
    if (run_actions()->reboot == REBOOT_ACTION_SHUTDOWN &&
        cause != SHUTDOWN_CAUSE_SUBSYSTEM_RESET) {
        vm_request_shutdown(cause);
    } else {
        ask(&requests.reset, cause);
    }
}

void vm_request_powerdown(void)
{
    ask(&requests.powerdown, 1);
}

void vm_request_suspend(void)
{
    if (run_state_current() != RUN_STATE_SUSPENDED) {
        ask(&requests.suspend, 1);
    }
}

void vm_request_stop(RunState state)
{
    ask(&requests.stop, state + 1);
}

void vm_request_debug(void)
{
    ask(&requests.debug, 1);
}

bool vm_request_wakeup(WakeupReason reason, Error **errp)
{
    if (run_state_current() != RUN_STATE_SUSPENDED) {
        return error_set(errp, "Unable to wake up: guest is not in suspended state");
    }
    if (enabled_wakeups & BIT(reason)) {
        ask(&requests.wakeup, reason + 1);
    }
    return true;
}

void vm_enable_wakeup(WakeupReason reason, bool is_on)
{
    enabled_wakeups = is_on ? enabled_wakeups | BIT(reason) : enabled_wakeups & ~BIT(reason);
}

void vm_set_wakeup_support(bool is_on)
{
    has_wakeup_support = is_on;
}

bool vm_has_wakeup_support(void)
{
    return has_wakeup_support;
}

bool vm_is_waking(void)
{
    return is_waking;
}

void vm_cancel_stop_request(void)
{
    take(&requests.stop);
}

void vm_add_suspend_notifier(Notifier *notifier)
{
    notifier_add(&suspend_notifiers, notifier);
}

void vm_add_wakeup_notifier(Notifier *notifier)
{
    notifier_add(&wakeup_notifiers, notifier);
}

void vm_add_powerdown_notifier(Notifier *notifier)
{
    notifier_add(&powerdown_notifiers, notifier);
}

void vm_add_shutdown_notifier(Notifier *notifier)
{
    notifier_add(&shutdown_notifiers, notifier);
}

/* --- serving --- */

bool shutdown_cause_is_guest(ShutdownCause cause)
{
    return cause >= SHUTDOWN_CAUSE_GUEST_SHUTDOWN;
}

static void report_signal(void)
{
    int signal = take(&requests.signal);
    int pid = __atomic_load_n(&requests.signal_pid, __ATOMIC_SEQ_CST);
    g_autofree char *path = g_strdup_printf("/proc/%d/cmdline", pid);
    g_autofree char *name = NULL; /* up to its first zero byte: the program */

    if (signal == 0) {
        return;
    }
    if (pid == 0) {
        error_report("terminating on signal %d", signal);
        return;
    }
    if (!g_file_get_contents(path, &name, NULL, NULL) || !*name) {
        g_free(name);
        name = g_strdup("<unknown process>");
    }
    error_report("terminating on signal %d from pid %d (%s)", signal, pid, name);
}

/* True: the process is to end. */
static bool serve_shutdown(int *exit_status)
{
    ShutdownCause cause = take(&requests.shutdown);
    bool must_quit;

    if (cause == SHUTDOWN_CAUSE_NONE) {
        return false;
    }
    report_signal();
    must_quit = take(&requests.must_quit);
    qapi_event_send_shutdown(shutdown_cause_is_guest(cause), cause);
    notifier_tell(&shutdown_notifiers, &cause);
    if (run_actions()->shutdown == SHUTDOWN_ACTION_PAUSE && !must_quit) {
        vm_stop(RUN_STATE_SHUTDOWN);
        return false;
    }
    *exit_status = take(&requests.exit_status);
    return true;
}

void vm_set_reset_handler(void (*reset)(ShutdownCause cause))
{
    reset_machine = reset;
}

static bool is_internal(ShutdownCause cause)
{
    return cause == SHUTDOWN_CAUSE_NONE || cause == SHUTDOWN_CAUSE_SUBSYSTEM_RESET ||
           cause == SHUTDOWN_CAUSE_SNAPSHOT_LOAD;
}

void vm_reset(ShutdownCause cause)
{
    machine_lock_assert_held();
    vcpu_pause_all();
    if (reset_machine) {
        reset_machine(cause);
    }
    if (!is_internal(cause)) {
        qapi_event_send_reset(shutdown_cause_is_guest(cause), cause);
    }
}

void vm_serve_reset_request(void)
{
    ShutdownCause cause = take(&requests.reset);

    if (cause == SHUTDOWN_CAUSE_NONE) {
        return;
    }
    vm_reset(cause);
    vm_forget_suspend();
    if (vm_is_running()) {
        vcpu_resume_all();
    } else if (run_state_current() == RUN_STATE_SUSPENDED) {
        /* A reset ends the guest's sleep. */
        run_state_set(RUN_STATE_RUNNING);
        vcpu_resume_all();
    } else if (run_state_current() != RUN_STATE_INMIGRATE) {
        run_state_set(RUN_STATE_PRELAUNCH);
    }
}

static void serve_suspend(void)
{
    if (take(&requests.suspend) && vm_is_running()) {
        vcpu_pause_all();
        notifier_tell(&suspend_notifiers, NULL);
        run_state_set(RUN_STATE_SUSPENDED);
        qapi_event_send_suspend();
    }
}

static void serve_wakeup(void)
{
    WakeupReason reason = take(&requests.wakeup) - 1;

    if ((int)reason < 0 || run_state_current() != RUN_STATE_SUSPENDED) {
        return;
    }
    vcpu_pause_all();
    if (has_wakeup_support) { /* all but memory was without power: firmware finds where the guest goes on */
        is_waking = true;
        vm_reset(SHUTDOWN_CAUSE_NONE);
        is_waking = false;
    }
    run_state_set(RUN_STATE_RUNNING);
    notifier_tell(&wakeup_notifiers, &reason);
    vcpu_resume_all();
    qapi_event_send_wakeup();
}

bool vm_serve_requests(int *exit_status)
{
    int stop;

    machine_lock_assert_held();
    if (take(&requests.debug)) {
        vm_stop(RUN_STATE_DEBUG);
    }
    serve_suspend();
    if (serve_shutdown(exit_status)) {
        return true;
    }
    vm_serve_reset_request();
    serve_wakeup();
    if (take(&requests.powerdown)) {
        qapi_event_send_powerdown();
        notifier_tell(&powerdown_notifiers, NULL);
    }
    stop = take(&requests.stop);
    if (stop) {
        vm_stop(stop - 1);
    }
    return false;
}

int vm_run_main_loop(void)
{
    int exit_status = EXIT_SUCCESS;

    while (!vm_serve_requests(&exit_status)) {
        event_loop_run_once(event_loop_main(), true);
    }
    return exit_status;
}
