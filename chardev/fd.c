/*
 * chardev-fd: see chardev/fd.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/fd.h"

#include <glib-unix.h>

static void stop_input(CharFd *s)
{
    if (s->source) {
        g_source_destroy(s->source);
        g_clear_pointer(&s->source, g_source_unref);
    }
    g_clear_pointer(&s->source_context, g_main_context_unref);
}

void char_fd_close(CharFd *s)
{
    stop_input(s);
    if (s->in >= 0) {
        close(s->in);
    }
    if (s->out >= 0 && s->out != s->in) {
        close(s->out);
    }
    s->in = s->out = -1;
}

static ssize_t read_bytes(CharFd *s)
{
    uint8_t bytes[CHAR_CHUNK_BYTES];
    ssize_t n = read(s->in, bytes, chardev_room(&s->parent));

    if (n > 0) {
        chardev_deliver(&s->parent, bytes, n);
    }
    return n;
}

/* Output may go on. */
static void end_input(CharFd *s)
{
    stop_input(s);
    if (s->in != s->out) {
        close(s->in);
        s->in = -1;
    }
    chardev_set_open(&s->parent, false);
    if (s->ended) {
        s->ended(s);
    }
}

static gboolean input_ready(int fd, GIOCondition condition, void *opaque)
{
    CharFd *s = opaque;
    ssize_t n;

    if (!chardev_room(&s->parent)) {
        stop_input(s);
        return G_SOURCE_REMOVE;
    }
    object_ref(s);
    n = s->read_some ? s->read_some(s) : read_bytes(s);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        end_input(s);
    }
    object_unref(s);
    /* Whoever stopped or replaced the source has destroyed it. */
    return G_SOURCE_CONTINUE;
}

void char_fd_update(Chardev *chr)
{
    CharFd *s = CHAR_FD(chr);

    if (s->source && s->source_context == chr->context && chr->frontend) {
        return;
    }
    stop_input(s);
    if (s->in < 0 || !chr->is_open || !chardev_room(chr)) {
        return;
    }
    s->source = g_unix_fd_source_new(s->in, G_IO_IN | G_IO_HUP | G_IO_ERR);
    s->source_context = chr->context ? g_main_context_ref(chr->context) : NULL;
    g_source_set_callback(s->source, G_SOURCE_FUNC(input_ready), s, NULL);
    g_source_attach(s->source, chr->context);
}

void char_fd_start(CharFd *s, int in, int out)
{
    s->in = in;
    s->out = out;
    if (in >= 0) {
        g_unix_set_fd_nonblocking(in, TRUE, NULL);
    }
    if (out >= 0) {
        g_unix_set_fd_nonblocking(out, TRUE, NULL);
    }
    chardev_set_open(&s->parent, true);
}

ssize_t char_fd_write_some(int fd, const void *bytes, size_t size)
{
    ssize_t n;

    do {
        n = write(fd, bytes, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno == EAGAIN ? 0 : -errno;
    }
    return n;
}

static ssize_t char_fd_write(Chardev *chr, const uint8_t *bytes, size_t size)
{
    CharFd *s = CHAR_FD(chr);

    return s->out >= 0 ? char_fd_write_some(s->out, bytes, size) : (ssize_t)size;
}

static GSource *char_fd_watch(Chardev *chr, GIOCondition condition)
{
    CharFd *s = CHAR_FD(chr);

    return s->out >= 0 ? g_unix_fd_source_new(s->out, condition) : NULL;
}

static void char_fd_init(Object *obj)
{
    CHAR_FD(obj)->in = CHAR_FD(obj)->out = -1;
}

static void char_fd_finalize(Object *obj)
{
    char_fd_close(CHAR_FD(obj));
}

static const ChardevType char_fd_type = {
    .name = TYPE_CHARDEV_FD,
    .doc = "Chardev on open descriptors",
    .parent = TYPE_CHARDEV,
    .size = sizeof(CharFd),
    .is_abstract = true,
    .init = char_fd_init,
    .finalize = char_fd_finalize,
    .write = char_fd_write,
    .watch = char_fd_watch,
    .update = char_fd_update,
    .has_own_context = 1,
};
OBJECT_TYPE(char_fd_type)
