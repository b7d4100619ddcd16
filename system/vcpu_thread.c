/*
 * vCPU threads: see system/vcpu_thread.h. Everything here is guarded by the machine lock but the
 * bell, which any thread rings.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/vcpu_thread.h"

#include "system/machine_lock.h"
#include "system/vcpu_internal.h"
#include "util/thread.h"

struct VcpuThread {
    GThread *handle;
    VcpuRunFn *run;
    Vcpu *vcpus;     /* by next_of_thread */
    int id;          /* the kernel's; 0: not started yet */
    bool is_ending;
    GCond changed;   /* it has started, or let go of a vCPU */
    Vcpu *leaving;   /* to be let go of */
    GMutex bell_lock; /* leaf */
    GCond bell;
    bool is_rung;
};

static _Thread_local Vcpu *current;
static _Thread_local VcpuThread *own_thread;

Vcpu *vcpu_current(void)
{
    return current;
}

bool vcpu_in_thread(void)
{
    return own_thread;
}

bool vcpu_is_self(const Vcpu *cpu)
{
    return own_thread && cpu->thread == own_thread;
}

int vcpu_thread_id(const Vcpu *cpu)
{
    return cpu->thread ? cpu->thread->id : 0;
}

static void ring(VcpuThread *thread)
{
    g_mutex_lock(&thread->bell_lock);
    thread->is_rung = true;
    g_cond_signal(&thread->bell);
    g_mutex_unlock(&thread->bell_lock);
}

void vcpu_thread_wake(Vcpu *cpu)
{
    VcpuThread *thread = __atomic_load_n(&cpu->thread, __ATOMIC_ACQUIRE);

    if (thread) {
        ring(thread);
    }
}

/* Gives the machine lock up until somebody rings. */
static void sleep_until_rung(VcpuThread *thread)
{
    machine_unlock();
    g_mutex_lock(&thread->bell_lock);
    while (!thread->is_rung) {
        g_cond_wait(&thread->bell, &thread->bell_lock);
    }
    thread->is_rung = false;
    g_mutex_unlock(&thread->bell_lock);
    machine_lock();
}

static void let_go(VcpuThread *thread)
{
    Vcpu **at = &thread->vcpus, *leaving = thread->leaving;

    if (!leaving) {
        return;
    }
    while (*at != leaving) {
        at = &(*at)->next_of_thread;
    }
    *at = leaving->next_of_thread;
    leaving->next_of_thread = NULL;
    vcpu_do_work(leaving);
    thread->leaving = NULL;
    thread->is_ending = !thread->vcpus;
    g_cond_broadcast(&thread->changed);
}

/* True if there is more to do than to sleep. */
static bool serve(VcpuThread *thread, Vcpu *cpu)
{
    current = cpu;
    __atomic_store_n(&cpu->kick_wanted, 0, __ATOMIC_SEQ_CST);
    vcpu_do_work(cpu);
    vcpu_note_stopped(cpu);
    /* Its kick may have come while the thread slept. */
    if (thread->run && thread->leaving != cpu && vcpu_can_run(cpu)) {
        thread->run(cpu);
        return true;
    }
    return false;
}

static void *vcpu_thread_main(void *opaque)
{
    VcpuThread *thread = opaque;

    machine_lock();
    own_thread = thread;
    thread->id = thread_id();
    g_cond_broadcast(&thread->changed);
    while (!thread->is_ending) {
        bool is_busy = false;

        for (Vcpu *cpu = thread->vcpus, *next; cpu; cpu = next) {
            is_busy |= serve(thread, cpu);
            next = cpu->next_of_thread;
        }
        current = NULL;
        let_go(thread);
        if (!is_busy && !thread->is_ending) {
            sleep_until_rung(thread);
        }
    }
    machine_unlock();
    return NULL;
}

static void thread_free(VcpuThread *thread)
{
    g_cond_clear(&thread->changed);
    g_cond_clear(&thread->bell);
    g_mutex_clear(&thread->bell_lock);
    g_free(thread);
}

bool vcpu_thread_start(Vcpu *first, const char *name, VcpuRunFn *run, Error **errp)
{
    VcpuThread *thread = g_new0(VcpuThread, 1);
    g_autofree char *why = NULL;

    machine_lock_assert_held();
    thread->run = run;
    g_cond_init(&thread->changed);
    g_cond_init(&thread->bell);
    g_mutex_init(&thread->bell_lock);
    thread->vcpus = first;
    thread->handle = thread_new(name, vcpu_thread_main, thread, &why);
    if (!thread->handle) {
        thread_free(thread);
        return error_set(errp, "%s", why);
    }
    __atomic_store_n(&first->thread, thread, __ATOMIC_RELEASE);
    while (thread->id == 0) {
        machine_lock_wait(&thread->changed);
    }
    return true;
}

void vcpu_thread_join(Vcpu *cpu, Vcpu *other)
{
    machine_lock_assert_held();
    cpu->next_of_thread = other->next_of_thread;
    other->next_of_thread = cpu;
    __atomic_store_n(&cpu->thread, other->thread, __ATOMIC_RELEASE);
    vcpu_thread_wake(cpu);
}

void vcpu_thread_leave(Vcpu *cpu)
{
    VcpuThread *thread = cpu->thread;
    bool was_last;

    machine_lock_assert_held();
    assert(!vcpu_in_thread());
    while (thread->leaving) {
        machine_lock_wait(&thread->changed);
    }
    thread->leaving = cpu;
    vcpu_kick(cpu);
    while (thread->leaving == cpu) {
        machine_lock_wait(&thread->changed);
    }
    __atomic_store_n(&cpu->thread, NULL, __ATOMIC_RELEASE);
    was_last = !thread->vcpus;
    if (was_last) {
        machine_unlock();
        g_thread_join(thread->handle);
        machine_lock();
        thread_free(thread);
    }
}
