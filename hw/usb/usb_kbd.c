/*
 * usb-kbd: a keyboard with the reports of the boot protocol (HID 1.11, appendix B): modifiers and
 * six keys; five lights.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "usb_hid.h"

#include "hid_usages.h"

#define REPORT_BYTES 8
#define REPORT_KEYS  6
#define KEYS_MOST    16 /* held that are remembered */
#define QUEUE        16 /* a power of two */
#define ROLL_OVER    1  /* instead of more keys than a report has room for */
enum { LED_NUM = BIT(0), LED_CAPS = BIT(1), LED_SCROLL = BIT(2), LED_ALL = 0x1f };
enum { EVENT_DOWN = 0x100 };

typedef struct UsbKeyboard {
    UsbHid parent;
    uint16_t events[QUEUE]; /* usages, with EVENT_DOWN */
    uint8_t first, count;
    uint8_t modifiers, leds;
    uint8_t keys[KEYS_MOST], key_count;
} UsbKeyboard;
DECLARE_CAST(UsbKeyboard, USB_KEYBOARD)

/* --- keys --- */

static void keyboard_event(InputHandler *handler, const InputEvent *event)
{
    UsbKeyboard *s = USB_KEYBOARD(container_of(handler, UsbHid, input));
    const InputKeyEvent *key = event->u.key.data;
    uint8_t usage = hid_usage(input_event_key(key->key));

    if (!usage || s->count == QUEUE) {
        return;
    }
    s->events[(s->first + s->count++) % QUEUE] = usage | (key->down ? EVENT_DOWN : 0);
    usb_hid_tell(&s->parent);
}

static void release(UsbKeyboard *s, uint8_t usage)
{
    for (unsigned n = 0; n < s->key_count; n++) {
        if (s->keys[n] == usage) {
            memmove(s->keys + n, s->keys + n + 1, --s->key_count - n);
            return;
        }
    }
}

static void apply(UsbKeyboard *s, uint16_t event)
{
    uint8_t usage = event;

    if (usage >= HID_USAGE_FIRST_MODIFIER) {
        uint8_t bit = BIT(usage - HID_USAGE_FIRST_MODIFIER);

        s->modifiers = event & EVENT_DOWN ? s->modifiers | bit : s->modifiers & ~bit;
        return;
    }
    release(s, usage);
    if (event & EVENT_DOWN && s->key_count < KEYS_MOST) {
        s->keys[s->key_count++] = usage;
    }
}

static bool keyboard_has_news(const UsbHid *hid)
{
    return USB_KEYBOARD(hid)->count;
}

static size_t keyboard_report(UsbHid *hid, uint8_t data[USB_HID_REPORT_MOST])
{
    UsbKeyboard *s = USB_KEYBOARD(hid);

    if (s->count) {
        apply(s, s->events[s->first]);
        s->first = (s->first + 1) % QUEUE;
        s->count--;
    }
    memset(data, 0, REPORT_BYTES);
    data[0] = s->modifiers;
    if (s->key_count > REPORT_KEYS) {
        memset(data + 2, ROLL_OVER, REPORT_KEYS);
    } else {
        memcpy(data + 2, s->keys, s->key_count);
    }
    return REPORT_BYTES;
}

static void keyboard_forget(UsbHid *hid)
{
    UsbKeyboard *s = USB_KEYBOARD(hid);

    s->first = s->count = s->modifiers = s->key_count = s->leds = 0;
}

/* --- lights --- */

static void show_leds(const UsbKeyboard *s)
{
    input_set_leds((s->leds & LED_NUM ? INPUT_LED_NUM : 0) |
                   (s->leds & LED_CAPS ? INPUT_LED_CAPS : 0) |
                   (s->leds & LED_SCROLL ? INPUT_LED_SCROLL : 0));
}

static void keyboard_set_report(UsbHid *hid, const uint8_t *data, size_t bytes)
{
    if (bytes) {
        USB_KEYBOARD(hid)->leds = data[0] & LED_ALL;
        show_leds(USB_KEYBOARD(hid));
    }
}

/* --- what it is --- */

