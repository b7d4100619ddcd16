/*
 * ps2-mouse: IBM's PS/2 mouse, which becomes Microsoft's IntelliMouse (a wheel) or IntelliMouse
 * Explorer (two more buttons, a wheel that tilts) when its driver knocks. It reports as soon as
 * something happens: sample rates are kept, not waited for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/input/ps2.h"

enum {
    MOUSE_SCALE_1 = 0xe6, MOUSE_SCALE_2 = 0xe7, MOUSE_SET_RESOLUTION = 0xe8,
    MOUSE_GET_STATUS = 0xe9, MOUSE_SET_STREAM = 0xea, MOUSE_READ_DATA = 0xeb,
    MOUSE_RESET_WRAP = 0xec, MOUSE_SET_WRAP = 0xee, MOUSE_SET_REMOTE = 0xf0,
    MOUSE_SET_RATE = 0xf3,
};

enum { ID_MOUSE = 0, ID_WHEEL = 3, ID_EXPLORER = 4 };

#define STATUS_REMOTE  BIT(6)
#define STATUS_ENABLED BIT(5)
#define STATUS_SCALE_2 BIT(4)

/* As in a packet; side and extra are those of byte 3. */
#define BUTTON_LEFT    BIT(0)
#define BUTTON_RIGHT   BIT(1)
#define BUTTON_MIDDLE  BIT(2)
#define BUTTON_SIDE    BIT(4)
#define BUTTON_EXTRA   BIT(5)
#define BUTTONS_FIRST  (BUTTON_LEFT | BUTTON_RIGHT | BUTTON_MIDDLE)

#define PACKET_ALWAYS  BIT(3)
#define PACKET_X_SIGN  BIT(4)
#define PACKET_Y_SIGN  BIT(5)
#define PACKET_TILT    BIT(6)
#define PACKET_BYTES   4

#define DISTANCE_LIMIT 0xffff /* that is remembered */

typedef struct Ps2Mouse {
    Ps2Device parent;
    uint8_t status, resolution, rate, id;
    uint8_t rates[3]; /* the last that were set, the oldest first */
    bool is_wrapping;
    uint8_t buttons, sent_buttons;
    int32_t dx, dy, dz, dw; /* not sent yet; y up, z to the user, w right */
} Ps2Mouse;
DECLARE_CAST(Ps2Mouse, PS2_MOUSE)

/* --- packets --- */

/* As much of *distance as fits. */
static int take(int32_t *distance, int least, int most)
{
    int part = CLAMP(*distance, least, most);

    *distance -= part;
    return part;
}

/* Small steps become smaller, great ones greater. */
static int scaled(const Ps2Mouse *s, int distance)
{
    static const uint8_t steps[] = { 0, 1, 1, 3, 6, 9 };
    int size = abs(distance);

    if (!(s->status & STATUS_SCALE_2) || s->status & STATUS_REMOTE) {
        return distance;
    }
    size = size < ARRAY_SIZE(steps) ? steps[size] : MIN(2 * size, 255);
    return distance < 0 ? -size : size;
}

static uint8_t wheel_byte(Ps2Mouse *s)
{
    if (s->id == ID_WHEEL) {
        s->dw = 0;
        return take(&s->dz, -127, 127);
    }
    if (!s->dz && s->dw) {
        return PACKET_TILT | (take(&s->dw, -32, 31) & 0x3f);
    }
    return (take(&s->dz, -8, 7) & 0x0f) | (s->buttons & (BUTTON_SIDE | BUTTON_EXTRA));
}

/* Returns its bytes. */
static size_t make_packet(Ps2Mouse *s, uint8_t packet[PACKET_BYTES])
{
    int dx = scaled(s, take(&s->dx, -255, 255)), dy = scaled(s, take(&s->dy, -255, 255));

    packet[0] = PACKET_ALWAYS | (s->buttons & BUTTONS_FIRST) | (dx < 0 ? PACKET_X_SIGN : 0) |
                (dy < 0 ? PACKET_Y_SIGN : 0);
    packet[1] = dx;
    packet[2] = dy;
    s->sent_buttons = s->buttons;
    if (s->id == ID_MOUSE) {
        s->dz = s->dw = 0;
        return 3;
    }
    packet[3] = wheel_byte(s);
    return 4;
}

static bool is_streaming(const Ps2Mouse *s)
{
    return (s->status & (STATUS_ENABLED | STATUS_REMOTE)) == STATUS_ENABLED && !s->is_wrapping;
}

static bool has_news(const Ps2Mouse *s)
{
    return s->dx || s->dy || s->dz || s->dw || s->buttons != s->sent_buttons;
}

static bool has_room(const Ps2Mouse *s)
{
    return s->parent.data_count + PACKET_BYTES <= PS2_DATA_BYTES;
}

static void send_packet(Ps2Mouse *s)
{
    uint8_t packet[PACKET_BYTES];
    size_t bytes = make_packet(s, packet);

    ps2_send(&s->parent, packet, bytes);
}

