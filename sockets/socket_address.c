/*
 * Sockets by address: see sockets/socket_address.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "sockets/socket_address.h"

#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "util/fd_names.h"

#define BACKLOG 1

typedef union AnyAddress {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_un local;
    struct sockaddr_vm vm;
    struct sockaddr_storage room;
} AnyAddress;

static int fail(int fd, Error **errp, const char *what, const char *where)
{
    int err = errno;

    if (fd >= 0) {
        close(fd);
    }
    error_set_errno(errp, err, "%s %s", what, where);
    return -1;
}

/* --- unix --- */

static bool local_name(const UnixSocketAddress *addr, struct sockaddr_un *name, socklen_t *size,
                       Error **errp)
{
    bool is_abstract = addr->has_abstract && addr->abstract;
    bool is_tight = !addr->has_tight || addr->tight;
    size_t length = strlen(addr->path);

    memset(name, 0, sizeof(*name));
    name->sun_family = AF_UNIX;
    if (length + is_abstract > sizeof(name->sun_path)) {
        error_set(errp, "UNIX socket path '%s' is too long", addr->path);
        error_hint(errp, "Path must be less than %zu bytes", sizeof(name->sun_path));
        return false;
    }
    memcpy(name->sun_path + is_abstract, addr->path, length);
    *size = offsetof(struct sockaddr_un, sun_path) + is_abstract + length;
    if (!is_abstract || !is_tight) {
        *size = sizeof(*name);
    }
    return true;
}

static void remove_leftover(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        unlink(path);
    }
}

static int local_listen(const UnixSocketAddress *addr, Error **errp)
{
    struct sockaddr_un name;
    socklen_t size;
    int fd;

    if (!local_name(addr, &name, &size, errp)) {
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(fd, errp, "Failed to create socket", addr->path);
    }
    if (!addr->has_abstract || !addr->abstract) {
        remove_leftover(addr->path);
    }
    if (bind(fd, (struct sockaddr *)&name, size) < 0) {
        return fail(fd, errp, "Failed to bind socket to", addr->path);
    }
    if (listen(fd, BACKLOG) < 0) {
        return fail(fd, errp, "Failed to listen on socket", addr->path);
    }
    return fd;
}

static int connect_fd(int fd, const struct sockaddr *name, socklen_t size)
{
    int ret;

    do {
        ret = connect(fd, name, size);
    } while (ret < 0 && errno == EINTR);
    return ret;
}

static int local_connect(const UnixSocketAddress *addr, Error **errp)
{
    g_autofree char *where = g_strdup_printf("'%s'", addr->path);
    struct sockaddr_un name;
    socklen_t size;
    int fd;

    if (!local_name(addr, &name, &size, errp)) {
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect_fd(fd, (struct sockaddr *)&name, size) < 0) {
        return fail(fd, errp, "Failed to connect to", where);
    }
    return fd;
}

/* --- inet --- */

static bool pick_family(const InetSocketAddress *addr, int *family, Error **errp)
{
    bool has_v4 = addr->has_ipv4 && addr->ipv4, has_v6 = addr->has_ipv6 && addr->ipv6;
    bool no_v4 = addr->has_ipv4 && !addr->ipv4, no_v6 = addr->has_ipv6 && !addr->ipv6;

    if (no_v4 && no_v6) {
        return error_set(errp, "Cannot disable IPv4 and IPv6 at same time");
    }
    *family = PF_UNSPEC;
    if ((has_v6 && !has_v4) || no_v4) {
        *family = PF_INET6;
    } else if ((has_v4 && !has_v6) || no_v6) {
        *family = PF_INET;
    }
    return true;
}

