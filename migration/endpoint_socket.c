/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "migration/endpoint_socket.h"

/* A local name: its length counts, for abstract ones. */
typedef struct LocalName {
    struct sockaddr_un un;
    socklen_t size;
} LocalName;

static bool local_name(const UnixSocketAddress *address, LocalName *name, Error **errp)
{
    size_t length = strlen(address->path), at = address->abstract;

    *name = (LocalName){ .un.sun_family = AF_UNIX };
    if (!length) {
        return error_set(errp, "invalid Unix socket address");
    }
    if (length + at >= sizeof(name->un.sun_path)) {
        return error_set(errp, "UNIX socket path '%s' is too long", address->path);
    }
    memcpy(name->un.sun_path + at, address->path, length);
    name->size = address->abstract && (!address->has_tight || address->tight) ?
                     offsetof(struct sockaddr_un, sun_path) + at + length : sizeof(name->un);
    return true;
}

bool endpoint_socket_check(const SocketAddress *address, Error **errp)
{
    LocalName name;

    if (address->type == SOCKET_ADDRESS_TYPE_UNIX) {
        return local_name(&address->u.unix_, &name, errp);
    }
    return address->type == SOCKET_ADDRESS_TYPE_INET ||
           error_set(errp, "Migration over this kind of socket is not supported");
}

/* --- IP --- */

static int wanted_family(const InetSocketAddress *inet)
{
    bool only_4 = (inet->has_ipv4 && inet->ipv4) || (inet->has_ipv6 && !inet->ipv6);
    bool only_6 = (inet->has_ipv6 && inet->ipv6) || (inet->has_ipv4 && !inet->ipv4);

    return only_4 == only_6 ? AF_UNSPEC : only_4 ? AF_INET : AF_INET6;
}

static struct addrinfo *resolve(const InetSocketAddress *inet, bool is_passive, Error **errp)
{
    struct addrinfo hints = {
        .ai_family = wanted_family(inet), .ai_socktype = SOCK_STREAM,
        .ai_flags = (is_passive ? AI_PASSIVE : 0) |
                    (inet->numeric ? AI_NUMERICHOST | AI_NUMERICSERV : 0),
    };
    struct addrinfo *list = NULL;
    int failure = getaddrinfo(*inet->host || !is_passive ? inet->host : NULL, inet->port, &hints,
                              &list);

    if (failure) {
        error_set(errp, "address resolution failed for %s:%s: %s", inet->host, inet->port,
                  gai_strerror(failure));
        return NULL;
    }
    return list;
}

static int open_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int bind_and_listen(const struct addrinfo *at)
{
    int fd = open_socket(at->ai_family), on = 1, err;

    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (!bind(fd, at->ai_addr, at->ai_addrlen) && !listen(fd, 1)) {
        return fd;
    }
    err = errno;
    close(fd);
    errno = err;
    return -1;
}

static void set_port(struct sockaddr *address, int port)
{
    if (address->sa_family == AF_INET6) {
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
    } else {
        ((struct sockaddr_in *)address)->sin_port = htons(port);
    }
}

static int get_port(const struct sockaddr *address)
{
    return ntohs(address->sa_family == AF_INET6 ? ((struct sockaddr_in6 *)address)->sin6_port :
                                                  ((struct sockaddr_in *)address)->sin_port);
}

static int listen_inet(const InetSocketAddress *inet, Error **errp)
{
    struct addrinfo *list = resolve(inet, true, errp);
    int fd = -1, err = EADDRNOTAVAIL;

    if (!list) {
        return -1;
    }
    for (struct addrinfo *at = list; at && fd < 0; at = at->ai_next) {
        int port = get_port(at->ai_addr), last = inet->has_to ? MAX(inet->to, port) : port;

        for (; port <= last && fd < 0; port++) {
            set_port(at->ai_addr, port);
            fd = bind_and_listen(at);
            err = fd < 0 ? errno : 0;
        }
    }
    freeaddrinfo(list);
    if (fd < 0) {
        error_set_errno(errp, err, "Failed to listen at '%s:%s'", inet->host, inet->port);
    }
    return fd;
}

/* --- local --- */

static int listen_local(const UnixSocketAddress *address, Error **errp)
{
    LocalName name;
    int fd;

    if (!local_name(address, &name, errp)) {
        return -1;
    }
    fd = open_socket(AF_UNIX);
    if (fd < 0) {
        error_set_errno(errp, errno, "Failed to create a socket");
        return -1;
    }
    if (!address->abstract) {
        unlink(address->path); /* left behind by a process that was killed */
    }
    if (bind(fd, (struct sockaddr *)&name.un, name.size) || listen(fd, 1)) {
        error_set_errno(errp, errno, "Failed to bind socket to %s", address->path);
        close(fd);
        return -1;
    }
    return fd;
}

