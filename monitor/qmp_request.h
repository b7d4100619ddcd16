/*
 * QmpRequest: one JSON value from a QMP client, checked to be a request.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_QMP_REQUEST_H
#define MONITOR_QMP_REQUEST_H

#include "qom/error.h"
#include "util/json.h"

typedef struct QmpRequest {
    json_object *message; /* owns what the next ones borrow */
    json_object *args;    /* NULL: none given */
    json_object *id;
    const char *name;     /* of the command */
    bool has_id;          /* an id may be null */
    bool is_oob;
    Error *err;           /* this is no request, because */
} QmpRequest;

/* Takes a reference to `message`. Never fails: what is wrong is in `err`. */
QmpRequest *qmp_request_new(json_object *message, bool is_oob_allowed);
/* In place of a value that was not JSON, because `why`. */
QmpRequest *qmp_request_new_broken(const char *why);
void qmp_request_free(QmpRequest *request);

/* Appends a reply with CRLF. `err` NULL: the reply is `value` (borrowed, NULL is null). */
void qmp_request_reply(const QmpRequest *request, json_object *value, const Error *err,
                       bool is_pretty, GString *out);
/* Appends any message as a line (or pretty: lines) ended CRLF. */
void qmp_append_message(GString *out, json_object *message, bool is_pretty);

#endif
