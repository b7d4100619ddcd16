/*
 * The outgoing migration: a thread that goes through the stages. It holds the machine lock for
 * decisions and changes of state, never while it waits for the stream.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/block_image.h"
#include "migration/capability.h"
#include "migration/endpoint.h"
#include "migration/outgoing.h"
#include "migration/parameter.h"
#include "migration/ram.h"
#include "migration/run_state_section.h"
#include "migration/save.h"
#include "qapi/qapi-commands-migration.h"
#include "qapi/qapi-events-migration.h"
#include "system/machine_lock.h"
#include "system/migration_blocker.h"
#include "system/run_state.h"
#include "trace.h"
#include "util/event_loop.h"
#include "util/thread.h"

/* The one migration. Machine lock. */
static struct {
    MigrationStatus status;
    Error *error;
    Endpoint *endpoint; /* while it runs */
    GThread *thread;    /* until it is joined */
    RunState before;    /* what the machine comes back to if this fails */
    bool is_cancelled;
    bool may_switch;    /* migrate-continue */
    bool is_committed;  /* the target has everything and may run */
    GCond changed;      /* of the two above */
    OutgoingReport times;
} outgoing;

static bool is_running(void)
{
    return outgoing.endpoint != NULL;
}

void outgoing_report(OutgoingReport *report)
{
    *report = outgoing.times;
    report->status = outgoing.status;
    report->error = outgoing.error ? error_text(outgoing.error) : NULL;
    if (is_running()) {
        report->bytes = migration_stream_bytes(endpoint_stream(outgoing.endpoint));
    }
}

void migration_send_status(MigrationStatus status)
{
    if (capability_is_on(MIGRATION_CAPABILITY_EVENTS)) {
        qapi_event_send_migration(status);
    }
}

/* A cancelled migration shows no stage any more but its end. */
static void set_status(MigrationStatus status)
{
    bool is_end = status == MIGRATION_STATUS_CANCELLED || status == MIGRATION_STATUS_FAILED ||
                  status == MIGRATION_STATUS_COMPLETED;

    if ((outgoing.is_cancelled && !is_end && status != MIGRATION_STATUS_CANCELLING) ||
        outgoing.status == status) {
        return;
    }
    outgoing.status = status;
    trace_migration_outgoing_status(enum_table_name(&migration_status_names, status));
    migration_send_status(status);
}

/* A pass is a round over guest memory. */
static void tell_passes(void)
{
    uint64_t rounds = ram_report().rounds;

    while (outgoing.times.passes < rounds) {
        outgoing.times.passes++;
        if (capability_is_on(MIGRATION_CAPABILITY_EVENTS)) {
            qapi_event_send_migration_pass(outgoing.times.passes);
        }
    }
}

static void apply_bandwidth(void)
{
    if (is_running()) {
        migration_stream_set_limit(endpoint_stream(outgoing.endpoint),
                                   parameter_uint("max-bandwidth"));
    }
}

/* --- the thread's stages --- */

static bool begin(Endpoint *e, SaveSession *session, Error **errp)
{
    if (!endpoint_connect(e, errp) || !save_session_begin(session, errp)) {
        return false;
    }
    MACHINE_LOCK_SCOPE();
    outgoing.times.active_ns = host_monotonic_ns();
    tell_passes();
    set_status(MIGRATION_STATUS_ACTIVE);
    return true;
}

static void stop_machine(void)
{
    MACHINE_LOCK_SCOPE();

    outgoing.times.stop_ns = host_monotonic_ns();
    outgoing.before = run_state_current();
    run_state_section_note(outgoing.before);
    vm_stop_force_state(RUN_STATE_FINISH_MIGRATE);
}

static bool iterate(Endpoint *e, SaveSession *session, Error **errp)
{
    bool is_done = false;

    while (!is_done) {
        if (!migration_stream_pace(endpoint_stream(e), errp) ||
            !save_session_iterate(session, &is_done, errp)) {
            return false;
        }
        MACHINE_LOCK_SCOPE();
        tell_passes();
    }
    return true;
}

