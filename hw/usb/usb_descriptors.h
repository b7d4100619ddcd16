/*
 * Descriptors of USB devices (USB 2.0, 9.6; USB 3.0, 9.6), declared as tables: what a device is at
 * each speed. Bytes are made from them when a host asks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_USB_USB_DESCRIPTORS_H
#define HW_USB_USB_DESCRIPTORS_H

struct UsbDevice;

typedef enum UsbSpeed { USB_LOW, USB_FULL, USB_HIGH, USB_SUPER, USB_SPEEDS } UsbSpeed;

typedef enum UsbTransferType { USB_CONTROL, USB_ISOCHRONOUS, USB_BULK, USB_INTERRUPT }
    UsbTransferType;

enum {
    USB_DESC_DEVICE = 1, USB_DESC_CONFIGURATION = 2, USB_DESC_STRING = 3, USB_DESC_INTERFACE = 4,
    USB_DESC_ENDPOINT = 5, USB_DESC_QUALIFIER = 6, USB_DESC_OTHER_SPEED = 7, USB_DESC_BOS = 15,
    USB_DESC_CAPABILITY = 16, USB_DESC_HID = 0x21, USB_DESC_HID_REPORT = 0x22,
    USB_DESC_HUB = 0x29, USB_DESC_COMPANION = 0x30,
};

typedef struct UsbEndpointDescriptor {
    uint8_t address;          /* with 0x80: IN */
    uint8_t type;             /* UsbTransferType */
    uint16_t packet_bytes;
    uint8_t interval;
    uint8_t burst;            /* SuperSpeed: packets more than one */
} UsbEndpointDescriptor;

typedef struct UsbInterfaceDescriptor {
    uint8_t class_id, subclass, protocol, string;
    const uint8_t *extra;     /* descriptors of the class, behind the interface's */
    uint8_t extra_bytes;
    const UsbEndpointDescriptor *endpoints;
    uint8_t endpoint_count;
} UsbInterfaceDescriptor;

/* A device at one speed: it has one configuration, of interfaces without alternates. */
typedef struct UsbSpeedDescriptor {
    uint16_t version;         /* BCD, of the specification */
    uint8_t packet_bytes;     /* of endpoint 0; SuperSpeed: its exponent */
    uint8_t string;           /* of the configuration */
    uint8_t attributes;       /* of the configuration; 0x80 is always there */
    uint8_t max_power;        /* in 2 mA, SuperSpeed 8 mA */
    const UsbInterfaceDescriptor *interfaces;
    uint8_t interface_count;
} UsbSpeedDescriptor;

typedef struct UsbDescriptors {
    uint16_t vendor, product, release;
    uint8_t class_id, subclass, protocol;
    uint8_t manufacturer_string, product_string, serial_string;
    const UsbSpeedDescriptor *speeds[USB_SPEEDS]; /* NULL: not at this one */
    const char *const *strings; /* from 1; of the serial number, its beginning */
    uint8_t string_count;
} UsbDescriptors;

enum { USB_SELF_POWERED = 0x40, USB_REMOTE_WAKEUP = 0x20 }; /* attributes of a configuration */

/* A table of them, or one, behind what it belongs to. */
#define USB_ENDPOINTS_OF(...)                                                                      \
    .endpoints = (const UsbEndpointDescriptor[]){ __VA_ARGS__ },                                   \
    .endpoint_count = ARRAY_SIZE(((const UsbEndpointDescriptor[]){ __VA_ARGS__ }))
#define USB_INTERFACES_OF(table) .interfaces = (table), .interface_count = ARRAY_SIZE(table)

/* Appended to `out`; false: the device has none of this kind. */
bool usb_put_descriptor(GByteArray *out, const struct UsbDevice *dev, uint8_t type, uint8_t index);
/* NULL: no such endpoint at this speed. */
const UsbEndpointDescriptor *usb_find_endpoint(const struct UsbDevice *dev, uint8_t address);

#endif
