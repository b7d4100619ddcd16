/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/trace.h"
#include "util/trace_output.h"

static GMutex table_lock;
static GPtrArray *table; /* of TraceEvent, sorted by name */

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp((*(TraceEvent *const *)a)->name, (*(TraceEvent *const *)b)->name);
}

void trace_register(TraceEvent *const *events, size_t count)
{
    g_mutex_lock(&table_lock);
    if (!table) {
        table = g_ptr_array_new();
    }
    for (size_t i = 0; i < count; i++) {
        events[i]->id = table->len;
        g_ptr_array_add(table, events[i]);
    }
    g_ptr_array_sort(table, compare_names);
    g_mutex_unlock(&table_lock);
}

/* The table as it is now: events are only ever added. */
static GPtrArray *table_copy(void)
{
    GPtrArray *copy;

    g_mutex_lock(&table_lock);
    copy = table ? g_ptr_array_copy(table, NULL, NULL) : g_ptr_array_new();
    g_mutex_unlock(&table_lock);
    return copy;
}

TraceEvent *trace_find(const char *name)
{
    TraceEvent key = { .name = name }, *event = NULL;
    TraceEvent *const wanted = &key;

    g_mutex_lock(&table_lock);
    if (table) {
        TraceEvent **found = bsearch(&wanted, table->pdata, table->len, sizeof(void *),
                                     compare_names);

        event = found ? *found : NULL;
    }
    g_mutex_unlock(&table_lock);
    return event;
}

size_t trace_foreach(const char *pattern, TraceVisit *visit, void *opaque)
{
    g_autoptr(GPtrArray) events = table_copy();
    size_t matched = 0;

    for (guint i = 0; i < events->len; i++) {
        TraceEvent *event = events->pdata[i];

        if (!pattern || g_pattern_match_simple(pattern, event->name)) {
            matched++;
            if (visit) {
                visit(opaque, event);
            }
        }
    }
    return matched;
}

static void switch_event(void *opaque, TraceEvent *event)
{
    trace_event_enable(event, *(bool *)opaque);
}

size_t trace_enable(const char *pattern, bool is_enabled)
{
    return trace_foreach(pattern, switch_event, &is_enabled);
}

static void apply_pattern(const char *pattern, GString *warnings)
{
    bool is_off = pattern[0] == '-';
    const char *name = pattern + is_off;

    if (!trace_enable(name, !is_off) && !trace_pattern_is_glob(name) && warnings) {
        g_string_append_printf(warnings, "trace event '%s' does not exist\n", name);
    }
}

static bool read_events_file(const char *path, char **text, char **why)
{
    g_autoptr(GError) err = NULL;

    if (!g_file_get_contents(path, text, NULL, &err)) {
        *why = g_strdup(err->message);
        return false;
    }
    return true;
}

static void apply_lines(const char *text, GString *warnings)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        g_strstrip(*line);
        if (**line && **line != '#') {
            apply_pattern(*line, warnings);
        }
    }
}

bool trace_parse_option(const TraceOption *option, GString *warnings, char **why)
{
    g_autofree char *events = NULL;

    if (option->events && !read_events_file(option->events, &events, why)) {
        return false;
    }
    if (option->file && !trace_output_open(option->file, why)) {
        return false;
    }
    if (events) {
        apply_lines(events, warnings);
    }
    if (option->enable) {
        apply_pattern(option->enable, warnings);
    }
    return true;
}
