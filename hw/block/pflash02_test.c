/*
 * Parallel flash with the AMD command set, as firmware writes it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/core/mmio_device.h"
#include "system/address_space.h"
#include "system/machine_lock.h"

#define BASE UINT64_C(0xffc00000)

static const MachineType board_type = {
    .name = "board-machine", .parent = TYPE_MACHINE, .doc = "test board", .is_without_ram = true,
};
MACHINE_TYPE(board_type)

static Device *make(unsigned width, unsigned mappings)
{
    static const struct { const char *name; int value; } settings[] = {
        { "num-blocks0", 8 }, { "sector-length0", 0x400 }, { "num-blocks1", 7 },
        { "sector-length1", 0x2000 }, { "id0", 0x01 }, { "id1", 0x22cb }, { "id2", 5 },
        { "id3", 6 }, { "unlock-addr0", 0x555 }, { "unlock-addr1", 0x2aa },
    };
    Device *dev = device_new("cfi.pflash02");
    g_autoptr(Error) err = NULL;

    object_set_text(dev, "name", "flash", NULL);
    object_set_int(dev, "width", width, NULL);
    object_set_int(dev, "mappings", mappings, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        object_set_int(dev, settings[i].name, settings[i].value, NULL);
    }
    device_realize_and_unref(dev, bus_system(), &err);
    g_assert_null(err);
    mmio_device_map(MMIO_DEVICE(dev), 0, BASE);
    return dev;
}

static uint32_t get(uint64_t at, unsigned bytes)
{
    uint64_t value;

    address_space_load(address_space_system(), BASE + at, mem_format(bytes, ENDIAN_LITTLE),
                       MEM_TX_NONE, &value);
    return value;
}

static void put(uint64_t at, unsigned bytes, uint32_t value)
{
    address_space_store(address_space_system(), BASE + at, mem_format(bytes, ENDIAN_LITTLE),
                        MEM_TX_NONE, value);
}

static void command(unsigned width, uint8_t value)
{
    put(0x555 * width, width, 0xaa);
    put(0x2aa * width, width, 0x55);
    put(0x555 * width, width, value);
}

static void test_program(void)
{
    Device *dev = make(1, 1);

    command(1, 0xa0);
    put(0x123, 1, 0x5a);
    g_assert_cmphex(get(0x123, 1), ==, 0x5a);
    command(1, 0xa0);
    put(0x123, 1, 0xf0); /* bits are only cleared */
    g_assert_cmphex(get(0x123, 1), ==, 0x50);
    put(0x124, 1, 0x12); /* no command */
    g_assert_cmphex(get(0x124, 1), ==, 0xff);
    command(1, 0x20); /* unlock bypass */
    for (unsigned i = 0; i < 4; i++) {
        put(0, 1, 0xa0);
        put(0x3000 + i, 1, i);
    }
    put(0, 1, 0x90);
    put(0, 1, 0x00);
    g_assert_cmphex(get(0x3000, 4), ==, 0x03020100);
    put(0x3000, 1, 0xa0); /* it is over */
    put(0x3004, 1, 0);
    g_assert_cmphex(get(0x3004, 1), ==, 0xff);
    device_delete(dev);
}

static void program_all(void)
{
    for (uint64_t at = 0x100; at < 0x10000; at += 0x400) {
        command(1, 0xa0);
        put(at, 1, 0);
    }
}

/* Small sectors at the bottom, large ones above. */
static void test_erase(void)
{
    Device *dev = make(1, 1);

    program_all();
    command(1, 0x80);
    put(0x555, 1, 0xaa);
    put(0x2aa, 1, 0x55);
    put(0x7ff, 1, 0x30);
    g_assert_cmphex(get(0x100, 1), ==, 0);
    g_assert_cmphex(get(0x500, 1), ==, 0xff);
    g_assert_cmphex(get(0x900, 1), ==, 0);
    command(1, 0x80);
    put(0x555, 1, 0xaa);
    put(0x2aa, 1, 0x55);
    put(0x4123, 1, 0x30);
    g_assert_cmphex(get(0x3d00, 1), ==, 0);
    g_assert_cmphex(get(0x4100, 1), ==, 0xff);
    g_assert_cmphex(get(0x5d00, 1), ==, 0xff);
    g_assert_cmphex(get(0x6100, 1), ==, 0);
    command(1, 0x80);
    put(0x555, 1, 0xaa);
    put(0x2aa, 1, 0x55);
    put(0x555, 1, 0x10);
    g_assert_cmphex(get(0x100, 1), ==, 0xff);
    g_assert_cmphex(get(0xfd00, 1), ==, 0xff);
    device_delete(dev);
}

static void test_query(void)
{
    Device *dev = make(2, 2);

    command(2, 0x90);
    g_assert_cmphex(get(0, 2), ==, 0x0001);
    g_assert_cmphex(get(2, 2), ==, 0x22cb);
    g_assert_cmphex(get(0x1c, 2), ==, 5);
    g_assert_cmphex(get(0x1e, 2), ==, 6);
    put(0, 2, 0xf0);
    put(0x55 * 2, 2, 0x98);
    g_assert_cmphex(get(0x10 * 2, 2), ==, 'Q');
    g_assert_cmphex(get(0x13 * 2, 2), ==, 2);
    g_assert_cmphex(get(0x27 * 2, 2), ==, 16); /* 64 KiB */
    g_assert_cmphex(get(0x2c * 2, 2), ==, 2);
    g_assert_cmphex(get(0x2d * 2, 2), ==, 7);
    g_assert_cmphex(get(0x2f * 2, 2), ==, 4);
    g_assert_cmphex(get(0x33 * 2, 2), ==, 0x20);
    g_assert_cmphex(get(0x35 * 2, 2), ==, 'P');
    put(0, 2, 0xf0);
    command(2, 0xa0);
    put(0x40, 2, 0x1234);
    g_assert_cmphex(get(0x10040, 2), ==, 0x1234); /* the second mapping */
    device_delete(dev);
}

static void test_refused(void)
{
    g_autoptr(Device) dev = device_new("cfi.pflash02");
    g_autoptr(Error) err = NULL;

    object_set_text(dev, "name", "flash", NULL);
    object_set_int(dev, "width", 2, NULL);
    g_assert_false(device_realize(dev, bus_system(), &err));
    g_assert_cmpstr(error_text(err), ==, "attribute \"sector-length\" not specified or zero.");
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock();
    clock_qtest_enable();
    machine_create(type_find("board-machine"));
    g_test_add_func("/pflash02/program", test_program);
    g_test_add_func("/pflash02/erase", test_erase);
    g_test_add_func("/pflash02/query", test_query);
    g_test_add_func("/pflash02/refused", test_refused);
    status = g_test_run();
    machine_unlock();
    return status;
}
