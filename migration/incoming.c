/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/block_image.h"
#include "migration/endpoint.h"
#include "migration/incoming.h"
#include "migration/load.h"
#include "migration/migration.h"
#include "migration/outgoing.h"
#include "migration/run_state_section.h"
#include "qapi/qapi-commands-migration.h"
#include "system/machine_lock.h"
#include "system/migration_blocker.h"
#include "system/run_state.h"
#include "trace.h"
#include "util/event_loop.h"
#include "util/thread.h"

/* The one incoming migration. Machine lock. */
static struct {
    bool is_expected;          /* -incoming */
    MigrationAddress *address; /* what it named; NULL: defer */
    bool ends_process;         /* if it fails */
    MigrationStatus status;
    Error *error;
    Endpoint *endpoint;        /* from its start on */
    SocketAddress *listening_at;
    GThread *thread;
    bool is_ok;                /* the thread's result, for the main loop */
    bool is_over;
} incoming;

bool incoming_report(MigrationStatus *status, const char **error)
{
    *status = incoming.status;
    *error = incoming.error ? error_text(incoming.error) : NULL;
    return incoming.is_expected;
}

const SocketAddress *incoming_listening_at(void)
{
    return incoming.listening_at;
}

static void set_status(MigrationStatus status)
{
    incoming.status = status;
    trace_migration_incoming_status(enum_table_name(&migration_status_names, status));
    migration_send_status(status);
}

/* --- the end, in the main loop --- */

/* As the source was, unless the user said something else meanwhile. */
static void leave_inmigrate(void)
{
    RunState loaded = run_state_section_loaded();
    bool source_ran = loaded == RUN_STATE_RUNNING || loaded == RUN_STATE_SUSPENDED ||
                      loaded == RUN_STATE_COUNT;

    if (vm_is_autostart() && source_ran) {
        vm_start();
    } else if (!source_ran && run_state_can_become(RUN_STATE_INMIGRATE, loaded)) {
        run_state_set(loaded);
    } else {
        run_state_set(RUN_STATE_PAUSED);
    }
}

static void end_process(void)
{
    error_report("load of migration failed: %s", error_text(incoming.error));
    vm_request_quit(SHUTDOWN_CAUSE_HOST_ERROR, EXIT_FAILURE);
}

static void incoming_ended(void *opaque)
{
    if (incoming.is_over) {
        return; /* cleaned up before the loop came to it */
    }
    incoming.is_over = true;
    migration_set_active(false);
    g_clear_pointer(&incoming.listening_at, socket_address_free);
    if (incoming.is_ok && block_images_take(&incoming.error)) {
        set_status(MIGRATION_STATUS_COMPLETED);
        leave_inmigrate();
        return;
    }
    set_status(MIGRATION_STATUS_FAILED);
    if (incoming.ends_process) {
        end_process();
    }
}

/* --- the thread --- */

static bool migrate_in(Endpoint *e, Error **errp)
{
    if (!endpoint_connect(e, errp)) {
        return false;
    }
    {
        MACHINE_LOCK_SCOPE();
        migration_set_active(true); /* the set of devices is final */
        set_status(MIGRATION_STATUS_ACTIVE);
    }
    return load_machine(endpoint_stream(e), errp) && endpoint_finish(e, errp);
}

static gpointer incoming_thread(gpointer opaque)
{
    Error *err = NULL;
    bool is_ok;

    migration_thread_enter("incoming");
    is_ok = migrate_in(opaque, &err);
    migration_thread_leave();
    {
        MACHINE_LOCK_SCOPE();
        incoming.is_ok = is_ok;
        incoming.error = err;
    }
    event_loop_defer(event_loop_main(), incoming_ended, NULL);
    return NULL;
}

/* --- starting --- */

static bool start(const MigrationAddress *address, Error **errp)
{
    Endpoint *e = endpoint_new(address, ENDPOINT_INCOMING, errp);
    g_autofree char *why = NULL;

    if (!e) {
        return false;
    }
    set_status(MIGRATION_STATUS_SETUP);
    incoming.thread = thread_new("incoming", incoming_thread, e, &why);
    if (!incoming.thread) {
        endpoint_free(e);
        return error_set(errp, "Failed to start the migration thread: %s", why);
    }
    incoming.endpoint = e;
    incoming.listening_at = endpoint_listening_at(e);
    return true;
}

bool migration_incoming_expect(const char *uri, Error **errp)
{
    if (strcmp(uri, "defer")) {
        incoming.address = migration_address_parse(uri, errp);
        if (!incoming.address) {
            return false;
        }
        incoming.ends_process = true;
    }
    incoming.is_expected = true;
    block_images_expect();
    run_state_set(RUN_STATE_INMIGRATE);
    return true;
}

bool migration_incoming_start(Error **errp)
{
    return !incoming.address || start(incoming.address, errp);
}

bool qmp_migrate_incoming(const char *uri, const MigrationChannelArray *channels, Error **errp)
{
    g_autoptr(MigrationAddress) address = NULL;

    if (!incoming.is_expected) {
        return error_set(errp, "'-incoming' was not specified on the command line");
    }
    if (incoming.endpoint || run_state_current() != RUN_STATE_INMIGRATE) {
        return error_set(errp, "The incoming migration has already been started");
    }
    address = migration_address_from(uri, channels, errp);
    return address && start(address, errp);
}

void incoming_cleanup(void)
{
    GThread *thread = g_steal_pointer(&incoming.thread);

    if (thread) {
        incoming.is_over = true;
        migration_stream_cancel(endpoint_stream(incoming.endpoint));
        machine_unlock();
        g_thread_join(thread);
        machine_lock();
    }
    g_clear_pointer(&incoming.endpoint, endpoint_free);
    g_clear_pointer(&incoming.address, migration_address_free);
    g_clear_pointer(&incoming.listening_at, socket_address_free);
    g_clear_pointer(&incoming.error, error_free);
}
