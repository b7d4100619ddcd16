/*
 * A wire over a connection: each frame is preceded by its length, four bytes, the highest first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/stream.h"

#include <arpa/inet.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "qapi/qapi-events-net.h"
#include "sockets/socket_address.h"
#include "util/event_loop.h"
#include "util/thread_pool.h"

#define LENGTH_BYTES 4
#define IN_BYTES     (LENGTH_BYTES + NET_FRAME_MAX)
#define BURST_BYTES  (64 * 1024) /* that are collected before they are written */

typedef struct Attempt Attempt;

typedef struct Stream {
    NetEnd end;
    SocketAddress *addr;
    bool is_server, is_old;
    unsigned reconnect_ms;
    int listener;         /* -1: a client */
    FdWatch *listening;   /* NULL: somebody is there */
    Attempt *attempt;     /* a connection that is being made */
    GSource *retry;
    char *problem;        /* why there is none */
    int fd;               /* -1: nobody is there */
    FdWatch *watch;
    uint8_t *in;          /* IN_BYTES */
    size_t in_at, in_end; /* of what came and is not yet sent on */
    bool is_held;         /* the device told us to wait */
    GByteArray *out;      /* what could not be written yet, or of a burst is not to be yet */
    bool is_full, is_burst;
} Stream;

struct Attempt {
    Stream *stream; /* NULL: it is gone */
    SocketAddress *addr;
    int fd;
    Error *err;
};

static void next_peer(Stream *s);

static void watch_more(Stream *s)
{
    fd_watch_set_events(s->watch, (s->is_held ? 0 : G_IO_IN) | (s->is_full ? G_IO_OUT : 0));
}

static void hang_up(Stream *s)
{
    g_clear_pointer(&s->watch, fd_watch_free);
    close(s->fd);
    s->fd = -1;
    s->in_at = s->in_end = 0;
    s->is_held = s->is_full = false;
    g_byte_array_set_size(s->out, 0);
    net_drop_waiting(&s->end.ports[0]);
    s->end.ports[0].has_told_wait = false;
    if (!s->is_old) {
        qapi_event_send_netdev_stream_disconnected(s->end.name);
    }
    next_peer(s);
}

/* --- from the wire --- */

/* Length of the frame at the front, 0 while it is not all there; -1: it cannot be right. */
static ssize_t next_frame(const Stream *s)
{
    size_t have = s->in_end - s->in_at;
    uint32_t bytes;

    if (have < LENGTH_BYTES) {
        return 0;
    }
    memcpy(&bytes, s->in + s->in_at, LENGTH_BYTES);
    bytes = ntohl(bytes);
    if (!bytes || bytes > NET_FRAME_MAX) {
        return -1;
    }
    return have - LENGTH_BYTES >= bytes ? (ssize_t)bytes : 0;
}

/* False: nothing more can be made of what comes. */
static bool pass_on(Stream *s)
{
    ssize_t bytes = 0;
    bool has_begun;

    has_begun = net_burst_begin(&s->end.ports[0]);
    while (!s->is_held && (bytes = next_frame(s)) > 0) {
        uint8_t *frame = s->in + s->in_at + LENGTH_BYTES;

        s->in_at += LENGTH_BYTES + bytes;
        s->is_held = net_send_bytes(&s->end.ports[0], frame, bytes) == NET_WAIT;
    }
    net_burst_end(&s->end.ports[0], has_begun);
    if (s->in_at) {
        memmove(s->in, s->in + s->in_at, s->in_end - s->in_at);
        s->in_end -= s->in_at;
        s->in_at = 0;
    }
    return bytes >= 0;
}

static void read_some(Stream *s)
{
    ssize_t got = recv(s->fd, s->in + s->in_end, IN_BYTES - s->in_end, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got > 0) {
        s->in_end += got;
        if (pass_on(s)) {
            watch_more(s);
            return;
        }
        warn_report("netdev %s: the other end sent a frame of an impossible size", s->end.name);
    }
    hang_up(s);
}

static void stream_go_on(NetPort *port)
{
    Stream *s = (Stream *)port->end;

    if (s->fd < 0) {
        return;
    }
    s->is_held = false;
    if (pass_on(s)) {
        watch_more(s);
    } else {
        hang_up(s);
    }
}

/* --- to the wire --- */

