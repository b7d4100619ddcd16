/*
 * chardev-socket's line: bytes and descriptors to and from the peer, through telnet or WebSocket.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "chardev/fd.h"
#include "chardev/socket.h"

/* --- descriptors --- */

static void close_fds(int *fds, size_t *count)
{
    for (size_t i = 0; i < *count; i++) {
        close(fds[i]);
    }
    *count = 0;
}

size_t socket_line_take_fds(Chardev *chr, int *fds, size_t max)
{
    CharSocket *s = CHAR_SOCKET(chr);
    size_t count = MIN(max, s->rx_fd_count);

    memcpy(fds, s->rx_fds, count * sizeof(*fds));
    s->rx_fd_count -= count;
    memmove(s->rx_fds, s->rx_fds + count, s->rx_fd_count * sizeof(*fds));
    return count;
}

bool socket_line_send_fds(Chardev *chr, const int *fds, size_t count)
{
    CharSocket *s = CHAR_SOCKET(chr);

    close_fds(s->tx_fds, &s->tx_fd_count);
    if (s->fd < 0 || !s->is_unix || s->is_telnet || s->is_websocket ||
        count > SOCKET_ADDRESS_FDS) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);

        if (fd < 0) {
            close_fds(s->tx_fds, &s->tx_fd_count);
            return false;
        }
        s->tx_fds[s->tx_fd_count++] = fd;
    }
    return true;
}

/* New ones replace those nobody took. */
static void keep_fds(CharSocket *s, struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        size_t count;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        assert(count <= SOCKET_ADDRESS_FDS);
        close_fds(s->rx_fds, &s->rx_fd_count);
        memcpy(s->rx_fds, CMSG_DATA(c), count * sizeof(int));
        s->rx_fd_count = count;
    }
}

/* --- input --- */

static ssize_t receive(CharSocket *s, uint8_t *bytes, size_t size, int flags)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(SOCKET_ADDRESS_FDS * sizeof(int))];
    } control;
    struct iovec iov = { bytes, size };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;

    /* Without room for them the kernel closes descriptors: so for a look ahead. */
    if (s->is_unix && !(flags & MSG_PEEK)) {
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
    }
    do {
        n = recvmsg(s->fd, &msg, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n > 0 && msg.msg_control) {
        keep_fds(s, &msg);
    }
    return n;
}

static void flush_from_context(CharSocket *s);

/* What the protocol has put into `answer` is sent; then the peer may have to go. */
static void send_answer(CharSocket *s, GByteArray *answer)
{
    if (answer->len) {
        g_mutex_lock(&s->parent.write_lock);
        g_byte_array_append(s->out, answer->data, answer->len);
        g_mutex_unlock(&s->parent.write_lock);
        flush_from_context(s);
    }
}

static void deliver_telnet(CharSocket *s, uint8_t *bytes, size_t size)
{
    while (size) {
        size_t used;
        bool is_break;
        size_t kept = telnet_decode(&s->telnet, bytes, size, &used, &is_break);

        chardev_deliver(&s->parent, bytes, kept);
        if (is_break) {
            chardev_event(&s->parent, CHAR_EVENT_BREAK);
        }
        bytes += used;
        size -= used;
    }
}

static void deliver_websocket(CharSocket *s, uint8_t *bytes, size_t size)
{
    g_autoptr(GByteArray) answer = g_byte_array_new();
    size_t kept;
    WebsocketStatus status = websocket_decode(&s->websocket, bytes, size, &kept, answer);

    chardev_deliver(&s->parent, bytes, kept);
    send_answer(s, answer);
    if (status == WEBSOCKET_ENDED) {
        socket_peer_left(s);
    }
}

static void deliver(CharSocket *s, uint8_t *bytes, size_t size)
{
    if (s->is_telnet) {
        deliver_telnet(s, bytes, size);
    } else if (s->is_websocket) {
        deliver_websocket(s, bytes, size);
    } else {
        chardev_deliver(&s->parent, bytes, size);
    }
}

static bool is_shaking_hands(const CharSocket *s)
{
    return s->is_websocket && !s->websocket.is_ready;
}

