/*
 * Device slots, and the commands that take an input context (4.6.3 to 4.6.7, 4.6.11, 6.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "xhci.h"

#include "util/byte_order.h"

#define WORDS      (XHCI_CONTEXT_BYTES / 4)
#define SET_ADDRESS 5

typedef struct Context {
    uint32_t words[WORDS];
} Context;

/* The one at `n`: of a device context 0 is the slot's; of an input context 1 is. */
static bool read_context(Xhci *xhci, uint64_t base, unsigned n, Context *c)
{
    uint8_t raw[XHCI_CONTEXT_BYTES];

    if (!xhci_read(xhci, base + n * XHCI_CONTEXT_BYTES, raw, sizeof(raw))) {
        return false;
    }
    for (unsigned i = 0; i < WORDS; i++) {
        c->words[i] = load_le32(raw + 4 * i);
    }
    return true;
}

static bool write_context(Xhci *xhci, uint64_t base, unsigned n, const Context *c)
{
    uint8_t raw[XHCI_CONTEXT_BYTES];

    for (unsigned i = 0; i < WORDS; i++) {
        store_le32(raw + 4 * i, c->words[i]);
    }
    return xhci_write(xhci, base + n * XHCI_CONTEXT_BYTES, raw, sizeof(raw));
}

/* What a command adds and drops, by bits of places in the device context. */
static bool read_flags(Xhci *xhci, uint64_t input, uint32_t *drop, uint32_t *add)
{
    Context control;

    if (!read_context(xhci, input, 0, &control)) {
        return false;
    }
    *drop = control.words[0];
    *add = control.words[1];
    return true;
}

static uint64_t input_of(const XhciTrb *trb)
{
    return trb->parameter & ~UINT64_C(0xf);
}

/* In memory as well. */
static bool set_slot_state(Xhci *xhci, unsigned id, unsigned state, unsigned address)
{
    XhciSlot *slot = &xhci->slots[id];
    Context c;

    slot->state = state;
    if (!read_context(xhci, slot->context, 0, &c)) {
        return false;
    }
    c.words[3] = state << 27 | address;
    return write_context(xhci, slot->context, 0, &c);
}

/* --- slots --- */

XhciCode xhci_enable_slot(Xhci *xhci, uint8_t *id)
{
    unsigned most = MIN(xhci->config & 0xff, xhci->slot_count);

    for (unsigned n = 1; n <= most; n++) {
        if (!xhci->slots[n].is_enabled) {
            xhci->slots[n] = (XhciSlot){ .is_enabled = true };
            *id = n;
            return CC_SUCCESS;
        }
    }
    return CC_NO_SLOTS;
}

static void disable_endpoint(Xhci *xhci, unsigned id, unsigned dci)
{
    xhci_give_up(xhci, id, dci, CC_INVALID);
    if (xhci->slots[id].endpoints[dci].state != EP_DISABLED) {
        xhci_set_endpoint_state(xhci, id, dci, EP_DISABLED);
    }
    xhci->slots[id].endpoints[dci] = (XhciEndpoint){
        .is_running = xhci->slots[id].endpoints[dci].is_running,
    };
}

void xhci_disable_slot(Xhci *xhci, unsigned id)
{
    XhciSlot *slot = &xhci->slots[id];

    for (unsigned dci = 1; dci < XHCI_ENDPOINTS; dci++) {
        xhci_give_up(xhci, id, dci, CC_INVALID);
    }
    *slot = (XhciSlot){ 0 };
}

/* --- endpoints' contexts --- */

static bool is_valid_endpoint(const Xhci *xhci, unsigned dci, const Context *c)
{
    unsigned type = c->words[1] >> 3 & 7, streams = c->words[0] >> 10 & 0x1f;
    bool is_bulk = type == 2 || type == 6, is_linear = c->words[0] & BIT(15);

    if (!type || (dci == 1 && type != EP_TYPE_CONTROL) ||
        (type != EP_TYPE_CONTROL && (type > EP_TYPE_CONTROL) != (dci & 1)) ||
        !(c->words[1] >> 16)) {
        return false;
    }
    return !streams ||
           (is_bulk && is_linear && xhci->has_streams && streams < XHCI_STREAM_BITS);
}

