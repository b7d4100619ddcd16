/*
 * Clocks, all in nanoseconds. Any thread, no lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_CLOCK_H
#define SYSTEM_CLOCK_H

#include "util/notifier.h"

typedef enum Clock {
    CLOCK_VIRTUAL,    /* the guest's time: stands while the VM is stopped; starts at 0 */
    CLOCK_REAL,       /* host time since some start, never stops or jumps */
    CLOCK_HOST,       /* the host's wall clock since 1970 (UTC); may jump */
    CLOCK_VIRTUAL_RT, /* as CLOCK_VIRTUAL, but host-paced when instructions make the time */
    CLOCK_COUNT
} Clock;

int64_t clock_now_ns(Clock clock);
static inline int64_t clock_now_us(Clock clock)
{
    return clock_now_ns(clock) / NS_PER_US;
}
static inline int64_t clock_now_ms(Clock clock)
{
    return clock_now_ns(clock) / NS_PER_MS;
}

/* Whether the clock runs: the virtual ones stand while the VM is stopped, their timers too. */
bool clock_is_running(Clock clock);

/*
 * Run state's: starts or stops the virtual clocks. When a stop returns, no virtual timer is
 * being run in any other thread. Machine lock (given up while it waits for such a thread).
 */
void clock_start_virtual(void);
void clock_stop_virtual(void);
/* Loading a snapshot: what the stopped virtual clock shows. Machine lock. */
void clock_set_virtual_ns(int64_t ns);

/* Told when the wall clock was set: int64_t *, by how many ns it jumped. Main loop, machine lock. */
void clock_add_host_jump_notifier(Notifier *notifier);

/* --- who makes virtual time: nobody (it follows the host), an accelerator, qtest --- */

typedef struct ClockDriver {
    /* Virtual time now; any thread. */
    int64_t (*virtual_now_ns)(void);
    /*
     * When, on CLOCK_REAL, a wait for this virtual deadline (not yet reached) should end;
     * INT64_MAX: the driver will run the timers itself. NULL: never by itself.
     */
    int64_t (*real_deadline_ns)(int64_t virtual_ns);
    /* A timer was armed on CLOCK_VIRTUAL that is now the first. May be NULL. Any thread, leaf. */
    void (*first_changed)(void);
    /* CLOCK_VIRTUAL_RT is this driver's time too. */
    bool makes_virtual_rt;
} ClockDriver;

/* Before the VM runs and before any virtual timer; NULL: the host's time. Machine lock. */
void clock_set_driver(const ClockDriver *driver);

/* --- qtest (system/clock_qtest.c): time moves when told. Main loop, machine lock --- */

void clock_qtest_enable(void);
bool clock_qtest_is_enabled(void);
/* Both run all timers that fall due, each at its own time, and return the time reached. */
int64_t clock_qtest_step(int64_t ns);     /* < 0 is not allowed */
int64_t clock_qtest_step_to_next(void);   /* to the next deadline, if there is one */
int64_t clock_qtest_set(int64_t now_ns);  /* never back */

#endif
