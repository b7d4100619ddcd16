/*
 * See hw/usb/xhci.h: life, and what the whole controller is asked. Left out: virtualization, the
 * debug capability, contexts of 64 bytes, scratchpad buffers, bandwidth domains, link power.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "xhci.h"

#include "system/run_state.h"
#include "util/log.h"

/* --- memory --- */

bool xhci_read(Xhci *xhci, uint64_t addr, void *data, size_t bytes)
{
    if (dma_read(xhci->ops->space(xhci), addr, xhci->ops->attrs(xhci), data, bytes) ==
        MEM_TX_OK) {
        return true;
    }
    xhci_die(xhci, USBSTS_HSE);
    return false;
}

bool xhci_write(Xhci *xhci, uint64_t addr, const void *data, size_t bytes)
{
    if (dma_write(xhci->ops->space(xhci), addr, xhci->ops->attrs(xhci), data, bytes) ==
        MEM_TX_OK) {
        return true;
    }
    xhci_die(xhci, USBSTS_HSE);
    return false;
}

void xhci_die(Xhci *xhci, uint32_t why)
{
    guest_error("xhci: halted, USBSTS 0x%x", xhci->usbsts | why);
    xhci->usbsts |= why | USBSTS_HCH;
    xhci->usbcmd &= ~USBCMD_RS;
    xhci->is_command_running = false;
    timer_cancel(&xhci->wrap);
}

/* --- run and halt --- */

static void work(void *opaque)
{
    Xhci *xhci = opaque;

    xhci->is_busy = true;
    xhci->is_work_due = false;
    if (xhci_is_running(xhci)) {
        xhci_tell_ports(xhci);
        xhci_run_commands(xhci);
        xhci_run_due(xhci);
    }
    xhci->is_busy = false;
}

void xhci_defer(Xhci *xhci)
{
    xhci->is_work_due = true;
    deferred_schedule(xhci->work);
}

void xhci_run(Xhci *xhci)
{
    xhci->usbsts &= ~USBSTS_HCH;
    xhci->started_ns = clock_now_ns(CLOCK_VIRTUAL);
    xhci_arm_wrap(xhci);
    xhci_tell_ports(xhci);
    xhci_mark_all_due(xhci);
    xhci_run_due(xhci);
}

static void each_endpoint_give_up(Xhci *xhci)
{
    for (unsigned id = 1; id <= xhci->slot_count; id++) {
        for (unsigned dci = 1; xhci->slots[id].is_enabled && dci < XHCI_ENDPOINTS; dci++) {
            xhci_give_up(xhci, id, dci, CC_INVALID);
        }
    }
}

/* What waits begins anew when it runs again. */
void xhci_halt(Xhci *xhci)
{
    each_endpoint_give_up(xhci);
    xhci_stop_commands(xhci, CC_INVALID);
    xhci->usbsts |= USBSTS_HCH;
    timer_cancel(&xhci->wrap);
}

/* Slots name their devices by place, and all is loaded by now. */
static void find_devices(Xhci *xhci)
{
    for (unsigned id = 1; id <= xhci->slot_count; id++) {
        XhciSlot *slot = &xhci->slots[id];

        slot->dev = slot->is_enabled && slot->state != SLOT_ENABLED ?
            xhci_find_device(xhci, slot->port, slot->route) : NULL;
    }
    xhci_mark_all_due(xhci);
}

static void run_state_changed(Notifier *notifier, void *data)
{
    Xhci *xhci = container_of(notifier, Xhci, run_state_notifier);

    if (((const RunStateChange *)data)->is_running && xhci->is_loaded) {
        xhci->is_loaded = false;
        find_devices(xhci);
        xhci_defer(xhci);
    }
}

/* --- the bus --- */

static void wake(void *opaque, UsbDevice *dev, uint8_t endpoint)
{
    xhci_wake(opaque, dev, endpoint);
}

static void gone(void *opaque, UsbDevice *dev)
{
    xhci_device_gone(opaque, dev);
}

