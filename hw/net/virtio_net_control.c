/*
 * virtio-net: what the driver says over the control queue (virtio 1.3, 5.1.6.5). Each request is
 * answered; one that makes no sense is refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_net.h"

#include "qapi/qapi-types-net.h"

#define MAX_REQUEST (2 * (4 + 4096 * ETH_ADDR_BYTES)) /* more addresses than anybody has */

/* What follows class and command. */
typedef struct Request {
    VirtioNet *net;
    uint8_t command;
    const uint8_t *data;
    size_t bytes;
} Request;

static uint32_t get(const Request *r, size_t at, unsigned bytes)
{
    return virtio_get(&r->net->parent, r->data + at, bytes);
}

static bool set_mode(Request *r)
{
    VirtioNet *net = r->net;
    bool *const modes[] = {
        [VIRTIO_NET_CTRL_RX_PROMISC] = &net->is_promiscuous,
        [VIRTIO_NET_CTRL_RX_ALLMULTI] = &net->takes_all_multicast,
        [VIRTIO_NET_CTRL_RX_ALLUNI] = &net->takes_all_unicast,
        [VIRTIO_NET_CTRL_RX_NOMULTI] = &net->takes_no_multicast,
        [VIRTIO_NET_CTRL_RX_NOUNI] = &net->takes_no_unicast,
        [VIRTIO_NET_CTRL_RX_NOBCAST] = &net->takes_no_broadcast,
    };
    unsigned feature = r->command > VIRTIO_NET_CTRL_RX_ALLMULTI ? VIRTIO_NET_F_CTRL_RX_EXTRA
                                                                : VIRTIO_NET_F_CTRL_RX;

    if (r->bytes != 1 || r->command >= ARRAY_SIZE(modes) ||
        !virtio_has_feature(&net->parent, feature)) {
        return false;
    }
    *modes[r->command] = r->data[0];
    net_device_filter_changed(&net->end);
    return true;
}

static bool set_address(Request *r)
{
    VirtioNet *net = r->net;

    if (r->bytes != ETH_ADDR_BYTES ||
        !virtio_has_feature(&net->parent, VIRTIO_NET_F_CTRL_MAC_ADDR)) {
        return false;
    }
    memcpy(net->mac, r->data, ETH_ADDR_BYTES);
    net_device_set_mac(&net->end, net->mac);
    net_device_filter_changed(&net->end);
    return true;
}

/* A count and so many addresses at *at; false: they are not there. */
static bool take_list(const Request *r, size_t *at, const uint8_t **list, uint32_t *count)
{
    if (r->bytes - *at < 4) {
        return false;
    }
    *count = get(r, *at, 4);
    *at += 4;
    if (*count > (r->bytes - *at) / ETH_ADDR_BYTES) {
        return false;
    }
    *list = r->data + *at;
    *at += *count * ETH_ADDR_BYTES;
    return true;
}

static bool set_table(Request *r)
{
    VirtioNet *net = r->net;
    const uint8_t *unicast, *multicast;
    uint32_t unicasts, multicasts;
    size_t at = 0;

    if (!virtio_has_feature(&net->parent, VIRTIO_NET_F_CTRL_RX) ||
        !take_list(r, &at, &unicast, &unicasts) || !take_list(r, &at, &multicast, &multicasts) ||
        at != r->bytes) {
        return false;
    }
    net->unicast_overflow = unicasts > MAC_TABLE_ROOM;
    net->unicast_count = net->unicast_overflow ? 0 : unicasts;
    net->multicast_overflow = multicasts > MAC_TABLE_ROOM - net->unicast_count;
    net->multicast_count = net->multicast_overflow ? 0 : multicasts;
    memcpy(net->table, unicast, net->unicast_count * ETH_ADDR_BYTES);
    memcpy(net->table + net->unicast_count * ETH_ADDR_BYTES, multicast,
           net->multicast_count * ETH_ADDR_BYTES);
    net_device_filter_changed(&net->end);
    return true;
}

static bool set_addresses(Request *r)
{
    return r->command == VIRTIO_NET_CTRL_MAC_TABLE_SET ? set_table(r)
           : r->command == VIRTIO_NET_CTRL_MAC_ADDR_SET && set_address(r);
}

