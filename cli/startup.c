/*
 * Start-up in its order: what the process is, its back ends, the machine, users' devices, the
 * world's view of it. See cli/startup.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "backends/tpm.h"
#include "chardev/chardev.h"
#include "cli/board_options.h"
#include "cli/daemon.h"
#include "cli/displays.h"
#include "cli/drives.h"
#include "cli/machine_options.h"
#include "cli/networks.h"
#include "cli/sandbox.h"
#include "cli/startup.h"
#include "gdbstub/gdbstub.h"
#include "hw/core/data_files.h"
#include "hw/core/machine.h"
#include "hw/core/nmi.h"
#include "hw/core/reset.h"
#include "migration/migration.h"
#include "system/migration_blocker.h"
#include "monitor/monitor.h"
#include "net/net.h"
#include "qapi/qapi.h"
#include "qapi/qapi-types-run-state.h"
#include "qom/trace_option.h"
#include "qom/user_creatable.h"
#include "qtest/server.h"
#include "system/accel.h"
#include "system/guest_debug.h"
#include "system/identity.h"
#include "system/rtc.h"
#include "system/machine_snapshot.h"
#include "system/run_state.h"
#include "system/target.h"
#include "system/vcpu.h"
#include "ui/input.h"
#include "util/event_loop.h"
#include "util/fdset.h"
#include "util/log.h"
#include "util/size.h"
#include "util/thread.h"

/* Reports `err` (with the option, when one is named) and returns false. */
static bool fail(Error *err)
{
    error_report_err(err);
    error_set_location(NULL, NULL);
    return false;
}

static bool fail_option(const char *name, const char *arg, const char *why)
{
    error_set_location(name, arg);
    error_report("%s", why);
    error_set_location(NULL, NULL);
    return false;
}

/* --- the process --- */

static bool set_identity(OptionSet *set)
{
    const char *guest = option_key(set, "name", "guest");
    const char *process = option_key(set, "name", "process");
    const char *uuid = option_text(set, "uuid");
    Error *err = NULL;

    error_set_timestamps(option_key_bool(set, "msg", "timestamp", false));
    thread_show_names(option_key_bool(set, "name", "debug-threads", false));
    identity_set_name(guest);
    if (option_key_bool(set, "msg", "guest-name", false)) {
        error_set_guest_name(guest);
    }
    if (process) {
        prctl(PR_SET_NAME, process);
    }
    error_set_location("uuid", uuid);
    if (uuid && !identity_set_uuid(uuid, &err)) {
        return fail(err);
    }
    error_set_location(NULL, NULL);
    return true;
}

static bool enable_trace(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    return trace_apply_option(value->keys, errp);
}

static bool set_log(OptionSet *set)
{
    const char *items = option_text(set, "d"), *file = option_text(set, "D");
    const char *filter = option_text(set, "dfilter");
    g_autofree char *why = NULL;

    accel_set_perf_map(option_given(set, "perfmap"));
    if (file && !log_set_file(file, &why)) {
        return fail_option("D", file, why);
    }
    if (filter && !log_set_filter(filter, &why)) {
        return fail_option("dfilter", filter, why);
    }
    if (items && !log_set_items(items, &why)) {
        return fail_option("d", items, why);
    }
    return option_each(set, "trace", enable_trace, NULL);
}

/* Ours are closed on exec; one that is not was inherited. */
static bool is_inherited(uint64_t fd)
{
    int flags = fd > 2 && fd <= INT_MAX ? fcntl(fd, F_GETFD) : -1;

    return flags >= 0 && !(flags & FD_CLOEXEC);
}

static bool add_fd(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    json_object *number = json_member(value->keys, "fd"), *to = json_member(value->keys, "set");
    json_object *text = json_member(value->keys, "opaque");
    g_autofree char *why = NULL;
    uint64_t id, fd;
    int copy;

    if (!number || !to) {
        return error_set(errp, "Parameter '%s' is missing", number ? "set" : "fd");
    }
    if (!number_parse(json_object_get_string(number), &fd, &why) ||
        !number_parse(json_object_get_string(to), &id, &why) || id > INT64_MAX) {
        return error_set(errp, "Parameters 'fd' and 'set' expect numbers: %s", why ? why : "range");
    }
    if (!is_inherited(fd)) {
        return error_set(errp, "fd is not valid or already in use");
    }
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) {
        return error_set_errno(errp, errno, "error duplicating fd");
    }
    fdset_add(id, copy, text ? json_object_get_string(text) : NULL);
    return true;
}

static bool lock_memory(OptionSet *set)
{
    const char *mode = option_key(set, "overcommit", "mem-lock");
    int flags = MCL_CURRENT | MCL_FUTURE;

    if (!mode || !strcmp(mode, "off")) {
        return true;
    }
    if (!strcmp(mode, "on-fault")) {
        flags |= MCL_ONFAULT;
    } else if (strcmp(mode, "on")) {
        error_report("-overcommit mem-lock=%s: Parameter 'mem-lock' does not accept value '%s'",
                     mode, mode);
        return false;
    }
    if (mlockall(flags) < 0) {
        error_report("-overcommit mem-lock=%s: cannot lock memory: %s", mode, g_strerror(errno));
        return false;
    }
    return true;
}

