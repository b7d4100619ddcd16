/*
 * virtio-keyboard, virtio-mouse, virtio-tablet: input devices (virtio 1.3, 5.8), which speak the
 * events of Linux' evdev. What they are is told by the configuration, page by page.
 *
 * A device takes what a user does while a driver runs it. Events that belong together go out
 * together; if the driver has no room for all of them they are lost, all of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/virtio/virtio_pci.h"
#include "hw/virtio/virtqueue.h"
#include "ui/console.h"
#include "ui/input.h"
#include "ui/keycodes.h"

#define TYPE_VIRTIO_INPUT "virtio-input-hid-device"
#define QUEUE_SIZE   64
#define EVENT_BYTES  8
#define PAGE_BYTES   128
#define QUEUED_MAX   QUEUE_SIZE
#define VENDOR       0x0627
#define BUS_VIRTUAL  6

/* Pages of the configuration. */
enum { PAGE_NAME = 0x01, PAGE_SERIAL = 0x02, PAGE_IDS = 0x03, PAGE_EVENTS = 0x11, PAGE_AXIS = 0x12 };
/* Types and codes of events. */
enum { EV_SYN = 0, EV_KEY = 1, EV_REL = 2, EV_ABS = 3, EV_LED = 0x11, EV_REP = 0x14 };
enum { REL_X = 0, REL_Y = 1, REL_WHEEL = 8, ABS_X = 0, ABS_Y = 1 };
enum { LED_NUM = 0, LED_CAPS = 1, LED_SCROLL = 2 };

typedef struct VirtioInput {
    VirtioDevice parent;
    VirtQueue *events, *status;
    InputHandler input;
    uint8_t queued[QUEUED_MAX][EVENT_BYTES]; /* up to the one that ends them */
    bool is_active;       /* a driver runs it */
    unsigned queued_count;
    uint8_t page, subpage;                   /* what the configuration shows */
    /* properties */
    char *serial, *display;
    uint32_t head;
    bool has_wheel;
} VirtioInput;
DECLARE_CAST(VirtioInput, VIRTIO_INPUT)

typedef struct VirtioInputType {
    struct VirtioDeviceType;
    const char *full_name;
    uintptr_t kinds;    /* BIT(InputEventKind) */
    uintptr_t product, version;
} VirtioInputType;

static const VirtioInputType *input_ops(const VirtioInput *s)
{
    return object_ops(s);
}

static bool has_kind(const VirtioInput *s, InputEventKind kind)
{
    return input_ops(s)->kinds & BIT(kind);
}

/* --- the configuration --- */

static const uint16_t buttons[INPUT_BUTTON_COUNT] = {
    [INPUT_BUTTON_LEFT] = 0x110, [INPUT_BUTTON_RIGHT] = 0x111, [INPUT_BUTTON_MIDDLE] = 0x112,
    [INPUT_BUTTON_SIDE] = 0x113, [INPUT_BUTTON_EXTRA] = 0x114,
    [INPUT_BUTTON_WHEEL_UP] = 0x151, [INPUT_BUTTON_WHEEL_DOWN] = 0x150,
};

static size_t set_bit(uint8_t *page, unsigned bit)
{
    page[bit / 8] |= BIT(bit % 8);
    return bit / 8 + 1;
}

static size_t keys_page(const VirtioInput *s, uint8_t *page)
{
    size_t bytes = 0;

    for (int i = 1; has_kind(s, INPUT_EVENT_KIND_KEY) && i < Q_KEY_CODE_COUNT; i++) {
        bytes = MAX(bytes, set_bit(page, key_codes(i)->evdev));
    }
    for (int i = 0; has_kind(s, INPUT_EVENT_KIND_BTN) && i < INPUT_BUTTON_COUNT; i++) {
        if (buttons[i]) {
            bytes = MAX(bytes, set_bit(page, buttons[i]));
        }
    }
    return bytes;
}

static size_t distances_page(const VirtioInput *s, uint8_t *page)
{
    size_t bytes = 0;

    if (has_kind(s, INPUT_EVENT_KIND_REL)) {
        set_bit(page, REL_X);
        bytes = set_bit(page, REL_Y);
    }
    return s->has_wheel ? set_bit(page, REL_WHEEL) : bytes;
}

