/*
 * Source and target as QMP drives them, in one process with a main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include "migration/migration.h"
#include "migration/migration_test_machine.h"
#include "qapi/event.h"
#include "qapi/qapi-commands-migration.h"
#include "system/clock.h"
#include "system/machine_lock.h"
#include "system/migration_blocker.h"
#include "system/run_state.h"
#include "util/event_loop.h"

static TestMachine machine;
static char *folder;
/* "MIGRATION:setup", "STOP", in order; a lock of its own, for any thread sends. */
static GPtrArray *events;
static GMutex event_lock;

static void note_event(void *opaque, const QapiEvent *event, json_object *data)
{
    json_object *status = data ? json_member(data, "status") : NULL;
    json_object *pass = data ? json_member(data, "pass") : NULL;

    g_mutex_lock(&event_lock);
    g_ptr_array_add(events, status ? g_strdup_printf("%s:%s", event->name,
                                                     json_object_get_string(status)) :
                            pass ? g_strdup_printf("%s:%d", event->name,
                                                   json_object_get_int(pass)) :
                                   g_strdup(event->name));
    g_mutex_unlock(&event_lock);
    event_loop_wake(event_loop_main());
}

static char *take_events(void)
{
    char *all;

    g_mutex_lock(&event_lock);
    g_ptr_array_add(events, NULL);
    all = g_strjoinv(" ", (char **)events->pdata);
    g_ptr_array_set_size(events, 0);
    g_mutex_unlock(&event_lock);
    return all;
}

static MigrationStatus status_now(void)
{
    MigrationInfo *info = qmp_query_migrate(NULL);
    MigrationStatus status = info->has_status ? info->status : MIGRATION_STATUS_NONE;

    migration_info_free(info);
    return status;
}

static bool is_status(void *opaque)
{
    return status_now() == *(MigrationStatus *)opaque;
}

static void wait_for(MigrationStatus status)
{
    event_loop_run_until(event_loop_main(), is_status, &status);
}

static void set_capability(MigrationCapability capability, bool is_on)
{
    MigrationCapabilityStatus status = { capability, is_on };
    MigrationCapabilityStatus *items[] = { &status };
    MigrationCapabilityStatusArray list = { items, 1 };

    g_assert_true(qmp_migrate_set_capabilities(&list, NULL));
}

static void set_bandwidth(uint64_t bytes_per_second)
{
    MigrateSetParameters args = { .has_max_bandwidth = true, .max_bandwidth = bytes_per_second };

    g_assert_true(qmp_migrate_set_parameters(&args, NULL));
}

static char *migrate(const char *uri)
{
    QmpMigrateArgs args = { .uri = (char *)uri };
    g_autoptr(Error) err = NULL;

    return qmp_migrate(&args, &err) ? NULL : g_strdup(error_text(err));
}

static void expect_refusal(const char *uri, const char *why)
{
    g_autofree char *refusal = migrate(uri);

    g_assert_cmpstr(refusal, ==, why);
}

static void expect_events(const char *expected)
{
    g_autofree char *seen = take_events();

    g_assert_cmpstr(seen, ==, expected);
}

static void assert_error(const char *part)
{
    MigrationInfo *info = qmp_query_migrate(NULL);

    g_assert_nonnull(strstr(info->error_desc, part));
    migration_info_free(info);
}

static void set_up(void)
{
    events = g_ptr_array_new_with_free_func(g_free);
    qapi_event_set_sink(note_event, NULL);
    machine_lock_init_main();
    test_machine_set_target();
    migration_init();
    test_machine_init(&machine);
    test_machine_fill(&machine);
    test_machine_plug(&machine);
    set_capability(MIGRATION_CAPABILITY_EVENTS, true);
}

static void start_vm(void)
{
    g_autofree char *dropped = NULL;

    vm_start();
    dropped = take_events();
}

/* --- source --- */

