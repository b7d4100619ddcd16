/*
 * Timers: see system/timer.h. Arming is in system/timer_list.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/timer.h"

#include "system/timer_list.h"

void timer_init(Timer *timer, Clock clock, EventFn *fn, void *opaque)
{
    timer_init_on(timer, event_loop_main(), clock, fn, opaque);
}

void timer_init_on(Timer *timer, EventLoop *loop, Clock clock, EventFn *fn, void *opaque)
{
    *timer = (Timer){ .list = timer_list_of(loop, clock), .fn = fn, .opaque = opaque };
    if (clock == CLOCK_HOST) {
        clock_watch_host();
    }
}

void timer_set_attributes(Timer *timer, unsigned attributes)
{
    assert(!timer_is_armed(timer));
    timer->attributes = attributes;
}

void timer_clear(Timer *timer)
{
    timer_cancel(timer);
    timer->list = NULL;
}

Clock timer_clock(const Timer *timer)
{
    return timer->list->clock;
}

static int64_t add_saturated(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? (b < 0 ? INT64_MIN : INT64_MAX) : sum;
}

static int64_t scale_saturated(int64_t value, int64_t unit_ns)
{
    int64_t ns;

    return __builtin_mul_overflow(value, unit_ns, &ns) ? (value < 0 ? INT64_MIN : INT64_MAX) : ns;
}

void timer_arm_after_ns(Timer *timer, int64_t delay_ns)
{
    timer_arm_at_ns(timer, add_saturated(clock_now_ns(timer->list->clock), delay_ns));
}

void timer_arm_at_us(Timer *timer, int64_t deadline_us)
{
    timer_arm_at_ns(timer, scale_saturated(deadline_us, NS_PER_US));
}

void timer_arm_after_us(Timer *timer, int64_t delay_us)
{
    timer_arm_after_ns(timer, scale_saturated(delay_us, NS_PER_US));
}

void timer_arm_at_ms(Timer *timer, int64_t deadline_ms)
{
    timer_arm_at_ns(timer, scale_saturated(deadline_ms, NS_PER_MS));
}

void timer_arm_after_ms(Timer *timer, int64_t delay_ms)
{
    timer_arm_after_ns(timer, scale_saturated(delay_ms, NS_PER_MS));
}
