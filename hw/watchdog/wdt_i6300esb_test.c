/*
 * The 6300ESB's watchdog: two stages at two speeds, keys, the lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_test_machine.h"
#include "hw/core/reset.h"
#include "qapi/event.h"
#include "system/machine_lock.h"
#include "system/run_state.h"

#define DEVFN   PCI_DEVFN(4, 0)
#define MEMORY  0x10000000u
#define CONFIG  0x60
#define LOCK    0x68
enum { LOCKED = 1, ENABLE = 2, FREE_RUN = 4 };

static unsigned bites;

static void sink(void *opaque, const QapiEvent *event, json_object *data)
{
    bites += !strcmp(event->name, "WATCHDOG");
}

static void expect_bites(int64_t ns, unsigned count)
{
    bites = 0;
    clock_qtest_step(ns);
    g_assert_cmpuint(bites, ==, count);
}

static void put_with_keys(unsigned at, uint32_t value)
{
    test_put(MEMORY + 0xc, MEM_LE16, 0x80);
    test_put(MEMORY + 0xc, MEM_LE16, 0x86);
    test_put(MEMORY + at, MEM_LE32, value);
}

static void start(uint16_t config, uint32_t first, uint32_t second, uint8_t lock)
{
    reset_machine();
    test_config_put(DEVFN, PCI_BAR0, MEM_LE32, MEMORY);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_MEMORY);
    put_with_keys(0xc, 0x200);
    test_config_put(DEVFN, CONFIG, MEM_LE16, config);
    put_with_keys(0, first);
    put_with_keys(4, second);
    test_config_put(DEVFN, LOCK, MEM_8, lock);
}

static void test_stages(void)
{
    start(0, 1007, 2014, ENABLE); /* a second, two seconds */
    expect_bites(999900000, 0);
    g_assert_cmphex(test_get(MEMORY + 8, MEM_LE32), ==, 0);
    expect_bites(100000, 0);
    g_assert_cmphex(test_get(MEMORY + 8, MEM_LE32), ==, 1);
    test_put(MEMORY + 8, MEM_LE32, 1);
    g_assert_cmphex(test_get(MEMORY + 8, MEM_LE32), ==, 0);
    expect_bites(1999700000, 0);
    g_assert_cmphex(test_get(MEMORY + 0xc, MEM_LE32), ==, 0);
    expect_bites(200000, 1);
    g_assert_cmphex(test_get(MEMORY + 0xc, MEM_LE32) & 0x200, ==, 0x200);
    expect_bites(10 * NS_PER_SEC, 0);
    /* A reset leaves the flag; its keys and bit clear it. */
    reset_machine();
    test_config_put(DEVFN, PCI_BAR0, MEM_LE32, MEMORY);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_MEMORY);
    g_assert_cmphex(test_get(MEMORY + 0xc, MEM_LE32) & 0x200, ==, 0x200);
    test_put(MEMORY + 0xc, MEM_LE32, 0x200);
    g_assert_cmphex(test_get(MEMORY + 0xc, MEM_LE32) & 0x200, ==, 0x200);
    put_with_keys(0xc, 0x200);
    g_assert_cmphex(test_get(MEMORY + 0xc, MEM_LE32), ==, 0);
}

static void test_feed(void)
{
    start(0, 1007, 1007, ENABLE);
    for (int i = 0; i < 10; i++) {
        expect_bites(1900000000, 0);
        put_with_keys(0xc, 0x100);
    }
    test_put(MEMORY + 0xc, MEM_LE32, 0x100); /* without keys it is none */
    expect_bites(2 * NS_PER_SEC, 1);
    /* Nor does a preload change. */
    test_put(MEMORY, MEM_LE32, 5);
    g_assert_cmphex(test_get(MEMORY, MEM_LE32), ==, 1007);
    put_with_keys(0, UINT32_MAX);
    g_assert_cmphex(test_get(MEMORY, MEM_LE32), ==, 0xfffff);
    /* Stopped it is still. */
    start(0, 1007, 1007, ENABLE);
    test_config_put(DEVFN, LOCK, MEM_8, 0);
    expect_bites(10 * NS_PER_SEC, 0);
}

static void test_modes(void)
{
    start(4, 1031, 1031, ENABLE); /* a millisecond each */
    expect_bites(1990000, 0);
    expect_bites(20000, 1);
    start(0x24, 1031, 1031, ENABLE); /* the end is not told */
    expect_bites(10000000, 0);
    start(4, 1031, 1031, ENABLE | FREE_RUN);
    expect_bites(10 * NS_PER_MS, 5);
    start(0, 0, 0, ENABLE | FREE_RUN);
    test_config_put(DEVFN, LOCK, MEM_8, 0);
}

static void test_lock(void)
{
    start(0, 1007, 1007, ENABLE | LOCKED);
    test_config_put(DEVFN, LOCK, MEM_8, 0);
    g_assert_cmphex(test_config_get(DEVFN, LOCK, MEM_8), ==, ENABLE | LOCKED);
    test_config_put(DEVFN, CONFIG, MEM_LE16, 0x27);
    g_assert_cmphex(test_config_get(DEVFN, CONFIG, MEM_LE16), ==, 0);
    expect_bites(10 * NS_PER_SEC, 1);
    reset_machine();
    g_assert_cmphex(test_config_get(DEVFN, LOCK, MEM_8), ==, 0);
    test_config_put(DEVFN, CONFIG, MEM_LE16, 0xffff);
    g_assert_cmphex(test_config_get(DEVFN, CONFIG, MEM_LE16), ==, 0x27);
}

static void test_ids(void)
{
    g_assert_cmphex(test_config_get(DEVFN, PCI_VENDOR_ID, MEM_LE32), ==, 0x25ab8086);
    g_assert_cmphex(test_config_get(DEVFN, PCI_CLASS_DEVICE, MEM_LE16), ==, 0x0880);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    test_machine_init();
    qapi_event_set_sink(sink, NULL);
    run_actions()->watchdog = WATCHDOG_ACTION_NONE;
    g_assert_nonnull(test_add("{'driver': 'i6300esb', 'addr': '4'}", NULL));
    g_test_add_func("/i6300esb/ids", test_ids);
    g_test_add_func("/i6300esb/stages", test_stages);
    g_test_add_func("/i6300esb/feed", test_feed);
    g_test_add_func("/i6300esb/modes", test_modes);
    g_test_add_func("/i6300esb/lock", test_lock);
    status = g_test_run();
    machine_unlock();
    return status;
}
