/*
 * Serial ports on PCI: where each is, that all share INTA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_test_machine.h"
#include "system/machine_lock.h"

#define SLOT  4
#define DEVFN PCI_DEVFN(SLOT, 0)
#define PORTS 0xc000

static TestHost *host;

static void put(unsigned at, uint8_t value)
{
    address_space_store(address_space_io(), PORTS + at, MEM_8, MEM_TX_NONE, value);
}

static uint8_t get(unsigned at)
{
    uint64_t value;

    address_space_load(address_space_io(), PORTS + at, MEM_8, MEM_TX_NONE, &value);
    return value;
}

static void check(const char *type, unsigned ports)
{
    g_autofree char *options = g_strdup_printf("{'driver': '%s', 'addr': '4'}", type);
    Device *dev = test_add(options, NULL);

    g_assert_nonnull(dev);
    device_reset(dev);
    test_config_put(DEVFN, PCI_BAR0, MEM_LE32, UINT32_MAX);
    g_assert_cmphex(test_config_get(DEVFN, PCI_BAR0, MEM_LE32), ==, -8 * ports | 1);
    g_assert_cmphex(test_config_get(DEVFN, PCI_REVISION_ID, MEM_LE32), ==, 0x07000201);
    g_assert_cmphex(test_config_get(DEVFN, PCI_INTERRUPT_PIN, MEM_8), ==, 1);
    test_config_put(DEVFN, PCI_BAR0, MEM_LE32, PORTS);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_IO);
    for (unsigned i = 0; i < ports; i++) {
        put(8 * i + 7, 0x50 + i);
        put(8 * i + 4, 0x08); /* OUT2 */
        put(8 * i + 1, 0x02); /* the transmitter is empty */
        g_assert_cmpint(host->lines[SLOT % 4], ==, 1);
    }
    for (unsigned i = 0; i < ports; i++) {
        g_assert_cmpint(host->lines[SLOT % 4], ==, 1);
        g_assert_cmphex(get(8 * i + 7), ==, 0x50 + i);
        put(8 * i + 1, 0);
    }
    g_assert_cmpint(host->lines[SLOT % 4], ==, 0);
    put(1, 0x02);
    device_reset(dev);
    g_assert_cmpint(host->lines[SLOT % 4], ==, 0);
    device_delete(dev);
}

static void test_ports(void)
{
    check("pci-serial", 1);
    check("pci-serial-2x", 2);
    check("pci-serial-4x", 4);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    host = test_machine_init();
    g_test_add_func("/serial-pci/ports", test_ports);
    status = g_test_run();
    machine_unlock();
    return status;
}
