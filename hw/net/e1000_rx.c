/*
 * e1000: what is received (82574L, 7.1): filtered, tags taken off, checksums looked at; then
 * e1000_rx_write.c puts it into the driver's buffers. While there are none frames wait, as they
 * would in the chip's packet buffer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000.h"

#define FRAME_MAX      1518 /* bytes with CRC, without LPE and a tag */
#define VLAN_TAG_AT    (2 * ETH_ADDR_BYTES)

static bool is_on(const E1000Nic *s)
{
    return MAC(s, RCTL) & RCTL_EN && pci_device_is_powered(&s->parent);
}

/* --- checksums --- */

static bool looks_at_ip(const E1000Nic *s, const NetPacket *p)
{
    return p->l3 == NET_L3_IPV4 && MAC(s, RXCSUM) & RXCSUM_IPOFLD;
}

static bool looks_at_l4(const E1000Nic *s, const NetPacket *p)
{
    uint32_t rfctl = MAC(s, RFCTL);

    return p->l4 != NET_L4_OTHER && MAC(s, RXCSUM) & RXCSUM_TUOFLD &&
           !(p->l3 == NET_L3_IPV6 && rfctl & (RFCTL_IPV6_DIS | RFCTL_IPV6_XSUM_DIS));
}

static void check_l4(E1000Rx *rx)
{
    const NetPacket *p = &rx->packet;
    bool is_udp = p->l4 == NET_L4_UDP;

    if (is_udp && !load_be16(p->bytes + p->l4_at + 6)) {
        return; /* there is none */
    }
    rx->status |= is_udp ? RXD_UDPCS | RXD_TCPCS : RXD_TCPCS;
    if (is_udp && rx->s->model->is_82574) {
        rx->status |= RXD_EXT_UDPV;
    }
    if (!net_packet_l4_sum_is_good(p)) {
        rx->errors |= RXD_TCPE;
    }
}

static bool is_pure_ack(const NetPacket *p)
{
    return p->l4 == NET_L4_TCP && p->payload_at == p->l4_at + p->l4_bytes &&
           (p->bytes[p->l4_at + 13] & 0x17) == 0x10; /* ACK, no SYN, FIN or RST */
}

static void check_sums(E1000Rx *rx)
{
    E1000Nic *s = rx->s;
    const NetPacket *p = &rx->packet;
    unsigned from = MAC(s, RXCSUM) & 0xff;

    if (from < rx->size) {
        rx->sum = ~net_sum(0, rx->bytes + from, rx->size - from);
    }
    if (!looks_at_ip(s, p) && !looks_at_l4(s, p)) {
        rx->status |= RXD_IXSM;
        return;
    }
    if (looks_at_ip(s, p)) {
        rx->status |= RXD_IPCS;
        rx->errors |= net_packet_ip_sum_is_good(p) ? 0 : RXD_IPE;
    }
    if (looks_at_l4(s, p)) {
        check_l4(rx);
    }
    if (p->l3 == NET_L3_IPV4 && MAC(s, RXCSUM) & RXCSUM_IPPCSE) {
        rx->has_ip_id = true;
        rx->ip_id = load_be16(p->bytes + p->ip_at + 4);
    }
}

/* --- frames --- */

/* Takes the tag off, if the driver wants it in the descriptor. */
static void strip_vlan(E1000Rx *rx, uint8_t *bytes)
{
    if (MAC(rx->s, CTRL) & CTRL_VME && e1000_is_vlan(rx->s, bytes, rx->size)) {
        rx->vlan = load_be16(bytes + VLAN_TAG_AT + 2);
        rx->status |= RXD_VP;
        memmove(bytes + NET_VLAN_BYTES, bytes, VLAN_TAG_AT);
        rx->bytes += NET_VLAN_BYTES;
        rx->size -= NET_VLAN_BYTES;
    }
}

static void add_crc(E1000Rx *rx)
{
    uint8_t *end = (uint8_t *)rx->bytes + rx->size;

    if (!(MAC(rx->s, RCTL) & RCTL_SECRC)) {
        store_le32(end, net_crc(rx->bytes, rx->size));
        rx->size += NET_CRC_BYTES;
    }
}

