/*
 * The timer lists of each event loop, and of all loops.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/timer_list.h"

typedef struct LoopTimers {
    struct EventLoopTimers;
    EventLoop *loop;
    TimerList lists[CLOCK_COUNT];
    struct LoopTimers *next;
} LoopTimers;

static GMutex registry_lock; /* leaf */
static LoopTimers *registry;

static int64_t timers_next_ns(EventLoopTimers *timers)
{
    LoopTimers *t = (LoopTimers *)timers;
    int64_t next_ns = INT64_MAX;

    for (Clock clock = 0; clock < CLOCK_COUNT; clock++) {
        int64_t first_ns = timer_list_first_ns(&t->lists[clock]);

        if (first_ns != INT64_MAX) {
            next_ns = MIN(next_ns, clock_real_deadline_ns(clock, first_ns));
        }
    }
    return next_ns;
}

static void timers_run(EventLoopTimers *timers)
{
    LoopTimers *t = (LoopTimers *)timers;

    for (Clock clock = 0; clock < CLOCK_COUNT; clock++) {
        if (timer_list_first_ns(&t->lists[clock]) != INT64_MAX && clock_is_running(clock)) {
            timer_list_run(&t->lists[clock], clock_now_ns(clock));
        }
    }
}

static void timers_free(EventLoopTimers *timers)
{
    LoopTimers *t = (LoopTimers *)timers, **at;

    g_mutex_lock(&registry_lock);
    for (at = &registry; *at != t; at = &(*at)->next) {
        assert(*at);
    }
    *at = t->next;
    g_mutex_unlock(&registry_lock);
    for (Clock clock = 0; clock < CLOCK_COUNT; clock++) {
        timer_list_clear(&t->lists[clock]);
    }
    g_free(t);
}

static EventLoopTimers *timers_new(EventLoop *loop)
{
    LoopTimers *t = g_new0(LoopTimers, 1);

    t->next_ns = timers_next_ns;
    t->run = timers_run;
    t->free = timers_free;
    t->loop = loop;
    for (Clock clock = 0; clock < CLOCK_COUNT; clock++) {
        timer_list_init(&t->lists[clock], loop, clock);
    }
    g_mutex_lock(&registry_lock);
    t->next = registry;
    registry = t;
    g_mutex_unlock(&registry_lock);
    return (EventLoopTimers *)t;
}

TimerList *timer_list_of(EventLoop *loop, Clock clock)
{
    return &((LoopTimers *)event_loop_timers(loop, timers_new))->lists[clock];
}

static void release_list(void *list)
{
    event_loop_unref(((TimerList *)list)->loop);
}

GPtrArray *timer_lists_snapshot(Clock clock)
{
    GPtrArray *lists = g_ptr_array_new_with_free_func(release_list);

    g_mutex_lock(&registry_lock);
    for (LoopTimers *t = registry; t; t = t->next) {
        if (event_loop_try_ref(t->loop)) {
            g_ptr_array_insert(lists, t->loop == event_loop_main() ? 0 : -1, &t->lists[clock]);
        }
    }
    g_mutex_unlock(&registry_lock);
    return lists;
}

void timer_lists_wake(Clock clock)
{
    g_autoptr(GPtrArray) lists = timer_lists_snapshot(clock);

    for (guint i = 0; i < lists->len; i++) {
        event_loop_wake(((TimerList *)lists->pdata[i])->loop);
    }
}

int64_t clock_first_deadline_ns(Clock clock, unsigned without)
{
    g_autoptr(GPtrArray) lists = timer_lists_snapshot(clock);
    int64_t first_ns = INT64_MAX;

    for (guint i = 0; clock_is_running(clock) && i < lists->len; i++) {
        first_ns = MIN(first_ns, timer_list_first_without_ns(lists->pdata[i], without));
    }
    return first_ns;
}
