/*
 * tpm-backend: commands of a TPM device, carried out one at a time by a worker: see backends/tpm.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "backends/tpm.h"
#include "qapi/qapi-commands-tpm.h"
#include "util/event_loop.h"
#include "util/thread_pool.h"

#define CONTAINER "/backends/tpm"

/* Freed by its completion in the main loop, when nobody waits for it any more. */
typedef struct TpmJob {
    TpmBackend *tpm;     /* lives until the job is settled: devices see to it */
    TpmRequest *request;
    GMutex lock;
    GCond changed;
    bool is_done;        /* under the lock: the worker is through */
    bool is_settled;     /* main: answered or abandoned */
} TpmJob;

static const TpmBackendType tpm_backend_type = {
    .name = TYPE_TPM_BACKEND,
    .doc = "What a TPM is made of",
    .size = sizeof(TpmBackend),
    .is_abstract = true,
};
OBJECT_TYPE(tpm_backend_type)

/* --- commands --- */

static int work(void *opaque)
{
    TpmJob *job = opaque;

    tpm_backend_ops(job->tpm)->carry_out(job->tpm, job->request);
    g_mutex_lock(&job->lock);
    job->is_done = true;
    g_cond_signal(&job->changed);
    g_mutex_unlock(&job->lock);
    return 0;
}

/* The device hears of it, and may hand over the next. */
static void settle(TpmJob *job, bool is_answered)
{
    TpmBackend *tpm = job->tpm;

    if (job->is_settled) {
        return;
    }
    job->is_settled = true;
    tpm->job = NULL;
    if (is_answered && tpm->user) {
        tpm->user->answered(tpm->user->opaque, job->request);
    }
}

static void done(void *opaque, int result)
{
    TpmJob *job = opaque;

    settle(job, true);
    g_mutex_clear(&job->lock);
    g_cond_clear(&job->changed);
    g_free(job);
}

void tpm_backend_hand_over(TpmBackend *tpm, TpmRequest *request)
{
    TpmJob *job = g_new0(TpmJob, 1);

    assert(!tpm->job && request->buffer_bytes >= TPM_HEADER_BYTES &&
           request->command_bytes <= request->buffer_bytes);
    job->tpm = tpm;
    job->request = request;
    g_mutex_init(&job->lock);
    g_cond_init(&job->changed);
    tpm->job = job;
    thread_pool_submit(thread_pool_of(event_loop_main()), work, done, job);
}

static void wait_for(TpmJob *job)
{
    g_mutex_lock(&job->lock);
    while (!job->is_done) {
        g_cond_wait(&job->changed, &job->lock);
    }
    g_mutex_unlock(&job->lock);
}

void tpm_backend_finish(TpmBackend *tpm)
{
    if (tpm->job) {
        wait_for(tpm->job);
        settle(tpm->job, true);
    }
}

void tpm_backend_abandon(TpmBackend *tpm)
{
    if (tpm->job) {
        tpm_backend_cancel(tpm);
        wait_for(tpm->job);
        settle(tpm->job, false);
    }
}

void tpm_backend_cancel(TpmBackend *tpm)
{
    if (tpm->job) {
        tpm_backend_ops(tpm)->cancel(tpm);
    }
}

/* --- devices --- */

bool tpm_backend_attach(TpmBackend *tpm, const TpmUser *user, Error **errp)
{
    if (tpm->user) {
        return error_set(errp, "TPM back end '%s' is used by another device",
                         tpm_backend_id(tpm));
    }
    tpm->user = user;
    return true;
}

void tpm_backend_detach(TpmBackend *tpm)
{
    tpm_backend_abandon(tpm);
    tpm->user = NULL;
}

/* False. */
static bool name_it(const TpmBackend *tpm, Error **errp)
{
    error_prefix(errp, "TPM back end '%s': ", tpm_backend_id(tpm));
    return false;
}

bool tpm_backend_start(TpmBackend *tpm, bool is_resumed, Error **errp)
{
    assert(!tpm->job);
    return tpm_backend_ops(tpm)->start(tpm, is_resumed, errp) || name_it(tpm, errp);
}

bool tpm_backend_save(TpmBackend *tpm, TpmStatePart parts[TPM_STATE_PARTS], Error **errp)
{
    tpm_backend_finish(tpm);
    return tpm_backend_ops(tpm)->save(tpm, parts, errp) || name_it(tpm, errp);
}

