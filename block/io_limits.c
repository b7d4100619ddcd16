/*
 * See block/io_limits.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/io_limits.h"

#define MOST INT64_C(1000000000000000)

#define ROWS(name_, old_, field_)                                                                  \
    { name_, old_, offsetof(IoLimits, field_.rate) },                                              \
    { name_ "-max", old_ "_max", offsetof(IoLimits, field_.burst) },                               \
    { name_ "-max-length", old_ "_max_length", offsetof(IoLimits, field_.seconds) }
const IoLimitName io_limit_names[IO_LIMIT_NAMES] = {
    ROWS("bps-total", "bps", bytes[IO_LIMIT_TOTAL]),
    ROWS("bps-read", "bps_rd", bytes[IO_LIMIT_READ]),
    ROWS("bps-write", "bps_wr", bytes[IO_LIMIT_WRITE]),
    ROWS("iops-total", "iops", requests[IO_LIMIT_TOTAL]),
    ROWS("iops-read", "iops_rd", requests[IO_LIMIT_READ]),
    ROWS("iops-write", "iops_wr", requests[IO_LIMIT_WRITE]),
    { "iops-size", "iops_size", offsetof(IoLimits, request_bytes) },
};

void io_limits_init(IoLimits *limits)
{
    *limits = (IoLimits){ .request_bytes = 0 };
    for (unsigned kind = 0; kind < IO_LIMIT_KINDS; kind++) {
        limits->bytes[kind].seconds = limits->requests[kind].seconds = 1;
    }
}

bool io_limits_are_set(const IoLimits *limits)
{
    for (unsigned kind = 0; kind < IO_LIMIT_KINDS; kind++) {
        if (limits->bytes[kind].rate || limits->requests[kind].rate) {
            return true;
        }
    }
    return false;
}

void io_limits_take(IoLimits *limits, json_object *values, bool has_old_names)
{
    for (unsigned n = 0; n < IO_LIMIT_NAMES; n++) {
        const IoLimitName *row = &io_limit_names[n];
        json_object *value = json_member(values, has_old_names ? row->old : row->name);

        if (value) {
            *io_limit(limits, n) = json_object_get_int64(value);
        }
    }
}

json_object *io_limits_to_json(const IoLimits *limits)
{
    json_object *values = json_object_new_object();
    IoLimits copy = *limits;

    for (unsigned n = 0; n < IO_LIMIT_NAMES; n++) {
        json_set(values, io_limit_names[n].name, json_object_new_int64(*io_limit(&copy, n)));
    }
    return values;
}

/* --- do they make sense? --- */

static bool is_mixed(const IoLimit *limits)
{
    const IoLimit *all = &limits[IO_LIMIT_TOTAL], *rd = &limits[IO_LIMIT_READ];
    const IoLimit *wr = &limits[IO_LIMIT_WRITE];

    return (all->rate && (rd->rate || wr->rate)) || (all->burst && (rd->burst || wr->burst));
}

static bool is_in_range(int64_t value)
{
    return value >= 0 && value <= MOST;
}

static bool check_limit(const IoLimit *limit, Error **errp)
{
    if (!is_in_range(limit->rate) || !is_in_range(limit->burst)) {
        return error_set(errp, "bps/iops/max values must be within [0, %" PRId64 "]", MOST);
    }
    if (!limit->seconds) {
        return error_set(errp, "the burst length cannot be 0");
    }
    if (limit->seconds != 1 && !limit->burst) {
        return error_set(errp, "burst length set without burst rate");
    }
    if (limit->seconds < 0 || (limit->burst && limit->seconds > MOST / limit->burst)) {
        return error_set(errp, "burst length too high for this burst rate");
    }
    if (limit->burst && !limit->rate) {
        return error_set(errp, "bps_max/iops_max require corresponding bps/iops values");
    }
    return !limit->burst || limit->burst >= limit->rate ||
           error_set(errp, "bps_max/iops_max cannot be lower than bps/iops");
}

bool io_limits_check(const IoLimits *limits, Error **errp)
{
    const IoLimit *requests = limits->requests;

    if (is_mixed(limits->bytes) || is_mixed(requests)) {
        return error_set(errp, "bps/iops/max total values and read/write values cannot be used at "
                         "the same time");
    }
    if (limits->request_bytes < 0) {
        return error_set(errp, "Property values cannot be negative");
    }
    if (limits->request_bytes && !requests[IO_LIMIT_TOTAL].rate && !requests[IO_LIMIT_READ].rate &&
        !requests[IO_LIMIT_WRITE].rate) {
        return error_set(errp, "iops size requires an iops value to be set");
    }
    for (unsigned kind = 0; kind < IO_LIMIT_KINDS; kind++) {
        if (!check_limit(&limits->bytes[kind], errp) || !check_limit(&requests[kind], errp)) {
            return false;
        }
    }
    return true;
}
