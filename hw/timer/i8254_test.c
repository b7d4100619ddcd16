/*
 * The 8254 and port 0x61, by their data sheets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa_test.h"
#include "hw/timer/i8254.h"

#define TICK_NS 839 /* rounded up */

static Device *pit, *speaker;

static uint16_t count_of(unsigned n)
{
    uint16_t low;

    outb(0x43, n << 6);
    low = inb(0x40 + n);
    return low | inb(0x40 + n) << 8;
}

static void program(unsigned n, unsigned mode, uint16_t count)
{
    outb(0x43, n << 6 | 0x30 | mode << 1);
    outb(0x40 + n, count);
    outb(0x40 + n, count >> 8);
}

static int out0(void)
{
    return irq_level(device_irq_out(pit, NULL, 0));
}

static void step_ticks(uint64_t ticks)
{
    clock_qtest_step((ticks * NS_PER_SEC + 1193181) / 1193182);
}

static void test_reset(void)
{
    device_reset(pit);
    outb(0x43, 0xce); /* read back: status of all */
    g_assert_cmphex(inb(0x40), ==, 0xb6);
    g_assert_cmphex(inb(0x41), ==, 0xb6);
    g_assert_cmphex(inb(0x42), ==, 0xb6);
}

static void test_one_shot(void)
{
    program(0, 0, 1000);
    g_assert_cmpint(out0(), ==, 0);
    step_ticks(400);
    g_assert_cmpint(count_of(0), ==, 600);
    g_assert_cmpint(out0(), ==, 0);
    step_ticks(600);
    g_assert_cmpint(out0(), ==, 1);
    step_ticks(500);
    g_assert_cmpint(out0(), ==, 1);
    g_assert_cmphex(count_of(0), ==, 0x10000 - 500);
}

static void test_rate(void)
{
    unsigned edges = 0;
    int was = 1;

    program(0, 2, 100);
    g_assert_cmpint(out0(), ==, 1);
    for (int i = 0; i < 1000; i++) {
        step_ticks(1);
        edges += out0() && !was;
        was = out0();
    }
    g_assert_cmpint(edges, >=, 9);
    g_assert_cmpint(edges, <=, 10);
}

static unsigned edges;

static void count_edges(IrqObserver *observer, int level)
{
    edges += level;
}

static IrqObserver observer = { count_edges };
static int64_t late_ns;

static int64_t late_now_ns(void)
{
    return late_ns;
}

/* A host that is late by more than OUT is low makes an interrupt late, not lost. */
static void test_late(void)
{
    static const ClockDriver late_driver = { .virtual_now_ns = late_now_ns };
    static const unsigned modes[] = { 2, 3, 4 };

    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        program(0, modes[i], 1000);
        irq_observe(device_irq_out(pit, NULL, 0), &observer);
        edges = 0;
        late_ns = clock_now_ns(CLOCK_VIRTUAL) + 1400 * TICK_NS;
        clock_set_driver(&late_driver);
        clock_run_timers(CLOCK_VIRTUAL);
        clock_qtest_enable();
        g_assert_cmpuint(edges, ==, 1);
        irq_observe(device_irq_out(pit, NULL, 0), NULL);
        clock_qtest_step(1400 * TICK_NS);
    }
}

static void test_square(void)
{
    program(0, 3, 10);
    g_assert_cmpint(out0(), ==, 1);
    step_ticks(5);
    g_assert_cmpint(out0(), ==, 0);
    step_ticks(4);
    g_assert_cmpint(out0(), ==, 0);
    clock_qtest_step(TICK_NS);
    g_assert_cmpint(out0(), ==, 1);
}

static void test_strobe(void)
{
    program(0, 4, 10);
    clock_qtest_step_to_next();
    g_assert_cmpint(out0(), ==, 0);
    clock_qtest_step_to_next();
    g_assert_cmpint(out0(), ==, 1);
}

static void test_latch(void)
{
    uint8_t low;

    program(0, 2, 0x1234);
    outb(0x43, 0);
    step_ticks(0x100);
    outb(0x43, 0); /* ignored: the first is unread */
    low = inb(0x40);
    g_assert_cmphex(low | inb(0x40) << 8, ==, 0x1234);
    g_assert_cmphex(count_of(0), ==, 0x1134);
    outb(0x43, 0xc2); /* count and status: the status comes first */
    g_assert_cmphex(inb(0x40), ==, 0xb4);
    g_assert_cmphex(inb(0x40), ==, 0x34);
    g_assert_cmphex(inb(0x40), ==, 0x11);
    outb(0x43, 0x34); /* a new mode, no count yet */
    outb(0x43, 0xe2);
    g_assert_cmphex(inb(0x40), ==, 0xf4);
}