static void test_completed(void)
{
    g_autofree char *uri = g_strdup_printf("file:%s/vm", folder);
    MigrationInfo *info;

    start_vm();
    g_assert_null(migrate(uri));
    wait_for(MIGRATION_STATUS_COMPLETED);
    expect_events("MIGRATION:setup MIGRATION_PASS:1 MIGRATION:active MIGRATION_PASS:2 STOP "
                  "MIGRATION_PASS:3 MIGRATION:completed");
    g_assert_cmpint(run_state_current(), ==, RUN_STATE_POSTMIGRATE);
    info = qmp_query_migrate(NULL);
    g_assert_true(info->has_downtime && info->has_total_time && info->ram);
    g_assert_cmpuint(info->ram->transferred, >, TEST_LIVE_BYTES);
    migration_info_free(info);
    expect_refusal(uri, "Can't migrate the vm that was paused due to previous migration");
    vm_start();
    expect_events("RESUME");
    g_assert_true(vm_is_running());
}

/* A VM that stood still stands still; nothing is said of stopping it. */
static void test_stopped_vm(void)
{
    vm_start();
    vm_stop(RUN_STATE_PAUSED);
    g_free(take_events());
    g_assert_null(migrate("exec:cat >/dev/null"));
    wait_for(MIGRATION_STATUS_COMPLETED);
    expect_events("MIGRATION:setup MIGRATION_PASS:1 MIGRATION:active MIGRATION_PASS:2 "
                  "MIGRATION_PASS:3 MIGRATION:completed");
    g_assert_cmpint(run_state_current(), ==, RUN_STATE_POSTMIGRATE);
}

static void test_failed(void)
{
    start_vm();
    g_assert_null(migrate("exec:cat >/dev/null; exit 1"));
    wait_for(MIGRATION_STATUS_FAILED);
    expect_events("MIGRATION:setup MIGRATION_PASS:1 MIGRATION:active MIGRATION_PASS:2 STOP "
                  "MIGRATION_PASS:3 RESUME MIGRATION:failed");
    g_assert_true(vm_is_running());
    assert_error("The command ended with status 1");

    g_assert_null(migrate("unix:/nonexistent/x"));
    wait_for(MIGRATION_STATUS_FAILED);
    expect_events("MIGRATION:setup MIGRATION:failed");
    g_assert_true(vm_is_running());
    assert_error("Failed to connect to '/nonexistent/x': No such file or directory");

    machine.fails_to_save = true;
    g_assert_null(migrate("exec:cat >/dev/null"));
    wait_for(MIGRATION_STATUS_FAILED);
    machine.fails_to_save = false;
    assert_error("section '/machine/alarm': the device is on fire");
    g_assert_true(vm_is_running());
}

static void test_cancelled(void)
{
    g_autofree char *seen = NULL;

    start_vm();
    set_bandwidth(1);
    g_assert_null(migrate("exec:cat >/dev/null"));
    wait_for(MIGRATION_STATUS_ACTIVE);
    expect_refusal("exec:cat", "There's a migration process in progress");
    g_assert_null(migration_blocker_add("too late", NULL));
    g_assert_true(qmp_migrate_cancel(NULL));
    wait_for(MIGRATION_STATUS_CANCELLED);
    g_assert_true(vm_is_running());
    seen = take_events();
    g_assert_true(g_pattern_match_simple("MIGRATION:setup MIGRATION_PASS:1 MIGRATION:active "
                                         "*MIGRATION:cancelling *MIGRATION:cancelled", seen));
    g_assert_null(strstr(seen, "STOP"));
    set_bandwidth(0);
    g_assert_true(qmp_migrate_cancel(NULL)); /* nothing goes on: no effect */
    g_assert_cmpint(status_now(), ==, MIGRATION_STATUS_CANCELLED);
}

static void test_bandwidth_changes(void)
{
    start_vm();
    set_bandwidth(1);
    g_assert_null(migrate("exec:cat >/dev/null"));
    wait_for(MIGRATION_STATUS_ACTIVE);
    set_bandwidth(9223372036853727232);
    wait_for(MIGRATION_STATUS_COMPLETED);
}

