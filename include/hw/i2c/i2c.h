/*
 * I2C: a bus of two wires with one master, and the chips that answer to addresses on it. The
 * master's device provides the bus and drives transfers; a chip's type says what it does with
 * bytes. NXP UM10204. Addresses have seven bits; clock stretching and other masters are not
 * modelled, bytes take no time.
 *
 * All functions want the machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I2C_I2C_H
#define HW_I2C_I2C_H

#include "hw/core/bus.h"

#define TYPE_I2C_BUS   "i2c-bus"
#define TYPE_I2C_SLAVE "i2c-slave"

typedef enum I2cDirection { I2C_WRITE, I2C_READ } I2cDirection;

typedef struct I2cSlave {
    Device parent;
    uint8_t address; /* property */
} I2cSlave;
DECLARE_CAST(I2cSlave, I2C_SLAVE)

typedef struct I2cSlaveType {
    struct DeviceType;
    /* It was addressed, again perhaps. NULL: it is always ready. False: it does not acknowledge. */
    bool (*start)(I2cSlave *slave, I2cDirection direction);
    /* False: it does not acknowledge. */
    bool (*send)(I2cSlave *slave, uint8_t byte);
    uint8_t (*receive)(I2cSlave *slave);
    void (*stop)(I2cSlave *slave); /* may be NULL */
} I2cSlaveType;
#define I2C_SLAVE_TYPE(decl) OBJECT_TYPE(decl)

typedef struct I2cBus {
    Bus parent;
    I2cSlave *current;  /* borrowed; NULL: no transfer goes on */
} I2cBus;
DECLARE_CAST(I2cBus, I2C_BUS)

I2cBus *i2c_bus_new(Device *master, const char *name);
/* A start or repeated start. False: nobody acknowledges. */
bool i2c_start(I2cBus *bus, uint8_t address, I2cDirection direction);
/* False: not acknowledged. */
bool i2c_send(I2cBus *bus, uint8_t byte);
/* 0xff while no transfer goes on. */
uint8_t i2c_receive(I2cBus *bus);
void i2c_stop(I2cBus *bus);
/* A master whose saved state is of a transfer: goes on with it where it was. */
void i2c_resume(I2cBus *bus, uint8_t address);

#endif
