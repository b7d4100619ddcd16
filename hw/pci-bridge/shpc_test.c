/*
 * The standard hot-plug controller as shpchp drives it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/reset.h"
#include "hw/pci/pci_test_machine.h"
#include "shpc.h"
#include "system/machine_lock.h"

#define BRIDGE PCI_DEVFN(4, 0)
#define CHILD(slot) (0x100 | (slot) << 3)
#define BASE   0xe0000000u
#define SLOT(n) (BASE + 0x24 + 4 * ((n) - 1)) /* device n */
#define ID     0x56781234
#define ENABLE 0x06  /* enabled, power indicator on */
#define BLINK  0x08
#define DISABLE 0x0f /* disabled, power indicator off */

static TestHost *host;

static Device *add(const char *options)
{
    g_autoptr(Error) err = NULL;
    Device *dev = test_add(options, &err);

    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    return dev;
}

static uint16_t command(uint8_t code, unsigned slot)
{
    test_put(BASE + 0x14, MEM_LE16, code | slot << 8);
    return test_get(BASE + 0x16, MEM_LE16);
}

static Device *start(const char *cold)
{
    Device *bridge;

    device_set_hotplug_phase(false);
    bridge = add("{'driver':'pci-bridge','id':'b','addr':'4','chassis_nr':1}");
    if (cold) {
        add(cold);
    }
    reset_machine();
    test_cfg_set(BRIDGE, PCI_PRIMARY_BUS, 4, 0x010100);
    test_cfg_set(BRIDGE, PCI_BAR0, 4, BASE);
    test_cfg_set(BRIDGE, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    device_set_hotplug_phase(true);
    return bridge;
}

static void test_registers(void)
{
    Device *bridge = start("{'driver':'test-pci','bus':'b','addr':'3'}");

    g_assert_cmphex(test_get(BASE + 0x4, MEM_LE32), ==, 0x1f);
    g_assert_cmphex(test_get(BASE + 0xc, MEM_LE32), ==, 0xe001011f);
    g_assert_cmphex(test_get(BASE + 0x13, MEM_8), ==, 1);
    g_assert_cmphex(test_get(BASE + 0x20, MEM_LE32), ==, 0xf);
    g_assert_cmphex(test_get(SLOT(2), MEM_LE32), ==, 0x7f000d0f);
    g_assert_cmphex(test_get(SLOT(3), MEM_LE32), ==, 0x7f000006);
    g_assert_cmphex(test_cfg(CHILD(3), 0, 4), ==, ID);
    /* The same by the capability. */
    test_cfg_set(BRIDGE, 0x42, 1, 3);
    g_assert_cmphex(test_cfg(BRIDGE, 0x44, 4), ==, 0xe001011f);
    test_cfg_set(BRIDGE, 0x42, 1, 9 + 2);
    test_cfg_set(BRIDGE, 0x44, 4, 0);
    g_assert_cmphex(test_get(SLOT(3), MEM_LE32), ==, 0x00000006);
    test_cfg_set(BRIDGE, 0x42, 1, 255);
    g_assert_cmphex(test_cfg(BRIDGE, 0x44, 4), ==, 0);
    device_delete(bridge);
}

static void test_dialogue(void)
{
    Device *bridge = start(NULL);
    g_autoptr(Error) err = NULL;

    test_put(SLOT(5), MEM_LE32, 0);              /* all events tell */
    test_put(BASE + 0x20, MEM_LE32, 0);
    add("{'driver':'test-pci','id':'d','bus':'b','addr':'5'}");
    g_assert_cmpint(host->lines[0], ==, 1);
    g_assert_cmphex(test_get(BASE + 0x18, MEM_LE32), ==, BIT(5));
    g_assert_cmphex(test_cfg(BRIDGE, 0x43, 1), ==, 0x80);
    g_assert_cmphex(test_get(SLOT(5), MEM_LE32), ==, 0x000d000f);
    test_put(SLOT(5), MEM_LE32, 0x000d0000);
    g_assert_cmpint(host->lines[0], ==, 0);
    g_assert_cmphex(test_cfg(CHILD(5), 0, 4), ==, UINT32_MAX);
    g_assert_cmphex(command(ENABLE, 5), ==, 0);
    g_assert_cmphex(test_get(BASE + 0x18, MEM_LE32), ==, 1); /* command completed */
    test_put(BASE + 0x22, MEM_LE16, 1);
    g_assert_cmpint(host->lines[0], ==, 0);
    g_assert_cmphex(test_cfg(CHILD(5), 0, 4), ==, ID);
    g_assert_true(device_del("d", NULL));
    g_assert_cmphex(test_get(SLOT(5), MEM_LE32), ==, 0x00040006);
    g_assert_false(device_del("d", &err));
    g_assert_cmpstr(error_text(err), ==, "Device d is already in the process of unplug");
    command(BLINK, 5);
    g_assert_cmphex(command(DISABLE, 5), ==, 0);
    g_assert_null(device_find("d"));
    g_assert_cmphex(test_get(SLOT(5), MEM_LE32), ==, 0x000d0d0f);
    /* Nothing to enable there, and no such things to do. */
    g_assert_cmphex(command(ENABLE, 5), ==, 2);
    g_assert_cmphex(command(ENABLE, 0), ==, 4);
    g_assert_cmphex(command(0x60, 5), ==, 4);
    g_assert_cmphex(command(0x41, 0), ==, 8);
    g_assert_cmphex(command(0x40, 0), ==, 0);
    device_delete(bridge);
}

/* ACPI tells the guest: the registers only show what is. */
static void test_quiet(void)
{
    Device *bridge = start(NULL), *dev;

    dev = add("{'driver':'test-pci','id':'d','bus':'b','addr':'5'}");
    test_put(SLOT(5), MEM_LE32, 0x7f0d0000);
    g_assert_cmphex(test_cfg(CHILD(5), 0, 4), ==, UINT32_MAX);
    pci_bridge_show_in_slot(PCI_DEVICE(bridge), PCI_DEVICE(dev), true);
    g_assert_cmphex(test_get(SLOT(5), MEM_LE32), ==, 0x7f000006);
    g_assert_cmphex(test_cfg(CHILD(5), 0, 4), ==, ID);
    pci_bridge_show_in_slot(PCI_DEVICE(bridge), PCI_DEVICE(dev), false);
    g_assert_cmphex(test_get(SLOT(5), MEM_LE32), ==, 0x7f000d0f);
    g_assert_cmphex(test_cfg(CHILD(5), 0, 4), ==, UINT32_MAX);
    device_delete(bridge);
}

static void test_refused(void)
{
    Device *bridge = start(NULL);
    g_autoptr(Error) err = NULL;

    g_assert_null(test_add("{'driver':'test-pci','bus':'b','addr':'0'}", &err));
    g_assert_cmpstr(error_text(err), ==, "Unsupported PCI slot 0 for standard hotplug controller. "
                    "Valid slots are between 1 and 31.");
    device_delete(bridge);
    bridge = start("{'driver':'test-pci','bus':'b','addr':'0','id':'first'}");
    g_assert_cmphex(test_cfg(CHILD(0), 0, 4), ==, ID); /* there from the start, it may be there */
    error_free(g_steal_pointer(&err));
    g_assert_false(hotplug_unplug_request(DEVICE(PCI_BRIDGE(bridge)->bus->devices[0]), &err));
    g_assert_nonnull(strstr(error_text(err), "Unsupported PCI slot 0"));
    device_delete(bridge);
}

static void test_random_registers(void)
{
    Device *bridge = start("{'driver':'test-pci','bus':'b','addr':'3'}");
    static const MemFormat formats[] = { MEM_8, MEM_LE16, MEM_LE32 };

    for (unsigned i = 0; i < 20000; i++) {
        unsigned n = g_test_rand_int_range(0, 3);
        uint64_t at = BASE + (g_test_rand_int_range(0, 0x100) & ~((1 << n) - 1));

        test_put(at, formats[n], (uint32_t)g_test_rand_int());
        test_get(at, formats[n]);
    }
    reset_machine();
    device_delete(bridge);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    host = test_machine_init();
    g_test_add_func("/shpc/registers", test_registers);
    g_test_add_func("/shpc/dialogue", test_dialogue);
    g_test_add_func("/shpc/quiet", test_quiet);
    g_test_add_func("/shpc/refused", test_refused);
    g_test_add_func("/shpc/random-registers", test_random_registers);
    status = g_test_run();
    machine_unlock();
    return status;
}
