/*
 * The 16550A, by its data sheet, and the debug console; the far end is a Unix socket.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa_test.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "chardev/chardev.h"

#define DATA 0x3f8
#define IER  0x3f9
#define IIR  0x3fa
#define LCR  0x3fb
#define MCR  0x3fc
#define LSR  0x3fd
#define MSR  0x3fe
#define SCR  0x3ff

static Device *port;
static int far_end;

static void feed(const char *bytes, unsigned held)
{
    g_assert_cmpint(write(far_end, bytes, strlen(bytes)), ==, strlen(bytes));
    /* LSR.DR alone does not say how many came: give the line its turns. */
    for (unsigned i = 0; i < 50 + held; i++) {
        g_main_context_iteration(NULL, false);
    }
}

static void reset(uint8_t fcr, uint8_t ier)
{
    device_reset(port);
    outb(IIR, fcr);
    outb(IER, ier);
}

static void expect_sent(const char *bytes)
{
    char got[64] = "";

    g_assert_cmpint(read(far_end, got, sizeof(got) - 1), ==, strlen(bytes));
    g_assert_cmpstr(got, ==, bytes);
}

static void test_reset(void)
{
    outb(SCR, 0x5a);
    g_assert_cmphex(inb(SCR), ==, 0x5a);
    device_reset(port);
    g_assert_cmphex(inb(IER), ==, 0);
    g_assert_cmphex(inb(IIR), ==, 0x01);
    g_assert_cmphex(inb(LCR), ==, 0);
    g_assert_cmphex(inb(LSR), ==, 0x60);
    g_assert_cmphex(inb(MSR), ==, 0xb0);
    outb(LCR, 0x80);
    g_assert_cmphex(inb(DATA), ==, 12);
    outb(DATA, 1);
    outb(IER, 2);
    g_assert_cmphex(inb(IER), ==, 2);
    outb(LCR, 3);
    g_assert_cmphex(inb(IER), ==, 0);
}

static void test_send(void)
{
    reset(0, 0);
    outb(DATA, 'h');
    outb(DATA, 'i');
    expect_sent("hi");
    outb(IER, 2); /* an empty transmitter interrupts when first asked */
    g_assert_cmpint(isa_test_irq(4), ==, 1);
    g_assert_cmphex(inb(IIR), ==, 0x02);
    g_assert_cmpint(isa_test_irq(4), ==, 0);
    g_assert_cmphex(inb(IIR), ==, 0x01);
    outb(DATA, '!');
    g_assert_cmpint(isa_test_irq(4), ==, 1);
    expect_sent("!");
}

static void test_receive(void)
{
    reset(0, 1);
    feed("ab", 1);
    g_assert_cmpint(isa_test_irq(4), ==, 1);
    g_assert_cmphex(inb(IIR), ==, 0x04);
    g_assert_cmphex(inb(LSR), ==, 0x61);
    g_assert_cmphex(inb(DATA), ==, 'a');
    feed("", 1); /* the second waited outside */
    g_assert_cmphex(inb(DATA), ==, 'b');
    g_assert_cmphex(inb(LSR), ==, 0x60);
    g_assert_cmpint(isa_test_irq(4), ==, 0);
}

static void test_fifo(void)
{
    reset(0x81, 1); /* trigger at 8 */
    outb(LCR, 0x03);
    feed("1234567", 7);
    g_assert_cmphex(inb(IIR), ==, 0xc1);
    clock_qtest_step(4 * 10 * NS_PER_SEC / 9600 - 1);
    g_assert_cmpint(isa_test_irq(4), ==, 0);
    clock_qtest_step(1);
    g_assert_cmpint(isa_test_irq(4), ==, 1);
    g_assert_cmphex(inb(IIR), ==, 0xcc);
    g_assert_cmphex(inb(DATA), ==, '1');
    g_assert_cmphex(inb(IIR), ==, 0xc1);
    feed("89", 2);
    g_assert_cmphex(inb(IIR), ==, 0xc4);
    g_assert_cmphex(inb(DATA), ==, '2');
    g_assert_cmphex(inb(IIR), ==, 0xc1);
    outb(IIR, 0x83); /* clear the receiver */
    g_assert_cmphex(inb(LSR), ==, 0x60);
    clock_qtest_step(NS_PER_SEC);
    g_assert_cmpint(isa_test_irq(4), ==, 0);
}

