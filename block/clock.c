/*
 * See include/block/block_clock.h. Programs without a machine have the host's time, in
 * milliseconds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/block_clock.h"

#include "util/event_loop.h"

struct BlockTimer {
    GMutex lock;
    GSource *source; /* NULL: not armed */
    void (*fn)(void *opaque);
    void *opaque;
};

static const BlockClock *the_clock;

static void fire(void *opaque)
{
    BlockTimer *timer = opaque;

    g_mutex_lock(&timer->lock);
    timer->source = NULL;
    g_mutex_unlock(&timer->lock);
    timer->fn(timer->opaque);
}

static void disarm(BlockTimer *timer)
{
    if (timer->source) {
        g_source_destroy(timer->source);
        timer->source = NULL;
    }
}

static void arm_after(BlockTimer *timer, int64_t delay_ns)
{
    int64_t ms = MIN(delay_ns / NS_PER_MS + 1, INT32_MAX);

    g_mutex_lock(&timer->lock);
    disarm(timer);
    timer->source = event_loop_defer_ms(event_loop_main(), ms, fire, timer);
    g_mutex_unlock(&timer->lock);
}

static BlockTimer *timer_new(void (*fn)(void *opaque), void *opaque)
{
    BlockTimer *timer = g_new0(BlockTimer, 1);

    g_mutex_init(&timer->lock);
    timer->fn = fn;
    timer->opaque = opaque;
    return timer;
}

static void timer_free(BlockTimer *timer)
{
    disarm(timer);
    g_mutex_clear(&timer->lock);
    g_free(timer);
}

void block_set_clock(const BlockClock *clock)
{
    the_clock = clock;
}

const BlockClock *block_clock(void)
{
    static const BlockClock host = { false, host_monotonic_ns, timer_new, timer_free, arm_after };

    return the_clock ? the_clock : &host;
}
