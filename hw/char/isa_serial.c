/*
 * isa-serial: a 16550A at one of the PC's four places for serial ports, or where the user says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/char/serial.h"
#include "hw/core/chardev_property.h"
#include "hw/isa/isa.h"

#define TYPE_ISA_SERIAL "isa-serial"

static const struct {
    uint16_t port;
    uint8_t irq;
} places[] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

typedef struct IsaSerial {
    IsaDevice parent;
    SerialPort port;
    uint32_t index, iobase, irq;
} IsaSerial;
DECLARE_CAST(IsaSerial, ISA_SERIAL)

static uint64_t isa_serial_read(Device *dev, unsigned n)
{
    return serial_port_read(&ISA_SERIAL(dev)->port, n);
}

static void isa_serial_write(Device *dev, unsigned n, uint64_t value)
{
    serial_port_write(&ISA_SERIAL(dev)->port, n, value);
}

static bool is_index_taken(Device *dev, uint32_t index)
{
    for (guint i = 0; i < dev->bus->devices->len; i++) {
        Device *other = dev->bus->devices->pdata[i];

        if (other != dev && object_is_a(other, TYPE_ISA_SERIAL) &&
            ISA_SERIAL(other)->index == index) {
            return true;
        }
    }
    return false;
}

/* The place of its number; a number that was not given is the first one free. */
static bool find_place(Device *dev, Error **errp)
{
    IsaSerial *s = ISA_SERIAL(dev);

    for (uint32_t i = 0; s->index == ISA_UNSET && i <= ARRAY_SIZE(places); i++) {
        s->index = is_index_taken(dev, i) ? ISA_UNSET : i;
    }
    if (s->index >= ARRAY_SIZE(places)) {
        return error_set(errp, "Max. supported number of ISA serial ports is %zu.",
                         ARRAY_SIZE(places));
    }
    s->iobase = s->iobase == ISA_UNSET ? places[s->index].port : s->iobase;
    s->irq = s->irq == ISA_UNSET ? places[s->index].irq : s->irq;
    return true;
}

static bool isa_serial_realize(Device *dev, Error **errp)
{
    IsaSerial *s = ISA_SERIAL(dev);

    if (!find_place(dev, errp) || !isa_device_connect(&s->parent, &s->port.irq, s->irq, errp) ||
        !isa_device_map_registers(&s->parent, s->iobase, errp)) {
        return false;
    }
    serial_port_start(&s->port);
    return true;
}

static void isa_serial_unrealize(Device *dev)
{
    serial_port_stop(&ISA_SERIAL(dev)->port);
}

static void isa_serial_reset(Device *dev)
{
    serial_port_reset(&ISA_SERIAL(dev)->port);
}

static void isa_serial_timeout(Device *dev)
{
    serial_port_timeout(&ISA_SERIAL(dev)->port);
}

static const RegDef isa_serial_regs[] = {
    REG_COMPUTED(0, "UART", .count = 8, .read = isa_serial_read, .write = isa_serial_write),
};
static const Property isa_serial_props[] = {
    PROP_U32("index", IsaSerial, index, .initial = ISA_UNSET,
             .doc = "Which of the PC's ports, from 0"),
    PROP_U32("iobase", IsaSerial, iobase, .initial = ISA_UNSET, .doc = "First of its eight ports"),
    PROP_U32("irq", IsaSerial, irq, .initial = ISA_UNSET, .doc = "Its interrupt"),
    PROP_U32("baudbase", IsaSerial, port.baudbase, .initial = 115200,
             .doc = "Bits per second with divisor 1"),
    PROP_BOOL("wakeup", IsaSerial, port.wakeup, .doc = "Received bytes wake a suspended guest"),
    PROP_CHARDEV("chardev", IsaSerial, port.chr),
};
static const VMField isa_serial_fields[] = { VM_STRUCT(IsaSerial, port, serial_port_state) };

static const DeviceType isa_serial_type = {
    .name = TYPE_ISA_SERIAL,
    .doc = "16550A serial port on the ISA bus",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(IsaSerial),
    .category = DEVICE_CATEGORY_INPUT,
    .registers = REG_MAP(isa_serial_regs, .size = 8, .width = 1, .access_max = 4),
    .timers = TIMER_ON(CLOCK_VIRTUAL, IsaSerial, port.timeout, isa_serial_timeout),
    .properties = PROPERTIES(isa_serial_props),
    .vmstate = VMSTATE(isa_serial_fields, .version = 1),
    .realize = isa_serial_realize,
    .unrealize = isa_serial_unrealize,
    .reset_hold = isa_serial_reset,
};
DEVICE_TYPE(isa_serial_type)
