/*
 * vCPU threads under an accelerator whose guest counts: one thread each, or all in one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/vcpu.h"

#include "system/accel.h"
#include "system/machine_lock.h"
#include "system/run_state.h"
#include "system/vcpu_thread.h"
#include "util/event_loop.h"
#include "util/thread.h"

#define VCPUS 3

static bool is_shared;      /* all vCPUs in one thread */
static int spins[VCPUS + 1]; /* atomic: what the guests did */

static void run_guest(Vcpu *cpu)
{
    g_assert_true(vcpu_current() == cpu);
    g_assert_false(cpu->is_stopped);
    machine_unlock();
    for (int i = 0; i < 1000; i++) {
        if (__atomic_load_n(&cpu->kick_wanted, __ATOMIC_SEQ_CST)) {
            break;
        }
        __atomic_fetch_add(&spins[cpu->index], 1, __ATOMIC_RELAXED);
    }
    machine_lock();
}

static bool start_vcpu(Accel *accel, Vcpu *cpu, Error **errp)
{
    if (is_shared && vcpu_first() != cpu) {
        vcpu_thread_join(cpu, vcpu_first());
        return true;
    }
    return vcpu_thread_start(cpu, "CPU", run_guest, errp);
}

static void end_vcpu(Accel *accel, Vcpu *cpu)
{
    vcpu_thread_leave(cpu);
}

static const AccelType counting_type = {
    .name = "counting-accel", .parent = TYPE_ACCEL, .title = "counting",
    .start_vcpu = start_vcpu, .end_vcpu = end_vcpu,
};
OBJECT_TYPE(counting_type)

static void wait_for_spin(int index)
{
    int before = __atomic_load_n(&spins[index], __ATOMIC_RELAXED);

    machine_unlock();
    while (__atomic_load_n(&spins[index], __ATOMIC_RELAXED) == before) {
        g_thread_yield();
    }
    machine_lock();
}

static void note_thread(Vcpu *cpu, void *data)
{
    g_assert_true(machine_lock_is_held());
    g_assert_true(vcpu_is_self(cpu));
    *(int *)data = thread_id();
}

static void vcpus_make(Vcpu *cpus)
{
    for (int i = 0; i < VCPUS; i++) {
        vcpu_init(&cpus[i], NULL, NULL);
        g_assert_true(vcpu_add(&cpus[i], NULL));
        g_assert_cmpint(cpus[i].index, ==, i);
        g_assert_cmpint(vcpu_thread_id(&cpus[i]), !=, 0);
        g_assert_cmpint(vcpu_thread_id(&cpus[i]), !=, thread_id());
    }
}

static void vcpus_end(Vcpu *cpus)
{
    for (int i = 0; i < VCPUS; i++) {
        if (cpus[i].is_listed) {
            vcpu_remove(&cpus[i]);
        }
        vcpu_clear(&cpus[i]);
    }
    g_assert_cmpuint(vcpu_count(), ==, 0);
}

static void pause_and_resume(Vcpu *cpus)
{
    int before, id = 0;

    vcpu_run_on(&cpus[1], note_thread, &id);
    g_assert_cmpint(id, ==, vcpu_thread_id(&cpus[1]));
    g_assert_cmpint(spins[0], ==, 0);
    vcpu_resume_all();
    for (int i = 0; i < VCPUS; i++) {
        wait_for_spin(i);
    }
    /* Work gets through to one that runs. */
    vcpu_run_on(&cpus[2], note_thread, &id);
    g_assert_cmpint(id, ==, vcpu_thread_id(&cpus[2]));
    vcpu_pause_all();
    before = __atomic_load_n(&spins[0], __ATOMIC_RELAXED);
    machine_unlock();
    g_usleep(1000);
    machine_lock();
    g_assert_cmpint(spins[0], ==, before);
    vcpu_resume(&cpus[0]);
    wait_for_spin(0);
    vcpu_pause(&cpus[0]);
}

static void test_pause(gconstpointer shared)
{
    Vcpu cpus[VCPUS];

    is_shared = GPOINTER_TO_INT(shared);
    memset(spins, 0, sizeof(spins));
    vcpus_make(cpus);
    g_assert_cmpint(vcpu_thread_id(&cpus[0]) == vcpu_thread_id(&cpus[1]), ==, is_shared);
    pause_and_resume(cpus);
    vcpus_end(cpus);
}

