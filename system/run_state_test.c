/*
 * Run state: the table, and the order of events that clients rely on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/run_state.h"

#include <signal.h>

#include "qapi/event.h"
#include "qapi/qapi-commands-control.h"
#include "qapi/qapi-commands-machine.h"
#include "qapi/qapi-commands-misc.h"
#include "qapi/qapi-commands-run-state.h"
#include "system/clock.h"
#include "system/machine_lock.h"
#include "util/event_loop.h"
#include "util/thread.h"

static GString *seen; /* events and what the machine's parts were told, in order */

static void sink(void *opaque, const QapiEvent *event, json_object *data)
{
    json_object *reason;

    g_string_append_printf(seen, "%s ", event->name);
    if (data && (reason = json_member(data, "reason"))) {
        g_string_append_printf(seen, "%s/%s ", json_object_get_string(reason),
                               json_object_get_boolean(json_member(data, "guest")) ? "guest"
                                                                                   : "host");
    }
}

static void expect(const char *what)
{
    g_strchomp(seen->str);
    g_assert_cmpstr(seen->str, ==, what);
    g_string_truncate(seen, 0);
}

static void reset_machine(ShutdownCause cause)
{
    g_string_append(seen, vm_is_waking() ? "woken! " : "reset! ");
}

/* True with its status if the process would end. */
static bool serve(int *exit_status)
{
    *exit_status = -1;
    return vm_serve_requests(exit_status);
}

static void serve_on(void)
{
    int exit_status;

    g_assert_false(serve(&exit_status));
}

/* Back to a machine that was just made; nothing of it is watched. */
static void start_afresh(void)
{
    *run_actions() = (RunActions){ REBOOT_ACTION_RESET, SHUTDOWN_ACTION_POWEROFF,
                                   PANIC_ACTION_SHUTDOWN, WATCHDOG_ACTION_RESET };
    vm_stop(RUN_STATE_PAUSED);
    vm_request_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    serve_on();
    g_assert_cmpint(run_state_current(), ==, RUN_STATE_PRELAUNCH);
    g_string_truncate(seen, 0);
}

static void test_table(void)
{
    for (RunState s = 0; s < RUN_STATE_COUNT; s++) {
        bool can_run = run_state_can_become(s, RUN_STATE_RUNNING);

        g_assert_true(run_state_can_become(s, s));
        g_assert_cmpint(can_run, ==, s != RUN_STATE_SHUTDOWN && s != RUN_STATE_INTERNAL_ERROR);
        /* Whatever went wrong, a reset leads back. */
        g_assert_true(run_state_can_become(s, RUN_STATE_PRELAUNCH) || s == RUN_STATE_RUNNING);
        g_assert_true(run_state_can_become(s, RUN_STATE_PAUSED));
    }
    g_assert_false(run_state_can_become(RUN_STATE_RUNNING, RUN_STATE_INMIGRATE));
    g_assert_false(run_state_can_become(RUN_STATE_POSTMIGRATE, RUN_STATE_INMIGRATE));
}

typedef struct Ear {
    Notifier notifier;
    char name;
} Ear;

static void hear(Notifier *notifier, void *data)
{
    const RunStateChange *change = data;

    g_string_append_printf(seen, "%c%c%d ", container_of(notifier, Ear, notifier)->name,
                           change->is_running ? '+' : '-',
                           clock_is_running(CLOCK_VIRTUAL));
}

static void test_stop_cont(void)
{
    Ear device = { { hear, 10 }, 'd' }, backend = { { hear }, 'b' };

    start_afresh();
    vm_add_state_notifier(&backend.notifier);
    vm_add_state_notifier(&device.notifier);
    g_assert_true(qmp_cont(NULL));
    expect("RESUME d+1 b+1");
    g_assert_true(qmp_cont(NULL));
    expect("");
    g_assert_true(qmp_stop(NULL));
    expect("b-0 d-0 STOP");
    g_assert_true(qmp_stop(NULL));
    expect("");
    g_assert_cmpint(run_state_current(), ==, RUN_STATE_PAUSED);
    notifier_remove(&device.notifier);
    notifier_remove(&backend.notifier);
}