void endpoint_socket_unlink(const SocketAddress *address)
{
    if (address->type == SOCKET_ADDRESS_TYPE_UNIX && !address->u.unix_.abstract) {
        unlink(address->u.unix_.path);
    }
}

int endpoint_socket_listen(const SocketAddress *address, Error **errp)
{
    if (!endpoint_socket_check(address, errp)) {
        return -1;
    }
    return address->type == SOCKET_ADDRESS_TYPE_INET ? listen_inet(&address->u.inet, errp) :
                                                       listen_local(&address->u.unix_, errp);
}

static bool name_inet(SocketAddress *name, struct sockaddr *address, socklen_t size)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getnameinfo(address, size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV)) {
        return false;
    }
    name->type = SOCKET_ADDRESS_TYPE_INET;
    name->u.inet.host = g_strdup(host);
    name->u.inet.port = g_strdup(port);
    return true;
}

static bool name_local(SocketAddress *name, const struct sockaddr_un *un, socklen_t size)
{
    size_t room = size - MIN(size, offsetof(struct sockaddr_un, sun_path));
    bool is_abstract = room && !un->sun_path[0];

    name->type = SOCKET_ADDRESS_TYPE_UNIX;
    name->u.unix_.path = g_strndup(un->sun_path + is_abstract, room - is_abstract);
    name->u.unix_.has_abstract = name->u.unix_.abstract = is_abstract;
    return true;
}

SocketAddress *endpoint_socket_name(int fd)
{
    g_autoptr(SocketAddress) name = g_new0(SocketAddress, 1);
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);

    name->type = SOCKET_ADDRESS_TYPE_UNIX;
    if (getsockname(fd, (struct sockaddr *)&address, &size)) {
        return NULL;
    }
    if (address.ss_family == AF_INET || address.ss_family == AF_INET6) {
        return name_inet(name, (struct sockaddr *)&address, size) ? g_steal_pointer(&name) : NULL;
    }
    return address.ss_family == AF_UNIX &&
                   name_local(name, (struct sockaddr_un *)&address, size) ?
               g_steal_pointer(&name) : NULL;
}

/* --- connecting --- */

/* False with errno set; with *is_cancelled, *errp is set. */
static bool connect_one(int fd, const struct sockaddr *address, socklen_t size,
                        MigrationStream *stream, bool *is_cancelled, Error **errp)
{
    int failure = 0;
    socklen_t length = sizeof(failure);

    if (!connect(fd, address, size)) {
        return true;
    }
    if (errno != EINPROGRESS && errno != EINTR) {
        return false;
    }
    if (!migration_stream_wait(stream, fd, G_IO_OUT, errp)) {
        *is_cancelled = true;
        return false;
    }
    if (!getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &length)) {
        errno = failure;
    }
    return !failure;
}

/* -1 with errno set, or with *is_cancelled. */
static int connect_to(int family, const struct sockaddr *address, socklen_t size,
                      MigrationStream *stream, bool *is_cancelled, Error **errp)
{
    int fd = open_socket(family), err;

    if (fd >= 0 && !connect_one(fd, address, size, stream, is_cancelled, errp)) {
        err = errno;
        close(fd);
        errno = err;
        return -1;
    }
    return fd;
}

static int connect_inet(const InetSocketAddress *inet, MigrationStream *stream,
                        bool *is_cancelled, Error **errp)
{
    struct addrinfo *list = resolve(inet, false, errp);
    int fd = -1, on = 1;

    if (!list) {
        *is_cancelled = true;
        return -1;
    }
    for (struct addrinfo *at = list; at && fd < 0 && !*is_cancelled; at = at->ai_next) {
        fd = connect_to(at->ai_family, at->ai_addr, at->ai_addrlen, stream, is_cancelled, errp);
    }
    if (fd >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (inet->keep_alive) {
            setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        }
    }
    on = errno;
    freeaddrinfo(list);
    errno = on;
    return fd;
}

bool endpoint_socket_connect(const SocketAddress *address, MigrationStream *stream, Error **errp)
{
    bool has_error = false;
    LocalName name;
    int fd;

    if (address->type == SOCKET_ADDRESS_TYPE_INET) {
        fd = connect_inet(&address->u.inet, stream, &has_error, errp);
    } else if (local_name(&address->u.unix_, &name, errp)) {
        fd = connect_to(AF_UNIX, (struct sockaddr *)&name.un, name.size, stream, &has_error, errp);
    } else {
        return false;
    }
    if (fd >= 0) {
        migration_stream_attach(stream, fd);
        return true;
    }
    if (has_error) {
        return false;
    }
    return error_set_errno(errp, errno, "Failed to connect to '%s%s%s'",
                           address->type == SOCKET_ADDRESS_TYPE_INET ? address->u.inet.host :
                                                                       address->u.unix_.path,
                           address->type == SOCKET_ADDRESS_TYPE_INET ? ":" : "",
                           address->type == SOCKET_ADDRESS_TYPE_INET ? address->u.inet.port : "");
}