bool tpm_backend_load(TpmBackend *tpm, const TpmStatePart parts[TPM_STATE_PARTS], Error **errp)
{
    return tpm_backend_ops(tpm)->load(tpm, parts, errp) || name_it(tpm, errp);
}

void tpm_state_clear(TpmStatePart parts[TPM_STATE_PARTS])
{
    for (unsigned i = 0; i < TPM_STATE_PARTS; i++) {
        g_free(parts[i].bytes);
        parts[i] = (TpmStatePart){ 0 };
    }
}

/* --- the user's --- */

TpmBackend *tpm_backend_find(const char *id)
{
    return (TpmBackend *)object_child(object_container(CONTAINER), id);
}

const char *tpm_backend_id(const TpmBackend *tpm)
{
    return tpm->parent.name;
}

static void count(void *opaque, Object *child)
{
    ++*(unsigned *)opaque;
}

static const TpmBackendType *type_for(const char *kind)
{
    g_autofree char *name = g_strdup_printf("tpm-%s", kind);
    const Type *type = type_find(name);

    return type && type_is_a(type, TYPE_TPM_BACKEND) ? type_ops(type) : NULL;
}

/* Its own keys are properties. */
static bool set_properties(Object *obj, json_object *options, Error **errp)
{
    json_object_object_foreach (options, key, value) {
        if (strcmp(key, "type") && strcmp(key, "id")) {
            if (!object_find_property(obj, key)) {
                return error_set(errp, "Invalid parameter '%s'", key);
            }
            if (!object_set(obj, key, value, PROPERTY_TEXT, errp)) {
                return false;
            }
        }
    }
    return true;
}

static bool add(const TpmBackendType *type, const char *id, json_object *options, Error **errp)
{
    g_autoptr(Object) obj = object_new(type->name);

    if (!set_properties(obj, options, errp) ||
        !object_add_child(object_container(CONTAINER), id, obj, errp)) {
        return false;
    }
    if (!type->open(TPM_BACKEND(obj), errp)) {
        object_unparent(obj);
        return false;
    }
    object_seal(obj);
    return true;
}

bool tpm_backend_add(json_object *options, Error **errp)
{
    const char *id = json_object_get_string(json_member(options, "id"));
    const char *kind = json_object_get_string(json_member(options, "type"));
    const TpmBackendType *type = kind ? type_for(kind) : NULL;
    unsigned others = 0;

    object_each_child(object_container(CONTAINER), count, &others);
    if (others) {
        return error_set(errp, "Only one TPM is allowed.");
    }
    if (!kind) {
        return error_set(errp, "Parameter 'type' is missing");
    }
    if (!id) {
        return error_set(errp, "Parameter 'id' is missing");
    }
    if (!type) {
        return error_set(errp, "Parameter 'type' expects a TPM backend type");
    }
    return add(type, id, options, errp);
}

static void find_one(void *opaque, Object *child)
{
    *(Object **)opaque = child;
}

void tpm_backend_cleanup(void)
{
    Object *tpm = NULL;

    object_each_child(object_container(CONTAINER), find_one, &tpm);
    if (tpm) {
        object_unparent(tpm);
    }
}

void tpm_backend_print_help(GString *out)
{
    g_autoptr(GPtrArray) types = type_list(TYPE_TPM_BACKEND, false);

    g_string_append(out, "Supported TPM types (choose only one):\n");
    for (guint i = 0; i < types->len; i++) {
        const ObjectType *type = type_decl(types->pdata[i]);

        g_string_append_printf(out, "%12s   %s\n", type->name + strlen("tpm-"), type->doc);
    }
}

/* --- query-tpm --- */

static void describe(void *opaque, Object *child)
{
    TpmBackend *tpm = TPM_BACKEND(child);
    TPMInfo *info;

    if (!tpm->user) {
        return;
    }
    info = g_new0(TPMInfo, 1);
    info->id = g_strdup(tpm_backend_id(tpm));
    info->model = enum_table_find(&tpm_model_names, tpm->user->model);
    info->options = tpm_backend_ops(tpm)->options(tpm);
    tpm_info_array_add(opaque, info);
}

TPMInfoArray *qmp_query_tpm(Error **errp)
{
    TPMInfoArray *tpms = g_new0(TPMInfoArray, 1);

    object_each_child(object_container(CONTAINER), describe, tpms);
    return tpms;
}