static struct addrinfo *resolve(const InetSocketAddress *addr, int type, bool is_passive,
                                Error **errp)
{
    struct addrinfo hints = { .ai_socktype = type };
    struct addrinfo *list = NULL;
    int ret;

    if (!pick_family(addr, &hints.ai_family, errp)) {
        return NULL;
    }
    if (is_passive) {
        hints.ai_flags |= AI_PASSIVE;
    }
    if (addr->has_numeric && addr->numeric) {
        hints.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
    }
    ret = getaddrinfo(*addr->host ? addr->host : NULL, *addr->port ? addr->port : NULL, &hints,
                      &list);
    if (ret) {
        error_set(errp, "address resolution failed for %s:%s: %s", addr->host, addr->port,
                  gai_strerror(ret));
        return NULL;
    }
    return list;
}

static void set_port(struct sockaddr *name, uint16_t port)
{
    if (name->sa_family == AF_INET6) {
        ((struct sockaddr_in6 *)name)->sin6_port = htons(port);
    } else {
        ((struct sockaddr_in *)name)->sin_port = htons(port);
    }
}

static uint16_t get_port(const struct sockaddr *name)
{
    return ntohs(name->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)name)->sin6_port
                                             : ((const struct sockaddr_in *)name)->sin_port);
}

/* Bound and listening; -1 with errno. Dual stack unless the user wants IPv6 only. */
static int listen_one(const struct addrinfo *one, int only_v6, uint16_t port)
{
    AnyAddress name;
    int on = 1;
    int fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    int err;

    if (fd < 0) {
        return -1;
    }
    memcpy(&name, one->ai_addr, one->ai_addrlen);
    set_port(&name.any, port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (one->ai_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof(only_v6));
    }
    if (bind(fd, &name.any, one->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
        return fd;
    }
    err = errno;
    close(fd);
    errno = err;
    return -1;
}

static int inet_listen(const InetSocketAddress *addr, Error **errp)
{
    bool only_v6 = addr->has_ipv4 && !addr->ipv4;
    g_autofree char *where = g_strdup_printf("'%s:%s'", addr->host, addr->port);
    struct addrinfo *list = resolve(addr, SOCK_STREAM, true, errp);
    int err = EADDRNOTAVAIL;
    int fd = -1;

    if (!list) {
        return -1;
    }
    /* IPv6's any address takes IPv4 as well: try it before IPv4's. */
    for (int pass = 0; pass < 2 && fd < 0; pass++) {
        for (struct addrinfo *one = list; one && fd < 0; one = one->ai_next) {
            uint32_t first = get_port(one->ai_addr);
            uint32_t last = addr->has_to ? MAX(addr->to, first) : first;

            if ((one->ai_family == AF_INET6) != (pass == 0)) {
                continue;
            }
            for (uint32_t port = first; port <= last && fd < 0; port++) {
                fd = listen_one(one, only_v6, port);
                err = errno;
            }
        }
    }
    freeaddrinfo(list);
    errno = err;
    return fd >= 0 ? fd : fail(fd, errp, "Failed to find an available port for", where);
}

static int inet_connect(const InetSocketAddress *addr, Error **errp)
{
    g_autofree char *where = g_strdup_printf("'%s:%s'", addr->host, addr->port);
    struct addrinfo *list = resolve(addr, SOCK_STREAM, false, errp);
    int fd = -1, err = EADDRNOTAVAIL, on = 1;

    if (!list) {
        return -1;
    }
    for (struct addrinfo *one = list; one && fd < 0; one = one->ai_next) {
        fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
        if (fd >= 0 && connect_fd(fd, one->ai_addr, one->ai_addrlen) < 0) {
            err = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0) {
        errno = err;
        return fail(fd, errp, "Failed to connect to", where);
    }
    if (addr->has_keep_alive && addr->keep_alive) {
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
    return fd;
}

static const InetSocketAddress *need_inet(const SocketAddress *addr, Error **errp)
{
    if (addr->type != SOCKET_ADDRESS_TYPE_INET) {
        error_set(errp, "only inet addresses are supported for datagrams");
        return NULL;
    }
    return &addr->u.inet;
}

static int bind_datagram(const struct addrinfo *to, const InetSocketAddress *local, Error **errp)
{
    InetSocketAddress any = { 0 };
    struct addrinfo *from;
    int on = 1;
    int fd;

    /* Of the remote's family, so that connect() can follow. */
    any.host = local && local->host ? local->host : (char *)"";
    any.port = local && *local->port ? local->port : (char *)"0";
    any.has_ipv4 = any.has_ipv6 = true;
    any.ipv4 = to->ai_family == AF_INET;
    any.ipv6 = to->ai_family == AF_INET6;
    from = resolve(&any, SOCK_DGRAM, true, errp);
    if (!from) {
        return -1;
    }
    fd = socket(from->ai_family, from->ai_socktype | SOCK_CLOEXEC, from->ai_protocol);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    }
    if (fd < 0 || bind(fd, from->ai_addr, from->ai_addrlen) < 0) {
        freeaddrinfo(from);
        return fail(fd, errp, "Failed to bind socket to", any.host);
    }
    freeaddrinfo(from);
    return fd;
}

int socket_address_datagram(const SocketAddress *remote, const SocketAddress *local,
                            Error **errp)
{
    const InetSocketAddress *to = need_inet(remote, errp);
    const InetSocketAddress *from = to && local ? need_inet(local, errp) : NULL;
    InetSocketAddress target;
    struct addrinfo *list;
    int fd;

    if (!to || (local && !from)) {
        return -1;
    }
    if (!*to->port) {
        error_set(errp, "remote port not specified");
        return -1;
    }
    target = *to;
    target.host = *to->host ? to->host : (char *)"localhost";
    list = resolve(&target, SOCK_DGRAM, false, errp);
    if (!list) {
        return -1;
    }
    fd = bind_datagram(list, from, errp);
    if (fd >= 0 && connect_fd(fd, list->ai_addr, list->ai_addrlen) < 0) {
        fd = fail(fd, errp, "Failed to connect to", target.host);
    }
    freeaddrinfo(list);
    return fd;
}

/* --- vsock --- */

static bool vsock_name(const VsockSocketAddress *addr, struct sockaddr_vm *name, Error **errp)
{
    guint64 cid, port;

    if (!g_ascii_string_to_unsigned(addr->cid, 10, 0, UINT32_MAX, &cid, NULL)) {
        return error_set(errp, "Failed to parse cid '%s'", addr->cid);
    }
    if (!g_ascii_string_to_unsigned(addr->port, 10, 0, UINT32_MAX, &port, NULL)) {
        return error_set(errp, "Failed to parse port '%s'", addr->port);
    }
    *name = (struct sockaddr_vm){ .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port };
    return true;
}

static int vsock_open(const VsockSocketAddress *addr, bool is_server, Error **errp)
{
    g_autofree char *where = g_strdup_printf("'%s:%s'", addr->cid, addr->port);
    struct sockaddr_vm name;
    int fd;

    if (!vsock_name(addr, &name, errp)) {
        return -1;
    }
    fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(fd, errp, "Failed to create vsock socket", where);
    }
    if (is_server) {
        return bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0 && listen(fd, BACKLOG) == 0
                   ? fd : fail(fd, errp, "Failed to bind socket to", where);
    }
    return connect_fd(fd, (struct sockaddr *)&name, sizeof(name)) == 0
               ? fd : fail(fd, errp, "Failed to connect to", where);
}

/* --- descriptors --- */

/* What a client handed over with getfd. */
static int fd_by_name(const char *name, Error **errp)
{
    FdNames *names = fd_names_current();
    int fd = names ? fd_names_take(names, name) : -1;

    if (fd < 0 && names) {
        error_set(errp, "File descriptor named '%s' has not been found", name);
    } else if (fd < 0) {
        error_set(errp, "Unable to parse FD number %s", name);
    }
    return fd;
}

int socket_address_take_fd(const char *text, Error **errp)
{
    struct stat st;
    guint64 number;
    int fd;

    if (!g_ascii_isdigit(*text)) {
        return fd_by_name(text, errp);
    }
    if (!g_ascii_string_to_unsigned(text, 10, 0, INT_MAX, &number, NULL)) {
        error_set(errp, "Unable to parse FD number %s", text);
        return -1;
    }
    fd = number;
    if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode)) {
        error_set(errp, "File descriptor '%s' is not a socket", text);
        return -1;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

static int fd_listen(const char *text, Error **errp)
{
    int fd = socket_address_take_fd(text, errp);

    if (fd >= 0 && listen(fd, BACKLOG) < 0) {
        return fail(fd, errp, "Failed to listen on fd socket", text);
    }
    return fd;
}

/* --- all --- */

SocketAddress socket_address_of_legacy(const SocketAddressLegacy *legacy)
{
    SocketAddress addr = { .type = legacy->type };

    switch (legacy->type) {
    case SOCKET_ADDRESS_TYPE_INET:
        addr.u.inet = *legacy->u.inet.data;
        break;
    case SOCKET_ADDRESS_TYPE_UNIX:
        addr.u.unix_ = *legacy->u.unix_.data;
        break;
    case SOCKET_ADDRESS_TYPE_VSOCK:
        addr.u.vsock = *legacy->u.vsock.data;
        break;
    default:
        addr.u.fd = *legacy->u.fd.data;
        break;
    }
    return addr;
}

int socket_address_listen(const SocketAddress *addr, Error **errp)
{
    switch (addr->type) {
    case SOCKET_ADDRESS_TYPE_INET:
        return inet_listen(&addr->u.inet, errp);
    case SOCKET_ADDRESS_TYPE_UNIX:
        return local_listen(&addr->u.unix_, errp);
    case SOCKET_ADDRESS_TYPE_VSOCK:
        return vsock_open(&addr->u.vsock, true, errp);
    default:
        return fd_listen(addr->u.fd.str, errp);
    }
}

int socket_address_connect(const SocketAddress *addr, Error **errp)
{
    switch (addr->type) {
    case SOCKET_ADDRESS_TYPE_INET:
        return inet_connect(&addr->u.inet, errp);
    case SOCKET_ADDRESS_TYPE_UNIX:
        return local_connect(&addr->u.unix_, errp);
    case SOCKET_ADDRESS_TYPE_VSOCK:
        return vsock_open(&addr->u.vsock, false, errp);
    default:
        return socket_address_take_fd(addr->u.fd.str, errp);
    }
}

const char *socket_address_file(const SocketAddress *addr)
{
    const UnixSocketAddress *local;

    if (addr->type != SOCKET_ADDRESS_TYPE_UNIX) {
        return NULL;
    }
    local = &addr->u.unix_;
    return local->has_abstract && local->abstract ? NULL : local->path;
}

char *socket_address_show(const SocketAddress *addr, const char *protocol)
{
    const UnixSocketAddress *local;

    switch (addr->type) {
    case SOCKET_ADDRESS_TYPE_INET:
        return g_strdup_printf("%s:%s:%s", protocol, addr->u.inet.host,
                               addr->u.inet.port);
    case SOCKET_ADDRESS_TYPE_UNIX:
        local = &addr->u.unix_;
        return g_strdup_printf("unix:%s%s%s", local->path,
                               local->has_abstract && local->abstract ? ",abstract=on" : "",
                               !local->has_abstract || !local->abstract ? ""
                               : !local->has_tight || local->tight ? ",tight=on" : ",tight=off");
    case SOCKET_ADDRESS_TYPE_VSOCK:
        return g_strdup_printf("vsock:%s:%s", addr->u.vsock.cid, addr->u.vsock.port);
    default:
        return g_strdup_printf("fd:%s", addr->u.fd.str);
    }
}

static char *show_name(const AnyAddress *name, socklen_t size, const char *prefix)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    bool is_v6 = name->any.sa_family == AF_INET6;

    if ((name->any.sa_family != AF_INET && !is_v6) ||
        getnameinfo(&name->any, size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV)) {
        return NULL;
    }
    return g_strdup_printf("%s%s%s%s:%s", prefix, is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

char *socket_address_show_bound(int fd, const SocketAddress *addr, const char *protocol)
{
    g_autofree char *prefix = g_strconcat(protocol, ":", NULL);
    AnyAddress name;
    socklen_t size = sizeof(name);
    char *text = getsockname(fd, &name.any, &size) == 0 ? show_name(&name, size, prefix) : NULL;
    size_t path_at = offsetof(struct sockaddr_un, sun_path);

    if (text || addr->type != SOCKET_ADDRESS_TYPE_FD) {
        return text ? text : socket_address_show(addr, protocol);
    }
    if (name.any.sa_family == AF_UNIX && size > path_at) {
        return g_strdup_printf("unix:%.*s", (int)(size - path_at), name.local.sun_path);
    }
    return socket_address_show(addr, protocol);
}

char *socket_address_show_peer(int fd)
{
    AnyAddress name;
    socklen_t size = sizeof(name);

    return getpeername(fd, &name.any, &size) == 0 ? show_name(&name, size, "") : NULL;
}

/* --- names --- */

static bool inet_name(const InetSocketAddress *addr, bool is_passive, SocketName *out,
                      Error **errp)
{
    struct addrinfo *list = resolve(addr, SOCK_DGRAM, is_passive, errp);

    if (!list) {
        return false;
    }
    memcpy(&out->name, list->ai_addr, list->ai_addrlen);
    out->size = list->ai_addrlen;
    freeaddrinfo(list);
    return true;
}

bool socket_address_name(const SocketAddress *addr, bool is_passive, SocketName *out,
                         Error **errp)
{
    *out = (SocketName){ 0 };
    switch (addr->type) {
    case SOCKET_ADDRESS_TYPE_INET:
        return inet_name(&addr->u.inet, is_passive, out, errp);
    case SOCKET_ADDRESS_TYPE_UNIX:
        return local_name(&addr->u.unix_, (struct sockaddr_un *)&out->name, &out->size, errp);
    default:
        return error_set(errp, "this kind of address has no name");
    }
}

char *socket_address_show_name(const SocketName *name)
{
    return show_name((const AnyAddress *)&name->name, name->size, "");
}

static void inet_of(const AnyAddress *name, socklen_t size, SocketAddress *addr)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getnameinfo(&name->any, size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV)) {
        *host = *port = 0;
    }
    addr->type = SOCKET_ADDRESS_TYPE_INET;
    addr->u.inet.host = g_strdup(host);
    addr->u.inet.port = g_strdup(port);
    addr->u.inet.has_ipv4 = addr->u.inet.ipv4 = name->any.sa_family == AF_INET;
    addr->u.inet.has_ipv6 = addr->u.inet.ipv6 = name->any.sa_family == AF_INET6;
}

