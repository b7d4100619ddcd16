/*
 * Trace events: switched on by name at run time, at the cost of one load and branch when off.
 *
 * A room's `trace-events` file becomes its "trace.h" with a trace_NAME() for every event
 * (scripts/tracetool.py, docs/devel/tracing.md). All events of the process stand in one table,
 * which is what `-trace`, `info trace-events` and trace-event-get-state/-set-state show and
 * change. Every function here may be called from any thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_TRACE_H
#define UTIL_TRACE_H

typedef struct TraceEvent {
    union {
        uint32_t is_active; /* any of the two below: the one word the fast path reads */
        struct {
            uint16_t usdt_listeners; /* the semaphore of the USDT probe: the kernel counts here */
            uint16_t is_enabled;     /* wanted in the log or the trace file */
        };
    };
    uint32_t file_generation; /* which trace file knows this event; under the file's lock */
    uint32_t id;              /* stands for the name in trace files */
    const char *name;
    const char *room;
    const char *signature; /* "KIND:NAME ...", KIND one of u i s p */
} TraceEvent;

static inline bool trace_event_is_active(const TraceEvent *event)
{
    return G_UNLIKELY(__atomic_load_n(&event->is_active, __ATOMIC_RELAXED));
}

static inline bool trace_event_is_enabled(const TraceEvent *event)
{
    return __atomic_load_n(&event->is_enabled, __ATOMIC_RELAXED);
}

static inline void trace_event_enable(TraceEvent *event, bool is_enabled)
{
    __atomic_store_n(&event->is_enabled, is_enabled, __ATOMIC_RELAXED);
}

/* Called by generated code before main(). The events live for ever. */
void trace_register(TraceEvent *const *events, size_t count);

/* NULL when there is no event of exactly this name. */
TraceEvent *trace_find(const char *name);

/*
 * Calls `visit` for the events whose name matches the glob pattern (`*` and `?`; NULL is all), in
 * order of name. Returns how many matched. `visit` may be NULL and may enable events.
 */
typedef void TraceVisit(void *opaque, TraceEvent *event);
size_t trace_foreach(const char *pattern, TraceVisit *visit, void *opaque);

/* Switches all events that match `pattern`; returns how many did. */
size_t trace_enable(const char *pattern, bool is_enabled);

static inline bool trace_pattern_is_glob(const char *pattern)
{
    return strpbrk(pattern, "*?") != NULL;
}

/*
 * `-trace [enable=]PATTERN,events=FILE,file=FILE`, each NULL if not given. A pattern that begins
 * with '-' switches off. The lines of an events file are such patterns; blank lines and those
 * that begin with '#' are skipped. `file` is the binary trace file, or the log file if the simple
 * back end is not built. Names of no event are not refused: a line for each is appended to
 * `warnings` (may be NULL). False: *why (g_free) says why; nothing is
 * changed then.
 */
typedef struct TraceOption {
    const char *enable;
    const char *events;
    const char *file;
} TraceOption;
bool trace_parse_option(const TraceOption *option, GString *warnings, char **why);

#endif
