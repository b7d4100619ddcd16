/*
 * Sockets by address: listening, connecting, and how addresses are shown.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SOCKETS_SOCKET_ADDRESS_H
#define SOCKETS_SOCKET_ADDRESS_H

#include <sys/socket.h>

#include "qapi/qapi-types-sockets.h"
#include "qom/error.h"

#define SOCKET_ADDRESS_FDS 16 /* most descriptors in one message */

/* The same address in the form of today; borrows all texts. */
SocketAddress socket_address_of_legacy(const SocketAddressLegacy *legacy);

/* A listening descriptor that closes on exec, or -1. A leftover socket file is replaced. */
int socket_address_listen(const SocketAddress *addr, Error **errp);
/* Blocks till connected. */
int socket_address_connect(const SocketAddress *addr, Error **errp);
/* A datagram socket that receives at `local` (NULL: anywhere) and sends to `remote`; inet only. */
int socket_address_datagram(const SocketAddress *remote, const SocketAddress *local,
                            Error **errp);
/* Takes over the open socket of this number, or of this name of getfd; -1: there is none. */
int socket_address_take_fd(const char *text, Error **errp);
/* A name to bind to (`is_passive`) or to send datagrams to: IP and local. */
typedef struct SocketName {
    struct sockaddr_storage name;
    socklen_t size;
} SocketName;
bool socket_address_name(const SocketAddress *addr, bool is_passive, SocketName *out,
                         Error **errp);
/* "127.0.0.1:80", "[::1]:80"; NULL: it is not IP. Free it. */
char *socket_address_show_name(const SocketName *name);
/* What a socket's other end is called; NULL when it has no name. Free it. */
SocketAddress *socket_address_of_peer(int fd);
/* What it is bound to itself. */
SocketAddress *socket_address_of_own(int fd);

/* As users name it: "unix:/path", "PROTOCOL:host:port", "fd:7". Free it. */
char *socket_address_show(const SocketAddress *addr, const char *protocol);
/* What the socket is bound to, in place of what was asked for (port 0). Free it. */
char *socket_address_show_bound(int fd, const SocketAddress *addr, const char *protocol);
/* Its other end; NULL when that has no name. Free it. */
char *socket_address_show_peer(int fd);
/* "path" of a unix address that is a file; else NULL. */
const char *socket_address_file(const SocketAddress *addr);

#endif
