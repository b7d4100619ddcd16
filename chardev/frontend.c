/*
 * The front end's side: see chardev/frontend.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/frontend.h"

#include <glib-unix.h>

#include "chardev/backend.h"

bool char_frontend_attach(CharFrontend *fe, Chardev *chr, Error **errp)
{
    assert(!fe->chardev);
    if (!chardev_ops(chr)->attach(chr, fe, errp)) {
        return false;
    }
    fe->chardev = CHARDEV(object_ref(chr));
    return true;
}

void char_frontend_detach(CharFrontend *fe)
{
    Chardev *chr = fe->chardev;

    if (!chr) {
        return;
    }
    char_frontend_set_handlers(fe, NULL, NULL, NULL);
    chardev_ops(chr)->detach(chr, fe);
    fe->chardev = NULL;
    object_unref(chr);
}

static void set_context(CharFrontend *fe, GMainContext *context)
{
    Chardev *chr = fe->chardev;

    g_clear_pointer(&fe->context, g_main_context_unref);
    fe->context = context ? g_main_context_ref(context) : NULL;
    if (chardev_type_has_own_context(chr)) {
        g_clear_pointer(&chr->context, g_main_context_unref);
        chr->context = context ? g_main_context_ref(context) : NULL;
    }
}

void char_frontend_set_handlers(CharFrontend *fe, const CharHandlers *handlers, void *opaque,
                                GMainContext *context)
{
    Chardev *chr = fe->chardev;

    if (!chr) {
        return;
    }
    fe->handlers = handlers;
    fe->opaque = opaque;
    set_context(fe, context);
    if (!handlers || !handlers->has_explicit_open) {
        char_frontend_set_open(fe, handlers != NULL);
    }
    if (handlers) {
        chardev_ops(chr)->focus(chr, fe);
    }
    chardev_ops(chr)->update(chr);
    if (handlers && handlers->event && chr->is_open) {
        handlers->event(opaque, CHAR_EVENT_OPENED);
    }
    chardev_ops(chr)->handlers_set(chr, fe);
}

bool char_frontend_is_connected(const CharFrontend *fe)
{
    return fe->chardev && fe->chardev->is_open;
}

ssize_t char_frontend_write(CharFrontend *fe, const void *bytes, size_t size)
{
    return fe->chardev ? chardev_write(fe->chardev, bytes, size) : (ssize_t)size;
}

bool char_frontend_write_all(CharFrontend *fe, const void *bytes, size_t size)
{
    return !fe->chardev || chardev_write_all(fe->chardev, bytes, size);
}

bool char_frontend_printf(CharFrontend *fe, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return char_frontend_write_all(fe, text, strlen(text));
}

typedef struct Watch {
    CharWatch *fn;
    void *opaque;
} Watch;

static gboolean watch_ready(int fd, GIOCondition condition, void *opaque)
{
    Watch *watch = opaque;

    return watch->fn(watch->opaque, condition);
}

GSource *char_frontend_watch(CharFrontend *fe, GIOCondition condition, CharWatch *fn, void *opaque)
{
    Chardev *chr = fe->chardev;
    GSource *source = NULL;
    Watch *watch;

    if (chr) {
        g_mutex_lock(&chr->write_lock);
        source = chardev_ops(chr)->watch(chr, condition);
        g_mutex_unlock(&chr->write_lock);
    }
    if (!source) {
        return NULL;
    }
    watch = g_new(Watch, 1);
    *watch = (Watch){ fn, opaque };
    g_source_set_callback(source, G_SOURCE_FUNC(watch_ready), watch, g_free);
    g_source_attach(source, fe->context);
    return source;
}

void char_frontend_accept_input(CharFrontend *fe)
{
    if (fe->chardev) {
        chardev_run_in_context(fe->chardev, chardev_call_update);
    }
}

size_t char_frontend_take_fds(CharFrontend *fe, int *fds, size_t max)
{
    return fe->chardev ? chardev_ops(fe->chardev)->take_fds(fe->chardev, fds, max) : 0;
}

bool char_frontend_send_fds(CharFrontend *fe, const int *fds, size_t count)
{
    Chardev *chr = fe->chardev;
    bool is_taken = false;

    if (chr) {
        g_mutex_lock(&chr->write_lock);
        is_taken = chardev_ops(chr)->send_fds(chr, fds, count);
        g_mutex_unlock(&chr->write_lock);
    }
    return is_taken;
}

void char_frontend_set_open(CharFrontend *fe, bool is_open)
{
    if (fe->is_open == is_open) {
        return;
    }
    fe->is_open = is_open;
    if (fe->chardev) {
        chardev_ops(fe->chardev)->frontend_open(fe->chardev, is_open);
    }
}

void char_frontend_set_echo(CharFrontend *fe, bool is_on)
{
    if (fe->chardev) {
        chardev_ops(fe->chardev)->echo(fe->chardev, is_on);
    }
}

void char_frontend_take_focus(CharFrontend *fe)
{
    if (fe->chardev) {
        chardev_ops(fe->chardev)->focus(fe->chardev, fe);
    }
}

void char_frontend_disconnect(CharFrontend *fe)
{
    if (fe->chardev) {
        chardev_ops(fe->chardev)->disconnect(fe->chardev);
    }
}

bool char_frontend_set_serial(CharFrontend *fe, const CharSerialParams *params)
{
    return fe->chardev && chardev_ops(fe->chardev)->set_serial(fe->chardev, params);
}

bool char_frontend_set_break(CharFrontend *fe, bool is_on)
{
    return fe->chardev && chardev_ops(fe->chardev)->set_break(fe->chardev, is_on);
}

bool char_frontend_get_modem(CharFrontend *fe, unsigned *lines)
{
    return fe->chardev && chardev_ops(fe->chardev)->get_modem(fe->chardev, lines);
}

bool char_frontend_set_modem(CharFrontend *fe, unsigned lines)
{
    return fe->chardev && chardev_ops(fe->chardev)->set_modem(fe->chardev, lines);
}
