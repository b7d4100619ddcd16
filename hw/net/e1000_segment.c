/*
 * e1000: checksums put into frames, and segmentation of TCP and UDP (82574L, 7.2.6 and 7.3).
 * Offsets are the driver's: what lies outside the frame is left alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000.h"

#include "util/log.h"

#define TCP_FIN BIT(0)
#define TCP_PSH BIT(3)
#define TCP_LEAST 20
#define UDP_LEAST 8

/* From `from` to `to` (0: the end), put at `at`; nothing when that is outside. */
static void put_sum(uint8_t *bytes, size_t size, size_t from, size_t at, size_t to)
{
    size_t end = to && to + 1 < size ? to + 1 : size;

    if (from < end && at + 2 <= size) {
        uint16_t sum = ~net_sum(0, bytes + from, end - from);

        store_be16(bytes + at, sum);
    }
}

void e1000_fill_sums(uint8_t *bytes, size_t size, const E1000Context *c, uint32_t options)
{
    if (options & TXD_IXSM && c->ipcso + 2u <= size) {
        store_be16(bytes + c->ipcso, 0);
        put_sum(bytes, size, c->ipcss, c->ipcso, c->ipcse);
    }
    if (options & TXD_TXSM) {
        put_sum(bytes, size, c->tucss, c->tucso, c->tucse);
        if (!c->is_tcp && c->tucso + 2u <= size && !load_be16(bytes + c->tucso)) {
            store_be16(bytes + c->tucso, 0xffff); /* 0 means that UDP has none */
        }
    }
}

/* One piece: where it is in the payload, and how it is sent. */
typedef struct Piece {
    const E1000Context *c;
    unsigned number;
    uint32_t offset, bytes; /* of the payload */
    bool is_last;
} Piece;

static void add16(uint8_t *at, uint32_t value)
{
    store_be16(at, load_be16(at) + value);
}

static void fix_headers(uint8_t *header, const Piece *piece)
{
    const E1000Context *c = piece->c;
    uint8_t *ip = header + c->ipcss, *l4 = header + c->tucss;
    uint32_t l4_bytes = c->hdrlen - c->tucss + piece->bytes;

    if (c->is_ipv4) {
        store_be16(ip + 2, c->hdrlen - c->ipcss + piece->bytes);
        add16(ip + 4, piece->number);
    } else {
        store_be16(ip + 4, l4_bytes + c->tucss - c->ipcss - 40);
    }
    if (c->is_tcp) {
        store_be32(l4 + 4, load_be32(l4 + 4) + piece->offset);
        l4[13] &= piece->is_last ? 0xff : ~(TCP_FIN | TCP_PSH);
    } else {
        store_be16(l4 + 4, l4_bytes);
    }
    /* The driver put the sum of addresses and protocol there, without the length. */
    store_be16(header + c->tucso, net_sum(load_be16(header + c->tucso) + l4_bytes, NULL, 0));
}

static bool is_coherent(const E1000Context *c, uint32_t used)
{
    unsigned ip_least = c->is_ipv4 ? 20 : 40, l4_least = c->is_tcp ? TCP_LEAST : UDP_LEAST;

    return c->mss && c->hdrlen < used && c->ipcss + ip_least <= c->tucss &&
           c->tucss + l4_least <= c->hdrlen && c->tucso >= c->tucss && c->tucso + 2 <= c->hdrlen &&
           c->ipcso + 2 <= c->hdrlen;
}

/* What of TCP the back end may be left with. */
static unsigned offloads_of(const E1000Nic *s, const E1000Context *c)
{
    return net_offloads(net_peer(&s->end)) &
           (NET_TAKES_UNCUT | (c->is_ipv4 ? NET_OFFLOAD_TSO4 : NET_OFFLOAD_TSO6));
}

/* A back end that cuts frames itself, or needs none cut, gets it whole, with headers as if it were one segment. */
static bool send_whole(E1000Nic *s, E1000TxQueue *queue, const E1000Context *c)
{
    enum { NEEDS_SUM = 1, SEGMENT_TCP4 = 1, SEGMENT_TCP6 = 4 };
    NetOffload offload = {
        .flags = NEEDS_SUM, .segment_kind = c->is_ipv4 ? SEGMENT_TCP4 : SEGMENT_TCP6,
        .header_bytes = c->hdrlen, .segment_bytes = c->mss, .sum_start = c->tucss,
        .sum_offset = c->tucso - c->tucss,
    };
    struct iovec iov = { queue->frame, queue->used };
    NetFrame frame = NET_FRAME(&iov);
    Piece piece = { .c = c, .bytes = queue->used - c->hdrlen, .is_last = true };
    bool is_complete = offloads_of(s, c) & NET_TAKES_UNCUT;

    fix_headers(queue->frame, &piece);
    e1000_fill_sums(queue->frame, queue->used, c, is_complete ? queue->options : queue->options & TXD_IXSM);
    frame.offload = is_complete ? NULL : &offload;
    return e1000_tx_send(s, &frame);
}

static bool can_send_whole(const E1000Nic *s, const E1000TxQueue *queue, const E1000Context *c)
{
    return !s->has_no_offload && c->is_tcp && queue->used - c->hdrlen > c->mss &&
           queue->used <= UINT16_MAX && offloads_of(s, c) && !e1000_loops(s);
}

bool e1000_segment(E1000Nic *s, E1000TxQueue *queue, const E1000Context *c)
{
    uint8_t *payload = queue->frame + c->hdrlen;
    g_autofree uint8_t *bytes = NULL;
    struct iovec iov;
    NetFrame frame = { .iov = &iov, .count = 1 };
    Piece piece = { .c = c };
    bool is_held = false;

    if (!is_coherent(c, queue->used)) {
        guest_error("e1000: segmentation of %" PRIu32 " bytes behind a header of %u", queue->used,
                    c->hdrlen);
        e1000_count(s, E1000_TSCTFC);
        return false;
    }
    if (can_send_whole(s, queue, c)) {
        return send_whole(s, queue, c);
    }
    bytes = g_malloc(c->hdrlen + c->mss + NET_CRC_BYTES); /* it may be looped back */
    iov.iov_base = bytes;
    for (uint32_t left = queue->used - c->hdrlen; left; left -= piece.bytes) {
        piece.bytes = MIN(left, c->mss);
        piece.is_last = piece.bytes == left;
        memcpy(bytes, queue->frame, c->hdrlen);
        memcpy(bytes + c->hdrlen, payload + piece.offset, piece.bytes);
        fix_headers(bytes, &piece);
        iov.iov_len = frame.bytes = c->hdrlen + piece.bytes;
        e1000_fill_sums(bytes, frame.bytes, c, queue->options);
        is_held |= e1000_tx_send(s, &frame);
        piece.offset += piece.bytes;
        piece.number++;
    }
    return is_held;
}
