/*
 * pci-serial, pci-serial-2x, pci-serial-4x: one, two or four 16550A behind one I/O BAR and INTA, as
 * Windows' and Linux' drivers for "PCI serial" take them (docs of the peer, pci-serial.rst).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/char/serial.h"
#include "hw/core/chardev_property.h"
#include "hw/pci/pci_device.h"

#define TYPE_PCI_SERIAL_COMMON "pci-serial-common"
#define CLASS_SERIAL 0x0700
#define PORTS_MAX    4
#define PORT_BYTES   8

typedef struct PciSerial {
    PciDevice parent;
    MemoryRegion region;
    IrqInputs lines; /* of the ports */
    uint8_t prog_if;
    unsigned count;
    SerialPort ports[PORTS_MAX];
} PciSerial;
DECLARE_CAST(PciSerial, PCI_SERIAL)

typedef struct PciSerialType {
    struct PciDeviceType;
    uintptr_t ports;
} PciSerialType;

static uint64_t region_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return serial_port_read(&PCI_SERIAL(opaque)->ports[offset / PORT_BYTES], offset % PORT_BYTES);
}

static void region_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    serial_port_write(&PCI_SERIAL(opaque)->ports[offset / PORT_BYTES], offset % PORT_BYTES, value);
}

static const MemoryOps region_ops = {
    .read = region_read, .write = region_write, .endian = ENDIAN_LITTLE, .impl.max = 1,
};

static void line_changed(void *opaque, unsigned n, int level)
{
    PciSerial *s = opaque;
    bool is_up = false;

    for (unsigned i = 0; i < s->count; i++) {
        is_up |= irq_level(&s->ports[i].irq) != 0;
    }
    pci_intx_set(&s->parent, is_up);
}

static void pci_serial_init(Object *obj)
{
    PciSerial *s = PCI_SERIAL(obj);

    s->count = ((const PciSerialType *)object_ops(obj))->ports;
    memory_region_init_io(&s->region, obj, &region_ops, "serial", s->count * PORT_BYTES);
    irq_inputs_init(&s->lines, PORTS_MAX, line_changed, s);
    for (unsigned i = 0; i < PORTS_MAX; i++) {
        s->ports[i].baudbase = 115200;
    }
}

static void pci_serial_finalize(Object *obj)
{
    irq_inputs_clear(&PCI_SERIAL(obj)->lines);
    memory_region_clear(&PCI_SERIAL(obj)->region);
}

static bool pci_serial_realize(Device *dev, Error **errp)
{
    PciSerial *s = PCI_SERIAL(dev);

    s->parent.config[PCI_CLASS_PROG] = s->prog_if;
    s->parent.config[PCI_INTERRUPT_PIN] = 1;
    pci_add_bar(&s->parent, 0, PCI_BAR_IO, &s->region);
    for (unsigned i = 0; i < s->count; i++) {
        irq_connect(&s->ports[i].irq, irq_inputs_at(&s->lines, i));
        serial_port_start(&s->ports[i]);
    }
    return true;
}

static void pci_serial_unrealize(Device *dev)
{
    for (unsigned i = 0; i < PCI_SERIAL(dev)->count; i++) {
        serial_port_stop(&PCI_SERIAL(dev)->ports[i]);
        irq_disconnect(&PCI_SERIAL(dev)->ports[i].irq);
    }
}

static void pci_serial_reset(Device *dev)
{
    for (unsigned i = 0; i < PCI_SERIAL(dev)->count; i++) {
        serial_port_reset(&PCI_SERIAL(dev)->ports[i]);
    }
}

#define PORT_TIMEOUT(n)                                                                            \
    static void port##n##_timeout(Device *dev)                                                     \
    {                                                                                              \
        serial_port_timeout(&PCI_SERIAL(dev)->ports[n]);                                           \
    }
PORT_TIMEOUT(0)
PORT_TIMEOUT(1)
PORT_TIMEOUT(2)
PORT_TIMEOUT(3)

static const TimerDef port_timers[] = {
    TIMER_ROW(CLOCK_VIRTUAL, PciSerial, ports[0].timeout, port0_timeout),
    TIMER_ROW(CLOCK_VIRTUAL, PciSerial, ports[1].timeout, port1_timeout),
    TIMER_ROW(CLOCK_VIRTUAL, PciSerial, ports[2].timeout, port2_timeout),
    TIMER_ROW(CLOCK_VIRTUAL, PciSerial, ports[3].timeout, port3_timeout),
};
static const Property common_props[] = {
    PROP_U8("prog_if", PciSerial, prog_if, .initial = 2,
            .doc = "Programming interface of the class code: 2 is a 16550"),
};
static const VMField pci_serial_fields[] = {
    VM_STRUCT_ARRAY(PciSerial, ports, serial_port_state),
};

static const PciSerialType common_type = {
    .name = TYPE_PCI_SERIAL_COMMON,
    .doc = "Serial ports on PCI",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(PciSerial),
    .is_abstract = true,
    .category = DEVICE_CATEGORY_INPUT,
    .vendor_id = PCI_VENDOR_REDHAT, .class_id = CLASS_SERIAL, .revision = 1,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
    .timers = TIMERS(port_timers),
    .properties = PROPERTIES(common_props),
    .vmstate = VMSTATE(pci_serial_fields, .version = 1),
    .init = pci_serial_init,
    .finalize = pci_serial_finalize,
    .realize = pci_serial_realize,
    .unrealize = pci_serial_unrealize,
    .reset_hold = pci_serial_reset,
};
OBJECT_TYPE(common_type)

static const Property one_props[] = {
    PROP_CHARDEV("chardev", PciSerial, ports[0].chr),
    PROP_U32("baudbase", PciSerial, ports[0].baudbase, .initial = 115200,
             .doc = "Bits per second with divisor 1"),
    PROP_BOOL("wakeup", PciSerial, ports[0].wakeup,
              .doc = "Received bytes wake a suspended guest"),
};
static const Property two_props[] = {
    PROP_CHARDEV("chardev1", PciSerial, ports[0].chr),
    PROP_CHARDEV("chardev2", PciSerial, ports[1].chr),
};
static const Property four_props[] = {
    PROP_CHARDEV("chardev1", PciSerial, ports[0].chr),
    PROP_CHARDEV("chardev2", PciSerial, ports[1].chr),
    PROP_CHARDEV("chardev3", PciSerial, ports[2].chr),
    PROP_CHARDEV("chardev4", PciSerial, ports[3].chr),
};

#define PCI_SERIAL_TYPE(id, name_, count, device, props)                                           \
    static const PciSerialType id = {                                                              \
        .name = (name_),                                                                           \
        .doc = "16550A serial ports on PCI: " #count,                                              \
        .parent = TYPE_PCI_SERIAL_COMMON,                                                          \
        .device_id = (device),                                                                     \
        .ports = (count),                                                                          \
        .properties = PROPERTIES(props),                                                           \
    };                                                                                             \
    OBJECT_TYPE(id)
PCI_SERIAL_TYPE(one_type, "pci-serial", 1, 0x0002, one_props)
PCI_SERIAL_TYPE(two_type, "pci-serial-2x", 2, 0x0003, two_props)
PCI_SERIAL_TYPE(four_type, "pci-serial-4x", 4, 0x0004, four_props)
