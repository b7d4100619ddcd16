/*
 * Hubs: what comes into one port goes out of all others. A hub is there as long as it has ports. A
 * sender waits while none of the others takes frames; for those that are slower than the rest frames
 * are kept, as many as for any port.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/kinds.h"

typedef struct HubPort {
    NetEnd end;
    int32_t hub;
    bool is_held; /* what is behind it told us to wait */
    const struct HubPort *burst_from; /* the port whose burst it passes on */
} HubPort;

typedef struct Spread {
    const HubPort *from;
    const NetFrame *frame;
    unsigned others, held; /* ports that lead somewhere */
} Spread;

static const NetOps hub_ops;

static HubPort *hub_port(NetEnd *end)
{
    return end->ops == &hub_ops ? (HubPort *)end : NULL;
}

bool net_is_hub_port(const NetEnd *end)
{
    return end->ops == &hub_ops;
}

/* Another port of the hub; NULL: it is none. */
static HubPort *other_port(const Spread *s, NetEnd *end)
{
    HubPort *port = hub_port(end);

    return port && port != s->from && port->hub == s->from->hub ? port : NULL;
}

static bool look(void *opaque, NetEnd *end)
{
    Spread *s = opaque;
    const HubPort *port = other_port(s, end);

    s->others += port && net_peer(end);
    s->held += port && net_peer(end) && port->is_held;
    return true;
}

static bool spread(void *opaque, NetEnd *end)
{
    Spread *s = opaque;
    HubPort *port = other_port(s, end);

    if (port) {
        port->is_held = net_send(&end->ports[0], s->frame) == NET_WAIT;
    }
    return true;
}

static NetResult hub_receive(NetPort *port, const NetFrame *frame)
{
    Spread s = { hub_port(port->end), frame };

    net_each(look, &s);
    if (s.others && s.held == s.others) {
        return NET_WAIT;
    }
    net_each(spread, &s);
    return NET_DONE;
}

static bool burst_begins(void *opaque, NetEnd *end)
{
    HubPort *port = other_port(opaque, end);

    if (port && net_burst_begin(&end->ports[0])) {
        port->burst_from = ((Spread *)opaque)->from;
    }
    return true;
}

static bool burst_ends(void *opaque, NetEnd *end)
{
    HubPort *port = other_port(opaque, end);

    if (port && port->burst_from == ((Spread *)opaque)->from) {
        port->burst_from = NULL;
        net_burst_end(&end->ports[0], true);
    }
    return true;
}

static void hub_burst(NetPort *port, bool is_on)
{
    Spread s = { hub_port(port->end) };

    net_each(is_on ? burst_begins : burst_ends, &s);
}

static bool let_go(void *opaque, NetEnd *end)
{
    if (other_port(opaque, end)) {
        net_ready(&end->ports[0]);
    }
    return true;
}

/* Frames for it are taken again, or it leads elsewhere: those who wait may send. */
static void take_again(HubPort *port)
{
    Spread s = { port };

    port->is_held = false;
    net_each(let_go, &s);
}

static void hub_go_on(NetPort *port)
{
    take_again(hub_port(port->end));
}

static void hub_link_changed(NetEnd *end)
{
    take_again(hub_port(end));
}

static void hub_free(NetEnd *end)
{
    take_again(hub_port(end));
    g_free(hub_port(end));
}

static const NetOps hub_ops = {
    .receive = hub_receive, .burst = hub_burst, .go_on = hub_go_on, .link_changed = hub_link_changed,
    .free = hub_free,
};

bool net_hub_open(const Netdev *netdev, Error **errp)
{
    const NetdevHubPortOptions *options = &netdev->u.hubport;
    NetEnd *plugged = options->netdev ? net_backend_get(options->netdev) : NULL;
    HubPort *port;

    if (options->netdev && !plugged) {
        return error_set(errp, "netdev '%s' not found", options->netdev);
    }
    if (plugged && net_peer(plugged)) {
        return error_set(errp, "netdev '%s' is already in use", options->netdev);
    }
    port = g_new0(HubPort, 1);
    port->hub = options->hubid;
    net_backend_add(&port->end, &hub_ops, "hubport", netdev->id, 1);
    if (plugged) {
        net_connect(&port->end, plugged);
    }
    return true;
}

bool net_hub_of(const NetEnd *end, int32_t *hub)
{
    if (!net_is_hub_port(end)) {
        return false;
    }
    *hub = ((const HubPort *)end)->hub;
    return true;
}
