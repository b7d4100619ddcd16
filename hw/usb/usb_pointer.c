/*
 * usb-mouse, usb-tablet: pointers, of distances or of a position, with a wheel. Movement without a
 * change of buttons between it is told at once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "usb_hid.h"

#include "util/byte_order.h"

#define TYPE_USB_POINTER "usb-pointer"
#define QUEUE            16
#define DISTANCE_MOST    0xffff
#define MOUSE_BOOT_BYTES 3
#define MOUSE_BYTES      4
#define TABLET_BYTES     6

/* Where it is or how far it went, since the last or until buttons change. */
typedef struct PointerEvent {
    int32_t x, y, wheel;
    uint8_t buttons;
} PointerEvent;

typedef struct UsbPointer {
    UsbHid parent;
    PointerEvent now;           /* what the user does */
    PointerEvent events[QUEUE]; /* not told yet, the oldest first */
    uint8_t count;
} UsbPointer;
DECLARE_CAST(UsbPointer, USB_POINTER)

typedef struct UsbPointerType {
    struct UsbHidType;
    uintptr_t is_absolute;
} UsbPointerType;

static bool is_absolute(const UsbPointer *s)
{
    return ((const UsbPointerType *)object_ops(s))->is_absolute;
}

/* --- what the user does --- */

static void add(int32_t *sum, int64_t distance)
{
    *sum = CLAMP(*sum + distance, -DISTANCE_MOST, DISTANCE_MOST);
}

static void press(UsbPointer *s, const InputBtnEvent *event)
{
    static const uint8_t masks[INPUT_BUTTON_COUNT] = {
        [INPUT_BUTTON_LEFT] = BIT(0), [INPUT_BUTTON_RIGHT] = BIT(1),
        [INPUT_BUTTON_MIDDLE] = BIT(2), [INPUT_BUTTON_SIDE] = BIT(3),
        [INPUT_BUTTON_EXTRA] = BIT(4),
    };
    uint8_t mask = masks[event->button];

    s->now.buttons = event->down ? s->now.buttons | mask : s->now.buttons & ~mask;
    if (event->down) {
        add(&s->now.wheel, event->button == INPUT_BUTTON_WHEEL_UP ? 1 :
                           event->button == INPUT_BUTTON_WHEEL_DOWN ? -1 : 0);
    }
}

static void pointer_event(InputHandler *handler, const InputEvent *event)
{
    UsbPointer *s = USB_POINTER(container_of(handler, UsbHid, input));
    const InputMoveEvent *move = event->u.rel.data;

    if (event->type == INPUT_EVENT_KIND_BTN) {
        press(s, event->u.btn.data);
    } else if (event->type == INPUT_EVENT_KIND_ABS) {
        *(move->axis == INPUT_AXIS_X ? &s->now.x : &s->now.y) = CLAMP(move->value, 0,
                                                                       INPUT_ABS_MAX);
    } else {
        add(move->axis == INPUT_AXIS_X ? &s->now.x : &s->now.y, move->value);
    }
}

/* The last place is for what comes when there is no other. */
static void pointer_sync(InputHandler *handler)
{
    UsbPointer *s = USB_POINTER(container_of(handler, UsbHid, input));
    PointerEvent *last = s->count ? &s->events[s->count - 1] : NULL;

    if (last && (last->buttons == s->now.buttons || s->count == QUEUE)) {
        if (is_absolute(s)) {
            last->x = s->now.x;
            last->y = s->now.y;
        } else {
            add(&last->x, s->now.x);
            add(&last->y, s->now.y);
        }
        add(&last->wheel, s->now.wheel);
        last->buttons = s->now.buttons;
    } else {
        s->events[s->count++] = s->now;
    }
    s->now.wheel = 0;
    if (!is_absolute(s)) {
        s->now.x = s->now.y = 0;
    }
    usb_hid_tell(&s->parent);
}

/* --- reports --- */

static bool pointer_has_news(const UsbHid *hid)
{
    return USB_POINTER(hid)->count;
}

static int8_t take(int32_t *distance)
{
    int part = CLAMP(*distance, -127, 127);

    *distance -= part;
    return part;
}

static void drop_first(UsbPointer *s)
{
    if (s->count) {
        memmove(s->events, s->events + 1, --s->count * sizeof(s->events[0]));
    }
}

