/*
 * Descriptors' bytes, from the tables of hw/usb/usb_descriptors.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "usb.h"

#include "util/byte_order.h"

#define LANGUAGE_US_ENGLISH 0x0409
enum { CAPABILITY_USB_2_EXTENSION = 2, CAPABILITY_SUPERSPEED = 3 };
enum { EXTENSION_LPM = 2 };

static const UsbSpeedDescriptor *at_speed(const UsbDevice *dev)
{
    return dev->descriptors->speeds[dev->speed];
}

/* The one of full and high speed that it does not run at. */
static const UsbSpeedDescriptor *at_other_speed(const UsbDevice *dev)
{
    UsbSpeed other = dev->speed == USB_HIGH ? USB_FULL : USB_HIGH;

    return dev->speed != USB_SUPER && dev->speeds & BIT(other) ?
        dev->descriptors->speeds[other] : NULL;
}

static void put(GByteArray *out, const uint8_t *bytes, unsigned count)
{
    g_byte_array_append(out, bytes, count);
}
#define PUT(out, ...)                                                                              \
    put((out), (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))
#define LE16(value) (uint8_t)(value), (uint8_t)((value) >> 8)

static bool put_device(GByteArray *out, const UsbDevice *dev)
{
    const UsbDescriptors *d = dev->descriptors;
    const UsbSpeedDescriptor *speed = at_speed(dev);

    PUT(out, 18, USB_DESC_DEVICE, LE16(speed->version), d->class_id, d->subclass, d->protocol,
        speed->packet_bytes, LE16(d->vendor), LE16(d->product), LE16(d->release),
        d->manufacturer_string, d->product_string, d->serial_string, 1);
    return true;
}

static bool put_qualifier(GByteArray *out, const UsbDevice *dev)
{
    const UsbSpeedDescriptor *other = at_other_speed(dev);
    const UsbDescriptors *d = dev->descriptors;

    if (!other) {
        return false;
    }
    PUT(out, 10, USB_DESC_QUALIFIER, LE16(other->version), d->class_id, d->subclass, d->protocol,
        other->packet_bytes, 1, 0);
    return true;
}

static void put_endpoint(GByteArray *out, const UsbEndpointDescriptor *e, bool is_super)
{
    PUT(out, 7, USB_DESC_ENDPOINT, e->address, e->type, LE16(e->packet_bytes), e->interval);
    if (is_super) {
        uint16_t bytes = e->type == USB_INTERRUPT ? e->packet_bytes : 0;

        PUT(out, 6, USB_DESC_COMPANION, e->burst, 0, LE16(bytes));
    }
}

static bool put_configuration(GByteArray *out, const UsbSpeedDescriptor *speed, uint8_t type,
                              bool is_super)
{
    guint start = out->len;

    if (!speed) {
        return false;
    }
    PUT(out, 9, type, 0, 0, speed->interface_count, 1, speed->string, 0x80 | speed->attributes,
        speed->max_power);
    for (unsigned n = 0; n < speed->interface_count; n++) {
        const UsbInterfaceDescriptor *i = &speed->interfaces[n];

        PUT(out, 9, USB_DESC_INTERFACE, n, 0, i->endpoint_count, i->class_id, i->subclass,
            i->protocol, i->string);
        put(out, i->extra, i->extra_bytes);
        for (unsigned e = 0; e < i->endpoint_count; e++) {
            put_endpoint(out, &i->endpoints[e], is_super);
        }
    }
    store_le16(out->data + start + 2, out->len - start);
    return true;
}

static bool put_string(GByteArray *out, const UsbDevice *dev, uint8_t index)
{
    const UsbDescriptors *d = dev->descriptors;
    const char *text = index == d->serial_string ? dev->serial :
                       index && index <= d->string_count ? d->strings[index - 1] : NULL;
    size_t length = text ? MIN(strlen(text), 126) : 0;

    if (!index) {
        PUT(out, 4, USB_DESC_STRING, LE16(LANGUAGE_US_ENGLISH));
        return true;
    }
    if (!text) {
        return false;
    }
    PUT(out, 2 + 2 * length, USB_DESC_STRING);
    for (size_t i = 0; i < length; i++) {
        PUT(out, LE16((uint8_t)text[i]));
    }
    return true;
}

/* What it is capable of besides its speed; says that high speed has link power management. */
static bool put_bos(GByteArray *out, const UsbDevice *dev)
{
    guint start = out->len;

    PUT(out, 5, USB_DESC_BOS, 0, 0, 0);
    if (dev->speeds & BIT(USB_HIGH)) {
        PUT(out, 7, USB_DESC_CAPABILITY, CAPABILITY_USB_2_EXTENSION, EXTENSION_LPM, 0, 0, 0);
        out->data[start + 4]++;
    }
    if (dev->speeds & BIT(USB_SUPER)) {
        uint8_t speeds = dev->speeds;

        PUT(out, 10, USB_DESC_CAPABILITY, CAPABILITY_SUPERSPEED, 0, LE16(speeds), USB_FULL, 10,
            LE16(32));
        out->data[start + 4]++;
    }
    store_le16(out->data + start + 2, out->len - start);
    return true;
}

bool usb_put_descriptor(GByteArray *out, const UsbDevice *dev, uint8_t type, uint8_t index)
{
    switch (type) {
    case USB_DESC_DEVICE:
        return put_device(out, dev);
    case USB_DESC_CONFIGURATION:
        return put_configuration(out, index ? NULL : at_speed(dev), type,
                                 dev->speed == USB_SUPER);
    case USB_DESC_STRING:
        return put_string(out, dev, index);
    case USB_DESC_QUALIFIER:
        return put_qualifier(out, dev);
    case USB_DESC_OTHER_SPEED:
        return put_configuration(out, index ? NULL : at_other_speed(dev), type, false);
    case USB_DESC_BOS:
        return put_bos(out, dev);
    default:
        return false;
    }
}

const UsbEndpointDescriptor *usb_find_endpoint(const UsbDevice *dev, uint8_t address)
{
    const UsbSpeedDescriptor *speed = at_speed(dev);

    for (unsigned n = 0; n < speed->interface_count; n++) {
        const UsbInterfaceDescriptor *i = &speed->interfaces[n];

        for (unsigned e = 0; e < i->endpoint_count; e++) {
            if (i->endpoints[e].address == address) {
                return &i->endpoints[e];
            }
        }
    }
    return NULL;
}
