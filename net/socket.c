/*
 * `socket`: the older way to name a wire, turned into what `stream` and `dgram` are made of.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/dgram.h"
#include "net/stream.h"

/* "[HOST]:PORT"; the host may stand in brackets. */
static bool parse(const char *text, SocketAddress *addr, Error **errp)
{
    const char *colon = strrchr(text, ':');
    size_t length = colon ? colon - text : 0;
    bool has_brackets = length > 1 && text[0] == '[' && text[length - 1] == ']';

    if (!colon || !colon[1]) {
        return error_set(errp, "host address '%s' doesn't contain ':' separating host from port",
                         text);
    }
    addr->type = SOCKET_ADDRESS_TYPE_INET;
    addr->u.inet.host = has_brackets ? g_strndup(text + 1, length - 2) : g_strndup(text, length);
    addr->u.inet.port = g_strdup(colon + 1);
    return true;
}

static bool add_line(const char *id, const char *text, bool is_server, Error **errp)
{
    g_autoptr(SocketAddress) addr = g_new0(SocketAddress, 1);
    StreamOptions options = { .id = id, .addr = addr, .is_server = is_server, .is_old = true };

    return parse(text, addr, errp) && stream_add(&options, errp);
}

static bool add_dgram(const char *id, const char *to, const char *from, Error **errp)
{
    g_autoptr(SocketAddress) remote = g_new0(SocketAddress, 1);
    g_autoptr(SocketAddress) local = from ? g_new0(SocketAddress, 1) : NULL;
    DgramOptions options = { .id = id, .remote = remote, .local = local, .is_old = true };

    return parse(to, remote, errp) && (!from || parse(from, local, errp)) &&
           dgram_add(&options, errp);
}

static bool is_group(const char *text)
{
    in_addr_t addr = inet_addr(text);

    return addr == INADDR_NONE || IN_MULTICAST(ntohl(addr));
}

/* Of a group `localaddr` is an interface's address, without a port. */
static bool add_group(const char *id, const NetdevSocketOptions *o, Error **errp)
{
    g_autofree char *group = g_strndup(o->mcast, strcspn(o->mcast, ":"));
    g_autofree char *interface = o->localaddr ? g_strconcat(o->localaddr, ":0", NULL) : NULL;

    if (!is_group(group)) {
        return error_set(errp, "specified mcastaddr %s does not contain a multicast address", group);
    }
    return add_dgram(id, o->mcast, interface, errp);
}

static bool add_fd(const char *id, const char *text, Error **errp)
{
    g_autoptr(SocketAddress) addr = g_new0(SocketAddress, 1);
    StreamOptions line = { .id = id, .addr = addr, .is_old = true };
    DgramOptions dgram = { .id = id, .local = addr, .is_old = true };
    int type = SOCK_STREAM;
    socklen_t size = sizeof(type);
    guint64 fd;

    addr->type = SOCKET_ADDRESS_TYPE_FD;
    addr->u.fd.str = g_strdup(text);
    if (g_ascii_string_to_unsigned(text, 10, 0, INT_MAX, &fd, NULL)) {
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
    }
    return type == SOCK_DGRAM ? dgram_add(&dgram, errp) : stream_add(&line, errp);
}

bool net_socket_open(const Netdev *netdev, Error **errp)
{
    const NetdevSocketOptions *o = &netdev->u.socket;

    if (!o->fd + !o->listen + !o->connect + !o->mcast + !o->udp != 4) {
        return error_set(errp, "exactly one of listen=, connect=, mcast= or udp= is required");
    }
    if (o->localaddr && !o->mcast && !o->udp) {
        return error_set(errp, "localaddr= is only valid with mcast= or udp=");
    }
    if (o->udp && !o->localaddr) {
        return error_set(errp, "localaddr= is mandatory with udp=");
    }
    return o->fd ? add_fd(netdev->id, o->fd, errp)
           : o->listen ? add_line(netdev->id, o->listen, true, errp)
           : o->connect ? add_line(netdev->id, o->connect, false, errp)
           : o->mcast ? add_group(netdev->id, o, errp)
           : add_dgram(netdev->id, o->udp, o->localaddr, errp);
}