static bool read_action(OptionSet *set, const char *key, const EnumTable *table, int *out,
                        Error **errp)
{
    const char *text = option_key(set, "action", key);
    int value = text ? enum_table_find(table, text) : *out;

    if (value < 0) {
        return error_set(errp, "Parameter '%s' does not accept value '%s'", key, text);
    }
    *out = value;
    return true;
}

static bool set_actions(OptionSet *set)
{
    RunActions *actions = run_actions();
    Error *err = NULL;
    int reboot = actions->reboot, shutdown = actions->shutdown, panic = actions->panic;
    int watchdog = actions->watchdog;

    error_set_location("action", "...");
    if (!read_action(set, "reboot", &reboot_action_names, &reboot, &err) ||
        !read_action(set, "shutdown", &shutdown_action_names, &shutdown, &err) ||
        !read_action(set, "panic", &panic_action_names, &panic, &err) ||
        !read_action(set, "watchdog", &watchdog_action_names, &watchdog, &err)) {
        return fail(err);
    }
    error_set_location(NULL, NULL);
    *actions = (RunActions){ reboot, shutdown, panic, watchdog };
    return true;
}

static bool set_rtc(OptionSet *set)
{
    Error *err = NULL;

    return rtc_configure(option_key(set, "rtc", "base"), option_key(set, "rtc", "clock"),
                         option_key(set, "rtc", "driftfix"), &err) || fail(err);
}

static bool add_data_folder(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    data_files_add_folder(value->text);
    return true;
}

static bool prepare_process(OptionSet *set)
{
    const char *user = option_key(set, "run-with", "user");
    Error *err = NULL;

    if (!set_identity(set) || !set_log(set) || !option_each(set, "add-fd", add_fd, NULL)) {
        return false;
    }
    if (!privileges_check(user, &err)) {
        error_set_location("runas", user);
        return fail(err);
    }
    if (!sandbox_enter(option_keys(set, "sandbox"), &err)) {
        error_set_location("sandbox", "...");
        return fail(err);
    }
    signals_install();
    qapi_set_target(target_info()->name);
    return lock_memory(set) && set_actions(set) && set_rtc(set) &&
           option_each(set, "L", add_data_folder, NULL);
}

/* --- back ends --- */

static bool add_object(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    bool *wants_late = opaque;
    json_object *type = json_member(value->keys, "qom-type");

    if (type && user_creatable_is_late(json_object_get_string(type)) != *wants_late) {
        return true;
    }
    if (!type && *wants_late) {
        return true;
    }
    return user_creatable_add(value->keys, value->is_json ? PROPERTY_TYPED : PROPERTY_TEXT, errp);
}

static bool add_chardev(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    return chardev_add_from_options(value->keys, errp);
}

static bool start_qtest(OptionSet *set)
{
    const char *spec = option_text(set, "qtest"), *log = option_text(set, "qtest-log");
    Error *err = NULL;

    if (!spec) {
        return true;
    }
    error_set_location("qtest", spec);
    if (!qtest_server_start(spec, log, &err)) {
        return fail(err);
    }
    error_set_location(NULL, NULL);
    return true;
}

static bool add_tpm(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    return tpm_backend_add(value->keys, errp);
}

static bool add_back_ends(OptionSet *set)
{
    bool is_late = false;

    drives_prepare();
    if (!option_each(set, "object", add_object, &is_late) ||
        !option_each(set, "chardev", add_chardev, NULL) || !start_qtest(set) ||
        !networks_add(set)) {
        return false;
    }
    is_late = true;
    return option_each(set, "object", add_object, &is_late) && board_lines_add(set) &&
           option_each(set, "tpmdev", add_tpm, NULL) && drives_add(set);
}

/* The VM waits for a migration from now on, whatever else is made. */
static bool expect_incoming(OptionSet *set)
{
    const char *uri = option_text(set, "incoming");
    Error *err = NULL;

    if (uri && option_given(set, "preconfig") && strcmp(uri, "defer")) {
        error_report("'preconfig' supports '-incoming defer' only");
        return false;
    }
    error_set_location("incoming", uri);
    if (uri && !migration_incoming_expect(uri, &err)) {
        return fail(err);
    }
    error_set_location(NULL, NULL);
    return true;
}

static void prepare_migration(OptionSet *set)
{
    migration_init();
    migration_set_only_migratable(option_given(set, "only-migratable"));
}

/* Ctrl-a x on a multiplexed terminal. */
static void quit_from_terminal(void)
{
    vm_request_quit(SHUTDOWN_CAUSE_HOST_UI, 0);
}

