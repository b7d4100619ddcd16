/*
 * What the files of the event loop share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_EVENT_LOOP_INTERNAL_H
#define UTIL_EVENT_LOOP_INTERNAL_H

#include "util/event_loop.h"

typedef struct Poller {
    bool (*is_ready)(void *opaque);
    EventFn *fn;
    void *opaque;
    bool is_removed; /* while they are being called */
} Poller;

struct EventLoop {
    GMainContext *context;
    GSource *source;      /* deferred work, timers, pollers */
    int refs;             /* atomic */
    bool is_waiting;      /* atomic: event_loop_wake() must interrupt */
    bool is_wake_wanted;  /* atomic: the next wait does not wait */
    bool has_thread;      /* atomic */
    unsigned depth;       /* of event_loop_run_once(), in its thread */
    const EventLoopWaitHooks *hooks;
    EventLoopTimers *timers; /* atomic; set once under `lock` */
    GMutex lock;          /* leaf: what follows */
    GQueue deferred;      /* of Deferred */
    EventLoopPolling polling;
    struct ThreadPool *pool; /* referring back to the loop; NULL until it is asked for */
    /* The loop's thread only. */
    GPtrArray *pollers;
    unsigned pollers_busy;
    int64_t poll_ns;      /* how long it polls now */
};

bool event_loop_run_deferred(EventLoop *loop);
void event_loop_drop_deferred(EventLoop *loop);
bool event_loop_has_deferred(EventLoop *loop);

/* True when a poller found work within the time; `deadline_ns` ends it sooner. */
bool event_loop_busy_poll(EventLoop *loop, int64_t deadline_ns);
/* After a wait of `waited_ns`: how long the next polling may take. */
void event_loop_adapt_polling(EventLoop *loop, int64_t waited_ns);
bool event_loop_run_pollers(EventLoop *loop);
bool event_loop_poller_is_ready(EventLoop *loop);

#endif
