/*
 * HMP commands on the log and trace events.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"
#include "util/log.h"
#include "util/trace.h"

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
