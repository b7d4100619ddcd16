/*
 * ICH9's SMBus with EEPROMs on it, driven as a guest's driver would.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/i2c/smbus_eeprom.h"
#include "hw/i2c/smbus_host.h"
#include "hw/pci/pci_test_machine.h"
#include "system/machine_lock.h"
#include "system/vmstate_kind.h"

#define DEVFN PCI_DEVFN(31, 3)
#define BASE  0x700
#define INTR      2
#define DEV_ERR   4
#define FAILED    0x10
#define INUSE     0x40
#define BYTE_DONE 0x80
#define START     0x40
#define PEC_EN    0x80
#define AUX_STS   0xc
#define AUX_CTL   0xd
enum { QUICK = 0, BYTE = 1 << 2, BYTE_DATA = 2 << 2, WORD_DATA = 3 << 2, PROCESS_CALL = 4 << 2,
       BLOCK = 5 << 2, I2C_READ_BLOCK = 6 << 2, BLOCK_CALL = 7 << 2 };
#define READ(address)  ((address) << 1 | 1)
#define WRITE(address) ((address) << 1)
#define RAM_CHIP 0x52
#define CHECKED_CHIP 0x5a

static TestHost *machine;
static Device *smbus;

static uint8_t get(unsigned at)
{
    uint64_t value;

    address_space_load(address_space_io(), BASE + at, MEM_8, MEM_TX_NONE, &value);
    return value;
}

static void put(unsigned at, uint8_t value)
{
    address_space_store(address_space_io(), BASE + at, MEM_8, MEM_TX_NONE, value);
}

static uint8_t run(uint8_t protocol, uint8_t address, uint8_t command)
{
    put(0, 0xff);
    put(3, command);
    put(4, address);
    put(2, protocol | START);
    return get(0) & ~INUSE;
}

static void test_config(void)
{
    g_assert_cmphex(test_config_get(DEVFN, 0, MEM_LE32), ==, 0x29308086);
    g_assert_cmphex(test_config_get(DEVFN, 8, MEM_LE32), ==, 0x0c050002);
    g_assert_cmphex(test_config_get(DEVFN, 0x3d, MEM_8), ==, 1);
    test_config_put(DEVFN, 0x20, MEM_LE32, UINT32_MAX);
    g_assert_cmphex(test_config_get(DEVFN, 0x20, MEM_LE32), ==, 0xffffffc1);
    test_config_put(DEVFN, 0x20, MEM_LE32, BASE);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_IO);
    g_assert_cmphex(get(2), ==, 0xff); /* HST_EN is 0 */
    test_config_put(DEVFN, 0x40, MEM_LE32, UINT32_MAX);
    g_assert_cmphex(test_config_get(DEVFN, 0x40, MEM_LE32), ==, 5);
    g_assert_cmphex(get(2), ==, 0);
}

static void test_bytes_and_words(void)
{
    put(5, 0x12);
    put(6, 0x34);
    g_assert_cmphex(run(WORD_DATA, WRITE(RAM_CHIP), 0x80), ==, INTR);
    g_assert_cmphex(run(BYTE_DATA, READ(RAM_CHIP), 0x81), ==, INTR);
    g_assert_cmphex(get(5), ==, 0x34);
    g_assert_cmphex(run(WORD_DATA, READ(RAM_CHIP), 0x80), ==, INTR);
    g_assert_cmphex(get(5) | get(6) << 8, ==, 0x3412);
    g_assert_cmphex(run(BYTE, WRITE(RAM_CHIP), 0x80), ==, INTR); /* sets the place */
    g_assert_cmphex(run(BYTE, READ(RAM_CHIP), 0), ==, INTR);
    g_assert_cmphex(get(5), ==, 0x12);
    g_assert_cmphex(run(BYTE, READ(RAM_CHIP), 0), ==, INTR);
    g_assert_cmphex(get(5), ==, 0x34); /* it moved on */
    put(5, 0x55);
    put(6, 0x66);
    g_assert_cmphex(run(PROCESS_CALL, WRITE(RAM_CHIP), 0x90), ==, INTR); /* reads behind it */
    g_assert_cmphex(get(5) | get(6) << 8, ==, 0xffff);
    g_assert_cmphex(run(WORD_DATA, READ(RAM_CHIP), 0x90), ==, INTR);
    g_assert_cmphex(get(5) | get(6) << 8, ==, 0x6655);
}

