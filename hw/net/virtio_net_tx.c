/*
 * virtio-net: frames from the driver. They are sent by the main loop, at once or a while after the
 * first (tx=timer); the vCPU that kicked goes on, and need not kick again before all are gone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_net.h"

#include "system/run_state.h"

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

static bool is_in_use(const NetPair *pair)
{
    const VirtioNet *net = pair->net;

    return virtio_is_running(&net->parent) &&
           pair - net->pairs < (ptrdiff_t)virtio_net_pairs(net);
}

/* True: there may be more, and nothing hinders. */
static bool send_some(NetPair *pair)
{
    NetPort *port = &pair->net->end.ports[pair - pair->net->pairs];
    bool has_begun = net_burst_begin(port);
    int left = pair->net->tx_burst;
    VirtQueueElement *elem;

    while (left && !pair->is_held && (elem = virtqueue_pop(pair->tx, sizeof(*elem))) &&
           send_one(pair, elem)) {
        left--;
    }
    net_burst_end(port, has_begun);
    virtqueue_notify(pair->tx);
    return !left;
}

/* While the machine is stopped its memory stays as it is: virtio_net_go_on() comes after that. */
void virtio_net_transmit(void *opaque)
{
    NetPair *pair = opaque;

    if (!is_in_use(pair) || !vm_is_running()) {
        return;
    }
    if (send_some(pair)) {
        deferred_schedule(pair->more);
    } else if (!pair->is_held) {
        virtqueue_set_kicks(pair->tx, true);
        if (!virtqueue_is_empty(pair->tx)) {
            virtio_net_tx_kicked(pair); /* added meanwhile, without a kick */
        }
    }
}

void virtio_net_tx_kicked(NetPair *pair)
{
    if (!is_in_use(pair)) {
        return;
    }
    virtqueue_set_kicks(pair->tx, false);
    if (!pair->net->waits_for_more) {
        deferred_schedule(pair->more);
    } else if (!timer_is_armed(&pair->timer)) {
        timer_arm_after_ns(&pair->timer, pair->net->tx_timer_ns);
    }
}

void virtio_net_go_on(NetPort *port)
{
    VirtioNet *net = port->end->owner;
    NetPair *pair = &net->pairs[port->index];

    pair->is_held = false;
    deferred_schedule(pair->more);
}