/* Looks ahead, so that what follows the request is read when the front end has room. */
static ssize_t shake_hands(CharSocket *s)
{
    g_autoptr(GByteArray) answer = g_byte_array_new();
    uint8_t bytes[WEBSOCKET_REQUEST_BYTES];
    ssize_t n = receive(s, bytes, sizeof(bytes), MSG_PEEK);
    WebsocketStatus status;
    size_t used;

    if (n <= 0) {
        return n;
    }
    status = websocket_handshake(&s->websocket, bytes, n, &used, answer);
    receive(s, bytes, used, 0);
    send_answer(s, answer);
    if (status == WEBSOCKET_ENDED) {
        socket_peer_left(s);
    } else if (status == WEBSOCKET_READY) {
        chardev_set_open(&s->parent, true);
    }
    return n;
}

static bool wants_input(CharSocket *s)
{
    return is_shaking_hands(s) || chardev_room(&s->parent);
}

static void stop_input(CharSocket *s)
{
    if (s->input_source) {
        g_source_destroy(s->input_source);
        g_clear_pointer(&s->input_source, g_source_unref);
    }
    g_clear_pointer(&s->input_context, g_main_context_unref);
    s->input_condition = 0;
}

static bool read_some(CharSocket *s)
{
    uint8_t bytes[CHAR_CHUNK_BYTES];
    ssize_t n;

    if (is_shaking_hands(s)) {
        n = shake_hands(s);
    } else {
        n = receive(s, bytes, chardev_room(&s->parent), 0);
        if (n > 0) {
            deliver(s, bytes, n);
        }
    }
    return n > 0 || (n < 0 && errno == EAGAIN);
}

/* What the peer sent before it left will be wanted, once there is room. */
static bool has_unread(const CharSocket *s)
{
    const CharFrontend *fe = s->parent.frontend;
    int bytes = 0;

    return fe && fe->handlers && fe->handlers->read && fe->is_open &&
           (ioctl(s->fd, FIONREAD, &bytes) < 0 || bytes);
}

static gboolean input_ready(int fd, GIOCondition condition, void *opaque)
{
    CharSocket *s = opaque;
    GSource *source = s->input_source;

    object_ref(s);
    if (wants_input(s)) {
        if (!read_some(s)) {
            socket_peer_left(s);
        }
    } else if ((condition & (G_IO_HUP | G_IO_ERR)) && !has_unread(s)) {
        socket_peer_left(s);
    } else if (condition & (G_IO_HUP | G_IO_ERR)) {
        s->is_hung_up = true;
    }
    if (s->fd >= 0 && s->input_source == source) {
        socket_line_update(&s->parent);
    }
    object_unref(s);
    /* Whoever replaced or stopped the source has destroyed it. */
    return G_SOURCE_CONTINUE;
}

void socket_line_update(Chardev *chr)
{
    CharSocket *s = CHAR_SOCKET(chr);
    GIOCondition condition = G_IO_HUP | G_IO_ERR;

    if (s->fd >= 0 && wants_input(s)) {
        condition |= G_IO_IN;
    }
    if (s->input_source && s->input_context == chr->context && s->input_condition == condition &&
        !(s->is_hung_up && !(condition & G_IO_IN))) {
        return;
    }
    stop_input(s);
    /* A hang-up that was seen would be reported again and again. */
    if (s->fd < 0 || (s->is_hung_up && !(condition & G_IO_IN) && has_unread(s))) {
        return;
    }
    s->input_source = g_unix_fd_source_new(s->fd, condition);
    s->input_condition = condition;
    s->input_context = chr->context ? g_main_context_ref(chr->context) : NULL;
    g_source_set_callback(s->input_source, G_SOURCE_FUNC(input_ready), s, NULL);
    g_source_attach(s->input_source, chr->context);
}

/* --- output; under write_lock --- */

static ssize_t send_some(CharSocket *s, const uint8_t *bytes, size_t size)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(SOCKET_ADDRESS_FDS * sizeof(int))];
    } control = { 0 };
    struct iovec iov = { (void *)bytes, size };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;

    if (s->tx_fd_count) {
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(s->tx_fd_count * sizeof(int));
        control.head = (struct cmsghdr){ CMSG_LEN(s->tx_fd_count * sizeof(int)), SOL_SOCKET,
                                         SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.head), s->tx_fds, s->tx_fd_count * sizeof(int));
    }
    do {
        n = sendmsg(s->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        close_fds(s->tx_fds, &s->tx_fd_count);
    }
    if (n < 0) {
        /* Input sees that the peer is gone; till then nobody is there. */
        return errno == EAGAIN ? 0 : (ssize_t)size;
    }
    return n;
}

