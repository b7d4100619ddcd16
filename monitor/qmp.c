/*
 * A QMP session: management.md's wire protocol over a chardev.
 *
 * Without out-of-band execution everything happens in the main loop: a request is run as soon as
 * it is read. Once a client negotiated "oob", its bytes are read in mon_iothread, which runs
 * out-of-band commands itself and leaves the others, in order, to the main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qmp.h"
#include "chardev/chardev.h"
#include "monitor_state.h"
#include "qapi/command.h"
#include "qapi/qapi-commands-control.h"
#include "qmp_request.h"
#include "system/machine_lock.h"

#define QMP_MAX_QUEUED 8
#define QMP_READ_BYTES (4 * KiB)

typedef struct QmpMonitor {
    Monitor parent;
    /* In the front end's context only. */
    JsonStream stream;
    GByteArray *input;     /* read; from `input_done` on not yet parsed */
    size_t input_done;
    bool has_parsed;       /* the stream has just ended a value */
    /* In the main loop only. */
    GString *reply;
    Deferred *run;         /* runs a queued request */
    Deferred *move;        /* in mon_iothread: takes the front end over; NULL: never asked */
    Deferred *resume;      /* in mon_iothread: goes on parsing */
    GMutex lock;           /* before the output's; guards what follows */
    GQueue queue;          /* QmpRequest * */
    unsigned connection;   /* counts clients */
    bool is_connected;
    bool is_negotiated;
    bool is_oob_enabled;
    bool is_running;       /* a request, in the main loop */
    bool is_input_stopped; /* can_read() said no */
    bool is_moving;
    bool is_threaded;      /* the front end's context is mon_iothread's */
} QmpMonitor;

static bool is_pretty(const QmpMonitor *m)
{
    return m->parent.mode == MONITOR_QMP_PRETTY;
}

static bool may_do_oob(const QmpMonitor *m)
{
    return chardev_has_own_context(char_frontend_chardev(&m->parent.fe));
}

/* --- commands --- */

static bool qmp_check(QmpMonitor *m, const QmpRequest *r, const QmpCommand *command, Error **errp)
{
    bool is_negotiation = !strcmp(r->name, "qmp_capabilities");
    bool is_negotiated;

    g_mutex_lock(&m->lock);
    is_negotiated = m->is_negotiated;
    g_mutex_unlock(&m->lock);
    if (!is_negotiated && !is_negotiation) {
        return error_set_class(errp, ERROR_COMMAND_NOT_FOUND,
                               "Expecting capabilities negotiation with 'qmp_capabilities'");
    }
    if (!command) {
        return error_set_class(errp, ERROR_COMMAND_NOT_FOUND, "The command %s has not been found",
                               r->name);
    }
    if (r->is_oob && !(command->flags & QMP_ALLOW_OOB)) {
        return error_set(errp, "The command %s does not support OOB", r->name);
    }
    if (is_negotiated && is_negotiation) {
        return error_set_class(errp, ERROR_COMMAND_NOT_FOUND,
                               "Capabilities negotiation is already complete, command ignored");
    }
    if (monitor_is_preconfig() && !(command->flags & QMP_ALLOW_PRECONFIG)) {
        return error_set(errp, "The command '%s' is permitted only after machine initialization "
                         "has completed", r->name);
    }
    return true;
}

static bool qmp_run(QmpMonitor *m, const QmpRequest *r, json_object **value, Error **errp)
{
    const QmpCommand *command = qmp_command_find(r->name);
    Monitor *previous;
    bool is_ok;

    if (!qmp_check(m, r, command, errp)) {
        return false;
    }
    previous = monitor_set_current(&m->parent);
    is_ok = qmp_command_run(command, r->args, value, errp);
    monitor_set_current(previous);
    return is_ok;
}

/* Runs the request and appends the reply. */
static void qmp_answer(QmpMonitor *m, QmpRequest *r, GString *reply)
{
    g_autoptr(JsonObject) value = NULL;
    g_autoptr(Error) err = NULL;

    if (r->err || !qmp_run(m, r, &value, &err)) {
        qmp_request_reply(r, NULL, r->err ? r->err : err, is_pretty(m), reply);
    } else {
        qmp_request_reply(r, value, NULL, is_pretty(m), reply);
    }
}

/* To the client that asked, not to one that came since. */
static void qmp_send_reply(QmpMonitor *m, const GString *reply, unsigned connection)
{
    g_mutex_lock(&m->lock);
    if (m->is_connected && m->connection == connection) {
        monitor_output_put(&m->parent.out, reply->str, reply->len, false);
    }
    g_mutex_unlock(&m->lock);
}

/* --- the queue --- */

static bool is_queue_full(const QmpMonitor *m)
{
    return m->queue.length >= QMP_MAX_QUEUED;
}