static void test_reset(void)
{
    start_afresh();
    g_assert_true(qmp_system_reset(NULL));
    expect("");
    serve_on();
    expect("reset! RESET host-qmp-system-reset/host");
    vm_start();
    g_string_truncate(seen, 0);
    vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
    serve_on();
    expect("reset! RESET guest-reset/guest");
    g_assert_true(vm_is_running());
    vm_request_reset(SHUTDOWN_CAUSE_SUBSYSTEM_RESET);
    serve_on();
    expect("reset!");
}

static void test_no_reboot(void)
{
    int exit_status;

    start_afresh();
    vm_start();
    g_string_truncate(seen, 0);
    run_actions()->reboot = REBOOT_ACTION_SHUTDOWN;
    vm_request_reset(SHUTDOWN_CAUSE_SUBSYSTEM_RESET);
    serve_on();
    expect("reset!");
    vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
    g_assert_true(serve(&exit_status));
    g_assert_cmpint(exit_status, ==, 0);
    expect("SHUTDOWN guest-reset/guest");
}

/* What libvirt's "fake reboot" does, and its end of a domain: the signal always quits. */
static void test_no_shutdown(void)
{
    g_autoptr(Error) err = NULL;
    int exit_status;

    start_afresh();
    vm_start();
    g_string_truncate(seen, 0);
    run_actions()->shutdown = SHUTDOWN_ACTION_PAUSE;
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    serve_on();
    expect("SHUTDOWN guest-shutdown/guest STOP");
    g_assert_cmpint(run_state_current(), ==, RUN_STATE_SHUTDOWN);
    g_assert_false(qmp_cont(&err));
    g_assert_cmpstr(error_text(err), ==, "Resetting the Virtual Machine is required");
    g_assert_true(qmp_system_reset(NULL));
    g_assert_true(qmp_cont(NULL));
    expect("reset! RESET host-qmp-system-reset/host RESUME");
    vm_request_quit(SHUTDOWN_CAUSE_HOST_QMP_QUIT, 0);
    g_assert_true(serve(&exit_status));
    expect("SHUTDOWN host-qmp-quit/host");
}

static void killed(int signal)
{
    vm_request_kill(signal, 0);
}

static void sink_report(void *opaque, const char *line)
{
    g_string_append_printf(seen, "[%s] ", line);
}

static void test_signal(void)
{
    start_afresh();
    run_actions()->shutdown = SHUTDOWN_ACTION_PAUSE;
    error_redirect(sink_report, NULL);
    signal(SIGUSR1, killed);
    raise(SIGUSR1);
    /* Neither a lost wake-up nor a second wait. */
    g_assert_cmpint(vm_run_main_loop(), ==, 0);
    signal(SIGUSR1, SIG_DFL);
    error_redirect(NULL, NULL);
    g_assert_nonnull(strstr(seen->str, "terminating on signal"));
    g_assert_nonnull(strstr(seen->str, "SHUTDOWN host-signal/host"));
    g_string_truncate(seen, 0);
}

