/*
 * Timers as saved values: when they run out on their own clock, INT64_MAX when they do not run.
 * The clock itself is loaded before any device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/timer.h"
#include "system/vmstate_kind.h"

static bool timer_save(const VMField *f, void *at, VMWriter *w, Error **errp)
{
    vm_put(w, timer_deadline_ns(at), 8);
    return true;
}

static bool timer_load(const VMField *f, void *at, VMReader *r, Error **errp)
{
    uint64_t deadline_ns;

    if (!vm_get(r, &deadline_ns, 8, errp)) {
        return false;
    }
    if (deadline_ns > INT64_MAX) {
        return error_set(errp, "%" PRId64 " ns is before the clock began", (int64_t)deadline_ns);
    }
    if (deadline_ns == INT64_MAX) {
        timer_cancel(at);
    } else {
        timer_arm_at_ns(at, deadline_ns);
    }
    return true;
}

const VMKind vm_kind_timer = {
    .name = "timer", .wire_bytes = 8, .is_signed = true, .save = timer_save, .load = timer_load,
};
