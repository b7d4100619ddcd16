/*
 * Parallel flash as firmware writes it: here that with the Intel command set.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "pflash_test.h"
#include "system/machine_lock.h"

static const MachineType board_type = {
    .name = "board-machine", .parent = TYPE_MACHINE, .doc = "test board", .is_without_ram = true,
};
MACHINE_TYPE(board_type)

Device *pflash_test_place(Device *dev)
{
    g_autoptr(Error) err = NULL;

    device_realize_and_unref(dev, bus_system(), &err);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    mmio_device_map(MMIO_DEVICE(dev), 0, PFLASH_TEST_BASE);
    device_reset(dev);
    return dev;
}

static Device *make(unsigned width, unsigned device_width, bool is_secure)
{
    Device *dev = device_new("cfi.pflash01");

    object_set_text(dev, "name", "system.flash0", NULL);
    object_set_int(dev, "num-blocks", 16, NULL);
    object_set_int(dev, "sector-length", 0x1000, NULL);
    object_set_int(dev, "width", width, NULL);
    object_set_int(dev, "device-width", device_width, NULL);
    object_set_int(dev, "id0", 0x89, NULL);
    object_set_int(dev, "id1", 0x18, NULL);
    object_set_bool(dev, "secure", is_secure, NULL);
    return pflash_test_place(dev);
}

static void test_program(void)
{
    Device *dev = make(1, 0, false);

    g_assert_cmphex(get(0x123, 1), ==, 0xff);
    put(0x123, 1, 0x40);
    put(0x123, 1, 0x5a);
    g_assert_cmphex(get(0x123, 1), ==, 0x80); /* status */
    put(0, 1, 0xff);
    g_assert_cmphex(get(0x123, 1), ==, 0x5a);
    put(0x123, 1, 0x10);
    put(0x123, 1, 0xf0); /* bits are only cleared */
    put(0, 1, 0xff);
    g_assert_cmphex(get(0x123, 1), ==, 0x50);
    put(0x800, 1, 0x20);
    put(0x800, 1, 0xd0);
    put(0, 1, 0xff);
    g_assert_cmphex(get(0x123, 1), ==, 0xff);
    put(0, 1, 0x20);
    put(0, 1, 0x11); /* not confirmed */
    g_assert_cmphex(get(0, 1), ==, 0xb0);
    put(0, 1, 0x50);
    put(0, 1, 0x70);
    g_assert_cmphex(get(0, 1), ==, 0); /* as OVMF wants it */
    put(0, 1, 0x40);
    put(0, 1, 0xff);
    g_assert_cmphex(get(0, 1), ==, 0x80);
    device_delete(dev);
}

static void test_buffer(void)
{
    Device *dev = make(1, 0, false);

    put(0x200, 1, 0xe8);
    put(0x200, 1, 3);
    for (unsigned i = 0; i < 4; i++) {
        put(0x204 + i, 1, i);
    }
    put(0x200, 1, 0xd0);
    put(0, 1, 0xff);
    g_assert_cmphex(get(0x204, 4), ==, 0x03020100);
    g_assert_cmphex(get(0x200, 4), ==, UINT32_MAX);
    put(0x200, 1, 0xe8);
    put(0x200, 1, 3);
    put(0x400, 1, 0); /* outside */
    g_assert_cmphex(get(0, 1) & 0x30, ==, 0x30);
    device_delete(dev);
}

static void test_lock(void)
{
    Device *dev = make(1, 0, false);

    put(0x1000, 1, 0x60);
    put(0x1000, 1, 0x01);
    put(0x1234, 1, 0x40);
    put(0x1234, 1, 0);
    g_assert_cmphex(get(0, 1), ==, 0x92);
    put(0, 1, 0x90);
    g_assert_cmphex(get(0x1002, 1), ==, 1);
    g_assert_cmphex(get(0x0002, 1), ==, 0);
    put(0x1000, 1, 0x60);
    put(0x1000, 1, 0xd0);
    put(0x1234, 1, 0x40);
    put(0x1234, 1, 0);
    put(0, 1, 0xff);
    g_assert_cmphex(get(0x1234, 1), ==, 0);
    device_delete(dev);
}

static void test_query(void)
{
    Device *dev = make(4, 2, false);

    put(0x55 * 4, 4, 0x98);
    g_assert_cmphex(get(0x10 * 4, 4), ==, 0x00510051);
    g_assert_cmphex(get(0x27 * 4, 4), ==, 0x000f000f); /* 32 KiB each */
    g_assert_cmphex(get(0x2d * 4, 4), ==, 0x000f000f);
    g_assert_cmphex(get(0x2f * 4, 4), ==, 0x00080008);
    put(0, 4, 0x90);
    g_assert_cmphex(get(0, 4), ==, 0x89188918u);
    device_delete(dev);
}

static void test_secure(void)
{
    Device *dev = make(1, 0, true);

    put(0, 1, 0x90);
    g_assert_cmphex(get(0, 1), ==, 0xff);
    address_space_store(address_space_system(), PFLASH_TEST_BASE, MEM_8, (MemTxAttrs){ .is_secure = true },
                        0x70);
    g_assert_cmphex(get(0, 1), ==, 0x80);
    device_delete(dev);
}

static void test_refused(void)
{
    g_autoptr(Device) dev = device_new("cfi.pflash01");
    g_autoptr(Error) err = NULL;

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
    g_test_add_func("/pflash/program", test_program);
    g_test_add_func("/pflash/buffer", test_buffer);
    g_test_add_func("/pflash/lock", test_lock);
    g_test_add_func("/pflash/query", test_query);
    g_test_add_func("/pflash/secure", test_secure);
    g_test_add_func("/pflash/refused", test_refused);
    pflash02_add_tests();
    status = g_test_run();
    machine_unlock();
    return status;
}
