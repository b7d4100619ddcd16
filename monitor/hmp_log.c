/*
 * HMP commands on the log and trace events.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"
#include "util/log.h"
#include "util/trace.h"
#include "util/trace_file.h"

static void print_items(Hmp *hmp)
{
    hmp_printf(hmp, "Log items (comma separated):\n%-15s %s\n", "none", "remove all logs");
    for (const LogItem *item = log_items; item->name; item++) {
        hmp_printf(hmp, "%-15s %s\n", item->name, item->help);
    }
    hmp_printf(hmp, "%-15s %s\n", "trace:PATTERN", "switch on trace events");
}

void hmp_log(Hmp *hmp, json_object *args)
{
    const char *items = hmp_text(args, "items");
    g_autofree char *why = NULL;

    if (!strcmp(items, "help")) {
        print_items(hmp);
    } else if (!log_set_items(items, &why)) {
        hmp_printf(hmp, "Error: %s\n", why);
        print_items(hmp);
    }
}

void complete_log_item(HmpWords *words)
{
    hmp_offer(words, "none");
    for (const LogItem *item = log_items; item->name; item++) {
        hmp_offer(words, item->name);
    }
}

void hmp_logfile(Hmp *hmp, json_object *args)
{
    g_autofree char *why = NULL;

    if (!log_set_file(hmp_text(args, "filename"), &why)) {
        hmp_printf(hmp, "Error: %s\n", why);
    }
}

void hmp_trace_event(Hmp *hmp, json_object *args)
{
    const char *name = hmp_text(args, "name");

    if (!trace_pattern_is_glob(name) && !trace_find(name)) {
        hmp_printf(hmp, "unknown event \"%s\"\n", name);
    } else {
        trace_enable(name, hmp_bool(args, "enable"));
    }
}

static void print_event(void *opaque, TraceEvent *event)
{
    hmp_printf(opaque, "%s : state %u\n", event->name, trace_event_is_enabled(event));
}

void hmp_trace_events(Hmp *hmp, json_object *args)
{
    const char *name = hmp_has(args, "name") ? hmp_text(args, "name") : NULL;

    if (!trace_foreach(name, print_event, hmp) && name && !trace_pattern_is_glob(name)) {
        hmp_printf(hmp, "unknown event \"%s\"\n", name);
    }
}

static void offer_event(void *opaque, TraceEvent *event)
{
    hmp_offer(opaque, event->name);
}

void complete_trace_event(HmpWords *words)
{
    trace_foreach(NULL, offer_event, words);
}

/* --- trace-file --- */

static void print_trace_file(Hmp *hmp)
{
    g_autofree char *path = trace_file_path();

    hmp_printf(hmp, path ? "Trace file \"%s\" on.\n" : "Trace file off.\n", path);
}

static void open_trace_file(Hmp *hmp, const char *path)
{
    g_autofree char *why = NULL;

    if (!trace_file_open(path, &why)) {
        hmp_printf(hmp, "Error: %s\n", why);
    }
}

static void close_trace_file(Hmp *hmp)
{
    g_autofree char *why = NULL;

    if (!trace_file_close(&why)) {
        hmp_printf(hmp, "Error: %s\n", why);
    }
}

void hmp_trace_file(Hmp *hmp, json_object *args)
{
    const char *operation = hmp_text(args, "operation");
    g_autofree char *path = trace_file_path();

    if (!*operation) {
        print_trace_file(hmp);
    } else if (!strcmp(operation, "set") && hmp_has(args, "filename")) {
        open_trace_file(hmp, hmp_text(args, "filename"));
    } else if (hmp_has(args, "filename")) {
        hmp_printf(hmp, "unexpected argument \"%s\"\n", hmp_text(args, "filename"));
    } else if (!strcmp(operation, "off")) {
        close_trace_file(hmp);
    } else if (!strcmp(operation, "flush")) {
        trace_file_flush();
    } else if (strcmp(operation, "on") && strcmp(operation, "set")) {
        hmp_printf(hmp, "unexpected argument \"%s\"\n", operation);
    } else if (!path) {
        open_trace_file(hmp, "trace-%d");
    }
}

void complete_trace_file(HmpWords *words)
{
    hmp_offer(words, "on");
    hmp_offer(words, "off");
    hmp_offer(words, "flush");
    hmp_offer(words, "set");
}
