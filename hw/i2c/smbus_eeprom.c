/*
 * smbus-eeprom: 256 bytes behind two wires, as a 24C02: the first byte written is where the
 * next ones are read or written, and the place moves on by itself. A cleared cell is 0xff. What
 * was written stays over a reset. Serial presence detect data as in JEDEC 21-C, 4.1.2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/i2c/smbus_eeprom.h"

typedef struct SmbusEeprom {
    I2cSlave parent;
    uint8_t cells[SMBUS_EEPROM_BYTES];
    uint8_t place;
    bool has_place; /* of this transfer */
} SmbusEeprom;
DECLARE_CAST(SmbusEeprom, SMBUS_EEPROM)

static bool eeprom_start(I2cSlave *slave, I2cDirection direction)
{
    SMBUS_EEPROM(slave)->has_place = false;
    return true;
}

static bool eeprom_send(I2cSlave *slave, uint8_t byte)
{
    SmbusEeprom *chip = SMBUS_EEPROM(slave);

    if (!chip->has_place) {
        chip->has_place = true;
        chip->place = byte;
    } else {
        chip->cells[chip->place++] = byte;
    }
    return true;
}

static uint8_t eeprom_receive(I2cSlave *slave)
{
    SmbusEeprom *chip = SMBUS_EEPROM(slave);

    return chip->cells[chip->place++];
}

static void eeprom_init(Object *obj)
{
    memset(SMBUS_EEPROM(obj)->cells, 0xff, SMBUS_EEPROM_BYTES);
}

static void eeprom_reset_enter(Device *dev)
{
    SMBUS_EEPROM(dev)->place = 0;
    SMBUS_EEPROM(dev)->has_place = false;
}

static const VMField eeprom_fields[] = {
    VM_BUFFER(SmbusEeprom, cells), VM_U8(SmbusEeprom, place), VM_BOOL(SmbusEeprom, has_place),
};

static const I2cSlaveType eeprom_type = {
    .name = TYPE_SMBUS_EEPROM,
    .parent = TYPE_I2C_SLAVE,
    .doc = "EEPROM on an SMBus",
    .size = sizeof(SmbusEeprom),
    .access = DEVICE_ACCESS_BOARD,
    .init = eeprom_init,
    .start = eeprom_start,
    .send = eeprom_send,
    .receive = eeprom_receive,
    .reset_enter = eeprom_reset_enter,
    .vmstate = VMSTATE(eeprom_fields, .version = 1),
};
I2C_SLAVE_TYPE(eeprom_type)

Device *smbus_eeprom_new(I2cBus *bus, uint8_t address, const uint8_t *content)
{
    Device *dev = device_new(TYPE_SMBUS_EEPROM);

    object_set_int(dev, "address", address, NULL);
    if (content) {
        memcpy(SMBUS_EEPROM(dev)->cells, content, SMBUS_EEPROM_BYTES);
    }
    device_realize_and_unref(dev, &bus->parent, NULL);
    return dev;
}

/* --- serial presence detect --- */

typedef struct Shape {
    uint8_t ranks, density; /* density: a bit for the size of a rank */
} Shape;

/* Sizes a rank can have, as powers of two MiB. */
static void rank_limits(SpdMemory kind, unsigned *low, unsigned *high)
{
    *low = kind == SPD_SDR ? 2 : kind == SPD_DDR ? 4 : 7;
    *high = *low + 7;
}

static Shape shape_of(SpdMemory kind, unsigned mib_log2)
{
    unsigned low, high, rank;
    Shape shape = { 1 };

    rank_limits(kind, &low, &high);
    rank = MIN(MAX(mib_log2, low), high + 1);
    if (rank > low) { /* two ranks of half the size: as most modules are */
        shape.ranks = 2;
        rank--;
    }
    /* Bit 0 is 4 MiB; later kinds have 1 GiB and more in the low bits instead. */
    shape.density = BIT(kind != SPD_SDR && rank >= 10 ? rank - 10 : rank - 2);
    return shape;
}

static void put_checksum(uint8_t *spd)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < 63; i++) {
        sum += spd[i];
    }
    spd[63] = sum;
}

void spd_fill(uint8_t spd[SMBUS_EEPROM_BYTES], SpdMemory kind, uint64_t bytes)
{
    static const struct {
        uint8_t at, value;
    } common[] = {
        { 0, 128 },   /* bytes used */
        { 1, 8 },     /* 256 bytes in all */
        { 3, 12 }, { 4, 10 }, /* row and column address bits */
        { 6, 64 },    /* data width */
        { 9, 0x60 }, { 10, 0x70 }, /* cycle and access times */
        { 12, 0x82 }, /* refreshed by itself, 7.8 us */
        { 13, 8 },    /* width of a chip */
        { 15, 1 }, { 16, 0x8f }, { 17, 4 }, { 18, 0x04 }, { 19, 0x01 }, { 20, 0x01 },
        { 22, 0x80 }, /* any voltage */
        { 23, 0x75 }, { 24, 0x54 }, /* cycle and access times at a lower CAS latency */
        { 27, 20 }, { 28, 15 }, { 29, 20 }, { 30, 45 }, /* row timings, ns */
        { 32, 0x20 }, { 33, 0x10 }, { 34, 0x20 }, { 35, 0x10 },
        { 62, 0x12 }, /* revision 1.2 */
    };
    unsigned mib_log2 = 2;
    Shape shape;

    while (mib_log2 < 15 && (MiB << (mib_log2 + 1)) <= bytes) {
        mib_log2++;
    }
    shape = shape_of(kind, mib_log2);
    memset(spd, 0, SMBUS_EEPROM_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(common); i++) {
        spd[common[i].at] = common[i].value;
    }
    spd[2] = kind;
    spd[5] = kind == SPD_DDR2 ? 0x60 | (shape.ranks - 1) : shape.ranks;
    spd[8] = kind == SPD_DDR2 ? 5 : kind == SPD_DDR ? 4 : 1; /* signal level */
    spd[31] = shape.density;
    put_checksum(spd);
}

void smbus_eeprom_add_modules(I2cBus *bus, SpdMemory kind, uint64_t bytes)
{
    uint8_t spd[SMBUS_EEPROM_BYTES];

    spd_fill(spd, kind, bytes);
    for (unsigned i = 0; i < SMBUS_SPD_MODULES; i++) {
        smbus_eeprom_new(bus, SMBUS_SPD_ADDRESS + i, i ? NULL : spd);
    }
}