/* The next request to be run in the main loop; NULL: none, or one is running. */
static QmpRequest *qmp_begin(QmpMonitor *m, unsigned *connection)
{
    QmpRequest *r = NULL;

    g_mutex_lock(&m->lock);
    if (!m->is_running && !m->is_moving) {
        r = g_queue_pop_head(&m->queue);
    }
    if (r) {
        m->is_running = true;
        *connection = m->connection;
    }
    g_mutex_unlock(&m->lock);
    return r;
}

static void qmp_end(QmpMonitor *m)
{
    g_mutex_lock(&m->lock);
    m->is_running = false;
    if (m->is_threaded && m->queue.length) {
        deferred_schedule(m->run);
    }
    if (m->is_threaded && m->is_input_stopped) {
        deferred_schedule(m->resume);
    }
    g_mutex_unlock(&m->lock);
}

static bool qmp_run_next(QmpMonitor *m)
{
    unsigned connection;
    QmpRequest *r = qmp_begin(m, &connection);

    if (!r) {
        return false;
    }
    g_string_truncate(m->reply, 0);
    qmp_answer(m, r, m->reply);
    qmp_send_reply(m, m->reply, connection);
    qmp_request_free(r);
    qmp_end(m);
    return true;
}

static void qmp_run_deferred(void *opaque)
{
    qmp_run_next(opaque);
}

static void qmp_queue(QmpMonitor *m, QmpRequest *r)
{
    g_mutex_lock(&m->lock);
    g_queue_push_tail(&m->queue, r);
    if (m->is_threaded && !m->is_running) {
        deferred_schedule(m->run);
    }
    g_mutex_unlock(&m->lock);
}

static void qmp_run_oob(QmpMonitor *m, QmpRequest *r)
{
    g_autoptr(GString) reply = g_string_new(NULL);

    qmp_answer(m, r, reply);
    qmp_send_reply(m, reply, m->connection); /* clients come and go in this thread */
    qmp_request_free(r);
}

/* --- input, in the front end's context --- */

static void qmp_parsed(void *opaque, json_object *value, const char *why)
{
    QmpMonitor *m = opaque;
    QmpRequest *r = why ? qmp_request_new_broken(why) : qmp_request_new(value, m->is_oob_enabled);

    m->has_parsed = true;
    if (r->is_oob && !r->err) {
        qmp_run_oob(m, r);
    } else {
        qmp_queue(m, r);
    }
}

/* Whether there is room for a request; if not, whoever makes room has us resume. */
static bool may_parse(QmpMonitor *m)
{
    bool may = !monitor_output_is_congested(&m->parent.out);

    g_mutex_lock(&m->lock);
    may = may && !m->is_moving && !is_queue_full(m);
    m->is_input_stopped |= !may;
    g_mutex_unlock(&m->lock);
    return may;
}

static void qmp_parse_value(QmpMonitor *m)
{
    m->has_parsed = false;
    while (!m->has_parsed && m->input_done < m->input->len) {
        json_stream_feed(&m->stream, (const char *)m->input->data + m->input_done++, 1);
    }
}

/* Parses, and without a thread runs, what was read, as far as the queue and the output allow. */
static void qmp_pump(QmpMonitor *m)
{
    do {
        while (!m->is_threaded && qmp_run_next(m)) {
        }
        if (m->input_done == m->input->len) {
            g_byte_array_set_size(m->input, 0);
            m->input_done = 0;
            return;
        }
        if (!may_parse(m)) {
            return;
        }
        qmp_parse_value(m);
    } while (true);
}

static size_t qmp_can_read(void *opaque)
{
    QmpMonitor *m = opaque;

    return may_parse(m) && m->input_done == m->input->len ? QMP_READ_BYTES : 0;
}

/* Goes on where the queue or the output made us stop. */
static void qmp_resume(void *opaque)
{
    QmpMonitor *m = opaque;

    bool was_stopped;

    g_mutex_lock(&m->lock);
    was_stopped = m->is_input_stopped;
    m->is_input_stopped = false;
    g_mutex_unlock(&m->lock);
    qmp_pump(m);
    if (was_stopped) {
        char_frontend_accept_input(&m->parent.fe);
    }
}

static void qmp_read(void *opaque, const uint8_t *bytes, size_t size)
{
    QmpMonitor *m = opaque;

    monitor_collect_fds(&m->parent);
    g_byte_array_append(m->input, bytes, size);
    qmp_resume(m);
}

/* --- clients --- */

static void qmp_greet(QmpMonitor *m)
{
    g_autoptr(VersionInfo) version = qmp_query_version(NULL);
    g_autoptr(JsonObject) greeting = json_object_new_object();
    g_autoptr(GString) text = g_string_new(NULL);
    json_object *body = json_object_new_object(), *capabilities = json_object_new_array();

    if (may_do_oob(m)) {
        json_object_array_add(capabilities, json_string("oob"));
    }
    json_set(body, "version", version_info_to_json(version));
    json_set(body, "capabilities", capabilities);
    json_set(greeting, "QMP", body);
    qmp_append_message(text, greeting, is_pretty(m));
    monitor_output_put(&m->parent.out, text->str, text->len, false);
}

