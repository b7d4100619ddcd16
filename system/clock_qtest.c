/*
 * Time under qtest: it moves when told, to each deadline on the way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/clock.h"

#include "system/timer.h"

/* A timer that arms itself for the same instant again and again must not hold up the test. */
#define MAX_ROUNDS_PER_INSTANT 100000

static int64_t now_ns; /* atomic */
static bool is_enabled;

static int64_t qtest_now_ns(void)
{
    return __atomic_load_n(&now_ns, __ATOMIC_SEQ_CST);
}

void clock_qtest_enable(void)
{
    static const ClockDriver qtest_driver = {
        .virtual_now_ns = qtest_now_ns, .makes_virtual_rt = true,
    };

    is_enabled = true;
    clock_set_driver(&qtest_driver);
}

bool clock_qtest_is_enabled(void)
{
    return is_enabled;
}

static int64_t first_deadline_ns(void)
{
    return MIN(clock_first_deadline_ns(CLOCK_VIRTUAL, 0),
               clock_first_deadline_ns(CLOCK_VIRTUAL_RT, 0));
}

/* True if time moved. */
static bool move_to(int64_t ns)
{
    bool is_later = ns > now_ns;

    if (is_later) {
        __atomic_store_n(&now_ns, ns, __ATOMIC_SEQ_CST);
    }
    return is_later;
}

int64_t clock_qtest_set(int64_t target_ns)
{
    unsigned rounds = 0;
    int64_t first_ns;

    while ((first_ns = first_deadline_ns()) <= MAX(target_ns, now_ns) && first_ns != INT64_MAX) {
        rounds = move_to(first_ns) ? 0 : rounds + 1;
        if (rounds > MAX_ROUNDS_PER_INSTANT) {
            break;
        }
        clock_run_timers(CLOCK_VIRTUAL);
        clock_run_timers(CLOCK_VIRTUAL_RT);
    }
    move_to(target_ns);
    return now_ns;
}

int64_t clock_qtest_step(int64_t ns)
{
    int64_t target_ns;

    assert(ns >= 0);
    if (__builtin_add_overflow(now_ns, ns, &target_ns)) {
        target_ns = INT64_MAX - 1;
    }
    return clock_qtest_set(target_ns);
}

int64_t clock_qtest_step_to_next(void)
{
    int64_t first_ns = first_deadline_ns();

    return clock_qtest_set(first_ns == INT64_MAX ? now_ns : first_ns);
}