static const UsbBusOps bus_ops_of_xhci = { .wake = wake, .gone = gone };

/* --- life --- */

static bool check(const Xhci *xhci, Error **errp)
{
    if (xhci->usb2_ports > XHCI_PORTS || xhci->usb3_ports > XHCI_PORTS ||
        !(xhci->usb2_ports + xhci->usb3_ports)) {
        return error_set(errp, "p2 and p3 must be between 0 and %d, and not both 0", XHCI_PORTS);
    }
    if (!xhci->interrupter_count || xhci->interrupter_count > XHCI_INTERRUPTERS ||
        xhci->interrupter_count & (xhci->interrupter_count - 1)) {
        return error_set(errp, "intrs must be 1, 2, 4, 8 or 16");
    }
    return (xhci->slot_count && xhci->slot_count <= XHCI_SLOTS) ||
           error_set(errp, "slots must be between 1 and %d", XHCI_SLOTS);
}

bool xhci_realize(Xhci *xhci, Device *dev, const XhciOps *ops, Error **errp)
{
    if (!check(xhci, errp)) {
        return false;
    }
    xhci->dev = dev;
    xhci->ops = ops;
    xhci_init_ports(xhci);
    xhci_init_regions(xhci);
    xhci->work = deferred_new(event_loop_main(), work, xhci);
    xhci->bus = usb_bus_new(dev, &bus_ops_of_xhci, xhci);
    xhci_add_usb_ports(xhci);
    xhci->run_state_notifier.fn = run_state_changed;
    vm_add_state_notifier(&xhci->run_state_notifier);
    return true;
}

void xhci_unrealize(Xhci *xhci)
{
    if (xhci->bus) {
        notifier_remove(&xhci->run_state_notifier);
        each_endpoint_give_up(xhci);
        usb_bus_delete(xhci->bus);
        xhci->bus = NULL;
    }
    deferred_free(xhci->work);
    xhci->work = NULL;
}

void xhci_finalize(Xhci *xhci)
{
    if (xhci->region.name) {
        xhci_clear_regions(xhci);
    }
}

void xhci_reset(Xhci *xhci)
{
    xhci_halt(xhci);
    for (unsigned id = 1; id <= xhci->slot_count; id++) {
        xhci->slots[id] = (XhciSlot){ 0 };
    }
    xhci->usbcmd = xhci->dnctrl = xhci->config = 0;
    xhci->usbsts = USBSTS_HCH;
    xhci->dcbaap = 0;
    xhci->commands = (XhciRing){ 0 };
    xhci->started_ns = 0;
    xhci->has_saved_state = xhci->is_work_due = xhci->is_loaded = false;
    for (unsigned n = 0; n < xhci->interrupter_count; n++) {
        xhci_interrupter_reset(xhci, n);
    }
    timer_cancel(&xhci->moderation);
    xhci_reset_ports(xhci);
}

/* --- saved state: TDs that wait are not, for their rings are where they begin --- */

static const VMField ring_fields[] = { VM_U64(XhciRing, at), VM_BOOL(XhciRing, cycle) };
static const VMState ring_state = VMSTATE_INIT(ring_fields, .name = "xhci_ring", .version = 1);

static const VMField endpoint_fields[] = {
    VM_U8(XhciEndpoint, state), VM_U8(XhciEndpoint, type), VM_U8(XhciEndpoint, stream_bits),
    VM_STRUCT(XhciEndpoint, ring, ring_state), VM_U64(XhciEndpoint, streams),
    VM_ENUM(XhciEndpoint, control, XHCI_CONTROL_STATES), VM_BUFFER(XhciEndpoint, setup),
};
static const VMState endpoint_state =
    VMSTATE_INIT(endpoint_fields, .name = "xhci_endpoint", .version = 1);

static bool has_slot(void *opaque, int version)
{
    return ((const XhciSlot *)opaque)->is_enabled;
}

