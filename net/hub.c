/*
 * Hubs: what comes into one port goes out of all others. A hub is there as long as it has ports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/kinds.h"

typedef struct HubPort {
    NetEnd end;
    int32_t hub;
} HubPort;

typedef struct Spread {
    HubPort *from;
    const NetFrame *frame;
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

static bool spread(void *opaque, NetEnd *end)
{
    Spread *s = opaque;
    HubPort *port = hub_port(end);

    if (port && port != s->from && port->hub == s->from->hub) {
        net_send(&end->ports[0], s->frame);
    }
    return true;
}

static NetResult hub_receive(NetPort *port, const NetFrame *frame)
{
    Spread s = { hub_port(port->end), frame };

    net_each(spread, &s);
    return NET_DONE;
}

static void hub_free(NetEnd *end)
{
    g_free(hub_port(end));
}

static const NetOps hub_ops = { .receive = hub_receive, .free = hub_free };

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
