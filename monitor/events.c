/*
 * QMP events: from whoever sends them to all monitors that negotiated, with a limit to how often
 * those come that a guest could make a flood of.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor_state.h"
#include "qapi/event.h"
#include "qmp_request.h"
#include "system/timer.h"

#define EVENT_PERIOD_NS NS_PER_SEC

/* At most one a period of each (event, subject): the first at once, then the latest. */
static const struct EventLimit {
    const char *event;
    const char *subject; /* the member of data that tells subjects apart, or NULL */
} event_limits[] = {
    { "BALLOON_CHANGE", NULL },
    { "HV_BALLOON_STATUS_REPORT", NULL },
    { "MEMORY_DEVICE_SIZE_CHANGE", "qom-path" },
    { "QUORUM_FAILURE", NULL },
    { "QUORUM_REPORT_BAD", "node-name" },
    { "RTC_CHANGE", NULL },
    { "VSERPORT_CHANGE", "id" },
    { "WATCHDOG", NULL },
};

/* One (event, subject) that was sent less than a period ago. */
typedef struct RecentEvent {
    char *key;
    json_object *message; /* came since; NULL: nothing did */
    Timer timer;          /* the end of the period */
} RecentEvent;

static GMutex recent_lock;  /* not held while an event is sent */
static GHashTable *recent;  /* key -> RecentEvent */

typedef struct EventText {
    GString *plain, *pretty;
} EventText;

static void event_to_monitor(Monitor *mon, void *opaque)
{
    const EventText *text = opaque;

    if (mon->kind->event) {
        mon->kind->event(mon, text->plain, text->pretty);
    }
}

static void event_broadcast(json_object *message)
{
    g_autoptr(GString) plain = g_string_new(NULL);
    g_autoptr(GString) pretty = g_string_new(NULL);
    EventText text = { plain, pretty };

    qmp_append_message(plain, message, false);
    qmp_append_message(pretty, message, true);
    monitor_each(event_to_monitor, &text);
}

static json_object *event_timestamp(void)
{
    Clock clock = clock_qtest_is_enabled() ? CLOCK_VIRTUAL : CLOCK_HOST;
    int64_t now_us = clock_now_us(clock);
    json_object *result = json_object_new_object();

    json_set(result, "seconds", json_object_new_int64(now_us / 1000000));
    json_set(result, "microseconds", json_object_new_int64(now_us % 1000000));
    return result;
}

static json_object *event_message(const char *name, json_object *data)
{
    json_object *message = json_object_new_object();

    json_set(message, "timestamp", event_timestamp());
    json_set(message, "event", json_string(name));
    if (data && json_object_object_length(data)) {
        json_set(message, "data", json_ref(data));
    }
    return message;
}

/* --- limits --- */

static const struct EventLimit *event_limit(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(event_limits); i++) {
        if (!strcmp(event_limits[i].event, name)) {
            return &event_limits[i];
        }
    }
    return NULL;
}

static char *event_key(const struct EventLimit *limit, json_object *data)
{
    json_object *subject = limit->subject && data ? json_member(data, limit->subject) : NULL;

    return g_strdup_printf("%s %s", limit->event, subject ? json_object_get_string(subject) : "");
}

static void recent_free(gpointer value)
{
    RecentEvent *r = value;

    timer_clear(&r->timer);
    json_unref(r->message);
    g_free(r->key);
    g_free(r);
}

/* Main loop: the period is over. */
static void recent_expired(void *opaque)
{
    RecentEvent *r = opaque;
    json_object *message;

    g_mutex_lock(&recent_lock);
    message = g_steal_pointer(&r->message);
    if (message) {
        timer_arm_after_ns(&r->timer, EVENT_PERIOD_NS);
    } else {
        g_hash_table_remove(recent, r->key);
    }
    g_mutex_unlock(&recent_lock);
    if (message) {
        event_broadcast(message);
        json_unref(message);
    }
}

/* Is it too early for another one? Then it is kept for the end of the period. */
static bool event_is_held_back(const struct EventLimit *limit, json_object *data,
                               json_object *message)
{
    g_autofree char *key = event_key(limit, data);
    RecentEvent *r;
    bool is_held_back;

    g_mutex_lock(&recent_lock);
    r = recent ? g_hash_table_lookup(recent, key) : NULL;
    is_held_back = r;
    if (r) {
        /* A copy, for references to JSON are not counted across threads. */
        json_unref(g_steal_pointer(&r->message));
        json_object_deep_copy(message, &r->message, NULL);
    } else if (recent) {
        r = g_new0(RecentEvent, 1);
        r->key = g_steal_pointer(&key);
        timer_init(&r->timer, clock_qtest_is_enabled() ? CLOCK_VIRTUAL : CLOCK_REAL,
                   recent_expired, r);
        g_hash_table_insert(recent, r->key, r);
        timer_arm_after_ns(&r->timer, EVENT_PERIOD_NS);
    }
    g_mutex_unlock(&recent_lock);
    return is_held_back;
}

static void event_sink(void *opaque, const QapiEvent *event, json_object *data)
{
    g_autoptr(JsonObject) message = event_message(event->name, data);
    const struct EventLimit *limit = event_limit(event->name);

    if (!limit || !event_is_held_back(limit, data, message)) {
        event_broadcast(message);
    }
}

void monitor_events_init(void)
{
    recent = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, recent_free);
    qapi_event_set_sink(event_sink, NULL);
}

void monitor_events_cleanup(void)
{
    qapi_event_set_sink(NULL, NULL);
    g_mutex_lock(&recent_lock);
    g_clear_pointer(&recent, g_hash_table_destroy);
    g_mutex_unlock(&recent_lock);
}