static gboolean flush_ready(int fd, GIOCondition condition, void *opaque);

/* Sends what is waiting; what remains goes when there is room. True when nothing remains. */
static bool flush(CharSocket *s)
{
    while (s->fd >= 0 && s->out->len) {
        ssize_t n = send_some(s, s->out->data, s->out->len);

        if (n == 0) {
            break;
        }
        g_byte_array_remove_range(s->out, 0, n);
    }
    if (s->out->len && !s->flush_source) {
        s->flush_source = g_unix_fd_source_new(s->fd, G_IO_OUT);
        g_source_set_callback(s->flush_source, G_SOURCE_FUNC(flush_ready), s, NULL);
        g_source_attach(s->flush_source, s->parent.context);
    } else if (!s->out->len && s->flush_source) {
        g_source_destroy(s->flush_source);
        g_clear_pointer(&s->flush_source, g_source_unref);
    }
    return !s->out->len;
}

static void flush_from_context(CharSocket *s)
{
    g_mutex_lock(&s->parent.write_lock);
    flush(s);
    g_mutex_unlock(&s->parent.write_lock);
}

static gboolean flush_ready(int fd, GIOCondition condition, void *opaque)
{
    flush_from_context(opaque);
    return G_SOURCE_CONTINUE;
}

ssize_t socket_line_write(Chardev *chr, const uint8_t *bytes, size_t size)
{
    CharSocket *s = CHAR_SOCKET(chr);

    if (s->fd < 0 || is_shaking_hands(s)) {
        return size;
    }
    if (!s->is_telnet && !s->is_websocket) {
        return send_some(s, bytes, size);
    }
    if (!flush(s)) {
        return 0;
    }
    size = MIN(size, CHAR_CHUNK_BYTES);
    if (s->is_telnet) {
        telnet_encode(bytes, size, s->out);
    } else {
        websocket_encode(bytes, size, s->out);
    }
    flush(s);
    return size;
}

GSource *socket_line_watch(Chardev *chr, GIOCondition condition)
{
    CharSocket *s = CHAR_SOCKET(chr);

    return s->fd >= 0 ? g_unix_fd_source_new(s->fd, condition) : NULL;
}

/* --- peers --- */

static void name_line(CharSocket *s)
{
    g_autofree char *bound = socket_address_show_bound(s->fd, s->addr, socket_protocol(s));
    g_autofree char *peer = socket_address_show_peer(s->fd);

    chardev_set_filename(&s->parent, g_strconcat(bound, s->is_server ? ",server=on" : "",
                                                 peer ? " <-> " : "", peer, NULL));
}

static bool is_unix_socket(int fd)
{
    int domain = 0;
    socklen_t size = sizeof(domain);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

void socket_line_open(CharSocket *s, int fd)
{
    int on = 1;

    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    if (s->is_nodelay) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    telnet_reset(&s->telnet);
    websocket_reset(&s->websocket);
    s->is_hung_up = false;
    s->is_failure_told = false;
    g_mutex_lock(&s->parent.write_lock);
    s->fd = fd;
    s->is_unix = is_unix_socket(fd);
    if (s->is_telnet) {
        telnet_greet(s->out);
        flush(s);
    }
    g_mutex_unlock(&s->parent.write_lock);
    name_line(s);
    if (!s->is_websocket) {
        chardev_set_open(&s->parent, true);
    }
    socket_line_update(&s->parent);
}

void socket_line_close(CharSocket *s)
{
    stop_input(s);
    g_mutex_lock(&s->parent.write_lock);
    if (s->flush_source) {
        g_source_destroy(s->flush_source);
        g_clear_pointer(&s->flush_source, g_source_unref);
    }
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    g_byte_array_set_size(s->out, 0);
    close_fds(s->rx_fds, &s->rx_fd_count);
    close_fds(s->tx_fds, &s->tx_fd_count);
    g_mutex_unlock(&s->parent.write_lock);
}