static void test_pre_switchover(void)
{
    g_autoptr(Error) early = NULL, other = NULL;

    set_capability(MIGRATION_CAPABILITY_PAUSE_BEFORE_SWITCHOVER, true);
    start_vm();
    g_assert_false(qmp_migrate_continue(MIGRATION_STATUS_PRE_SWITCHOVER, &early));
    g_assert_true(g_str_has_prefix(error_text(early), "Migration not in expected state: "));
    g_assert_null(migrate("exec:cat >/dev/null"));
    wait_for(MIGRATION_STATUS_PRE_SWITCHOVER);
    g_assert_cmpint(run_state_current(), ==, RUN_STATE_FINISH_MIGRATE);
    g_assert_false(qmp_migrate_continue(MIGRATION_STATUS_DEVICE, &other));
    g_assert_cmpstr(error_text(other), ==, "Migration not in expected state: pre-switchover");
    g_assert_true(qmp_migrate_cancel(NULL));
    wait_for(MIGRATION_STATUS_CANCELLED);
    expect_events("MIGRATION:setup MIGRATION_PASS:1 MIGRATION:active MIGRATION_PASS:2 STOP "
                  "MIGRATION:pre-switchover MIGRATION:cancelling RESUME MIGRATION:cancelled");
    g_assert_true(vm_is_running());

    g_assert_null(migrate("exec:cat >/dev/null"));
    wait_for(MIGRATION_STATUS_PRE_SWITCHOVER);
    g_assert_true(qmp_migrate_continue(MIGRATION_STATUS_PRE_SWITCHOVER, NULL));
    wait_for(MIGRATION_STATUS_COMPLETED);
    expect_events("MIGRATION:setup MIGRATION_PASS:1 MIGRATION:active MIGRATION_PASS:2 STOP "
                  "MIGRATION:pre-switchover MIGRATION:device MIGRATION_PASS:3 "
                  "MIGRATION:completed");
    set_capability(MIGRATION_CAPABILITY_PAUSE_BEFORE_SWITCHOVER, false);
}

static void test_refusals(void)
{
    QmpMigrateArgs nothing = { 0 }, resume = { .uri = (char *)"exec:x", .resume = true };
    MigrationBlocker *blocker = migration_blocker_add("a disk is stuck", NULL);
    g_autoptr(Error) incoming = NULL, missing = NULL, paused = NULL;
    MigrationInfo *info = qmp_query_migrate(NULL);

    start_vm();
    g_assert_cmpuint(info->blocked_reasons->count, ==, 1);
    g_assert_cmpstr(info->blocked_reasons->items[0], ==, "a disk is stuck");
    migration_info_free(info);
    expect_refusal("exec:cat", "a disk is stuck");
    migration_blocker_remove(blocker);
    expect_refusal("bogus:x", "Parameter 'uri' expects a valid migration protocol");
    expect_refusal("fd:zz", "File descriptor named 'zz' has not been found");
    g_assert_false(qmp_migrate(&nothing, &missing));
    g_assert_cmpstr(error_text(missing), ==, "Parameter 'uri' is missing");
    g_assert_false(qmp_migrate(&resume, &paused));
    g_assert_cmpstr(error_text(paused), ==, "Cannot resume if there is no paused migration");
    g_assert_false(qmp_migrate_incoming("tcp:0:0", NULL, &incoming));
    g_assert_cmpstr(error_text(incoming), ==, "'-incoming' was not specified on the command line");
    g_free(take_events());
}

/* --- parameters and capabilities --- */

static void test_parameters(void)
{
    MigrateSetParameters bad = { .has_multifd_channels = true, .multifd_channels = 0 };
    MigrationParameters *all = qmp_query_migrate_parameters(NULL), *after;
    g_autoptr(JsonObject) shown = migration_parameters_to_json(all), again = NULL;
    g_autoptr(Error) err = NULL;
    MigrateSetParameters *back;

    back = migrate_set_parameters_from_json(shown, QAPI_TYPED, NULL);
    g_assert_true(qmp_migrate_set_parameters(back, NULL));
    migrate_set_parameters_free(back);
    after = qmp_query_migrate_parameters(NULL);
    again = migration_parameters_to_json(after);
    g_assert_true(json_object_equal(shown, again));
    g_assert_cmpuint(json_object_object_length(shown), >=, 25);
    migration_parameters_free(all);
    migration_parameters_free(after);

    g_assert_false(qmp_migrate_set_parameters(&bad, &err));
    g_assert_cmpstr(error_text(err), ==,
                    "Parameter 'multifd_channels' expects a value between 1 and 255");
}

