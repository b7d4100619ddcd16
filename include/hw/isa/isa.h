/*
 * The ISA bus: ports, 16 interrupt lines, DMA channels; and what sits on it.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ISA_ISA_H
#define HW_ISA_ISA_H

#include "hw/core/bus.h"

#define TYPE_ISA_BUS    "ISA"
#define TYPE_ISA_DEVICE "isa-device"
/* A bridge for boards without PCI: provides "isa.0" in the machine's address spaces. */
#define TYPE_ISA_BRIDGE "isabus-bridge"

#define ISA_IRQS        16
#define ISA_MAX_PORTS   8
#define ISA_MAX_LINES   2
/* Of properties: the board says where; a device made by a user must be told. */
#define ISA_UNSET       UINT32_MAX

struct IsaDma;

typedef struct IsaBus {
    Bus parent;
    MemoryRegion *io, *memory; /* borrowed */
    IrqInputs in;              /* devices drive these; wired-or */
    IrqLine out[ISA_IRQS];     /* to the interrupt controllers */
    struct IsaDma *dma[2];     /* borrowed; of channels 0 to 3, 4 to 7; NULL: no controller */
} IsaBus;
DECLARE_CAST(IsaBus, ISA_BUS)

typedef struct IsaDevice {
    Device parent;
    RegisterBank bank; /* of the type's declared registers */
    unsigned port_count, line_count;
    struct {
        MemoryRegion *region; /* borrowed: the device's own */
        uint32_t at;
    } ports[ISA_MAX_PORTS];
    struct {
        IrqLine *line; /* borrowed: the device's own */
        unsigned irq;
    } lines[ISA_MAX_LINES];
} IsaDevice;
DECLARE_CAST(IsaDevice, ISA_DEVICE)

/* A child bus "isa.0" of `owner`; the regions are borrowed. */
IsaBus *isa_bus_new(Device *owner, MemoryRegion *memory, MemoryRegion *io);
/* Where interrupt n ends; NULL disconnects. */
void isa_bus_connect(IsaBus *bus, unsigned n, IrqInput *to);
static inline IsaBus *isa_device_bus(const IsaDevice *dev)
{
    return ISA_BUS(dev->parent.bus);
}

/*
 * For realize. What was mapped and connected is undone when the device goes, also when its
 * realize fails later. They fail if the place does not exist on the bus.
 */
bool isa_device_map(IsaDevice *dev, MemoryRegion *region, uint32_t port, Error **errp);
/* The declared registers. */
bool isa_device_map_registers(IsaDevice *dev, uint32_t port, Error **errp);
bool isa_device_connect(IsaDevice *dev, IrqLine *line, uint32_t irq, Error **errp);

#endif
