/*
 * Virtual time made of instructions: see icount.h.
 *
 * Left out: record and replay. The count goes up by a region's instructions as that is entered, so
 * that in the middle of one the time read is that of its end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/icount.h"

#include "accel/tcg/exec.h"
#include "system/clock.h"
#include "system/machine_lock.h"
#include "system/timer.h"
#include "util/rcu.h"

#define SLICE_INSNS   50000 /* of one of many vCPUs */
#define ALIGN_INSNS_NS (10 * NS_PER_MS)
#define ALIGN_AHEAD_NS (3 * NS_PER_MS)
#define ADAPT_NS      (100 * NS_PER_MS)

/* Guarded by the machine lock but for what says so. */
typedef struct Icount {
    AccelCounting options;
    int shift;            /* written by the running vCPU's thread while nobody else reads time */
    int64_t bias_ns;      /* atomic: time that no instruction made */
    uint64_t done;        /* atomic: instructions of all vCPUs; but for those of `running` */
    TcgCpu *running;      /* atomic */
    uint64_t slice_end;   /* the running vCPU's thread's */
    Deferred *turn, *idle;
    bool is_due;          /* timers are, and the vCPU waits for them */
    GCond ran;            /* they have run */
    Timer wake;           /* idle: when, in host time, the first timer of the guest's is due */
    int64_t slept_from_ns, wake_at_ns; /* host's time and guest's */
    int64_t start_ns;     /* the host's time at guest time 0 */
    int64_t adapted_ns;   /* host's time of the last look at the rate, */
    uint64_t adapted_insns; /* and the count then */
} Icount;
static Icount icount;

static uint64_t insns_now(void)
{
    TcgCpu *cpu = __atomic_load_n(&icount.running, __ATOMIC_ACQUIRE);

    return cpu ? __atomic_load_n(&cpu->icount, __ATOMIC_RELAXED)
               : __atomic_load_n(&icount.done, __ATOMIC_RELAXED);
}

static int64_t virtual_now_ns(void)
{
    return __atomic_load_n(&icount.bias_ns, __ATOMIC_RELAXED) +
           (int64_t)(insns_now() << icount.shift);
}

static void add_bias(int64_t ns)
{
    __atomic_store_n(&icount.bias_ns, icount.bias_ns + MAX(ns, 0), __ATOMIC_RELAXED);
}

static int64_t first_deadline_ns(void)
{
    return clock_first_deadline_ns(CLOCK_VIRTUAL, TIMER_EXTERNAL);
}

/* --- while a vCPU runs --- */

static bool has_others(void)
{
    return vcpu_next(vcpu_first());
}

/* Up to where it runs without anybody to be asked. */
static void set_limit(TcgCpu *cpu)
{
    int64_t left_ns, deadline_ns;
    uint64_t limit = icount.slice_end, open = UINT64_MAX;

    /* Who arms a timer from now on sets it to 0 again. */
    __atomic_store_n(&cpu->icount_limit, UINT64_MAX, __ATOMIC_SEQ_CST);
    deadline_ns = first_deadline_ns();
    left_ns = deadline_ns == INT64_MAX ? INT64_MAX : MAX(deadline_ns - virtual_now_ns(), 0);
    if (icount.options.aligns || icount.options.shift == ACCEL_SHIFT_AUTO) {
        left_ns = MIN(left_ns, ALIGN_INSNS_NS);
    }
    if (left_ns != INT64_MAX) {
        limit = MIN(limit, cpu->icount + (((uint64_t)left_ns + (1u << icount.shift) - 1) >>
                                          icount.shift));
    }
    __atomic_compare_exchange_n(&cpu->icount_limit, &open, limit, false, __ATOMIC_SEQ_CST,
                                __ATOMIC_SEQ_CST);
}

static void first_changed(void)
{
    TcgCpu *cpu = __atomic_load_n(&icount.running, __ATOMIC_ACQUIRE);

    if (cpu) {
        __atomic_store_n(&cpu->icount_limit, 0, __ATOMIC_SEQ_CST);
    } else {
        deferred_schedule(icount.idle);
    }
}

/* Main loop. */
static void run_due(void *opaque)
{
    MACHINE_LOCK_SCOPE();
    if (icount.is_due) {
        clock_run_timers(CLOCK_VIRTUAL);
        icount.is_due = false;
        g_cond_broadcast(&icount.ran);
    }
}

void icount_kicked(void)
{
    g_cond_broadcast(&icount.ran);
}

/* The main loop runs them; meanwhile no instruction is. */
static void wait_for_timers(TcgCpu *cpu)
{
    rcu_unlock();
    machine_lock();
    icount.is_due = true;
    deferred_schedule(icount.turn);
    while (icount.is_due && !__atomic_load_n(&cpu->vcpu->kick_wanted, __ATOMIC_SEQ_CST)) {
        machine_lock_wait(&icount.ran);
    }
    icount.is_due = false;
    machine_unlock();
    rcu_lock();
}

static void align(void)
{
    int64_t ahead_ns = virtual_now_ns() - (host_monotonic_ns() - icount.start_ns);

    if (ahead_ns > ALIGN_AHEAD_NS) {
        g_usleep(MIN(ahead_ns, NS_PER_SEC) / NS_PER_US);
    }
}