static void test_capabilities(void)
{
    MigrationCapabilityStatus none = { MIGRATION_CAPABILITY_XBZRLE, true };
    MigrationCapabilityStatus *items[] = { &none };
    MigrationCapabilityStatusArray list = { items, 1 }, *all;
    g_autoptr(Error) err = NULL;

    g_assert_false(qmp_migrate_set_capabilities(&list, &err));
    g_assert_cmpstr(error_text(err), ==,
                    "Parameter 'capability' does not accept value 'xbzrle'");
    none.state = false;
    g_assert_true(qmp_migrate_set_capabilities(&list, NULL));
    all = qmp_query_migrate_capabilities(NULL);
    for (size_t i = 0; i < all->count; i++) {
        g_assert_cmpint(all->items[i]->capability, !=, MIGRATION_CAPABILITY_XBZRLE);
    }
    migration_capability_status_array_free(all);
}

/* --- target: each in a process of its own, for a process has one --- */

static char *stream_path(void)
{
    return g_strdup_printf("%s/vm", folder);
}

static int64_t saved_clock_ns(void)
{
    g_autofree char *path = g_strdup_printf("%s/clock", folder), *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return g_ascii_strtoll(text, NULL, 10);
}

static void forget_machine(void)
{
    machine.delay = 0;
    memset(machine.live, 0, sizeof(machine.live));
}

static void child_deferred(void)
{
    g_autofree char *path = stream_path(), *uri = g_strdup_printf("file:%s", path);
    g_autoptr(Error) twice = NULL;

    forget_machine();
    g_assert_true(migration_incoming_expect("defer", NULL));
    g_assert_true(migration_incoming_start(NULL));
    g_assert_cmpint(run_state_current(), ==, RUN_STATE_INMIGRATE);
    expect_refusal("exec:cat", "Guest is waiting for an incoming migration");
    g_assert_false(qmp_migrate_incoming("file:/nonexistent/x", NULL, NULL)); /* may be tried again */
    g_assert_true(qmp_migrate_incoming(uri, NULL, NULL));
    g_assert_false(qmp_migrate_incoming(uri, NULL, &twice));
    g_assert_cmpstr(error_text(twice), ==, "The incoming migration has already been started");
    vm_set_autostart(false);
    wait_for(MIGRATION_STATUS_COMPLETED);
    expect_events("MIGRATION:setup MIGRATION:active MIGRATION:completed");
    g_assert_cmpint(run_state_current(), ==, RUN_STATE_PAUSED);
    g_assert_cmphex(machine.delay, ==, 0x12345678);
    g_assert_cmpint(machine.live[100], ==, 100 * 7 % 256);
    g_assert_cmpint(clock_now_ns(CLOCK_VIRTUAL), ==, saved_clock_ns());
    migration_cleanup();
}

static void child_autostart(void)
{
    g_autofree char *path = stream_path(), *uri = g_strdup_printf("file:%s", path);

    g_assert_true(migration_incoming_expect(uri, NULL));
    g_assert_true(migration_incoming_start(NULL));
    wait_for(MIGRATION_STATUS_COMPLETED);
    expect_events("MIGRATION:setup MIGRATION:active MIGRATION:completed RESUME");
    g_assert_true(vm_is_running());
    migration_cleanup();
}

/* The process ends with status 1, having said why. */
static void child_damaged(void)
{
    g_autofree char *path = stream_path(), *uri = g_strdup_printf("exec:head -c 300 %s", path);
    int status = 0;

    g_assert_true(migration_incoming_expect(uri, NULL));
    g_assert_true(migration_incoming_start(NULL));
    status = vm_run_main_loop();
    migration_cleanup();
    exit(status);
}

static void child_damaged_deferred(void)
{
    g_autofree char *path = stream_path(), *uri = g_strdup_printf("exec:head -c 300 %s", path);

    g_assert_true(migration_incoming_expect("defer", NULL));
    g_assert_true(qmp_migrate_incoming(uri, NULL, NULL));
    wait_for(MIGRATION_STATUS_FAILED);
    assert_error("the stream ended early");
    g_assert_cmpint(run_state_current(), ==, RUN_STATE_INMIGRATE);
    migration_cleanup();
}

