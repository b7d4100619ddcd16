/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "migration/configuration.h"
#include "migration/record.h"
#include "migration/save.h"
#include "migration/section.h"
#include "system/machine_lock.h"
#include "trace.h"

struct SaveSession {
    RecordChannel channel;
    GPtrArray *begun;     /* of live Migratable, to be cleaned up */
    GByteArray *body;     /* of the record that is being made */
    json_object *devices; /* of the description */
};

SaveSession *save_session_new(MigrationStream *stream)
{
    SaveSession *s = g_new0(SaveSession, 1);

    record_channel_init(&s->channel, stream);
    s->begun = g_ptr_array_new();
    s->body = g_byte_array_new();
    s->devices = json_object_new_array();
    return s;
}

static void end_live(SaveSession *s)
{
    MACHINE_LOCK_SCOPE();

    for (guint i = 0; i < s->begun->len; i++) {
        Migratable *m = s->begun->pdata[i];

        if (m->live->cleanup) {
            m->live->cleanup(m->opaque);
        }
    }
}

void save_session_free(SaveSession *s)
{
    if (!s) {
        return;
    }
    end_live(s);
    g_ptr_array_unref(s->begun);
    g_byte_array_unref(s->body);
    json_unref(s->devices);
    g_free(s);
}

static bool write_body(SaveSession *s, RecordType type, Error **errp)
{
    return record_write(&s->channel, type, s->body, errp);
}

/* --- states --- */

static bool is_needed(const Migratable *m)
{
    return m->vm && (!m->vm->needed || m->vm->needed(m->opaque));
}

static json_object *begin_description(const Migratable *m)
{
    json_object *device = json_object_new_object();

    json_set(device, "name", json_string(m->id));
    json_set(device, "instance_id", json_object_new_int64(m->instance));
    json_set(device, "vmsd_name", json_string(m->state_name));
    json_set(device, "version", json_object_new_int(m->vm->version));
    json_set(device, "fields", json_object_new_array());
    return device;
}

static GByteArray *collect_state(SaveSession *s, const Migratable *m, Error **errp)
{
    json_object *device = begin_description(m);
    VMWriter w = { .out = g_byte_array_new(), .fields = json_member(device, "fields") };

    json_object_array_add(s->devices, device);
    section_begin(w.out, m);
    if (!vmstate_save(m->vm, m->opaque, &w, errp)) {
        section_prefix(m, errp);
        g_byte_array_unref(w.out);
        return NULL;
    }
    trace_migration_section_save(m->id, m->instance, w.out->len);
    return w.out;
}

/* All at one moment: nothing runs between the first and the last. Who is there is asked now, for a
 * guest may have made functions, or let them go, since the migration began. */
static GPtrArray *collect_states(SaveSession *s, bool is_early, Error **errp)
{
    g_autoptr(GPtrArray) bodies =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    MACHINE_LOCK_SCOPE();
    g_autoptr(GPtrArray) list = migratable_list();

    for (guint i = 0; i < list->len; i++) {
        const Migratable *m = list->pdata[i];
        GByteArray *body;

        if (!is_needed(m) || m->vm->is_early != is_early) {
            continue;
        }
        body = collect_state(s, m, errp);
        if (!body) {
            return NULL;
        }
        g_ptr_array_add(bodies, body);
    }
    return g_steal_pointer(&bodies);
}

static bool write_states(SaveSession *s, bool is_early, Error **errp)
{
    g_autoptr(GPtrArray) bodies = collect_states(s, is_early, errp);

    for (guint i = 0; bodies && i < bodies->len; i++) {
        if (!record_write(&s->channel, RECORD_STATE, bodies->pdata[i], errp)) {
            return false;
        }
    }
    return bodies != NULL;
}

/* --- live state --- */

static bool setup_live(SaveSession *s, Migratable *m, Error **errp)
{
    VMWriter w = { .out = s->body };
    MACHINE_LOCK_SCOPE();

    section_begin(s->body, m);
    vm_put(&w, m->live->version, 2);
    g_ptr_array_add(s->begun, m);
    if (m->live->setup && !m->live->setup(m->opaque, &w, errp)) {
        section_prefix(m, errp);
        return false;
    }
    return true;
}

static GPtrArray *list_live(void)
{
    MACHINE_LOCK_SCOPE();
    g_autoptr(GPtrArray) list = migratable_list();
    GPtrArray *live = g_ptr_array_new();

    for (guint i = 0; i < list->len; i++) {
        Migratable *m = list->pdata[i];

        if (m->live) {
            g_ptr_array_add(live, m);
        }
    }
    return live;
}

