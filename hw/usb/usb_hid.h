/*
 * UsbHid: a human interface device with one interface and one IN endpoint (HID 1.11): what
 * keyboards and pointers share. The type says what its reports are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_USB_USB_HID_H
#define HW_USB_USB_HID_H

#include "ui/input.h"
#include "usb.h"

#define TYPE_USB_HID     "usb-hid"
#define USB_HID_ENDPOINT 1
#define USB_HID_REPORT_MOST 8

enum { HID_BOOT_PROTOCOL = 0, HID_REPORT_PROTOCOL = 1 };

typedef struct UsbHid {
    UsbDevice parent;
    uint32_t version;       /* property: of USB, 1 or 2 */
    InputHandler input;
    Timer idle_timer;
    uint8_t idle;           /* in 4 ms; 0: nothing is told twice */
    uint8_t protocol;
    bool is_due;            /* what was told is to be told again */
    bool is_listened_to;    /* by the guest; of the process */
} UsbHid;
DECLARE_CAST(UsbHid, USB_HID)

typedef struct UsbHidType {
    struct UsbDeviceType;
    const InputHandler *input_handler;
    const uint8_t *report_descriptor;
    uintptr_t report_descriptor_bytes;
    /* Is there something that was not told? */
    bool (*has_news)(const UsbHid *hid);
    /* The next report, which is told by it; how many bytes. */
    size_t (*report)(UsbHid *hid, uint8_t data[USB_HID_REPORT_MOST]);
    /* What the host sent; NULL: the device has no output reports. */
    void (*set_report)(UsbHid *hid, const uint8_t *data, size_t bytes);
    /* Nothing is pressed, nothing to be told. */
    void (*forget)(UsbHid *hid);
} UsbHidType;

static inline const UsbHidType *usb_hid_ops(const UsbHid *hid)
{
    return object_ops(hid);
}

/* There are news. */
void usb_hid_tell(UsbHid *hid);

/* The HID descriptor in front of a report descriptor. */
#define USB_HID_DESCRIPTOR(version, country, bytes)                                                \
    9, USB_DESC_HID, (uint8_t)(version), (version) >> 8, (country), 1, USB_DESC_HID_REPORT,        \
    (bytes), 0

#endif
