/*
 * ps2-kbd: IBM's enhanced PS/2 keyboard: scan code sets 1 to 3, lights, all commands. Repetition of
 * held keys is the user's own keyboard's, so a rate is accepted and kept; keys of the block between
 * letters and numbers have no simulated Shift around them when Num Lock is on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/input/ps2.h"
#include "ui/keycodes.h"

enum {
    KBD_SET_LEDS = 0xed, KBD_ECHO = 0xee, KBD_SET_SCAN_SET = 0xf0, KBD_SET_TYPEMATIC = 0xf3,
    KBD_ALL_TYPEMATIC = 0xf7, KBD_ALL_MAKE_BREAK = 0xf8, KBD_ALL_MAKE = 0xf9,
    KBD_ALL_TYPEMATIC_MAKE_BREAK = 0xfa, KBD_KEY_TYPEMATIC = 0xfb, KBD_KEY_MAKE_BREAK = 0xfc,
    KBD_KEY_MAKE = 0xfd,
};
#define KBD_FIRST_COMMAND 0xed
#define KBD_ID            0xab, 0x83
#define KBD_TYPEMATIC     0x2b /* 500 ms, then 10.9 per second */
#define KBD_BREAK         0xf0
#define KBD_MOST_BYTES    8    /* of Pause */

enum {
    HELD_SHIFT = BIT(0), HELD_SHIFT_R = BIT(1), HELD_CTRL = BIT(2), HELD_CTRL_R = BIT(3),
    HELD_ALT = BIT(4), HELD_ALT_R = BIT(5),
};

typedef struct Ps2Keyboard {
    Ps2Device parent;
    uint8_t scan_set, leds, typematic, held;
    bool is_scanning;
    uint8_t breaks[32]; /* by code of set 3, a bit: its release is told */
} Ps2Keyboard;
DECLARE_CAST(Ps2Keyboard, PS2_KEYBOARD)

/* --- what a key sends --- */

typedef struct KeyBytes {
    uint8_t bytes[KBD_MOST_BYTES];
    unsigned count;
    uint8_t set;
} KeyBytes;

static void add_byte(KeyBytes *out, uint8_t byte)
{
    out->bytes[out->count++] = byte;
}

/* 0xNN or 0xe0NN or 0xe1NN. */
static void add_code(KeyBytes *out, uint16_t code, bool is_down)
{
    if (code > 0xff) {
        add_byte(out, code >> 8);
    }
    if (!is_down && out->set != 1) {
        add_byte(out, KBD_BREAK);
    }
    add_byte(out, is_down || out->set != 1 ? code : code | 0x80);
}

static void add_print(KeyBytes *out, uint8_t held, bool is_down)
{
    bool is_one = out->set == 1;
    uint16_t shift = is_one ? 0xe02a : 0xe012, print = is_one ? 0xe037 : 0xe07c;

    if (held & (HELD_ALT | HELD_ALT_R)) {
        add_code(out, is_one ? 0x54 : 0x84, is_down);
    } else if (held) {
        add_code(out, print, is_down);
    } else if (is_down) {
        add_code(out, shift, true);
        add_code(out, print, true);
    } else {
        add_code(out, print, false);
        add_code(out, shift, false);
    }
}

/* Pause sends all when it is pressed; with Control it is Break. */
static void add_pause(KeyBytes *out, uint8_t held, bool is_down)
{
    bool is_one = out->set == 1;
    uint16_t attention = is_one ? 0xe046 : 0xe07e;

    if (!is_down) {
        return;
    }
    if (held & (HELD_CTRL | HELD_CTRL_R)) {
        add_code(out, attention, true);
        add_code(out, attention, false);
        return;
    }
    for (int n = 0; n < 2; n++) {
        add_code(out, is_one ? 0xe11d : 0xe114, n == 0);
        add_code(out, is_one ? 0x45 : 0x77, n == 0);
    }
}

static bool tells_break(const Ps2Keyboard *s, uint8_t code)
{
    return s->breaks[code / 8] & BIT(code % 8);
}

static void add_set3(const Ps2Keyboard *s, KeyBytes *out, uint8_t code, bool is_down)
{
    if (code && (is_down || tells_break(s, code))) {
        add_code(out, code, is_down);
    }
}

