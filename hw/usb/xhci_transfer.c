/*
 * Transfers (4.10, 4.11): TDs from rings to devices, and events of what came of them. A control
 * transfer is done when its data stage is there, or its status stage if it has none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "xhci.h"

#include "util/byte_order.h"
#include "util/log.h"
#include "trace.h"

#define TRBS_MOST   16384 /* of a TD */
#define BUDGET_TRBS 4096  /* of an endpoint at a time */
#define EVENT_DATA_MOST 0xffffff

struct XhciTransfer {
    Xhci *xhci;
    uint8_t id, dci;
    uint16_t stream;
    GArray *trbs;   /* XhciTrb */
    XhciRing next;  /* behind it */
    DmaList data;
    UsbPacket packet;
};

static XhciEndpoint *endpoint_of(const XhciTransfer *t)
{
    return &t->xhci->slots[t->id].endpoints[t->dci];
}

static XhciTrb *trb_at(const XhciTransfer *t, guint n)
{
    return &g_array_index(t->trbs, XhciTrb, n);
}

static void free_transfer(XhciTransfer *t)
{
    g_array_unref(t->trbs);
    dma_list_clear(&t->data);
    g_free(t);
}

/* --- events --- */

static bool has_data(const XhciTrb *trb)
{
    unsigned type = xhci_trb_type(trb);

    return type == TRB_NORMAL || type == TRB_DATA || type == TRB_ISOCH;
}

static uint32_t data_bytes(const XhciTrb *trb)
{
    return has_data(trb) ? trb->status & 0x1ffff : 0;
}

static void post(const XhciTransfer *t, const XhciTrb *trb, XhciCode code, uint32_t bytes)
{
    bool is_data = xhci_trb_type(trb) == TRB_EVENT_DATA;
    XhciTrb event = {
        .parameter = is_data ? trb->parameter : trb->addr,
        .status = (uint32_t)code << 24 | bytes,
        .control = TRB_TRANSFER_EVENT << 10 | (uint32_t)t->id << 24 | (uint32_t)t->dci << 16 |
                   (is_data ? TRB_ED : 0),
    };
    unsigned target = trb->status >> 22;

    xhci_post(t->xhci, target < t->xhci->interrupter_count ? target : 0, &event,
              trb->control & TRB_BEI);
}

/* The TRB an error belongs to: the first with data that did not move, else the last. */
static guint failing_trb(const XhciTransfer *t)
{
    uint64_t left = t->packet.moved;
    guint last = 0;

    for (guint n = 0; n < t->trbs->len; n++) {
        const XhciTrb *trb = trb_at(t, n);
        uint32_t bytes = data_bytes(trb);

        last = xhci_trb_type(trb) == TRB_EVENT_DATA ? last : n;
        if (bytes > left) {
            return n;
        }
        left -= bytes;
    }
    return last;
}

/* A short TD has one event of its own; event data TRBs count apart. */
static void report(const XhciTransfer *t, XhciCode code, guint end)
{
    uint64_t left = t->packet.moved, edtla = 0;
    bool is_short = false, is_told = false;

    for (guint n = 0; n < t->trbs->len && n <= end; n++) {
        const XhciTrb *trb = trb_at(t, n);
        uint32_t bytes = data_bytes(trb), moved = MIN(bytes, left);

        left -= moved;
        edtla += moved;
        is_short |= moved < bytes;
        if (n == end) {
            post(t, trb, code, bytes - moved);
        } else if (xhci_trb_type(trb) == TRB_EVENT_DATA) {
            if (trb->control & TRB_IOC) {
                post(t, trb, is_short ? CC_SHORT_PACKET : CC_SUCCESS,
                     MIN(edtla, EVENT_DATA_MOST));
            }
            edtla = 0;
        } else if (!is_told &&
                   (trb->control & TRB_IOC || (is_short && trb->control & TRB_ISP))) {
            post(t, trb, is_short ? CC_SHORT_PACKET : CC_SUCCESS, bytes - moved);
            is_told = is_short;
        }
    }
}

/* --- the end of a TD --- */

static bool is_isochronous(const XhciEndpoint *ep)
{
    return ep->type == 1 || ep->type == 5;
}

static XhciCode code_of(const UsbPacket *packet)
{
    static const XhciCode codes[] = {
        [USB_OK] = CC_SUCCESS, [USB_STALL] = CC_STALL, [USB_BABBLE] = CC_BABBLE,
        [USB_IO_ERROR] = CC_TRANSACTION,
    };

    return packet->has_fault ? CC_DATA_BUFFER : codes[packet->status];
}