static void test_nobody(void)
{
    g_assert_cmphex(run(QUICK, WRITE(RAM_CHIP), 0), ==, INTR);
    g_assert_cmphex(run(QUICK, WRITE(0x30), 0), ==, DEV_ERR);
    g_assert_cmphex(run(BYTE_DATA, READ(0x30), 0), ==, DEV_ERR);
    g_assert_cmphex(run(BLOCK, READ(0x30), 0), ==, DEV_ERR);
    g_assert_cmphex(run(I2C_READ_BLOCK, READ(0x30), 0), ==, DEV_ERR);
    put(0, 0xff);
    g_assert_cmphex(get(0), ==, 0);
    g_assert_cmphex(get(0), ==, INUSE); /* the semaphore */
}

static void test_buffered_block(void)
{
    put(0xd, 0xff);
    g_assert_cmphex(get(0xd), ==, 3);
    get(2);
    for (unsigned i = 0; i < 32; i++) {
        put(7, i * 3);
    }
    put(5, 32);
    g_assert_cmphex(run(BLOCK, WRITE(RAM_CHIP), 0), ==, INTR);
    g_assert_cmphex(run(BYTE_DATA, READ(RAM_CHIP), 0), ==, INTR);
    g_assert_cmphex(get(5), ==, 32); /* the count is a byte of the transfer */
    g_assert_cmphex(run(BLOCK, READ(RAM_CHIP), 0), ==, INTR);
    g_assert_cmphex(get(5), ==, 32);
    get(2);
    for (unsigned i = 0; i < 32; i++) {
        g_assert_cmphex(get(7), ==, i * 3);
    }
    put(5, 33);
    g_assert_cmphex(run(BLOCK, WRITE(RAM_CHIP), 0), ==, DEV_ERR);
    g_assert_cmphex(run(BLOCK, READ(RAM_CHIP), 0xf0), ==, DEV_ERR); /* a count of 0xff */
    put(5, 1);
    get(2);
    put(7, 0x20); /* a write of 1 byte at 0xf0, then a block from 0xf2: 0xff is no count */
    g_assert_cmphex(run(BLOCK_CALL, WRITE(RAM_CHIP), 0xf0), ==, DEV_ERR);
    put(0xd, 0);
}

static void test_block_by_bytes(void)
{
    put(5, 3);
    put(7, 0xa1);
    g_assert_cmphex(run(BLOCK, WRITE(RAM_CHIP), 0x40), ==, BYTE_DONE | 1);
    put(7, 0xa2);
    put(0, BYTE_DONE);
    g_assert_cmphex(get(0) & ~INUSE, ==, BYTE_DONE | 1);
    put(7, 0xa3);
    put(0, BYTE_DONE);
    put(0, BYTE_DONE);
    g_assert_cmphex(get(0) & ~INUSE, ==, INTR);
    g_assert_cmphex(run(BLOCK, READ(RAM_CHIP), 0x40), ==, BYTE_DONE | 1);
    g_assert_cmphex(get(5), ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmphex(get(7), ==, 0xa1 + i);
        put(0, BYTE_DONE);
    }
    g_assert_cmphex(get(0) & ~INUSE, ==, INTR);
    put(6, 0x41);
    g_assert_cmphex(run(I2C_READ_BLOCK, READ(RAM_CHIP), 0), ==, BYTE_DONE | 1);
    g_assert_cmphex(get(7), ==, 0xa1);
    put(2, I2C_READ_BLOCK | 0x20); /* LAST_BYTE */
    put(0, BYTE_DONE);
    g_assert_cmphex(get(0) & ~INUSE, ==, INTR);
    g_assert_cmphex(run(BLOCK, READ(RAM_CHIP), 0x40), ==, BYTE_DONE | 1);
    put(2, 2); /* KILL */
    g_assert_cmphex(get(0) & ~INUSE, ==, BYTE_DONE | FAILED);
}