static void add_key(const Ps2Keyboard *s, KeyBytes *out, QKeyCode key, bool is_down)
{
    const KeyCodes *codes = key_codes(key);
    uint16_t code = out->set == 1 ? codes->set1 : codes->set2;

    if (out->set == 3) {
        add_set3(s, out, codes->set3, is_down);
    } else if (key == Q_KEY_CODE_PRINT) {
        add_print(out, s->held, is_down);
    } else if (key == Q_KEY_CODE_PAUSE) {
        add_pause(out, s->held, is_down);
    } else if (code) {
        add_code(out, code, is_down);
    }
}

static uint8_t modifier_of(QKeyCode key)
{
    switch (key) {
    case Q_KEY_CODE_SHIFT:   return HELD_SHIFT;
    case Q_KEY_CODE_SHIFT_R: return HELD_SHIFT_R;
    case Q_KEY_CODE_CTRL:    return HELD_CTRL;
    case Q_KEY_CODE_CTRL_R:  return HELD_CTRL_R;
    case Q_KEY_CODE_ALT:     return HELD_ALT;
    case Q_KEY_CODE_ALT_R:   return HELD_ALT_R;
    default:                 return 0;
    }
}

static void keyboard_event(InputHandler *handler, const InputEvent *event)
{
    Ps2Keyboard *s = (Ps2Keyboard *)container_of(handler, Ps2Device, input);
    const InputKeyEvent *data = event->u.key.data;
    QKeyCode key = input_event_key(data->key);
    uint8_t modifier = modifier_of(key);
    KeyBytes out = { .set = s->scan_set };

    ps2_wake_guest();
    add_key(s, &out, key, data->down);
    s->held = data->down ? s->held | modifier : s->held & ~modifier;
    if (s->is_scanning && out.count && !ps2_send(&s->parent, out.bytes, out.count)) {
        ps2_send_overrun(&s->parent, s->scan_set == 1 ? 0xff : 0);
    }
}

/* --- commands --- */

static void set_breaks(Ps2Keyboard *s, bool is_on)
{
    memset(s->breaks, is_on ? 0xff : 0, sizeof(s->breaks));
}

static void keyboard_defaults(Ps2Device *dev)
{
    static const uint8_t modifiers[] = { 0x11, 0x12, 0x14, 0x19, 0x39, 0x58, 0x59 };
    Ps2Keyboard *s = PS2_KEYBOARD(dev);

    s->scan_set = 2;
    s->typematic = KBD_TYPEMATIC;
    s->is_scanning = true;
    s->leds = 0;
    s->held = 0;
    set_breaks(s, false);
    for (size_t i = 0; i < ARRAY_SIZE(modifiers); i++) {
        s->breaks[modifiers[i] / 8] |= BIT(modifiers[i] % 8);
    }
    input_set_leds(0);
}

static void set_scan_set(Ps2Keyboard *s, uint8_t set)
{
    if (set > 3) {
        ps2_reply_byte(&s->parent, PS2_RESEND);
    } else if (set) {
        s->scan_set = set;
        ps2_reply_byte(&s->parent, PS2_ACK);
    } else {
        PS2_REPLY(&s->parent, PS2_ACK, s->scan_set);
    }
}

static void set_key_breaks(Ps2Keyboard *s, uint8_t code, bool is_on)
{
    if (is_on) {
        s->breaks[code / 8] |= BIT(code % 8);
    } else {
        s->breaks[code / 8] &= ~BIT(code % 8);
    }
}

/* The command stays in force for as long as codes of keys follow. */
static bool is_for_keys(uint8_t command)
{
    return command >= KBD_KEY_TYPEMATIC && command <= KBD_KEY_MAKE;
}

