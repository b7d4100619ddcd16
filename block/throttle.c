/*
 * See block/throttle.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/throttle.h"

void throttle_set(Throttle *throttle, const IoLimits *limits, int64_t now_ns)
{
    *throttle = (Throttle){ .limits = *limits, .now_ns = now_ns };
}

/* --- one bucket --- */

static void leak(ThrottleLevel *level, const IoLimit *limit, double seconds)
{
    level->units = MAX(level->units - limit->rate * seconds, 0);
    level->burst_units = MAX(level->burst_units - limit->burst * seconds, 0);
}

/* Seconds until what is too much has leaked. */
static double overflow(double units, double room, double rate)
{
    return units > room ? (units - room) / rate : 0;
}

static double wait_seconds(const ThrottleLevel *level, const IoLimit *limit)
{
    double wait;

    if (!limit->rate) {
        return 0;
    }
    if (!limit->burst) {
        return overflow(level->units, limit->rate / 10.0, limit->rate);
    }
    wait = overflow(level->units, (double)limit->burst * limit->seconds, limit->rate);
    if (!wait && limit->seconds > 1) {
        wait = overflow(level->burst_units, limit->burst / 10.0, limit->burst);
    }
    return wait;
}

static void pour(ThrottleLevel *level, const IoLimit *limit, double units)
{
    level->units += units;
    if (limit->seconds > 1) {
        level->burst_units += units;
    }
}

/* --- all of them --- */

static void pass_time(Throttle *throttle, int64_t now_ns)
{
    double seconds = (double)MAX(now_ns - throttle->now_ns, 0) / NS_PER_SEC;

    throttle->now_ns = now_ns;
    for (unsigned kind = 0; kind < IO_LIMIT_KINDS; kind++) {
        leak(&throttle->bytes[kind], &throttle->limits.bytes[kind], seconds);
        leak(&throttle->requests[kind], &throttle->limits.requests[kind], seconds);
    }
}

static double wait_of_kind(const Throttle *throttle, IoLimitKind kind)
{
    return MAX(wait_seconds(&throttle->bytes[kind], &throttle->limits.bytes[kind]),
               wait_seconds(&throttle->requests[kind], &throttle->limits.requests[kind]));
}

int64_t throttle_wait_ns(Throttle *throttle, bool is_write, int64_t now_ns)
{
    double wait;

    pass_time(throttle, now_ns);
    wait = MAX(wait_of_kind(throttle, IO_LIMIT_TOTAL),
               wait_of_kind(throttle, is_write ? IO_LIMIT_WRITE : IO_LIMIT_READ));
    /* Rounded up: when it is over it is over. */
    return wait > 0 ? MIN(wait, INT32_MAX) * NS_PER_SEC + 1 : 0;
}

void throttle_pour(Throttle *throttle, bool is_write, uint64_t bytes)
{
    const IoLimitKind kinds[] = { IO_LIMIT_TOTAL, is_write ? IO_LIMIT_WRITE : IO_LIMIT_READ };
    const IoLimits *limits = &throttle->limits;
    uint64_t counted = limits->request_bytes;
    double requests = counted && bytes > counted ? (double)bytes / counted : 1;

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        pour(&throttle->bytes[kinds[i]], &limits->bytes[kinds[i]], bytes);
        pour(&throttle->requests[kinds[i]], &limits->requests[kinds[i]], requests);
    }
}