/* The checksums are those of a data sheet's examples (Melexis MLX90614, 8.4.3). */
static void test_checks(void)
{
    put(AUX_CTL, 1); /* the controller appends them */
    put(5, 0x07);
    put(6, 0xc8);
    g_assert_cmphex(run(WORD_DATA | PEC_EN, WRITE(CHECKED_CHIP), 0x22), ==, INTR);
    g_assert_cmphex(run(BYTE_DATA, READ(CHECKED_CHIP), 0x24), ==, INTR);
    g_assert_cmphex(get(5), ==, 0x48); /* to the chip, one more byte */
    put(5, 0xd2);
    put(6, 0x3a);
    g_assert_cmphex(run(WORD_DATA, WRITE(CHECKED_CHIP), 0x07), ==, INTR);
    g_assert_cmphex(run(WORD_DATA | PEC_EN, READ(CHECKED_CHIP), 0x07), ==, DEV_ERR);
    g_assert_cmphex(get(8), ==, 0xff); /* what came in its place */
    g_assert_cmphex(get(AUX_STS), ==, 1);
    put(AUX_STS, 1);
    g_assert_cmphex(get(AUX_STS), ==, 0);
    put(AUX_CTL, 0); /* software does */
    put(8, 0x30);
    put(5, 0x3a);
    g_assert_cmphex(run(BYTE_DATA | PEC_EN, WRITE(CHECKED_CHIP), 0x08), ==, INTR);
    g_assert_cmphex(run(WORD_DATA | PEC_EN, READ(CHECKED_CHIP), 0x07), ==, INTR);
    g_assert_cmphex(get(5) | get(6) << 8 | get(8) << 16, ==, 0x303ad2);
    g_assert_cmphex(get(AUX_STS), ==, 0);
}

/* A block byte by byte and one in the buffer end with the same. */
static void test_checked_blocks(void)
{
    uint8_t check;

    put(AUX_CTL, 1);
    put(5, 2);
    put(7, 0xa1);
    g_assert_cmphex(run(BLOCK | PEC_EN, WRITE(CHECKED_CHIP), 0x40), ==, BYTE_DONE | 1);
    put(7, 0xa2);
    put(0, BYTE_DONE);
    put(0, BYTE_DONE);
    g_assert_cmphex(get(0) & ~INUSE, ==, INTR);
    g_assert_cmphex(run(BYTE_DATA, READ(CHECKED_CHIP), 0x43), ==, INTR);
    check = get(5);
    put(AUX_CTL, 3);
    put(5, 2);
    get(2);
    put(7, 0xa1);
    put(7, 0xa2);
    g_assert_cmphex(run(BLOCK | PEC_EN, WRITE(CHECKED_CHIP), 0x40), ==, INTR);
    g_assert_cmphex(run(BYTE_DATA, READ(CHECKED_CHIP), 0x43), ==, INTR);
    g_assert_cmphex(get(5), ==, check);
    /* Reading has another sum, for it names the chip twice. */
    g_assert_cmphex(run(BLOCK | PEC_EN, READ(CHECKED_CHIP), 0x40), ==, DEV_ERR);
    g_assert_cmphex(get(8), ==, check);
    put(AUX_CTL, 0);
    g_assert_cmphex(run(BLOCK | PEC_EN, READ(CHECKED_CHIP), 0x40), ==, BYTE_DONE | 1);
    put(0, BYTE_DONE);
    put(0, BYTE_DONE);
    g_assert_cmphex(get(0) & ~INUSE, ==, DEV_ERR);
    g_assert_cmphex(get(AUX_STS), ==, 1);
    put(6, 0x40);
    g_assert_cmphex(run(I2C_READ_BLOCK | PEC_EN, READ(CHECKED_CHIP), 0), ==, BYTE_DONE | 1);
    put(2, I2C_READ_BLOCK | PEC_EN | 0x20); /* LAST_BYTE; none of these has a check */
    put(0, BYTE_DONE);
    g_assert_cmphex(get(0) & ~INUSE, ==, INTR);
    put(AUX_STS, 1);
}

static void test_interrupt(void)
{
    unsigned line = (31 + 0) % 4;

    put(0, 0xff);
    put(3, 0);
    put(4, WRITE(RAM_CHIP));
    put(2, QUICK | START);
    g_assert_cmpint(machine->lines[line], ==, 0);
    put(2, 1);
    g_assert_cmpint(machine->lines[line], ==, 1);
    put(0, 0xff);
    g_assert_cmpint(machine->lines[line], ==, 0);
}