/* Where a client may still do things on this side while nothing runs. */
static bool wait_for_switchover(Error **errp)
{
    MACHINE_LOCK_SCOPE();

    if (!capability_is_on(MIGRATION_CAPABILITY_PAUSE_BEFORE_SWITCHOVER)) {
        return true;
    }
    set_status(MIGRATION_STATUS_PRE_SWITCHOVER);
    while (!outgoing.may_switch && !outgoing.is_cancelled) {
        machine_lock_wait(&outgoing.changed);
    }
    if (outgoing.is_cancelled) {
        return error_set(errp, "cancelled");
    }
    set_status(MIGRATION_STATUS_DEVICE);
    return true;
}

/* From here on the target may run: this side must not, whatever a client says. */
static bool commit(Error **errp)
{
    MACHINE_LOCK_SCOPE();

    tell_passes();
    outgoing.is_committed = !outgoing.is_cancelled;
    return outgoing.is_committed || error_set(errp, "cancelled");
}

/* Before the other side knows that it is the machine now. */
static bool give_images(Error **errp)
{
    MACHINE_LOCK_SCOPE();
    return block_images_give(errp);
}

static bool complete(Endpoint *e, SaveSession *session, Error **errp)
{
    return give_images(errp) && save_session_complete(session, errp) &&
           migration_stream_flush(endpoint_stream(e), errp) && commit(errp) &&
           endpoint_finish(e, errp);
}

static bool migrate_out(Endpoint *e, Error **errp)
{
    g_autoptr(SaveSession) session = save_session_new(endpoint_stream(e));

    if (!begin(e, session, errp)) {
        return false;
    }
    if (!iterate(e, session, errp)) {
        return false;
    }
    stop_machine();
    return wait_for_switchover(errp) && complete(e, session, errp);
}

/* The machine goes on as it was, if its images are still to be had. */
static void restore_machine(void)
{
    Error *err = NULL;

    if (!block_images_take(&err)) {
        error_report("The machine stays as it is: %s", error_text(err));
        error_free(err);
        return;
    }
    if (run_state_current() != RUN_STATE_FINISH_MIGRATE) {
        return;
    }
    if (outgoing.before == RUN_STATE_RUNNING || outgoing.before == RUN_STATE_SUSPENDED) {
        vm_start();
    } else {
        run_state_set(outgoing.before);
    }
}

static void finish(bool is_ok, Error *err)
{
    MACHINE_LOCK_SCOPE();

    outgoing.times.end_ns = host_monotonic_ns();
    outgoing.times.bytes = migration_stream_bytes(endpoint_stream(outgoing.endpoint));
    g_clear_pointer(&outgoing.endpoint, endpoint_free);
    migration_set_active(false);
    if (is_ok) {
        vm_stop(RUN_STATE_PAUSED); /* whatever a client did meanwhile */
        run_state_set(RUN_STATE_POSTMIGRATE);
        set_status(MIGRATION_STATUS_COMPLETED);
        return;
    }
    restore_machine();
    if (outgoing.is_cancelled) {
        error_free(err);
        set_status(MIGRATION_STATUS_CANCELLED);
    } else {
        outgoing.error = err;
        set_status(MIGRATION_STATUS_FAILED);
    }
}

static gpointer outgoing_thread(gpointer opaque)
{
    Error *err = NULL;
    bool is_ok;

    migration_thread_enter("live_migration");
    is_ok = migrate_out(opaque, &err);
    finish(is_ok, err);
    migration_thread_leave();
    return NULL;
}

/* --- commands --- */

static bool check_arguments(const QmpMigrateArgs *args, Error **errp)
{
    if (args->blk || args->inc) {
        return error_set(errp, "Block migration with 'blk' or 'inc' is not supported, use "
                               "blockdev-mirror");
    }
    return !args->resume || error_set(errp, "Cannot resume if there is no paused migration");
}

static bool check_state(Error **errp)
{
    if (migration_is_active()) {
        return error_set(errp, "There's a migration process in progress");
    }
    switch (run_state_current()) {
    case RUN_STATE_INMIGRATE:
        return error_set(errp, "Guest is waiting for an incoming migration");
    case RUN_STATE_POSTMIGRATE:
        return error_set(errp, "Can't migrate the vm that was paused due to previous migration");
    default:
        return migration_blocker_check(errp);
    }
}

