/*
 * Ps2Device: a keyboard or mouse on the two wires of IBM's PS/2, as its controller sees it: bytes
 * to send it, bytes that wait. The line is up while some do. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_INPUT_PS2_H
#define HW_INPUT_PS2_H

#include "hw/core/mmio_device.h"
#include "ui/input.h"

#define TYPE_PS2_DEVICE   "ps2-device"
#define TYPE_PS2_KEYBOARD "ps2-kbd"
#define TYPE_PS2_MOUSE    "ps2-mouse"

#define PS2_DATA_BYTES  16
#define PS2_REPLY_BYTES 8

/* What devices answer, and commands that both have. */
enum {
    PS2_BAT_OK = 0xaa, PS2_ACK = 0xfa, PS2_RESEND = 0xfe,
    PS2_GET_ID = 0xf2, PS2_ENABLE = 0xf4, PS2_DISABLE = 0xf5, PS2_SET_DEFAULTS = 0xf6,
    PS2_RESET = 0xff,
};

typedef struct Ps2Device {
    MmioDevice parent;
    IrqLine irq;
    InputHandler input;
    /* Answers go before what the user does. */
    uint8_t reply[PS2_REPLY_BYTES], reply_count;
    uint8_t data[PS2_DATA_BYTES + 1], data_count; /* one more, to say that there were too many */
    uint8_t last;    /* sent */
    uint8_t command; /* that waits for its argument; 0: none */
} Ps2Device;
DECLARE_CAST(Ps2Device, PS2_DEVICE)

typedef struct Ps2Type {
    struct DeviceType;
    const InputHandler *input; /* what it takes */
    void (*write)(Ps2Device *dev, uint8_t byte);
    /* All data was read; may be NULL. */
    void (*drained)(Ps2Device *dev);
    /* The state of a new one, also by command. */
    void (*set_defaults)(Ps2Device *dev);
} Ps2Type;

/* --- for the controller --- */

/* The next byte; without one, the last again. */
uint8_t ps2_read(Ps2Device *dev);
void ps2_write(Ps2Device *dev, uint8_t byte);
static inline bool ps2_has_data(const Ps2Device *dev)
{
    return dev->reply_count || dev->data_count;
}
/* A packet without movement, if the mouse is enabled: its driver looks around. */
void ps2_mouse_nudge(Ps2Device *mouse);

/* --- for keyboards and mice --- */

void ps2_reply(Ps2Device *dev, const uint8_t *bytes, size_t count);
static inline void ps2_reply_byte(Ps2Device *dev, uint8_t byte)
{
    ps2_reply(dev, &byte, 1);
}
#define PS2_REPLY(dev, ...)                                                                        \
    ps2_reply(dev, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))
/* All or, if there is no room, nothing and false. */
bool ps2_send(Ps2Device *dev, const uint8_t *bytes, size_t count);
/* In the place kept for it; the next ones fail until there is room again. */
void ps2_send_overrun(Ps2Device *dev, uint8_t code);
/* Forgets data that waits. */
void ps2_drop_data(Ps2Device *dev);
/* After a user did something: a sleeping guest may wake. */
void ps2_wake_guest(void);

#endif
