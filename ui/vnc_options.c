/*
 * VNC: where a server waits, as users write it: HOST:DISPLAY, unix:PATH, none; and the same again
 * for clients that speak WebSocket. Display N is TCP port 5900 + N, or 5700 + N with WebSocket.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/vnc_parts.h"
#include "util/size.h"

#define PORT_BASE           5900
#define WEBSOCKET_PORT_BASE 5700

void vnc_place_clear(VncPlace *place)
{
    socket_address_free(place->addr);
    socket_address_free(place->websocket);
}

/* With `to`, the last display that will do beside the one named: ports are `base` and up. */
static SocketAddress *new_inet(const VncOptions *options, const char *host, unsigned port,
                               unsigned base)
{
    SocketAddress *addr = g_new0(SocketAddress, 1);

    addr->type = SOCKET_ADDRESS_TYPE_INET;
    addr->u.inet.host = g_strdup(host);
    addr->u.inet.port = g_strdup_printf("%u", port);
    addr->u.inet.has_ipv4 = options->has_ipv4;
    addr->u.inet.ipv4 = options->ipv4;
    addr->u.inet.has_ipv6 = options->has_ipv6;
    addr->u.inet.ipv6 = options->ipv6;
    if (options->has_to && base) {
        addr->u.inet.has_to = true;
        addr->u.inet.to = MIN(options->to + base, UINT16_MAX);
    }
    return addr;
}

/* "HOST:N"; HOST may be in brackets or nothing. */
static bool split_host(const char *text, char **host, unsigned *number, Error **errp)
{
    const char *colon = strrchr(text, ':');
    size_t length = colon ? colon - text : 0;
    g_autofree char *why = NULL;
    uint64_t value;

    if (!colon) {
        return error_set(errp, "no vnc port specified");
    }
    if (!number_parse(colon + 1, &value, &why) || value > UINT16_MAX) {
        return error_set(errp, "can't convert to a number: %s", colon + 1);
    }
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    *host = g_strndup(text, length);
    *number = value;
    return true;
}

static bool add_offset(unsigned *number, unsigned base, Error **errp)
{
    *number += base;
    return *number <= UINT16_MAX || error_set(errp, "port %u is too high", *number);
}

static bool parse_inet(const VncOptions *options, VncPlace *place, unsigned *display, Error **errp)
{
    bool is_reverse = options->has_reverse && options->reverse;
    g_autofree char *host = NULL;
    unsigned port;

    if (!split_host(options->vnc, &host, &port, errp)) {
        return false;
    }
    *display = port;
    if (!is_reverse && !add_offset(&port, PORT_BASE, errp)) {
        return false;
    }
    place->addr = new_inet(options, host, port, is_reverse ? 0 : PORT_BASE);
    return true;
}

/* "on": beside the other address; "[HOST:]PORT". Beside a local socket: all hosts, display 0. */
static bool parse_websocket(const VncOptions *options, VncPlace *place, unsigned display,
                            Error **errp)
{
    const char *text = options->websocket;
    g_autofree char *given = strchr(text, ':') ? g_strdup(text) : g_strconcat(":", text, NULL);
    bool is_beside = !strcmp(text, "on");
    const char *default_host = "";
    g_autofree char *host = NULL;
    unsigned port = display;

    if (!place->addr) {
        return error_set(errp, "websocket needs an address of host and display");
    }
    if (place->addr->type == SOCKET_ADDRESS_TYPE_INET) {
        default_host = place->addr->u.inet.host;
    }
    if (is_beside ? !add_offset(&port, WEBSOCKET_PORT_BASE, errp)
                  : !split_host(given, &host, &port, errp)) {
        return false;
    }
    place->websocket = new_inet(options, host && *host ? host : default_host, port,
                                is_beside ? WEBSOCKET_PORT_BASE : 0);
    return true;
}

bool vnc_place_parse(const VncOptions *options, VncPlace *place, Error **errp)
{
    bool wants_websocket = options->websocket && strcmp(options->websocket, "off");
    unsigned display = 0;

    *place = (VncPlace){ 0 };
    if (!strcmp(options->vnc, "none")) {
        return !wants_websocket || parse_websocket(options, place, display, errp);
    }
    if (g_str_has_prefix(options->vnc, "unix:")) {
        place->addr = g_new0(SocketAddress, 1);
        place->addr->type = SOCKET_ADDRESS_TYPE_UNIX;
        place->addr->u.unix_.path = g_strdup(options->vnc + strlen("unix:"));
    } else if (!parse_inet(options, place, &display, errp)) {
        return false;
    }
    return !wants_websocket || parse_websocket(options, place, display, errp);
}
