/*
 * TimerList: the armed timers of one clock in one event loop, a binary heap.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_TIMER_LIST_H
#define SYSTEM_TIMER_LIST_H

#include "system/timer.h"

struct TimerList {
    GMutex lock;         /* leaf */
    GCond settled;       /* a run has ended */
    EventLoop *loop;     /* borrowed: it owns the list */
    Clock clock;
    GPtrArray *heap;     /* of Timer; [0] is unused, [1] fires first */
    uint64_t next_order;
    int64_t first_ns;    /* atomic copy of the first deadline; INT64_MAX: none */
    GThread *runner;     /* who runs timers of this list now */
    unsigned run_depth;
    int64_t run_ns;      /* the time that is being run */
    uint64_t runs;       /* ended */
};

void timer_list_init(TimerList *list, EventLoop *loop, Clock clock);
void timer_list_clear(TimerList *list);
/* Runs what is due by `now_ns` and was armed before the call. Loop's thread. */
void timer_list_run(TimerList *list, int64_t now_ns);
/* Waits until no other thread runs a timer of the list. */
void timer_list_settle(TimerList *list);
/* Has the list's own thread run what is due by `now_ns`, and waits for it. */
void timer_list_await_run(TimerList *list, int64_t now_ns);
int64_t timer_list_first_ns(const TimerList *list);
/* The first deadline of timers without any of these attributes. */
int64_t timer_list_first_without_ns(TimerList *list, unsigned attributes);

/* --- all loops' lists (system/loop_timers.c) --- */

TimerList *timer_list_of(EventLoop *loop, Clock clock);
/* Those of `clock`, the main loop's first, each with a reference to its loop. */
GPtrArray *timer_lists_snapshot(Clock clock);
/* The next waits of all loops ask for deadlines anew. */
void timer_lists_wake(Clock clock);

/* --- system/clock.c --- */

/* When on CLOCK_REAL a deadline is reached; INT64_MAX: not by itself. */
int64_t clock_real_deadline_ns(Clock clock, int64_t deadline_ns);
void clock_first_changed(Clock clock);

/* --- system/clock_host.c --- */

void clock_watch_host(void);
/* Looks whether the wall clock was set, and tells. `host_ahead_ns`: of CLOCK_REAL, now. */
void clock_check_host_jump(int64_t host_ahead_ns);

#endif
