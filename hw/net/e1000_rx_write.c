/*
 * e1000: received frames in the driver's buffers: legacy, extended and split descriptors (82574L,
 * 7.1.4 to 7.1.6). A descriptor's status is written when all else is there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000.h"

#include "util/log.h"

#define SPLIT_BUFFERS    4
#define SPLIT_DESC_BYTES 32
#define HDRLEN_MASK      0x3ff
#define DTYP_SPLIT       1

/* How this frame goes into descriptors. */
typedef struct Layout {
    bool is_extended, is_split;
    unsigned desc_bytes;
    uint32_t room[SPLIT_BUFFERS]; /* bytes of the buffers of a descriptor */
    uint32_t header;              /* bytes that go into the first buffer alone; 0: not split */
} Layout;

static uint32_t buffer_bytes(const E1000Nic *s)
{
    uint32_t rctl = MAC(s, RCTL), flexible = rctl >> RCTL_FLXBUF_SHIFT & 0xf;
    unsigned size = rctl >> RCTL_BSIZE_SHIFT & 3;

    if (s->model->is_82574 && flexible) {
        return flexible * KiB;
    }
    return (rctl & RCTL_BSEX && size ? 32 * KiB : 2 * KiB) >> size;
}

static uint32_t header_bytes(const E1000Rx *rx, const Layout *l)
{
    const NetPacket *p = &rx->packet;
    uint32_t bytes = p->l4 != NET_L4_OTHER ? p->payload_at
                     : p->l3 != NET_L3_OTHER && p->l4_at ? p->l4_at : 0;
    bool has_others = l->room[1] + l->room[2] + l->room[3];

    if (p->is_fragment && MAC(rx->s, RFCTL) & RFCTL_IPFRSP_DIS) {
        return 0;
    }
    return has_others && bytes <= l->room[0] && bytes <= HDRLEN_MASK ? bytes : 0;
}

static void lay_out(const E1000Rx *rx, Layout *l)
{
    E1000Nic *s = rx->s;
    uint32_t psrctl = MAC(s, PSRCTL);

    *l = (Layout){ .is_extended = s->model->is_82574 && MAC(s, RFCTL) & RFCTL_EXSTEN,
                   .desc_bytes = E1000_DESC_BYTES };
    l->is_split = l->is_extended && (MAC(s, RCTL) >> RCTL_DTYP_SHIFT & 3) == DTYP_SPLIT;
    if (!l->is_split) {
        l->room[0] = buffer_bytes(s);
        return;
    }
    l->desc_bytes = SPLIT_DESC_BYTES;
    l->room[0] = (psrctl & 0x7f) * 128;
    for (unsigned n = 1; n < SPLIT_BUFFERS; n++) {
        l->room[n] = (psrctl >> 8 * n & 0x3f) * KiB;
    }
    l->header = header_bytes(rx, l);
}

/* --- the ring --- */

static uint32_t ring_size(const E1000Rx *rx)
{
    return MAC_Q(rx->s, RDLEN, rx->queue) / E1000_DESC_BYTES;
}

/* Descriptors that the frame needs; 0: none can hold it. */
static uint32_t needed(const E1000Rx *rx, const Layout *l)
{
    uint32_t room = l->room[1] + l->room[2] + l->room[3];
    uint32_t bytes = rx->size - l->header;

    room += l->header ? 0 : l->room[0];
    return room ? MAX(1, (bytes + room - 1) / room) : 0;
}

static uint32_t available(const E1000Rx *rx, const Layout *l)
{
    uint32_t size = ring_size(rx), head = MAC_Q(rx->s, RDH, rx->queue);
    uint32_t tail = MAC_Q(rx->s, RDT, rx->queue);

    if (head >= size || tail >= size) {
        return 0;
    }
    return (tail + size - head) % size / (l->desc_bytes / E1000_DESC_BYTES);
}

/* --- a descriptor --- */

static uint32_t put_buffer(E1000Rx *rx, uint64_t addr, uint32_t at, uint32_t room)
{
    uint32_t bytes = MIN(room, rx->size - at);

    if (bytes && addr) {
        pci_dma_write(&rx->s->parent, addr, rx->bytes + at, bytes);
    }
    return bytes;
}

