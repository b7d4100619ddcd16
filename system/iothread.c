/*
 * The iothread object: see system/iothread.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/iothread.h"

#include "qapi/qapi-commands-misc.h"
#include "qom/user_creatable.h"
#include "system/event_loop_base.h"
#include "system/machine_lock.h"
#include "util/thread.h"

#define POLL_MAX_DEFAULT_NS 32768

struct IoThread {
    EventLoopBase base;
    int64_t poll_max_ns, poll_grow, poll_shrink;
    GThread *thread;
    int id;          /* the kernel's; atomic, 0 until it runs */
    GMutex lock;
    GCond started;
    bool is_ending;  /* atomic */
};
DECLARE_CAST(IoThread, IOTHREAD)

static bool may_end(void *opaque)
{
    IoThread *t = opaque;

    return __atomic_load_n(&t->is_ending, __ATOMIC_ACQUIRE) &&
           thread_pool_pending(thread_pool_of(t->base.loop)) == 0;
}

static void *iothread_main(void *opaque)
{
    IoThread *t = opaque;

    event_loop_set_current(t->base.loop);
    g_mutex_lock(&t->lock);
    __atomic_store_n(&t->id, thread_id(), __ATOMIC_RELEASE);
    g_cond_signal(&t->started);
    g_mutex_unlock(&t->lock);
    event_loop_run_until(t->base.loop, may_end, t);
    event_loop_set_current(NULL);
    return NULL;
}

static void apply_polling(IoThread *t)
{
    const EventLoopPolling polling = { t->poll_max_ns, t->poll_grow, t->poll_shrink };

    event_loop_set_polling(t->base.loop, &polling);
}

static void drop_loop(IoThread *t)
{
    thread_pool_drop_of(t->base.loop);
    event_loop_unref(g_steal_pointer(&t->base.loop));
}

static bool iothread_start(IoThread *t, const char *id, Error **errp)
{
    g_autofree char *name = g_strdup_printf("IO %s", id);
    g_autofree char *why = NULL;

    t->base.loop = event_loop_new();
    apply_polling(t);
    if (!event_loop_base_apply(&t->base, errp)) {
        drop_loop(t);
        return false;
    }
    t->thread = thread_new(name, iothread_main, t, &why);
    if (!t->thread) {
        drop_loop(t);
        return error_set(errp, "%s", why);
    }
    /* It takes no other lock on its way to here. */
    g_mutex_lock(&t->lock);
    while (iothread_thread_id(t) == 0) {
        g_cond_wait(&t->started, &t->lock);
    }
    g_mutex_unlock(&t->lock);
    return true;
}

/* What runs in it may need the machine lock to come to an end. */
static void iothread_join(IoThread *t)
{
    bool is_locked = machine_lock_is_held();

    __atomic_store_n(&t->is_ending, true, __ATOMIC_RELEASE);
    event_loop_wake(t->base.loop);
    if (is_locked) {
        machine_unlock();
    }
    g_thread_join(t->thread);
    if (is_locked) {
        machine_lock();
    }
}

static void iothread_init(Object *obj)
{
    g_mutex_init(&IOTHREAD(obj)->lock);
    g_cond_init(&IOTHREAD(obj)->started);
}

static void iothread_finalize(Object *obj)
{
    IoThread *t = IOTHREAD(obj);

    if (t->thread) {
        iothread_join(t);
        drop_loop(t);
    }
    g_cond_clear(&t->started);
    g_mutex_clear(&t->lock);
}

static bool iothread_complete(Object *obj, Error **errp)
{
    return iothread_start(IOTHREAD(obj), obj->name, errp);
}

IoThread *iothread_new(const char *id, Error **errp)
{
    IoThread *t = IOTHREAD(object_new(TYPE_IOTHREAD));

    if (!iothread_start(t, id, errp)) {
        object_unref(t);
        return NULL;
    }
    return t;
}

IoThread *iothread_find(const char *id)
{
    Object *obj = object_child(object_container("/objects"), id);

    return obj && object_is_a(obj, TYPE_IOTHREAD) ? IOTHREAD(obj) : NULL;
}

EventLoop *iothread_loop(IoThread *t)
{
    return t->base.loop;
}

ThreadPool *iothread_pool(IoThread *t)
{
    return thread_pool_of(t->base.loop);
}

int iothread_thread_id(IoThread *t)
{
    return __atomic_load_n(&t->id, __ATOMIC_ACQUIRE);
}

static void polling_changed(Object *obj, const Property *p)
{
    if (IOTHREAD(obj)->base.loop) {
        apply_polling(IOTHREAD(obj));
    }
}

static const Property iothread_props[] = {
    PROP_I64("poll-max-ns", IoThread, poll_max_ns, .initial = POLL_MAX_DEFAULT_NS,
             .max = INT64_MAX, .is_live = true, .changed = polling_changed,
             .doc = "Longest busy waiting, in nanoseconds; 0 is none"),
    PROP_I64("poll-grow", IoThread, poll_grow, .max = INT64_MAX, .is_live = true,
             .changed = polling_changed, .doc = "Factor by which busy waiting grows; 0 is 2"),
    PROP_I64("poll-shrink", IoThread, poll_shrink, .max = INT64_MAX, .is_live = true,
             .changed = polling_changed,
             .doc = "Divisor by which busy waiting shrinks; 0 is back to none"),
};

static const UserCreatable iothread_ops = { .complete = iothread_complete };
static const ObjectType iothread_type = {
    .name = TYPE_IOTHREAD,
    .doc = "A thread that serves devices",
    .parent = TYPE_EVENT_LOOP_BASE,
    .size = sizeof(IoThread),
    .properties = PROPERTIES(iothread_props),
    .interfaces = (const InterfaceImpl[]){ { TYPE_USER_CREATABLE, &iothread_ops }, { 0 } },
    .init = iothread_init,
    .finalize = iothread_finalize,
};
OBJECT_TYPE(iothread_type)

static void add_info(void *opaque, Object *child)
{
    GPtrArray *infos = opaque;
    IOThreadInfo *info;
    IoThread *t;

    if (!object_is_a(child, TYPE_IOTHREAD) || !IOTHREAD(child)->thread) {
        return;
    }
    t = IOTHREAD(child);
    info = g_new0(IOThreadInfo, 1);
    info->id = g_strdup(child->name);
    info->thread_id = iothread_thread_id(t);
    info->poll_max_ns = t->poll_max_ns;
    info->poll_grow = t->poll_grow;
    info->poll_shrink = t->poll_shrink;
    info->aio_max_batch = t->base.aio_max_batch;
    g_ptr_array_add(infos, info);
}

IOThreadInfoArray *qmp_query_iothreads(Error **errp)
{
    GPtrArray *infos = g_ptr_array_new();
    IOThreadInfoArray *result = g_new0(IOThreadInfoArray, 1);

    object_each_child(object_container("/objects"), add_info, infos);
    result->count = infos->len;
    result->items = (IOThreadInfo **)g_ptr_array_free(infos, false);
    return result;
}