static void enable_endpoint(Xhci *xhci, unsigned id, unsigned dci, Context *c)
{
    XhciEndpoint *ep = &xhci->slots[id].endpoints[dci];
    uint64_t pointer = (uint64_t)c->words[3] << 32 | c->words[2];

    *ep = (XhciEndpoint){
        .state = EP_RUNNING, .type = c->words[1] >> 3 & 7, .stream_bits = c->words[0] >> 10 & 0x1f,
        .ring = { pointer & ~UINT64_C(0xf), pointer & 1 }, .streams = pointer & ~UINT64_C(0xf),
        .is_running = ep->is_running,
    };
    c->words[0] = (c->words[0] & ~7u) | EP_RUNNING;
    write_context(xhci, xhci->slots[id].context, dci, c);
}

/* --- Address Device --- */

static bool may_address(const XhciSlot *slot, bool is_blocked)
{
    return slot->state == SLOT_ENABLED || (slot->state == SLOT_DEFAULT && !is_blocked);
}

/* A device has one address, the last it was given. */
static void take_device(Xhci *xhci, unsigned id, UsbDevice *dev)
{
    if (xhci->slots[id].dev != dev) {
        xhci_device_gone(xhci, dev);
    }
    xhci->slots[id].dev = dev;
}

static XhciCode set_address(Xhci *xhci, UsbDevice *dev, unsigned address)
{
    DmaList none;
    UsbPacket packet = { .request = { .code = SET_ADDRESS, .value = address }, .data = &none };

    dma_list_init(&none, xhci->ops->space(xhci), xhci->ops->attrs(xhci));
    return usb_submit(dev, &packet) == USB_OK ? CC_SUCCESS : CC_TRANSACTION;
}

XhciCode xhci_address_device(Xhci *xhci, unsigned id, const XhciTrb *trb)
{
    XhciSlot *slot = &xhci->slots[id];
    uint64_t input = input_of(trb);
    bool is_blocked = trb->control & TRB_BSR;
    uint32_t drop, add;
    Context c, ep0;
    uint8_t raw[8];
    UsbDevice *dev;

    if (!may_address(slot, is_blocked)) {
        return CC_CONTEXT_STATE;
    }
    if (!xhci_read(xhci, xhci->dcbaap + 8 * id, raw, 8) ||
        !read_flags(xhci, input, &drop, &add) || !read_context(xhci, input, 1, &c) ||
        !read_context(xhci, input, 2, &ep0)) {
        return CC_INVALID;
    }
    if (drop || (add & 3) != 3) {
        return CC_TRB;
    }
    if (!is_valid_endpoint(xhci, 1, &ep0) || c.words[2] >> 22 >= xhci->interrupter_count) {
        return CC_PARAMETER;
    }
    dev = xhci_find_device(xhci, c.words[1] >> 16 & 0xff, c.words[0]);
    if (!dev) {
        return CC_TRANSACTION;
    }
    take_device(xhci, id, dev);
    slot->context = load_le64(raw) & ~UINT64_C(0x3f);
    slot->port = c.words[1] >> 16;
    slot->route = c.words[0] & 0xfffff;
    slot->interrupter = c.words[2] >> 22;
    if (!is_blocked && set_address(xhci, dev, id) != CC_SUCCESS) {
        return CC_TRANSACTION;
    }
    slot->state = is_blocked ? SLOT_DEFAULT : SLOT_ADDRESSED;
    c.words[3] = slot->state << 27 | (is_blocked ? 0 : id);
    disable_endpoint(xhci, id, 1);
    write_context(xhci, slot->context, 0, &c);
    enable_endpoint(xhci, id, 1, &ep0);
    return CC_SUCCESS;
}

/* --- Configure Endpoint --- */

static bool is_configured(const XhciSlot *slot)
{
    for (unsigned dci = 2; dci < XHCI_ENDPOINTS; dci++) {
        if (slot->endpoints[dci].state != EP_DISABLED) {
            return true;
        }
    }
    return false;
}

static XhciCode drop_and_add(Xhci *xhci, unsigned id, uint64_t input, uint32_t drop, uint32_t add)
{
    Context contexts[XHCI_ENDPOINTS];

    for (unsigned dci = 2; dci < XHCI_ENDPOINTS; dci++) {
        if (!(add & BIT(dci))) {
            continue;
        }
        if (!read_context(xhci, input, dci + 1, &contexts[dci])) {
            return CC_INVALID;
        }
        if (!is_valid_endpoint(xhci, dci, &contexts[dci])) {
            return CC_PARAMETER;
        }
    }
    for (unsigned dci = 2; dci < XHCI_ENDPOINTS; dci++) {
        if ((drop | add) & BIT(dci)) {
            disable_endpoint(xhci, id, dci);
        }
        if (add & BIT(dci)) {
            enable_endpoint(xhci, id, dci, &contexts[dci]);
        }
    }
    return CC_SUCCESS;
}

