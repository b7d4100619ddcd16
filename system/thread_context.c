/*
 * thread-context: a thread with a CPU affinity that makes other threads, which inherit it: work
 * for a back end stays on CPUs of the user's choice, though a sandbox may keep the rest of the
 * process from changing affinities.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_backend.h"

#include <sched.h>

#include "qom/user_creatable.h"
#include "system/number_set.h"
#include "util/bitmap.h"
#include "util/thread.h"

#define MAX_CPUS 4096

/* One thread to make. */
typedef struct Order {
    GThreadFunc run;
    void *opaque;
    GThread *thread;
    char *why;
    bool is_done;
} Order;

typedef struct ThreadContext {
    Object parent;
    GThread *thread;
    int thread_id;
    bool has_cpu_affinity, has_node_affinity;
    uint64_t cpus[MAX_CPUS / 64];
    /* Guarded by the lock. */
    GMutex lock;
    GCond cond;
    Order *order;
    bool is_ending;
} ThreadContext;
DECLARE_CAST(ThreadContext, THREAD_CONTEXT)

static NumberSet cpus_of(ThreadContext *tc)
{
    return (NumberSet){ tc->cpus, MAX_CPUS };
}

/* --- the thread --- */

static void *thread_context_run(void *opaque)
{
    ThreadContext *tc = opaque;

    g_mutex_lock(&tc->lock);
    tc->thread_id = thread_id();
    g_cond_broadcast(&tc->cond);
    while (!tc->is_ending) {
        Order *order = tc->order;

        if (!order || order->is_done) {
            g_cond_wait(&tc->cond, &tc->lock);
            continue;
        }
        order->thread = thread_new("worker", order->run, order->opaque, &order->why);
        order->is_done = true;
        g_cond_broadcast(&tc->cond);
    }
    g_mutex_unlock(&tc->lock);
    return NULL;
}

GThread *thread_context_start(Object *context, GThreadFunc run, void *opaque, char **why)
{
    ThreadContext *tc = THREAD_CONTEXT(context);
    Order order = { run, opaque };

    g_mutex_lock(&tc->lock);
    tc->order = &order;
    g_cond_broadcast(&tc->cond);
    while (!order.is_done) {
        g_cond_wait(&tc->cond, &tc->lock);
    }
    tc->order = NULL;
    g_mutex_unlock(&tc->lock);
    if (!order.thread) {
        *why = order.why;
    }
    return order.thread;
}

/* --- affinity --- */

static bool apply_affinity(ThreadContext *tc, Error **errp)
{
    return sched_setaffinity(tc->thread_id, sizeof(tc->cpus), (cpu_set_t *)tc->cpus) == 0 ||
           error_set_errno(errp, errno, "Setting CPU affinity failed");
}

static json_object *get_cpu_affinity(Object *obj, const Property *p, Error **errp)
{
    ThreadContext *tc = THREAD_CONTEXT(obj);
    uint64_t cpus[MAX_CPUS / 64] = { 0 };

    if (!tc->thread) {
        return number_set_to_json(cpus_of(tc));
    }
    if (sched_getaffinity(tc->thread_id, sizeof(cpus), (cpu_set_t *)cpus) < 0) {
        error_set_errno(errp, errno, "Getting CPU affinity failed");
        return NULL;
    }
    return number_set_to_json((NumberSet){ cpus, MAX_CPUS });
}

static bool set_cpu_affinity(Object *obj, const Property *p, json_object *value,
                             PropertyForm form, Error **errp)
{
    ThreadContext *tc = THREAD_CONTEXT(obj);

    if (tc->has_node_affinity) {
        return error_set(errp, "Mixing CPU and node affinity not supported");
    }
    if (!number_set_parse(cpus_of(tc), p, value, errp)) {
        return false;
    }
    if (number_set_is_empty(cpus_of(tc))) {
        return error_set(errp, "CPU list is empty");
    }
    tc->has_cpu_affinity = true;
    return !tc->thread || apply_affinity(tc, errp);
}

