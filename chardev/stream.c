/*
 * What passes between a back end and its front end: bytes up, bytes down with their log, events.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <glib-unix.h>
#include <poll.h>

#include "chardev/backend.h"

size_t chardev_room(Chardev *chr)
{
    CharFrontend *fe = chr->frontend;
    size_t room = CHAR_CHUNK_BYTES;

    if (!fe || !fe->handlers || !fe->handlers->read) {
        return 0;
    }
    if (fe->handlers->can_read) {
        room = fe->handlers->can_read(fe->opaque);
    }
    return MIN(room, CHAR_CHUNK_BYTES);
}

void chardev_deliver(Chardev *chr, const uint8_t *bytes, size_t size)
{
    CharFrontend *fe = chr->frontend;

    if (size && fe && fe->handlers && fe->handlers->read) {
        fe->handlers->read(fe->opaque, bytes, size);
    }
}

void chardev_event(Chardev *chr, CharEvent event)
{
    if (event == CHAR_EVENT_OPENED) {
        chr->is_open = true;
    } else if (event == CHAR_EVENT_CLOSED) {
        chr->is_open = false;
    }
    chardev_ops(chr)->event(chr, event);
}

void chardev_set_open(Chardev *chr, bool is_open)
{
    if (chr->is_open != is_open) {
        chardev_event(chr, is_open ? CHAR_EVENT_OPENED : CHAR_EVENT_CLOSED);
    }
}

/* A log that cannot be written must not stop the line. */
static void log_bytes(Chardev *chr, const uint8_t *bytes, size_t size)
{
    while (chr->log_fd >= 0 && size) {
        ssize_t n = write(chr->log_fd, bytes, size);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return;
        }
        bytes += n;
        size -= n;
    }
}

static ssize_t write_locked(Chardev *chr, const uint8_t *bytes, size_t size)
{
    ssize_t n = size ? chardev_ops(chr)->write(chr, bytes, size) : 0;

    if (n > 0) {
        log_bytes(chr, bytes, n);
    }
    return n;
}

ssize_t chardev_write(Chardev *chr, const uint8_t *bytes, size_t size)
{
    ssize_t n;

    g_mutex_lock(&chr->write_lock);
    n = write_locked(chr, bytes, size);
    g_mutex_unlock(&chr->write_lock);
    return n;
}

static gboolean stop_waiting(int fd, GIOCondition condition, void *opaque)
{
    *(bool *)opaque = true;
    return G_SOURCE_REMOVE;
}

/* Under write_lock, so that what two threads write does not mix. */
static void wait_for_room(Chardev *chr)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    GSource *source = chardev_ops(chr)->watch(chr, G_IO_OUT | G_IO_HUP | G_IO_ERR);
    bool is_ready = false;

    if (!source) {
        g_usleep(1000);
        return;
    }
    g_source_set_callback(source, G_SOURCE_FUNC(stop_waiting), &is_ready, NULL);
    g_source_attach(source, context);
    while (!is_ready) {
        g_main_context_iteration(context, TRUE);
    }
    g_source_destroy(source);
    g_source_unref(source);
}

bool chardev_write_all(Chardev *chr, const uint8_t *bytes, size_t size)
{
    ssize_t n = 0;

    g_mutex_lock(&chr->write_lock);
    while (size && n >= 0) {
        n = write_locked(chr, bytes, size);
        if (n > 0) {
            bytes += n;
            size -= n;
        } else if (n == 0) {
            wait_for_room(chr);
        }
    }
    g_mutex_unlock(&chr->write_lock);
    return size == 0;
}

typedef struct ContextCall {
    Chardev *chr;
    void (*fn)(Chardev *chr);
} ContextCall;

static gboolean context_call(void *opaque)
{
    ContextCall *call = opaque;

    call->fn(call->chr);
    return G_SOURCE_REMOVE;
}

static void context_call_free(void *opaque)
{
    ContextCall *call = opaque;

    object_unref(call->chr);
    g_free(call);
}

void chardev_run_in_context(Chardev *chr, void (*fn)(Chardev *chr))
{
    ContextCall *call;
    GSource *source;

    if (g_main_context_is_owner(chr->context)) {
        fn(chr);
        return;
    }
    call = g_new0(ContextCall, 1);
    call->chr = CHARDEV(object_ref(chr));
    call->fn = fn;
    source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, context_call, call, context_call_free);
    g_source_attach(source, chr->context);
    g_source_unref(source);
}

void chardev_call_update(Chardev *chr)
{
    chardev_ops(chr)->update(chr);
}
