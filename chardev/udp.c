/*
 * chardev-udp: each write is a datagram; of each datagram the bytes are input.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <sys/socket.h>

#include "chardev/fd.h"
#include "sockets/socket_address.h"

typedef struct CharUdp {
    CharFd fd;
    uint8_t datagram[CHAR_CHUNK_BYTES]; /* the last one; longer ones are cut */
    size_t size, done;
} CharUdp;
DECLARE_CAST(CharUdp, CHAR_UDP)

static void deliver_rest(CharUdp *s)
{
    while (s->done < s->size) {
        size_t n = MIN(chardev_room(&s->fd.parent), s->size - s->done);

        if (!n) {
            return;
        }
        s->done += n;
        chardev_deliver(&s->fd.parent, s->datagram + s->done - n, n);
    }
}

static ssize_t udp_read_some(CharFd *fd)
{
    CharUdp *s = CHAR_UDP(fd);
    ssize_t n;

    if (s->done < s->size) {
        deliver_rest(s);
        return 1;
    }
    n = recv(fd->in, s->datagram, sizeof(s->datagram), 0);
    if (n > 0) {
        s->size = n;
        s->done = 0;
        deliver_rest(s);
    }
    /* Empty ones, and that nobody listened to what we sent, are nothing. */
    return 1;
}

static void udp_update(Chardev *chr)
{
    deliver_rest(CHAR_UDP(chr));
    char_fd_update(chr);
}

static ssize_t udp_write(Chardev *chr, const uint8_t *bytes, size_t size)
{
    ssize_t n = send(CHAR_FD(chr)->out, bytes, size, MSG_NOSIGNAL);

    return n < 0 && errno != EAGAIN ? (ssize_t)size : MAX(n, 0);
}

static bool udp_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    const ChardevUdp *options = backend->u.udp.data;
    SocketAddress remote = socket_address_of_legacy(options->remote), local;
    int fd;

    if (options->local) {
        local = socket_address_of_legacy(options->local);
    }
    fd = socket_address_datagram(&remote, options->local ? &local : NULL, errp);
    if (fd < 0) {
        return false;
    }
    CHAR_FD(chr)->read_some = udp_read_some;
    char_fd_start(CHAR_FD(chr), fd, fd);
    return true;
}

const ChardevType chardev_udp_type = {
    .name = TYPE_CHARDEV_UDP,
    .doc = "A datagram socket",
    .parent = TYPE_CHARDEV_FD,
    .size = sizeof(CharUdp),
    .open = udp_open,
    .write = udp_write,
    .update = udp_update,
};
OBJECT_TYPE(chardev_udp_type)
