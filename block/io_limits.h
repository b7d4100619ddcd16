/*
 * IoLimits: how many bytes and requests a second may be moved, and in bursts of so many seconds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_IO_LIMITS_H
#define BLOCK_IO_LIMITS_H

#include "qom/error.h"
#include "util/json.h"

#define IO_LIMIT_KINDS 3 /* of requests: */
typedef enum IoLimitKind { IO_LIMIT_TOTAL, IO_LIMIT_READ, IO_LIMIT_WRITE } IoLimitKind;

typedef struct IoLimit {
    int64_t rate;    /* a second; 0: no limit */
    int64_t burst;   /* a second, in a burst; 0: none of a size of its own */
    int64_t seconds; /* that a burst lasts */
} IoLimit;

typedef struct IoLimits {
    IoLimit bytes[IO_LIMIT_KINDS], requests[IO_LIMIT_KINDS];
    int64_t request_bytes; /* after which a request counts as several; 0: never */
} IoLimits;

/* What each number is called: "bps-total-max" and, in old interfaces, "bps_max". */
typedef struct IoLimitName {
    const char *name, *old;
    size_t offset; /* of an int64_t in IoLimits */
} IoLimitName;
#define IO_LIMIT_NAMES 19
extern const IoLimitName io_limit_names[IO_LIMIT_NAMES];

static inline int64_t *io_limit(IoLimits *limits, unsigned n)
{
    return (int64_t *)((char *)limits + io_limit_names[n].offset);
}

/* None. */
void io_limits_init(IoLimits *limits);
bool io_limits_are_set(const IoLimits *limits);
/* Takes over those that are members of `values`. */
void io_limits_take(IoLimits *limits, json_object *values, bool has_old_names);
json_object *io_limits_to_json(const IoLimits *limits);
/* Do they make sense together? */
bool io_limits_check(const IoLimits *limits, Error **errp);

#endif
