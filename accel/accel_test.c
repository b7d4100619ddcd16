/*
 * The accelerators of the build: their options, and the threads vCPUs park in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/accel.h"

#include "system/clock.h"
#include "system/machine_lock.h"
#include "util/thread.h"

static Accel *accel_make(const char *name, const char *option, const char *value)
{
    Accel *accel = ACCEL(object_new_of(accel_find(name)));

    if (option) {
        g_assert_true(object_set_text(accel, option, value, NULL));
    }
    g_assert_true(accel_start(accel, NULL, NULL));
    object_unref(accel);
    g_assert_true(accel_is(name));
    return accel_current();
}

static void note_thread(Vcpu *cpu, void *data)
{
    *(int *)data = thread_id();
}

/* Two vCPUs made, resumed, worked on, taken away; returns whether they shared a thread. */
static bool exercise(void)
{
    Vcpu cpus[2];
    bool is_shared;

    for (int i = 0; i < 2; i++) {
        int id = 0;

        vcpu_init(&cpus[i], NULL, NULL);
        g_assert_true(vcpu_add(&cpus[i], NULL));
        vcpu_run_on(&cpus[i], note_thread, &id);
        g_assert_cmpint(id, ==, vcpu_thread_id(&cpus[i]));
        g_assert_cmpint(id, !=, thread_id());
    }
    vcpu_resume_all();
    vcpu_pause_all();
    is_shared = vcpu_thread_id(&cpus[0]) == vcpu_thread_id(&cpus[1]);
    for (int i = 0; i < 2; i++) {
        vcpu_remove(&cpus[i]);
        vcpu_clear(&cpus[i]);
    }
    accel_end();
    return is_shared;
}

static void test_tcg(void)
{
    g_autoptr(Object) loose = object_new("tcg-accel");

    accel_make("tcg", NULL, NULL);
    g_assert_false(exercise());
    accel_make("tcg", "thread", "single");
    g_assert_true(exercise());
    g_assert_true(object_set_text(loose, "tb-size", "512", NULL));
    g_assert_true(object_set_text(loose, "split-wx", "on", NULL));
    g_assert_true(object_set_text(loose, "one-insn-per-tb", "on", NULL));
    g_assert_false(object_set_text(loose, "thread", "many", NULL));
    g_assert_false(object_set_text(loose, "tb-size", "1e9", NULL));
}

static void test_list(void)
{
    g_autoptr(GPtrArray) all = accel_list();
    g_autofree char *first = accel_name(all->pdata[0]);
    g_autofree char *second = accel_name(all->pdata[1]);

    g_assert_cmpuint(all->len, ==, 2);
    g_assert_cmpstr(first, ==, "qtest");
    g_assert_cmpstr(second, ==, "tcg");
    g_assert_null(accel_find("kvm"));
}

static void test_qtest(void)
{
    accel_make("qtest", NULL, NULL);
    g_assert_true(clock_qtest_is_enabled());
    g_assert_cmpint(clock_now_ns(CLOCK_VIRTUAL), ==, 0);
    g_assert_cmpint(clock_qtest_step(10), ==, 10);
    g_assert_false(exercise());
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock_init_main();
    g_test_add_func("/accel/list", test_list);
    g_test_add_func("/accel/tcg", test_tcg);
    g_test_add_func("/accel/qtest", test_qtest);
    status = g_test_run();
    machine_unlock();
    return status;
}
