/*
 * virtio-net: segments of a TCP connection that follow each other come to the driver as one (RSC; virtio 1.3,
 * VIRTIO_NET_F_RSC_EXT). A frame is held for rsc_interval at most. Only what could have been one segment of the
 * sender's is merged: no options or flags are lost, and checksums are made anew. Acknowledgements without data
 * are left alone, so there are never duplicates of them to tell of.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_net.h"

#define IPV4_BYTES 20
#define IPV6_BYTES 40
#define IP_MAX     65535
#define TCP_SEQ    4
#define TCP_ACK    8
#define TCP_FLAGS  13
#define TCP_WINDOW 14
#define TCP_SUM    16
#define TCP_LEAST  20
enum { FLAG_PSH = 0x08, FLAG_ACK = 0x10 };

/* --- what is in a frame --- */

static const uint8_t *tcp_of(const NetPacket *p)
{
    return p->bytes + p->l4_at;
}

static size_t tcp_header_bytes(const NetPacket *p)
{
    return p->payload_at - p->l4_at;
}

static size_t data_bytes(const NetPacket *p)
{
    return p->l4_bytes - tcp_header_bytes(p);
}

static bool is_plain_ip(const NetPacket *p)
{
    return p->l3 == NET_L3_IPV4 ? p->l4_at - p->ip_at == IPV4_BYTES && net_packet_ip_sum_is_good(p)
                                : p->l3 == NET_L3_IPV6 && !p->has_extensions;
}

static bool is_wanted(const VirtioNet *net, const NetPacket *p)
{
    unsigned bit = p->l3 == NET_L3_IPV4 ? VIRTIO_NET_F_GUEST_TSO4 : VIRTIO_NET_F_GUEST_TSO6;

    return net->guest_offloads & BIT64(bit);
}

/* Nothing of it is left to do. */
static bool is_complete(const NetFrame *frame)
{
    const NetOffload *offload = frame->offload;

    return !offload || (!(offload->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) && !offload->segment_kind);
}

/* Data, and nothing else to tell. */
static bool is_mergeable(const VirtioNet *net, const NetPacket *p)
{
    return !p->has_vlan && !p->is_fragment && is_plain_ip(p) && is_wanted(net, p) && data_bytes(p) &&
           (tcp_of(p)[TCP_FLAGS] & ~FLAG_PSH) == FLAG_ACK && net_packet_l4_sum_is_good(p);
}

static bool is_same_flow(const NetPacket *a, const NetPacket *b)
{
    unsigned bytes = a->l3 == NET_L3_IPV4 ? 8 : 32, at = a->l3 == NET_L3_IPV4 ? 12 : 8;

    return a->l3 == b->l3 && a->has_vlan == b->has_vlan && (!a->has_vlan || a->vlan == b->vlan) &&
           !memcmp(a->bytes + a->ip_at + at, b->bytes + b->ip_at + at, bytes) && !memcmp(tcp_of(a), tcp_of(b), 4);
}

/* Type of service, flags, time to live: all but lengths, number and sum. */
static bool is_same_ip_header(const NetPacket *a, const NetPacket *b)
{
    const uint8_t *x = a->bytes + a->ip_at, *y = b->bytes + b->ip_at;

    return a->l3 == NET_L3_IPV4 ? !memcmp(x, y, 2) && !memcmp(x + 6, y + 6, 4)
                                : !memcmp(x, y, 4) && !memcmp(x + 6, y + 6, 2);
}

static bool is_next(const NetFlow *flow, const NetPacket *p)
{
    const NetPacket *first = &flow->packet;
    const uint8_t *x = tcp_of(first), *y = tcp_of(p);

    return load_be32(y + TCP_SEQ) == flow->next_seq && is_same_ip_header(first, p) &&
           tcp_header_bytes(first) == tcp_header_bytes(p) && !memcmp(x + TCP_ACK, y + TCP_ACK, 4) &&
           !memcmp(x + TCP_WINDOW, y + TCP_WINDOW, 2) &&
           !memcmp(x + TCP_LEAST, y + TCP_LEAST, tcp_header_bytes(p) - TCP_LEAST) &&
           data_bytes(p) <= flow->segment_bytes &&
           flow->size - first->ip_at + data_bytes(p) <= IP_MAX;
}

/* --- flows --- */

static NetFlow *find_flow(NetPair *pair, const NetPacket *p)
{
    for (unsigned n = 0; n < NET_FLOWS; n++) {
        NetFlow *flow = &pair->flows[n];

        if (flow->segments && is_same_flow(&flow->packet, p)) {
            return flow;
        }
    }
    return NULL;
}

static void finish_headers(NetFlow *flow)
{
    uint8_t *ip = flow->bytes + flow->packet.ip_at, *tcp = flow->bytes + flow->packet.l4_at;
    NetPacket whole;

    if (flow->packet.l3 == NET_L3_IPV4) {
        store_be16(ip + 2, flow->size - flow->packet.ip_at);
        store_be16(ip + 10, 0);
        store_be16(ip + 10, ~net_sum(0, ip, IPV4_BYTES));
    } else {
        store_be16(ip + 4, flow->size - flow->packet.ip_at - IPV6_BYTES);
    }
    net_packet_parse(&whole, flow->bytes, flow->size);
    store_be16(tcp + TCP_SUM, 0);
    store_be16(tcp + TCP_SUM, ~net_sum(net_packet_pseudo_sum(&whole), tcp, whole.l4_bytes));
}