/* The ring is behind the TD, or before what failed of it. */
static void end(XhciTransfer *t, XhciCode code)
{
    XhciEndpoint *ep = endpoint_of(t);
    Xhci *xhci = t->xhci;

    trace_xhci_transfer(t->id, t->dci, code, t->packet.moved);
    ep->transfer = NULL;
    if (code == CC_SUCCESS || (is_isochronous(ep) && code != CC_TRB)) {
        xhci_store_ring(xhci, t->id, t->dci, t->stream, t->next);
        report(t, code, code == CC_SUCCESS ? G_MAXUINT : failing_trb(t));
    } else {
        guint n = failing_trb(t);
        XhciRing ring = { trb_at(t, n)->addr, trb_at(t, n)->control & TRB_C };

        ep->control = XHCI_CONTROL_IDLE;
        xhci_store_ring(xhci, t->id, t->dci, t->stream, ring);
        xhci_stop_at(xhci, t->id, t->dci, code == CC_TRB ? EP_ERROR : EP_HALTED);
        report(t, code, n);
    }
    free_transfer(t);
}

static void run(Xhci *xhci, unsigned id, unsigned dci);

static void done(UsbPacket *packet)
{
    XhciTransfer *t = container_of(packet, XhciTransfer, packet);
    Xhci *xhci = t->xhci;
    unsigned id = t->id, dci = t->dci;
    bool was_busy = xhci->is_busy;

    xhci->is_busy = true;
    endpoint_of(t)->control = endpoint_of(t)->control ? XHCI_CONTROL_DONE : XHCI_CONTROL_IDLE;
    end(t, code_of(packet));
    run(xhci, id, dci);
    xhci->is_busy = was_busy;
}

/* False: it waits. */
static bool submit(XhciTransfer *t)
{
    XhciEndpoint *ep = endpoint_of(t);
    UsbDevice *dev = t->xhci->slots[t->id].dev;
    UsbStatus status = USB_IO_ERROR;

    ep->transfer = t;
    if (dev) {
        status = usb_submit(dev, &t->packet);
    }
    t->packet.status = status;
    if (status == USB_NAK || status == USB_LATER) {
        return false;
    }
    if (ep->type == EP_TYPE_CONTROL) {
        ep->control = XHCI_CONTROL_DONE;
    }
    end(t, code_of(&t->packet));
    return true;
}

/* --- the beginning --- */

static void set_request(UsbPacket *packet, const uint8_t setup[8])
{
    packet->request = (UsbRequest){ setup[0], setup[1], load_le16(setup + 2),
                                    load_le16(setup + 4), load_le16(setup + 6) };
    packet->is_in = setup[0] & USB_TO_HOST;
}

/* Stages come one by one, each as a TD. */
static bool start_control(XhciTransfer *t)
{
    XhciEndpoint *ep = endpoint_of(t);
    const XhciTrb *trb = trb_at(t, 0);
    XhciControl before = ep->control;

    switch (xhci_trb_type(trb)) {
    case TRB_SETUP:
        if (!(trb->control & TRB_IDT) || (trb->status & 0x1ffff) != 8 || t->trbs->len > 1) {
            break;
        }
        store_le64(ep->setup, trb->parameter);
        ep->control = XHCI_CONTROL_SETUP;
        end(t, CC_SUCCESS);
        return true;
    case TRB_DATA:
        if (before != XHCI_CONTROL_SETUP) {
            break;
        }
        set_request(&t->packet, ep->setup);
        return submit(t);
    case TRB_STATUS:
        ep->control = XHCI_CONTROL_IDLE;
        if (before != XHCI_CONTROL_SETUP) {
            end(t, before == XHCI_CONTROL_DONE ? CC_SUCCESS : CC_TRB);
            return true;
        }
        set_request(&t->packet, ep->setup);
        submit(t);
        ep->control = XHCI_CONTROL_IDLE;
        return true;
    default:
        break;
    }
    end(t, CC_TRB);
    return true;
}

/* The TD's data as a list. False: it makes no sense. */
static bool gather(XhciTransfer *t)
{
    for (guint n = 0; n < t->trbs->len; n++) {
        const XhciTrb *trb = trb_at(t, n);
        uint32_t bytes = data_bytes(trb);
        bool is_immediate = has_data(trb) && trb->control & TRB_IDT;

        if (is_immediate && bytes > 8) {
            return false;
        }
        /* Immediate data is in the TRB, which is in memory. */
        if (!dma_list_add(&t->data, is_immediate ? trb->addr : trb->parameter, bytes)) {
            return false;
        }
    }
    return true;
}

