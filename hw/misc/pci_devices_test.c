/*
 * edu and pci-testdev, by their descriptions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/reset.h"
#include "hw/pci/pci_test_machine.h"
#include "system/machine_lock.h"
#include "util/log.h"

#define DEVFN PCI_DEVFN(3, 0)
#define BASE  0xe0000000u
#define PORT  0xc000u
#define MASTER (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)

static TestHost *host;

static Device *start(const char *options)
{
    g_autoptr(Error) err = NULL;
    Device *dev = test_add(options, &err);

    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    test_config_put(DEVFN, PCI_BAR0, MEM_LE32, BASE);
    test_config_put(DEVFN, PCI_BAR0 + 4, MEM_LE32, PORT);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, MASTER);
    return dev;
}

static uint64_t get(unsigned at)
{
    return test_get(BASE + at, MEM_LE32);
}

static void put(unsigned at, uint32_t value)
{
    test_put(BASE + at, MEM_LE32, value);
}

static void test_edu_registers(void)
{
    Device *dev = start("{'driver':'edu','addr':'3'}");

    g_assert_cmphex(test_config_get(DEVFN, 0, MEM_LE32), ==, 0x11e81234);
    g_assert_cmphex(test_config_get(DEVFN, 8, MEM_LE32), ==, 0x00ff0010);
    g_assert_cmphex(get(0), ==, 0x010000ed);
    put(4, 0x12345678);
    g_assert_cmphex(get(4), ==, 0xedcba987);
    g_assert_cmphex(get(0xc), ==, UINT32_MAX);
    g_assert_cmphex(test_get(BASE, MEM_LE64), ==, UINT64_MAX);
    test_put(BASE + 0x80, MEM_LE64, UINT64_C(0x123456789abcdef0));
    g_assert_cmphex(test_get(BASE + 0x80, MEM_LE64), ==, UINT64_C(0x123456789abcdef0));
    put(0x80, 0x11);
    g_assert_cmphex(test_get(BASE + 0x80, MEM_LE64), ==, 0x11);
    reset_machine();
    device_delete(dev);
}

static void test_edu_factorial(void)
{
    Device *dev = start("{'driver':'edu','addr':'3'}");

    put(0x20, 0x80);
    put(8, 10);
    g_assert_cmphex(get(0x20), ==, 0x81);
    put(8, 5); /* busy */
    clock_qtest_step(NS_PER_MS);
    g_assert_cmpint(get(8), ==, 3628800);
    g_assert_cmphex(get(0x20), ==, 0x80);
    g_assert_cmphex(get(0x24), ==, 1);
    g_assert_cmpint(host->lines[3], ==, 1);
    put(0x60, 0x30);
    put(0x64, 1);
    g_assert_cmphex(get(0x24), ==, 0x30);
    g_assert_cmpint(host->lines[3], ==, 1);
    put(0x64, 0x30);
    g_assert_cmpint(host->lines[3], ==, 0);
    put(8, UINT32_MAX);
    clock_qtest_step(NS_PER_MS);
    g_assert_cmpint(get(8), ==, 0);
    device_delete(dev);
}

static void run_dma(uint64_t from, uint64_t to, uint64_t bytes, uint32_t command)
{
    test_put(BASE + 0x80, MEM_LE64, from);
    test_put(BASE + 0x88, MEM_LE64, to);
    test_put(BASE + 0x90, MEM_LE64, bytes);
    put(0x98, command);
    g_assert_cmphex(get(0x98), ==, command);
    clock_qtest_step(NS_PER_SEC);
    g_assert_cmphex(get(0x98), ==, command & ~1u);
}