/* The kernel lists a node's CPUs as "0-3,8". */
static bool add_node(ThreadContext *tc, unsigned node, const Property *p, Error **errp)
{
    g_autofree char *path = g_strdup_printf("/sys/devices/system/node/node%u/cpulist", node);
    g_autofree char *text = NULL;
    uint64_t cpus[MAX_CPUS / 64] = { 0 };
    json_object *list;
    bool is_ok;

    if (!g_file_get_contents(path, &text, NULL, NULL) || !*g_strstrip(text)) {
        return true;
    }
    list = json_string(text);
    is_ok = number_set_parse((NumberSet){ cpus, MAX_CPUS }, p, list, errp);
    json_unref(list);
    for (unsigned i = 0; i < ARRAY_SIZE(cpus); i++) {
        tc->cpus[i] |= cpus[i];
    }
    return is_ok;
}

static bool set_node_affinity(Object *obj, const Property *p, json_object *value,
                              PropertyForm form, Error **errp)
{
    ThreadContext *tc = THREAD_CONTEXT(obj);
    uint64_t nodes[HOST_NODES / 64] = { 0 };

    if (tc->has_cpu_affinity) {
        return error_set(errp, "Mixing CPU and node affinity not supported");
    }
    if (!number_set_parse((NumberSet){ nodes, HOST_NODES }, p, value, errp)) {
        return false;
    }
    if (number_set_is_empty((NumberSet){ nodes, HOST_NODES })) {
        return error_set(errp, "Node list is empty");
    }
    memset(tc->cpus, 0, sizeof(tc->cpus));
    for (unsigned node = 0; node < HOST_NODES; node++) {
        if (bitmap_test(nodes, node) && !add_node(tc, node, p, errp)) {
            return false;
        }
    }
    if (number_set_is_empty(cpus_of(tc))) {
        return error_set(errp, "The nodes select no CPUs");
    }
    tc->has_node_affinity = true;
    return !tc->thread || apply_affinity(tc, errp);
}

/* --- life --- */

static json_object *get_thread_id(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_uint64(THREAD_CONTEXT(obj)->thread_id);
}

static void thread_context_init(Object *obj)
{
    ThreadContext *tc = THREAD_CONTEXT(obj);

    g_mutex_init(&tc->lock);
    g_cond_init(&tc->cond);
}

static bool thread_context_complete(Object *obj, Error **errp)
{
    ThreadContext *tc = THREAD_CONTEXT(obj);
    g_autofree char *name = g_strdup_printf("TC %s", obj->name), *why = NULL;

    tc->thread = thread_new(name, thread_context_run, tc, &why);
    if (!tc->thread) {
        return error_set(errp, "%s", why);
    }
    g_mutex_lock(&tc->lock);
    while (!tc->thread_id) {
        g_cond_wait(&tc->cond, &tc->lock);
    }
    g_mutex_unlock(&tc->lock);
    return (!tc->has_cpu_affinity && !tc->has_node_affinity) || apply_affinity(tc, errp);
}

static void thread_context_finalize(Object *obj)
{
    ThreadContext *tc = THREAD_CONTEXT(obj);

    if (tc->thread) {
        g_mutex_lock(&tc->lock);
        tc->is_ending = true;
        g_cond_broadcast(&tc->cond);
        g_mutex_unlock(&tc->lock);
        g_thread_join(tc->thread);
    }
    g_mutex_clear(&tc->lock);
    g_cond_clear(&tc->cond);
}

static const Property thread_context_props[] = {
    PROP_COMPUTED("cpu-affinity", "int", .get = get_cpu_affinity, .set = set_cpu_affinity,
                  .is_live = true, .doc = "Host CPUs of the threads"),
    PROP_COMPUTED("node-affinity", "int", .set = set_node_affinity, .is_live = true,
                  .doc = "Host nodes whose CPUs the threads use"),
    PROP_COMPUTED("thread-id", "int", .get = get_thread_id, .is_read_only = true,
                  .doc = "The host's id of the context's thread"),
};

static const UserCreatable thread_context_creatable = { .complete = thread_context_complete };
static const InterfaceImpl thread_context_interfaces[] = {
    { TYPE_USER_CREATABLE, &thread_context_creatable },
    { NULL },
};

static const ObjectType thread_context_type = {
    .name = TYPE_THREAD_CONTEXT,
    .doc = "A thread that makes threads with its CPU affinity",
    .size = sizeof(ThreadContext),
    .interfaces = thread_context_interfaces,
    .properties = PROPERTIES(thread_context_props),
    .init = thread_context_init,
    .finalize = thread_context_finalize,
};
OBJECT_TYPE(thread_context_type)