static bool is_too_long(const E1000Nic *s, const uint8_t *bytes, size_t size)
{
    size_t tag = e1000_is_vlan(s, bytes, size) ? NET_VLAN_BYTES : 0;

    return !(MAC(s, RCTL) & RCTL_LPE) && size + NET_CRC_BYTES > FRAME_MAX + tag;
}

static uint32_t low_ring_cause(const E1000Nic *s, unsigned q)
{
    uint32_t size = MAC_Q(s, RDLEN, q) / E1000_DESC_BYTES, left;

    if (!size) {
        return 0;
    }
    left = (MAC_Q(s, RDT, q) + size - MAC_Q(s, RDH, q)) % size;
    return left <= size >> ((MAC(s, RCTL) >> RCTL_RDMTS_SHIFT & 3) + 1) ? ICR_RXDMT0 : 0;
}

static void tell(E1000Nic *s, const E1000Rx *rx)
{
    uint32_t causes = ICR_RXT0 | low_ring_cause(s, rx->queue);

    if (s->model->is_82574) {
        causes |= ICR_RXQ0 << rx->queue;
        if (!(MAC(s, RFCTL) & RFCTL_ACK_DIS) && is_pure_ack(&rx->packet)) {
            causes |= ICR_ACK;
        }
    }
    if (rx->size <= (MAC(s, RSRPD) & 0xfff)) {
        causes |= ICR_SRPD;
    }
    e1000_rx_done(s, causes);
}

NetResult e1000_take_frame(E1000Nic *s, uint8_t *bytes, size_t size)
{
    E1000Match match = e1000_filter(s, bytes, size);
    E1000Rx rx = { .s = s, .bytes = bytes, .size = size };
    NetResult result;

    if (!is_on(s) || s->is_taking || match == E1000_NO_MATCH) {
        return NET_DONE;
    }
    if (is_too_long(s, bytes, size)) {
        e1000_count(s, E1000_ROC);
        return NET_DONE;
    }
    rx.status = match == E1000_INEXACT ? RXD_PIF : 0;
    strip_vlan(&rx, bytes);
    net_packet_parse(&rx.packet, rx.bytes, rx.size);
    rx.hash_kind = e1000_hash(s, &rx.packet, &rx.hash, &rx.queue);
    check_sums(&rx);
    add_crc(&rx);
    s->is_taking = true;
    result = e1000_rx_write(&rx);
    s->is_taking = false;
    if (result == NET_DONE) {
        e1000_count_rx(s, rx.bytes, size);
        tell(s, &rx);
    }
    return result;
}

static size_t gather(const NetFrame *frame, uint8_t *to)
{
    size_t at = 0;

    for (unsigned n = 0; n < frame->count; n++) {
        memcpy(to + at, frame->iov[n].iov_base, frame->iov[n].iov_len);
        at += frame->iov[n].iov_len;
    }
    if (at < NET_WIRE_MIN) {
        memset(to + at, 0, NET_WIRE_MIN - at);
        at = NET_WIRE_MIN;
    }
    return at;
}

NetResult e1000_receive(NetPort *port, const NetFrame *frame)
{
    E1000Nic *s = port->end->owner;

    size_t size;

    if ((!is_on(s) && pci_device_is_powered(&s->parent)) || !e1000_has_link(s)) {
        return NET_DONE;
    }
    if (frame->bytes + NET_CRC_BYTES > E1000_RX_MAX) {
        e1000_count(s, E1000_ROC);
        return NET_DONE;
    }
    size = gather(frame, s->rx_frame);
    if (!is_on(s)) {
        e1000_wake_by_frame(s, s->rx_frame, size);
        return NET_DONE;
    }
    return e1000_take_frame(s, s->rx_frame, size);
}

void e1000_rx_ready(Device *dev)
{
    E1000Nic *s = E1000(dev);

    if (s->end.ports) {
        net_ready(&s->end.ports[0]);
    }
}
