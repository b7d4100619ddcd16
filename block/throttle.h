/*
 * Throttle: leaky buckets. What is moved is poured in, what is permitted leaks out; who finds a
 * full bucket waits. A bucket holds a tenth of a second's worth, or a burst; bursts of several
 * seconds have a second bucket, which leaks as fast as the burst may be.
 *
 * Times are the caller's; so is the lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_THROTTLE_H
#define BLOCK_THROTTLE_H

#include "block/io_limits.h"

typedef struct ThrottleLevel {
    double units, burst_units;
} ThrottleLevel;

typedef struct Throttle {
    IoLimits limits;
    ThrottleLevel bytes[IO_LIMIT_KINDS], requests[IO_LIMIT_KINDS];
    int64_t now_ns; /* that the levels are of */
} Throttle;

/* All buckets are empty. */
void throttle_set(Throttle *throttle, const IoLimits *limits, int64_t now_ns);
/* How long a request has to wait; 0: it may go. */
int64_t throttle_wait_ns(Throttle *throttle, bool is_write, int64_t now_ns);
/* It goes. */
void throttle_pour(Throttle *throttle, bool is_write, uint64_t bytes);

#endif
