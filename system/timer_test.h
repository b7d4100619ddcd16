/*
 * What tests of timers share: a timer that notes its firing, a thread that runs a loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_TIMER_TEST_H
#define SYSTEM_TIMER_TEST_H

#include "system/timer.h"
#include "util/thread.h"

typedef struct Note {
    Timer timer;
    int count;
    int64_t at_ns;
    GThread *thread;
} Note;

static inline void note(void *opaque)
{
    Note *n = opaque;

    n->at_ns = clock_now_ns(timer_clock(&n->timer));
    n->thread = g_thread_self();
    __atomic_add_fetch(&n->count, 1, __ATOMIC_RELEASE);
}

static inline bool is_noted(void *opaque)
{
    return __atomic_load_n(&((Note *)opaque)->count, __ATOMIC_ACQUIRE) > 0;
}

typedef struct Runner {
    EventLoop *loop;
    bool is_ended; /* atomic */
} Runner;

static inline bool is_ended(void *opaque)
{
    return __atomic_load_n(&((Runner *)opaque)->is_ended, __ATOMIC_ACQUIRE);
}

static inline void *run_loop(void *opaque)
{
    Runner *r = opaque;

    event_loop_set_current(r->loop);
    event_loop_run_until(r->loop, is_ended, r);
    event_loop_set_current(NULL);
    return NULL;
}

static inline GThread *runner_start(Runner *r)
{
    GThread *thread;

    *r = (Runner){ event_loop_new() };
    thread = thread_new("runner", run_loop, r, NULL);
    while (!event_loop_has_thread(r->loop)) {
        g_thread_yield();
    }
    return thread;
}

static inline void runner_end(Runner *r, GThread *thread)
{
    __atomic_store_n(&r->is_ended, true, __ATOMIC_RELEASE);
    event_loop_wake(r->loop);
    g_thread_join(thread);
    event_loop_unref(r->loop);
}

#endif
