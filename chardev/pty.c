/*
 * chardev-pty: a new pseudo-terminal; who opens the other end is the peer.
 *
 * The host does not tell when the other end is opened, only (as a hang-up) that it is not: while
 * nobody is there we look once a second.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>

#include "chardev/fd.h"

#define LOOK_EVERY_MS 1000

typedef struct CharPty {
    CharFd fd;
    char *path;
    GSource *look; /* while nobody is there */
} CharPty;
DECLARE_CAST(CharPty, CHAR_PTY)

static bool is_peer_there(const CharPty *s)
{
    struct pollfd p = { .fd = s->fd.out, .events = POLLOUT };

    return poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP);
}

static void stop_looking(CharPty *s)
{
    if (s->look) {
        g_source_destroy(s->look);
        g_clear_pointer(&s->look, g_source_unref);
    }
}

static gboolean look_for_peer(void *opaque)
{
    CharPty *s = opaque;

    if (!is_peer_there(s)) {
        return G_SOURCE_CONTINUE;
    }
    stop_looking(s);
    chardev_set_open(&s->fd.parent, true);
    char_fd_update(&s->fd.parent);
    return G_SOURCE_REMOVE;
}

static void start_looking(CharPty *s)
{
    stop_looking(s);
    s->look = g_timeout_source_new(LOOK_EVERY_MS);
    g_source_set_callback(s->look, look_for_peer, s, NULL);
    g_source_attach(s->look, s->fd.parent.context);
}

static void peer_left(CharFd *s)
{
    start_looking(CHAR_PTY(s));
}

static void pty_update(Chardev *chr)
{
    CharPty *s = CHAR_PTY(chr);

    if (!chr->is_open) {
        start_looking(s); /* in what may be another context */
        look_for_peer(s);
    }
    char_fd_update(chr);
}

static ssize_t pty_write(Chardev *chr, const uint8_t *bytes, size_t size)
{
    CharPty *s = CHAR_PTY(chr);
    ssize_t n = is_peer_there(s) ? char_fd_write_some(s->fd.out, bytes, size) : (ssize_t)size;

    return n < 0 ? (ssize_t)size : n;
}

static void set_raw(int fd)
{
    struct termios modes;

    if (tcgetattr(fd, &modes) == 0) {
        cfmakeraw(&modes);
        tcsetattr(fd, TCSAFLUSH, &modes);
    }
}

static bool pty_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    CharPty *s = CHAR_PTY(chr);
    char path[PATH_MAX];
    int ours, theirs;

    if (openpty(&ours, &theirs, NULL, NULL, NULL) < 0) {
        return error_set_errno(errp, errno, "Failed to create PTY");
    }
    fcntl(ours, F_SETFD, FD_CLOEXEC);
    set_raw(theirs);
    if (ttyname_r(theirs, path, sizeof(path))) {
        close(ours);
        close(theirs);
        return error_set(errp, "Failed to name the PTY");
    }
    close(theirs);
    s->path = g_strdup(path);
    chardev_set_filename(chr, g_strconcat("pty:", path, NULL));
    s->fd.ended = peer_left;
    char_fd_start(&s->fd, ours, ours);
    chardev_set_open(chr, false);
    start_looking(s);
    return true;
}

const char *chardev_pty_path(const Chardev *chr)
{
    return object_is_a(chr, TYPE_CHARDEV_PTY) ? CHAR_PTY(chr)->path : NULL;
}

static void pty_finalize(Object *obj)
{
    stop_looking(CHAR_PTY(obj));
    g_free(CHAR_PTY(obj)->path);
}

const ChardevType chardev_pty_type = {
    .name = TYPE_CHARDEV_PTY,
    .doc = "A new pseudo-terminal",
    .parent = TYPE_CHARDEV_FD,
    .size = sizeof(CharPty),
    .finalize = pty_finalize,
    .open = pty_open,
    .write = pty_write,
    .update = pty_update,
};
OBJECT_TYPE(chardev_pty_type)