static void test_edu_dma(void)
{
    Device *dev = start("{'driver':'edu','addr':'3'}");
    unsigned msi = pci_find_capability(PCI_DEVICE(dev), PCI_CAP_ID_MSI);
    uint64_t errors;

    test_put(0x2000, MEM_LE32, 0xcafef00d);
    test_put(0x3000, MEM_LE32, 0);
    test_config_put(DEVFN, msi + 4, MEM_LE32, 0x5000);
    test_config_put(DEVFN, msi + 12, MEM_LE16, 0x77);
    test_config_put(DEVFN, msi + 2, MEM_LE16, 1);
    run_dma(0x2000, 0x40ffc, 4, 1);
    run_dma(0x40ffc, 0x3000, 4, 7);
    g_assert_cmphex(test_get(0x3000, MEM_LE32), ==, 0xcafef00d);
    g_assert_cmphex(get(0x24), ==, 0x100);
    g_assert_cmphex(test_get(0x5000, MEM_LE32), ==, 0x77);
    g_assert_cmpint(host->lines[3], ==, 0);
    /* Outside the buffer, by a byte and by all there is. */
    errors = guest_error_count();
    run_dma(0x2000, 0x40ffd, 4, 1);
    run_dma(0x2000, 0x3ffff, 4, 1);
    run_dma(0x2000, 0x40000, UINT64_MAX, 1);
    run_dma(0x2000, UINT64_MAX, 4, 1);
    g_assert_cmpint(guest_error_count(), ==, errors + 4);
    /* The mask leaves 28 bits. */
    run_dma(0xf0002000, 0x40000, 4, 1);
    run_dma(0x40000, 0x3004, 4, 3);
    g_assert_cmphex(test_get(0x3004, MEM_LE32), ==, 0xcafef00d);
    device_delete(dev);
}

static unsigned port_get(unsigned at)
{
    uint64_t value;

    address_space_load(address_space_io(), PORT + at, MEM_LE32, MEM_TX_NONE, &value);
    return value;
}

static void port_put(unsigned at, uint8_t value)
{
    address_space_store(address_space_io(), PORT + at, MEM_8, MEM_TX_NONE, value);
}

static void test_testdev(void)
{
    Device *dev = start("{'driver':'pci-testdev','addr':'3','membar':1000000}");

    g_assert_cmphex(get(0), ==, 0);
    test_put(BASE, MEM_8, 0);
    g_assert_cmphex(get(0), ==, 0x0100);
    g_assert_cmphex(get(4), ==, 0x800);
    g_assert_cmphex(get(8), ==, 0xfa);
    g_assert_cmphex(get(16), ==, 0x6f696d6d); /* "mmio" */
    test_put(BASE + 0x800, MEM_8, 0xfa);
    test_put(BASE + 0x800, MEM_LE16, 0xfa);
    test_put(BASE + 0x800, MEM_8, 0xfb);
    test_put(BASE + 0x801, MEM_8, 0xfa);
    g_assert_cmpint(get(12), ==, 2);
    /* What an eventfd takes does not count; it takes bytes only, and of one value. */
    test_put(BASE, MEM_8, 2);
    test_put(BASE + 0x802, MEM_8, 0xfa);
    g_assert_cmpint(get(12), ==, 0);
    test_put(BASE + 0x802, MEM_LE16, 0xfa);
    g_assert_cmpint(get(12), ==, 1);
    port_put(0, 0);
    g_assert_cmphex(port_get(0), ==, 0x0103);
    g_assert_cmphex(port_get(4), ==, 0x83);
    port_put(0x83, 0xfa);
    test_put(BASE + 0x83, MEM_8, 0xfa);
    g_assert_cmpint(port_get(12), ==, 1);
    port_put(0, 1);
    port_put(0x84, 0x11);
    g_assert_cmpint(port_get(12), ==, 0);
    port_put(0, 3);
    g_assert_cmphex(port_get(0), ==, 0);
    test_config_put(DEVFN, PCI_BAR0 + 8, MEM_LE32, UINT32_MAX);
    g_assert_cmphex(test_config_get(DEVFN, PCI_BAR0 + 8, MEM_LE32), ==, 0xfff0000c);
    port_put(0, 2);
    device_delete(dev);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    host = test_machine_init();
    g_test_add_func("/edu/registers", test_edu_registers);
    g_test_add_func("/edu/factorial", test_edu_factorial);
    g_test_add_func("/edu/dma", test_edu_dma);
    g_test_add_func("/pci-testdev", test_testdev);
    status = g_test_run();
    machine_unlock();
    return status;
}
