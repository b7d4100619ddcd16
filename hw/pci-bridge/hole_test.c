/*
 * The hole over ECAM: whatever happens to functions and to bus numbers, a read through memory gives
 * what the host bridge would answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/reset.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_test_machine.h"
#include "hw/pci/pcie_regs.h"
#include "system/machine_lock.h"

#define ECAM_BYTES (256 * MiB)
#define PAGES      65536u
#define PORTS      6

static PciHost *host;

static uint32_t ecam(unsigned bdf)
{
    return test_get(TEST_ECAM + bdf * UINT64_C(4096), MEM_LE32);
}

/* At every function there is, and everywhere in the neighbourhood of numbers that are used. */
static void check_all(void)
{
    for (unsigned bdf = 0; bdf < PAGES; bdf += bdf < 0x1000 ? 1 : 8) {
        g_assert_cmphex(ecam(bdf), ==, test_cfg(bdf, 0, 4));
    }
}

static Device *add(const char *options)
{
    g_autoptr(Error) err = NULL;
    Device *dev = test_add(options, &err);

    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    return dev;
}

static void number(unsigned bdf, unsigned secondary, unsigned subordinate)
{
    test_cfg_set(bdf, PCI_PRIMARY_BUS, 4, bdf >> 8 | secondary << 8 | subordinate << 16);
}

static unsigned pages(void)
{
    return pci_host_hole_counts(host).pages;
}

/* Nothing but what is there is asked for. */
static void test_counts(void)
{
    uint64_t reads = host->absent_reads, writes = host->absent_writes;
    Device *dev;

    g_assert_cmpint(pages(), ==, PAGES);
    dev = add("{'driver':'test-pci','addr':'3'}");
    g_assert_cmpint(pages(), ==, PAGES - 1);
    g_assert_cmpint(pci_host_hole_counts(host).slots, ==, 2);
    check_all();
    g_assert_cmphex(ecam(3 << 3), ==, 0x56781234);
    g_assert_cmpuint(host->absent_reads, ==, reads);
    test_put(TEST_ECAM + 0x4004, MEM_LE32, 7);
    g_assert_cmpuint(host->absent_writes, ==, writes + 1);
    g_assert_cmphex(test_get(TEST_ECAM + 0x4004, MEM_LE32), ==, UINT32_MAX);
    /* Over the end of a page, into one where somebody is. */
    g_assert_cmphex(test_get(TEST_ECAM + (3 << 15) - 2, MEM_LE32), ==, 0x1234ffff);
    device_delete(dev);
    g_assert_cmphex(ecam(3 << 3), ==, UINT32_MAX);
    g_assert_cmpint(pages(), ==, PAGES);
}

static void test_numbers(void)
{
    Device *port = add("{'driver':'pcie-root-port','id':'a','addr':'4','chassis':1}");

    add("{'driver':'test-pci','bus':'a'}");
    for (unsigned i = 0; i < 1000; i++) {
        unsigned bus = i & 1 ? 5 : 1;

        number(4 << 3, bus, bus);
        g_assert_cmphex(ecam(bus << 8), ==, 0x56781234);
        g_assert_cmphex(ecam((bus ^ 4) << 8), ==, UINT32_MAX);
    }
    number(4 << 3, 1, 9); /* 2 to 9 may be anybody's */
    g_assert_cmpint(pages(), ==, PAGES - 8 * 256 - 2);
    check_all();
    reset_machine();
    g_assert_cmphex(ecam(1 << 8), ==, UINT32_MAX);
    g_assert_cmpint(pages(), >=, PAGES - 2);
    device_delete(port);
}

/* ECAM elsewhere, smaller, and gone. */
static void test_base(void)
{
    Device *dev = add("{'driver':'test-pci','addr':'3'}");

    pci_host_map_ecam(host, TEST_ECAM + ECAM_BYTES, MiB);
    g_assert_cmphex(test_get(TEST_ECAM + ECAM_BYTES + 0x18000, MEM_LE32), ==, 0x56781234);
    g_assert_cmphex(test_get(TEST_ECAM + ECAM_BYTES + 0x10000, MEM_LE32), ==, UINT32_MAX);
    g_assert_cmpint(pages(), ==, 255);
    pci_host_map_ecam(host, PCI_UNMAPPED, 0);
    g_assert_cmpint(pages(), ==, 0);
    pci_host_map_ecam(host, TEST_ECAM, ECAM_BYTES);
    check_all();
    device_delete(dev);
}

/* Every second slot has somebody: the largest pieces are the hole, the others are asked for. */
static void test_many_pieces(void)
{
    Device *devices[15 * 8];

    for (unsigned i = 0; i < ARRAY_SIZE(devices); i++) {
        g_autofree char *options =
            g_strdup_printf("{'driver':'test-pci','addr':'%x.%x','multifunction':true}",
                            2 * (i / 8) + 1, i % 8 / 2 * 2 + (i & 1));

        devices[i] = i & 1 ? NULL : add(options);
    }
    g_assert_cmpint(pci_host_hole_counts(host).slots, <=, 63);
    check_all();
    for (unsigned i = ARRAY_SIZE(devices); i-- > 0;) {
        if (devices[i]) {
            device_delete(devices[i]);
        }
    }
    g_assert_cmpint(pages(), ==, PAGES);
}

/* What a guest and a user can do in any order. */
static void test_random(void)
{
    Device *behind[PORTS] = { NULL }, *ports[PORTS];

    for (unsigned i = 0; i < PORTS; i++) {
        g_autofree char *options = g_strdup_printf(
            "{'driver':'pcie-root-port','id':'p%u','addr':'%u','chassis':%u}", i, i + 8, i + 1);

        ports[i] = add(options);
    }
    for (unsigned step = 0; step < 2000; step++) {
        unsigned i = g_test_rand_int_range(0, PORTS), bus = g_test_rand_int_range(0, 16);
        g_autofree char *options = g_strdup_printf("{'driver':'test-pci','bus':'p%u'}", i);

        if (step % 5) {
            number((i + 8) << 3, bus, bus + g_test_rand_int_range(0, 3));
        } else if (behind[i]) {
            device_delete(behind[i]);
            behind[i] = NULL;
        } else {
            behind[i] = add(options);
        }
        for (unsigned bdf = 0; bdf < 0x1300; bdf += 8) {
            g_assert_cmphex(ecam(bdf), ==, test_cfg(bdf, 0, 4));
        }
    }
    for (unsigned i = 0; i < PORTS; i++) {
        device_delete(ports[i]);
    }
    check_all();
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    host = PCI_HOST(test_machine_init());
    pci_host_map_ecam(host, TEST_ECAM, ECAM_BYTES);
    pci_host_start_hole(host);
    g_test_add_func("/pci-hole/counts", test_counts);
    g_test_add_func("/pci-hole/numbers", test_numbers);
    g_test_add_func("/pci-hole/base", test_base);
    g_test_add_func("/pci-hole/many-pieces", test_many_pieces);
    g_test_add_func("/pci-hole/random", test_random);
    status = g_test_run();
    machine_unlock();
    return status;
}