static void qmp_opened(QmpMonitor *m)
{
    g_mutex_lock(&m->lock);
    if (!m->is_connected) {
        m->is_connected = true;
        m->connection++;
        qmp_greet(m);
    }
    g_mutex_unlock(&m->lock);
}

static void qmp_closed(QmpMonitor *m)
{
    g_mutex_lock(&m->lock);
    m->is_connected = false;
    m->is_negotiated = false;
    m->is_oob_enabled = false;
    g_queue_clear_full(&m->queue, (GDestroyNotify)qmp_request_free);
    monitor_output_reset(&m->parent.out);
    g_mutex_unlock(&m->lock);
    monitor_close_fds(&m->parent);
    json_stream_reset(&m->stream);
    g_byte_array_set_size(m->input, 0);
    m->input_done = 0;
}

static void qmp_event(void *opaque, CharEvent event)
{
    QmpMonitor *m = opaque;

    if (event == CHAR_EVENT_OPENED) {
        qmp_opened(m);
    } else if (event == CHAR_EVENT_CLOSED) {
        qmp_closed(m);
    }
}

static const CharHandlers qmp_handlers = {
    .can_read = qmp_can_read,
    .read = qmp_read,
    .event = qmp_event,
};

/*
 * In mon_iothread, which reads from now on, for good: a later client need not negotiate oob to be
 * read there. The machine lock keeps the main loop from the chardev meanwhile.
 */
static void qmp_move(void *opaque)
{
    QmpMonitor *m = opaque;

    machine_lock();
    g_mutex_lock(&m->lock);
    m->is_threaded = true;
    g_mutex_unlock(&m->lock);
    char_frontend_set_handlers(&m->parent.fe, &qmp_handlers, m,
                               event_loop_context(event_loop_current()));
    monitor_output_move(&m->parent.out);
    g_mutex_lock(&m->lock);
    m->is_moving = false;
    if (m->queue.length) {
        deferred_schedule(m->run);
    }
    g_mutex_unlock(&m->lock);
    machine_unlock();
    qmp_resume(m);
}

static bool qmp_begin_move(QmpMonitor *m, Error **errp)
{
    EventLoop *loop = monitor_thread_loop();

    if (!loop) {
        return error_set(errp, "Cannot start a thread for out-of-band commands");
    }
    m->resume = deferred_new(loop, qmp_resume, m);
    m->move = deferred_new(loop, qmp_move, m);
    g_mutex_lock(&m->lock);
    m->is_moving = true;
    g_mutex_unlock(&m->lock);
    deferred_schedule(m->move);
    return true;
}

bool qmp_monitor_negotiate(bool wants_oob, Error **errp)
{
    QmpMonitor *m = (QmpMonitor *)monitor_current();

    if (wants_oob && !may_do_oob(m)) {
        return error_set(errp, "Capability 'oob' not available");
    }
    if (wants_oob && !m->move && !qmp_begin_move(m, errp)) {
        return false;
    }
    g_mutex_lock(&m->lock);
    m->is_negotiated = true;
    m->is_oob_enabled = wants_oob;
    g_mutex_unlock(&m->lock);
    return true;
}

/* --- the monitor --- */

static void qmp_send_event(Monitor *mon, const GString *plain, const GString *pretty)
{
    QmpMonitor *m = (QmpMonitor *)mon;
    const GString *text = is_pretty(m) ? pretty : plain;

    g_mutex_lock(&m->lock);
    if (m->is_negotiated) {
        monitor_output_put(&mon->out, text->str, text->len, true);
    }
    g_mutex_unlock(&m->lock);
}

static void qmp_drained(void *opaque)
{
    qmp_resume(opaque);
}

static void qmp_start(Monitor *mon)
{
    mon->out.drained = qmp_drained;
    char_frontend_set_handlers(&mon->fe, &qmp_handlers, mon, NULL);
}

static void qmp_monitor_free(Monitor *mon)
{
    QmpMonitor *m = (QmpMonitor *)mon;

    g_queue_clear_full(&m->queue, (GDestroyNotify)qmp_request_free);
    deferred_free(m->run);
    deferred_free(m->move);
    deferred_free(m->resume);
    json_stream_clear(&m->stream);
    g_byte_array_free(m->input, TRUE);
    g_string_free(m->reply, TRUE);
    g_mutex_clear(&m->lock);
    g_free(m);
}

static const MonitorKind qmp_kind = {
    .start = qmp_start,
    .free = qmp_monitor_free,
    .event = qmp_send_event,
};

Monitor *qmp_monitor_new(void)
{
    QmpMonitor *m = g_new0(QmpMonitor, 1);

    m->parent.kind = &qmp_kind;
    json_stream_init(&m->stream, qmp_parsed, m);
    m->input = g_byte_array_new();
    m->reply = g_string_new(NULL);
    m->run = deferred_new(event_loop_main(), qmp_run_deferred, m);
    g_mutex_init(&m->lock);
    g_queue_init(&m->queue);
    return &m->parent;
}
