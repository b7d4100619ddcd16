/*
 * Endpoints: their states and rings (4.8.3), streams (4.12), and the commands that change them
 * (4.6.8 to 4.6.10). Stream contexts are kept in memory alone; there are no secondary arrays.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "xhci.h"

#include "util/byte_order.h"

#define STREAM_CONTEXT_BYTES 16
#define STREAM_TYPE_PRIMARY  1
enum { CONTEXT_STATE = 0, CONTEXT_DEQUEUE = 8 };

static XhciEndpoint *endpoint(Xhci *xhci, unsigned id, unsigned dci)
{
    return &xhci->slots[id].endpoints[dci];
}

static uint64_t context_addr(const Xhci *xhci, unsigned id, unsigned dci)
{
    return xhci->slots[id].context + dci * XHCI_CONTEXT_BYTES;
}

void xhci_set_endpoint_state(Xhci *xhci, unsigned id, unsigned dci, unsigned state)
{
    uint64_t addr = context_addr(xhci, id, dci) + CONTEXT_STATE;
    uint8_t raw[4];

    endpoint(xhci, id, dci)->state = state;
    if (xhci_read(xhci, addr, raw, sizeof(raw))) {
        raw[0] = (raw[0] & ~7u) | state;
        xhci_write(xhci, addr, raw, sizeof(raw));
    }
}

/* --- rings --- */

static bool is_stream(const XhciEndpoint *ep, unsigned stream)
{
    return stream && stream < BIT(ep->stream_bits + 1);
}

XhciCode xhci_load_ring(Xhci *xhci, unsigned id, unsigned dci, unsigned stream, XhciRing *ring)
{
    const XhciEndpoint *ep = endpoint(xhci, id, dci);
    uint8_t raw[8];
    uint64_t word;

    if (!ep->stream_bits) {
        *ring = ep->ring;
        return CC_SUCCESS;
    }
    if (!is_stream(ep, stream)) {
        return CC_INVALID_STREAM_ID;
    }
    if (!xhci_read(xhci, ep->streams + stream * STREAM_CONTEXT_BYTES, raw, sizeof(raw))) {
        return CC_INVALID;
    }
    word = load_le64(raw);
    *ring = (XhciRing){ word & ~UINT64_C(0xf), word & 1 };
    return (word >> 1 & 7) == STREAM_TYPE_PRIMARY ? CC_SUCCESS : CC_STREAM_TYPE;
}

static void store_pointer(Xhci *xhci, uint64_t addr, XhciRing ring, unsigned type)
{
    uint8_t raw[8];

    store_le64(raw, ring.at | type << 1 | ring.cycle);
    xhci_write(xhci, addr, raw, sizeof(raw));
}

void xhci_store_ring(Xhci *xhci, unsigned id, unsigned dci, unsigned stream, XhciRing ring)
{
    XhciEndpoint *ep = endpoint(xhci, id, dci);

    if (ep->stream_bits) {
        store_pointer(xhci, ep->streams + stream * STREAM_CONTEXT_BYTES, ring,
                      STREAM_TYPE_PRIMARY);
    } else {
        ep->ring = ring;
    }
}

/* Software reads it where the endpoint does not run. */
static void show_ring(Xhci *xhci, unsigned id, unsigned dci)
{
    const XhciEndpoint *ep = endpoint(xhci, id, dci);

    if (!ep->stream_bits) {
        store_pointer(xhci, context_addr(xhci, id, dci) + CONTEXT_DEQUEUE, ep->ring, 0);
    }
}

void xhci_stop_at(Xhci *xhci, unsigned id, unsigned dci, unsigned state)
{
    xhci_set_endpoint_state(xhci, id, dci, state);
    show_ring(xhci, id, dci);
}

/* --- commands --- */

XhciCode xhci_reset_endpoint(Xhci *xhci, unsigned id, unsigned dci, bool keeps_state)
{
    XhciEndpoint *ep = endpoint(xhci, id, dci);

    if (ep->state != EP_HALTED) {
        return ep->state == EP_DISABLED ? CC_ENDPOINT_NOT_ENABLED : CC_CONTEXT_STATE;
    }
    if (!keeps_state) {
        ep->control = XHCI_CONTROL_IDLE;
    }
    xhci_stop_at(xhci, id, dci, EP_STOPPED);
    return CC_SUCCESS;
}

XhciCode xhci_stop_endpoint(Xhci *xhci, unsigned id, unsigned dci)
{
    const XhciEndpoint *ep = endpoint(xhci, id, dci);

    if (ep->state != EP_RUNNING) {
        return ep->state == EP_DISABLED ? CC_ENDPOINT_NOT_ENABLED : CC_CONTEXT_STATE;
    }
    xhci_give_up(xhci, id, dci, CC_STOPPED);
    xhci_stop_at(xhci, id, dci, EP_STOPPED);
    return CC_SUCCESS;
}

XhciCode xhci_set_dequeue(Xhci *xhci, unsigned id, unsigned dci, const XhciTrb *trb)
{
    XhciEndpoint *ep = endpoint(xhci, id, dci);
    unsigned stream = trb->status >> 16, type = trb->parameter >> 1 & 7;
    XhciRing ring = { trb->parameter & ~UINT64_C(0xf), trb->parameter & 1 };

    if (ep->state != EP_STOPPED && ep->state != EP_ERROR) {
        return ep->state == EP_DISABLED ? CC_ENDPOINT_NOT_ENABLED : CC_CONTEXT_STATE;
    }
    if (ep->stream_bits && !is_stream(ep, stream)) {
        return CC_INVALID_STREAM_ID;
    }
    if (ep->stream_bits && type != STREAM_TYPE_PRIMARY) {
        return CC_STREAM_TYPE;
    }
    ep->control = XHCI_CONTROL_IDLE;
    xhci_store_ring(xhci, id, dci, stream, ring);
    xhci_stop_at(xhci, id, dci, EP_STOPPED);
    return CC_SUCCESS;
}
