/*
 * vmmouse: VMware's absolute pointer. Its driver is called by the PS/2 mouse's interrupt and reads
 * packets of four words through the VMware port (xf86-input-vmmouse, vmmouse_defs.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/input/i8042.h"
#include "hw/input/vmport.h"
#include "ui/input.h"

enum { CMD_DATA = 0x27, CMD_STATUS = 0x28, CMD_COMMAND = 0x29 };
enum {
    DO_READ_ID = 0x45414552, DO_DISABLE = 0x000000f5, DO_REQUEST_RELATIVE = 0x4c455252,
    DO_REQUEST_ABSOLUTE = 0x53424152,
};
#define VMMOUSE_ID      0x3442554a
#define STATUS_OFF      0xffff0000
#define PACKET_WORDS    4
#define PACKET_RELATIVE BIT(16)
#define BUTTON_LEFT     0x20
#define BUTTON_RIGHT    0x10
#define BUTTON_MIDDLE   0x08
#define QUEUE_WORDS     1024
#define READ_WORDS_MAX  4

typedef struct Vmmouse {
    IsaDevice parent;
    Object *i8042;
    Device *vmport;
    InputHandler input;
    uint32_t queue[QUEUE_WORDS];
    uint16_t queue_count;
    bool is_on, has_pointer, is_absolute;
    /* Of the packet being made. */
    int32_t x, y, z;
    uint8_t buttons;
} Vmmouse;
DECLARE_CAST(Vmmouse, VMMOUSE)

/* --- what the user does --- */

static void press(Vmmouse *s, const InputBtnEvent *event)
{
    static const uint8_t masks[INPUT_BUTTON_COUNT] = {
        [INPUT_BUTTON_LEFT] = BUTTON_LEFT, [INPUT_BUTTON_RIGHT] = BUTTON_RIGHT,
        [INPUT_BUTTON_MIDDLE] = BUTTON_MIDDLE,
    };
    uint8_t mask = masks[event->button];

    s->buttons = event->down ? s->buttons | mask : s->buttons & ~mask;
    if (event->down && event->button == INPUT_BUTTON_WHEEL_UP) {
        s->z--;
    } else if (event->down && event->button == INPUT_BUTTON_WHEEL_DOWN) {
        s->z++;
    }
}

static void vmmouse_event(InputHandler *handler, const InputEvent *event)
{
    Vmmouse *s = container_of(handler, Vmmouse, input);
    const InputMoveEvent *move = event->u.abs.data;
    int32_t *to = event->type != INPUT_EVENT_KIND_BTN && move->axis == INPUT_AXIS_X ? &s->x
                                                                                    : &s->y;

    if (event->type == INPUT_EVENT_KIND_BTN) {
        press(s, event->u.btn.data);
    } else if (event->type == INPUT_EVENT_KIND_ABS) {
        *to = CLAMP(move->value, 0, INPUT_ABS_MAX) << 1;
    } else {
        *to = CLAMP(*to + CLAMP(move->value, INT16_MIN, INT16_MAX), INT16_MIN, INT16_MAX);
    }
}

static void vmmouse_sync(InputHandler *handler)
{
    Vmmouse *s = container_of(handler, Vmmouse, input);
    uint32_t *packet = s->queue + s->queue_count;

    if (s->queue_count > QUEUE_WORDS - PACKET_WORDS) {
        return;
    }
    packet[0] = s->buttons | (s->is_absolute ? 0 : PACKET_RELATIVE);
    packet[1] = s->x;
    packet[2] = s->is_absolute ? s->y : -s->y;
    packet[3] = s->z;
    s->queue_count += PACKET_WORDS;
    s->z = 0;
    if (!s->is_absolute) {
        s->x = s->y = 0;
    }
    i8042_nudge_mouse(DEVICE(s->i8042));
}

/* A driver asks for one of these: it becomes the pointer that users move. */
static void take_pointer(Vmmouse *s, bool is_absolute)
{
    input_handler_remove(&s->input);
    s->has_pointer = true;
    s->is_absolute = is_absolute;
    s->input.kinds = BIT(INPUT_EVENT_KIND_BTN) |
                     BIT(is_absolute ? INPUT_EVENT_KIND_ABS : INPUT_EVENT_KIND_REL);
    s->x = s->y = s->z = 0;
    input_handler_add(&s->input);
    input_handler_focus(&s->input);
}

static void turn_off(Vmmouse *s)
{
    input_handler_remove(&s->input);
    s->is_on = s->has_pointer = false;
    s->queue_count = 0;
}

/* --- commands --- */

static uint32_t get_status(void *opaque, PortCallRegs *regs)
{
    const Vmmouse *s = opaque;

    return s->is_on ? s->queue_count : STATUS_OFF;
}

