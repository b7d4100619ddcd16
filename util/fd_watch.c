/*
 * Descriptors of an event loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/event_loop.h"

struct FdWatch {
    GSource base;
    int fd;
    FdReady *ready;
    void *opaque;
    GMutex lock;   /* leaf: `tag` */
    gpointer tag;  /* NULL while paused: poll() would go on to tell of hang-ups */
};

static gboolean watch_dispatch(GSource *source, GSourceFunc fn, void *opaque)
{
    FdWatch *watch = (FdWatch *)source;
    GIOCondition events = 0;

    g_mutex_lock(&watch->lock);
    if (watch->tag) {
        events = g_source_query_unix_fd(source, watch->tag);
    }
    g_mutex_unlock(&watch->lock);
    if (events) {
        watch->ready(watch->opaque, events);
    }
    return G_SOURCE_CONTINUE;
}

static void watch_finalize(GSource *source)
{
    g_mutex_clear(&((FdWatch *)source)->lock);
}

static GSourceFuncs watch_funcs = { .dispatch = watch_dispatch, .finalize = watch_finalize };

FdWatch *fd_watch_new(EventLoop *loop, int fd, GIOCondition events, FdReady *ready, void *opaque)
{
    FdWatch *watch = (FdWatch *)g_source_new(&watch_funcs, sizeof(FdWatch));

    watch->fd = fd;
    watch->ready = ready;
    watch->opaque = opaque;
    g_mutex_init(&watch->lock);
    g_source_set_static_name(&watch->base, "fd-watch");
    fd_watch_set_events(watch, events);
    g_source_attach(&watch->base, event_loop_context(loop));
    return watch;
}

void fd_watch_set_events(FdWatch *watch, GIOCondition events)
{
    g_mutex_lock(&watch->lock);
    if (watch->tag && events) {
        g_source_modify_unix_fd(&watch->base, watch->tag, events);
    } else if (watch->tag) {
        g_source_remove_unix_fd(&watch->base, g_steal_pointer(&watch->tag));
    } else if (events) {
        watch->tag = g_source_add_unix_fd(&watch->base, watch->fd, events);
    }
    g_mutex_unlock(&watch->lock);
}

void fd_watch_free(FdWatch *watch)
{
    if (watch) {
        g_source_destroy(&watch->base);
        g_source_unref(&watch->base);
    }
}