/* Nothing new: buttons and the position are told again. */
static PointerEvent *first(UsbPointer *s, PointerEvent *again)
{
    *again = s->now;
    again->wheel = 0;
    if (!is_absolute(s)) {
        again->x = again->y = 0;
    }
    return s->count ? &s->events[0] : again;
}

static size_t mouse_report(UsbHid *hid, uint8_t data[USB_HID_REPORT_MOST])
{
    UsbPointer *s = USB_POINTER(hid);
    PointerEvent again, *event = first(s, &again);

    data[0] = event->buttons & 0x1f;
    data[1] = take(&event->x);
    data[2] = take(&event->y);
    data[3] = take(&event->wheel);
    if (!event->x && !event->y && !event->wheel) {
        drop_first(s);
    }
    return hid->protocol == HID_BOOT_PROTOCOL ? MOUSE_BOOT_BYTES : MOUSE_BYTES;
}

static size_t tablet_report(UsbHid *hid, uint8_t data[USB_HID_REPORT_MOST])
{
    UsbPointer *s = USB_POINTER(hid);
    PointerEvent again, *event = first(s, &again);

    data[0] = event->buttons & 0x07;
    store_le16(data + 1, event->x);
    store_le16(data + 3, event->y);
    data[5] = take(&event->wheel);
    if (!event->wheel) {
        drop_first(s);
    }
    return TABLET_BYTES;
}

static void pointer_forget(UsbHid *hid)
{
    UsbPointer *s = USB_POINTER(hid);

    s->count = 0;
    s->now = (PointerEvent){ .x = is_absolute(s) ? s->now.x : 0,
                             .y = is_absolute(s) ? s->now.y : 0 };
}

/* --- saved state --- */

static const VMField event_fields[] = {
    VM_I32(PointerEvent, x), VM_I32(PointerEvent, y), VM_I32(PointerEvent, wheel),
    VM_U8(PointerEvent, buttons),
};
static const VMState event_state = VMSTATE_INIT(event_fields, .name = "usb_pointer_event",
                                                .version = 1);
static const VMField pointer_fields[] = {
    VM_STRUCT(UsbPointer, now, event_state),
    VM_STRUCT_PART(UsbPointer, events, count, event_state),
};

static const UsbPointerType usb_pointer_type = {
    .name = TYPE_USB_POINTER,
    .doc = "A pointer on a USB",
    .parent = TYPE_USB_HID,
    .size = sizeof(UsbPointer),
    .is_abstract = true,
    .vmstate = VMSTATE(pointer_fields, .version = 1),
    .has_news = pointer_has_news,
    .forget = pointer_forget,
};
OBJECT_TYPE(usb_pointer_type)

/* --- what they are --- */

static const uint8_t mouse_report_descriptor[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, /* desktop, mouse: application */
    0x09, 0x01, 0xa1, 0x00,             /* pointer: physical */
    0x05, 0x09, 0x19, 0x01, 0x29, 0x05, 0x15, 0x00, 0x25, 0x01,
    0x95, 0x05, 0x75, 0x01, 0x81, 0x02, /* in: 5 buttons */
    0x95, 0x01, 0x75, 0x03, 0x81, 0x01, /* in: 3 bits of no use */
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x09, 0x38, 0x15, 0x81, 0x25, 0x7f,
    0x75, 0x08, 0x95, 0x03, 0x81, 0x06, /* in: x, y, wheel, relative */
    0xc0, 0xc0,
};
static const uint8_t tablet_report_descriptor[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01,
    0x09, 0x01, 0xa1, 0x00,
    0x05, 0x09, 0x19, 0x01, 0x29, 0x03, 0x15, 0x00, 0x25, 0x01,
    0x95, 0x03, 0x75, 0x01, 0x81, 0x02, /* in: 3 buttons */
    0x95, 0x01, 0x75, 0x05, 0x81, 0x01, /* in: 5 bits of no use */
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x15, 0x00, 0x26, 0xff, 0x7f, 0x35, 0x00, 0x46, 0xff, 0x7f,
    0x75, 0x10, 0x95, 0x02, 0x81, 0x02, /* in: x, y, absolute */
    0x05, 0x01, 0x09, 0x38, 0x15, 0x81, 0x25, 0x7f, 0x35, 0x00, 0x45, 0x00,
    0x75, 0x08, 0x95, 0x01, 0x81, 0x06, /* in: wheel, relative */
    0xc0, 0xc0,
};