static void put_words(PortCallRegs *regs, const uint32_t words[READ_WORDS_MAX])
{
    regs->ebx = words[1];
    regs->ecx = words[2];
    regs->edx = words[3];
}

/* EBX words, in EAX, EBX, ECX, EDX. Who asks for more than there is has lost track. */
static uint32_t get_data(void *opaque, PortCallRegs *regs)
{
    Vmmouse *s = opaque;
    uint32_t count = regs->ebx, words[READ_WORDS_MAX] = { 0, regs->ebx, regs->ecx, regs->edx };

    if (!count || count > READ_WORDS_MAX || count > s->queue_count) {
        turn_off(s);
        return UINT32_MAX;
    }
    memcpy(words, s->queue, count * sizeof(words[0]));
    s->queue_count -= count;
    memmove(s->queue, s->queue + count, s->queue_count * sizeof(s->queue[0]));
    put_words(regs, words);
    return words[0];
}

static uint32_t run_command(void *opaque, PortCallRegs *regs)
{
    Vmmouse *s = opaque;

    switch (regs->ebx) {
    case DO_READ_ID:
        s->is_on = true;
        s->queue_count = 1;
        s->queue[0] = VMMOUSE_ID;
        break;
    case DO_DISABLE:
        turn_off(s);
        break;
    case DO_REQUEST_RELATIVE: case DO_REQUEST_ABSOLUTE:
        take_pointer(s, regs->ebx == DO_REQUEST_ABSOLUTE);
        break;
    }
    return regs->eax;
}

/* --- life --- */

static const struct {
    unsigned number;
    VmportCommand *fn;
} commands[] = { { CMD_STATUS, get_status }, { CMD_DATA, get_data }, { CMD_COMMAND, run_command } };

static bool vmmouse_realize(Device *dev, Error **errp)
{
    Vmmouse *s = VMMOUSE(dev);

    if (!s->i8042) {
        return error_set(errp, "'i8042' link is not set");
    }
    s->vmport = vmport_find(isa_device_bus(&s->parent));
    if (!s->vmport) {
        return error_set(errp, "vmmouse needs a machine with vmport=on");
    }
    if (!vmport_set_command(s->vmport, commands[0].number, commands[0].fn, s)) {
        return error_set(errp, "there is a vmmouse already");
    }
    for (size_t i = 1; i < ARRAY_SIZE(commands); i++) {
        vmport_set_command(s->vmport, commands[i].number, commands[i].fn, s);
    }
    s->input = (InputHandler){ .name = "vmmouse", .event = vmmouse_event, .sync = vmmouse_sync };
    return true;
}

static void vmmouse_unrealize(Device *dev)
{
    Vmmouse *s = VMMOUSE(dev);

    turn_off(s);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        vmport_set_command(s->vmport, commands[i].number, NULL, NULL);
    }
}

static void vmmouse_reset(Device *dev)
{
    Vmmouse *s = VMMOUSE(dev);

    turn_off(s);
    memset(s->queue, 0, sizeof(s->queue));
    s->is_on = true;
    s->is_absolute = false;
    s->x = s->y = s->z = s->buttons = 0;
}

static bool vmmouse_post_load(void *opaque, int version, Error **errp)
{
    Vmmouse *s = opaque;
    int32_t x = s->x, y = s->y, z = s->z;

    if (s->has_pointer) {
        take_pointer(s, s->is_absolute);
        s->x = x;
        s->y = y;
        s->z = z;
    }
    return true;
}

static const VMField vmmouse_fields[] = {
    VM_ARRAY_PART(Vmmouse, queue, queue_count), VM_BOOL(Vmmouse, is_on),
    VM_BOOL(Vmmouse, is_absolute), VM_I32(Vmmouse, x), VM_I32(Vmmouse, y), VM_I32(Vmmouse, z),
    VM_U8(Vmmouse, buttons), VM_BOOL(Vmmouse, has_pointer),
};
static const Property vmmouse_props[] = {
    PROP_LINK("i8042", Vmmouse, i8042, TYPE_I8042, .doc = "The controller of the PS/2 mouse"),
};

static const DeviceType vmmouse_type = {
    .name = "vmmouse",
    .doc = "VMware's absolute pointer",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(Vmmouse),
    .category = DEVICE_CATEGORY_INPUT,
    .properties = PROPERTIES(vmmouse_props),
    .vmstate = VMSTATE(vmmouse_fields, .version = 1, .post_load = vmmouse_post_load),
    .realize = vmmouse_realize,
    .unrealize = vmmouse_unrealize,
    .reset_hold = vmmouse_reset,
};
DEVICE_TYPE(vmmouse_type)
