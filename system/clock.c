/*
 * The clocks: see system/clock.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/clock.h"

#include <time.h>

#include "system/machine_lock.h"
#include "system/timer_list.h"

/*
 * Host-paced virtual time. Readers take no lock: they read again if `version` is odd or changed
 * meanwhile. Written with the machine lock held.
 */
static struct {
    unsigned version;
    bool is_running;
    int64_t base_ns; /* running: CLOCK_REAL at virtual 0; else the time it stands at */
} guest_time;

static const ClockDriver *driver; /* atomic */

static const ClockDriver *driver_of(Clock clock)
{
    const ClockDriver *d = __atomic_load_n(&driver, __ATOMIC_ACQUIRE);

    if (clock == CLOCK_VIRTUAL || (clock == CLOCK_VIRTUAL_RT && d && d->makes_virtual_rt)) {
        return d;
    }
    return NULL;
}

static void write_guest_time(bool is_running, int64_t base_ns)
{
    machine_lock_assert_held();
    __atomic_store_n(&guest_time.version, guest_time.version + 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&guest_time.is_running, is_running, __ATOMIC_SEQ_CST);
    __atomic_store_n(&guest_time.base_ns, base_ns, __ATOMIC_SEQ_CST);
    __atomic_store_n(&guest_time.version, guest_time.version + 1, __ATOMIC_SEQ_CST);
}

static int64_t guest_time_ns(void)
{
    unsigned version;
    int64_t now_ns;

    do {
        version = __atomic_load_n(&guest_time.version, __ATOMIC_SEQ_CST);
        now_ns = __atomic_load_n(&guest_time.base_ns, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&guest_time.is_running, __ATOMIC_SEQ_CST)) {
            now_ns = host_monotonic_ns() - now_ns;
        }
    } while ((version & 1) || version != __atomic_load_n(&guest_time.version, __ATOMIC_SEQ_CST));
    return now_ns;
}

static int64_t wall_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

int64_t clock_now_ns(Clock clock)
{
    const ClockDriver *d;

    switch (clock) {
    case CLOCK_REAL:
        return host_monotonic_ns();
    case CLOCK_HOST:
        return wall_clock_ns();
    default:
        d = driver_of(clock);
        return d ? d->virtual_now_ns() : guest_time_ns();
    }
}

bool clock_is_running(Clock clock)
{
    return clock == CLOCK_REAL || clock == CLOCK_HOST ||
           __atomic_load_n(&guest_time.is_running, __ATOMIC_SEQ_CST);
}

void clock_start_virtual(void)
{
    if (!guest_time.is_running) {
        write_guest_time(true, host_monotonic_ns() - guest_time.base_ns);
        timer_lists_wake(CLOCK_VIRTUAL);
    }
}

static void settle_all(Clock clock)
{
    g_autoptr(GPtrArray) lists = timer_lists_snapshot(clock);

    for (guint i = 0; i < lists->len; i++) {
        timer_list_settle(lists->pdata[i]);
    }
}

void clock_stop_virtual(void)
{
    if (!guest_time.is_running) {
        return;
    }
    write_guest_time(false, guest_time_ns());
    machine_unlock();
    settle_all(CLOCK_VIRTUAL);
    settle_all(CLOCK_VIRTUAL_RT);
    machine_lock();
}

void clock_set_virtual_ns(int64_t ns)
{
    assert(!guest_time.is_running);
    write_guest_time(false, ns);
}

void clock_set_driver(const ClockDriver *d)
{
    machine_lock_assert_held();
    __atomic_store_n(&driver, d, __ATOMIC_RELEASE);
}

static int64_t after(int64_t base_ns, int64_t delay_ns)
{
    int64_t sum_ns;

    return __builtin_add_overflow(base_ns, delay_ns, &sum_ns) ? INT64_MAX - 1 : sum_ns;
}

int64_t clock_real_deadline_ns(Clock clock, int64_t deadline_ns)
{
    const ClockDriver *d = driver_of(clock);
    int64_t left_ns;

    if (!clock_is_running(clock)) {
        return INT64_MAX;
    }
    /* Clocks show no negative times: only a deadline far in the past overflows. */
    if (__builtin_sub_overflow(deadline_ns, clock_now_ns(clock), &left_ns) || left_ns <= 0) {
        return 0;
    }
    if (d) {
        return d->real_deadline_ns ? d->real_deadline_ns(deadline_ns) : INT64_MAX;
    }
    return after(host_monotonic_ns(), left_ns);
}

void clock_first_changed(Clock clock)
{
    const ClockDriver *d = clock == CLOCK_VIRTUAL ? driver_of(clock) : NULL;

    if (d && d->first_changed) {
        d->first_changed();
    }
}

void clock_run_timers(Clock clock)
{
    g_autoptr(GPtrArray) lists = timer_lists_snapshot(clock);
    int64_t now_ns = clock_now_ns(clock);

    for (guint i = 0; i < lists->len; i++) {
        TimerList *list = lists->pdata[i];

        if (!clock_is_running(clock) || timer_list_first_ns(list) > now_ns) {
            continue;
        }
        if (list->loop == event_loop_main()) {
            timer_list_run(list, now_ns);
        } else {
            machine_unlock();
            timer_list_await_run(list, now_ns);
            machine_lock();
        }
    }
}
