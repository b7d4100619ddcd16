/*
 * The envelope of QMP requests and replies.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qmp_request.h"

static bool read_command(QmpRequest *r, const char *key, json_object *value, bool is_oob,
                         Error **errp)
{
    if (r->name) {
        return error_set(errp, "QMP input member 'execute' clashes with 'exec-oob'");
    }
    if (!json_object_is_type(value, json_type_string) ||
        memchr(json_object_get_string(value), 0, json_object_get_string_len(value))) {
        return error_set(errp, "QMP input member '%s' must be a string", key);
    }
    r->name = json_object_get_string(value);
    r->is_oob = is_oob;
    return true;
}

static bool read_member(QmpRequest *r, const char *key, json_object *value, bool is_oob_allowed,
                        Error **errp)
{
    if (!strcmp(key, "execute")) {
        return read_command(r, key, value, false, errp);
    }
    if (!strcmp(key, "exec-oob") && is_oob_allowed) {
        return read_command(r, key, value, true, errp);
    }
    if (!strcmp(key, "arguments")) {
        r->args = value;
        return json_object_is_type(value, json_type_object) ||
            error_set(errp, "QMP input member 'arguments' must be an object");
    }
    return !strcmp(key, "id") || error_set(errp, "QMP input member '%s' is unexpected", key);
}

static bool read_message(QmpRequest *r, bool is_oob_allowed, Error **errp)
{
    if (!json_object_is_type(r->message, json_type_object)) {
        return error_set(errp, "QMP input must be a JSON object");
    }
    r->has_id = json_object_object_get_ex(r->message, "id", &r->id);
    json_object_object_foreach (r->message, key, value) {
        if (!read_member(r, key, value, is_oob_allowed, errp)) {
            return false;
        }
    }
    return r->name || error_set(errp, "QMP input lacks member 'execute'");
}

QmpRequest *qmp_request_new(json_object *message, bool is_oob_allowed)
{
    QmpRequest *r = g_new0(QmpRequest, 1);

    r->message = json_ref(message);
    read_message(r, is_oob_allowed, &r->err);
    return r;
}

QmpRequest *qmp_request_new_broken(const char *why)
{
    QmpRequest *r = g_new0(QmpRequest, 1);

    error_set(&r->err, "JSON parse error, %s", why);
    return r;
}

void qmp_request_free(QmpRequest *request)
{
    json_unref(request->message);
    error_free(request->err);
    g_free(request);
}

static json_object *error_to_json(const Error *err)
{
    json_object *result = json_object_new_object();

    json_set(result, "class", json_string(error_class_name(error_class(err))));
    json_set(result, "desc", json_string(error_text(err)));
    return result;
}

/* Lines end CRLF. No string in JSON text holds a bare LF. */
static void append_with_crlf(GString *out, const char *text)
{
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        g_string_append_len(out, text, end - text);
        g_string_append(out, "\r\n");
    }
    g_string_append(out, text);
    g_string_append(out, "\r\n");
}

void qmp_append_message(GString *out, json_object *message, bool is_pretty)
{
    if (is_pretty) {
        g_autoptr(GString) text = g_string_new(NULL);

        json_append(text, message, true);
        append_with_crlf(out, text->str);
    } else {
        json_append(out, message, false);
        g_string_append(out, "\r\n");
    }
}

static void reply_pretty(const QmpRequest *request, const char *key, json_object *value,
                         GString *out)
{
    g_autoptr(JsonObject) reply = json_object_new_object();

    json_set(reply, key, json_ref(value));
    if (request->has_id) {
        json_set(reply, "id", json_ref(request->id));
    }
    qmp_append_message(out, reply, true);
}

/* Written directly: no object is made only to be taken apart again. */
static void reply_plain(const QmpRequest *request, const char *key, json_object *value,
                        GString *out)
{
    g_string_append(out, "{\"");
    g_string_append(out, key);
    g_string_append(out, "\": ");
    json_append(out, value, false);
    if (request->has_id) {
        g_string_append(out, ", \"id\": ");
        json_append(out, request->id, false);
    }
    g_string_append(out, "}\r\n");
}

void qmp_request_reply(const QmpRequest *request, json_object *value, const Error *err,
                       bool is_pretty, GString *out)
{
    const char *key = err ? "error" : "return";
    g_autoptr(JsonObject) wrong = err ? error_to_json(err) : NULL;

    (is_pretty ? reply_pretty : reply_plain)(request, key, err ? wrong : value, out);
}
