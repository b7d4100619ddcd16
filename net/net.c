/*
 * Networks: ends, and how frames get from one to the other. See net/net.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/net.h"

#include "net/filter.h"
#include "net/kinds.h"

#define MAX_WAITING 10000 /* frames; those beyond are lost */

/* In order of their making: NetEnd, borrowed. */
static GPtrArray *ends;
static bool is_machine_running;

/* --- bursts --- */

static bool burst_to(NetPort *port)
{
    if (port->is_burst) {
        return false;
    }
    port->is_burst = true;
    if (port->end->ops->burst) {
        port->end->ops->burst(port, true);
    }
    return true;
}

static void burst_ends(NetPort *port)
{
    port->is_burst = false;
    if (port->end->ops->burst) {
        port->end->ops->burst(port, false);
    }
}

bool net_burst_begin(NetPort *port)
{
    return port->peer && burst_to(port->peer);
}

void net_burst_end(NetPort *port, bool has_begun)
{
    if (has_begun && port->peer) {
        burst_ends(port->peer);
    }
}

/* --- frames --- */

typedef struct WaitingFrame {
    NetOffload offload;
    bool has_offload;
    size_t bytes;
    uint8_t data[];
} WaitingFrame;

static WaitingFrame *copy_frame(const NetFrame *frame)
{
    WaitingFrame *copy = g_try_malloc(sizeof(*copy) + frame->bytes);
    size_t at = 0;

    if (!copy) {
        return NULL;
    }
    for (unsigned n = 0; n < frame->count; n++) {
        memcpy(copy->data + at, frame->iov[n].iov_base, frame->iov[n].iov_len);
        at += frame->iov[n].iov_len;
    }
    copy->bytes = at;
    copy->has_offload = frame->offload;
    if (frame->offload) {
        copy->offload = *frame->offload;
    }
    return copy;
}

static NetResult keep(NetPort *port, const NetFrame *frame)
{
    WaitingFrame *copy = port->waiting.length < MAX_WAITING ? copy_frame(frame) : NULL;

    if (copy) {
        g_queue_push_tail(&port->waiting, copy);
    }
    port->has_told_wait = true;
    return NET_WAIT;
}

static bool may_deliver(const NetPort *port)
{
    return !port->is_delivering && (!port->end->is_device || is_machine_running);
}

static NetResult deliver(NetPort *port, const NetFrame *frame)
{
    NetResult result;

    port->is_delivering = true;
    result = port->end->ops->receive(port, frame);
    port->is_delivering = false;
    return result;
}

static NetResult deliver_waiting(NetPort *port, const WaitingFrame *frame)
{
    struct iovec piece = { (void *)frame->data, frame->bytes };
    NetFrame whole = NET_FRAME(&piece);

    whole.offload = frame->has_offload ? &frame->offload : NULL;
    return deliver(port, &whole);
}

/* False: some wait on. */
static bool deliver_all(NetPort *port)
{
    bool is_done = true, has_begun;
    WaitingFrame *frame;

    if (!port->waiting.length) {
        return true;
    }
    has_begun = burst_to(port);
    while (is_done && (frame = g_queue_pop_head(&port->waiting))) {
        is_done = deliver_waiting(port, frame) != NET_WAIT;
        if (is_done) {
            g_free(frame);
        } else {
            g_queue_push_head(&port->waiting, frame);
        }
    }
    if (has_begun) {
        burst_ends(port);
    }
    return is_done;
}

void net_ready(NetPort *port)
{
    if (!may_deliver(port) || !deliver_all(port)) {
        return;
    }
    if (port->has_told_wait) {
        port->has_told_wait = false;
        if (port->peer && port->peer->end->ops->go_on) {
            port->peer->end->ops->go_on(port->peer);
        }
    }
}

void net_drop_waiting(NetPort *port)
{
    g_queue_clear_full(&port->waiting, g_free);
}

NetResult net_send(NetPort *port, const NetFrame *frame)
{
    NetPort *peer = port->peer;
    NetResult result;

    if (!peer || port->end->is_link_down || peer->end->is_link_down) {
        return NET_DONE;
    }
    net_filters_see(port->end, NET_TX, frame);
    net_filters_see(peer->end, NET_RX, frame);
    if (!may_deliver(peer) || peer->waiting.length) {
        return keep(peer, frame);
    }
    result = deliver(peer, frame);
    if (result == NET_WAIT) {
        return keep(peer, frame);
    }
    if (peer->waiting.length) {
        net_ready(peer); /* came while it was being delivered to */
    }
    return NET_DONE;
}

NetResult net_send_bytes(NetPort *port, const void *bytes, size_t size)
{
    struct iovec piece = { (void *)bytes, size };
    NetFrame frame = NET_FRAME(&piece);

    return net_send(port, &frame);
}

bool net_has_link(const NetEnd *end)
{
    return end->ports && end->ports[0].peer && !end->is_link_down;
}