/* TLS cannot be had: what a user asked to be encrypted is not sent in the clear. */
static bool check_tls(Error **errp)
{
    const char *creds = parameter_text("tls-creds");

    return !*creds || error_set(errp, "TLS for migration ('tls-creds' is '%s') is not supported",
                                creds);
}

static bool fail_at_once(Error *err, Error **errp)
{
    outgoing.error = error_copy(err);
    set_status(MIGRATION_STATUS_FAILED);
    return error_propagate(errp, err);
}

static void reset_report(void)
{
    if (outgoing.thread) {
        g_thread_join(outgoing.thread); /* it is over: active is false */
        outgoing.thread = NULL;
    }
    g_clear_pointer(&outgoing.error, error_free);
    outgoing.is_cancelled = outgoing.may_switch = outgoing.is_committed = false;
    outgoing.times = (OutgoingReport){ .start_ns = host_monotonic_ns() };
}

static bool start(const MigrationAddress *address, Error **errp)
{
    g_autofree char *why = NULL;
    Error *err = NULL;

    reset_report();
    outgoing.endpoint = endpoint_new(address, ENDPOINT_OUTGOING, &err);
    if (!outgoing.endpoint) {
        return fail_at_once(err, errp);
    }
    apply_bandwidth();
    parameter_set_listener(apply_bandwidth);
    migration_set_active(true);
    set_status(MIGRATION_STATUS_SETUP);
    outgoing.thread = thread_new("live_migration", outgoing_thread, outgoing.endpoint, &why);
    if (!outgoing.thread) {
        g_clear_pointer(&outgoing.endpoint, endpoint_free);
        migration_set_active(false);
        error_set(&err, "Failed to start the migration thread: %s", why);
        return fail_at_once(err, errp);
    }
    return true;
}

bool qmp_migrate(const QmpMigrateArgs *args, Error **errp)
{
    g_autoptr(MigrationAddress) address = NULL;

    if (!check_arguments(args, errp) || !check_state(errp) || !check_tls(errp)) {
        return false;
    }
    address = migration_address_from(args->uri, args->channels, errp);
    return address && start(address, errp);
}

static void cancel(void)
{
    if (is_running() && !outgoing.is_cancelled && !outgoing.is_committed) {
        set_status(MIGRATION_STATUS_CANCELLING);
        outgoing.is_cancelled = true;
        migration_stream_cancel(endpoint_stream(outgoing.endpoint));
        g_cond_signal(&outgoing.changed);
    } else if (is_running()) {
        migration_stream_cancel(endpoint_stream(outgoing.endpoint)); /* a command that hangs */
    }
}

bool qmp_migrate_cancel(Error **errp)
{
    cancel();
    return true;
}

bool qmp_migrate_continue(MigrationStatus state, Error **errp)
{
    if (outgoing.status != state || state != MIGRATION_STATUS_PRE_SWITCHOVER) {
        return error_set(errp, "Migration not in expected state: %s",
                         enum_table_name(&migration_status_names, outgoing.status));
    }
    outgoing.may_switch = true;
    g_cond_signal(&outgoing.changed);
    return true;
}

/* Post-copy does not exist: these are the answers of a migration that is not in it. Any thread. */
bool qmp_migrate_pause(Error **errp)
{
    return error_set(errp, "migrate-pause is currently only supported during postcopy-active or "
                           "postcopy-recover state");
}

bool qmp_migrate_recover(const char *uri, Error **errp)
{
    return error_set(errp, "Migrate recover can only be run when postcopy is paused.");
}

/* The thread needs the machine lock to end, so it is given up here. */
void outgoing_cleanup(void)
{
    GThread *thread = g_steal_pointer(&outgoing.thread);

    cancel();
    if (thread) {
        machine_unlock();
        g_thread_join(thread);
        machine_lock();
    }
    g_clear_pointer(&outgoing.error, error_free);
}
