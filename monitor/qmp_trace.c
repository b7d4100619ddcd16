/*
 * QMP commands on trace events.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/qapi-commands-trace.h"
#include "util/trace.h"

/* Events are of the process: none belongs to a vCPU. */
static bool check_vcpu(bool has_vcpu, Error **errp)
{
    return !has_vcpu || error_set(errp, "Parameter 'vcpu' is not supported: no event is one of "
                                  "a vCPU");
}

static void add_event(void *opaque, TraceEvent *event)
{
    TraceEventInfo *info = g_new0(TraceEventInfo, 1);

    info->name = g_strdup(event->name);
    info->state = trace_event_is_enabled(event) ? TRACE_EVENT_STATE_ENABLED
                                                : TRACE_EVENT_STATE_DISABLED;
    g_ptr_array_add(opaque, info);
}

static bool check_name(const char *name, Error **errp)
{
    return trace_pattern_is_glob(name) || trace_find(name) ||
        error_set(errp, "unknown event \"%s\"", name);
}

TraceEventInfoArray *qmp_trace_event_get_state(const char *name, bool has_vcpu, int64_t vcpu,
                                               Error **errp)
{
    TraceEventInfoArray *result;
    g_autoptr(GPtrArray) infos = NULL;

    if (!check_vcpu(has_vcpu, errp) || !check_name(name, errp)) {
        return NULL;
    }
    infos = g_ptr_array_new();
    trace_foreach(name, add_event, infos);
    result = g_new0(TraceEventInfoArray, 1);
    result->items = (TraceEventInfo **)g_ptr_array_steal(infos, &result->count);
    return result;
}

bool qmp_trace_event_set_state(const char *name, bool enable, bool has_ignore_unavailable,
                               bool ignore_unavailable, bool has_vcpu, int64_t vcpu,
                               Error **errp)
{
    if (!check_vcpu(has_vcpu, errp) || !check_name(name, errp)) {
        return false;
    }
    trace_enable(name, enable);
    return true;
}
