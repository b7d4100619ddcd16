/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/migration_blocker.h"

struct MigrationBlocker {
    char *reason;
};

/* The process's one list of reasons. */
static struct {
    GQueue blockers;
    bool is_only_migratable;
    int is_active; /* atomic */
} migration = { .blockers = G_QUEUE_INIT };

MigrationBlocker *migration_blocker_add(const char *reason, Error **errp)
{
    MigrationBlocker *blocker;

    if (migration.is_only_migratable) {
        error_set(errp, "disallowing migration blocker (--only-migratable) for: %s", reason);
        return NULL;
    }
    if (migration_is_active()) {
        error_set(errp, "disallowing migration blocker (migration in progress) for: %s", reason);
        return NULL;
    }
    blocker = g_new(MigrationBlocker, 1);
    blocker->reason = g_strdup(reason);
    g_queue_push_tail(&migration.blockers, blocker);
    return blocker;
}

void migration_blocker_remove(MigrationBlocker *blocker)
{
    if (blocker) {
        g_queue_remove(&migration.blockers, blocker);
        g_free(blocker->reason);
        g_free(blocker);
    }
}

bool migration_blocker_check(Error **errp)
{
    MigrationBlocker *first = g_queue_peek_head(&migration.blockers);

    return !first || error_set(errp, "%s", first->reason);
}

void migration_blocker_each(void (*fn)(void *opaque, const char *reason), void *opaque)
{
    for (GList *at = migration.blockers.head; at; at = at->next) {
        fn(opaque, ((MigrationBlocker *)at->data)->reason);
    }
}

void migration_set_only_migratable(bool is_on)
{
    migration.is_only_migratable = is_on;
}

bool migration_is_only_migratable(void)
{
    return migration.is_only_migratable;
}

bool migration_is_active(void)
{
    return g_atomic_int_get(&migration.is_active);
}

void migration_set_active(bool is_active)
{
    g_atomic_int_set(&migration.is_active, is_active);
}