bool startup_prepare(OptionSet *set)
{
    static const ChardevMuxActions terminal_actions = { .quit = quit_from_terminal };
    const char *pid_file = option_text(set, "pidfile");
    Error *err = NULL;

    event_loop_main();
    if (!displays_check(set)) {
        return false;
    }
    chardev_set_mux_actions(&terminal_actions);
    if (!prepare_process(set)) {
        return false;
    }
    monitor_init();
    if (!machine_options_create(set)) {
        return false;
    }
    prepare_migration(set);
    if (!expect_incoming(set) || !add_back_ends(set) || !board_options_take(set) ||
        !machine_options_apply(set)) {
        return false;
    }
    if (daemon_is_used() && chardev_stdio_is_used()) {
        error_report("-daemonize cannot be used with a chardev on the terminal");
        return false;
    }
    if (pid_file && !pid_file_create(pid_file, &err)) {
        return fail(err);
    }
    /* With --preconfig whoever started us must be able to connect now. */
    return !option_given(set, "preconfig") || daemon_ready(&err) || fail(err);
}

/* --- the machine --- */

static bool add_device(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    return device_add(value->keys, value->is_json ? PROPERTY_TYPED : PROPERTY_TEXT, errp);
}

static void reset_all(ShutdownCause cause)
{
    reset_machine();
}

/* A guest that stands still sees no keys; a sleeping one may be woken by them. */
static bool takes_input(void)
{
    return vm_is_running() || run_state_current() == RUN_STATE_SUSPENDED;
}

static void inject_nmi(void)
{
    Error *err = NULL;

    if (!nmi_inject(&err)) {
        error_prefix(&err, "watchdog: cannot inject an NMI: ");
        warn_report_err(err);
    }
}

static bool write_vmstate(OptionSet *set)
{
    const char *path = option_text(set, "dump-vmstate");
    Error *err = NULL;

    if (!path) {
        return true;
    }
    if (!migration_dump_vmstate(path, &err)) {
        error_set_location("dump-vmstate", path);
        return fail(err);
    }
    exit(0);
}

static bool start_incoming(OptionSet *set)
{
    const char *uri = option_text(set, "incoming");
    Error *err = NULL;

    if (!uri) {
        return true;
    }
    error_set_location("incoming", uri);
    if (!migration_incoming_start(&err)) {
        return fail(err);
    }
    error_set_location(NULL, NULL);
    return true;
}

static bool load_snapshot(OptionSet *set)
{
    MachineSnapshot snapshot = { .name = option_text(set, "loadvm") };
    Error *err = NULL;

    if (!snapshot.name) {
        return true;
    }
    error_set_location("loadvm", snapshot.name);
    if (!machine_snapshot_ops()->load(&snapshot, &err)) {
        return fail(err);
    }
    error_set_location(NULL, NULL);
    return true;
}

static bool start_gdbstub(OptionSet *set)
{
    const char *spec = option_text(set, "gdb");
    Error *err = NULL;

    debug_set_server(gdbstub_start);
    if (!spec) {
        return true;
    }
    error_set_location("gdb", spec);
    if (!gdbstub_start(spec, &err)) {
        return fail(err);
    }
    error_set_location(NULL, NULL);
    return true;
}

static bool let_go(OptionSet *set)
{
    Error *err = NULL;

    return (privileges_drop(option_key(set, "run-with", "user"),
                            option_key(set, "run-with", "chroot"), &err) &&
            daemon_ready(&err)) || fail(err);
}

bool startup_machine(OptionSet *set)
{
    Machine *machine = machine_current();
    Error *err = NULL;

    vm_set_autostart(!option_given(set, "S"));
    if (!machine_options_build(set) || !networks_place(set) || !board_usb_add(set) ||
        !option_each(set, "device", add_device, NULL) || !board_devices_add(set) ||
        !drives_place(set)) {
        return false;
    }
    net_check();
    device_warn_unused_globals();
    vm_set_reset_handler(reset_all);
    vm_set_nmi_handler(inject_nmi);
    input_set_gate(takes_input);
    if (!machine_set_ready(machine, &err)) {
        return fail(err);
    }
    if (!write_vmstate(set) || !displays_start(set) || !start_gdbstub(set) || !start_incoming(set) ||
        !load_snapshot(set) || !let_go(set)) {
        return false;
    }
    if (!option_given(set, "incoming") && vm_is_autostart()) {
        vm_start();
    }
    return true;
}

void startup_undo(void)
{
    migration_cleanup();
    gdbstub_cleanup();
    displays_cleanup();
    if (machine_current()) {
        /* What is destroyed must not be running. */
        vcpu_pause_all();
        machine_destroy();
    }
    drives_cleanup();
    net_cleanup();
    accel_end();
    monitor_cleanup();
    qtest_server_cleanup();
    user_creatable_cleanup();
    tpm_backend_cleanup();
    chardev_cleanup();
}