static void test_list(void)
{
    g_autoptr(Error) err = NULL;
    Vcpu cpus[VCPUS], twin;

    is_shared = false;
    vcpus_make(cpus);
    vcpu_init(&twin, NULL, NULL);
    twin.index = 1;
    g_assert_false(vcpu_add(&twin, &err));
    g_assert_cmpstr(error_text(err), ==, "CPU index 1 is in use");
    vcpu_remove(&cpus[1]);
    g_assert_null(vcpu_by_index(1));
    twin.index = VCPU_NO_INDEX;
    g_assert_true(vcpu_add(&twin, NULL));
    g_assert_cmpint(twin.index, ==, 1);
    g_assert_true(vcpu_next(vcpu_first()) == &twin);
    vcpu_remove(&twin);
    vcpu_clear(&twin);
    vcpus_end(cpus);
}

static void stop_vm(Vcpu *cpu, void *data)
{
    vm_stop(RUN_STATE_DEBUG);
    g_assert_true(cpu->is_stopped);
}

static void count_work(Vcpu *cpu, void *data)
{
    ++*(int *)data;
}

/* A vCPU stops the VM: a request, that the main loop serves. */
static void test_stop_from_vcpu(void)
{
    Vcpu cpus[VCPUS];
    int exit_status, runs = 0;

    is_shared = false;
    vcpus_make(cpus);
    vm_start();
    vcpu_run_on(&cpus[0], stop_vm, NULL);
    g_assert_true(vm_is_running());
    g_assert_false(vm_serve_requests(&exit_status));
    g_assert_cmpint(run_state_current(), ==, RUN_STATE_DEBUG);
    for (int i = 0; i < VCPUS; i++) {
        g_assert_true(cpus[i].is_stopped);
    }
    /* Work is done by stopped ones too, in order. */
    for (int i = 0; i < 100; i++) {
        vcpu_run_async(&cpus[0], count_work, &runs);
    }
    vcpu_run_on(&cpus[0], count_work, &runs);
    g_assert_cmpint(runs, ==, 101);
    vcpus_end(cpus);
}

static bool has_work;

static bool cpu_has_work(Vcpu *cpu)
{
    return has_work;
}

static void test_halt(void)
{
    static const VcpuOps ops = { cpu_has_work };
    Vcpu cpu;

    is_shared = false;
    memset(spins, 0, sizeof(spins));
    vcpu_init(&cpu, NULL, &ops);
    cpu.is_halted = true;
    g_assert_true(vcpu_add(&cpu, NULL));
    vcpu_resume_all();
    g_assert_false(vcpu_can_run(&cpu));
    has_work = true;
    vcpu_kick(&cpu);
    wait_for_spin(0);
    vcpu_pause_all();
    vcpu_remove(&cpu);
    vcpu_clear(&cpu);
}

static void *ping(void *opaque)
{
    Vcpu *cpus = opaque;

    for (int i = 0; i < 2000; i++) {
        int id;

        machine_lock();
        vcpu_run_on(&cpus[i % VCPUS], note_thread, &id);
        machine_unlock();
        vcpu_kick(&cpus[(i + 1) % VCPUS]);
    }
    return NULL;
}

static void test_race(void)
{
    Vcpu cpus[VCPUS];
    GThread *threads[2];

    is_shared = false;
    vcpus_make(cpus);
    for (int i = 0; i < 2; i++) {
        threads[i] = thread_new("ping", ping, cpus, NULL);
    }
    for (int i = 0; i < 200; i++) {
        vcpu_resume_all();
        vcpu_pause_all();
    }
    machine_unlock();
    g_thread_join(threads[0]);
    g_thread_join(threads[1]);
    machine_lock();
    vcpus_end(cpus);
}

int main(int argc, char **argv)
{
    Accel *accel;
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock_init_main();
    accel = ACCEL(object_new("counting-accel"));
    g_assert_true(accel_start(accel, NULL, NULL));
    object_unref(accel);
    g_assert_true(accel_is("counting"));
    g_assert_null(accel_find("none"));
    g_test_add_data_func("/vcpu/pause/own-threads", GINT_TO_POINTER(false), test_pause);
    g_test_add_data_func("/vcpu/pause/one-thread", GINT_TO_POINTER(true), test_pause);
    g_test_add_func("/vcpu/list", test_list);
    g_test_add_func("/vcpu/stop-from-vcpu", test_stop_from_vcpu);
    g_test_add_func("/vcpu/halt", test_halt);
    g_test_add_func("/vcpu/race", test_race);
    status = g_test_run();
    accel_end();
    machine_unlock();
    return status;
}
