/*
 * Ports of the user network that lead out of it: [tcp]:ADDR:PORT-CHARDEV, as -serial names one, or
 * ...-cmd:COMMAND.
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
    if (p->own) {
        chardev_remove(p->own, NULL);
    }
    g_free(p->own);
    g_free(p);
}

void user_ports_go_on(UserNet *net)
{
    for (guint n = 0; n < net->ports->len; n++) {
        char_frontend_accept_input(&((UserPort *)net->ports->pdata[n])->line);
    }
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

static bool add_line(UserNet *net, const char *spec, UserPort where, Error **errp)
{
    g_autofree char *label = g_strdup_printf("guestfwd.tcp.%d", where.port);
    UserPort *p = g_memdup2(&where, sizeof(where));
    Chardev *chr = chardev_add_from_spec(label, spec, NULL, errp);

    p->net = net;
    g_ptr_array_add(net->ports, p);
    if (!chr) {
        error_prefix(errp, "Could not open guest forwarding device '%s': ", label);
        return false;
    }
    p->own = strcmp(chardev_label(chr), label) ? NULL : g_steal_pointer(&label);
    if (!char_frontend_attach(&p->line, chr, errp)) {
        return false;
    }
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
