/*
 * The list of vCPUs, their work queues and pausing: see system/vcpu.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/vcpu.h"

#include "system/accel.h"
#include "system/machine_lock.h"
#include "system/vcpu_internal.h"
#include "system/vcpu_thread.h"

struct VcpuWork {
    VcpuWorkFn *fn;
    void *data;
    bool *is_done; /* set and told to who waits; NULL: nobody does */
    VcpuWork *next;
};

static Vcpu *vcpus;      /* by index */
static GCond work_done;  /* somebody's vcpu_run_on() may go on */
static GCond paused;     /* a vCPU has stopped */

void vcpu_init(Vcpu *cpu, Object *object, const VcpuOps *ops)
{
    *cpu = (Vcpu){ .object = object, .ops = ops, .index = VCPU_NO_INDEX, .is_stopped = true };
    g_mutex_init(&cpu->work_lock);
    cpu->work_tail = &cpu->work;
}

static VcpuWork *take_work(Vcpu *cpu)
{
    VcpuWork *work;

    g_mutex_lock(&cpu->work_lock);
    work = cpu->work;
    if (work) {
        cpu->work = work->next;
        if (!cpu->work) {
            cpu->work_tail = &cpu->work;
        }
    }
    g_mutex_unlock(&cpu->work_lock);
    return work;
}

static void end_work(VcpuWork *work)
{
    if (work->is_done) {
        *work->is_done = true;
        g_cond_broadcast(&work_done);
    }
    g_free(work);
}

static void drop_work(Vcpu *cpu)
{
    VcpuWork *work;

    while ((work = take_work(cpu))) {
        end_work(work);
    }
}

void vcpu_clear(Vcpu *cpu)
{
    assert(!cpu->is_listed);
    drop_work(cpu);
    g_mutex_clear(&cpu->work_lock);
}

/* --- the list --- */

static uint32_t first_free_index(void)
{
    uint32_t index = 0;

    for (Vcpu *cpu = vcpus; cpu && cpu->index == index; cpu = cpu->next) {
        index++;
    }
    return index;
}

static void list_add(Vcpu *cpu)
{
    Vcpu **at = &vcpus;

    while (*at && (*at)->index < cpu->index) {
        at = &(*at)->next;
    }
    cpu->next = *at;
    *at = cpu;
    cpu->is_listed = true;
}

static void list_remove(Vcpu *cpu)
{
    Vcpu **at = &vcpus;

    while (*at != cpu) {
        at = &(*at)->next;
    }
    *at = cpu->next;
    cpu->next = NULL;
    cpu->is_listed = false;
}

bool vcpu_add(Vcpu *cpu, Error **errp)
{
    machine_lock_assert_held();
    if (cpu->index == VCPU_NO_INDEX) {
        cpu->index = first_free_index();
    } else if (vcpu_by_index(cpu->index)) {
        return error_set(errp, "CPU index %u is in use", cpu->index);
    }
    list_add(cpu);
    if (!accel_ops()->start_vcpu(accel_current(), cpu, errp)) {
        list_remove(cpu);
        return false;
    }
    return true;
}

void vcpu_remove(Vcpu *cpu)
{
    machine_lock_assert_held();
    accel_ops()->end_vcpu(accel_current(), cpu);
    list_remove(cpu);
    drop_work(cpu);
}

Vcpu *vcpu_first(void)
{
    return vcpus;
}

Vcpu *vcpu_by_index(uint32_t index)
{
    Vcpu *cpu = vcpus;

    while (cpu && cpu->index != index) {
        cpu = cpu->next;
    }
    return cpu;
}

unsigned vcpu_count(void)
{
    unsigned count = 0;

    for (Vcpu *cpu = vcpus; cpu; cpu = cpu->next) {
        count++;
    }
    return count;
}

/* --- work --- */

void vcpu_kick(Vcpu *cpu)
{
    const AccelType *ops = accel_ops();

    __atomic_store_n(&cpu->kick_wanted, 1, __ATOMIC_SEQ_CST);
    if (ops && ops->kick) {
        ops->kick(cpu);
    }
    vcpu_thread_wake(cpu);
}