static bool set_vlan(Request *r)
{
    VirtioNet *net = r->net;
    unsigned tag = r->bytes == 2 ? get(r, 0, 2) : MAX_VLAN;

    if (tag >= MAX_VLAN || r->command > VIRTIO_NET_CTRL_VLAN_DEL ||
        !virtio_has_feature(&net->parent, VIRTIO_NET_F_CTRL_VLAN)) {
        return false;
    }
    if (r->command == VIRTIO_NET_CTRL_VLAN_ADD) {
        net->vlans[tag / 32] |= BIT(tag % 32);
    } else {
        net->vlans[tag / 32] &= ~BIT(tag % 32);
    }
    net_device_filter_changed(&net->end);
    return true;
}

static bool has_announced(Request *r)
{
    VirtioNet *net = r->net;

    if (r->command != VIRTIO_NET_CTRL_ANNOUNCE_ACK || !(net->status & VIRTIO_NET_S_ANNOUNCE)) {
        return false;
    }
    net->status &= ~VIRTIO_NET_S_ANNOUNCE;
    return true;
}

static void use_pairs(VirtioNet *net, unsigned pairs)
{
    net->used_pairs = pairs;
    virtio_net_tell_queues(net);
    for (unsigned n = 0; n < pairs; n++) {
        deferred_schedule(net->pairs[n].more);
    }
    virtio_net_ready(net);
}

/* The network spreads frames as it likes; no longer by hashes. */
static bool set_pairs(Request *r)
{
    VirtioNet *net = r->net;
    unsigned pairs = r->bytes == 2 ? get(r, 0, 2) : 0;

    if (!pairs || pairs > net->max_pairs || !virtio_has_feature(&net->parent, VIRTIO_NET_F_MQ)) {
        return false;
    }
    net->rss.is_on = false;
    use_pairs(net, pairs);
    return true;
}

static bool set_queues(Request *r)
{
    unsigned pairs;

    switch (r->command) {
    case VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET:
        return set_pairs(r);
    case VIRTIO_NET_CTRL_MQ_HASH_CONFIG:
        return virtio_net_set_hash(r->net, r->data, r->bytes);
    case VIRTIO_NET_CTRL_MQ_RSS_CONFIG:
        if (!virtio_net_set_rss(r->net, r->data, r->bytes, &pairs)) {
            return false;
        }
        use_pairs(r->net, pairs);
        return true;
    default:
        return false;
    }
}

static bool set_offloads(Request *r)
{
    VirtioNet *net = r->net;
    uint64_t offloads;

    if (r->bytes != 8 || r->command != VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET ||
        !virtio_has_feature(&net->parent, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS)) {
        return false;
    }
    offloads = virtio_get(&net->parent, r->data, 8);
    if (offloads & ~net->parent.driver_features) {
        return false;
    }
    net->guest_offloads = offloads;
    virtio_net_tell_offloads(net);
    return true;
}

static bool obey(uint8_t class, Request *r)
{
    static bool (*const classes[])(Request *r) = {
        [VIRTIO_NET_CTRL_RX] = set_mode,
        [VIRTIO_NET_CTRL_MAC] = set_addresses,
        [VIRTIO_NET_CTRL_VLAN] = set_vlan,
        [VIRTIO_NET_CTRL_ANNOUNCE] = has_announced,
        [VIRTIO_NET_CTRL_MQ] = set_queues,
        [VIRTIO_NET_CTRL_GUEST_OFFLOADS] = set_offloads,
    };

    return class < ARRAY_SIZE(classes) && classes[class] && classes[class](r);
}

static bool serve(VirtioNet *net, VirtQueueElement *elem)
{
    uint64_t bytes = elem->out.bytes;
    g_autofree uint8_t *whole = NULL;
    uint8_t ack = VIRTIO_NET_ERR;

    if (bytes < VIRTIO_NET_CTRL_HDR_BYTES || !elem->in.bytes) {
        virtio_error(&net->parent, "virtio-net ctrl missing headers");
        virtqueue_drop(elem);
        return false;
    }
    if (bytes <= MAX_REQUEST) {
        Request r = { net };

        whole = g_malloc(bytes);
        virtqueue_read(elem, 0, whole, bytes);
        r.command = whole[1];
        r.data = whole + VIRTIO_NET_CTRL_HDR_BYTES;
        r.bytes = bytes - VIRTIO_NET_CTRL_HDR_BYTES;
        ack = obey(whole[0], &r) ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
    }
    virtqueue_push(elem, virtqueue_write(elem, 0, &ack, 1));
    return true;
}

void virtio_net_control(VirtioNet *net, VirtQueue *vq)
{
    VirtQueueElement *elem;

    while (virtio_is_running(&net->parent) && (elem = virtqueue_pop(vq, sizeof(*elem)))) {
        if (!serve(net, elem)) {
            return;
        }
        virtqueue_notify(vq);
    }
}
