/*
 * What clients are told of migrations: query-migrate, query-migrationthreads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/incoming.h"
#include "migration/outgoing.h"
#include "migration/parameter.h"
#include "migration/ram.h"
#include "qapi/qapi-commands-migration.h"
#include "system/migration_blocker.h"
#include "util/event_loop.h"
#include "util/thread.h"

/* --- threads --- */

typedef struct ThreadEntry {
    const char *name;
    int id;
} ThreadEntry;

/* One of each kind at most; a lock of their own, for threads that end. */
static GMutex thread_mutex;
static ThreadEntry threads[2];

static ThreadEntry *find_thread(int id)
{
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        if (threads[i].id == id) {
            return &threads[i];
        }
    }
    g_assert_not_reached();
}

void migration_thread_enter(const char *name)
{
    g_mutex_lock(&thread_mutex);
    *find_thread(0) = (ThreadEntry){ name, thread_id() };
    g_mutex_unlock(&thread_mutex);
}

void migration_thread_leave(void)
{
    g_mutex_lock(&thread_mutex);
    *find_thread(thread_id()) = (ThreadEntry){ NULL, 0 };
    g_mutex_unlock(&thread_mutex);
}

MigrationThreadInfoArray *qmp_query_migrationthreads(Error **errp)
{
    MigrationThreadInfoArray *list = g_new0(MigrationThreadInfoArray, 1);

    list->items = g_new0(MigrationThreadInfo *, ARRAY_SIZE(threads));
    g_mutex_lock(&thread_mutex);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        if (threads[i].id) {
            MigrationThreadInfo *info = g_new0(MigrationThreadInfo, 1);

            info->name = g_strdup(threads[i].name);
            info->thread_id = threads[i].id;
            list->items[list->count++] = info;
        }
    }
    g_mutex_unlock(&thread_mutex);
    return list;
}

/* --- progress --- */

static void add_reason(void *opaque, const char *reason)
{
    StrArray *reasons = opaque;

    reasons->items = g_renew(char *, reasons->items, reasons->count + 1);
    reasons->items[reasons->count++] = g_strdup(reason);
}

static void add_reasons(MigrationInfo *info)
{
    StrArray *reasons = g_new0(StrArray, 1);

    migration_blocker_each(add_reason, reasons);
    if (reasons->count) {
        info->blocked_reasons = reasons;
    } else {
        g_free(reasons);
    }
}

/* Incoming: status and where it listens; there is nothing more to count. */
static void add_incoming(MigrationInfo *info, MigrationStatus status, const char *error)
{
    const SocketAddress *at = incoming_listening_at();

    if (status != MIGRATION_STATUS_NONE) {
        info->has_status = true;
        info->status = status;
    }
    info->error_desc = g_strdup(error);
    if (at) {
        info->socket_address = g_new0(SocketAddressArray, 1);
        info->socket_address->items = g_new0(SocketAddress *, 1);
        info->socket_address->items[info->socket_address->count++] = socket_address_clone(at);
    }
}

static int64_t ms_between(int64_t from_ns, int64_t to_ns)
{
    return from_ns && to_ns > from_ns ? (to_ns - from_ns) / NS_PER_MS : 0;
}

static void add_times(MigrationInfo *info, const OutgoingReport *report)
{
    int64_t until_ns = report->end_ns ? report->end_ns : host_monotonic_ns();

    info->has_total_time = true;
    info->total_time = ms_between(report->start_ns, until_ns);
    info->has_setup_time = true;
    info->setup_time = ms_between(report->start_ns, report->active_ns);
    if (report->status == MIGRATION_STATUS_COMPLETED) {
        info->has_downtime = true;
        info->downtime = ms_between(report->stop_ns, report->end_ns);
    } else {
        info->has_expected_downtime = true;
        info->expected_downtime = parameter_uint("downtime-limit");
    }
}

static void add_ram(MigrationInfo *info, const OutgoingReport *report)
{
    MigrationStats *ram = g_new0(MigrationStats, 1);
    RamReport memory = ram_report();
    int64_t until_ns = report->end_ns ? report->end_ns : host_monotonic_ns();

    ram->transferred = report->bytes;
    ram->precopy_bytes = report->bytes;
    ram->total = memory.total_bytes;
    ram->remaining = memory.left_bytes;
    ram->duplicate = memory.zero_pages;
    ram->normal = memory.data_pages;
    ram->normal_bytes = memory.data_pages * DIRTY_PAGE_BYTES;
    ram->page_size = DIRTY_PAGE_BYTES;
    ram->dirty_sync_count = memory.rounds;
    if (until_ns > report->active_ns) {
        ram->mbps = report->bytes * 8000.0 / (until_ns - report->active_ns);
    }
    info->ram = ram;
}

static void add_outgoing(MigrationInfo *info, const OutgoingReport *report)
{
    info->has_status = true;
    info->status = report->status;
    switch (report->status) {
    case MIGRATION_STATUS_NONE:
        info->has_status = false;
        break;
    case MIGRATION_STATUS_SETUP:
        break;
    case MIGRATION_STATUS_CANCELLED:
        break;
    case MIGRATION_STATUS_FAILED:
        info->error_desc = g_strdup(report->error);
        break;
    default:
        add_times(info, report);
        add_ram(info, report);
    }
}

MigrationInfo *qmp_query_migrate(Error **errp)
{
    MigrationInfo *info = g_new0(MigrationInfo, 1);
    MigrationStatus incoming_status;
    const char *incoming_error;
    OutgoingReport report;

    outgoing_report(&report);
    add_reasons(info);
    if (incoming_report(&incoming_status, &incoming_error) &&
        report.status == MIGRATION_STATUS_NONE) {
        add_incoming(info, incoming_status, incoming_error);
    } else {
        add_outgoing(info, &report);
    }
    return info;
}