/* Bytes written; 0 when there is no room, or the line broke, which reading tells. */
static size_t write_some(Stream *s, const struct iovec *iov, unsigned count)
{
    struct msghdr message = { .msg_iov = (struct iovec *)iov, .msg_iovlen = count };
    ssize_t done = sendmsg(s->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

    return MAX(done, 0);
}

static void keep_rest(Stream *s, const struct iovec *iov, unsigned count, size_t done)
{
    for (unsigned n = 0; n < count; n++) {
        size_t skip = MIN(done, iov[n].iov_len);

        g_byte_array_append(s->out, (const uint8_t *)iov[n].iov_base + skip,
                            iov[n].iov_len - skip);
        done -= skip;
    }
}

static void write_out(Stream *s)
{
    struct iovec rest = { s->out->data, s->out->len };
    size_t done = write_some(s, &rest, 1);

    if (done) {
        g_byte_array_remove_range(s->out, 0, done);
    }
    if (s->is_full != (s->out->len > 0)) {
        s->is_full = s->out->len;
        watch_more(s);
    }
}

static NetResult stream_receive(NetPort *port, const NetFrame *frame)
{
    Stream *s = (Stream *)port->end;
    uint32_t length = htonl(frame->bytes);
    struct iovec *iov;
    size_t done = 0;

    if (s->fd < 0) {
        return NET_DONE;
    }
    if (s->is_full) {
        return NET_WAIT;
    }
    iov = g_newa(struct iovec, frame->count + 1);
    iov[0] = (struct iovec){ &length, LENGTH_BYTES };
    memcpy(iov + 1, frame->iov, frame->count * sizeof(*iov));
    if (!s->is_burst) {
        done = write_some(s, iov, frame->count + 1);
    }
    if (done < LENGTH_BYTES + frame->bytes) {
        keep_rest(s, iov, frame->count + 1, done);
        if (!s->is_burst || s->out->len >= BURST_BYTES) {
            write_out(s);
        }
    }
    return NET_DONE;
}

static void stream_burst(NetPort *port, bool is_on)
{
    Stream *s = (Stream *)port->end;

    s->is_burst = is_on;
    if (!is_on && s->fd >= 0 && s->out->len && !s->is_full) {
        write_out(s);
    }
}

static void line_ready(void *opaque, GIOCondition events)
{
    Stream *s = opaque;

    if (events & G_IO_OUT) {
        write_out(s);
        if (!s->is_full) {
            net_ready(&s->end.ports[0]);
        }
    }
    if (s->fd >= 0 && events & (G_IO_IN | G_IO_HUP | G_IO_ERR)) {
        read_some(s);
    }
}

/* --- who is there --- */

static void tell_connected(Stream *s)
{
    g_autoptr(SocketAddress) addr = socket_address_of_peer(s->fd);

    if (!s->is_old) {
        qapi_event_send_netdev_stream_connected(s->end.name, addr ? addr : s->addr);
    }
}

static void start(Stream *s, int fd)
{
    int on = 1;

    s->fd = fd;
    g_clear_pointer(&s->problem, g_free);
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    s->watch = fd_watch_new(event_loop_main(), fd, G_IO_IN, line_ready, s);
    tell_connected(s);
}

static void client_comes(void *opaque, GIOCondition events)
{
    Stream *s = opaque;
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0) {
        g_clear_pointer(&s->listening, fd_watch_free);
        start(s, fd);
    }
}

static int attempt_run(void *opaque)
{
    Attempt *a = opaque;

    a->fd = socket_address_connect(a->addr, &a->err);
    return 0;
}

static void attempt_done(void *opaque, int result)
{
    Attempt *a = opaque;
    Stream *s = a->stream;

    if (s) {
        s->attempt = NULL;
        if (a->fd >= 0) {
            start(s, a->fd);
        } else {
            g_free(s->problem);
            s->problem = g_strdup("connection error");
            next_peer(s);
        }
    } else if (a->fd >= 0) {
        close(a->fd);
    }
    error_free(a->err);
    socket_address_free(a->addr);
    g_free(a);
}

static void connect_now(void *opaque)
{
    Stream *s = opaque;
    Attempt *a = g_new0(Attempt, 1);

    s->retry = NULL;
    a->stream = s;
    a->addr = socket_address_clone(s->addr);
    a->fd = -1;
    s->attempt = a;
    thread_pool_submit(thread_pool_of(event_loop_main()), attempt_run, attempt_done, a);
}

static void next_peer(Stream *s)
{
    if (s->listener >= 0) {
        s->listening = fd_watch_new(event_loop_main(), s->listener, G_IO_IN, client_comes, s);
    } else if (s->reconnect_ms) {
        s->retry = event_loop_defer_ms(event_loop_main(), s->reconnect_ms, connect_now, s);
    }
}