static XhciCode end_configuration(Xhci *xhci, unsigned id, const Context *input)
{
    XhciSlot *slot = &xhci->slots[id];
    Context c;

    if (!read_context(xhci, slot->context, 0, &c)) {
        return CC_INVALID;
    }
    slot->state = is_configured(slot) ? SLOT_CONFIGURED : SLOT_ADDRESSED;
    if (input) { /* what it says of a hub, and how many contexts there are */
        c.words[0] = (c.words[0] & 0x00ffffff) | (input->words[0] & 0xff000000);
        c.words[1] = (c.words[1] & 0x00ffffff) | (input->words[1] & 0xff000000);
        c.words[2] = (c.words[2] & ~0x00030000u) | (input->words[2] & 0x00030000);
    } else {
        c.words[0] = (c.words[0] & 0x07ffffff) | 1u << 27;
    }
    c.words[3] = (c.words[3] & 0xff) | (uint32_t)slot->state << 27;
    return write_context(xhci, slot->context, 0, &c) ? CC_SUCCESS : CC_INVALID;
}

XhciCode xhci_configure(Xhci *xhci, unsigned id, const XhciTrb *trb)
{
    const XhciSlot *slot = &xhci->slots[id];
    uint32_t drop, add;
    XhciCode code;
    Context c;

    if (slot->state < SLOT_ADDRESSED) {
        return CC_CONTEXT_STATE;
    }
    if (trb->control & TRB_DC) {
        code = drop_and_add(xhci, id, 0, ~3u, 0);
        return code == CC_SUCCESS ? end_configuration(xhci, id, NULL) : code;
    }
    if (!read_flags(xhci, input_of(trb), &drop, &add) ||
        !read_context(xhci, input_of(trb), 1, &c)) {
        return CC_INVALID;
    }
    if (drop & 3 || (add & 3) != 1) {
        return CC_TRB;
    }
    code = drop_and_add(xhci, id, input_of(trb), drop, add);
    return code == CC_SUCCESS ? end_configuration(xhci, id, &c) : code;
}

/* --- Evaluate Context, Reset Device --- */

XhciCode xhci_evaluate(Xhci *xhci, unsigned id, const XhciTrb *trb)
{
    XhciSlot *slot = &xhci->slots[id];
    uint64_t input = input_of(trb);
    uint32_t drop, add;
    Context from, to;

    if (slot->state < SLOT_DEFAULT) {
        return CC_CONTEXT_STATE;
    }
    if (!read_flags(xhci, input, &drop, &add)) {
        return CC_INVALID;
    }
    if (drop || add & ~3u) {
        return CC_TRB;
    }
    if (add & 1) {
        if (!read_context(xhci, input, 1, &from) || !read_context(xhci, slot->context, 0, &to)) {
            return CC_INVALID;
        }
        if (from.words[2] >> 22 >= xhci->interrupter_count) {
            return CC_PARAMETER;
        }
        slot->interrupter = from.words[2] >> 22;
        to.words[1] = (to.words[1] & 0xffff0000) | (from.words[1] & 0xffff);
        to.words[2] = (to.words[2] & 0x003fffff) | (from.words[2] & 0xffc00000);
        write_context(xhci, slot->context, 0, &to);
    }
    if (add & 2) {
        if (!read_context(xhci, input, 2, &from) || !read_context(xhci, slot->context, 1, &to)) {
            return CC_INVALID;
        }
        to.words[1] = (to.words[1] & 0xffff) | (from.words[1] & 0xffff0000);
        write_context(xhci, slot->context, 1, &to);
    }
    return CC_SUCCESS;
}

XhciCode xhci_reset_device(Xhci *xhci, unsigned id)
{
    if (xhci->slots[id].state < SLOT_ADDRESSED) {
        return CC_CONTEXT_STATE;
    }
    for (unsigned dci = 2; dci < XHCI_ENDPOINTS; dci++) {
        disable_endpoint(xhci, id, dci);
    }
    return set_slot_state(xhci, id, SLOT_DEFAULT, 0) ? CC_SUCCESS : CC_INVALID;
}
