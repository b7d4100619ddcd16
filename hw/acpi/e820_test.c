/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/e820.h"
#include "hw/acpi/pack.h"

static E820 *sample(void)
{
    E820 *map = e820_new();

    e820_add(map, 4 * GiB, GiB, E820_RAM);
    e820_add(map, 0, 0x9fc00, E820_RAM);
    e820_add(map, 0x9fc00, 0x60400, E820_RESERVED);
    e820_add(map, MiB, 0, E820_RAM);
    e820_add(map, -(uint64_t)MiB, MiB, E820_RESERVED);
    return map;
}

static void test_map(void)
{
    g_autoptr(E820) map = sample();
    g_autoptr(GByteArray) bytes = e820_bytes(map);
    static const uint64_t bases[] = { 0, 0x9fc00, 4 * GiB, -(uint64_t)MiB };

    g_assert_cmpuint(e820_count(map), ==, 4);
    g_assert_cmpuint(bytes->len, ==, 4 * E820_ENTRY_BYTES);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmphex(bytes_get_le(bytes, i * 20, 8), ==, bases[i]);
    }
    g_assert_cmphex(bytes_get_le(bytes, 20 + 8, 8), ==, 0x60400);
    g_assert_cmphex(bytes_get_le(bytes, 20 + 16, 4), ==, 2);
}

static void test_overlap(void)
{
    if (g_test_subprocess()) {
        g_autoptr(E820) map = sample();

        e820_add(map, 0x9fbff, 1, E820_ACPI);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
}

static void test_pvh(void)
{
    g_autoptr(E820) map = sample();
    const PvhModule initrd = { 0x7000000, 0x1234, 0 };
    const PvhStart start = { .address = 0x6000, .cmdline = 0x20000, .rsdp = 0xe0000,
                             .modules = &initrd, .module_count = 1, .memory = map };
    g_autoptr(GByteArray) b = pvh_start_info(&start);

    g_assert_cmpuint(b->len, ==, 56 + 32 + 4 * 24);
    g_assert_cmphex(bytes_get_le(b, 0, 4), ==, 0x336ec578);
    g_assert_cmpuint(bytes_get_le(b, 4, 4), ==, 1);
    g_assert_cmpuint(bytes_get_le(b, 12, 4), ==, 1);
    g_assert_cmphex(bytes_get_le(b, 16, 8), ==, 0x6038);
    g_assert_cmphex(bytes_get_le(b, 24, 8), ==, 0x20000);
    g_assert_cmphex(bytes_get_le(b, 32, 8), ==, 0xe0000);
    g_assert_cmphex(bytes_get_le(b, 40, 8), ==, 0x6058);
    g_assert_cmpuint(bytes_get_le(b, 48, 4), ==, 4);
    g_assert_cmphex(bytes_get_le(b, 56, 8), ==, 0x7000000);
    g_assert_cmphex(bytes_get_le(b, 64, 8), ==, 0x1234);
    g_assert_cmphex(bytes_get_le(b, 88 + 24, 8), ==, 0x9fc00);
    g_assert_cmpuint(bytes_get_le(b, 88 + 24 + 16, 4), ==, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/e820/map", test_map);
    g_test_add_func("/e820/overlap", test_overlap);
    g_test_add_func("/e820/pvh", test_pvh);
    return g_test_run();
}
