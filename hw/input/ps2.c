/*
 * ps2-device: what keyboards and mice on PS/2 wires share: see hw/input/ps2.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/input/ps2.h"
#include "system/run_state.h"

static const Ps2Type *ps2_ops(const Ps2Device *dev)
{
    return object_ops(dev);
}

static void update_line(Ps2Device *dev)
{
    bool is_up = ps2_has_data(dev);

    if (irq_level(&dev->irq) != is_up) {
        irq_set(&dev->irq, is_up);
    }
}

static uint8_t take_first(uint8_t *bytes, uint8_t *count)
{
    uint8_t first = bytes[0];

    memmove(bytes, bytes + 1, --*count);
    return first;
}

uint8_t ps2_read(Ps2Device *dev)
{
    if (dev->reply_count) {
        dev->last = take_first(dev->reply, &dev->reply_count);
    } else if (dev->data_count) {
        dev->last = take_first(dev->data, &dev->data_count);
        if (!dev->data_count && ps2_ops(dev)->drained) {
            ps2_ops(dev)->drained(dev);
        }
    }
    update_line(dev);
    return dev->last;
}

/* What it was about to answer is void: the host went on. */
void ps2_write(Ps2Device *dev, uint8_t byte)
{
    dev->reply_count = 0;
    ps2_ops(dev)->write(dev, byte);
    update_line(dev);
}

void ps2_reply(Ps2Device *dev, const uint8_t *bytes, size_t count)
{
    assert(count <= PS2_REPLY_BYTES - dev->reply_count);
    memcpy(dev->reply + dev->reply_count, bytes, count);
    dev->reply_count += count;
    update_line(dev);
}

bool ps2_send(Ps2Device *dev, const uint8_t *bytes, size_t count)
{
    if (dev->data_count + count > PS2_DATA_BYTES) {
        return false;
    }
    memcpy(dev->data + dev->data_count, bytes, count);
    dev->data_count += count;
    update_line(dev);
    return true;
}

void ps2_send_overrun(Ps2Device *dev, uint8_t code)
{
    if (dev->data_count <= PS2_DATA_BYTES && (!dev->data_count ||
                                              dev->data[dev->data_count - 1] != code)) {
        dev->data[dev->data_count++] = code;
        update_line(dev);
    }
}

void ps2_drop_data(Ps2Device *dev)
{
    dev->data_count = 0;
    update_line(dev);
}

void ps2_wake_guest(void)
{
    if (run_state_current() == RUN_STATE_SUSPENDED) {
        vm_request_wakeup(WAKEUP_OTHER, NULL);
    }
}

static bool ps2_realize(Device *dev, Error **errp)
{
    PS2_DEVICE(dev)->input = *ps2_ops(PS2_DEVICE(dev))->input;
    input_handler_add(&PS2_DEVICE(dev)->input);
    return true;
}

static void ps2_unrealize(Device *dev)
{
    input_handler_remove(&PS2_DEVICE(dev)->input);
}

static void ps2_reset(Device *device)
{
    Ps2Device *dev = PS2_DEVICE(device);

    dev->reply_count = dev->data_count = 0;
    dev->last = dev->command = 0;
    ps2_ops(dev)->set_defaults(dev);
}

static void ps2_reset_line(Device *dev)
{
    update_line(PS2_DEVICE(dev));
}

static bool ps2_post_load(void *opaque, int version, Error **errp)
{
    update_line(opaque);
    return true;
}

static const VMField ps2_fields[] = {
    VM_ARRAY_PART(Ps2Device, reply, reply_count), VM_ARRAY_PART(Ps2Device, data, data_count),
    VM_U8(Ps2Device, last), VM_U8(Ps2Device, command),
};

static const Ps2Type ps2_type = {
    .name = TYPE_PS2_DEVICE,
    .doc = "A keyboard or mouse with a PS/2 plug",
    .parent = TYPE_MMIO_DEVICE,
    .size = sizeof(Ps2Device),
    .is_abstract = true,
    .category = DEVICE_CATEGORY_INPUT,
    .access = DEVICE_ACCESS_BOARD,
    .irqs = IRQ_OUT(Ps2Device, irq),
    .vmstate = VMSTATE(ps2_fields, .version = 1, .post_load = ps2_post_load),
    .realize = ps2_realize,
    .unrealize = ps2_unrealize,
    .reset_enter = ps2_reset,
    .reset_hold = ps2_reset_line,
};
OBJECT_TYPE(ps2_type)
