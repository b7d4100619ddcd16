/*
 * Event rings and interrupters (4.9.4, 4.17). A ring with one place left gets an Event Ring Full
 * error; what comes then is lost, so nothing that makes events is begun before there is room.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "xhci.h"

#include "util/byte_order.h"
#include "util/log.h"
#include "trace.h"

#define MODERATION_NS   250
#define IMOD_INITIAL    4000
#define SEGMENT_MIN     16
#define SEGMENT_MAX     4096
#define ERST_ENTRY_BYTES 16

/* --- the ring --- */

/* Where events go: a place in a segment. */
typedef struct Place {
    uint64_t base;
    uint32_t trbs, segment, index;
} Place;

static Place here(const XhciInterrupter *i)
{
    return (Place){ i->segment_base, i->segment_trbs, i->segment, i->index };
}

static uint64_t place_addr(const Place *place)
{
    return place->base + (uint64_t)place->index * XHCI_TRB_BYTES;
}

static bool read_segment(Xhci *xhci, const XhciInterrupter *i, Place *place)
{
    uint8_t entry[ERST_ENTRY_BYTES];

    if (!xhci_read(xhci, i->erstba + place->segment * ERST_ENTRY_BYTES, entry, sizeof(entry))) {
        return false;
    }
    place->base = load_le64(entry) & ~UINT64_C(0x3f);
    place->trbs = load_le32(entry + 8) & 0xffff;
    place->index = 0;
    if (place->trbs < SEGMENT_MIN || place->trbs > SEGMENT_MAX) {
        guest_error("xhci: a segment of %" PRIu32 " events", place->trbs);
        xhci_die(xhci, USBSTS_HCE);
        return false;
    }
    return true;
}

static bool next_place(Xhci *xhci, const XhciInterrupter *i, Place *place)
{
    if (++place->index < place->trbs) {
        return true;
    }
    place->segment = (place->segment + 1) % i->erstsz;
    return i->erstsz == 1 ? (place->index = 0, true) : read_segment(xhci, i, place);
}

void xhci_set_event_ring(Xhci *xhci, unsigned n)
{
    XhciInterrupter *i = &xhci->interrupters[n];
    Place place = { 0 };

    i->segment_trbs = 0;
    i->is_full = i->has_event = false;
    if (i->erstsz && i->erstsz <= BIT(XHCI_ERST_BITS) && read_segment(xhci, i, &place)) {
        i->segment_base = place.base;
        i->segment_trbs = place.trbs;
        i->segment = i->index = 0;
        i->cycle = true;
    }
}

/* Places before the consumer's, of one and two. */
static unsigned room(Xhci *xhci, const XhciInterrupter *i)
{
    uint64_t consumer = i->erdp & ~UINT64_C(0xf);
    Place place = here(i);
    unsigned count = 0;

    while (count < 2 && next_place(xhci, i, &place) && place_addr(&place) != consumer) {
        count++;
    }
    return count;
}

bool xhci_has_room(Xhci *xhci, unsigned n)
{
    const XhciInterrupter *i = &xhci->interrupters[n];

    return i->segment_trbs && !i->is_full && room(xhci, i) == 2;
}

static void put(Xhci *xhci, XhciInterrupter *i, const XhciTrb *event)
{
    uint8_t raw[XHCI_TRB_BYTES];
    Place place = here(i);

    store_le64(raw, event->parameter);
    store_le32(raw + 8, event->status);
    store_le32(raw + 12, event->control | i->cycle);
    if (!xhci_write(xhci, place_addr(&place), raw, sizeof(raw)) ||
        !next_place(xhci, i, &place)) {
        return;
    }
    i->cycle ^= !place.index && !place.segment;
    i->segment_base = place.base;
    i->segment_trbs = place.trbs;
    i->segment = place.segment;
    i->index = place.index;
}

void xhci_post(Xhci *xhci, unsigned n, const XhciTrb *event, bool blocks_interrupt)
{
    static const XhciTrb full = { .status = CC_RING_FULL << 24,
                                  .control = TRB_HOST_CONTROLLER << 10 };
    XhciInterrupter *i = &xhci->interrupters[n];

    trace_xhci_post(n, xhci_trb_type(event), event->status >> 24, event->parameter);
    if (!i->segment_trbs || i->is_full) {
        guest_error("xhci: an event without room for it");
        return;
    }
    i->is_full = room(xhci, i) < 2;
    put(xhci, i, i->is_full ? &full : event);
    i->has_event |= !blocks_interrupt;
    xhci_update_interrupts(xhci);
}

/* --- interrupts --- */

static void set_line(Xhci *xhci, unsigned n)
{
    XhciInterrupter *i = &xhci->interrupters[n];
    bool is_up = i->iman & IMAN_IP && i->iman & IMAN_IE && xhci->usbcmd & USBCMD_INTE;
    bool was_up = xhci->lines & BIT(n);

    if (is_up == was_up) {
        return;
    }
    xhci->lines ^= BIT(n);
    if (xhci->ops->interrupt(xhci, n, is_up)) {
        i->iman &= ~IMAN_IP;
        xhci->lines &= ~BIT(n);
    }
}

static void update(Xhci *xhci, unsigned n, int64_t now)
{
    XhciInterrupter *i = &xhci->interrupters[n];

    if (i->has_event && !(i->erdp & ERDP_EHB)) {
        if (now < i->hold_until_ns) {
            timer_arm_no_later_ns(&xhci->moderation, i->hold_until_ns);
        } else {
            i->has_event = false;
            i->iman |= IMAN_IP;
            i->erdp |= ERDP_EHB;
            i->hold_until_ns = now + (int64_t)(i->imod & 0xffff) * MODERATION_NS;
            xhci->usbsts |= USBSTS_EINT;
        }
    }
    set_line(xhci, n);
}

void xhci_update_interrupts(Xhci *xhci)
{
    int64_t now = clock_now_ns(CLOCK_VIRTUAL);

    for (unsigned n = 0; n < xhci->interrupter_count; n++) {
        update(xhci, n, now);
    }
}

void xhci_moderation_expired(Xhci *xhci)
{
    xhci_update_interrupts(xhci);
}

void xhci_set_erdp(Xhci *xhci, unsigned n, uint64_t value)
{
    XhciInterrupter *i = &xhci->interrupters[n];
    uint64_t busy = value & ERDP_EHB ? 0 : i->erdp & ERDP_EHB;
    bool was_busy = i->erdp & ERDP_EHB;
    Place place = here(i);

    i->erdp = (value & ~(uint64_t)ERDP_EHB) | busy;
    if (was_busy && !busy && i->segment_trbs) {
        i->has_event = (value & ~UINT64_C(0xf)) != place_addr(&place);
    }
    i->is_full = i->is_full && !room(xhci, i);
    if (xhci->is_work_due) {
        xhci_defer(xhci);
    }
    xhci_update_interrupts(xhci);
}

void xhci_interrupter_reset(Xhci *xhci, unsigned n)
{
    xhci->interrupters[n] = (XhciInterrupter){ .imod = IMOD_INITIAL };
    set_line(xhci, n);
}
