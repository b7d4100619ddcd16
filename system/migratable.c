/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/migratable.h"
#include "system/migration_blocker.h"

/* The process's one list, in the order of registration. */
static GQueue registered = G_QUEUE_INIT;

Migratable *migratable_find(const char *id, uint32_t instance)
{
    for (GList *at = registered.head; at; at = at->next) {
        Migratable *m = at->data;

        if (m->instance == instance && !strcmp(m->id, id)) {
            return m;
        }
    }
    return NULL;
}

static bool pick_instance(const char *id, uint32_t *instance, Error **errp)
{
    if (strlen(id) > MIGRATABLE_MAX_ID) {
        return error_set(errp, "Migration id '%s' is longer than %d bytes", id, MIGRATABLE_MAX_ID);
    }
    if (*instance != MIGRATABLE_NEXT) {
        return !migratable_find(id, *instance) ||
               error_set(errp, "Migration id '%s' is in use already", id);
    }
    for (*instance = 0; migratable_find(id, *instance); ++*instance) {
    }
    return true;
}

static Migratable *add(const char *id, uint32_t instance, void *opaque, Error **errp)
{
    Migratable *m;

    if (!pick_instance(id, &instance, errp)) {
        return NULL;
    }
    m = g_new0(Migratable, 1);
    m->id = g_strdup(id);
    m->instance = instance;
    m->opaque = opaque;
    g_queue_push_tail(&registered, m);
    return m;
}

static MigrationBlocker *block(const char *id, Error **errp)
{
    g_autofree char *reason = NULL;

    if (migration_is_only_migratable()) {
        error_set(errp, "Device %s is not migratable, but --only-migratable was specified", id);
        return NULL;
    }
    reason = g_strdup_printf("State blocked by non-migratable device '%s'", id);
    return migration_blocker_add(reason, errp);
}

Migratable *migratable_register(const char *id, uint32_t instance, const char *state_name,
                                const VMState *vm, void *opaque, Error **errp)
{
    MigrationBlocker *blocker = NULL;
    Migratable *m;

    assert(strlen(state_name) <= MIGRATABLE_MAX_ID);
    if (vm->is_unmigratable) {
        blocker = block(id, errp);
        if (!blocker) {
            return NULL;
        }
    }
    m = add(id, instance, opaque, errp);
    if (!m) {
        migration_blocker_remove(blocker);
        return NULL;
    }
    m->vm = vm;
    m->state_name = state_name;
    m->blocker = blocker;
    return m;
}

Migratable *migratable_register_live(const char *id, const LiveState *live, void *opaque,
                                     Error **errp)
{
    Migratable *m = add(id, 0, opaque, errp);

    if (m) {
        m->live = live;
        m->state_name = m->id;
    }
    return m;
}

void migratable_unregister(Migratable *m)
{
    if (m) {
        g_queue_remove(&registered, m);
        migration_blocker_remove(m->blocker);
        g_free(m->id);
        g_free(m);
    }
}

/* Early state, guest memory, other state by priority, other live state. */
static int phase(const Migratable *m)
{
    if (m->live) {
        return m->live->is_before_devices ? 1 : 3;
    }
    return m->vm->is_early ? 0 : 2;
}

static int compare(gconstpointer a, gconstpointer b)
{
    const Migratable *first = *(Migratable *const *)a, *second = *(Migratable *const *)b;

    if (phase(first) != phase(second)) {
        return phase(first) - phase(second);
    }
    return first->vm && second->vm ? second->vm->priority - first->vm->priority : 0;
}

GPtrArray *migratable_list(void)
{
    GPtrArray *list = g_ptr_array_new();

    for (GList *at = registered.head; at; at = at->next) {
        g_ptr_array_add(list, at->data);
    }
    g_ptr_array_sort(list, compare); /* stable */
    return list;
}