static bool begin_live(SaveSession *s, Error **errp)
{
    g_autoptr(GPtrArray) live = list_live();

    for (guint i = 0; i < live->len; i++) {
        if (!setup_live(s, live->pdata[i], errp) || !write_body(s, RECORD_LIVE_SETUP, errp)) {
            return false;
        }
    }
    return true;
}

/* One part by `step`; nothing is written if it has nothing to say. */
static bool write_part(SaveSession *s, const Migratable *m,
                       bool (*step)(void *, VMWriter *, size_t, bool *, Error **), bool *is_done,
                       Error **errp)
{
    VMWriter w = { .out = s->body };
    size_t start;

    section_begin(s->body, m);
    start = s->body->len;
    if (!step(m->opaque, &w, RECORD_LIVE_BYTES, is_done, errp)) {
        section_prefix(m, errp);
        return false;
    }
    return s->body->len == start || write_body(s, RECORD_LIVE_PART, errp);
}

bool save_session_iterate(SaveSession *s, bool *is_done, Error **errp)
{
    *is_done = true;
    for (guint i = 0; i < s->begun->len; i++) {
        const Migratable *m = s->begun->pdata[i];
        bool is_one_done = true;

        if (m->live->iterate && !write_part(s, m, m->live->iterate, &is_one_done, errp)) {
            return false;
        }
        *is_done &= is_one_done;
    }
    return true;
}

static bool complete_one(void *opaque, VMWriter *w, size_t room, bool *is_done, Error **errp)
{
    const Migratable *m = opaque;
    MACHINE_LOCK_SCOPE();

    return m->live->complete(m->opaque, w, room, is_done, errp);
}

static bool complete_live(SaveSession *s, bool is_before_devices, Error **errp)
{
    for (guint i = 0; i < s->begun->len; i++) {
        Migratable *m = s->begun->pdata[i];
        Migratable step = *m;
        bool is_done = !m->live->complete;

        if (m->live->is_before_devices != is_before_devices) {
            continue;
        }
        step.opaque = m;
        while (!is_done) {
            if (!write_part(s, &step, complete_one, &is_done, errp)) {
                return false;
            }
        }
        section_begin(s->body, m);
        if (!write_body(s, RECORD_LIVE_END, errp)) {
            return false;
        }
    }
    return true;
}

uint64_t save_session_pending(SaveSession *s)
{
    uint64_t sum = 0;

    for (guint i = 0; i < s->begun->len; i++) {
        const Migratable *m = s->begun->pdata[i];

        sum += m->live->pending_bytes ? m->live->pending_bytes(m->opaque) : 0;
    }
    return sum;
}

/* --- the whole --- */

static bool make_configuration(SaveSession *s, Error **errp)
{
    VMWriter w = { .out = s->body };
    MACHINE_LOCK_SCOPE();

    g_byte_array_set_size(s->body, 0);
    return configuration_save(&w, errp);
}

bool save_session_begin(SaveSession *s, Error **errp)
{
    return make_configuration(s, errp) && record_write_preamble(&s->channel, errp) &&
           write_body(s, RECORD_CONFIGURATION, errp) && write_states(s, true, errp) &&
           begin_live(s, errp);
}

/* -machine suppress-vmdesc=on */
static bool is_description_wanted(void)
{
    Machine *machine = machine_current();

    return !machine || !machine->suppress_vmdesc;
}

/* A description that is too long is left out: it is for people and tools. */
static bool write_description(SaveSession *s, Error **errp)
{
    g_autoptr(JsonObject) whole = json_object_new_object();
    g_autofree char *text = NULL;

    json_set(whole, "devices", json_ref(s->devices));
    text = json_to_string(whole);
    if (strlen(text) > RECORD_MAX_BYTES || !is_description_wanted()) {
        return true;
    }
    g_byte_array_set_size(s->body, 0);
    g_byte_array_append(s->body, (const uint8_t *)text, strlen(text));
    return write_body(s, RECORD_DESCRIPTION, errp);
}

bool save_session_complete(SaveSession *s, Error **errp)
{
    return complete_live(s, true, errp) && write_states(s, false, errp) &&
           complete_live(s, false, errp) && write_description(s, errp) &&
           record_write_end(&s->channel, errp);
}