static size_t events_page(const VirtioInput *s, uint8_t *page)
{
    switch (s->subpage) {
    case EV_KEY:
        return keys_page(s, page);
    case EV_REL:
        return distances_page(s, page);
    case EV_ABS:
        *page = BIT(ABS_X) | BIT(ABS_Y);
        return has_kind(s, INPUT_EVENT_KIND_ABS);
    case EV_LED:
        *page = BIT(LED_NUM) | BIT(LED_CAPS) | BIT(LED_SCROLL);
        return has_kind(s, INPUT_EVENT_KIND_KEY);
    case EV_REP: /* keys that are held repeat: the driver sees to it */
        return has_kind(s, INPUT_EVENT_KIND_KEY);
    default:
        return 0;
    }
}

static size_t text_page(const char *text, uint8_t *page)
{
    size_t bytes = text ? MIN(strlen(text), PAGE_BYTES - 1) : 0;

    if (bytes) {
        memcpy(page, text, bytes);
    }
    return bytes;
}

static size_t fill_page(VirtioInput *s, uint8_t *page)
{
    VirtioDevice *vdev = &s->parent;
    bool is_axis = s->subpage == ABS_X || s->subpage == ABS_Y;

    if (s->page == PAGE_EVENTS) {
        return events_page(s, page);
    }
    if (s->page == PAGE_AXIS && is_axis && has_kind(s, INPUT_EVENT_KIND_ABS)) {
        virtio_put(vdev, page + 4, 4, INPUT_ABS_MAX);
        return 20;
    }
    if (s->subpage) {
        return 0;
    }
    switch (s->page) {
    case PAGE_NAME:
        return text_page(input_ops(s)->full_name, page) + 1; /* with the NUL */
    case PAGE_SERIAL:
        return text_page(s->serial, page);
    case PAGE_IDS:
        virtio_put(vdev, page, 2, BUS_VIRTUAL);
        virtio_put(vdev, page + 2, 2, VENDOR);
        virtio_put(vdev, page + 4, 2, input_ops(s)->product);
        virtio_put(vdev, page + 6, 2, input_ops(s)->version);
        return 8;
    default:
        return 0;
    }
}

/* What is chosen, how many bytes there are of it, and they. */
static void config_read(VirtioDevice *vdev, uint8_t *config)
{
    VirtioInput *s = VIRTIO_INPUT(vdev);

    memset(config, 0, 8 + PAGE_BYTES);
    config[0] = s->page;
    config[1] = s->subpage;
    config[2] = fill_page(s, config + 8);
    if (!config[2]) {
        memset(config + 8, 0, PAGE_BYTES);
    }
}

static void config_written(VirtioDevice *vdev, const uint8_t *config)
{
    VIRTIO_INPUT(vdev)->page = config[0];
    VIRTIO_INPUT(vdev)->subpage = config[1];
}

/* --- events --- */

static void queue_event(VirtioInput *s, uint16_t type, uint16_t code, int32_t value)
{
    uint8_t *event;

    if (s->queued_count == QUEUED_MAX) {
        return; /* more than the driver could have room for: send_events() finds that too */
    }
    event = s->queued[s->queued_count++];
    virtio_put(&s->parent, event, 2, type);
    virtio_put(&s->parent, event + 2, 2, code);
    virtio_put(&s->parent, event + 4, 4, (uint32_t)value);
}

static void queue_button(VirtioInput *s, const InputBtnEvent *button)
{
    bool is_wheel = button->button == INPUT_BUTTON_WHEEL_UP ||
                    button->button == INPUT_BUTTON_WHEEL_DOWN;

    if (is_wheel && s->has_wheel) {
        if (button->down) {
            queue_event(s, EV_REL, REL_WHEEL, button->button == INPUT_BUTTON_WHEEL_UP ? 1 : -1);
        }
    } else if (buttons[button->button]) {
        queue_event(s, EV_KEY, buttons[button->button], button->down);
    }
}

