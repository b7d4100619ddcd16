/*
 * Ports of the user network that lead out of it: [tcp]:ADDR:PORT-CHARDEV, ...-cmd:COMMAND.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/user.h"

#include <arpa/inet.h>

#include "chardev/chardev.h"

#define COMMAND "cmd:"

static size_t line_room(void *opaque)
{
    UserPort *p = opaque;

    return slirp_socket_can_recv(p->net->slirp, p->addr, p->port);
}

static void line_bytes(void *opaque, const uint8_t *bytes, size_t size)
{
    UserPort *p = opaque;

    slirp_socket_recv(p->net->slirp, p->addr, p->port, bytes, size);
}

static const CharHandlers line_handlers = { .can_read = line_room, .read = line_bytes };

static ssize_t stack_writes(const void *bytes, size_t size, void *opaque)
{
    UserPort *p = opaque;

    char_frontend_write_all(&p->line, bytes, size);
    return size;
}

void user_port_free(void *opaque)
{
    UserPort *p = opaque;

    char_frontend_detach(&p->line);
    g_free(p);
}

static bool parse(const char *rule, struct in_addr *addr, int *port, const char **target,
                  Error **errp)
{
    const char *at = g_str_has_prefix(rule, "tcp:") ? rule + 4 : rule[0] == ':' ? rule + 1 : NULL;
    const char *colon = at ? strchr(at, ':') : NULL, *dash = colon ? strchr(colon, '-') : NULL;
    g_autofree char *host = colon ? g_strndup(at, colon - at) : NULL;
    g_autofree char *number = dash ? g_strndup(colon + 1, dash - colon - 1) : NULL;
    guint64 value;

    addr->s_addr = INADDR_ANY;
    if (!number || !dash[1] || (*host && inet_pton(AF_INET, host, addr) != 1) ||
        !g_ascii_string_to_unsigned(number, 10, 1, 65535, &value, NULL)) {
        return error_set(errp, "Invalid guest forwarding rule '%s'", rule);
    }
    *port = value;
    *target = dash + 1;
    return true;
}

static bool add_line(UserNet *net, const char *id, UserPort where, Error **errp)
{
    Chardev *chr = chardev_get(id, errp);
    UserPort *p;

    if (!chr) {
        return false;
    }
    p = g_new0(UserPort, 1);
    *p = where;
    p->net = net;
    if (!char_frontend_attach(&p->line, chr, errp)) {
        g_free(p);
        return false;
    }
    g_ptr_array_add(net->ports, p);
    if (slirp_add_guestfwd(net->slirp, stack_writes, p, &p->addr, p->port) < 0) {
        return error_set(errp, "Conflicting/invalid host:port in guest forwarding rule");
    }
    char_frontend_set_handlers(&p->line, &line_handlers, p, NULL);
    return true;
}

bool user_add_port(UserNet *net, const char *rule, Error **errp)
{
    UserPort where = { 0 };
    const char *target = NULL;

    if (!parse(rule, &where.addr, &where.port, &target, errp)) {
        return false;
    }
    if (!g_str_has_prefix(target, COMMAND)) {
        return add_line(net, target, where, errp);
    }
    return slirp_add_exec(net->slirp, target + strlen(COMMAND), &where.addr, where.port) >= 0 ||
           error_set(errp, "Conflicting/invalid host:port in guest forwarding rule '%s'", rule);
}