/* To the driver; false: it has no buffers now. */
static bool give(NetPair *pair, NetFlow *flow)
{
    const NetPacket *p = &flow->packet;
    const NetOffload offload = {
        .flags = VIRTIO_NET_HDR_F_RSC_INFO,
        .segment_kind = p->l3 == NET_L3_IPV4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6,
        .header_bytes = p->payload_at, .segment_bytes = flow->segment_bytes, .sum_start = flow->segments,
    };
    struct iovec iov = { flow->bytes, flow->size };
    NetFrame frame = NET_FRAME(&iov);

    if (flow->segments > 1) {
        finish_headers(flow);
        frame.offload = &offload;
    }
    if (virtio_net_deliver(pair, &frame) == NET_WAIT) {
        pair->is_blocked = true;
        return false;
    }
    flow->segments = 0;
    return true;
}

static bool give_all(NetPair *pair)
{
    pair->is_blocked = false;
    for (unsigned n = 0; n < NET_FLOWS && !pair->is_blocked; n++) {
        if (pair->flows[n].segments) {
            give(pair, &pair->flows[n]);
        }
    }
    return !pair->is_blocked;
}

static void interval_over(void *opaque)
{
    NetPair *pair = opaque;

    if (virtio_is_live(&pair->net->parent)) {
        give_all(pair);
    }
}

static NetFlow *take_place(NetPair *pair)
{
    for (unsigned n = 0; n < NET_FLOWS; n++) {
        if (!pair->flows[n].segments) {
            return &pair->flows[n];
        }
    }
    return give_all(pair) ? &pair->flows[0] : NULL;
}

static bool begin(NetPair *pair, const NetPacket *p)
{
    NetFlow *flow = take_place(pair);

    if (!flow) {
        return false;
    }
    if (!flow->bytes) {
        flow->bytes = g_malloc(NET_FRAME_MAX);
    }
    flow->size = p->payload_at + data_bytes(p); /* without what pads short frames */
    memcpy(flow->bytes, p->bytes, flow->size);
    flow->packet = *p;
    flow->packet.bytes = flow->bytes;
    flow->segment_bytes = data_bytes(p);
    flow->next_seq = load_be32(tcp_of(p) + TCP_SEQ) + data_bytes(p);
    flow->segments = 1;
    if (!timer_is_armed(&pair->interval)) {
        timer_arm_after_ns(&pair->interval, pair->net->rsc_interval_ns);
    }
    return true;
}

/* What ends a flow is a short segment, or one that is to be seen at once. */
static void append(NetPair *pair, NetFlow *flow, const NetPacket *p)
{
    memcpy(flow->bytes + flow->size, p->bytes + p->payload_at, data_bytes(p));
    flow->bytes[flow->packet.l4_at + TCP_FLAGS] |= tcp_of(p)[TCP_FLAGS];
    flow->size += data_bytes(p);
    flow->next_seq += data_bytes(p);
    flow->segments++;
    if (data_bytes(p) < flow->segment_bytes || tcp_of(p)[TCP_FLAGS] & FLAG_PSH) {
        give(pair, flow);
    }
}

/* --- frames --- */

static NetResult merge(NetPair *pair, const NetPacket *p, const NetFrame *frame)
{
    bool can_merge = is_complete(frame) && is_mergeable(pair->net, p);
    NetFlow *flow = find_flow(pair, p);

    if (flow && can_merge && is_next(flow, p)) {
        append(pair, flow, p);
        return NET_DONE;
    }
    if (flow && !give(pair, flow)) { /* nothing overtakes it */
        return NET_WAIT;
    }
    if (can_merge && !(tcp_of(p)[TCP_FLAGS] & FLAG_PSH)) {
        return begin(pair, p) ? NET_DONE : NET_WAIT;
    }
    return virtio_net_deliver(pair, frame);
}

NetResult virtio_net_merge(NetPair *pair, const NetFrame *frame)
{
    g_autofree uint8_t *whole = NULL;
    const uint8_t *bytes = frame->iov[0].iov_base;
    NetPacket p;

    if (pair->is_blocked && !give_all(pair)) {
        return NET_WAIT;
    }
    if (frame->count > 1) {
        whole = g_malloc(frame->bytes);
        virtio_net_copy_head(frame, whole, frame->bytes);
        bytes = whole;
    }
    net_packet_parse(&p, bytes, frame->bytes);
    return p.l4 == NET_L4_TCP ? merge(pair, &p, frame) : virtio_net_deliver(pair, frame);
}

bool virtio_net_merges(const VirtioNet *net)
{
    return net->guest_offloads & BIT64(VIRTIO_NET_F_RSC_EXT);
}

void virtio_net_merge_go_on(VirtioNet *net)
{
    for (unsigned n = 0; n < net->max_pairs; n++) {
        if (net->pairs[n].is_blocked) {
            give_all(&net->pairs[n]);
        }
    }
}

/* --- life --- */

void virtio_net_merge_init(NetPair *pair)
{
    timer_init(&pair->interval, CLOCK_VIRTUAL, interval_over, pair);
}

void virtio_net_merge_drop(NetPair *pair)
{
    timer_cancel(&pair->interval);
    pair->is_blocked = false;
    for (unsigned n = 0; n < NET_FLOWS; n++) {
        pair->flows[n].segments = 0;
    }
}

void virtio_net_merge_clear(NetPair *pair)
{
    timer_clear(&pair->interval);
    for (unsigned n = 0; n < NET_FLOWS; n++) {
        g_clear_pointer(&pair->flows[n].bytes, g_free);
    }
}
