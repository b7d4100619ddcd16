/*
 * Events on their way to the monitor: see qapi/event.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/event.h"

static struct {
    QapiEventSink *sink;
    void *opaque;
} listener;

void qapi_event_set_sink(QapiEventSink *sink, void *opaque)
{
    listener.sink = sink;
    listener.opaque = opaque;
}

void qapi_event_emit(const QapiEvent *event, const void *data)
{
    g_autoptr(JsonObject) json = NULL;

    if (!listener.sink) {
        return;
    }
    if (data) {
        json = qapi_to_json(event->data, data);
    }
    listener.sink(listener.opaque, event, json);
}
