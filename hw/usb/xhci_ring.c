/*
 * Rings that a guest fills (4.9): TRBs up to the first whose cycle bit is another.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "xhci.h"

#include "util/byte_order.h"
#include "util/log.h"

#define LINKS_MOST 32 /* in a row */

static bool read_trb(Xhci *xhci, uint64_t addr, XhciTrb *trb)
{
    uint8_t raw[XHCI_TRB_BYTES];

    if (!xhci_read(xhci, addr, raw, sizeof(raw))) {
        return false;
    }
    *trb = (XhciTrb){ addr, load_le64(raw), load_le32(raw + 8), load_le32(raw + 12) };
    return true;
}

XhciFetch xhci_fetch(Xhci *xhci, XhciRing *ring, XhciTrb *trb)
{
    for (int links = 0; links < LINKS_MOST; links++) {
        if (!read_trb(xhci, ring->at, trb)) {
            return XHCI_BROKEN;
        }
        if ((trb->control & TRB_C) != ring->cycle) {
            return XHCI_EMPTY;
        }
        if (xhci_trb_type(trb) != TRB_LINK) {
            ring->at += XHCI_TRB_BYTES;
            return XHCI_FETCHED;
        }
        ring->at = trb->parameter & ~UINT64_C(0xf);
        ring->cycle ^= !!(trb->control & TRB_TC);
    }
    guest_error("xhci: a ring of links alone at 0x%" PRIx64, ring->at);
    xhci_die(xhci, USBSTS_HCE);
    return XHCI_BROKEN;
}