static void take_argument(Ps2Keyboard *s, uint8_t byte)
{
    uint8_t command = s->parent.command;

    if (is_for_keys(command)) {
        set_key_breaks(s, byte, command == KBD_KEY_MAKE_BREAK);
        ps2_reply_byte(&s->parent, PS2_ACK);
        return;
    }
    s->parent.command = 0;
    if (command == KBD_SET_SCAN_SET) {
        set_scan_set(s, byte);
        return;
    }
    if (command == KBD_SET_LEDS) {
        s->leds = byte & (INPUT_LED_SCROLL | INPUT_LED_NUM | INPUT_LED_CAPS);
        input_set_leds(s->leds);
    } else {
        s->typematic = byte & 0x7f;
    }
    ps2_reply_byte(&s->parent, PS2_ACK);
}

static void run_command(Ps2Keyboard *s, uint8_t byte)
{
    Ps2Device *dev = &s->parent;

    switch (byte) {
    case KBD_ECHO:
        ps2_reply_byte(dev, KBD_ECHO);
        return;
    case PS2_RESEND:
        ps2_reply_byte(dev, dev->last);
        return;
    case PS2_GET_ID:
        PS2_REPLY(dev, PS2_ACK, KBD_ID);
        return;
    case PS2_RESET:
        ps2_drop_data(dev);
        keyboard_defaults(dev);
        PS2_REPLY(dev, PS2_ACK, PS2_BAT_OK);
        return;
    case KBD_SET_LEDS: case KBD_SET_SCAN_SET: case KBD_SET_TYPEMATIC:
    case KBD_KEY_TYPEMATIC: case KBD_KEY_MAKE_BREAK: case KBD_KEY_MAKE:
        dev->command = byte;
        break;
    case PS2_ENABLE:
        ps2_drop_data(dev);
        s->is_scanning = true;
        break;
    case PS2_DISABLE: case PS2_SET_DEFAULTS:
        ps2_drop_data(dev);
        keyboard_defaults(dev);
        s->is_scanning = byte == PS2_SET_DEFAULTS;
        break;
    case KBD_ALL_TYPEMATIC: case KBD_ALL_MAKE:
        set_breaks(s, false);
        break;
    case KBD_ALL_MAKE_BREAK: case KBD_ALL_TYPEMATIC_MAKE_BREAK:
        set_breaks(s, true);
        break;
    default:
        ps2_reply_byte(dev, PS2_RESEND);
        return;
    }
    ps2_reply_byte(dev, PS2_ACK);
}

/* Where an argument is due, a command takes its place. */
static void keyboard_write(Ps2Device *dev, uint8_t byte)
{
    if (dev->command && byte < KBD_FIRST_COMMAND) {
        take_argument(PS2_KEYBOARD(dev), byte);
    } else {
        dev->command = 0;
        run_command(PS2_KEYBOARD(dev), byte);
    }
}

static void keyboard_init(Object *obj)
{
    PS2_KEYBOARD(obj)->scan_set = 2;
}

static bool keyboard_post_load(void *opaque, int version, Error **errp)
{
    input_set_leds(PS2_KEYBOARD(opaque)->leds);
    return true;
}

static bool has_scan_set(void *opaque, int version)
{
    return PS2_KEYBOARD(opaque)->scan_set >= 1 && PS2_KEYBOARD(opaque)->scan_set <= 3;
}

static const VMField keyboard_fields[] = {
    VM_U8(Ps2Keyboard, scan_set), VM_VALIDATE("scan_set", has_scan_set),
    VM_U8(Ps2Keyboard, leds), VM_U8(Ps2Keyboard, typematic), VM_U8(Ps2Keyboard, held),
    VM_BOOL(Ps2Keyboard, is_scanning), VM_BUFFER(Ps2Keyboard, breaks),
};
static const InputHandler keyboard_input = {
    .name = "QEMU PS/2 Keyboard",
    .kinds = BIT(INPUT_EVENT_KIND_KEY),
    .event = keyboard_event,
};

static const Ps2Type keyboard_type = {
    .name = TYPE_PS2_KEYBOARD,
    .doc = "PS/2 keyboard",
    .parent = TYPE_PS2_DEVICE,
    .size = sizeof(Ps2Keyboard),
    .init = keyboard_init,
    .vmstate = VMSTATE(keyboard_fields, .version = 1, .post_load = keyboard_post_load),
    .input = &keyboard_input,
    .write = keyboard_write,
    .set_defaults = keyboard_defaults,
};
OBJECT_TYPE(keyboard_type)
