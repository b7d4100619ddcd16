/*
 * isa-ide: a channel on the ISA bus, without DMA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/ide_ports.h"
#include "hw/isa/isa.h"

typedef struct IsaIde {
    IsaDevice parent;
    IdeBus *bus;
    IdePorts ports;
    IrqLine irq;
    uint32_t iobase, iobase2, irq_number; /* properties */
} IsaIde;
DECLARE_CAST(IsaIde, ISA_IDE)

static void isa_ide_interrupt(void *opaque, bool is_up)
{
    irq_set(&ISA_IDE(opaque)->irq, is_up);
}

static const IdeTransport isa_ide_transport = { .interrupt = isa_ide_interrupt };

static bool isa_ide_realize(Device *dev, Error **errp)
{
    IsaIde *ide = ISA_IDE(dev);

    ide->bus = ide_bus_new(dev, IDE_MAX_UNITS, &isa_ide_transport, ide);
    if (!ide->ports.bus) {
        ide_ports_init(&ide->ports, &dev->parent, ide->bus);
    }
    ide->ports.bus = ide->bus;
    if (!isa_device_map(&ide->parent, &ide->ports.command, ide->iobase, errp) ||
        !isa_device_map(&ide->parent, &ide->ports.control, ide->iobase2, errp) ||
        !isa_device_connect(&ide->parent, &ide->irq, ide->irq_number, errp)) {
        object_unparent(ide->bus);
        ide->bus = NULL;
        return false;
    }
    return true;
}

static void isa_ide_unrealize(Device *dev)
{
    IsaIde *ide = ISA_IDE(dev);

    if (ide->bus) {
        object_unparent(ide->bus);
        ide->bus = NULL;
    }
}

static void isa_ide_finalize(Object *obj)
{
    if (ISA_IDE(obj)->ports.bus) {
        ide_ports_clear(&ISA_IDE(obj)->ports);
    }
}

static void isa_ide_reset(Device *dev)
{
    ide_bus_reset(ISA_IDE(dev)->bus);
}

static const Property isa_ide_props[] = {
    PROP_U32("iobase", IsaIde, iobase, .initial = 0x1f0, .doc = "First of its eight ports"),
    PROP_U32("iobase2", IsaIde, iobase2, .initial = 0x3f6, .doc = "Port of the control register"),
    PROP_U32("irq", IsaIde, irq_number, .initial = 14, .doc = "Its interrupt"),
};
static const VMField isa_ide_fields[] = { VM_STRUCT_POINTER(IsaIde, bus, ide_bus_state) };

static const DeviceType isa_ide_type = {
    .name = "isa-ide",
    .doc = "IDE channel on the ISA bus",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(IsaIde),
    .category = DEVICE_CATEGORY_STORAGE,
    .properties = PROPERTIES(isa_ide_props),
    .vmstate = VMSTATE(isa_ide_fields, .version = 1),
    .realize = isa_ide_realize,
    .unrealize = isa_ide_unrealize,
    .reset_hold = isa_ide_reset,
    .finalize = isa_ide_finalize,
};
DEVICE_TYPE(isa_ide_type)
