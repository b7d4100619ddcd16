/*
 * A wire of datagrams, each a frame: between two addresses, or in a multicast group. Over UDP the
 * kernel is given frames of one size, of a burst, at once, and gives them so (segments, udp(7)).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/dgram.h"

#include <arpa/inet.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include "sockets/socket_address.h"
#include "util/event_loop.h"

#define MAX_AT_ONCE   64 /* datagrams, before others have their turn */
#define MAX_SEGMENTS  64 /* that the kernel takes, and bytes */
#define MAX_SEGMENTED 65000

/* Frames that go out together: all but the last are of one size. */
typedef struct Segments {
    unsigned count;
    size_t each, bytes;
    uint8_t data[MAX_SEGMENTED];
} Segments;

/* A control message with one number. */
typedef union SegmentControl {
    struct cmsghdr head;
    uint8_t bytes[CMSG_SPACE(sizeof(int))];
} SegmentControl;

typedef struct Dgram {
    NetEnd end;
    char *detail;       /* as "info network" shows it */
    char *unlink_path;
    int fd;
    FdWatch *watch;
    bool has_remote;    /* else the socket is connected */
    SocketName remote;
    bool is_held, is_full, is_burst;
    size_t max_segment; /* that the kernel may cut out; 0: none */
    Segments *out;      /* of a burst; NULL: this is no UDP */
    uint8_t frame[NET_FRAME_MAX];
} Dgram;

static void watch_more(Dgram *s)
{
    fd_watch_set_events(s->watch, (s->is_held ? 0 : G_IO_IN) | (s->is_full ? G_IO_OUT : 0));
}

/* --- to the wire --- */

