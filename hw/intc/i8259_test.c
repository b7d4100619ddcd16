/*
 * The pair of 8259A, driven by its data sheet.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/intc/i8259.h"
#include "hw/isa/isa_test.h"

static Device *pair;

static void line(unsigned n, int level)
{
    irq_input_set(i8259_pair_input(pair, n), level);
}

static void pulse(unsigned n)
{
    line(n, 1);
    line(n, 0);
}

static void setup(uint8_t icw4)
{
    for (unsigned n = 0; n < 16; n++) {
        if (n != 2) {
            line(n, 0);
        }
    }
    reset_machine();
    outb(0x20, 0x11);
    outb(0x21, 0x20);
    outb(0x21, 0x04);
    outb(0x21, icw4);
    outb(0xa0, 0x11);
    outb(0xa1, 0x28);
    outb(0xa1, 0x02);
    outb(0xa1, icw4);
    outb(0x21, 0);
    outb(0xa1, 0);
}

static void expect_vector(int vector)
{
    g_assert_cmpint(i8259_is_pending(pair), ==, vector >= 0);
    g_assert_cmpint(irq_level(device_irq_out(pair, NULL, 0)), ==, vector >= 0);
    if (vector >= 0) {
        g_assert_cmphex(i8259_acknowledge(pair), ==, vector);
    }
}

static void test_priorities(void)
{
    setup(1);
    pulse(5);
    pulse(3);
    expect_vector(0x23);
    expect_vector(-1); /* 5 waits for the end of 3 */
    pulse(1);
    expect_vector(0x21);
    outb(0x20, 0x0b);
    g_assert_cmphex(inb(0x20), ==, 0x0a);
    outb(0x20, 0x0a);
    g_assert_cmphex(inb(0x20), ==, 0x20);
    outb(0x20, 0x20);
    outb(0x20, 0x63); /* specific */
    expect_vector(0x25);
}

static void test_mask(void)
{
    setup(1);
    outb(0x21, 0x08);
    g_assert_cmphex(inb(0x21), ==, 0x08);
    pulse(3);
    expect_vector(-1);
    outb(0x21, 0);
    expect_vector(0x23);
    /* Special mask mode: masked ones in service no longer hold back others. */
    outb(0x21, 0x08);
    pulse(6);
    expect_vector(-1);
    outb(0x20, 0x68);
    expect_vector(0x26);
}

static void test_cascade(void)
{
    setup(1);
    pulse(12);
    expect_vector(0x2c);
    outb(0xa0, 0x20);
    pulse(14);
    expect_vector(-1); /* the master's input 2 is in service */
    outb(0x20, 0x20);
    expect_vector(0x2e);
    setup(0x11); /* special fully nested */
    pulse(14);
    expect_vector(0x2e);
    pulse(8);
    expect_vector(0x28);
}

static void test_spurious(void)
{
    setup(1);
    g_assert_cmphex(i8259_acknowledge(pair), ==, 0x27);
    outb(0xa1, 0);
    line(9, 1);
    outb(0xa1, 0x02);
    g_assert_cmphex(i8259_acknowledge(pair), ==, 0x2f); /* the master had latched the slave's */
    outb(0x20, 0x0b);
    g_assert_cmphex(inb(0x20), ==, 0x04);
    outb(0xa0, 0x0b);
    g_assert_cmphex(inb(0xa0), ==, 0);
}

static void test_rotation(void)
{
    setup(1);
    outb(0x20, 0xc3); /* 3 is lowest: 4 is highest */
    pulse(0);
    pulse(5);
    expect_vector(0x25);
    outb(0x20, 0xa0); /* rotate: 5 becomes the lowest */
    pulse(6);
    expect_vector(0x26);
    outb(0x20, 0x20);
    expect_vector(0x20);
    setup(3); /* automatic end, rotating */
    outb(0x20, 0x80);
    pulse(0);
    expect_vector(0x20);
    pulse(0);
    pulse(1);
    expect_vector(0x21);
    expect_vector(0x20);
}

static void test_levels(void)
{
    setup(1);
    outb(0x4d0, 0xff);
    g_assert_cmphex(inb(0x4d0), ==, 0xf8);
    outb(0x4d1, 0xff);
    g_assert_cmphex(inb(0x4d1), ==, 0xde);
    line(5, 1);
    expect_vector(0x25);
    outb(0x20, 0x20);
    expect_vector(0x25); /* still up */
    line(5, 0);
    outb(0x20, 0x20);
    expect_vector(-1);
    line(1, 1); /* an edge is seen once */
    expect_vector(0x21);
    outb(0x20, 0x20);
    expect_vector(-1);
}

static void test_poll(void)
{
    setup(1);
    outb(0x20, 0x0c);
    g_assert_cmphex(inb(0x20), ==, 0);
    pulse(4);
    outb(0x20, 0x0c);
    g_assert_cmphex(inb(0x20), ==, 0x84);
    expect_vector(-1);
    outb(0x20, 0x0b);
    g_assert_cmphex(inb(0x20), ==, 0x10);
}

static void test_state(void)
{
    Device *copy;

    setup(1);
    pulse(3);
    copy = device_new(TYPE_I8259);
    g_assert_true(object_set_int(copy, "iobase", 0x120, NULL));
    isa_test_realize(copy);
    isa_test_copy_state(pair, copy);
    g_assert_cmphex(inb(0x120), ==, 0x08);
    g_assert_cmphex(i8259_acknowledge(copy), ==, 0x23);
    device_delete(copy);
}

int main(int argc, char **argv)
{
    isa_test_start(&argc, &argv);
    pair = i8259_pair_new(isa_test_bus());
    g_test_add_func("/i8259/priorities", test_priorities);
    g_test_add_func("/i8259/mask", test_mask);
    g_test_add_func("/i8259/cascade", test_cascade);
    g_test_add_func("/i8259/spurious", test_spurious);
    g_test_add_func("/i8259/rotation", test_rotation);
    g_test_add_func("/i8259/levels", test_levels);
    g_test_add_func("/i8259/poll", test_poll);
    g_test_add_func("/i8259/state", test_state);
    return isa_test_run();
}
