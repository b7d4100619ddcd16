/*
 * A wire of datagrams: `dgram`, and `socket` with udp= or mcast=.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_DGRAM_H
#define NET_DGRAM_H

#include "net/kinds.h"

typedef struct DgramOptions {
    const char *id;
    const SocketAddress *local, *remote; /* either may be NULL */
    bool is_old;                         /* `socket`: shown in its own way */
} DgramOptions;

bool dgram_add(const DgramOptions *options, Error **errp);

#endif
