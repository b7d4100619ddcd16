/*
 * virtio-net: frames to the driver, those that it wants.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_net.h"

#include "qapi/qapi-types-net.h"

#define ETH_VLAN     0x8100
#define MAX_BUFFERS  64 /* that one frame is spread over */
#define IS_MULTICAST 1  /* in the first byte of an address */

static const uint8_t broadcast[ETH_ADDR_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* --- the filter --- */

void virtio_net_reset_filter(VirtioNet *net)
{
    net->is_promiscuous = true;
    net->takes_all_multicast = net->takes_all_unicast = false;
    net->takes_no_multicast = net->takes_no_unicast = net->takes_no_broadcast = false;
    net->unicast_overflow = net->multicast_overflow = false;
    net->unicast_count = net->multicast_count = 0;
    memset(net->table, 0, sizeof(net->table));
    /* Until a driver filters, all VLANs pass. */
    memset(net->vlans, 0xff, sizeof(net->vlans));
}

static bool is_in_table(const VirtioNet *net, uint32_t from, uint32_t count, const uint8_t *mac)
{
    for (uint32_t n = from; n < from + count; n++) {
        if (!memcmp(net->table + n * ETH_ADDR_BYTES, mac, ETH_ADDR_BYTES)) {
            return true;
        }
    }
    return false;
}

static bool wants_group(const VirtioNet *net, const uint8_t *mac)
{
    if (!memcmp(mac, broadcast, ETH_ADDR_BYTES)) {
        return !net->takes_no_broadcast;
    }
    return !net->takes_no_multicast &&
           (net->takes_all_multicast || net->multicast_overflow ||
            is_in_table(net, net->unicast_count, net->multicast_count, mac));
}

static bool wants_unicast(const VirtioNet *net, const uint8_t *mac)
{
    return !net->takes_no_unicast &&
           (net->takes_all_unicast || net->unicast_overflow ||
            !memcmp(mac, net->mac, ETH_ADDR_BYTES) ||
            is_in_table(net, 0, net->unicast_count, mac));
}

static bool wants_vlan(const VirtioNet *net, const uint8_t *head)
{
    unsigned tag = (head[14] << 8 | head[15]) & (MAX_VLAN - 1);

    return (head[12] << 8 | head[13]) != ETH_VLAN || net->vlans[tag / 32] & BIT(tag % 32);
}

void virtio_net_copy_head(const NetFrame *frame, uint8_t *head, size_t bytes)
{
    size_t at = 0;

    for (unsigned n = 0; n < frame->count && at < bytes; n++) {
        size_t part = MIN(bytes - at, frame->iov[n].iov_len);

        memcpy(head + at, frame->iov[n].iov_base, part);
        at += part;
    }
}

static bool is_wanted(const VirtioNet *net, const NetFrame *frame)
{
    uint8_t head[16] = { 0 };

    if (net->is_promiscuous) {
        return true;
    }
    virtio_net_copy_head(frame, head, sizeof(head));
    return wants_vlan(net, head) &&
           (head[0] & IS_MULTICAST ? wants_group(net, head) : wants_unicast(net, head));
}

/* --- buffers --- */

typedef struct Buffers {
    VirtQueueElement *elems[MAX_BUFFERS];
    unsigned count;
    uint64_t bytes;
} Buffers;

static void give_back(Buffers *b)
{
    while (b->count) {
        virtqueue_unpop(b->elems[--b->count]);
    }
}

/* Enough for `bytes`; false, and none taken: there are not. */
static bool take_buffers(VirtQueue *vq, uint64_t bytes, unsigned most, Buffers *b)
{
    *b = (Buffers){ 0 };
    while (b->bytes < bytes && b->count < most) {
        VirtQueueElement *elem = virtqueue_pop(vq, sizeof(*elem));

        if (!elem) {
            break;
        }
        b->elems[b->count++] = elem;
        b->bytes += elem->in.bytes;
    }
    if (b->bytes >= bytes) {
        return true;
    }
    give_back(b);
    return false;
}

static void put_header(VirtioNet *net, const NetFrame *frame, unsigned buffers,
                       const NetHash *hash, uint8_t *out)
{
    const VirtioDevice *vdev = &net->parent;
    NetOffload header = { 0 };

    if (frame->offload) {
        header = *frame->offload;
    }
    out[0] = header.flags;
    out[1] = header.segment_kind;
    virtio_put(vdev, out + 2, 2, header.header_bytes);
    virtio_put(vdev, out + 4, 2, header.segment_bytes);
    virtio_put(vdev, out + 6, 2, header.sum_start);
    virtio_put(vdev, out + 8, 2, header.sum_offset);
    virtio_put(vdev, out + 10, 2, buffers);
    virtio_put(vdev, out + 12, 4, hash->value);
    virtio_put(vdev, out + 16, 2, hash->report);
}

/* `bytes` over the buffers from *at on. */
static void scatter(Buffers *b, uint64_t *at, const uint8_t *bytes, size_t size)
{
    uint64_t start = 0;

    for (unsigned n = 0; n < b->count && size; n++) {
        uint64_t room = b->elems[n]->in.bytes;

        if (*at < start + room) {
            size_t part = MIN(size, start + room - *at);

            virtqueue_write(b->elems[n], *at - start, bytes, part);
            *at += part;
            bytes += part;
            size -= part;
        }
        start += room;
    }
}

static void fill(VirtioNet *net, Buffers *b, const NetFrame *frame, const NetHash *hash)
{
    uint8_t header[VIRTIO_NET_HDR_HASH_BYTES] = { 0 };
    uint64_t at = 0;

    put_header(net, frame, b->count, hash, header);
    scatter(b, &at, header, virtio_net_header_bytes(net));
    for (unsigned n = 0; n < frame->count; n++) {
        scatter(b, &at, frame->iov[n].iov_base, frame->iov[n].iov_len);
    }
    for (unsigned n = 0; n < b->count; n++) {
        uint32_t written = MIN(at, b->elems[n]->in.bytes);

        at -= written;
        virtqueue_push(b->elems[n], written);
    }
}

/* Any queue may have frames of any port. */
static void tell(VirtioNet *net)
{
    for (unsigned n = 0; n < net->max_pairs; n++) {
        NetPair *pair = &net->pairs[n];

        if (pair->is_untold) {
            pair->is_untold = false;
            virtqueue_notify(pair->rx);
        }
    }
}

NetResult virtio_net_deliver(NetPair *pair, const NetFrame *frame)
{
    VirtioNet *net = pair->net;
    uint64_t bytes = virtio_net_header_bytes(net) + frame->bytes;
    bool may_spread = virtio_has_feature(&net->parent, VIRTIO_NET_F_MRG_RXBUF);
    NetHash hash = virtio_net_hash(net, frame);
    NetPair *to = &net->pairs[virtio_net_queue_of(net, &hash, pair - net->pairs)];
    Buffers b;

    if (!take_buffers(to->rx, bytes, may_spread ? MAX_BUFFERS : 1, &b)) {
        /* A buffer that is there is too small for ever: the frame is lost. */
        return virtqueue_is_empty(to->rx) || may_spread ? NET_WAIT : NET_DONE;
    }
    fill(net, &b, frame, &hash);
    to->is_untold = true;
    if (!net->bursts) {
        tell(net);
    }
    return NET_DONE;
}

NetResult virtio_net_receive(NetPort *port, const NetFrame *frame)
{
    VirtioNet *net = port->end->owner;

    if (!virtio_is_running(&net->parent) || port->index >= virtio_net_pairs(net) ||
        !is_wanted(net, frame)) {
        return NET_DONE;
    }
    return virtio_net_merges(net) ? virtio_net_merge(&net->pairs[port->index], frame)
                                  : virtio_net_deliver(&net->pairs[port->index], frame);
}

void virtio_net_burst(NetPort *port, bool is_on)
{
    VirtioNet *net = port->end->owner;

    net->bursts += is_on ? 1 : -1;
    if (!net->bursts) {
        tell(net);
    }
}

/* --- for people --- */

static RxState state_of(bool takes_none, bool takes_all)
{
    return takes_none ? RX_STATE_NONE : takes_all ? RX_STATE_ALL : RX_STATE_NORMAL;
}

static StrArray *show_table(const VirtioNet *net, uint32_t from, uint32_t count)
{
    StrArray *list = g_new0(StrArray, 1);

    for (uint32_t n = from; n < from + count; n++) {
        str_array_add(list, net_show_mac(net->table + n * ETH_ADDR_BYTES));
    }
    return list;
}

static IntArray *show_vlans(const VirtioNet *net)
{
    IntArray *list = g_new0(IntArray, 1);

    for (unsigned tag = 0; tag < MAX_VLAN; tag++) {
        if (net->vlans[tag / 32] & BIT(tag % 32)) {
            int_array_add(list, tag);
        }
    }
    return list;
}

RxFilterInfo *virtio_net_show_filter(NetEnd *end)
{
    const VirtioNet *net = end->owner;
    bool filters_vlans = virtio_has_feature(&net->parent, VIRTIO_NET_F_CTRL_VLAN);
    RxFilterInfo *info = g_new0(RxFilterInfo, 1);

    info->name = g_strdup(end->name);
    info->promiscuous = net->is_promiscuous;
    info->unicast = state_of(net->takes_no_unicast, net->takes_all_unicast);
    info->multicast = state_of(net->takes_no_multicast, net->takes_all_multicast);
    info->vlan = filters_vlans ? RX_STATE_NORMAL : RX_STATE_ALL;
    info->broadcast_allowed = !net->takes_no_broadcast;
    info->unicast_overflow = net->unicast_overflow;
    info->multicast_overflow = net->multicast_overflow;
    info->main_mac = net_show_mac(net->mac);
    info->vlan_table = show_vlans(net);
    info->unicast_table = show_table(net, 0, net->unicast_count);
    info->multicast_table = show_table(net, net->unicast_count, net->multicast_count);
    return info;
}
