/*
 * Timer: calls a function when a clock reaches a time. Embed it.
 *
 * Timers of one clock and loop fire in order of deadline, then of arming; each is disarmed
 * before its function runs, in its loop's thread: with the machine lock held in the main loop,
 * without it elsewhere. Arming and cancelling are safe in any thread; in another thread than the
 * loop's the function may just be running when timer_cancel() returns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_TIMER_H
#define SYSTEM_TIMER_H

#include "system/clock.h"
#include "util/event_loop.h"

/* Attributes. */
#define TIMER_EXTERNAL BIT(0) /* guest-invisible: an instruction-made clock does not wait for it */

typedef struct TimerList TimerList;

typedef struct Timer {
    TimerList *list;
    EventFn *fn;
    void *opaque;
    int64_t deadline_ns;
    int64_t due_ns;  /* the same, but not before the time at which it was armed by a timer */
    uint64_t order;  /* of arming */
    size_t slot;     /* in the list's heap, from 1; 0: not armed */
    unsigned attributes;
} Timer;

/* On the main loop. A zeroed Timer may be cancelled and cleared, not armed. */
void timer_init(Timer *timer, Clock clock, EventFn *fn, void *opaque);
/* `loop` must outlive the timer. */
void timer_init_on(Timer *timer, EventLoop *loop, Clock clock, EventFn *fn, void *opaque);
/* Before it is armed. */
void timer_set_attributes(Timer *timer, unsigned attributes);
/* Cancels; the timer can then be freed (by its loop's thread, or when it cannot be running). */
void timer_clear(Timer *timer);

/* Sets the deadline anew, armed or not; a time past fires soon. Sums saturate. */
void timer_arm_at_ns(Timer *timer, int64_t deadline_ns);
void timer_arm_after_ns(Timer *timer, int64_t delay_ns);
void timer_arm_at_us(Timer *timer, int64_t deadline_us);
void timer_arm_after_us(Timer *timer, int64_t delay_us);
void timer_arm_at_ms(Timer *timer, int64_t deadline_ms);
void timer_arm_after_ms(Timer *timer, int64_t delay_ms);
/* Arms, or moves the deadline only nearer. */
void timer_arm_no_later_ns(Timer *timer, int64_t deadline_ns);
void timer_cancel(Timer *timer);

bool timer_is_armed(const Timer *timer);
/* INT64_MAX when it is not armed. */
int64_t timer_deadline_ns(const Timer *timer);
Clock timer_clock(const Timer *timer);

/*
 * For drivers of virtual time. The first deadline of the clock in all loops; INT64_MAX: none, or
 * the clock stands. `without`: attributes of timers that do not count.
 */
int64_t clock_first_deadline_ns(Clock clock, unsigned without);
/* Runs what is due now in the main loop (its thread only), has other loops run theirs, and
 * waits for that. Machine lock (given up in the wait). */
void clock_run_timers(Clock clock);

#endif