static void write_legacy(const E1000Rx *rx, uint8_t *raw, uint32_t bytes, bool is_last)
{
    uint32_t status = RXD_DD | (is_last ? (rx->status & 0xff) | RXD_EOP : RXD_IXSM);

    store_le16(raw + 8, bytes);
    store_le16(raw + 10, rx->sum);
    raw[12] = status;
    raw[13] = is_last ? rx->errors : 0;
    store_le16(raw + 14, rx->vlan);
}

static void write_extended(const E1000Rx *rx, uint8_t *raw, uint32_t bytes, bool is_last)
{
    uint32_t status = RXD_DD | (is_last ? rx->status | RXD_EOP : 0);
    bool has_hash = MAC(rx->s, RXCSUM) & RXCSUM_PCSD;

    if (is_last && !has_hash && rx->has_ip_id) {
        status |= RXD_EXT_IPIDV;
    }
    store_le32(raw, rx->hash_kind | rx->queue << 8);
    store_le32(raw + 4, has_hash ? rx->hash : rx->sum | (uint32_t)rx->ip_id << 16);
    store_le32(raw + 8, status | (is_last ? rx->errors << 24 : 0));
    store_le16(raw + 12, bytes);
    store_le16(raw + 14, rx->vlan);
}

/* Fills one descriptor from `at` on; returns the bytes that it took. */
static uint32_t fill_split(E1000Rx *rx, const Layout *l, uint8_t *raw, uint32_t at)
{
    uint32_t taken[SPLIT_BUFFERS], total = 0;
    uint32_t first = !l->header ? l->room[0] : at ? 0 : l->header;

    for (unsigned n = 0; n < SPLIT_BUFFERS; n++) {
        taken[n] = put_buffer(rx, load_le64(raw + 8 * n), at + total, n ? l->room[n] : first);
        total += taken[n];
    }
    memset(raw, 0, SPLIT_DESC_BYTES);
    write_extended(rx, raw, taken[0], at + total == rx->size);
    store_le16(raw + 16, l->header ? l->header | RXD_HDRSP : 0);
    for (unsigned n = 1; n < SPLIT_BUFFERS; n++) {
        store_le16(raw + 16 + 2 * n, taken[n]);
    }
    return total;
}

static uint32_t fill(E1000Rx *rx, const Layout *l, uint8_t *raw, uint32_t at)
{
    uint32_t bytes;

    if (l->is_split) {
        return fill_split(rx, l, raw, at);
    }
    bytes = put_buffer(rx, load_le64(raw), at, l->room[0]);
    if (l->is_extended) {
        write_extended(rx, raw, bytes, at + bytes == rx->size);
    } else {
        write_legacy(rx, raw, bytes, at + bytes == rx->size);
    }
    return bytes;
}

static void write_all(E1000Rx *rx, const Layout *l)
{
    E1000Nic *s = rx->s;
    uint32_t *head = &MAC_Q(s, RDH, rx->queue), at = 0;
    uint32_t size = ring_size(rx);
    uint64_t ring = (uint64_t)MAC_Q(s, RDBAH, rx->queue) << 32 | MAC_Q(s, RDBAL, rx->queue);

    do {
        uint64_t desc = ring + *head * E1000_DESC_BYTES;
        uint8_t raw[SPLIT_DESC_BYTES] = { 0 };

        if (pci_dma_read(&s->parent, desc, raw, l->desc_bytes)) {
            memset(raw, 0, sizeof(raw));
        }
        at += fill(rx, l, raw, at);
        if (l->is_split) {
            pci_dma_write(&s->parent, desc + E1000_DESC_BYTES, raw + E1000_DESC_BYTES,
                          E1000_DESC_BYTES);
        }
        pci_dma_write(&s->parent, desc, raw, E1000_DESC_BYTES);
        *head = (*head + l->desc_bytes / E1000_DESC_BYTES) % size;
    } while (at < rx->size);
}

NetResult e1000_rx_write(E1000Rx *rx)
{
    Layout l;
    uint32_t count;

    lay_out(rx, &l);
    count = needed(rx, &l);
    if (!count || count * (l.desc_bytes / E1000_DESC_BYTES) >= ring_size(rx)) {
        guest_error("e1000: a ring of %" PRIu32 " descriptors cannot take %zu bytes", ring_size(rx),
                    rx->size);
        e1000_count(rx->s, E1000_MPC);
        return NET_DONE;
    }
    if (available(rx, &l) < count) {
        e1000_count(rx->s, E1000_RNBC);
        return NET_WAIT;
    }
    write_all(rx, &l);
    return NET_DONE;
}