/* In the middle of a block. */
static void test_state(void)
{
    const VMState *state = device_type_state(smbus->parent.type);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    VMWriter writer = { bytes };
    VMReader reader;

    g_assert_cmphex(run(BLOCK, READ(RAM_CHIP), 0x40), ==, BYTE_DONE | 1);
    vmstate_check(state);
    g_assert_true(vmstate_save(state, smbus, &writer, NULL));
    put(2, 2); /* KILL */
    g_assert_cmphex(get(0) & ~INUSE, ==, BYTE_DONE | FAILED);
    reader = (VMReader){ bytes->data, bytes->len };
    g_assert_true(vmstate_load(state, smbus, &reader, NULL));
    put(0, BYTE_DONE);
    g_assert_cmphex(get(7), ==, 0xa2);
}

static void test_presence_detect(void)
{
    static const struct {
        SpdMemory kind;
        uint64_t bytes;
        uint8_t ranks, density;
    } rows[] = {
        { SPD_SDR, 4 * MiB, 1, 0x01 },  { SPD_SDR, 128 * MiB, 2, 0x10 },
        { SPD_SDR, 64 * GiB, 2, 0x80 }, { SPD_DDR, 512 * MiB, 2, 0x40 },
        { SPD_DDR, 4 * GiB, 2, 0x02 },  { SPD_DDR2, 128 * MiB, 0x60, 0x20 },
        { SPD_DDR2, 4 * GiB, 0x61, 0x02 },
    };
    uint8_t spd[SMBUS_EEPROM_BYTES], sum;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        spd_fill(spd, rows[i].kind, rows[i].bytes);
        g_assert_cmphex(spd[2], ==, rows[i].kind);
        g_assert_cmphex(spd[5], ==, rows[i].ranks);
        g_assert_cmphex(spd[31], ==, rows[i].density);
        sum = 0;
        for (unsigned n = 0; n < 63; n++) {
            sum += spd[n];
        }
        g_assert_cmphex(spd[63], ==, sum);
    }
    g_assert_cmphex(run(BYTE_DATA, READ(0x50), 2), ==, INTR);
    g_assert_cmphex(get(5), ==, SPD_DDR2);
    g_assert_cmphex(run(BYTE_DATA, READ(0x57), 2), ==, INTR);
    g_assert_cmphex(get(5), ==, 0xff);
}

static void test_addresses(void)
{
    Bus *bus = smbus->buses->pdata[0];
    g_autoptr(Device) dev = device_new(TYPE_SMBUS_EEPROM);
    g_autoptr(Error) err = NULL;

    g_assert_false(object_set_int(dev, "address", 0x80, NULL));
    object_set_int(dev, "address", 0x50, NULL);
    g_assert_false(device_realize(dev, bus, &err));
    g_assert_cmpstr(error_text(err), ==,
                    "smbus-eeprom: I2C address 0x50 is taken by smbus-eeprom");
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine = test_machine_init();
    machine->parent.bus->reserved_slots = 0;
    smbus = device_new("ICH9-SMB");
    object_set_text(smbus, "addr", "1f.3", NULL);
    g_assert_true(device_realize_and_unref(smbus, &machine->parent.bus->parent, NULL));
    smbus_eeprom_add_modules(I2C_BUS(smbus->buses->pdata[0]), SPD_DDR2, GiB);
    smbus_eeprom_new(I2C_BUS(smbus->buses->pdata[0]), CHECKED_CHIP, NULL);
    device_reset(smbus);
    g_test_add_func("/smbus/config", test_config);
    g_test_add_func("/smbus/bytes-and-words", test_bytes_and_words);
    g_test_add_func("/smbus/nobody", test_nobody);
    g_test_add_func("/smbus/buffered-block", test_buffered_block);
    g_test_add_func("/smbus/block-by-bytes", test_block_by_bytes);
    g_test_add_func("/smbus/checks", test_checks);
    g_test_add_func("/smbus/checked-blocks", test_checked_blocks);
    g_test_add_func("/smbus/interrupt", test_interrupt);
    g_test_add_func("/smbus/presence-detect", test_presence_detect);
    g_test_add_func("/smbus/addresses", test_addresses);
    g_test_add_func("/smbus/state", test_state);
    status = g_test_run();
    machine_unlock();
    return status;
}