static void take_event(InputHandler *handler, const InputEvent *event)
{
    VirtioInput *s = container_of(handler, VirtioInput, input);
    unsigned code;

    if (!s->is_active) {
        return;
    }
    switch (event->type) {
    case INPUT_EVENT_KIND_KEY:
        code = key_codes(input_event_key(event->u.key.data->key))->evdev;
        if (code) {
            queue_event(s, EV_KEY, code, event->u.key.data->down);
        }
        break;
    case INPUT_EVENT_KIND_BTN:
        queue_button(s, event->u.btn.data);
        break;
    case INPUT_EVENT_KIND_REL:
        queue_event(s, EV_REL, event->u.rel.data->axis == INPUT_AXIS_X ? REL_X : REL_Y,
                    event->u.rel.data->value);
        break;
    case INPUT_EVENT_KIND_ABS:
        queue_event(s, EV_ABS, event->u.abs.data->axis == INPUT_AXIS_X ? ABS_X : ABS_Y,
                    event->u.abs.data->value);
        break;
    default:
        break;
    }
}

static bool fill_buffers(VirtioInput *s, VirtQueueElement **elems)
{
    for (unsigned i = 0; i < s->queued_count; i++) {
        elems[i] = virtqueue_pop(s->events, sizeof(**elems));
        if (!elems[i]) {
            while (i-- > 0) {
                virtqueue_unpop(elems[i]);
            }
            return false;
        }
    }
    return true;
}

static void send_events(InputHandler *handler)
{
    VirtioInput *s = container_of(handler, VirtioInput, input);
    VirtQueueElement *elems[QUEUED_MAX];
    bool is_complete = s->queued_count < QUEUED_MAX;

    if (!s->queued_count) {
        return;
    }
    queue_event(s, EV_SYN, 0, 0);
    if (is_complete && fill_buffers(s, elems)) {
        for (unsigned i = 0; i < s->queued_count; i++) {
            virtqueue_push(elems[i], virtqueue_write(elems[i], 0, s->queued[i], EVENT_BYTES));
        }
        virtqueue_notify(s->events);
    }
    s->queued_count = 0;
}

static void events_kicked(VirtioDevice *vdev, VirtQueue *vq)
{
    /* There is room; what was lost before is not said again. */
}

/* The driver says which lights are on. */
static void status_kicked(VirtioDevice *vdev, VirtQueue *vq)
{
    static const unsigned lights[] = { INPUT_LED_NUM, INPUT_LED_CAPS, INPUT_LED_SCROLL };
    VirtioInput *s = VIRTIO_INPUT(vdev);
    VirtQueueElement *elem;

    while ((elem = virtqueue_pop(vq, sizeof(*elem)))) {
        uint8_t event[EVENT_BYTES] = { 0 };
        unsigned code;

        virtqueue_read(elem, 0, event, sizeof(event));
        code = virtio_get(vdev, event + 2, 2);
        if (virtio_get(vdev, event, 2) == EV_LED && code < ARRAY_SIZE(lights) &&
            has_kind(s, INPUT_EVENT_KIND_KEY)) {
            bool is_on = virtio_get(vdev, event + 4, 4);

            input_set_leds(is_on ? input_leds() | lights[code] : input_leds() & ~lights[code]);
        }
        virtqueue_push(elem, 0);
    }
    virtqueue_notify(vq);
}

/* --- life --- */

/* A user's keys and pointer are for a device that a driver runs; before, all others come first. */
static void update_activity(VirtioInput *s)
{
    bool was_active = s->is_active;

    s->is_active = s->parent.status & VIRTIO_STATUS_DRIVER_OK;
    if (s->is_active && !was_active) {
        input_handler_focus(&s->input);
    } else if (!s->is_active && was_active) {
        input_handler_unfocus(&s->input);
        s->queued_count = 0;
    }
}

static void status_changed(VirtioDevice *vdev, uint8_t old)
{
    update_activity(VIRTIO_INPUT(vdev));
}

static bool input_realize(Device *dev, Error **errp)
{
    VirtioInput *s = VIRTIO_INPUT(dev);

    if (s->display && !console_find(s->display, s->head, errp)) {
        return false;
    }
    if (!virtio_init_queues(&s->parent, 2, errp)) {
        return false;
    }
    s->events = virtqueue_init(&s->parent, 0, QUEUE_SIZE, events_kicked);
    s->status = virtqueue_init(&s->parent, 1, QUEUE_SIZE, status_kicked);
    s->has_wheel &= has_kind(s, INPUT_EVENT_KIND_BTN);
    s->input = (InputHandler){ .name = input_ops(s)->full_name, .kinds = input_ops(s)->kinds,
                               .event = take_event, .sync = send_events };
    input_handler_add(&s->input);
    input_handler_bind(&s->input, s->display ? console_find(s->display, s->head, NULL) : NULL);
    return true;
}

