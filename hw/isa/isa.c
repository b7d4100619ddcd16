/*
 * The ISA bus and its devices: see hw/isa/isa.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa.h"

#define ISA_PORT_SPACE 0x10000

/* An interrupt line is up while any device drives it up. */
static void isa_line_changed(void *opaque, unsigned n, int level)
{
    IsaBus *bus = opaque;
    bool is_up = level;

    for (const IrqLine *line = bus->in.items[n].lines; line; line = line->next) {
        is_up |= line->level != 0;
    }
    irq_set(&bus->out[n], is_up);
}

static void isa_bus_init(Object *obj)
{
    irq_inputs_init(&ISA_BUS(obj)->in, ISA_IRQS, isa_line_changed, obj);
}

static void isa_bus_finalize(Object *obj)
{
    IsaBus *bus = ISA_BUS(obj);

    for (unsigned n = 0; n < ISA_IRQS; n++) {
        irq_disconnect(&bus->out[n]);
    }
    irq_inputs_clear(&bus->in);
}

static void isa_print_device(Bus *bus, Device *dev, GString *out, int indent)
{
    IsaDevice *isa = ISA_DEVICE(dev);

    for (unsigned i = 0; i < isa->line_count; i++) {
        g_string_append_printf(out, "%*sisa irq %u\n", indent, "", isa->lines[i].irq);
    }
}

static char *isa_device_address(Bus *bus, Device *dev)
{
    IsaDevice *isa = ISA_DEVICE(dev);

    return isa->port_count ? g_strdup_printf("isa@%04x", isa->ports[0].at) : NULL;
}

static const BusType isa_bus_type = {
    .name = TYPE_ISA_BUS,
    .parent = TYPE_BUS,
    .doc = "Ports, interrupt lines and DMA channels of the PC",
    .size = sizeof(IsaBus),
    .init = isa_bus_init,
    .finalize = isa_bus_finalize,
    .print_device = isa_print_device,
    .device_address = isa_device_address,
};
BUS_TYPE(isa_bus_type)

IsaBus *isa_bus_new(Device *owner, MemoryRegion *memory, MemoryRegion *io)
{
    IsaBus *bus = ISA_BUS(bus_new(TYPE_ISA_BUS, owner, "isa.0"));

    bus->memory = memory;
    bus->io = io;
    return bus;
}

void isa_bus_connect(IsaBus *bus, unsigned n, IrqInput *to)
{
    assert(n < ISA_IRQS);
    irq_connect(&bus->out[n], to);
}

/* --- devices --- */

bool isa_device_map(IsaDevice *dev, MemoryRegion *region, uint32_t port, Error **errp)
{
    if (port >= ISA_PORT_SPACE || region->size > ISA_PORT_SPACE - port) {
        return error_set(errp, "%s: there is no ISA port 0x%" PRIx32,
                         device_label(&dev->parent), port);
    }
    assert(dev->port_count < ISA_MAX_PORTS);
    dev->ports[dev->port_count].region = region;
    dev->ports[dev->port_count].at = port;
    dev->port_count++;
    memory_region_add(isa_device_bus(dev)->io, port, region);
    return true;
}

bool isa_device_map_registers(IsaDevice *dev, uint32_t port, Error **errp)
{
    return isa_device_map(dev, &dev->bank.region, port, errp);
}

bool isa_device_connect(IsaDevice *dev, IrqLine *line, uint32_t irq, Error **errp)
{
    if (irq >= ISA_IRQS) {
        return error_set(errp, "%s: there is no ISA interrupt %" PRIu32 " (0 to %u)",
                         device_label(&dev->parent), irq, ISA_IRQS - 1);
    }
    assert(dev->line_count < ISA_MAX_LINES);
    dev->lines[dev->line_count].line = line;
    dev->lines[dev->line_count].irq = irq;
    dev->line_count++;
    irq_connect(line, irq_inputs_at(&isa_device_bus(dev)->in, irq));
    return true;
}

static void isa_device_unrealize(Device *dev)
{
    IsaDevice *isa = ISA_DEVICE(dev);

    while (isa->line_count) {
        IrqLine *line = isa->lines[--isa->line_count].line;

        irq_lower(line);
        irq_disconnect(line);
    }
    while (isa->port_count) {
        memory_region_remove(isa_device_bus(isa)->io, isa->ports[--isa->port_count].region);
    }
}

/* The registers of the most derived level that declares some. */
static const RegisterMap *declared_registers(const Type *type)
{
    for (; type_is_a(type, TYPE_ISA_DEVICE); type = type_parent(type)) {
        const DeviceType *level = (const DeviceType *)type_decl(type);

        if (level->registers.count) {
            return &level->registers;
        }
    }
    return NULL;
}

static void isa_device_init(Object *obj)
{
    const RegisterMap *map = declared_registers(obj->type);

    if (map) {
        register_bank_init(&ISA_DEVICE(obj)->bank, DEVICE(obj), map, object_type_name(obj));
    }
}

static void isa_device_finalize(Object *obj)
{
    if (ISA_DEVICE(obj)->bank.map) {
        register_bank_clear(&ISA_DEVICE(obj)->bank);
    }
}

static const DeviceType isa_device_type = {
    .name = TYPE_ISA_DEVICE,
    .parent = TYPE_DEVICE,
    .doc = "A device on the ISA bus",
    .size = sizeof(IsaDevice),
    .is_abstract = true,
    .bus_type = TYPE_ISA_BUS,
    .init = isa_device_init,
    .finalize = isa_device_finalize,
    .unrealize = isa_device_unrealize,
};
DEVICE_TYPE(isa_device_type)