static const VMField slot_fields[] = {
    VM_BOOL(XhciSlot, is_enabled), VM_U8(XhciSlot, state), VM_U8(XhciSlot, port),
    VM_U32(XhciSlot, route), VM_U16(XhciSlot, interrupter), VM_U64(XhciSlot, context),
    VM_STRUCT_ARRAY(XhciSlot, endpoints, endpoint_state, .test = has_slot),
};
static const VMState slot_state = VMSTATE_INIT(slot_fields, .name = "xhci_slot", .version = 1);

static const VMField interrupter_fields[] = {
    VM_U32(XhciInterrupter, iman), VM_U32(XhciInterrupter, imod),
    VM_U32(XhciInterrupter, erstsz), VM_U64(XhciInterrupter, erstba),
    VM_U64(XhciInterrupter, erdp), VM_U64(XhciInterrupter, segment_base),
    VM_U32(XhciInterrupter, segment_trbs), VM_U32(XhciInterrupter, segment),
    VM_U32(XhciInterrupter, index), VM_BOOL(XhciInterrupter, cycle),
    VM_BOOL(XhciInterrupter, is_full), VM_BOOL(XhciInterrupter, has_event),
    VM_I64(XhciInterrupter, hold_until_ns),
};
static const VMState interrupter_state =
    VMSTATE_INIT(interrupter_fields, .name = "xhci_interrupter", .version = 1);

static const VMField port_fields[] = {
    VM_U32(XhciPort, portsc), VM_U32(XhciPort, portpmsc), VM_BOOL(XhciPort, is_untold),
};
static const VMState port_state = VMSTATE_INIT(port_fields, .name = "xhci_port", .version = 1);

static bool is_sane(const Xhci *xhci)
{
    for (unsigned n = 0; n < xhci->interrupter_count; n++) {
        const XhciInterrupter *i = &xhci->interrupters[n];

        if (i->segment_trbs && (i->index >= i->segment_trbs || i->segment_trbs > 4096 ||
                                i->segment >= i->erstsz || i->erstsz > BIT(XHCI_ERST_BITS))) {
            return false;
        }
    }
    for (unsigned id = 1; id <= xhci->slot_count; id++) {
        const XhciSlot *slot = &xhci->slots[id];

        for (unsigned dci = 1; dci < XHCI_ENDPOINTS; dci++) {
            if (slot->endpoints[dci].stream_bits >= XHCI_STREAM_BITS) {
                return false;
            }
        }
        if (slot->interrupter >= xhci->interrupter_count) {
            return false;
        }
    }
    return true;
}

static bool xhci_post_load(void *opaque, int version, Error **errp)
{
    Xhci *xhci = opaque;

    if (!is_sane(xhci)) {
        return error_set(errp, "xhci: there are no such rings");
    }
    xhci_update_interrupts(xhci);
    xhci->is_loaded = true;
    return true;
}

static const VMField xhci_fields[] = {
    VM_EQUAL(Xhci, slot_count), VM_EQUAL(Xhci, interrupter_count),
    VM_EQUAL(Xhci, usb2_ports), VM_EQUAL(Xhci, usb3_ports),
    VM_U32(Xhci, usbcmd), VM_U32(Xhci, usbsts), VM_U32(Xhci, dnctrl), VM_U32(Xhci, config),
    VM_U64(Xhci, dcbaap), VM_STRUCT(Xhci, commands, ring_state),
    VM_BOOL(Xhci, is_command_running), VM_BOOL(Xhci, has_saved_state), VM_I64(Xhci, started_ns),
    VM_STRUCT_ARRAY(Xhci, interrupters, interrupter_state),
    VM_STRUCT_ARRAY(Xhci, ports, port_state),
    VM_STRUCT_ARRAY(Xhci, slots, slot_state),
    VM_TIMER(Xhci, moderation), VM_TIMER(Xhci, wrap),
};
const VMState xhci_state = VMSTATE_INIT(xhci_fields, .name = "xhci", .version = 1,
                                        .post_load = xhci_post_load);
