/*
 * The single ports: pvpanic, port92, isa-debug-exit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa_test.h"
#include "qapi/event.h"
#include "system/run_state.h"

static GString *seen;

static void sink(void *opaque, const QapiEvent *event, json_object *data)
{
    json_object *action = data ? json_object_object_get(data, "action") : NULL;

    g_string_append_printf(seen, "%s%s%s ", event->name, action ? "/" : "",
                           action ? json_object_get_string(action) : "");
}

static void expect_events(const char *events)
{
    g_assert_cmpstr(seen->str, ==, events);
    g_string_truncate(seen, 0);
}

static void test_pvpanic(void)
{
    Device *dev = isa_test_add("pvpanic");

    g_assert_cmphex(inb(0x505), ==, 3);
    outb(0x505, 2);
    expect_events("GUEST_CRASHLOADED/run ");
    outb(0x505, 4);
    expect_events("");
    outb(0x505, 1);
    expect_events("GUEST_PANICKED/run ");
    device_delete(dev);
    g_assert_cmphex(inb(0x505), ==, 0xff);
}

static void test_port92(void)
{
    Device *dev = isa_test_add("port92");
    IrqLine *a20 = device_irq_out(dev, "a20", 0);
    int status;

    outb(0x92, 2);
    g_assert_cmpint(irq_level(a20), ==, 1);
    g_assert_cmphex(inb(0x92), ==, 2);
    g_assert_false(vm_serve_requests(&status));
    expect_events("");
    outb(0x92, 1);
    g_assert_cmpint(irq_level(a20), ==, 0);
    g_assert_false(vm_serve_requests(&status));
    expect_events("RESET ");
    outb(0x92, 2);
    device_reset(dev);
    g_assert_cmpint(irq_level(a20), ==, 0);
    g_assert_cmphex(inb(0x92), ==, 0);
    device_delete(dev);
}

static void test_debug_exit(void)
{
    Device *dev = isa_test_add("isa-debug-exit");
    g_autoptr(Device) odd = device_new("isa-debug-exit");
    int status = 0;

    g_assert_cmphex(inb(0x501), ==, 0);
    address_space_store(address_space_io(), 0x501, MEM_LE16, MEM_TX_NONE, 0x10);
    g_assert_true(vm_serve_requests(&status));
    g_assert_cmpint(status, ==, 0x21);
    g_assert_true(object_set_int(odd, "iosize", 0, NULL));
    g_assert_false(device_realize(odd, &isa_test_bus()->parent, NULL));
    device_delete(dev);
}

static void test_testdev(void)
{
    Device *dev = isa_test_add("pc-testdev");
    uint64_t value;

    address_space_store(address_space_io(), 0xe0, MEM_LE32, MEM_TX_NONE, 0x12345678);
    g_assert_cmphex(inb(0xea), ==, 0x34);
    outb(0xeb, 0x99);
    g_assert_cmphex(isa_test_in(0xe0, MEM_LE32), ==, 0x99345678);
    g_assert_cmphex(isa_test_in(0xe8, MEM_LE32), ==, 0x99345678);
    outb(0x200e, 1);
    g_assert_cmpint(isa_test_irq(14), ==, 1);
    isa_test_copy_state(dev, dev);
    g_assert_cmpint(isa_test_irq(14), ==, 1);
    outb(0x200e, 0);
    g_assert_cmpint(isa_test_irq(14), ==, 0);
    address_space_store(address_space_system(), 0xff00fff8, MEM_LE64, MEM_TX_NONE,
                        0x1122334455667788);
    address_space_load(address_space_system(), 0xff00fffc, MEM_LE32, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, 0x11223344);
    outb(0x2003, 1);
    device_delete(dev);
    g_assert_cmpint(isa_test_irq(3), ==, 0);
}

int main(int argc, char **argv)
{
    int status;

    isa_test_start(&argc, &argv);
    seen = g_string_new(NULL);
    run_actions()->panic = PANIC_ACTION_NONE;
    qapi_event_set_sink(sink, NULL);
    g_test_add_func("/ports/pvpanic", test_pvpanic);
    g_test_add_func("/ports/port92", test_port92);
    g_test_add_func("/ports/debug-exit", test_debug_exit);
    g_test_add_func("/ports/testdev", test_testdev);
    status = isa_test_run();
    g_string_free(seen, TRUE);
    return status;
}
