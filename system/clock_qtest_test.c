/*
 * Timers under the clock that moves when told, against an oracle that keeps them in a plain array.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/timer.h"

#include "system/machine_lock.h"
#include "system/timer_test.h"

#define TIMERS 200

typedef struct Model {
    Timer timer;
    int64_t deadline_ns; /* -1: not armed */
    uint64_t order;
    int64_t period_ns;
    int id;
} Model;

static Model models[TIMERS];
static uint64_t model_order;
static GArray *fired; /* of int: what fired, as it happened */

static void model_fire(void *opaque)
{
    Model *m = opaque;
    int record[2] = { m->id, (int)clock_now_ns(CLOCK_VIRTUAL) };

    g_assert_false(timer_is_armed(&m->timer));
    g_array_append_vals(fired, record, 2);
    if (m->period_ns > 0) {
        timer_arm_after_ns(&m->timer, m->period_ns);
    }
}

static void model_arm(Model *m, int64_t deadline_ns)
{
    m->deadline_ns = deadline_ns;
    m->order = model_order++;
}

static Model *model_first(int64_t until_ns)
{
    Model *first = NULL;

    for (int i = 0; i < TIMERS; i++) {
        Model *m = &models[i];

        if (m->deadline_ns < 0 || m->deadline_ns > until_ns) {
            continue;
        }
        if (!first || m->deadline_ns < first->deadline_ns ||
            (m->deadline_ns == first->deadline_ns && m->order < first->order)) {
            first = m;
        }
    }
    return first;
}

/* Checks `fired` against what should have fired from `now_ns` until `until_ns`. */
static void model_step(int64_t now_ns, int64_t until_ns)
{
    guint i = 0;
    Model *m;

    while ((m = model_first(until_ns))) {
        now_ns = MAX(now_ns, m->deadline_ns);
        g_assert_cmpuint(i + 1, <, fired->len);
        g_assert_cmpint(g_array_index(fired, int, i), ==, m->id);
        g_assert_cmpint(g_array_index(fired, int, i + 1), ==, now_ns);
        i += 2;
        m->deadline_ns = -1;
        if (m->period_ns > 0) {
            model_arm(m, now_ns + m->period_ns);
        }
    }
    g_assert_cmpuint(fired->len, ==, i);
    g_array_set_size(fired, 0);
}

static void random_operation(void)
{
    Model *m = &models[g_test_rand_int_range(0, TIMERS)];
    int64_t now_ns = clock_now_ns(CLOCK_VIRTUAL);
    int64_t delay_ns = g_test_rand_int_range(0, 300);
    int64_t target_ns = now_ns + g_test_rand_int_range(0, 60);

    switch (g_test_rand_int_range(0, 8)) {
    case 0:
        timer_cancel(&m->timer);
        m->deadline_ns = -1;
        break;
    case 1:
        m->period_ns = g_test_rand_int_range(0, 50);
        break;
    case 2:
        g_assert_cmpint(clock_qtest_set(target_ns), ==, target_ns);
        model_step(now_ns, target_ns);
        break;
    case 3:
        if (m->deadline_ns < 0 || now_ns + delay_ns < m->deadline_ns) {
            model_arm(m, now_ns + delay_ns);
        }
        timer_arm_no_later_ns(&m->timer, now_ns + delay_ns);
        break;
    default:
        timer_arm_after_ns(&m->timer, delay_ns);
        model_arm(m, now_ns + delay_ns);
    }
    g_assert_cmpint(timer_deadline_ns(&m->timer), ==,
                    m->deadline_ns < 0 ? INT64_MAX : m->deadline_ns);
}

static void test_against_oracle(void)
{
    Model *first;

    fired = g_array_new(false, false, sizeof(int));
    for (int i = 0; i < TIMERS; i++) {
        models[i] = (Model){ .deadline_ns = -1, .id = i };
        timer_init(&models[i].timer, CLOCK_VIRTUAL, model_fire, &models[i]);
    }
    for (int i = 0; i < 50000; i++) {
        random_operation();
    }
    first = model_first(INT64_MAX);
    g_assert_cmpint(clock_first_deadline_ns(CLOCK_VIRTUAL, 0), ==,
                    first ? first->deadline_ns : INT64_MAX);
    for (int i = 0; i < TIMERS; i++) {
        timer_clear(&models[i].timer);
    }
    g_assert_cmpint(clock_first_deadline_ns(CLOCK_VIRTUAL, 0), ==, INT64_MAX);
    g_array_unref(fired);
}

