/*
 * Deferred work: callbacks that any thread can have run in a loop's thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/event_loop.h"
#include "util/event_loop_internal.h"

struct Deferred {
    EventLoop *loop;   /* referenced by its owner, until freed */
    EventFn *fn;
    void *opaque;
    GList link;        /* in loop->deferred while is_queued */
    unsigned refs;     /* under loop->lock: the owner's, and one while fn runs */
    bool is_queued;
    bool is_one_shot;  /* owned by the queue */
};

static Deferred *deferred_alloc(EventLoop *loop, EventFn *fn, void *opaque)
{
    Deferred *d = g_new0(Deferred, 1);

    d->loop = loop;
    d->fn = fn;
    d->opaque = opaque;
    d->link.data = d;
    d->refs = 1;
    return d;
}

Deferred *deferred_new(EventLoop *loop, EventFn *fn, void *opaque)
{
    return deferred_alloc(event_loop_ref(loop), fn, opaque);
}

void deferred_schedule(Deferred *d)
{
    EventLoop *loop = d->loop; /* a one-shot may be run and gone once it is queued */
    bool is_new;

    g_mutex_lock(&loop->lock);
    is_new = !d->is_queued;
    if (is_new) {
        d->is_queued = true;
        g_queue_push_tail_link(&loop->deferred, &d->link);
    }
    g_mutex_unlock(&loop->lock);
    if (is_new && !event_loop_is_run_here(loop)) {
        event_loop_wake(loop);
    }
}

static void unqueue(Deferred *d)
{
    if (d->is_queued) {
        d->is_queued = false;
        g_queue_unlink(&d->loop->deferred, &d->link);
    }
}

void deferred_cancel(Deferred *d)
{
    g_mutex_lock(&d->loop->lock);
    unqueue(d);
    g_mutex_unlock(&d->loop->lock);
}

static void deferred_drop(Deferred *d)
{
    unsigned refs;

    g_mutex_lock(&d->loop->lock);
    refs = --d->refs;
    g_mutex_unlock(&d->loop->lock);
    if (refs == 0) {
        g_free(d);
    }
}

void deferred_free(Deferred *d)
{
    EventLoop *loop = d ? d->loop : NULL;

    if (d) {
        deferred_cancel(d);
        deferred_drop(d);
    }
    event_loop_unref(loop);
}

void event_loop_defer(EventLoop *loop, EventFn *fn, void *opaque)
{
    Deferred *d = deferred_alloc(loop, fn, opaque);

    d->is_one_shot = true;
    deferred_schedule(d);
}

bool event_loop_has_deferred(EventLoop *loop)
{
    bool has_any;

    g_mutex_lock(&loop->lock);
    has_any = !g_queue_is_empty(&loop->deferred);
    g_mutex_unlock(&loop->lock);
    return has_any;
}

/* The next one, with a reference for the time it runs (a one-shot's is its only one). */
static Deferred *take_first(EventLoop *loop)
{
    GList *link;
    Deferred *d = NULL;

    g_mutex_lock(&loop->lock);
    link = g_queue_pop_head_link(&loop->deferred);
    if (link) {
        d = link->data;
        d->is_queued = false;
        d->refs += !d->is_one_shot;
    }
    g_mutex_unlock(&loop->lock);
    return d;
}

/*
 * Runs what is queued now; what gets queued meanwhile waits for the next round, so that work
 * which schedules itself starves nothing. A loop polled from within takes from the same queue.
 */
bool event_loop_run_deferred(EventLoop *loop)
{
    guint count;
    bool has_run = false;

    g_mutex_lock(&loop->lock);
    count = g_queue_get_length(&loop->deferred);
    g_mutex_unlock(&loop->lock);
    for (; count > 0; count--) {
        Deferred *d = take_first(loop);

        if (!d) {
            break;
        }
        d->fn(d->opaque);
        deferred_drop(d);
        has_run = true;
    }
    return has_run;
}

/* The loop goes: only one-shots can be left, for the others hold a reference to it. */
void event_loop_drop_deferred(EventLoop *loop)
{
    Deferred *d;

    while ((d = take_first(loop))) {
        deferred_drop(d);
    }
}

typedef struct IdleCall {
    EventFn *fn;
    void *opaque;
} IdleCall;

static gboolean run_idle_call(void *opaque)
{
    IdleCall *call = opaque;

    call->fn(call->opaque);
    return G_SOURCE_REMOVE;
}

static void attach_call(EventLoop *loop, GSource *source, EventFn *fn, void *opaque)
{
    IdleCall *call = g_new(IdleCall, 1);

    *call = (IdleCall){ fn, opaque };
    g_source_set_callback(source, run_idle_call, call, g_free);
    g_source_attach(source, event_loop_context(loop));
    g_source_unref(source);
}

void event_loop_defer_idle(EventLoop *loop, EventFn *fn, void *opaque)
{
    attach_call(loop, g_idle_source_new(), fn, opaque);
}

GSource *event_loop_defer_ms(EventLoop *loop, unsigned delay_ms, EventFn *fn, void *opaque)
{
    GSource *source = g_timeout_source_new(delay_ms);

    attach_call(loop, source, fn, opaque);
    return source;
}
