/*
 * A debugger's points and stops: see system/guest_debug.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/guest_debug.h"

#include "system/accel.h"
#include "system/machine_lock.h"
#include "system/run_state.h"
#include "system/vcpu_internal.h"

static DebugPoint *points;
static unsigned point_count;
static DebugStop first_stop;
static bool has_stop;

static DebugPoint *find(const DebugPoint *point)
{
    for (unsigned i = 0; i < point_count; i++) {
        if (points[i].kind == point->kind && points[i].addr == point->addr &&
            points[i].bytes == point->bytes) {
            return &points[i];
        }
    }
    return NULL;
}

const DebugPoint *debug_points(unsigned *count)
{
    *count = point_count;
    return points;
}

static void begin_change(void)
{
    machine_lock_assert_held();
    vcpu_pause_all();
}

static void end_change(void)
{
    accel_ops()->debug_points_changed(accel_current());
    if (vm_is_running()) {
        vcpu_resume_all();
    }
}

static bool has_debugging(Error **errp)
{
    return (accel_ops() && accel_ops()->debug_points_changed) ||
           error_set(errp, "The accelerator has no breakpoints");
}

bool debug_point_insert(const DebugPoint *point, Error **errp)
{
    if (!has_debugging(errp)) {
        return false;
    }
    if (!find(point)) {
        begin_change();
        points = g_renew(DebugPoint, points, point_count + 1);
        points[point_count++] = *point;
        end_change();
    }
    return true;
}

bool debug_point_remove(const DebugPoint *point, Error **errp)
{
    DebugPoint *found = find(point);

    if (!found) {
        return error_set(errp, "There is no breakpoint at 0x%" PRIx64, point->addr);
    }
    begin_change();
    *found = points[--point_count];
    end_change();
    return true;
}

void debug_point_remove_all(void)
{
    if (point_count) {
        begin_change();
        point_count = 0;
        g_clear_pointer(&points, g_free);
        end_change();
    }
}

void debug_stop(Vcpu *vcpu, DebugStopReason reason, const DebugPoint *point)
{
    MACHINE_LOCK_SCOPE();
    if (!has_stop) {
        first_stop = (DebugStop){ .reason = reason, .vcpu_index = vcpu->index };
        first_stop.point = point ? *point : (DebugPoint){ 0 };
        has_stop = true;
    }
    vcpu_stop_self(vcpu);
    vm_request_debug();
}

bool debug_take_stop(DebugStop *stop)
{
    bool had_one = has_stop;

    *stop = first_stop;
    has_stop = false;
    return had_one;
}

/* --- the server --- */

static DebugServerFn *start_server;

void debug_set_server(DebugServerFn *start)
{
    start_server = start;
}

bool debug_start_server(const char *spec, Error **errp)
{
    return start_server ? start_server(spec, errp) : error_set(errp, "There is no debug server");
}
