/*
 * Requests of a host to a device as such (USB 2.0, 9.4; USB 3.0, 9.4). Interfaces have no
 * alternates, there is one configuration, number 1.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "usb.h"

#include "util/byte_order.h"

enum {
    GET_STATUS = 0, CLEAR_FEATURE = 1, SET_FEATURE = 3, SET_ADDRESS = 5, GET_DESCRIPTOR = 6,
    GET_CONFIGURATION = 8, SET_CONFIGURATION = 9, GET_INTERFACE = 10, SET_INTERFACE = 11,
    SET_SEL = 0x30, SET_ISOCH_DELAY = 0x31,
};
enum { FEATURE_HALT = 0, FEATURE_REMOTE_WAKEUP = 1, FEATURE_U1 = 48, FEATURE_U2 = 49,
       FEATURE_SUSPEND = 0 /* of an interface */ };
enum { STATUS_SELF_POWERED = 1, STATUS_REMOTE_WAKEUP = 2 };

#define DEVICE_IN     (USB_TO_HOST | USB_TARGET_DEVICE)
#define DEVICE_OUT    USB_TARGET_DEVICE
#define INTERFACE_IN  (USB_TO_HOST | USB_TARGET_INTERFACE)
#define INTERFACE_OUT USB_TARGET_INTERFACE
#define ENDPOINT_IN   (USB_TO_HOST | USB_TARGET_ENDPOINT)
#define ENDPOINT_OUT  USB_TARGET_ENDPOINT

UsbStatus usb_reply(UsbPacket *packet, const void *data, size_t bytes)
{
    bytes = MIN(bytes, packet->request.length);
    return usb_give(packet, data, bytes) == bytes ? USB_OK : USB_BABBLE;
}

static UsbStatus get_descriptor(const UsbDevice *dev, UsbPacket *packet)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    return usb_put_descriptor(out, dev, packet->request.value >> 8, packet->request.value) ?
        usb_reply(packet, out->data, out->len) : USB_STALL;
}

static UsbStatus get_device_status(const UsbDevice *dev, UsbPacket *packet)
{
    uint8_t attributes = dev->descriptors->speeds[dev->speed]->attributes;
    uint8_t status[2] = { (attributes & USB_SELF_POWERED ? STATUS_SELF_POWERED : 0) |
                          (dev->may_wake ? STATUS_REMOTE_WAKEUP : 0) };

    return usb_reply(packet, status, sizeof(status));
}

static UsbStatus set_device_feature(UsbDevice *dev, uint16_t feature, bool is_on)
{
    switch (feature) {
    case FEATURE_REMOTE_WAKEUP:
        dev->may_wake = is_on;
        return USB_OK;
    case FEATURE_U1: case FEATURE_U2: /* links have no power to save */
        return dev->speed == USB_SUPER && dev->configuration ? USB_OK : USB_STALL;
    default:
        return USB_STALL;
    }
}

static UsbStatus set_configuration(UsbDevice *dev, uint16_t value)
{
    if (value > 1) {
        return USB_STALL;
    }
    dev->configuration = value;
    dev->stalled = 0;
    return USB_OK;
}

/* --- interfaces and endpoints --- */

static bool has_interface(const UsbDevice *dev, uint16_t index)
{
    return dev->configuration && index < dev->descriptors->speeds[dev->speed]->interface_count;
}

static bool has_endpoint(const UsbDevice *dev, uint16_t address)
{
    return !(address & 0x7f) || (dev->configuration && usb_find_endpoint(dev, address));
}

static uint32_t stall_bit(uint16_t address)
{
    return BIT((address & 0xf) + (address & USB_TO_HOST ? 16 : 0));
}

static UsbStatus set_endpoint_feature(UsbDevice *dev, const UsbRequest *request, bool is_on)
{
    uint16_t address = request->index;

    if (request->value != FEATURE_HALT || !has_endpoint(dev, address)) {
        return USB_STALL;
    }
    if (!(address & 0x7f)) {
        return USB_OK; /* endpoint 0 is ready with each setup packet */
    }
    if (is_on) {
        dev->stalled |= stall_bit(address);
        return USB_OK;
    }
    dev->stalled &= ~stall_bit(address);
    if (usb_device_ops(dev)->unstalled) {
        usb_device_ops(dev)->unstalled(dev, address & 0xf, address & USB_TO_HOST);
    }
    return USB_OK;
}

static UsbStatus standard(UsbDevice *dev, UsbPacket *packet)
{
    static const uint8_t zeros[2];
    const UsbRequest *request = &packet->request;
    bool is_interface = has_interface(dev, request->index);

    switch (USB_REQUEST(request->kind, request->code)) {
    case USB_REQUEST(DEVICE_IN, GET_STATUS):
        return get_device_status(dev, packet);
    case USB_REQUEST(DEVICE_IN, GET_DESCRIPTOR):
        return get_descriptor(dev, packet);
    case USB_REQUEST(DEVICE_IN, GET_CONFIGURATION):
        return usb_reply(packet, &dev->configuration, 1);
    case USB_REQUEST(DEVICE_OUT, CLEAR_FEATURE):
    case USB_REQUEST(DEVICE_OUT, SET_FEATURE):
        return set_device_feature(dev, request->value, request->code == SET_FEATURE);
    case USB_REQUEST(DEVICE_OUT, SET_ADDRESS):
        dev->address = request->value & 0x7f;
        return USB_OK;
    case USB_REQUEST(DEVICE_OUT, SET_CONFIGURATION):
        return set_configuration(dev, request->value);
    case USB_REQUEST(DEVICE_OUT, SET_SEL):         /* of interest to a link that sleeps */
    case USB_REQUEST(DEVICE_OUT, SET_ISOCH_DELAY):
        return dev->speed == USB_SUPER ? USB_OK : USB_STALL;
    case USB_REQUEST(INTERFACE_IN, GET_STATUS):
        return is_interface ? usb_reply(packet, zeros, 2) : USB_STALL;
    case USB_REQUEST(INTERFACE_IN, GET_INTERFACE):
        return is_interface ? usb_reply(packet, zeros, 1) : USB_STALL;
    case USB_REQUEST(INTERFACE_OUT, SET_INTERFACE):
        return is_interface && !request->value ? USB_OK : USB_STALL;
    case USB_REQUEST(INTERFACE_OUT, CLEAR_FEATURE):
    case USB_REQUEST(INTERFACE_OUT, SET_FEATURE):
        return is_interface && dev->speed == USB_SUPER && request->value == FEATURE_SUSPEND ?
            USB_OK : USB_STALL;
    case USB_REQUEST(ENDPOINT_IN, GET_STATUS):
        if (!has_endpoint(dev, request->index)) {
            return USB_STALL;
        }
        return usb_reply(packet, &(uint16_t){ GUINT16_TO_LE(
                         !!(dev->stalled & stall_bit(request->index))) }, 2);
    case USB_REQUEST(ENDPOINT_OUT, CLEAR_FEATURE):
    case USB_REQUEST(ENDPOINT_OUT, SET_FEATURE):
        return set_endpoint_feature(dev, request, request->code == SET_FEATURE);
    default:
        return USB_STALL;
    }
}

UsbStatus usb_control(UsbDevice *dev, UsbPacket *packet)
{
    const UsbDeviceType *ops = usb_device_ops(dev);
    UsbStatus status = USB_STALL;

    if ((packet->request.kind & USB_KIND_MASK) == USB_KIND_STANDARD) {
        status = standard(dev, packet);
    }
    return status == USB_STALL && ops->control ? ops->control(dev, packet) : status;
}