NetEnd *net_peer(const NetEnd *end)
{
    return end->ports && end->ports[0].peer ? end->ports[0].peer->end : NULL;
}

unsigned net_offloads(NetEnd *end)
{
    return end && end->ops->offloads ? end->ops->offloads(end) : 0;
}

/* --- ends --- */

static void add_end(NetEnd *end, const NetOps *ops, const char *name, unsigned queues)
{
    if (!ends) {
        ends = g_ptr_array_new();
    }
    end->ops = ops;
    end->name = g_strdup(name);
    end->count = queues;
    end->ports = g_new0(NetPort, queues);
    for (unsigned n = 0; n < queues; n++) {
        end->ports[n].end = end;
        end->ports[n].index = n;
        g_queue_init(&end->ports[n].waiting);
    }
    g_ptr_array_add(ends, end);
}

static void tell_link(NetEnd *end)
{
    if (end->ops->link_changed) {
        end->ops->link_changed(end);
    }
}

void net_connect(NetEnd *one, NetEnd *other)
{
    for (unsigned n = 0; n < MIN(one->count, other->count); n++) {
        one->ports[n].peer = &other->ports[n];
        other->ports[n].peer = &one->ports[n];
    }
}

static void disconnect(NetEnd *end)
{
    NetEnd *peer = net_peer(end);

    for (unsigned n = 0; n < end->count; n++) {
        NetPort *other = end->ports[n].peer;

        net_drop_waiting(&end->ports[n]);
        if (other) {
            net_drop_waiting(other);
            other->has_told_wait = false;
            other->peer = end->ports[n].peer = NULL;
        }
    }
    if (peer) {
        tell_link(peer);
    }
}

static void remove_end(NetEnd *end)
{
    g_ptr_array_remove(ends, end);
    disconnect(end);
    net_filters_drop(end);
    g_clear_pointer(&end->ports, g_free);
    g_clear_pointer(&end->name, g_free);
    g_clear_pointer(&end->path, g_free);
    end->count = 0;
}

void net_backend_add(NetEnd *end, const NetOps *ops, const char *type, const char *id,
                     unsigned queues)
{
    add_end(end, ops, id, queues);
    end->type = type;
}

void net_backend_remove(NetEnd *end)
{
    const NetOps *ops = end->ops;

    remove_end(end);
    ops->free(end);
}

void net_device_attach(NetEnd *end, const NetOps *ops, const NetDeviceInfo *info, void *owner)
{
    add_end(end, ops, info->name, info->queues);
    end->type = "nic";
    end->is_device = true;
    end->model = info->model;
    end->path = g_strdup(info->path);
    end->owner = owner;
    if (info->backend) {
        net_connect(end, info->backend);
        tell_link(info->backend);
    }
}

void net_device_set_mac(NetEnd *end, const uint8_t *mac)
{
    memcpy(end->mac, mac, ETH_ADDR_BYTES);
}

void net_device_detach(NetEnd *end)
{
    if (end->ports) {
        remove_end(end);
    }
}

NetEnd *net_find(const char *name)
{
    for (guint n = 0; ends && n < ends->len; n++) {
        NetEnd *end = ends->pdata[n];

        if (!strcmp(end->name, name)) {
            return end;
        }
    }
    return NULL;
}

NetEnd *net_backend_get(const char *id)
{
    NetEnd *end = net_find(id);

    return end && !end->is_device ? end : NULL;
}

bool net_each(bool (*fn)(void *opaque, NetEnd *end), void *opaque)
{
    for (guint n = 0; ends && n < ends->len; n++) {
        if (!fn(opaque, ends->pdata[n])) {
            return false;
        }
    }
    return true;
}

/* --- the machine --- */

static bool end_runs(void *opaque, NetEnd *end)
{
    for (unsigned n = 0; n < end->count; n++) {
        net_ready(&end->ports[n]);
        if (end->is_device && end->ops->go_on) {
            end->ops->go_on(&end->ports[n]);
        }
    }
    return true;
}

void net_machine_runs(bool is_running)
{
    is_machine_running = is_running;
    if (is_running) {
        net_each(end_runs, NULL);
    }
}

void net_set_link(NetEnd *end, bool is_up)
{
    NetEnd *peer = net_peer(end);

    end->is_link_down = !is_up;
    tell_link(end);
    /* A cable has two ends, but a hub's other ports and the host's side stay as they are. */
    if (peer && peer->is_device) {
        peer->is_link_down = !is_up;
        tell_link(peer);
    }
}

void net_cleanup(void)
{
    net_announce_cleanup();
    while (ends && ends->len) {
        NetEnd *end = ends->pdata[ends->len - 1];

        if (end->is_device) {
            remove_end(end);
        } else {
            net_backend_remove(end);
        }
    }
    g_clear_pointer(&ends, g_ptr_array_unref);
}