static void queue_work(Vcpu *cpu, VcpuWorkFn *fn, void *data, bool *is_done)
{
    VcpuWork *work = g_new(VcpuWork, 1);

    *work = (VcpuWork){ fn, data, is_done, NULL };
    g_mutex_lock(&cpu->work_lock);
    *cpu->work_tail = work;
    cpu->work_tail = &work->next;
    g_mutex_unlock(&cpu->work_lock);
    vcpu_kick(cpu);
}

void vcpu_run_on(Vcpu *cpu, VcpuWorkFn *fn, void *data)
{
    bool is_done = false;

    machine_lock_assert_held();
    if (vcpu_is_self(cpu)) {
        fn(cpu, data);
        return;
    }
    assert(cpu->thread);
    queue_work(cpu, fn, data, &is_done);
    while (!is_done) {
        machine_lock_wait(&work_done);
    }
}

void vcpu_run_async(Vcpu *cpu, VcpuWorkFn *fn, void *data)
{
    queue_work(cpu, fn, data, NULL);
}

bool vcpu_has_queued_work(Vcpu *cpu)
{
    bool has_any;

    g_mutex_lock(&cpu->work_lock);
    has_any = cpu->work;
    g_mutex_unlock(&cpu->work_lock);
    return has_any;
}

void vcpu_do_work(Vcpu *cpu)
{
    VcpuWork *work;

    while ((work = take_work(cpu))) {
        work->fn(cpu, work->data);
        end_work(work);
    }
}

/* --- pausing --- */

bool vcpu_can_run(Vcpu *cpu)
{
    if (cpu->is_stopped || cpu->is_stop_wanted) {
        return false;
    }
    return !cpu->is_halted || (cpu->ops && cpu->ops->has_work && cpu->ops->has_work(cpu));
}

void vcpu_note_stopped(Vcpu *cpu)
{
    if (cpu->is_stop_wanted) {
        cpu->is_stop_wanted = false;
        cpu->is_stopped = true;
        g_cond_broadcast(&paused);
    }
}

static void want_stop(Vcpu *cpu)
{
    if (vcpu_is_self(cpu)) {
        cpu->is_stop_wanted = true;
        vcpu_note_stopped(cpu);
        /* Out of guest code, once it returns there. */
        __atomic_store_n(&cpu->kick_wanted, 1, __ATOMIC_SEQ_CST);
    } else if (!cpu->is_stopped) {
        cpu->is_stop_wanted = true;
        vcpu_kick(cpu);
    }
}

void vcpu_stop_self(Vcpu *cpu)
{
    assert(vcpu_is_self(cpu));
    want_stop(cpu);
}

static bool all_are_stopped(void)
{
    for (Vcpu *cpu = vcpus; cpu; cpu = cpu->next) {
        if (!cpu->is_stopped) {
            return false;
        }
    }
    return true;
}

void vcpu_pause_all(void)
{
    machine_lock_assert_held();
    for (Vcpu *cpu = vcpus; cpu; cpu = cpu->next) {
        want_stop(cpu);
    }
    while (!all_are_stopped()) {
        machine_lock_wait(&paused);
        /* Somebody may have started new ones meanwhile. */
        for (Vcpu *cpu = vcpus; cpu; cpu = cpu->next) {
            want_stop(cpu);
        }
    }
}

void vcpu_resume_all(void)
{
    for (Vcpu *cpu = vcpus; cpu; cpu = cpu->next) {
        vcpu_resume(cpu);
    }
}

void vcpu_pause(Vcpu *cpu)
{
    machine_lock_assert_held();
    want_stop(cpu);
    while (!cpu->is_stopped) {
        machine_lock_wait(&paused);
    }
}

void vcpu_resume(Vcpu *cpu)
{
    machine_lock_assert_held();
    cpu->is_stop_wanted = false;
    cpu->is_stopped = false;
    vcpu_kick(cpu);
}