static void test_break(void)
{
    reset(0x01, 4);
    chardev_send_break(chardev_find("line"));
    g_assert_cmphex(inb(IIR), ==, 0xc6);
    g_assert_cmphex(inb(LSR), ==, 0x71);
    g_assert_cmphex(inb(LSR), ==, 0x61);
    g_assert_cmphex(inb(DATA), ==, 0);
    g_assert_cmphex(inb(IIR), ==, 0xc1);
}

static void test_loop(void)
{
    reset(0, 0x08);
    outb(MCR, 0x10);
    g_assert_cmphex(inb(MSR) & 0xf0, ==, 0);
    g_assert_cmphex(inb(MSR), ==, 0);
    outb(MCR, 0x1a); /* RTS and OUT2: CTS and DCD */
    g_assert_cmpint(isa_test_irq(4), ==, 1);
    g_assert_cmphex(inb(IIR), ==, 0x00);
    g_assert_cmphex(inb(MSR), ==, 0x99);
    g_assert_cmpint(isa_test_irq(4), ==, 0);
    outb(DATA, 0x42);
    g_assert_cmphex(inb(LSR), ==, 0x61);
    g_assert_cmphex(inb(DATA), ==, 0x42);
    outb(DATA, 1);
    outb(DATA, 2);
    g_assert_cmphex(inb(LSR), ==, 0x63); /* overrun */
    g_assert_cmphex(inb(DATA), ==, 2);
}

static void test_places(void)
{
    Device *second = isa_test_add("isa-serial");
    g_autoptr(Device) odd = device_new("isa-serial");
    g_autoptr(Error) err = NULL;

    outb(0x2ff, 0x77);
    g_assert_cmphex(inb(0x2ff), ==, 0x77);
    g_assert_true(object_set_int(odd, "index", 4, NULL));
    g_assert_false(device_realize(odd, &isa_test_bus()->parent, &err));
    g_assert_cmpstr(error_text(err), ==, "Max. supported number of ISA serial ports is 4.");
    g_assert_false(object_set_text(odd, "chardev", "line", NULL)); /* in use */
    g_assert_false(object_set_text(odd, "chardev", "nothing", NULL));
    device_delete(second);
    g_assert_cmphex(inb(0x2ff), ==, 0xff);
}

static void test_state(void)
{
    Device *copy = isa_test_add("isa-serial");

    reset(0x81, 1);
    outb(LCR, 0x03);
    outb(MCR, 0x1b);
    outb(DATA, 'x');
    isa_test_copy_state(port, copy);
    g_assert_cmphex(inb(0x2fc), ==, 0x1b);
    clock_qtest_step(4 * 10 * NS_PER_SEC / 9600);
    g_assert_cmpint(isa_test_irq(3), ==, 1);
    g_assert_cmphex(inb(0x2f8), ==, 'x');
    device_delete(copy);
}

static void test_debugcon(void)
{
    Device *con = device_new("isa-debugcon");

    device_delete(port);
    g_assert_true(object_set_text(con, "chardev", "line", NULL));
    isa_test_realize(con);
    g_assert_cmphex(inb(0xe9), ==, 0xe9);
    outb(0xe9, 'd');
    expect_sent("d");
    device_delete(con);
}

static void connect_line(void)
{
    g_autofree char *dir = g_dir_make_tmp("serial-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "line", NULL);
    g_autofree char *spec = g_strdup_printf("unix:%s,server=on,wait=off", path);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    g_assert_nonnull(chardev_add_from_spec("line", spec, NULL, NULL));
    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    far_end = socket(AF_UNIX, SOCK_STREAM, 0);
    g_assert_cmpint(connect(far_end, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
    for (unsigned i = 0; i < 50; i++) {
        g_main_context_iteration(NULL, false);
    }
    unlink(path);
    rmdir(dir);
}

int main(int argc, char **argv)
{
    isa_test_start(&argc, &argv);
    connect_line();
    port = device_new("isa-serial");
    g_assert_true(object_set_text(port, "chardev", "line", NULL));
    isa_test_realize(port);
    g_test_add_func("/serial/reset", test_reset);
    g_test_add_func("/serial/send", test_send);
    g_test_add_func("/serial/receive", test_receive);
    g_test_add_func("/serial/fifo", test_fifo);
    g_test_add_func("/serial/break", test_break);
    g_test_add_func("/serial/loop", test_loop);
    g_test_add_func("/serial/places", test_places);
    g_test_add_func("/serial/state", test_state);
    g_test_add_func("/serial/debugcon", test_debugcon);
    return isa_test_run();
}
