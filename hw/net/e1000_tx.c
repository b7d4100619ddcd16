/*
 * e1000: what is sent (82574L, 7.2): legacy, context and data descriptors of each queue. What a
 * descriptor points to is read once, into a frame of at most NET_FRAME_MAX bytes; longer ones
 * vanish.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000.h"

#include "system/run_state.h"
#include "util/event_loop.h"
#include "util/log.h"

#define MAX_AT_ONCE  256 /* descriptors and frames of a queue, before others have their turn */
#define LENGTH_MASK  0xfffff
#define LEGACY_LENGTH_MASK 0xffff
#define PAD_BYTES    NET_WIRE_MIN

typedef struct TxDesc {
    uint64_t addr;
    uint32_t dw0, dw1, cmd, rest; /* the four words, `addr` the first two */
} TxDesc;

/* --- frames --- */

bool e1000_loops(const E1000Nic *s)
{
    return MAC(s, RCTL) & RCTL_LBM || e1000_phy_loops(s);
}

bool e1000_tx_send(E1000Nic *s, const NetFrame *frame)
{
    s->sent++;
    e1000_count_tx(s, frame->iov->iov_base, frame->bytes);
    if (e1000_loops(s)) {
        uint8_t *bytes = frame->iov->iov_base;

        if (frame->bytes <= E1000_RX_MAX) {
            e1000_take_frame(s, bytes, frame->bytes);
        }
        return false;
    }
    return e1000_has_link(s) && net_send(&s->end.ports[0], frame) == NET_WAIT;
}

static void insert_vlan(E1000Nic *s, E1000TxQueue *queue, uint16_t tag)
{
    uint8_t *at = queue->frame + 2 * ETH_ADDR_BYTES;

    memmove(at + NET_VLAN_BYTES, at, queue->used - 2 * ETH_ADDR_BYTES);
    store_be16(at, MAC(s, VET));
    store_be16(at + 2, tag);
    queue->used += NET_VLAN_BYTES;
}

/* Where headers are in the frame when a tag was put before them. */
static void move_headers(E1000Context *c, unsigned by)
{
    c->ipcss += by;
    c->ipcso += by;
    c->tucss += by;
    c->tucso += by;
    c->hdrlen += by;
    c->ipcse += c->ipcse ? by : 0;
    c->tucse += c->tucse ? by : 0;
}

static void send_frame(E1000Nic *s, E1000TxQueue *queue, const TxDesc *last)
{
    bool is_cut = queue->options & TXD_TSE;
    E1000Context context = queue->contexts[is_cut];
    struct iovec piece = { queue->frame };
    NetFrame frame = { .iov = &piece, .count = 1 };

    if (queue->is_too_long || queue->used < ETH_HEADER_BYTES) {
        guest_error("e1000: a frame of %" PRIu32 " bytes", queue->used);
        return;
    }
    if (last->cmd & TXD_VLE) {
        insert_vlan(s, queue, last->rest >> 16);
        move_headers(&context, NET_VLAN_BYTES);
    }
    if (is_cut) {
        queue->is_held = e1000_segment(s, queue, &context);
        return;
    }
    e1000_fill_sums(queue->frame, queue->used, &context, queue->options);
    if (queue->used < PAD_BYTES && MAC(s, TCTL) & TCTL_PSP) {
        memset(queue->frame + queue->used, 0, PAD_BYTES - queue->used);
        queue->used = PAD_BYTES;
    }
    piece.iov_len = frame.bytes = queue->used;
    queue->is_held = e1000_tx_send(s, &frame);
}

/* --- descriptors --- */

static void take_context(E1000Nic *s, E1000TxQueue *queue, const TxDesc *d)
{
    bool is_cut = d->cmd & TXD_TSE;

    queue->contexts[is_cut] = (E1000Context){
        .ipcss = d->dw0, .ipcso = d->dw0 >> 8, .ipcse = d->dw0 >> 16,
        .tucss = d->dw1, .tucso = d->dw1 >> 8, .tucse = d->dw1 >> 16,
        .paylen = d->cmd & LENGTH_MASK, .is_tcp = d->cmd & TXC_TCP, .is_ipv4 = d->cmd & TXC_IPV4,
        .hdrlen = d->rest >> 8, .mss = d->rest >> 16,
    };
    if (is_cut) {
        e1000_count(s, E1000_TSCTC);
    }
}

static void add_bytes(E1000Nic *s, E1000TxQueue *queue, uint64_t addr, uint32_t bytes)
{
    if (bytes > NET_FRAME_MAX - queue->used) {
        queue->is_too_long = true;
        return;
    }
    if (pci_dma_read(&s->parent, addr, queue->frame + queue->used, bytes)) {
        memset(queue->frame + queue->used, 0, bytes);
    }
    queue->used += bytes;
}

/* A legacy descriptor's checksum: from CSS to the end, put at CSO. */
static void legacy_sum(E1000TxQueue *queue, const TxDesc *d)
{
    NetOffload offload = { .sum_start = d->rest >> 8 & 0xff };
    unsigned at = d->cmd >> 16 & 0xff;

    if (at >= offload.sum_start) {
        offload.sum_offset = at - offload.sum_start;
        net_fill_sum(queue->frame, queue->used, &offload);
    }
}

