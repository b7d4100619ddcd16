/*
 * A wire over a connection: `stream`, and `socket` with listen=, connect= or fd=.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "net/kinds.h"

typedef struct StreamOptions {
    const char *id;
    const SocketAddress *addr;
    bool is_server;
    bool is_old;           /* `socket`: shown in its own way, and without events */
    unsigned reconnect_ms; /* 0: never */
} StreamOptions;

bool stream_add(const StreamOptions *options, Error **errp);

#endif