static void mouse_send_news(Ps2Device *dev)
{
    Ps2Mouse *s = PS2_MOUSE(dev);

    while (is_streaming(s) && has_news(s) && has_room(s)) {
        send_packet(s);
    }
}

void ps2_mouse_nudge(Ps2Device *mouse)
{
    if (is_streaming(PS2_MOUSE(mouse)) && has_room(PS2_MOUSE(mouse))) {
        send_packet(PS2_MOUSE(mouse));
    }
}

/* --- what the user does --- */

static void move(int32_t *distance, int64_t by)
{
    *distance = CLAMP(*distance + CLAMP(by, -DISTANCE_LIMIT, DISTANCE_LIMIT), -DISTANCE_LIMIT,
                      DISTANCE_LIMIT);
}

static void turn_wheel(Ps2Mouse *s, InputButton button)
{
    static const int8_t steps[INPUT_BUTTON_COUNT][2] = {
        [INPUT_BUTTON_WHEEL_UP] = { -1, 0 },  [INPUT_BUTTON_WHEEL_DOWN] = { 1, 0 },
        [INPUT_BUTTON_WHEEL_LEFT] = { 0, -1 }, [INPUT_BUTTON_WHEEL_RIGHT] = { 0, 1 },
    };

    move(&s->dz, steps[button][0]);
    move(&s->dw, steps[button][1]);
}

static void press(Ps2Mouse *s, const InputBtnEvent *event)
{
    static const uint8_t masks[INPUT_BUTTON_COUNT] = {
        [INPUT_BUTTON_LEFT] = BUTTON_LEFT,     [INPUT_BUTTON_RIGHT] = BUTTON_RIGHT,
        [INPUT_BUTTON_MIDDLE] = BUTTON_MIDDLE, [INPUT_BUTTON_SIDE] = BUTTON_SIDE,
        [INPUT_BUTTON_EXTRA] = BUTTON_EXTRA,
    };
    uint8_t mask = masks[event->button];

    s->buttons = event->down ? s->buttons | mask : s->buttons & ~mask;
    if (event->down) {
        turn_wheel(s, event->button);
    }
}

static void mouse_event(InputHandler *handler, const InputEvent *event)
{
    Ps2Mouse *s = (Ps2Mouse *)container_of(handler, Ps2Device, input);

    if (event->type == INPUT_EVENT_KIND_BTN) {
        press(s, event->u.btn.data);
    } else if (event->u.rel.data->axis == INPUT_AXIS_X) {
        move(&s->dx, event->u.rel.data->value);
    } else {
        move(&s->dy, -CLAMP(event->u.rel.data->value, -DISTANCE_LIMIT, DISTANCE_LIMIT));
    }
}

static void forget_movement(Ps2Mouse *s)
{
    s->dx = s->dy = s->dz = s->dw = 0;
}

static void mouse_sync(InputHandler *handler)
{
    Ps2Device *dev = container_of(handler, Ps2Device, input);
    Ps2Mouse *s = PS2_MOUSE(dev);

    ps2_wake_guest();
    if (!(s->status & (STATUS_ENABLED | STATUS_REMOTE))) {
        forget_movement(s);
    }
    mouse_send_news(dev);
}

/* --- commands --- */

static void mouse_defaults(Ps2Device *dev)
{
    Ps2Mouse *s = PS2_MOUSE(dev);

    s->status = 0;
    s->resolution = 2; /* 4 counts per mm */
    s->rate = 100;
    s->is_wrapping = false;
    s->sent_buttons = s->buttons;
    forget_movement(s);
}

/* By command or by the machine; settings only does not change what kind of mouse it is. */
static void mouse_reset(Ps2Device *dev)
{
    Ps2Mouse *s = PS2_MOUSE(dev);

    s->id = ID_MOUSE;
    memset(s->rates, 0, sizeof(s->rates));
    s->buttons = 0;
    mouse_defaults(dev);
}

/* Three rates in a row are the knock. */
static void set_rate(Ps2Mouse *s, uint8_t rate)
{
    static const struct {
        uint8_t rates[3], id;
    } knocks[] = { { { 200, 100, 80 }, ID_WHEEL }, { { 200, 200, 80 }, ID_EXPLORER } };

    s->rate = rate;
    memmove(s->rates, s->rates + 1, sizeof(s->rates) - 1);
    s->rates[2] = rate;
    for (size_t i = 0; i < ARRAY_SIZE(knocks); i++) {
        if (!memcmp(s->rates, knocks[i].rates, sizeof(s->rates))) {
            s->id = knocks[i].id;
        }
    }
}

static void take_argument(Ps2Mouse *s, uint8_t byte)
{
    uint8_t command = s->parent.command;

    s->parent.command = 0;
    if (command == MOUSE_SET_RATE) {
        set_rate(s, byte);
    } else if (byte <= 3) {
        s->resolution = byte;
    } else {
        ps2_reply_byte(&s->parent, PS2_RESEND);
        return;
    }
    ps2_reply_byte(&s->parent, PS2_ACK);
}

