/*
 * The clock that back ends of disks wait by: the host's, unless the machine brings another.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_BLOCK_CLOCK_H
#define BLOCK_BLOCK_CLOCK_H

typedef struct BlockTimer BlockTimer;

typedef struct BlockClock {
    bool has_machine; /* threads that hold its lock must not wait */
    int64_t (*now_ns)(void); /* any thread */
    /* Machine lock. `fn` runs in the main loop. */
    BlockTimer *(*timer_new)(void (*fn)(void *opaque), void *opaque);
    void (*timer_free)(BlockTimer *timer);
    /* Any thread: sets the deadline anew. */
    void (*timer_arm_after)(BlockTimer *timer, int64_t delay_ns);
} BlockClock;

/* Before any is used. */
void block_set_clock(const BlockClock *clock);
const BlockClock *block_clock(void);

#endif