enum { STRING_MANUFACTURER = 1, STRING_PRODUCT, STRING_SERIAL, STRING_CONFIGURATION };

#define POINTER(name, subclass_, protocol_, bytes, high_interval)                                  \
    static const uint8_t name##_hid_descriptor[] = {                                               \
        USB_HID_DESCRIPTOR(0x0001, 0, sizeof(name##_report_descriptor)),                           \
    };                                                                                             \
    static const UsbInterfaceDescriptor name##_full_interface[] = {                                \
        { .class_id = 3, .subclass = (subclass_), .protocol = (protocol_),                         \
          .extra = name##_hid_descriptor, .extra_bytes = sizeof(name##_hid_descriptor),            \
          USB_ENDPOINTS_OF({ 0x81, USB_INTERRUPT, (bytes), 10 }) },                                \
    };                                                                                             \
    static const UsbInterfaceDescriptor name##_high_interface[] = {                                \
        { .class_id = 3, .subclass = (subclass_), .protocol = (protocol_),                         \
          .extra = name##_hid_descriptor, .extra_bytes = sizeof(name##_hid_descriptor),            \
          USB_ENDPOINTS_OF({ 0x81, USB_INTERRUPT, (bytes), (high_interval) }) },                   \
    };                                                                                             \
    static const UsbSpeedDescriptor name##_full = {                                                \
        .version = 0x0200, .packet_bytes = 8, .string = STRING_CONFIGURATION,                      \
        .attributes = USB_REMOTE_WAKEUP, .max_power = 50,                                          \
        USB_INTERFACES_OF(name##_full_interface),                                                  \
    };                                                                                             \
    static const UsbSpeedDescriptor name##_high = {                                                \
        .version = 0x0200, .packet_bytes = 64, .string = STRING_CONFIGURATION,                     \
        .attributes = USB_REMOTE_WAKEUP, .max_power = 50,                                          \
        USB_INTERFACES_OF(name##_high_interface),                                                  \
    };                                                                                             \
    static const UsbDescriptors name##_descriptors = {                                             \
        .vendor = 0x0627, .product = 0x0001,                                                       \
        .manufacturer_string = STRING_MANUFACTURER, .product_string = STRING_PRODUCT,              \
        .serial_string = STRING_SERIAL, .strings = name##_strings,                                 \
        .string_count = ARRAY_SIZE(name##_strings),                                                \
        .speeds = { [USB_FULL] = &name##_full, [USB_HIGH] = &name##_high },                        \
    };

static const char *const mouse_strings[] = { "QEMU", "QEMU USB Mouse", "89126", "HID Mouse" };
static const char *const tablet_strings[] = { "QEMU", "QEMU USB Tablet", "28754", "HID Tablet" };
POINTER(mouse, 1, 2, 4, 7)
POINTER(tablet, 0, 0, 8, 4)

static const InputHandler mouse_handler = {
    .name = "QEMU USB Mouse", .kinds = BIT(INPUT_EVENT_KIND_REL) | BIT(INPUT_EVENT_KIND_BTN),
    .event = pointer_event, .sync = pointer_sync,
};
static const InputHandler tablet_handler = {
    .name = "QEMU USB Tablet", .kinds = BIT(INPUT_EVENT_KIND_ABS) | BIT(INPUT_EVENT_KIND_BTN),
    .event = pointer_event, .sync = pointer_sync,
};

static const UsbPointerType usb_mouse_type = {
    .name = "usb-mouse",
    .doc = "USB mouse",
    .parent = TYPE_USB_POINTER,
    .descriptors = &mouse_descriptors,
    .input_handler = &mouse_handler,
    .report_descriptor = mouse_report_descriptor,
    .report_descriptor_bytes = sizeof(mouse_report_descriptor),
    .report = mouse_report,
};
OBJECT_TYPE(usb_mouse_type)

static const UsbPointerType usb_tablet_type = {
    .name = "usb-tablet",
    .doc = "USB tablet: a pointer with a position",
    .parent = TYPE_USB_POINTER,
    .descriptors = &tablet_descriptors,
    .input_handler = &tablet_handler,
    .report_descriptor = tablet_report_descriptor,
    .report_descriptor_bytes = sizeof(tablet_report_descriptor),
    .report = tablet_report,
    .is_absolute = true,
};
OBJECT_TYPE(usb_tablet_type)