/* In a status byte the middle button comes before the right one. */
static uint8_t status_byte(const Ps2Mouse *s)
{
    return s->status | (s->buttons & BUTTON_LEFT ? BIT(2) : 0) |
           (s->buttons & BUTTON_MIDDLE ? BIT(1) : 0) | (s->buttons & BUTTON_RIGHT ? BIT(0) : 0);
}

static void read_data(Ps2Mouse *s)
{
    uint8_t reply[1 + PACKET_BYTES] = { PS2_ACK };

    ps2_reply(&s->parent, reply, 1 + make_packet(s, reply + 1));
}

static void set_status(Ps2Mouse *s, uint8_t clear, uint8_t set)
{
    s->status = (s->status & ~clear) | set;
    forget_movement(s);
    ps2_drop_data(&s->parent);
}

static void run_command(Ps2Mouse *s, uint8_t byte)
{
    Ps2Device *dev = &s->parent;

    switch (byte) {
    case PS2_RESEND:
        ps2_reply_byte(dev, dev->last);
        return;
    case PS2_GET_ID:
        PS2_REPLY(dev, PS2_ACK, s->id);
        return;
    case PS2_RESET:
        ps2_drop_data(dev);
        mouse_reset(dev);
        PS2_REPLY(dev, PS2_ACK, PS2_BAT_OK, s->id);
        return;
    case MOUSE_GET_STATUS:
        PS2_REPLY(dev, PS2_ACK, status_byte(s), s->resolution, s->rate);
        return;
    case MOUSE_READ_DATA:
        read_data(s);
        return;
    case MOUSE_SET_RATE: case MOUSE_SET_RESOLUTION:
        dev->command = byte;
        break;
    case MOUSE_SCALE_1:
        s->status &= ~STATUS_SCALE_2;
        break;
    case MOUSE_SCALE_2:
        s->status |= STATUS_SCALE_2;
        break;
    case MOUSE_SET_STREAM:
        set_status(s, STATUS_REMOTE, 0);
        break;
    case MOUSE_SET_REMOTE:
        set_status(s, 0, STATUS_REMOTE);
        break;
    case PS2_ENABLE:
        set_status(s, 0, STATUS_ENABLED);
        break;
    case PS2_DISABLE:
        set_status(s, STATUS_ENABLED, 0);
        break;
    case MOUSE_SET_WRAP:
        s->is_wrapping = true;
        break;
    case MOUSE_RESET_WRAP:
        s->is_wrapping = false;
        break;
    case PS2_SET_DEFAULTS:
        ps2_drop_data(dev);
        mouse_defaults(dev);
        break;
    default:
        ps2_reply_byte(dev, PS2_RESEND);
        return;
    }
    ps2_reply_byte(dev, PS2_ACK);
}

static void mouse_write(Ps2Device *dev, uint8_t byte)
{
    Ps2Mouse *s = PS2_MOUSE(dev);

    if (s->is_wrapping && byte != MOUSE_RESET_WRAP && byte != PS2_RESET) {
        ps2_reply_byte(dev, byte);
    } else if (dev->command && byte != PS2_RESET) {
        take_argument(s, byte);
    } else {
        dev->command = 0;
        run_command(s, byte);
    }
}

/* A stream that says otherwise is repaired: these limit loops and sums. */
static bool mouse_post_load(void *opaque, int version, Error **errp)
{
    int32_t *distances[] = { &PS2_MOUSE(opaque)->dx, &PS2_MOUSE(opaque)->dy,
                             &PS2_MOUSE(opaque)->dz, &PS2_MOUSE(opaque)->dw };

    for (size_t i = 0; i < ARRAY_SIZE(distances); i++) {
        *distances[i] = CLAMP(*distances[i], -DISTANCE_LIMIT, DISTANCE_LIMIT);
    }
    return true;
}

static const VMField mouse_fields[] = {
    VM_U8(Ps2Mouse, status), VM_U8(Ps2Mouse, resolution), VM_U8(Ps2Mouse, rate),
    VM_U8(Ps2Mouse, id), VM_ARRAY(Ps2Mouse, rates), VM_BOOL(Ps2Mouse, is_wrapping),
    VM_U8(Ps2Mouse, buttons), VM_U8(Ps2Mouse, sent_buttons), VM_I32(Ps2Mouse, dx),
    VM_I32(Ps2Mouse, dy), VM_I32(Ps2Mouse, dz), VM_I32(Ps2Mouse, dw),
};
static const InputHandler mouse_input = {
    .name = "QEMU PS/2 Mouse",
    .kinds = BIT(INPUT_EVENT_KIND_BTN) | BIT(INPUT_EVENT_KIND_REL),
    .event = mouse_event,
    .sync = mouse_sync,
};

static const Ps2Type mouse_type = {
    .name = TYPE_PS2_MOUSE,
    .doc = "PS/2 mouse",
    .parent = TYPE_PS2_DEVICE,
    .size = sizeof(Ps2Mouse),
    .vmstate = VMSTATE(mouse_fields, .version = 1, .post_load = mouse_post_load),
    .input = &mouse_input,
    .write = mouse_write,
    .drained = mouse_send_news,
    .set_defaults = mouse_reset,
};
OBJECT_TYPE(mouse_type)
