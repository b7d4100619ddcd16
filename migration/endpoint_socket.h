/*
 * Sockets of endpoints: IP and local.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_ENDPOINT_SOCKET_H
#define MIGRATION_ENDPOINT_SOCKET_H

#include "migration/stream.h"
#include "qapi/qapi-types-sockets.h"

/* What is wrong with the address itself. */
bool endpoint_socket_check(const SocketAddress *address, Error **errp);
/* A listening descriptor, or -1. */
int endpoint_socket_listen(const SocketAddress *address, Error **errp);
/* The address a socket is bound to; NULL if it is of no known kind. Free it. */
SocketAddress *endpoint_socket_name(int fd);
/* Removes the file of a local address. */
void endpoint_socket_unlink(const SocketAddress *address);
/* Connects and attaches; ends when the stream is cancelled. */
bool endpoint_socket_connect(const SocketAddress *address, MigrationStream *stream, Error **errp);

#endif