/* 0, or errno. EAGAIN: there is no room now. */
static int put(Dgram *s, const struct iovec *iov, unsigned count, size_t segment)
{
    SegmentControl control = { .head = { CMSG_LEN(sizeof(uint16_t)), SOL_UDP, UDP_SEGMENT } };
    uint16_t each = segment;
    struct msghdr message = {
        .msg_name = s->has_remote ? &s->remote.name : NULL,
        .msg_namelen = s->has_remote ? s->remote.size : 0,
        .msg_iov = (struct iovec *)iov, .msg_iovlen = count,
        .msg_control = segment ? &control : NULL,
        .msg_controllen = segment ? CMSG_SPACE(sizeof(each)) : 0,
    };
    ssize_t done;

    memcpy(CMSG_DATA(&control.head), &each, sizeof(each));
    do {
        done = sendmsg(s->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (done < 0 && errno == EINTR);
    return done < 0 ? errno : 0;
}

static bool must_wait(Dgram *s, int error)
{
    if (error != EAGAIN) {
        return false; /* or nobody is there: lost, as on any wire */
    }
    s->is_full = true;
    watch_more(s);
    return true;
}

/* The first `bytes` are out. */
static void drop_front(Segments *out, size_t bytes)
{
    memmove(out->data, out->data + bytes, out->bytes - bytes);
    out->bytes -= bytes;
    out->count--;
}

/* False: there is no room. */
static bool put_each(Dgram *s)
{
    while (s->out->count) {
        struct iovec piece = { s->out->data, MIN(s->out->each, s->out->bytes) };

        if (must_wait(s, put(s, &piece, 1, 0))) {
            return false;
        }
        drop_front(s->out, piece.iov_len);
    }
    return true;
}

/* False: there is no room for what was kept. */
static bool flush(Dgram *s)
{
    Segments *out = s->out;
    struct iovec whole = { out->data, out->bytes };
    int error;

    if (out->count < 2) {
        return put_each(s);
    }
    error = put(s, &whole, 1, out->each);
    if (must_wait(s, error)) {
        return false;
    }
    if (error == EINVAL || error == EMSGSIZE || error == EIO) {
        /* Larger than the way there takes whole; or it cannot do that at all. */
        s->max_segment = error == EIO ? 0 : out->each - 1;
        return put_each(s);
    }
    out->count = out->bytes = 0;
    return true;
}

static void keep(Segments *out, const NetFrame *frame)
{
    out->each = out->count ? out->each : frame->bytes;
    for (unsigned n = 0; n < frame->count; n++) {
        memcpy(out->data + out->bytes, frame->iov[n].iov_base, frame->iov[n].iov_len);
        out->bytes += frame->iov[n].iov_len;
    }
    out->count++;
}

static bool fits(const Segments *out, size_t bytes)
{
    return !out->count || (out->bytes == out->count * out->each && bytes <= out->each &&
                           out->count < MAX_SEGMENTS && out->bytes + bytes <= MAX_SEGMENTED);
}

static NetResult dgram_receive(NetPort *port, const NetFrame *frame)
{
    Dgram *s = (Dgram *)port->end;
    bool may_keep = s->is_burst && frame->bytes && frame->bytes <= s->max_segment;

    if (s->is_full) {
        return NET_WAIT;
    }
    if (s->out && s->out->count && !(may_keep && fits(s->out, frame->bytes)) && !flush(s)) {
        return NET_WAIT;
    }
    if (may_keep && frame->bytes <= s->max_segment) {
        keep(s->out, frame);
        return NET_DONE;
    }
    return must_wait(s, put(s, frame->iov, frame->count, 0)) ? NET_WAIT : NET_DONE;
}

static void dgram_burst(NetPort *port, bool is_on)
{
    Dgram *s = (Dgram *)port->end;

    s->is_burst = is_on;
    if (!is_on && s->out && s->out->count && !s->is_full) {
        flush(s);
    }
}

/* --- from the wire --- */

/* Bytes that came, and of how many each frame is but the last; -1: there is nothing. */
static ssize_t get(Dgram *s, size_t *each)
{
    struct iovec piece = { s->frame, sizeof(s->frame) };
    SegmentControl control;
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    ssize_t got = recvmsg(s->fd, &message, MSG_DONTWAIT);
    struct cmsghdr *head = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    int segment = 0;

    if (head && head->cmsg_level == SOL_UDP && head->cmsg_type == UDP_GRO) {
        memcpy(&segment, CMSG_DATA(head), sizeof(segment));
    }
    *each = segment > 0 ? segment : MAX(got, 1);
    return got;
}

/* What the device does not take at once waits for it: net_send() keeps it. */
static void pass_on(Dgram *s, size_t bytes, size_t each)
{
    for (size_t at = 0; at < bytes; at += each) {
        s->is_held = net_send_bytes(&s->end.ports[0], s->frame + at, MIN(each, bytes - at)) ==
                     NET_WAIT;
    }
}

static void read_some(Dgram *s)
{
    bool has_begun = net_burst_begin(&s->end.ports[0]);
    for (unsigned n = 0; n < MAX_AT_ONCE && !s->is_held; n++) {
        size_t each;
        ssize_t got = get(s, &each);

        if (got < 0) {
            break;
        }
        pass_on(s, got, each);
    }
    net_burst_end(&s->end.ports[0], has_begun);
}

static void line_ready(void *opaque, GIOCondition events)
{
    Dgram *s = opaque;

    if (events & G_IO_OUT && s->is_full) {
        s->is_full = false;
        if (!s->out || flush(s)) {
            net_ready(&s->end.ports[0]);
        }
    }
    if (events & (G_IO_IN | G_IO_ERR)) {
        read_some(s);
    }
    watch_more(s);
}

static void dgram_go_on(NetPort *port)
{
    Dgram *s = (Dgram *)port->end;

    s->is_held = false;
    watch_more(s);
}

static char *dgram_describe(NetEnd *end)
{
    return g_strdup(((Dgram *)end)->detail);
}

static void dgram_free(NetEnd *end)
{
    Dgram *s = (Dgram *)end;

    fd_watch_free(s->watch);
    if (s->fd >= 0) {
        close(s->fd);
    }
    if (s->unlink_path) {
        unlink(s->unlink_path);
    }
    g_free(s->unlink_path);
    g_free(s->detail);
    g_free(s->out);
    g_free(s);
}

static const NetOps dgram_ops = {
    .receive = dgram_receive, .burst = dgram_burst, .go_on = dgram_go_on, .describe = dgram_describe,
    .free = dgram_free,
};

/* --- sockets --- */

static int fail(int fd, Error **errp, const char *what)
{
    int err = errno;

    if (fd >= 0) {
        close(fd);
    }
    error_set_errno(errp, err, "%s", what);
    return -1;
}

static bool is_group(const SocketName *name)
{
    const struct sockaddr_in *ip = (const struct sockaddr_in *)&name->name;

    return ip->sin_family == AF_INET && IN_MULTICAST(ntohl(ip->sin_addr.s_addr));
}

/* Receives what anybody sends to the group, and ourselves on this host. */
static int open_group(const SocketName *group, const SocketName *interface, Error **errp)
{
    const struct sockaddr_in *to = (const struct sockaddr_in *)&group->name;
    struct ip_mreq join = { .imr_multiaddr = to->sin_addr };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

    if (interface) {
        join.imr_interface = ((const struct sockaddr_in *)&interface->name)->sin_addr;
    }
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        bind(fd, (const struct sockaddr *)to, sizeof(*to))) {
        return fail(fd, errp, "can't bind to the multicast group");
    }
    if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)) ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof(on)) ||
        (interface && setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &join.imr_interface,
                                 sizeof(join.imr_interface)))) {
        return fail(fd, errp, "can't join the multicast group");
    }
    return fd;
}

static int open_bound(const SocketName *local, Error **errp)
{
    int fd = socket(local->name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0) {
        return fail(fd, errp, "can't create datagram socket");
    }
    if (local->name.ss_family != AF_UNIX) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    }
    if (bind(fd, (const struct sockaddr *)&local->name, local->size)) {
        return fail(fd, errp, "can't bind the local address");
    }
    return fd;
}