/* Nobody ever connects; the process can end all the same. */
static void child_ends_while_waiting(void)
{
    MigrationInfo *info;

    g_assert_true(migration_incoming_expect("tcp:127.0.0.1:0", NULL));
    g_assert_true(migration_incoming_start(NULL));
    info = qmp_query_migrate(NULL);
    g_assert_cmpuint(info->socket_address->count, ==, 1);
    g_assert_cmpstr(info->socket_address->items[0]->u.inet.port, !=, "0");
    migration_info_free(info);
    migration_cleanup();
}

static void save_for_children(void)
{
    g_autofree char *path = stream_path(), *uri = g_strdup_printf("file:%s", path);
    g_autofree char *clock_path = g_strdup_printf("%s/clock", folder), *clock = NULL;

    start_vm();
    g_assert_null(migrate(uri));
    wait_for(MIGRATION_STATUS_COMPLETED);
    clock = g_strdup_printf("%" PRId64, clock_now_ns(CLOCK_VIRTUAL));
    g_assert_true(g_file_set_contents(clock_path, clock, -1, NULL));
    g_free(take_events());
}

static void run_child(const char *name)
{
    g_autofree char *path = g_strdup_printf("/migration/subprocess/%s", name);

    save_for_children();
    g_test_trap_subprocess(path, 0, 0);
}

static void test_deferred(void)
{
    run_child("deferred");
    g_test_trap_assert_passed();
}

static void test_autostart(void)
{
    run_child("autostart");
    g_test_trap_assert_passed();
}

static void test_damaged(void)
{
    run_child("damaged");
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*load of migration failed: *the stream ended early, after 300 "
                              "bytes*");
}

static void test_damaged_deferred(void)
{
    run_child("damaged-deferred");
    g_test_trap_assert_passed();
}

static void test_ends_while_waiting(void)
{
    run_child("ends-while-waiting");
    g_test_trap_assert_passed();
}

static void add_children(void)
{
    g_test_add_func("/migration/subprocess/deferred", child_deferred);
    g_test_add_func("/migration/subprocess/autostart", child_autostart);
    g_test_add_func("/migration/subprocess/damaged", child_damaged);
    g_test_add_func("/migration/subprocess/damaged-deferred", child_damaged_deferred);
    g_test_add_func("/migration/subprocess/ends-while-waiting", child_ends_while_waiting);
}

static void add_tests(void)
{
    g_test_add_func("/migration/source/completed", test_completed);
    g_test_add_func("/migration/source/stopped-vm", test_stopped_vm);
    g_test_add_func("/migration/source/failed", test_failed);
    g_test_add_func("/migration/source/cancelled", test_cancelled);
    g_test_add_func("/migration/source/bandwidth-changes", test_bandwidth_changes);
    g_test_add_func("/migration/source/pre-switchover", test_pre_switchover);
    g_test_add_func("/migration/source/refusals", test_refusals);
    g_test_add_func("/migration/parameters", test_parameters);
    g_test_add_func("/migration/capabilities", test_capabilities);
    g_test_add_func("/migration/target/deferred", test_deferred);
    g_test_add_func("/migration/target/autostart", test_autostart);
    g_test_add_func("/migration/target/damaged", test_damaged);
    g_test_add_func("/migration/target/damaged-deferred", test_damaged_deferred);
    g_test_add_func("/migration/target/ends-while-waiting", test_ends_while_waiting);
}

/* Made by the first process, known to its children. */
static void make_folder(void)
{
    if (!g_test_subprocess()) {
        folder = g_dir_make_tmp("tandem-migration-XXXXXX", NULL);
        g_setenv("TANDEM_TEST_FOLDER", folder, TRUE);
    } else {
        folder = g_strdup(g_getenv("TANDEM_TEST_FOLDER"));
    }
}

static void remove_folder(void)
{
    g_autofree char *stream = stream_path();
    g_autofree char *clock = g_build_filename(folder, "clock", NULL);

    if (!g_test_subprocess()) {
        g_unlink(stream);
        g_unlink(clock);
        g_rmdir(folder);
    }
    g_free(folder);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    make_folder();
    set_up();
    add_children();
    add_tests();
    status = g_test_run();
    migration_cleanup();
    remove_folder();
    return status;
}
