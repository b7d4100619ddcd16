/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/irq.h"

typedef struct Pins {
    IrqInputs in;
    int level[4];
    int calls;
} Pins;

static void pin_set(void *opaque, unsigned n, int level)
{
    Pins *pins = opaque;

    pins->level[n] = level;
    pins->calls++;
}

typedef struct Watch {
    IrqObserver observer;
    const Pins *pins;
    int changes, level;
    int delivered; /* what the pin showed when we were told */
} Watch;

static void watch_changed(IrqObserver *observer, int level)
{
    Watch *w = container_of(observer, Watch, observer);

    w->changes++;
    w->level = level;
    w->delivered = w->pins->level[1];
}

static void test_line(void)
{
    Pins pins = { 0 };
    IrqLine line = { 0 }, other = { 0 };

    irq_inputs_init(&pins.in, 4, pin_set, &pins);
    irq_raise(&line);
    g_assert_false(irq_is_connected(&line));
    irq_connect(&line, irq_inputs_at(&pins.in, 1));
    g_assert_cmpint(pins.level[1], ==, 1);
    irq_lower(&line);
    irq_lower(&line);
    g_assert_cmpint(pins.calls, ==, 3);
    irq_connect(&other, irq_inputs_at(&pins.in, 1));
    g_assert_cmpint(pins.calls, ==, 3);
    irq_pulse(&other);
    g_assert_cmpint(pins.calls, ==, 5);
    irq_disconnect(&line);
    irq_raise(&line);
    g_assert_cmpint(pins.level[1], ==, 0);
    irq_set(&other, 7);
    g_assert_cmpint(pins.level[1], ==, 7);
    irq_inputs_clear(&pins.in);
    g_assert_false(irq_is_connected(&other));
    irq_lower(&other);
    g_assert_cmpint(pins.level[1], ==, 7);
}

/* Both ends can be watched; the line goes on working, and only changes are told. */
static void test_observe(void)
{
    Pins pins = { 0 };
    IrqLine line = { 0 };
    Watch out = { { watch_changed }, &pins }, in = { { watch_changed }, &pins };

    irq_inputs_init(&pins.in, 4, pin_set, &pins);
    irq_connect(&line, irq_inputs_at(&pins.in, 1));
    g_assert_true(irq_observe(&line, &out.observer));
    g_assert_false(irq_observe(&line, &in.observer));
    g_assert_true(irq_input_observe(irq_inputs_at(&pins.in, 1), &in.observer));
    irq_raise(&line);
    irq_raise(&line);
    g_assert_cmpint(out.changes, ==, 1);
    g_assert_cmpint(in.changes, ==, 1);
    g_assert_cmpint(in.delivered, ==, 0);
    g_assert_cmpint(pins.calls, ==, 2);
    irq_input_set(irq_inputs_at(&pins.in, 1), 0);
    g_assert_cmpint(out.changes, ==, 1);
    g_assert_cmpint(in.changes, ==, 2);
    g_assert_true(irq_observe(&line, NULL));
    irq_lower(&line);
    g_assert_cmpint(out.changes, ==, 1);
    irq_inputs_clear(&pins.in);
}

static void test_joints(void)
{
    Pins pins = { 0 };
    IrqOr either;
    IrqSplit split;
    IrqInvert invert;
    IrqLine a = { 0 }, b = { 0 };

    irq_inputs_init(&pins.in, 4, pin_set, &pins);
    irq_or_init(&either, 2);
    irq_split_init(&split, 2);
    irq_invert_init(&invert);
    irq_connect(&a, irq_inputs_at(&either.in, 0));
    irq_connect(&b, irq_inputs_at(&either.in, 1));
    irq_connect(&either.out, irq_inputs_at(&split.in, 0));
    irq_connect(&split.out[0], irq_inputs_at(&pins.in, 0));
    irq_connect(&split.out[1], irq_inputs_at(&invert.in, 0));
    irq_connect(&invert.out, irq_inputs_at(&pins.in, 2));
    g_assert_cmpint(pins.level[2], ==, 1);
    irq_raise(&a);
    irq_raise(&a);
    irq_raise(&b);
    g_assert_cmpint(pins.level[0], ==, 1);
    g_assert_cmpint(pins.level[2], ==, 0);
    irq_lower(&a);
    g_assert_cmpint(pins.level[0], ==, 1);
    irq_lower(&b);
    g_assert_cmpint(pins.level[0], ==, 0);
    g_assert_cmpint(pins.level[2], ==, 1);
    irq_split_clear(&split);
    irq_raise(&a);
    irq_or_clear(&either);
    irq_invert_clear(&invert);
    g_assert_false(irq_is_connected(&a));
    irq_inputs_clear(&pins.in);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/irq/line", test_line);
    g_test_add_func("/irq/observe", test_observe);
    g_test_add_func("/irq/joints", test_joints);
    return g_test_run();
}