/* It may be one in the middle of a frame. */
static void take_data(E1000Nic *s, E1000TxQueue *queue, const TxDesc *d)
{
    bool is_legacy = !(d->cmd & TXD_DEXT);

    if (!queue->has_begun) {
        queue->has_begun = true;
        queue->options = is_legacy ? 0 : (d->cmd & TXD_TSE) | (d->rest & (TXD_IXSM | TXD_TXSM));
    }
    add_bytes(s, queue, d->addr, d->cmd & (is_legacy ? LEGACY_LENGTH_MASK : LENGTH_MASK));
    if (!(d->cmd & TXD_EOP)) {
        return;
    }
    if (is_legacy && d->cmd & TXD_IC && !queue->is_too_long) {
        legacy_sum(queue, d);
    }
    send_frame(s, queue, d);
    queue->used = queue->options = 0;
    queue->has_begun = queue->is_too_long = false;
}

static bool is_context(const TxDesc *d)
{
    return d->cmd & TXD_DEXT && (d->cmd >> TXD_DTYP_SHIFT & 0xf) == TXD_DTYP_CONTEXT;
}

static uint64_t ring(const E1000Nic *s, unsigned q)
{
    return (uint64_t)MAC_Q(s, TDBAH, q) << 32 | MAC_Q(s, TDBAL, q);
}

static uint32_t ring_size(const E1000Nic *s, unsigned q)
{
    return MAC_Q(s, TDLEN, q) / E1000_DESC_BYTES;
}

static bool has_work(const E1000Nic *s, unsigned q)
{
    uint32_t size = ring_size(s, q);

    return MAC(s, TCTL) & TCTL_EN && MAC_Q(s, TDH, q) != MAC_Q(s, TDT, q) &&
           MAC_Q(s, TDH, q) < size && MAC_Q(s, TDT, q) < size;
}

/* The next one; returns the causes to raise for it, and whether they may wait. */
static uint32_t take_one(E1000Nic *s, unsigned q, bool *may_wait)
{
    E1000TxQueue *queue = &s->tx[q];
    uint64_t at = ring(s, q) + MAC_Q(s, TDH, q) * E1000_DESC_BYTES;
    uint32_t size = ring_size(s, q);
    uint8_t raw[E1000_DESC_BYTES];
    TxDesc d;

    if (pci_dma_read(&s->parent, at, raw, sizeof(raw))) {
        memset(raw, 0, sizeof(raw));
    }
    d = (TxDesc){ load_le64(raw), load_le32(raw), load_le32(raw + 4), load_le32(raw + 8),
                  load_le32(raw + 12) };
    if (is_context(&d)) {
        take_context(s, queue, &d);
    } else {
        take_data(s, queue, &d);
    }
    MAC_Q(s, TDH, q) = (MAC_Q(s, TDH, q) + 1) % size;
    if (!(d.cmd & TXD_RS)) {
        return 0;
    }
    store_le32(raw + 12, d.rest | TXD_DD);
    pci_dma_write(&s->parent, at + 12, raw + 12, 4);
    *may_wait = d.cmd & TXD_IDE;
    return ICR_TXDW | (s->model->is_82574 ? ICR_TXQ0 << q : 0);
}

static void run_queue(E1000Nic *s, unsigned q)
{
    uint32_t causes = 0;
    bool may_wait = true, is_last_patient = true;

    if (!has_work(s, q)) {
        return;
    }
    s->sent = 0;
    for (unsigned n = 0; n + s->sent < MAX_AT_ONCE && has_work(s, q) && !s->tx[q].is_held; n++) {
        uint32_t more = take_one(s, q, &is_last_patient);

        causes |= more;
        may_wait &= !more || is_last_patient;
    }
    if (MAC_Q(s, TDH, q) == MAC_Q(s, TDT, q)) {
        causes |= ICR_TXQE;
    }
    if (causes) {
        e1000_tx_done(s, causes, may_wait);
    }
    if (has_work(s, q) && !s->tx[q].is_held) {
        deferred_schedule(s->more);
    }
}

void e1000_transmit(Device *dev)
{
    E1000Nic *s = E1000(dev);
    bool has_begun;

    if (s->is_sending) {
        deferred_schedule(s->more);
        return;
    }
    s->is_sending = true;
    has_begun = net_burst_begin(&s->end.ports[0]);
    for (unsigned q = 0; q < s->model->queues; q++) {
        run_queue(s, q);
    }
    net_burst_end(&s->end.ports[0], has_begun);
    s->is_sending = false;
}

void e1000_tx_reset(E1000Nic *s)
{
    for (unsigned q = 0; q < E1000_MAX_QUEUES; q++) {
        s->tx[q] = (E1000TxQueue){ .frame = s->tx[q].frame };
    }
    deferred_cancel(s->more);
}

/* While the machine is stopped its memory stays as it is: e1000_go_on() comes after that. */
void e1000_transmit_more(void *opaque)
{
    if (vm_is_running()) {
        e1000_transmit(opaque);
    }
}

void e1000_go_on(NetPort *port)
{
    E1000Nic *s = port->end->owner;

    for (unsigned q = 0; q < s->model->queues; q++) {
        s->tx[q].is_held = false;
    }
    deferred_schedule(s->more);
}