static const uint8_t report_descriptor[] = {
    0x05, 0x01, 0x09, 0x06, 0xa1, 0x01,             /* desktop, keyboard: application */
    0x75, 0x01, 0x95, 0x08,
    0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01,
    0x81, 0x02,                                     /* in: 8 bits, modifiers */
    0x95, 0x01, 0x75, 0x08, 0x81, 0x01,             /* in: a byte of no use */
    0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05,
    0x91, 0x02,                                     /* out: 5 bits, lights */
    0x95, 0x01, 0x75, 0x03, 0x91, 0x01,             /* out: 3 bits of no use */
    0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x26, 0xff, 0x00,
    0x05, 0x07, 0x19, 0x00, 0x29, 0xff, 0x81, 0x00, /* in: 6 bytes, keys */
    0xc0,
};
static const uint8_t hid_descriptor[] = {
    USB_HID_DESCRIPTOR(0x0111, 0, sizeof(report_descriptor)),
};

enum { STRING_MANUFACTURER = 1, STRING_PRODUCT, STRING_SERIAL, STRING_CONFIGURATION };
static const char *const strings[] = { "QEMU", "QEMU USB Keyboard", "68284", "HID Keyboard" };

#define INTERFACE(interval_)                                                                       \
    { .class_id = 3, .subclass = 1, .protocol = 1, .extra = hid_descriptor,                        \
      .extra_bytes = sizeof(hid_descriptor),                                                       \
      USB_ENDPOINTS_OF({ 0x81, USB_INTERRUPT, 8, (interval_) }) }
static const UsbInterfaceDescriptor full_interface[] = { INTERFACE(10) };
static const UsbInterfaceDescriptor high_interface[] = { INTERFACE(7) };
static const UsbSpeedDescriptor full = {
    .version = 0x0200, .packet_bytes = 8, .string = STRING_CONFIGURATION,
    .attributes = USB_REMOTE_WAKEUP, .max_power = 50, USB_INTERFACES_OF(full_interface),
};
static const UsbSpeedDescriptor high = {
    .version = 0x0200, .packet_bytes = 64, .string = STRING_CONFIGURATION,
    .attributes = USB_REMOTE_WAKEUP, .max_power = 50, USB_INTERFACES_OF(high_interface),
};
static const UsbDescriptors descriptors = {
    .vendor = 0x0627, .product = 0x0001,
    .manufacturer_string = STRING_MANUFACTURER, .product_string = STRING_PRODUCT,
    .serial_string = STRING_SERIAL, .strings = strings, .string_count = ARRAY_SIZE(strings),
    .speeds = { [USB_FULL] = &full, [USB_HIGH] = &high },
};
static const InputHandler handler = {
    .name = "QEMU USB Keyboard", .kinds = BIT(INPUT_EVENT_KIND_KEY), .event = keyboard_event,
};

static bool is_sane(void *opaque, int version)
{
    const UsbKeyboard *s = opaque;

    return s->first < QUEUE && s->count <= QUEUE && s->key_count <= KEYS_MOST;
}

static bool keyboard_post_load(void *opaque, int version, Error **errp)
{
    show_leds(opaque);
    return true;
}

static const VMField keyboard_fields[] = {
    VM_ARRAY(UsbKeyboard, events), VM_U8(UsbKeyboard, first), VM_U8(UsbKeyboard, count),
    VM_U8(UsbKeyboard, modifiers), VM_U8(UsbKeyboard, leds), VM_BUFFER(UsbKeyboard, keys),
    VM_U8(UsbKeyboard, key_count), VM_VALIDATE("keys", is_sane),
};

static const UsbHidType usb_kbd_type = {
    .name = "usb-kbd",
    .doc = "USB keyboard",
    .parent = TYPE_USB_HID,
    .size = sizeof(UsbKeyboard),
    .vmstate = VMSTATE(keyboard_fields, .version = 1, .post_load = keyboard_post_load),
    .descriptors = &descriptors,
    .input_handler = &handler,
    .report_descriptor = report_descriptor,
    .report_descriptor_bytes = sizeof(report_descriptor),
    .has_news = keyboard_has_news,
    .report = keyboard_report,
    .set_report = keyboard_set_report,
    .forget = keyboard_forget,
};
OBJECT_TYPE(usb_kbd_type)
