/*
 * Sockets by address: listening, connecting, and how addresses are shown.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_SOCKET_ADDRESS_H
#define CHARDEV_SOCKET_ADDRESS_H

#include "qapi/qapi-types-sockets.h"
#include "qom/error.h"

#define SOCKET_ADDRESS_FDS 16 /* most descriptors in one message */

/* A listening descriptor that closes on exec, or -1. A leftover socket file is replaced. */
int socket_address_listen(const SocketAddressLegacy *addr, Error **errp);
/* Blocks till connected. */
int socket_address_connect(const SocketAddressLegacy *addr, Error **errp);
/* A datagram socket that receives at `local` (NULL: anywhere) and sends to `remote`; inet only. */
int socket_address_datagram(const SocketAddressLegacy *remote, const SocketAddressLegacy *local,
                            Error **errp);
/* As users name it: "unix:/path", "PROTOCOL:host:port", "fd:7". Free it. */
char *socket_address_show(const SocketAddressLegacy *addr, const char *protocol);
/* What the socket is bound to, in place of what was asked for (port 0). Free it. */
char *socket_address_show_bound(int fd, const SocketAddressLegacy *addr, const char *protocol);
/* Its other end; NULL when that has no name. Free it. */
char *socket_address_show_peer(int fd);
/* "path" of a unix address that is a file; else NULL. */
const char *socket_address_file(const SocketAddressLegacy *addr);

#endif