static void local_of(const AnyAddress *name, socklen_t size, SocketAddress *addr)
{
    size_t room = size - MIN(size, offsetof(struct sockaddr_un, sun_path));
    bool is_abstract = room && !name->local.sun_path[0];

    addr->type = SOCKET_ADDRESS_TYPE_UNIX;
    addr->u.unix_.path = g_strndup(name->local.sun_path + is_abstract, room - is_abstract);
    addr->u.unix_.has_abstract = addr->u.unix_.abstract = is_abstract;
}

/* NULL: a name of no kind that users know. */
static SocketAddress *address_of(const AnyAddress *name, socklen_t size)
{
    SocketAddress *addr;

    if (name->any.sa_family != AF_INET && name->any.sa_family != AF_INET6 &&
        name->any.sa_family != AF_UNIX) {
        return NULL;
    }
    addr = g_new0(SocketAddress, 1);
    if (name->any.sa_family == AF_UNIX) {
        local_of(name, size, addr);
    } else {
        inet_of(name, size, addr);
    }
    return addr;
}

SocketAddress *socket_address_of_peer(int fd)
{
    AnyAddress name;
    socklen_t size = sizeof(name);

    return getpeername(fd, &name.any, &size) < 0 ? NULL : address_of(&name, size);
}

SocketAddress *socket_address_of_own(int fd)
{
    AnyAddress name;
    socklen_t size = sizeof(name);

    return getsockname(fd, &name.any, &size) < 0 ? NULL : address_of(&name, size);
}