static bool is_local_kind(const SocketAddress *addr, SocketAddressType type)
{
    return addr && addr->type == type;
}

static int open_group_of(Dgram *s, const DgramOptions *o, Error **errp)
{
    g_autofree char *group = socket_address_show_name(&s->remote);
    SocketName interface;

    s->detail = g_strdup_printf("%smcast=%s", o->is_old ? "socket: " : "", group);
    if (is_local_kind(o->local, SOCKET_ADDRESS_TYPE_FD)) {
        return socket_address_take_fd(o->local->u.fd.str, errp);
    }
    if (o->local && !is_local_kind(o->local, SOCKET_ADDRESS_TYPE_INET)) {
        error_set(errp, "can't use this kind of local address with multicast");
        return -1;
    }
    if (o->local && !socket_address_name(o->local, true, &interface, errp)) {
        return -1;
    }
    return open_group(&s->remote, o->local ? &interface : NULL, errp);
}

static char *describe_pair(const DgramOptions *o, const SocketName *local,
                           const SocketName *remote)
{
    g_autofree char *from = socket_address_show_name(local);
    g_autofree char *to = socket_address_show_name(remote);

    if (!to) {
        return g_strdup_printf("unix=%s:%s", o->local->u.unix_.path, o->remote->u.unix_.path);
    }
    return o->is_old ? g_strdup_printf("socket: udp=%s", to)
                     : g_strdup_printf("udp=%s/%s", from, to);
}

static int open_pair(Dgram *s, const DgramOptions *o, Error **errp)
{
    SocketName local;
    const char *path = socket_address_file(o->local);
    int fd;

    if (o->local->type != o->remote->type) {
        error_set(errp, "local and remote addresses must be of one kind");
        return -1;
    }
    if (!socket_address_name(o->local, true, &local, errp)) {
        return -1;
    }
    if (path) {
        unlink(path); /* left behind by a process that was killed */
    }
    fd = open_bound(&local, errp);
    if (fd >= 0) {
        s->unlink_path = g_strdup(path);
        s->detail = describe_pair(o, &local, &s->remote);
    }
    return fd;
}

static int open_fd(Dgram *s, const DgramOptions *o, Error **errp)
{
    int fd, domain = 0;
    socklen_t size = sizeof(domain);

    if (o->remote) {
        error_set(errp, "don't set remote with local.fd");
        return -1;
    }
    fd = socket_address_take_fd(o->local->u.fd.str, errp);
    if (fd >= 0) {
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
        s->detail = g_strdup_printf("fd=%d%s", fd, domain == AF_UNIX ? " unix" : "");
    }
    return fd;
}

static int open_socket(Dgram *s, const DgramOptions *o, Error **errp)
{
    if (o->remote && o->remote->type == SOCKET_ADDRESS_TYPE_FD) {
        error_set(errp, "remote can't be a descriptor");
        return -1;
    }
    if (o->remote && !socket_address_name(o->remote, false, &s->remote, errp)) {
        return -1;
    }
    s->has_remote = o->remote;
    if (o->remote && is_group(&s->remote)) {
        return open_group_of(s, o, errp);
    }
    if (!o->local) {
        error_set(errp, "dgram requires local= parameter");
        return -1;
    }
    if (o->local->type == SOCKET_ADDRESS_TYPE_FD) {
        return open_fd(s, o, errp);
    }
    if (!o->remote) {
        error_set(errp, "type=inet or type=unix requires remote parameter");
        return -1;
    }
    return open_pair(s, o, errp);
}

/* Kernels without segments say so; others take those that the way there takes whole. */
static void use_segments(Dgram *s)
{
    int size = 0, on = 1;
    socklen_t bytes = sizeof(size);

    if (getsockopt(s->fd, SOL_UDP, UDP_SEGMENT, &size, &bytes) == 0) {
        s->out = g_new0(Segments, 1);
        s->max_segment = MAX_SEGMENTED / 2;
        setsockopt(s->fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
    }
}

bool dgram_add(const DgramOptions *options, Error **errp)
{
    Dgram *s = g_new0(Dgram, 1);

    s->fd = open_socket(s, options, errp);
    if (s->fd < 0) {
        dgram_free(&s->end);
        return false;
    }
    g_unix_set_fd_nonblocking(s->fd, TRUE, NULL);
    use_segments(s);
    net_backend_add(&s->end, &dgram_ops, options->is_old ? "socket" : "dgram", options->id, 1);
    s->watch = fd_watch_new(event_loop_main(), s->fd, G_IO_IN, line_ready, s);
    return true;
}

bool net_dgram_open(const Netdev *netdev, Error **errp)
{
    const NetdevDgramOptions *o = &netdev->u.dgram;
    DgramOptions options = { .id = netdev->id, .local = o->local, .remote = o->remote };

    return dgram_add(&options, errp);
}
