/*
 * The I2C bus and its chips: see hw/i2c/i2c.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/i2c/i2c.h"

static I2cSlave *find(const I2cBus *bus, uint8_t address)
{
    for (guint i = 0; i < bus->parent.devices->len; i++) {
        I2cSlave *slave = I2C_SLAVE(bus->parent.devices->pdata[i]);

        if (slave->address == address) {
            return slave;
        }
    }
    return NULL;
}

static const I2cSlaveType *ops_of(const I2cSlave *slave)
{
    return object_ops(slave);
}

I2cBus *i2c_bus_new(Device *master, const char *name)
{
    return I2C_BUS(bus_new(TYPE_I2C_BUS, master, name));
}

bool i2c_start(I2cBus *bus, uint8_t address, I2cDirection direction)
{
    I2cSlave *slave = find(bus, address);

    if (bus->current && bus->current != slave) {
        i2c_stop(bus);
    }
    bus->current = slave;
    if (slave && ops_of(slave)->start && !ops_of(slave)->start(slave, direction)) {
        bus->current = NULL;
    }
    return bus->current;
}

bool i2c_send(I2cBus *bus, uint8_t byte)
{
    return bus->current && ops_of(bus->current)->send(bus->current, byte);
}

uint8_t i2c_receive(I2cBus *bus)
{
    return bus->current ? ops_of(bus->current)->receive(bus->current) : 0xff;
}

void i2c_stop(I2cBus *bus)
{
    I2cSlave *slave = bus->current;

    bus->current = NULL;
    if (slave && ops_of(slave)->stop) {
        ops_of(slave)->stop(slave);
    }
}

void i2c_resume(I2cBus *bus, uint8_t address)
{
    bus->current = find(bus, address);
}

/* --- types --- */

static bool bus_check(Bus *bus, Device *dev, Error **errp)
{
    I2cSlave *other = find(I2C_BUS(bus), I2C_SLAVE(dev)->address);

    return !other || other == I2C_SLAVE(dev) ||
           error_set(errp, "%s: I2C address 0x%02x is taken by %s", device_label(dev),
                     other->address, device_label(&other->parent));
}

static void bus_print_device(Bus *bus, Device *dev, GString *out, int indent)
{
    g_string_append_printf(out, "%*saddress 0x%02x\n", indent, "", I2C_SLAVE(dev)->address);
}

static char *bus_device_address(Bus *bus, Device *dev)
{
    return g_strdup_printf("%02x", I2C_SLAVE(dev)->address);
}

static void bus_reset_hold(Bus *bus)
{
    I2C_BUS(bus)->current = NULL;
}

static const BusType i2c_bus_type = {
    .name = TYPE_I2C_BUS,
    .parent = TYPE_BUS,
    .doc = "Two-wire bus of small chips",
    .size = sizeof(I2cBus),
    .check = bus_check,
    .print_device = bus_print_device,
    .device_address = bus_device_address,
    .reset_hold = bus_reset_hold,
};
BUS_TYPE(i2c_bus_type)

static void slave_unrealize(Device *dev)
{
    I2cBus *bus = I2C_BUS(dev->bus);

    if (bus->current == I2C_SLAVE(dev)) {
        bus->current = NULL;
    }
}

static const Property slave_props[] = {
    PROP_U8("address", I2cSlave, address, .max = 0x7f, .doc = "Its address on the bus"),
};

static const I2cSlaveType slave_type = {
    .name = TYPE_I2C_SLAVE,
    .parent = TYPE_DEVICE,
    .doc = "A chip on an I2C bus",
    .size = sizeof(I2cSlave),
    .is_abstract = true,
    .bus_type = TYPE_I2C_BUS,
    .access = DEVICE_ACCESS_USER,
    .category = DEVICE_CATEGORY_MISC,
    .properties = PROPERTIES(slave_props),
    .unrealize = slave_unrealize,
};
I2C_SLAVE_TYPE(slave_type)
