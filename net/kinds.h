/*
 * The kinds of back ends, and what they are made with.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_KINDS_H
#define NET_KINDS_H

#include "net/net.h"
#include "qapi/qapi-types-net.h"

/* Makes an end of `netdev->id`, or fails and leaves nothing. */
typedef bool NetOpen(const Netdev *netdev, Error **errp);
NetOpen net_bridge_open, net_dgram_open, net_hub_open, net_socket_open, net_stream_open,
    net_tap_open, net_user_open;

typedef struct NetKind {
    const char *name;
    NetClientDriver driver;
    NetOpen *open;
} NetKind;
/* Ends with a NULL name. */
extern const NetKind net_kinds[];

/* --- net/net.c --- */

/* Each is the other's other end, as many ports as both have. */
void net_connect(NetEnd *one, NetEnd *other);
/* Frees it. Its device, if it has one, loses its link. */
void net_backend_remove(NetEnd *end);
void net_set_link(NetEnd *end, bool is_up);

/* --- net/announce.c --- */

/* At exit. */
void net_announce_cleanup(void);

/* --- net/hub.c --- */

bool net_is_hub_port(const NetEnd *end);
/* Which hub's port it is; false: it is none. */
bool net_hub_of(const NetEnd *end, int32_t *hub);

#endif
