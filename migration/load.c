/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/configuration.h"
#include "migration/load.h"
#include "migration/record.h"
#include "migration/section.h"
#include "system/machine_lock.h"
#include "trace.h"

typedef struct Loading {
    RecordChannel channel;
    RecordChannel before; /* the channel as it was in front of the record */
    GByteArray *body;
    GHashTable *begun;    /* live migratables between setup and end */
    GHashTable *done;     /* migratables that are complete */
    bool has_ended;
} Loading;

static bool check_new(Loading *l, Migratable *m, Error **errp)
{
    return (!g_hash_table_contains(l->begun, m) && !g_hash_table_contains(l->done, m)) ||
           error_set(errp, "is in the stream twice");
}

static bool check_left(VMReader *r, Error **errp)
{
    return !vm_left(r) || error_set(errp, "%zu bytes too many", vm_left(r));
}

/* --- what each record does --- */

static bool load_configuration(Loading *l, VMReader *r, Error **errp)
{
    return error_set(errp, "A second configuration");
}

static bool load_state(Loading *l, Migratable *m, VMReader *r, Error **errp)
{
    if (!m->vm) {
        return error_set(errp, "is live state here");
    }
    if (!check_new(l, m, errp) || !vmstate_load(m->vm, m->opaque, r, errp) ||
        !check_left(r, errp)) {
        return false;
    }
    g_hash_table_add(l->done, m);
    return true;
}

static bool load_live_setup(Loading *l, Migratable *m, VMReader *r, Error **errp)
{
    uint64_t version;

    if (!m->live) {
        return error_set(errp, "is not live state here");
    }
    if (!check_new(l, m, errp) || !vm_get(r, &version, 2, errp)) {
        return false;
    }
    if (version != m->live->version) {
        return error_set(errp, "version %" PRIu64 " is not %d", version, m->live->version);
    }
    if ((m->live->load_setup && !m->live->load_setup(m->opaque, r, errp)) ||
        !check_left(r, errp)) {
        return false;
    }
    g_hash_table_add(l->begun, m);
    return true;
}

static bool load_live_part(Loading *l, Migratable *m, VMReader *r, Error **errp)
{
    if (!g_hash_table_contains(l->begun, m)) {
        return error_set(errp, "a part without a beginning");
    }
    return m->live->load ? m->live->load(m->opaque, r, errp) && check_left(r, errp) :
                           error_set(errp, "a part of what has none");
}

static bool load_live_end(Loading *l, Migratable *m, VMReader *r, Error **errp)
{
    if (!g_hash_table_remove(l->begun, m)) {
        return error_set(errp, "an end without a beginning");
    }
    g_hash_table_add(l->done, m);
    return check_left(r, errp) && (!m->live->load_done || m->live->load_done(m->opaque, errp));
}

static bool load_description(Loading *l, VMReader *r, Error **errp)
{
    return true; /* for tools */
}

/* Nothing is missing: state that this machine always has was in the stream. */
static bool check_complete(Loading *l, Error **errp)
{
    g_autoptr(GPtrArray) list = migratable_list();

    for (guint i = 0; i < list->len; i++) {
        Migratable *m = list->pdata[i];

        if (!g_hash_table_contains(l->done, m) && (m->live || !m->vm->needed)) {
            error_set(errp, "is missing in the stream");
            section_prefix(m, errp);
            return false;
        }
    }
    return true;
}

static bool load_end(Loading *l, VMReader *r, Error **errp)
{
    l->has_ended = true;
    return record_check_end(&l->before, l->body, errp) && check_complete(l, errp);
}

typedef struct RecordLoader {
    bool (*load)(Loading *l, VMReader *r, Error **errp);
    bool (*load_section)(Loading *l, Migratable *m, VMReader *r, Error **errp);
} RecordLoader;

static const RecordLoader loaders[] = {
    [RECORD_CONFIGURATION] = { .load = load_configuration },
    [RECORD_LIVE_SETUP] = { .load_section = load_live_setup },
    [RECORD_LIVE_PART] = { .load_section = load_live_part },
    [RECORD_LIVE_END] = { .load_section = load_live_end },
    [RECORD_STATE] = { .load_section = load_state },
    [RECORD_DESCRIPTION] = { .load = load_description },
    [RECORD_END] = { .load = load_end },
};

static bool load_section(Loading *l, uint32_t type, VMReader *r, Error **errp)
{
    Migratable *m = section_find(r, errp);

    if (!m) {
        return false;
    }
    trace_migration_section_load(m->id, m->instance, type);
    if (!loaders[type].load_section(l, m, r, errp)) {
        section_prefix(m, errp);
        return false;
    }
    return true;
}

static bool read_record(Loading *l, uint32_t *type, Error **errp)
{
    l->before = l->channel;
    if (!record_read(&l->channel, type, l->body, errp)) {
        return false;
    }
    return (*type < ARRAY_SIZE(loaders) && (loaders[*type].load || loaders[*type].load_section)) ||
           error_set(errp, "Record %" PRIu32 ": unknown type %" PRIu32, l->before.number, *type);
}

static bool load_record(Loading *l, Error **errp)
{
    const RecordLoader *loader;
    uint32_t type;
    VMReader r;

    if (!read_record(l, &type, errp)) {
        return false;
    }
    loader = &loaders[type];
    r = (VMReader){ .data = l->body->data, .size = l->body->len };
    MACHINE_LOCK_SCOPE();
    return loader->load ? loader->load(l, &r, errp) : load_section(l, type, &r, errp);
}

static bool load_first(Loading *l, Error **errp)
{
    uint32_t type;
    VMReader r;

    if (!record_read_preamble(&l->channel, errp) || !read_record(l, &type, errp)) {
        return false;
    }
    if (type != RECORD_CONFIGURATION) {
        return error_set(errp, "The stream does not begin with a configuration");
    }
    r = (VMReader){ .data = l->body->data, .size = l->body->len };
    MACHINE_LOCK_SCOPE();
    return configuration_load(&r, errp);
}

bool load_machine(MigrationStream *stream, Error **errp)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    g_autoptr(GHashTable) begun = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) done = g_hash_table_new(NULL, NULL);
    Loading l = { .body = body, .begun = begun, .done = done };
    bool is_ok;

    record_channel_init(&l.channel, stream);
    is_ok = load_first(&l, errp);
    while (is_ok && !l.has_ended) {
        is_ok = load_record(&l, errp);
    }
    return is_ok;
}
