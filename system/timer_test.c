/*
 * Timers on real clocks: only order and "not too early" can be asserted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/timer.h"

#include "system/machine_lock.h"
#include "system/timer_list.h"
#include "system/timer_test.h"

static void test_virtual_clock(void)
{
    Note a = { 0 };
    int64_t stopped_ns, start_ns;

    stopped_ns = clock_now_ns(CLOCK_VIRTUAL);
    timer_init(&a.timer, CLOCK_VIRTUAL, note, &a);
    timer_arm_after_ms(&a.timer, 1);
    g_usleep(2000);
    g_assert_cmpint(clock_now_ns(CLOCK_VIRTUAL), ==, stopped_ns);
    g_assert_false(event_loop_run_once(event_loop_main(), false));
    clock_set_virtual_ns(5 * NS_PER_SEC);
    timer_arm_after_ms(&a.timer, 1);
    start_ns = clock_now_ns(CLOCK_REAL);
    clock_start_virtual();
    event_loop_run_until(event_loop_main(), is_noted, &a);
    g_assert_cmpint(a.at_ns, >=, 5 * NS_PER_SEC + NS_PER_MS);
    g_assert_cmpint(clock_now_ns(CLOCK_REAL) - start_ns, >=, NS_PER_MS);
    clock_stop_virtual();
    g_assert_cmpint(clock_now_ns(CLOCK_VIRTUAL), ==, clock_now_ns(CLOCK_VIRTUAL_RT));
    g_assert_false(clock_is_running(CLOCK_VIRTUAL));
}

static void test_real_clocks(void)
{
    static const Clock clocks[] = { CLOCK_REAL, CLOCK_HOST };

    for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
        Note a = { 0 };
        int64_t start_ns = clock_now_ns(clocks[i]);

        timer_init(&a.timer, clocks[i], note, &a);
        timer_arm_after_us(&a.timer, 300);
        event_loop_run_until(event_loop_main(), is_noted, &a);
        g_assert_cmpint(a.at_ns, >=, start_ns + 300000);
        timer_arm_at_us(&a.timer, INT64_MAX);
        g_assert_true(timer_is_armed(&a.timer));
        timer_arm_after_ms(&a.timer, INT64_MAX);
        g_assert_false(event_loop_run_once(event_loop_main(), false));
        timer_arm_at_ns(&a.timer, 0);
        timer_clear(&a.timer);
        g_assert_false(event_loop_run_once(event_loop_main(), false));
        g_assert_cmpint(a.count, ==, 1);
    }
}

static void slow(void *opaque)
{
    Note *n = opaque;

    __atomic_store_n(&n->count, 1, __ATOMIC_RELEASE);
    g_usleep(20000);
    __atomic_store_n(&n->count, 2, __ATOMIC_RELEASE);
}

/* When the clock stands, no virtual timer is being run in an iothread. */
static void test_stop_settles(void)
{
    Note n = { 0 };
    Runner runner;
    GThread *thread = runner_start(&runner);

    clock_start_virtual();
    timer_init_on(&n.timer, runner.loop, CLOCK_VIRTUAL, slow, &n);
    timer_arm_after_ns(&n.timer, 0);
    while (!is_noted(&n)) {
        g_thread_yield();
    }
    clock_stop_virtual();
    g_assert_cmpint(n.count, ==, 2);
    timer_arm_after_ns(&n.timer, 0);
    g_usleep(1000);
    timer_clear(&n.timer);
    g_assert_cmpint(n.count, ==, 2);
    runner_end(&runner, thread);
}

typedef struct Storm {
    Note *notes;
    unsigned seed;
} Storm;

static void *storm(void *opaque)
{
    Storm *s = opaque;
    GRand *rand = g_rand_new_with_seed(s->seed);

    for (int i = 0; i < 20000; i++) {
        Note *n = &s->notes[g_rand_int_range(rand, 0, 16)];

        if (g_rand_int_range(rand, 0, 3)) {
            timer_arm_after_ns(&n->timer, g_rand_int_range(rand, 0, 50000));
        } else {
            timer_cancel(&n->timer);
        }
    }
    g_rand_free(rand);
    return NULL;
}

/* Threads arm and cancel what another thread runs; afterwards each still fires once. */
static void test_race(void)
{
    Note notes[16] = { 0 };
    Storm storms[3];
    GThread *threads[3], *thread;
    Runner runner;

    thread = runner_start(&runner);
    for (int i = 0; i < 16; i++) {
        timer_init_on(&notes[i].timer, runner.loop, CLOCK_REAL, note, &notes[i]);
    }
    for (int i = 0; i < 3; i++) {
        storms[i] = (Storm){ notes, i };
        threads[i] = thread_new("storm", storm, &storms[i], NULL);
    }
    for (int i = 0; i < 3; i++) {
        g_thread_join(threads[i]);
    }
    for (int i = 0; i < 16; i++) {
        int before = __atomic_load_n(&notes[i].count, __ATOMIC_ACQUIRE);

        timer_arm_after_ns(&notes[i].timer, 1000);
        while (__atomic_load_n(&notes[i].count, __ATOMIC_ACQUIRE) == before) {
            g_thread_yield();
        }
    }
    runner_end(&runner, thread);
}

typedef struct Ear {
    Notifier notifier;
    int64_t jump_ns;
} Ear;

static void hear_jump(Notifier *notifier, void *data)
{
    container_of(notifier, Ear, notifier)->jump_ns += *(int64_t *)data;
}

static void test_host_jump(void)
{
    Ear ear = { { hear_jump } };
    int64_t ahead_ns = clock_now_ns(CLOCK_HOST) - clock_now_ns(CLOCK_REAL);

    clock_add_host_jump_notifier(&ear.notifier);
    clock_check_host_jump(ahead_ns);
    ear.jump_ns = 0;
    clock_check_host_jump(ahead_ns - NS_PER_SEC);
    g_assert_cmpint(ear.jump_ns, ==, -NS_PER_SEC);
    notifier_remove(&ear.notifier);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock_init_main();
    g_test_add_func("/clock/virtual", test_virtual_clock);
    g_test_add_func("/clock/stop-settles", test_stop_settles);
    g_test_add_func("/clock/host-jump", test_host_jump);
    g_test_add_func("/timer/real-clocks", test_real_clocks);
    g_test_add_func("/timer/race", test_race);
    status = g_test_run();
    machine_unlock();
    return status;
}