static void test_bcd(void)
{
    outb(0x43, 0x31);
    outb(0x40, 0x00);
    outb(0x40, 0x10); /* 1000 */
    step_ticks(1);
    g_assert_cmphex(count_of(0), ==, 0x0999);
    step_ticks(1001);
    g_assert_cmphex(count_of(0), ==, 0x9998);
}

static void test_access(void)
{
    outb(0x43, 0x10); /* low byte only */
    outb(0x40, 200);
    step_ticks(50);
    g_assert_cmpint(inb(0x40), ==, 150);
    g_assert_cmpint(inb(0x40), ==, 150);
    outb(0x43, 0x20); /* high byte only */
    outb(0x40, 2);
    step_ticks(1);
    g_assert_cmpint(inb(0x40), ==, 1);
}

static void test_speaker(void)
{
    outb(0x61, 0);
    program(2, 0, 100);
    step_ticks(200);
    g_assert_cmphex(inb(0x61) & 0x2f, ==, 0);
    g_assert_cmpint(count_of(2), ==, 100);
    outb(0x61, 3);
    step_ticks(60);
    outb(0x61, 2); /* the gate holds it */
    step_ticks(60);
    g_assert_cmpint(count_of(2), ==, 40);
    g_assert_cmphex(inb(0x61) & 0x2f, ==, 0x02);
    outb(0x61, 1);
    step_ticks(40);
    g_assert_cmphex(inb(0x61) & 0x2f, ==, 0x21);
    program(2, 1, 50); /* begun by the gate */
    step_ticks(60);
    g_assert_cmphex(inb(0x61) & 0x20, ==, 0x20);
    outb(0x61, 0);
    outb(0x61, 1);
    g_assert_cmphex(inb(0x61) & 0x20, ==, 0);
    step_ticks(50);
    g_assert_cmphex(inb(0x61) & 0x20, ==, 0x20);
}

static void test_disabled(void)
{
    program(0, 2, 100);
    irq_input_set(device_irq_in(pit, NULL, 0), 0);
    for (int i = 0; i < 200; i++) {
        step_ticks(1);
        g_assert_cmpint(out0(), ==, 0);
    }
    irq_input_set(device_irq_in(pit, NULL, 0), 1);
    step_ticks(2);
    g_assert_cmpint(out0(), ==, 1);
}

static void test_state(void)
{
    Device *copy = device_new(TYPE_I8254);

    g_assert_true(object_set_int(copy, "iobase", 0x140, NULL));
    isa_test_realize(copy);
    program(0, 0, 1000);
    step_ticks(400);
    isa_test_copy_state(pit, copy);
    outb(0x143, 0);
    g_assert_cmpint(inb(0x140) | inb(0x140) << 8, ==, 600);
    step_ticks(600);
    g_assert_cmpint(irq_level(device_irq_out(copy, NULL, 0)), ==, 1);
    device_delete(copy);
}

int main(int argc, char **argv)
{
    isa_test_start(&argc, &argv);
    pit = device_new(TYPE_I8254);
    g_assert_true(object_set_int(pit, "iobase", 0x40, NULL));
    isa_test_realize(pit);
    speaker = device_new(TYPE_PCSPK);
    g_assert_true(object_set_link(speaker, "pit", &pit->parent, NULL));
    isa_test_realize(speaker);
    g_test_add_func("/i8254/reset", test_reset);
    g_test_add_func("/i8254/one-shot", test_one_shot);
    g_test_add_func("/i8254/rate", test_rate);
    g_test_add_func("/i8254/late", test_late);
    g_test_add_func("/i8254/square", test_square);
    g_test_add_func("/i8254/strobe", test_strobe);
    g_test_add_func("/i8254/latch", test_latch);
    g_test_add_func("/i8254/bcd", test_bcd);
    g_test_add_func("/i8254/access", test_access);
    g_test_add_func("/i8254/speaker", test_speaker);
    g_test_add_func("/i8254/disabled", test_disabled);
    g_test_add_func("/i8254/state", test_state);
    return isa_test_run();
}
