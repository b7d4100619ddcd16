/*
 * QMP events: the generated qapi_event_send_NAME() functions build the data and hand it to the
 * sink that the monitor installed. Without a sink events vanish.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QAPI_EVENT_H
#define QAPI_EVENT_H

#include "qapi/qapi.h"

typedef struct QapiEvent {
    const char *name;
    const QapiType *data; /* NULL: none */
    const char *const *features;
    unsigned targets;
} QapiEvent;

/* `data` is borrowed, NULL when the event has none. Any thread may send. */
typedef void QapiEventSink(void *opaque, const QapiEvent *event, json_object *data);

/* Installed once, before events can happen; NULL removes it. */
void qapi_event_set_sink(QapiEventSink *sink, void *opaque);

/* For generated code: `data` is a value of event->data. */
void qapi_event_emit(const QapiEvent *event, const void *data);

/* The events that are sent by something in this build, by name, ended by NULL. */
extern const QapiEvent *const qapi_events[];

#endif
