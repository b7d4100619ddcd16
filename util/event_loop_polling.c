/*
 * Polling before a wait: a loop that expects work within microseconds looks for it in memory
 * before it goes to sleep, for as long as that has paid lately.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/event_loop.h"
#include "util/event_loop_internal.h"

#define POLL_START_NS 4000

void event_loop_set_polling(EventLoop *loop, const EventLoopPolling *polling)
{
    g_mutex_lock(&loop->lock);
    loop->polling = *polling;
    g_mutex_unlock(&loop->lock);
    event_loop_wake(loop);
}

void event_loop_add_poller(EventLoop *loop, bool (*is_ready)(void *opaque), EventFn *fn,
                           void *opaque)
{
    Poller *poller = g_new0(Poller, 1);

    *poller = (Poller){ is_ready, fn, opaque };
    g_ptr_array_add(loop->pollers, poller);
}

static void sweep(EventLoop *loop)
{
    for (guint i = loop->pollers->len; i > 0; i--) {
        if (((Poller *)loop->pollers->pdata[i - 1])->is_removed) {
            g_ptr_array_remove_index(loop->pollers, i - 1);
        }
    }
}

void event_loop_remove_poller(EventLoop *loop, bool (*is_ready)(void *opaque), void *opaque)
{
    for (guint i = 0; i < loop->pollers->len; i++) {
        Poller *poller = loop->pollers->pdata[i];

        if (poller->is_ready == is_ready && poller->opaque == opaque) {
            poller->is_removed = true;
        }
    }
    if (loop->pollers_busy == 0) {
        sweep(loop);
    }
}

bool event_loop_poller_is_ready(EventLoop *loop)
{
    for (guint i = 0; i < loop->pollers->len; i++) {
        Poller *poller = loop->pollers->pdata[i];

        if (!poller->is_removed && poller->is_ready(poller->opaque)) {
            return true;
        }
    }
    return false;
}

bool event_loop_run_pollers(EventLoop *loop)
{
    bool has_run = false;

    loop->pollers_busy++;
    for (guint i = 0; i < loop->pollers->len; i++) {
        Poller *poller = loop->pollers->pdata[i];

        if (!poller->is_removed && poller->is_ready(poller->opaque)) {
            poller->fn(poller->opaque);
            has_run = true;
        }
    }
    if (--loop->pollers_busy == 0) {
        sweep(loop);
    }
    return has_run;
}

bool event_loop_busy_poll(EventLoop *loop, int64_t deadline_ns)
{
    do {
        if (event_loop_poller_is_ready(loop)) {
            return true;
        }
        if (__atomic_load_n(&loop->is_wake_wanted, __ATOMIC_SEQ_CST)) {
            return false;
        }
    } while (host_monotonic_ns() < deadline_ns);
    return false;
}

void event_loop_adapt_polling(EventLoop *loop, int64_t waited_ns)
{
    EventLoopPolling p;

    g_mutex_lock(&loop->lock);
    p = loop->polling;
    g_mutex_unlock(&loop->lock);
    if (waited_ns <= loop->poll_ns) {
        return;
    }
    if (waited_ns > p.max_ns) {
        /* Work comes too rarely: polling for it is waste. */
        loop->poll_ns = p.shrink ? loop->poll_ns / p.shrink : 0;
    } else if (loop->poll_ns == 0) {
        loop->poll_ns = POLL_START_NS;
    } else {
        int64_t factor = p.grow ? p.grow : 2;

        loop->poll_ns = loop->poll_ns > p.max_ns / factor ? p.max_ns : loop->poll_ns * factor;
    }
    loop->poll_ns = MIN(loop->poll_ns, p.max_ns);
}
