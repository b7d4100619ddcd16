/*
 * chardev-socket's parts: the line (bytes, descriptors, protocol) and how peers come and go.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_SOCKET_H
#define CHARDEV_SOCKET_H

#include "chardev/backend.h"
#include "chardev/kinds.h"
#include "sockets/socket_address.h"
#include "chardev/telnet.h"
#include "chardev/websocket.h"

typedef struct CharSocket {
    Chardev parent;
    SocketAddress *addr;
    bool is_server, is_nodelay, is_telnet, is_websocket, has_wait;
    unsigned reconnect_ms;    /* 0: never */

    /* Peers; in the context. */
    int listener;             /* -1: none */
    char *unlink_path;        /* the listener's file */
    GSource *peer_source;     /* a client comes, or it is time to try again */
    bool is_connecting;       /* a thread is at it */
    bool is_failure_told;

    /* The line; `fd` and what goes out is under write_lock. */
    int fd;                   /* -1: nobody is there */
    bool is_unix;
    GSource *input_source;
    GMainContext *input_context; /* referenced; where that is */
    GIOCondition input_condition;
    bool is_hung_up;          /* the peer is gone, what it sent is not yet read */
    int rx_fds[SOCKET_ADDRESS_FDS];
    size_t rx_fd_count;
    int tx_fds[SOCKET_ADDRESS_FDS];
    size_t tx_fd_count;
    GByteArray *out;          /* the protocol's bytes that are not yet sent */
    GSource *flush_source;
    Telnet telnet;
    Websocket websocket;
} CharSocket;
DECLARE_CAST(CharSocket, CHAR_SOCKET)

/* --- chardev/socket_line.c --- */

/* Takes over `fd`: somebody is there. */
void socket_line_open(CharSocket *s, int fd);
/* Nobody is there any more. Also when nobody was. */
void socket_line_close(CharSocket *s);
void socket_line_update(Chardev *chr);
ssize_t socket_line_write(Chardev *chr, const uint8_t *bytes, size_t size);
GSource *socket_line_watch(Chardev *chr, GIOCondition condition);
size_t socket_line_take_fds(Chardev *chr, int *fds, size_t max);
bool socket_line_send_fds(Chardev *chr, const int *fds, size_t count);

/* --- chardev/socket.c --- */

/* The line was closed: wait for the next peer. */
void socket_next_peer(CharSocket *s);
/* The peer left or broke the protocol. */
void socket_peer_left(CharSocket *s);
const char *socket_protocol(const CharSocket *s);

#endif
