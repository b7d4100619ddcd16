/*
 * See hw/usb/usb_hid.h: requests of the class (HID 1.11, 7.2), and reports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "usb_hid.h"

#define CLASS_IN  (USB_TO_HOST | USB_KIND_CLASS | USB_TARGET_INTERFACE)
#define CLASS_OUT (USB_KIND_CLASS | USB_TARGET_INTERFACE)
#define DESCRIPTOR_IN (USB_TO_HOST | USB_KIND_STANDARD | USB_TARGET_INTERFACE)
enum {
    GET_DESCRIPTOR = 6, GET_REPORT = 1, GET_IDLE = 2, GET_PROTOCOL = 3, SET_REPORT = 9,
    SET_IDLE = 10, SET_PROTOCOL = 11,
};
enum { REPORT_INPUT = 1, REPORT_OUTPUT = 2 };
#define IDLE_UNIT_MS 4

/* --- reports --- */

void usb_hid_tell(UsbHid *hid)
{
    usb_wake(&hid->parent, USB_HID_ENDPOINT);
}

static void idle_expired(Device *dev)
{
    USB_HID(dev)->is_due = true;
    usb_hid_tell(USB_HID(dev));
}

static void arm_idle(UsbHid *hid)
{
    if (hid->idle) {
        timer_arm_after_ms(&hid->idle_timer, hid->idle * IDLE_UNIT_MS);
    } else {
        timer_cancel(&hid->idle_timer);
    }
}

/* A guest that begins to listen has what a user does. */
static UsbStatus hid_data(UsbDevice *dev, UsbPacket *packet)
{
    UsbHid *hid = USB_HID(dev);
    uint8_t data[USB_HID_REPORT_MOST];
    size_t bytes;

    if (!usb_hid_ops(hid)->has_news(hid) && !hid->is_due) {
        if (!hid->is_listened_to) {
            hid->is_listened_to = true;
            input_handler_focus(&hid->input);
        }
        return USB_NAK;
    }
    bytes = usb_hid_ops(hid)->report(hid, data);
    hid->is_due = false;
    arm_idle(hid);
    return usb_give(packet, data, bytes) == bytes ? USB_OK : USB_BABBLE;
}

/* None waits here: they are told to come again. */
static void hid_cancel(UsbDevice *dev, UsbPacket *packet)
{
}

/* --- requests --- */

static UsbStatus get_descriptor(UsbHid *hid, UsbPacket *packet)
{
    const UsbHidType *ops = usb_hid_ops(hid);
    const UsbSpeedDescriptor *speed = hid->parent.descriptors->speeds[hid->parent.speed];

    switch (packet->request.value >> 8) {
    case USB_DESC_HID:
        return usb_reply(packet, speed->interfaces->extra, speed->interfaces->extra_bytes);
    case USB_DESC_HID_REPORT:
        return usb_reply(packet, ops->report_descriptor, ops->report_descriptor_bytes);
    default:
        return USB_STALL;
    }
}

static UsbStatus get_report(UsbHid *hid, UsbPacket *packet)
{
    uint8_t data[USB_HID_REPORT_MOST];

    return packet->request.value >> 8 != REPORT_INPUT ? USB_STALL :
        usb_reply(packet, data, usb_hid_ops(hid)->report(hid, data));
}

static UsbStatus set_report(UsbHid *hid, UsbPacket *packet)
{
    uint8_t data[USB_HID_REPORT_MOST];

    if (packet->request.value >> 8 != REPORT_OUTPUT || !usb_hid_ops(hid)->set_report) {
        return USB_STALL;
    }
    usb_hid_ops(hid)->set_report(hid, data,
                                 usb_take(packet, data, MIN(sizeof(data), packet->request.length)));
    return USB_OK;
}

static UsbStatus set_protocol(UsbHid *hid, uint16_t protocol)
{
    if (protocol > HID_REPORT_PROTOCOL) {
        return USB_STALL;
    }
    hid->protocol = protocol;
    return USB_OK;
}

static UsbStatus hid_control(UsbDevice *dev, UsbPacket *packet)
{
    const UsbRequest *request = &packet->request;
    UsbHid *hid = USB_HID(dev);

    if (request->index) {
        return USB_STALL; /* there is one interface */
    }
    switch (USB_REQUEST(request->kind, request->code)) {
    case USB_REQUEST(DESCRIPTOR_IN, GET_DESCRIPTOR):
        return get_descriptor(hid, packet);
    case USB_REQUEST(CLASS_IN, GET_REPORT):
        return get_report(hid, packet);
    case USB_REQUEST(CLASS_OUT, SET_REPORT):
        return set_report(hid, packet);
    case USB_REQUEST(CLASS_IN, GET_IDLE):
        return usb_reply(packet, &hid->idle, 1);
    case USB_REQUEST(CLASS_OUT, SET_IDLE):
        hid->idle = request->value >> 8;
        arm_idle(hid);
        return USB_OK;
    case USB_REQUEST(CLASS_IN, GET_PROTOCOL):
        return usb_reply(packet, &hid->protocol, 1);
    case USB_REQUEST(CLASS_OUT, SET_PROTOCOL):
        return set_protocol(hid, request->value);
    default:
        return USB_STALL;
    }
}

static void hid_bus_reset(UsbDevice *dev)
{
    UsbHid *hid = USB_HID(dev);

    hid->idle = 0;
    hid->protocol = HID_REPORT_PROTOCOL;
    hid->is_due = hid->is_listened_to = false;
    timer_cancel(&hid->idle_timer);
    usb_hid_ops(hid)->forget(hid);
}

/* --- life --- */

static bool hid_realize(Device *dev, Error **errp)
{
    UsbHid *hid = USB_HID(dev);

    if (hid->version != 1 && hid->version != 2) {
        return error_set(errp, "Unsupported usb version %" PRIu32 " for usb hid device",
                         hid->version);
    }
    if (hid->version == 1) {
        hid->parent.speeds = BIT(USB_FULL);
        hid->parent.speed = USB_FULL;
    }
    hid->input = *usb_hid_ops(hid)->input_handler;
    input_handler_add(&hid->input);
    return true;
}

static void hid_unrealize(Device *dev)
{
    input_handler_remove(&USB_HID(dev)->input);
}

static const Property hid_props[] = {
    PROP_U32("usb_version", UsbHid, version, .initial = 2,
             .doc = "1: full speed alone; 2: high speed too"),
};
static const VMField hid_fields[] = {
    VM_U8(UsbHid, idle), VM_U8(UsbHid, protocol), VM_BOOL(UsbHid, is_due),
    VM_TIMER(UsbHid, idle_timer),
};

static const UsbHidType usb_hid_type = {
    .name = TYPE_USB_HID,
    .doc = "A human interface device on a USB",
    .parent = TYPE_USB_DEVICE,
    .size = sizeof(UsbHid),
    .is_abstract = true,
    .category = DEVICE_CATEGORY_INPUT,
    .timers = TIMER_ON(CLOCK_VIRTUAL, UsbHid, idle_timer, idle_expired),
    .properties = PROPERTIES(hid_props),
    .vmstate = VMSTATE(hid_fields, .version = 1),
    .realize = hid_realize,
    .unrealize = hid_unrealize,
    .control = hid_control,
    .data = hid_data,
    .cancel = hid_cancel,
    .bus_reset = hid_bus_reset,
};
OBJECT_TYPE(usb_hid_type)
