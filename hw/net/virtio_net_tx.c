/*
 * virtio-net: frames from the driver.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_net.h"

static NetOffload take_header(const VirtioDevice *vdev, const uint8_t *bytes)
{
    return (NetOffload){
        .flags = bytes[0],
        .segment_kind = bytes[1],
        .header_bytes = virtio_get(vdev, bytes + 2, 2),
        .segment_bytes = virtio_get(vdev, bytes + 4, 2),
        .sum_start = virtio_get(vdev, bytes + 6, 2),
        .sum_offset = virtio_get(vdev, bytes + 8, 2),
    };
}

/* False: the driver broke the device. */
static bool send_one(NetPair *pair, VirtQueueElement *elem)
{
    VirtioNet *net = pair->net;
    unsigned header_bytes = virtio_net_header_bytes(net);
    uint8_t bytes[VIRTIO_NET_HDR_HASH_BYTES];
    NetOffload offload;
    struct iovec piece = { net->frame };
    NetFrame frame = { .iov = &piece, .count = 1 };

    if (elem->out.bytes < header_bytes) {
        virtio_error(&net->parent, "virtio-net header not in first element");
        virtqueue_drop(elem);
        return false;
    }
    virtqueue_read(elem, 0, bytes, header_bytes);
    offload = take_header(&net->parent, bytes);
    if (elem->out.bytes - header_bytes <= NET_FRAME_MAX) {
        piece.iov_len = frame.bytes = virtqueue_read(elem, header_bytes, net->frame,
                                                      elem->out.bytes - header_bytes);
    }
    virtqueue_push(elem, 0);
    if (offload.flags || offload.segment_kind) {
        frame.offload = &offload;
    }
    /* One without addresses, or too long to be one, goes nowhere. */
    if (frame.bytes >= ETH_HEADER_BYTES) {
        pair->is_held = net_send(&net->end.ports[pair - net->pairs], &frame) == NET_WAIT;
    }
    return true;
}

void virtio_net_transmit(NetPair *pair)
{
    VirtioNet *net = pair->net;
    NetPort *port = &net->end.ports[pair - net->pairs];
    VirtQueueElement *elem;
    int left = net->tx_burst;
    bool has_begun;

    if (!virtio_is_running(&net->parent) || pair - net->pairs >= (ptrdiff_t)virtio_net_pairs(net)) {
        return;
    }
    has_begun = net_burst_begin(port);
    while (left && !pair->is_held && (elem = virtqueue_pop(pair->tx, sizeof(*elem))) &&
           send_one(pair, elem)) {
        left--;
    }
    net_burst_end(port, has_begun);
    virtqueue_notify(pair->tx);
    if (!left) {
        deferred_schedule(pair->more);
    }
}

void virtio_net_go_on(NetPort *port)
{
    VirtioNet *net = port->end->owner;
    NetPair *pair = &net->pairs[port->index];

    pair->is_held = false;
    deferred_schedule(pair->more);
}