static bool start(XhciTransfer *t)
{
    XhciEndpoint *ep = endpoint_of(t);
    unsigned type = xhci_trb_type(trb_at(t, 0));

    t->packet.done = done;
    t->packet.data = &t->data;
    t->packet.endpoint = t->dci / 2;
    t->packet.is_in = t->dci & 1;
    t->packet.stream = t->stream;
    if (type == TRB_NO_OP || type == TRB_EVENT_DATA) {
        end(t, CC_SUCCESS);
        return true;
    }
    if (!gather(t)) {
        end(t, CC_TRB);
        return true;
    }
    if (ep->type == EP_TYPE_CONTROL) {
        return start_control(t);
    }
    if (type != TRB_NORMAL && !(type == TRB_ISOCH && is_isochronous(ep))) {
        end(t, CC_TRB);
        return true;
    }
    return submit(t);
}

/* --- TDs of a ring --- */

static XhciTransfer *new_transfer(Xhci *xhci, unsigned id, unsigned dci, unsigned stream)
{
    XhciTransfer *t = g_new0(XhciTransfer, 1);

    t->xhci = xhci;
    t->id = id;
    t->dci = dci;
    t->stream = stream;
    t->trbs = g_array_new(FALSE, FALSE, sizeof(XhciTrb));
    dma_list_init(&t->data, xhci->ops->space(xhci), xhci->ops->attrs(xhci));
    return t;
}

/* A TD that is there as a whole; NULL: there is none. */
static XhciTransfer *fetch_td(Xhci *xhci, unsigned id, unsigned dci, unsigned stream)
{
    XhciTransfer *t;
    XhciRing ring;
    XhciTrb trb;

    if (xhci_load_ring(xhci, id, dci, stream, &ring) != CC_SUCCESS) {
        guest_error("xhci: slot %u endpoint %u has no stream %u", id, dci, stream);
        return NULL;
    }
    t = new_transfer(xhci, id, dci, stream);
    do {
        if (t->trbs->len == TRBS_MOST) {
            guest_error("xhci: a TD of more than %d TRBs", TRBS_MOST);
            t->next = ring;
            end(t, CC_TRB);
            return NULL;
        }
        if (xhci_fetch(xhci, &ring, &trb) != XHCI_FETCHED) {
            free_transfer(t);
            return NULL;
        }
        g_array_append_val(t->trbs, trb);
    } while (trb.control & TRB_CH);
    t->next = ring;
    return t;
}

/* Each event of a TD's may go to an interrupter of its own. */
static bool has_room(const XhciTransfer *t)
{
    uint64_t asked = 0;

    for (guint n = 0; n < t->trbs->len; n++) {
        unsigned target = trb_at(t, n)->status >> 22;

        target = target < t->xhci->interrupter_count ? target : 0;
        if (!(asked & BIT64(target)) && !xhci_has_room(t->xhci, target)) {
            return false;
        }
        asked |= BIT64(target);
    }
    return true;
}

static bool is_ready(const Xhci *xhci, const XhciSlot *slot, const XhciEndpoint *ep)
{
    return xhci_is_running(xhci) && slot->is_enabled && ep->state == EP_RUNNING && !ep->transfer;
}

/* Serves it while the budget lasts. False: it does not. */
static bool run_ring(Xhci *xhci, unsigned id, unsigned dci, unsigned stream, unsigned *budget)
{
    XhciEndpoint *ep = &xhci->slots[id].endpoints[dci];

    while (is_ready(xhci, &xhci->slots[id], ep)) {
        XhciTransfer *t;

        if (!*budget) {
            xhci_defer(xhci);
            return false;
        }
        t = fetch_td(xhci, id, dci, stream);
        if (!t) {
            return true;
        }
        if (!has_room(t)) {
            free_transfer(t);
            return false;
        }
        *budget -= MIN(*budget, t->trbs->len);
        if (!start(t)) {
            return true;
        }
    }
    return true;
}

static void run_streams(Xhci *xhci, unsigned id, unsigned dci, unsigned *budget)
{
    XhciEndpoint *ep = &xhci->slots[id].endpoints[dci];

    for (unsigned word = 0; word < ARRAY_SIZE(ep->due_streams); word++) {
        while (ep->due_streams[word]) {
            unsigned bit = __builtin_ctzll(ep->due_streams[word]);

            if (ep->transfer || !run_ring(xhci, id, dci, word * 64 + bit, budget)) {
                ep->is_due = true;
                return;
            }
            if (!ep->transfer) {
                ep->due_streams[word] &= ~BIT64(bit);
            }
        }
    }
}

