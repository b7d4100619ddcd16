/*
 * virtio-net: hashes of what comes in, and the queue they choose (virtio 1.3, 5.1.6.4.3 and 5.1.6.5.6).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_net.h"

#include "net/packet.h"

/* By the type's bit: what a packet must be, and what is hashed. The first that is there is taken. */
typedef struct HashKind {
    NetL3 l3;
    NetL4 l4; /* OTHER: any */
    bool is_ex;
    uint8_t type;   /* VIRTIO_NET_HASH_TYPE_* */
    uint8_t report; /* VIRTIO_NET_HASH_REPORT_* */
} HashKind;
static const HashKind kinds[] = {
    { NET_L3_IPV4, NET_L4_TCP, false, VIRTIO_NET_HASH_TYPE_TCPv4, VIRTIO_NET_HASH_REPORT_TCPv4 },
    { NET_L3_IPV4, NET_L4_UDP, false, VIRTIO_NET_HASH_TYPE_UDPv4, VIRTIO_NET_HASH_REPORT_UDPv4 },
    { NET_L3_IPV4, NET_L4_OTHER, false, VIRTIO_NET_HASH_TYPE_IPv4, VIRTIO_NET_HASH_REPORT_IPv4 },
    { NET_L3_IPV6, NET_L4_TCP, true, VIRTIO_NET_HASH_TYPE_TCP_EX,
      VIRTIO_NET_HASH_REPORT_TCPv6_EX },
    { NET_L3_IPV6, NET_L4_TCP, false, VIRTIO_NET_HASH_TYPE_TCPv6, VIRTIO_NET_HASH_REPORT_TCPv6 },
    { NET_L3_IPV6, NET_L4_UDP, true, VIRTIO_NET_HASH_TYPE_UDP_EX,
      VIRTIO_NET_HASH_REPORT_UDPv6_EX },
    { NET_L3_IPV6, NET_L4_UDP, false, VIRTIO_NET_HASH_TYPE_UDPv6, VIRTIO_NET_HASH_REPORT_UDPv6 },
    { NET_L3_IPV6, NET_L4_OTHER, true, VIRTIO_NET_HASH_TYPE_IP_EX,
      VIRTIO_NET_HASH_REPORT_IPv6_EX },
    { NET_L3_IPV6, NET_L4_OTHER, false, VIRTIO_NET_HASH_TYPE_IPv6, VIRTIO_NET_HASH_REPORT_IPv6 },
};

static const HashKind *find_kind(const VirtioNet *net, const NetPacket *p)
{
    for (unsigned n = 0; n < ARRAY_SIZE(kinds); n++) {
        const HashKind *kind = &kinds[n];

        if (net->rss.types & BIT(kind->type) && kind->l3 == p->l3 &&
            (kind->l4 == NET_L4_OTHER || kind->l4 == p->l4)) {
            return kind;
        }
    }
    return NULL;
}

/* In one piece. */
static const uint8_t *whole(VirtioNet *net, const NetFrame *frame)
{
    size_t at = 0;

    if (frame->count == 1) {
        return frame->iov->iov_base;
    }
    for (unsigned n = 0; n < frame->count && at < NET_FRAME_MAX; n++) {
        size_t part = MIN(frame->iov[n].iov_len, NET_FRAME_MAX - at);

        memcpy(net->frame + at, frame->iov[n].iov_base, part);
        at += part;
    }
    return net->frame;
}

NetHash virtio_net_hash(VirtioNet *net, const NetFrame *frame)
{
    const HashKind *kind;
    NetPacket p;
    unsigned parts;

    if (!net->rss.types) {
        return (NetHash){ 0 };
    }
    net_packet_parse(&p, whole(net, frame), frame->bytes);
    kind = find_kind(net, &p);
    if (!kind) {
        return (NetHash){ 0 };
    }
    parts = (kind->l4 == NET_L4_OTHER ? NET_HASH_ADDRESSES : NET_HASH_PORTS) |
            (kind->is_ex ? NET_HASH_OPTIONS : 0);
    return (NetHash){ net_packet_hash(&p, net->rss.key, parts), kind->report };
}

unsigned virtio_net_queue_of(const VirtioNet *net, const NetHash *hash, unsigned otherwise)
{
    const NetRss *rss = &net->rss;
    unsigned queue = !rss->is_on ? otherwise
                     : hash->report ? rss->table[hash->value & rss->mask] : rss->unclassified;

    return queue < virtio_net_pairs(net) ? queue : 0;
}

/* --- what the driver says --- */

/* A length and so many bytes at `at`, to the end. */
static bool take_key(VirtioNet *net, const uint8_t *data, size_t bytes, size_t at)
{
    unsigned length = at < bytes ? data[at] : 0;

    if (at >= bytes || bytes - at - 1 != length || length > NET_HASH_KEY_BYTES) {
        return false;
    }
    memset(net->rss.key, 0, NET_HASH_KEY_BYTES);
    memcpy(net->rss.key, data + at + 1, length);
    return true;
}

static bool are_types(uint32_t types)
{
    return !(types & ~VIRTIO_NET_HASH_TYPES);
}

bool virtio_net_set_hash(VirtioNet *net, const uint8_t *data, size_t bytes)
{
    enum { KEY_AT = 12 };
    uint32_t types = bytes > KEY_AT ? virtio_get(&net->parent, data, 4) : UINT32_MAX;

    if (!virtio_has_feature(&net->parent, VIRTIO_NET_F_HASH_REPORT) || !are_types(types) ||
        !take_key(net, data, bytes, KEY_AT)) {
        return false;
    }
    net->rss.types = types;
    net->rss.is_on = false;
    return true;
}

/* The table is a power of two of entries; every entry names a queue that there is. */
static bool take_table(VirtioNet *net, const uint8_t *data, unsigned count)
{
    for (unsigned n = 0; n < count; n++) {
        unsigned queue = virtio_get(&net->parent, data + 2 * n, 2);

        if (queue >= net->max_pairs) {
            return false;
        }
        net->rss.table[n] = queue;
    }
    return true;
}

bool virtio_net_set_rss(VirtioNet *net, const uint8_t *data, size_t bytes, unsigned *pairs)
{
    enum { MASK_AT = 4, OTHER_AT = 6, TABLE_AT = 8 };
    NetRss old = net->rss;
    unsigned mask, count, other;
    size_t after;

    if (!virtio_has_feature(&net->parent, VIRTIO_NET_F_RSS) || bytes < TABLE_AT) {
        return false;
    }
    mask = virtio_get(&net->parent, data + MASK_AT, 2);
    other = virtio_get(&net->parent, data + OTHER_AT, 2);
    count = mask + 1;
    after = TABLE_AT + 2 * count;
    if (count & mask || count > NET_RSS_TABLE || bytes < after + 2 || other >= net->max_pairs ||
        !are_types(virtio_get(&net->parent, data, 4)) || !take_table(net, data + TABLE_AT, count) ||
        !take_key(net, data, bytes, after + 2)) {
        net->rss = old;
        return false;
    }
    *pairs = virtio_get(&net->parent, data + after, 2);
    if (!*pairs || *pairs > net->max_pairs) {
        net->rss = old;
        return false;
    }
    net->rss.types = virtio_get(&net->parent, data, 4);
    net->rss.mask = mask;
    net->rss.unclassified = other;
    net->rss.is_on = true;
    return true;
}