static void input_unrealize(Device *dev)
{
    input_handler_remove(&VIRTIO_INPUT(dev)->input);
}

static void input_reset(Device *dev)
{
    VirtioInput *s = VIRTIO_INPUT(dev);

    update_activity(s);
    s->page = s->subpage = 0;
}

static bool input_post_load(void *opaque, int version, Error **errp)
{
    update_activity(opaque);
    return true;
}

#define COMMON_PROPS                                                                               \
    PROP_STR("serial", VirtioInput, serial, .doc = "What tells it from others"),                   \
    PROP_STR("display", VirtioInput, display, .doc = "The display whose users' input it takes"),   \
    PROP_U32("head", VirtioInput, head, .doc = "Which of that display's screens")

static const Property keyboard_props[] = { COMMON_PROPS };
static const Property pointer_props[] = {
    COMMON_PROPS,
    PROP_BOOL("wheel-axis", VirtioInput, has_wheel, .initial = true,
              .doc = "A wheel's turns are movements, not buttons"),
};
static const VMField input_fields[] = {
    VM_U8(VirtioInput, page), VM_U8(VirtioInput, subpage),
};

static const VirtioInputType input_type = {
    .name = TYPE_VIRTIO_INPUT,
    .doc = "virtio input device",
    .parent = TYPE_VIRTIO_DEVICE,
    .is_abstract = true,
    .size = sizeof(VirtioInput),
    .category = DEVICE_CATEGORY_INPUT,
    .virtio_id = VIRTIO_ID_INPUT,
    .config_bytes = 8 + PAGE_BYTES,
    .config_read = config_read,
    .config_written = config_written,
    .status_changed = status_changed,
    .vmstate = VMSTATE(input_fields, .version = 1, .post_load = input_post_load),
    .realize = input_realize,
    .unrealize = input_unrealize,
    .reset_hold = input_reset,
};
OBJECT_TYPE(input_type)

static const VirtioInputType keyboard_type = {
    .name = "virtio-keyboard-device",
    .doc = "virtio keyboard",
    .parent = TYPE_VIRTIO_INPUT,
    .properties = PROPERTIES(keyboard_props),
    .full_name = "QEMU Virtio Keyboard",
    .kinds = BIT(INPUT_EVENT_KIND_KEY),
    .product = 1, .version = 1,
};
OBJECT_TYPE(keyboard_type)

static const VirtioInputType mouse_type = {
    .name = "virtio-mouse-device",
    .doc = "virtio mouse",
    .parent = TYPE_VIRTIO_INPUT,
    .properties = PROPERTIES(pointer_props),
    .full_name = "QEMU Virtio Mouse",
    .kinds = BIT(INPUT_EVENT_KIND_BTN) | BIT(INPUT_EVENT_KIND_REL),
    .product = 2, .version = 2,
};
OBJECT_TYPE(mouse_type)

static const VirtioInputType tablet_type = {
    .name = "virtio-tablet-device",
    .doc = "virtio tablet: a pointer of positions",
    .parent = TYPE_VIRTIO_INPUT,
    .properties = PROPERTIES(pointer_props),
    .full_name = "QEMU Virtio Tablet",
    .kinds = BIT(INPUT_EVENT_KIND_BTN) | BIT(INPUT_EVENT_KIND_ABS),
    .product = 3, .version = 2,
};
OBJECT_TYPE(tablet_type)

#define FAMILY(what, class_)                                                                       \
    static const VirtioPciFamily what##_pci = {                                                    \
        .name = "virtio-" #what "-pci",                                                            \
        .doc = "virtio " #what " on PCI",                                                          \
        .device = (const VirtioDeviceType *)&what##_type,                                          \
        .class_id = class_,                                                                        \
        .vectors = 2,                                                                              \
        .category = DEVICE_CATEGORY_INPUT,                                                         \
    };                                                                                             \
    VIRTIO_PCI_FAMILY(what##_pci)

FAMILY(keyboard, PCI_CLASS_INPUT_KEYBOARD)
FAMILY(mouse, PCI_CLASS_INPUT_MOUSE)
FAMILY(tablet, PCI_CLASS_INPUT_OTHER)