/* An instruction is made to take as long as it did lately. */
static void adapt(void)
{
    int64_t now_ns = host_monotonic_ns(), passed_ns = now_ns - icount.adapted_ns, before_ns;
    uint64_t insns = insns_now() - icount.adapted_insns;
    int shift = 0;

    if (passed_ns < ADAPT_NS) {
        return;
    }
    while (shift < ACCEL_SHIFT_MOST && insns << (shift + 1) <= (uint64_t)passed_ns) {
        shift++;
    }
    before_ns = virtual_now_ns();
    icount.shift = shift;
    __atomic_store_n(&icount.bias_ns, icount.bias_ns + before_ns - virtual_now_ns(),
                     __ATOMIC_RELAXED);
    icount.adapted_ns = now_ns;
    icount.adapted_insns = insns_now();
}

bool icount_turn(TcgCpu *cpu)
{
    if (icount.options.aligns) {
        align();
    }
    if (icount.options.shift == ACCEL_SHIFT_AUTO) {
        adapt();
    }
    if (cpu->icount >= icount.slice_end) {
        return false;
    }
    if (first_deadline_ns() <= virtual_now_ns()) {
        wait_for_timers(cpu);
    }
    set_limit(cpu);
    return !__atomic_load_n(&cpu->vcpu->kick_wanted, __ATOMIC_SEQ_CST);
}

/* --- while none runs --- */

static bool is_idle(void)
{
    if (icount.running || !clock_is_running(CLOCK_VIRTUAL)) {
        return false;
    }
    for (Vcpu *cpu = vcpu_first(); cpu; cpu = vcpu_next(cpu)) {
        if (vcpu_can_run(cpu)) {
            return false;
        }
    }
    return true;
}

static void wake_up(void *opaque)
{
    MACHINE_LOCK_SCOPE();
    if (is_idle()) {
        add_bias(icount.wake_at_ns - virtual_now_ns());
        clock_run_timers(CLOCK_VIRTUAL);
        deferred_schedule(icount.idle);
    }
}

/* Main loop: guest time goes on, to the next timer. */
static void be_idle(void *opaque)
{
    MACHINE_LOCK_SCOPE();
    int64_t deadline_ns = first_deadline_ns(), left_ns;

    if (!is_idle() || deadline_ns == INT64_MAX) {
        return;
    }
    left_ns = MAX(deadline_ns - virtual_now_ns(), 0);
    if (icount.options.sleeps && left_ns) {
        icount.slept_from_ns = host_monotonic_ns();
        icount.wake_at_ns = deadline_ns;
        timer_arm_after_ns(&icount.wake, left_ns);
        return;
    }
    add_bias(left_ns);
    clock_run_timers(CLOCK_VIRTUAL);
    deferred_schedule(icount.idle);
}

/* Somebody else woke them. */
static void end_sleep(void)
{
    if (timer_is_armed(&icount.wake)) {
        timer_cancel(&icount.wake);
        add_bias(MIN(host_monotonic_ns() - icount.slept_from_ns,
                     icount.wake_at_ns - virtual_now_ns()));
    }
}

void icount_begin(TcgCpu *cpu)
{
    end_sleep();
    cpu->icount = icount.done;
    icount.slice_end = has_others() ? cpu->icount + SLICE_INSNS : UINT64_MAX;
    __atomic_store_n(&icount.running, cpu, __ATOMIC_RELEASE);
    set_limit(cpu);
}

void icount_end(TcgCpu *cpu)
{
    __atomic_store_n(&icount.done, cpu->icount, __ATOMIC_RELAXED);
    __atomic_store_n(&icount.running, NULL, __ATOMIC_RELEASE);
    if (is_idle()) {
        deferred_schedule(icount.idle);
    }
}

/* --- start --- */

/* The main loop never waits for guest time: see be_idle(). */
static int64_t real_deadline_ns(int64_t deadline_ns)
{
    return INT64_MAX;
}

static const ClockDriver clock_driver = {
    .virtual_now_ns = virtual_now_ns,
    .real_deadline_ns = real_deadline_ns,
    .first_changed = first_changed,
};

bool icount_start(const AccelCounting *options, Error **errp)
{
    if (options->aligns && options->shift == ACCEL_SHIFT_AUTO) {
        return error_set(errp, "shift=auto and align=on are incompatible");
    }
    if (options->shift == ACCEL_SHIFT_AUTO && !options->sleeps) {
        return error_set(errp, "shift=auto and sleep=off are incompatible");
    }
    if (options->aligns && !options->sleeps) {
        return error_set(errp, "align=on and sleep=off are incompatible");
    }
    icount.options = *options;
    icount.shift = options->shift == ACCEL_SHIFT_AUTO ? 3 : options->shift;
    icount.turn = deferred_new(event_loop_main(), run_due, NULL);
    icount.idle = deferred_new(event_loop_main(), be_idle, NULL);
    g_cond_init(&icount.ran);
    timer_init(&icount.wake, CLOCK_REAL, wake_up, NULL);
    icount.start_ns = icount.adapted_ns = host_monotonic_ns();
    tcg_options.is_counting = true;
    clock_set_driver(&clock_driver);
    return true;
}