static void test_suspend(void)
{
    g_autoptr(Error) err = NULL;

    start_afresh();
    vm_start();
    g_string_truncate(seen, 0);
    g_assert_false(qmp_system_wakeup(&err));
    vm_set_wakeup_support(true);
    g_assert_false(qmp_system_wakeup(NULL));
    vm_request_suspend();
    serve_on();
    expect("SUSPEND");
    g_assert_false(vm_is_running());
    g_assert_true(clock_is_running(CLOCK_VIRTUAL));
    /* Stopped and continued, the guest still sleeps. */
    g_assert_true(qmp_stop(NULL));
    g_assert_true(qmp_cont(NULL));
    expect("STOP RESUME");
    g_assert_cmpint(run_state_current(), ==, RUN_STATE_SUSPENDED);
    vm_enable_wakeup(WAKEUP_RTC, false);
    g_assert_true(vm_request_wakeup(WAKEUP_RTC, NULL));
    serve_on();
    expect("");
    vm_enable_wakeup(WAKEUP_RTC, true);
    g_assert_true(qmp_system_wakeup(NULL));
    serve_on();
    expect("woken! WAKEUP");
    g_assert_true(vm_is_running());
    g_assert_true(qmp_system_powerdown(NULL));
    serve_on();
    expect("POWERDOWN");
}

static void test_panic_and_watchdog(void)
{
    int exit_status;

    start_afresh();
    vm_start();
    g_string_truncate(seen, 0);
    run_actions()->panic = PANIC_ACTION_PAUSE;
    vm_guest_panicked(NULL);
    serve_on();
    expect("GUEST_PANICKED STOP");
    g_assert_cmpint(run_state_current(), ==, RUN_STATE_GUEST_PANICKED);
    run_actions()->panic = PANIC_ACTION_EXIT_FAILURE;
    vm_guest_panicked(NULL);
    g_assert_true(serve(&exit_status));
    g_assert_cmpint(exit_status, ==, EXIT_FAILURE);
    expect("GUEST_PANICKED SHUTDOWN guest-panic/guest");
    start_afresh();
    vm_start();
    g_string_truncate(seen, 0);
    g_assert_true(qmp_watchdog_set_action(WATCHDOG_ACTION_PAUSE, NULL));
    vm_watchdog_expired();
    serve_on();
    expect("WATCHDOG STOP");
    g_assert_true(qmp_set_action(false, 0, false, 0, false, 0, true, WATCHDOG_ACTION_RESET, NULL));
    vm_watchdog_expired();
    serve_on();
    expect("WATCHDOG reset! RESET guest-reset/guest");
}

static void *ask_from_thread(void *opaque)
{
    g_usleep(1000);
    vm_request_quit(SHUTDOWN_CAUSE_HOST_ERROR, 3);
    return NULL;
}

static void test_from_thread(void)
{
    GThread *thread;

    start_afresh();
    thread = thread_new("ask", ask_from_thread, NULL, NULL);
    g_assert_cmpint(vm_run_main_loop(), ==, 3);
    g_thread_join(thread);
    expect("SHUTDOWN host-error/host");
}

static void test_incoming(void)
{
    start_afresh();
    run_state_set(RUN_STATE_INMIGRATE);
    g_assert_true(qmp_stop(NULL));
    g_assert_false(vm_is_autostart());
    g_assert_true(qmp_cont(NULL));
    g_assert_true(vm_is_autostart());
    expect("");
    vm_stop_force_state(RUN_STATE_PAUSED);
    expect("");
    g_assert_cmpint(run_state_current(), ==, RUN_STATE_PAUSED);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    seen = g_string_new(NULL);
    machine_lock_init_main();
    qapi_event_set_sink(sink, NULL);
    vm_set_reset_handler(reset_machine);
    g_test_add_func("/run-state/table", test_table);
    g_test_add_func("/run-state/stop-cont", test_stop_cont);
    g_test_add_func("/run-state/reset", test_reset);
    g_test_add_func("/run-state/no-reboot", test_no_reboot);
    g_test_add_func("/run-state/no-shutdown", test_no_shutdown);
    g_test_add_func("/run-state/signal", test_signal);
    g_test_add_func("/run-state/suspend", test_suspend);
    g_test_add_func("/run-state/panic-and-watchdog", test_panic_and_watchdog);
    g_test_add_func("/run-state/from-thread", test_from_thread);
    g_test_add_func("/run-state/incoming", test_incoming);
    status = g_test_run();
    machine_unlock();
    g_string_free(seen, true);
    return status;
}
