/*
 * See hw/ide/ide_ports.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/ide_ports.h"

#include "system/address_space.h"

static uint64_t command_read(void *opaque, uint64_t at, unsigned bytes)
{
    IdePorts *ports = opaque;
    uint64_t value = 0;

    if (at == IDE_DATA && bytes > 1) {
        return ide_bus_read_data(ports->bus, bytes);
    }
    for (unsigned i = 0; i < bytes && at + i < IDE_REGISTERS; i++) {
        value |= (uint64_t)(at + i ? ide_bus_read(ports->bus, at + i) : 0) << 8 * i;
    }
    return value;
}

static void command_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    IdePorts *ports = opaque;

    if (at == IDE_DATA && bytes > 1) {
        ide_bus_write_data(ports->bus, bytes, value);
        return;
    }
    for (unsigned i = 0; i < bytes && at + i < IDE_REGISTERS; i++) {
        if (at + i) {
            ide_bus_write(ports->bus, at + i, value >> 8 * i);
        }
    }
}

static const MemoryOps command_ops = {
    .read = command_read, .write = command_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 4, true }, .impl = { 1, 4, true },
};

static uint64_t control_read(void *opaque, uint64_t at, unsigned bytes)
{
    return ide_bus_read_alt_status(((IdePorts *)opaque)->bus);
}

static void control_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    ide_bus_write_control(((IdePorts *)opaque)->bus, value);
}

static const MemoryOps control_ops = {
    .read = control_read, .write = control_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 1 }, .impl = { 1, 1 },
};

void ide_ports_init(IdePorts *ports, Object *owner, IdeBus *bus)
{
    ports->bus = bus;
    memory_region_init_io(&ports->command, owner, &command_ops, "ide", 8);
    memory_region_init_io(&ports->control, owner, &control_ops, "ide", 1);
    memory_region_set_opaque(&ports->command, ports);
    memory_region_set_opaque(&ports->control, ports);
}

void ide_ports_clear(IdePorts *ports)
{
    memory_region_clear(&ports->command);
    memory_region_clear(&ports->control);
}
