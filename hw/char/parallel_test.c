/*
 * The parallel port: what a printer driver does, and a printer that has no paper left.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa_test.h"

#include <sys/socket.h>

#include "chardev/chardev.h"

enum { DATA = 0x378, STATUS = 0x379, CONTROL = 0x37a };

static Device *port;
static int far_end;

static void strobe(uint8_t byte, uint8_t extra)
{
    outb(DATA, byte);
    outb(CONTROL, 0x0d | extra);
    outb(CONTROL, 0x0c | extra);
}

static void expect_printed(const char *text)
{
    char got[64] = "";

    g_assert_cmpint(read(far_end, got, sizeof(got) - 1), ==, strlen(text));
    g_assert_cmpstr(got, ==, text);
}

static void test_print(void)
{
    device_reset(port);
    g_assert_cmphex(inb(STATUS), ==, 0xdf);
    g_assert_cmphex(inb(CONTROL), ==, 0xcc);
    strobe('h', 0);
    g_assert_cmphex(inb(DATA), ==, 'h');
    g_assert_cmphex(inb(STATUS), ==, 0x9f); /* acknowledged */
    g_assert_cmphex(inb(STATUS), ==, 0xdf);
    strobe('i', 0);
    expect_printed("hi");
    /* One edge is one byte. */
    outb(CONTROL, 0x0d);
    outb(CONTROL, 0x0d);
    expect_printed("i");
}

static void test_interrupt(void)
{
    device_reset(port);
    strobe('x', 0);
    g_assert_cmpint(isa_test_irq(7), ==, 0);
    inb(STATUS);
    strobe('y', 0x10);
    g_assert_cmpint(isa_test_irq(7), ==, 1);
    inb(STATUS);
    g_assert_cmpint(isa_test_irq(7), ==, 0);
    strobe('z', 0x10);
    outb(CONTROL, 0x00);
    g_assert_cmpint(isa_test_irq(7), ==, 0);
    expect_printed("xyz");
    /* While it is held in reset nothing is taken. */
    g_assert_cmphex(inb(STATUS), ==, 0x5f);
    outb(CONTROL, 0x01);
    outb(CONTROL, 0x0c);
    strobe('!', 0);
    expect_printed("!");
}

static void test_full(void)
{
    static char rest[65536];
    unsigned count = 0;

    device_reset(port);
    do {
        strobe('#', 0);
        count++;
        g_assert_cmpuint(count, <, 10000000);
        inb(STATUS);
    } while (inb(STATUS) == 0xdf);
    g_assert_cmphex(inb(STATUS), ==, 0x5f);
    strobe('?', 0); /* busy: lost */
    isa_test_copy_state(port, port);
    while (!(inb(STATUS) & 0x80)) {
        g_assert_cmpint(recv(far_end, rest, sizeof(rest), 0), >, 0);
        g_main_context_iteration(NULL, false);
    }
    g_assert_cmphex(inb(STATUS), ==, 0xdf);
    while (recv(far_end, rest, sizeof(rest), MSG_DONTWAIT) > 0) {
        g_assert_null(strchr(rest, '?'));
    }
}

static void test_places(void)
{
    Device *dev = device_new("isa-parallel");
    g_autoptr(Error) err = NULL;

    g_assert_false(device_realize(dev, &isa_test_bus()->parent, &err));
    g_assert_cmpstr(error_text(err), ==, "Can't create parallel device, empty char device");
    object_unref(dev);
    for (int i = 1; i <= 3; i++) {
        g_autofree char *spec = g_strdup_printf("null%d", i);

        g_assert_nonnull(chardev_add_from_spec(spec, "null", NULL, NULL));
        dev = device_new("isa-parallel");
        g_assert_true(object_set_text(dev, "chardev", spec, NULL));
        if (i < 3) {
            isa_test_realize(dev);
        }
    }
    g_assert_cmphex(inb(0x279), ==, 0xdf);
    g_assert_cmphex(inb(0x3bd), ==, 0xdf);
    g_assert_false(device_realize(dev, &isa_test_bus()->parent, NULL));
    object_unref(dev);
}

int main(int argc, char **argv)
{
    int ends[2];
    g_autofree char *number = NULL;
    g_autoptr(JsonObject) options = json_object_new_object();

    isa_test_start(&argc, &argv);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
    far_end = ends[1];
    number = g_strdup_printf("%d", ends[0]);
    json_set(options, "id", json_string("lpt"));
    json_set(options, "backend", json_string("socket"));
    json_set(options, "fd", json_string(number));
    g_assert_nonnull(chardev_add_from_options(options, NULL));
    port = device_new("isa-parallel");
    g_assert_true(object_set_text(port, "chardev", "lpt", NULL));
    isa_test_realize(port);
    g_test_add_func("/parallel/print", test_print);
    g_test_add_func("/parallel/interrupt", test_interrupt);
    g_test_add_func("/parallel/full", test_full);
    g_test_add_func("/parallel/places", test_places);
    return isa_test_run();
}