/* A loop, not recursion: devices may wake what they are just asked. */
static void run(Xhci *xhci, unsigned id, unsigned dci)
{
    XhciEndpoint *ep = &xhci->slots[id].endpoints[dci];
    unsigned budget = BUDGET_TRBS;

    if (ep->is_running) {
        ep->is_due = true;
        xhci->is_work_due = true;
        return;
    }
    ep->is_running = true;
    ep->is_due = false;
    if (ep->stream_bits) {
        run_streams(xhci, id, dci, &budget);
    } else if (!run_ring(xhci, id, dci, 0, &budget)) {
        ep->is_due = true;
    }
    xhci->is_work_due |= ep->is_due;
    ep->is_running = false;
}

/* --- who asks --- */

static void retry(Xhci *xhci, unsigned id, unsigned dci)
{
    XhciTransfer *t = xhci->slots[id].endpoints[dci].transfer;

    if (t && !t->packet.dev && !submit(t)) {
        return;
    }
    run(xhci, id, dci);
}

void xhci_doorbell(Xhci *xhci, unsigned id, unsigned dci, unsigned stream)
{
    XhciEndpoint *ep = &xhci->slots[id].endpoints[dci];

    if (!xhci->slots[id].is_enabled || ep->state == EP_DISABLED) {
        guest_error("xhci: a doorbell of slot %u, endpoint %u, which is not there", id, dci);
        return;
    }
    if (ep->state == EP_STOPPED && xhci_is_running(xhci)) {
        xhci_set_endpoint_state(xhci, id, dci, EP_RUNNING);
    }
    if (ep->stream_bits) {
        ep->due_streams[stream % BIT(XHCI_STREAM_BITS) / 64] |= BIT64(stream % 64);
    }
    run(xhci, id, dci);
}

void xhci_wake(Xhci *xhci, UsbDevice *dev, uint8_t endpoint)
{
    unsigned dci = 2 * endpoint + 1;
    bool was_busy = xhci->is_busy;

    xhci->is_busy = true;
    for (unsigned id = 1; id <= xhci->slot_count; id++) {
        if (xhci->slots[id].dev == dev && xhci->slots[id].endpoints[dci].transfer) {
            retry(xhci, id, dci);
        }
    }
    xhci->is_busy = was_busy;
}

void xhci_mark_all_due(Xhci *xhci)
{
    for (unsigned id = 1; id <= xhci->slot_count; id++) {
        for (unsigned dci = 1; dci < XHCI_ENDPOINTS; dci++) {
            XhciEndpoint *ep = &xhci->slots[id].endpoints[dci];

            ep->is_due = ep->state == EP_RUNNING;
            if (ep->is_due && ep->stream_bits) {
                memset(ep->due_streams, 0xff, sizeof(ep->due_streams));
                ep->due_streams[0] &= ~BIT64(0);
            }
        }
    }
    xhci->is_work_due = true;
}

void xhci_run_due(Xhci *xhci)
{
    for (unsigned id = 1; id <= xhci->slot_count; id++) {
        for (unsigned dci = 1; xhci->slots[id].is_enabled && dci < XHCI_ENDPOINTS; dci++) {
            if (xhci->slots[id].endpoints[dci].is_due) {
                run(xhci, id, dci);
            }
        }
    }
}

void xhci_give_up(Xhci *xhci, unsigned id, unsigned dci, XhciCode code)
{
    XhciEndpoint *ep = &xhci->slots[id].endpoints[dci];
    XhciTransfer *t = ep->transfer;
    const XhciTrb *first;

    if (!t) {
        return;
    }
    ep->transfer = NULL;
    if (t->packet.dev) {
        usb_cancel(&t->packet);
    }
    first = trb_at(t, 0);
    if (code != CC_INVALID) {
        post(t, first, code, data_bytes(first));
    }
    free_transfer(t);
}

void xhci_device_gone(Xhci *xhci, UsbDevice *dev)
{
    for (unsigned id = 1; id <= xhci->slot_count; id++) {
        XhciSlot *slot = &xhci->slots[id];

        for (unsigned dci = 1; slot->dev == dev && dci < XHCI_ENDPOINTS; dci++) {
            XhciTransfer *t = slot->endpoints[dci].transfer;

            if (t && t->packet.dev) {
                usb_cancel(&t->packet);
            }
            if (t) {
                t->packet.moved = 0;
                end(t, CC_TRANSACTION);
            }
        }
        slot->dev = slot->dev == dev ? NULL : slot->dev;
    }
}