static void test_qtest_step(void)
{
    int64_t start_ns = clock_now_ns(CLOCK_VIRTUAL);
    Note a = { 0 }, b = { 0 }, external = { 0 };

    timer_init(&a.timer, CLOCK_VIRTUAL, note, &a);
    timer_init(&b.timer, CLOCK_VIRTUAL_RT, note, &b);
    timer_init(&external.timer, CLOCK_VIRTUAL, note, &external);
    timer_set_attributes(&external.timer, TIMER_EXTERNAL);
    g_assert_cmpint(clock_qtest_step_to_next(), ==, start_ns);
    timer_arm_after_us(&a.timer, 2);
    timer_arm_after_ns(&b.timer, 500);
    timer_arm_after_ns(&external.timer, 100);
    g_assert_cmpint(clock_first_deadline_ns(CLOCK_VIRTUAL, TIMER_EXTERNAL), ==, start_ns + 2000);
    g_assert_cmpint(clock_first_deadline_ns(CLOCK_VIRTUAL, 0), ==, start_ns + 100);
    g_assert_cmpint(clock_qtest_step_to_next(), ==, start_ns + 100);
    g_assert_cmpint(clock_qtest_step_to_next(), ==, start_ns + 500);
    g_assert_cmpint(b.at_ns, ==, start_ns + 500);
    g_assert_cmpint(clock_qtest_set(start_ns), ==, start_ns + 500);
    g_assert_cmpint(clock_qtest_step(10000), ==, start_ns + 10500);
    g_assert_cmpint(a.at_ns, ==, start_ns + 2000);
    /* Nothing fires by itself, but what is overdue does. */
    timer_arm_after_ns(&a.timer, 1);
    g_assert_false(event_loop_run_once(event_loop_main(), false));
    timer_arm_at_ns(&a.timer, INT64_MIN);
    event_loop_run_once(event_loop_main(), true);
    g_assert_cmpint(a.count, ==, 2);
}

/* A stopped VM's time can be moved; its timers wait. */
static void test_qtest_stopped(void)
{
    int64_t start_ns = clock_now_ns(CLOCK_VIRTUAL);
    Note a = { 0 };

    timer_init(&a.timer, CLOCK_VIRTUAL, note, &a);
    timer_arm_after_ns(&a.timer, 10);
    clock_stop_virtual();
    g_assert_cmpint(clock_qtest_step(50), ==, start_ns + 50);
    event_loop_run_once(event_loop_main(), false);
    g_assert_cmpint(a.count, ==, 0);
    clock_start_virtual();
    g_assert_cmpint(clock_qtest_step(0), ==, start_ns + 50);
    g_assert_cmpint(a.count, ==, 1);
}

static void rearm_now(void *opaque)
{
    Note *n = opaque;

    n->count++;
    timer_arm_at_ns(&n->timer, 0);
}

/* One that never gives up holds up neither its neighbours nor the test. */
static void test_runaway(void)
{
    Note mad = { 0 }, calm = { 0 };
    int64_t start_ns = clock_now_ns(CLOCK_VIRTUAL);

    timer_init(&mad.timer, CLOCK_VIRTUAL, rearm_now, &mad);
    timer_init(&calm.timer, CLOCK_VIRTUAL, note, &calm);
    timer_arm_at_ns(&mad.timer, 0);
    timer_arm_after_ns(&calm.timer, 0);
    clock_run_timers(CLOCK_VIRTUAL);
    g_assert_cmpint(calm.count, ==, 1);
    g_assert_cmpint(clock_qtest_step(10), ==, start_ns + 10);
    timer_clear(&mad.timer);
}

/* A step runs other loops' timers too, in their threads, each at its own time. */
static void test_qtest_other_loop(void)
{
    int64_t start_ns = clock_now_ns(CLOCK_VIRTUAL);
    Note here = { 0 }, there = { 0 };
    Runner runner;
    GThread *thread = runner_start(&runner);

    timer_init(&here.timer, CLOCK_VIRTUAL, note, &here);
    timer_init_on(&there.timer, runner.loop, CLOCK_VIRTUAL, note, &there);
    timer_arm_after_ns(&here.timer, 20);
    timer_arm_after_ns(&there.timer, 10);
    clock_qtest_step(30);
    g_assert_cmpint(there.at_ns, ==, start_ns + 10);
    g_assert_true(there.thread == thread);
    g_assert_cmpint(here.at_ns, ==, start_ns + 20);
    /* A loop that nobody runs any more is not waited for. */
    timer_arm_after_ns(&there.timer, 10);
    event_loop_ref(runner.loop);
    runner_end(&runner, thread);
    g_assert_cmpint(clock_qtest_step(10), ==, start_ns + 40);
    g_assert_cmpint(there.count, ==, 1);
    timer_clear(&there.timer);
    event_loop_unref(runner.loop);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock_init_main();
    clock_qtest_enable();
    clock_start_virtual();
    g_test_add_func("/qtest/against-oracle", test_against_oracle);
    g_test_add_func("/qtest/step", test_qtest_step);
    g_test_add_func("/qtest/stopped", test_qtest_stopped);
    g_test_add_func("/qtest/runaway", test_runaway);
    g_test_add_func("/qtest/other-loop", test_qtest_other_loop);
    status = g_test_run();
    machine_unlock();
    return status;
}
