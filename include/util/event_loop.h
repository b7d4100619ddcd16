/*
 * EventLoop: a thread's wait for descriptors, deferred work and time, over a GMainContext. The
 * main loop is the default context; an iothread has its own.
 *
 * Functions marked "any thread" may be called anywhere; the others only in the loop's thread.
 * What runs in a loop may poll it again (event_loop_run_until); a descriptor's own callback is
 * then not entered a second time, deferred work is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_EVENT_LOOP_H
#define UTIL_EVENT_LOOP_H

typedef struct EventLoop EventLoop;
typedef struct FdWatch FdWatch;
typedef struct Deferred Deferred;

typedef void EventFn(void *opaque);

/* Over the default context; lives for ever, first asked for by the main thread. */
EventLoop *event_loop_main(void);
EventLoop *event_loop_new(void);
EventLoop *event_loop_ref(EventLoop *loop); /* any thread */
void event_loop_unref(EventLoop *loop);     /* any thread; NULL is fine */
/* Any thread: for registries of loops. False if it is going away. */
bool event_loop_try_ref(EventLoop *loop);
GMainContext *event_loop_context(EventLoop *loop);

/* The loop this thread runs; the main loop in threads without one (vCPUs, workers). */
EventLoop *event_loop_current(void);
/* Says that this thread runs `loop` (NULL: no longer). The main thread need not. */
void event_loop_set_current(EventLoop *loop);
bool event_loop_is_current(EventLoop *loop);
/* This thread is within event_loop_run_once(loop): its next wait sees what changes now. */
bool event_loop_is_run_here(EventLoop *loop);
/* Any thread: the main loop, or some thread said that it runs this one. */
bool event_loop_has_thread(EventLoop *loop);

/* Waits (if `may_block`) and serves what is ready once. True if anything was served. */
bool event_loop_run_once(EventLoop *loop, bool may_block);
void event_loop_run_until(EventLoop *loop, bool (*is_done)(void *opaque), void *opaque);
/* Any thread: a wait that is going on, or the next one, ends at once. */
void event_loop_wake(EventLoop *loop);

/* --- descriptors (util/fd_watch.c) --- */

/* `events` holds what was asked for and G_IO_HUP, G_IO_ERR. */
typedef void FdReady(void *opaque, GIOCondition events);

/* Any thread. `fd` stays the caller's and must be open until the watch is freed. */
FdWatch *fd_watch_new(EventLoop *loop, int fd, GIOCondition events, FdReady *ready, void *opaque);
/* Any thread. 0 pauses (HUP and ERR are not reported then). */
void fd_watch_set_events(FdWatch *watch, GIOCondition events);
/* NULL is fine; also from within `ready`. In another thread a call may be under way. */
void fd_watch_free(FdWatch *watch);

/* --- deferred work (util/deferred.c) --- */

Deferred *deferred_new(EventLoop *loop, EventFn *fn, void *opaque);
/* Any thread: fn runs once, soon, in the loop's thread; scheduled again before, still once. */
void deferred_schedule(Deferred *d);
/* Any thread. In the loop's thread fn will not run; in another it may be running. */
void deferred_cancel(Deferred *d);
/* As deferred_cancel(); also from within fn. NULL is fine. */
void deferred_free(Deferred *d);
/* Any thread: fn runs once in the loop's thread, in the order of these calls. */
void event_loop_defer(EventLoop *loop, EventFn *fn, void *opaque);
/* Any thread: as event_loop_defer(), when nothing else is ready. */
void event_loop_defer_idle(EventLoop *loop, EventFn *fn, void *opaque);
/*
 * For back ends, which have no clocks: fn runs after `delay_ms` of host time. Cancel with
 * g_source_destroy(); the loop owns the source, which is gone once fn ran.
 */
GSource *event_loop_defer_ms(EventLoop *loop, unsigned delay_ms, EventFn *fn, void *opaque);

/* --- polling before a wait --- */

typedef struct EventLoopPolling {
    int64_t max_ns; /* 0: never */
    int64_t grow, shrink; /* factors; 0: double, back to zero */
} EventLoopPolling;

/* Any thread. */
void event_loop_set_polling(EventLoop *loop, const EventLoopPolling *polling);
/*
 * `is_ready` tells cheaply whether there is work (a ring moved in memory); then `fn` runs. Asked
 * in a busy loop before a wait. Remove with the same arguments.
 */
void event_loop_add_poller(EventLoop *loop, bool (*is_ready)(void *opaque), EventFn *fn,
                           void *opaque);
void event_loop_remove_poller(EventLoop *loop, bool (*is_ready)(void *opaque), void *opaque);

/* --- what system/ adds to a loop --- */

/* Called around the wait of the outermost event_loop_run_once(). Set once, before it runs. */
typedef struct EventLoopWaitHooks {
    void (*before)(void);
    void (*after)(void);
} EventLoopWaitHooks;
void event_loop_set_wait_hooks(EventLoop *loop, const EventLoopWaitHooks *hooks);

/* The loop's timers: asked for the next deadline before a wait, run after it. */
typedef struct EventLoopTimers {
    /* On CLOCK_MONOTONIC; INT64_MAX: none. Any thread. */
    int64_t (*next_ns)(struct EventLoopTimers *timers);
    void (*run)(struct EventLoopTimers *timers);
    void (*free)(struct EventLoopTimers *timers);
} EventLoopTimers;
/* Any thread: the loop's, made by the first who asks. */
EventLoopTimers *event_loop_timers(EventLoop *loop, EventLoopTimers *(*make)(EventLoop *loop));

int64_t host_monotonic_ns(void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EventLoop, event_loop_unref)

#endif
