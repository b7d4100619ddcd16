/*
 * The command ring (4.6): what each command is about is checked here, done elsewhere. Commands of
 * virtualization and of links, which are optional, are TRB errors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "xhci.h"

#include "trace.h"

#define COMMANDS_MOST 64 /* at a time */
#define BANDWIDTH_FREE 80 /* percent of a port's */

static XhciCode on_slot(Xhci *xhci, const XhciTrb *trb, unsigned id)
{
    switch (xhci_trb_type(trb)) {
    case TRB_DISABLE_SLOT:
        xhci_disable_slot(xhci, id);
        return CC_SUCCESS;
    case TRB_ADDRESS_DEVICE:
        return xhci_address_device(xhci, id, trb);
    case TRB_CONFIGURE_ENDPOINT:
        return xhci_configure(xhci, id, trb);
    case TRB_EVALUATE_CONTEXT:
        return xhci_evaluate(xhci, id, trb);
    default:
        return xhci_reset_device(xhci, id);
    }
}

static XhciCode on_endpoint(Xhci *xhci, const XhciTrb *trb, unsigned id)
{
    unsigned dci = trb->control >> 16 & 0x1f;

    if (!dci) {
        return CC_TRB;
    }
    switch (xhci_trb_type(trb)) {
    case TRB_RESET_ENDPOINT:
        return xhci_reset_endpoint(xhci, id, dci, trb->control & TRB_TSP);
    case TRB_STOP_ENDPOINT:
        return xhci_stop_endpoint(xhci, id, dci);
    default:
        return xhci_set_dequeue(xhci, id, dci, trb);
    }
}

/* A byte for each port, the first unused: how much of it is free (6.2.6). */
static XhciCode get_bandwidth(Xhci *xhci, const XhciTrb *trb)
{
    uint8_t free[1 + 2 * XHCI_PORTS] = { 0 };

    memset(free + 1, BANDWIDTH_FREE, xhci->port_count);
    return xhci_write(xhci, trb->parameter & ~UINT64_C(0xf), free, 1 + xhci->port_count) ?
        CC_SUCCESS : CC_INVALID;
}

static XhciCode run(Xhci *xhci, const XhciTrb *trb, uint8_t *id)
{
    *id = trb->control >> 24;
    switch (xhci_trb_type(trb)) {
    case TRB_ENABLE_SLOT:
        *id = 0;
        return xhci_enable_slot(xhci, id);
    case TRB_DISABLE_SLOT: case TRB_ADDRESS_DEVICE: case TRB_CONFIGURE_ENDPOINT:
    case TRB_EVALUATE_CONTEXT: case TRB_RESET_DEVICE:
    case TRB_RESET_ENDPOINT: case TRB_STOP_ENDPOINT: case TRB_SET_DEQUEUE:
        break;
    case TRB_GET_BANDWIDTH:
        return get_bandwidth(xhci, trb);
    case TRB_NO_OP_COMMAND:
        return CC_SUCCESS;
    default:
        return CC_TRB;
    }
    if (!*id || *id > xhci->slot_count) {
        return CC_TRB;
    }
    if (!xhci->slots[*id].is_enabled) {
        return CC_SLOT_NOT_ENABLED;
    }
    return xhci_trb_type(trb) >= TRB_RESET_ENDPOINT && xhci_trb_type(trb) <= TRB_SET_DEQUEUE ?
        on_endpoint(xhci, trb, *id) : on_slot(xhci, trb, *id);
}

static void complete(Xhci *xhci, uint64_t pointer, XhciCode code, uint8_t id)
{
    XhciTrb event = { .parameter = pointer, .status = (uint32_t)code << 24,
                      .control = TRB_COMMAND_COMPLETION << 10 | (uint32_t)id << 24 };

    xhci_post(xhci, 0, &event, false);
}

void xhci_run_commands(Xhci *xhci)
{
    for (int n = 0; xhci->is_command_running && xhci_is_running(xhci); n++) {
        XhciCode code;
        XhciTrb trb;
        uint8_t id;

        if (n == COMMANDS_MOST || !xhci_has_room(xhci, 0)) {
            xhci->is_work_due = true;
            if (n == COMMANDS_MOST) {
                xhci_defer(xhci);
            }
            return;
        }
        if (xhci_fetch(xhci, &xhci->commands, &trb) != XHCI_FETCHED) {
            return;
        }
        code = run(xhci, &trb, &id);
        trace_xhci_command(xhci_trb_type(&trb), id, code);
        if (code != CC_INVALID) {
            complete(xhci, trb.addr, code, id);
        }
    }
}

void xhci_stop_commands(Xhci *xhci, XhciCode code)
{
    if (xhci->is_command_running) {
        xhci->is_command_running = false;
        if (code != CC_INVALID && xhci_has_room(xhci, 0)) {
            complete(xhci, xhci->commands.at, code, 0);
        }
    }
}