/* --- life --- */

static char *describe_old(const Stream *s)
{
    g_autofree char *peer = s->fd >= 0 ? socket_address_show_peer(s->fd) : NULL;

    if (s->fd < 0) {
        return g_strdup("");
    }
    return peer ? g_strdup_printf("socket: connect%s %s", s->is_server ? "ion from" : " to", peer)
                : g_strdup_printf("socket: fd=%d", s->fd);
}

static char *stream_describe(NetEnd *end)
{
    Stream *s = (Stream *)end;
    g_autofree char *peer = NULL;

    if (s->is_old) {
        return describe_old(s);
    }
    if (s->fd < 0) {
        return g_strdup(s->is_server ? "listening" : s->problem ? s->problem : "connecting");
    }
    peer = socket_address_show_peer(s->fd);
    if (peer) {
        return g_strdup_printf("tcp:%s", peer);
    }
    return s->addr->type == SOCKET_ADDRESS_TYPE_FD ? g_strdup("unix:")
                                                    : socket_address_show(s->addr, "tcp");
}

static void stream_free(NetEnd *end)
{
    Stream *s = (Stream *)end;

    fd_watch_free(s->watch);
    fd_watch_free(s->listening);
    if (s->retry) {
        g_source_destroy(s->retry);
    }
    if (s->attempt) {
        s->attempt->stream = NULL;
    }
    if (s->fd >= 0) {
        close(s->fd);
    }
    if (s->listener >= 0) {
        const char *path = socket_address_file(s->addr);

        close(s->listener);
        if (path) {
            unlink(path);
        }
    }
    g_byte_array_unref(s->out);
    g_free(s->in);
    g_free(s->problem);
    socket_address_free(s->addr);
    g_free(s);
}

static const NetOps stream_ops = {
    .receive = stream_receive, .burst = stream_burst, .go_on = stream_go_on, .describe = stream_describe,
    .free = stream_free,
};

/* An open socket that is no listener is a line already, whatever side we are. */
static bool is_connected(int fd)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof(name);

    return getpeername(fd, (struct sockaddr *)&name, &size) == 0;
}

static bool open_line(const StreamOptions *options, int *fd, int *listener, Error **errp)
{
    *fd = *listener = -1;
    if (options->addr->type == SOCKET_ADDRESS_TYPE_FD) {
        *fd = socket_address_take_fd(options->addr->u.fd.str, errp);
        if (*fd < 0 || is_connected(*fd)) {
            return *fd >= 0;
        }
        *listener = *fd;
        *fd = -1;
        return listen(*listener, 1) == 0 ||
               error_set_errno(errp, errno, "can't listen on socket");
    }
    *listener = options->is_server ? socket_address_listen(options->addr, errp) : -1;
    return *listener >= 0 || !options->is_server;
}

bool stream_add(const StreamOptions *options, Error **errp)
{
    Stream *s;
    int fd, listener;

    if (!open_line(options, &fd, &listener, errp)) {
        if (listener >= 0) {
            close(listener);
        }
        return false;
    }
    s = g_new0(Stream, 1);
    s->addr = socket_address_clone(options->addr);
    s->is_server = options->is_server;
    s->is_old = options->is_old;
    s->reconnect_ms = options->reconnect_ms;
    s->fd = -1;
    s->listener = listener;
    s->in = g_malloc(IN_BYTES);
    s->out = g_byte_array_new();
    net_backend_add(&s->end, &stream_ops, options->is_old ? "socket" : "stream", options->id, 1);
    if (fd >= 0) {
        start(s, fd);
    } else if (listener >= 0) {
        g_unix_set_fd_nonblocking(listener, TRUE, NULL);
        next_peer(s);
    } else {
        connect_now(s);
    }
    return true;
}

bool net_stream_open(const Netdev *netdev, Error **errp)
{
    const NetdevStreamOptions *o = &netdev->u.stream;
    StreamOptions options = { .id = netdev->id, .addr = o->addr, .is_server = o->server };

    if (o->has_reconnect && o->has_reconnect_ms) {
        return error_set(errp, "'reconnect' and 'reconnect-ms' are mutually exclusive");
    }
    options.reconnect_ms = o->has_reconnect_ms ? o->reconnect_ms : o->reconnect * 1000;
    if (options.reconnect_ms && o->server) {
        return error_set(errp, "'reconnect' option is incompatible with socket in server mode");
    }
    return stream_add(&options, errp);
}
