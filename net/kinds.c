/*
 * The kinds of back ends: see net/kinds.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/kinds.h"

const NetKind net_kinds[] = {
    { "user", NET_CLIENT_DRIVER_USER, net_user_open },
    { "socket", NET_CLIENT_DRIVER_SOCKET, net_socket_open },
    { "stream", NET_CLIENT_DRIVER_STREAM, net_stream_open },
    { "dgram", NET_CLIENT_DRIVER_DGRAM, net_dgram_open },
    { "tap", NET_CLIENT_DRIVER_TAP, net_tap_open },
    { "bridge", NET_CLIENT_DRIVER_BRIDGE, net_bridge_open },
    { "hubport", NET_CLIENT_DRIVER_HUBPORT, net_hub_open },
    { NULL },
};
