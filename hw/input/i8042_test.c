/*
 * The keyboard controller with its keyboard and mouse, as IBM's manuals describe them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/input/i8042.h"
#include "hw/input/i8042_translate.h"
#include "hw/isa/isa_test.h"
#include "qapi/event.h"
#include "system/run_state.h"
#include "ui/input.h"
#include "ui/keycodes.h"

enum { DATA = 0x60, COMMAND = 0x64 };
enum { OBF = 1, SYS = 4, AUX = 0x20 };
enum { TRANSLATE = 0x40, INTERRUPTS = 3 };

static Device *dev;
static unsigned resets;

static void sink(void *opaque, const QapiEvent *event, json_object *data)
{
    resets += !strcmp(event->name, "RESET");
}

/* All that can be read now, as hex; what comes from the mouse in upper case. */
static void expect(const char *text)
{
    g_autoptr(GString) got = g_string_new(NULL);
    uint8_t status;

    while ((status = inb(COMMAND)) & OBF && got->len < 1000) {
        g_string_append_printf(got, status & AUX ? "%s%02X" : "%s%02x", got->len ? " " : "",
                               inb(DATA));
    }
    g_assert_cmpstr(got->str, ==, text);
}

static void command(uint8_t value)
{
    outb(COMMAND, value);
}

static void command_with(uint8_t value, uint8_t argument)
{
    outb(COMMAND, value);
    outb(DATA, argument);
}

static void keyboard(uint8_t byte, const char *answer)
{
    outb(DATA, byte);
    expect(answer);
}

static void mouse(uint8_t byte, const char *answer)
{
    command_with(0xd4, byte);
    expect(answer);
}

static void press(QKeyCode key)
{
    input_send_key(key, true);
    input_send_key(key, false);
}

static void start(uint8_t mode)
{
    reset_machine();
    command_with(0x60, mode);
}

static void test_controller(void)
{
    start(INTERRUPTS);
    g_assert_cmphex(inb(COMMAND), ==, 0x10);
    command(0xaa);
    g_assert_cmphex(inb(COMMAND), ==, 0x19);
    expect("55");
    command(0xa9);
    expect("00");
    command(0xab);
    expect("00");
    command(0xa4);
    expect("f1");
    command(0xc0);
    expect("80");
    command(0x20);
    expect("03");
    command_with(0x60, 0x47);
    g_assert_cmphex(inb(COMMAND), ==, 0x14);
    command(0xad);
    command(0xa7);
    command(0x20);
    expect("77");
    command(0xae);
    command(0xa8);
    command(0x20);
    expect("47");
    command_with(0x7f, 0x99);
    command(0x3f);
    expect("99");
    command_with(0xd2, 0x12);
    expect("12");
    command_with(0xd3, 0x34);
    expect("34");
    command_with(0xd3, 0xab);
    expect("AB");
    command(0x01);
    expect("");
}

static void test_a20_and_reset(void)
{
    const IrqLine *a20 = device_irq_out(dev, "a20", 0);
    int status;

    start(INTERRUPTS);
    g_assert_cmpint(irq_level(a20), ==, 1);
    command(0xd0);
    expect("03");
    command_with(0xd1, 0x01);
    g_assert_cmpint(irq_level(a20), ==, 0);
    command(0xdf);
    g_assert_cmpint(irq_level(a20), ==, 1);
    command(0xdd);
    g_assert_cmpint(irq_level(a20), ==, 0);
    command(0xff);
    g_assert_false(vm_serve_requests(&status));
    g_assert_cmpuint(resets, ==, 0);
    command(0xfe);
    g_assert_false(vm_serve_requests(&status));
    g_assert_cmpuint(resets, ==, 1);
    command_with(0xd1, 0x02);
    g_assert_false(vm_serve_requests(&status));
    g_assert_cmpuint(resets, ==, 2);
}

static void test_interrupts(void)
{
    start(INTERRUPTS);
    press(Q_KEY_CODE_A);
    g_assert_cmpint(isa_test_irq(1), ==, 1);
    inb(DATA);
    g_assert_cmpint(isa_test_irq(1), ==, 1);
    expect("f0 1c");
    g_assert_cmpint(isa_test_irq(1), ==, 0);
    command_with(0xd3, 5);
    g_assert_cmpint(isa_test_irq(12), ==, 1);
    g_assert_cmpint(isa_test_irq(1), ==, 0);
    inb(DATA);
    g_assert_cmpint(isa_test_irq(12), ==, 0);
    start(0);
    press(Q_KEY_CODE_A);
    g_assert_cmpint(isa_test_irq(1), ==, 0);
    command_with(0x60, 1);
    g_assert_cmpint(isa_test_irq(1), ==, 1);
    /* A disabled port is not read; a byte for it opens it. */
    start(0x10 | INTERRUPTS);
    press(Q_KEY_CODE_A);
    expect("");
    outb(DATA, 0xee);
    expect("ee 1c f0 1c");
}

static void test_sets(void)
{
    start(INTERRUPTS);
    press(Q_KEY_CODE_UP);
    expect("e0 75 e0 f0 75");
    press(Q_KEY_CODE_PAUSE);
    expect("e1 14 77 e1 f0 14 f0 77");
    press(Q_KEY_CODE_PRINT);
    expect("e0 12 e0 7c e0 f0 7c e0 f0 12");
    input_send_key(Q_KEY_CODE_CTRL, true);
    press(Q_KEY_CODE_PAUSE);
    expect("14 e0 7e e0 f0 7e");
    input_send_key(Q_KEY_CODE_CTRL, false);
    input_send_key(Q_KEY_CODE_ALT, true);
    press(Q_KEY_CODE_PRINT);
    input_send_key(Q_KEY_CODE_ALT, false);
    expect("f0 14 11 84 f0 84 f0 11");
    command_with(0x60, INTERRUPTS | TRANSLATE);
    press(Q_KEY_CODE_F7);
    press(Q_KEY_CODE_DELETE);
    expect("41 c1 e0 53 e0 d3");
    press(Q_KEY_CODE_PAUSE);
    expect("e1 1d 45 e1 9d c5");
    command_with(0x60, INTERRUPTS);
    keyboard(0xf0, "fa");
    keyboard(1, "fa");
    press(Q_KEY_CODE_Z);
    press(Q_KEY_CODE_KP_ENTER);
    expect("2c ac e0 1c e0 9c");
    keyboard(0xf0, "fa");
    keyboard(3, "fa");
    press(Q_KEY_CODE_Z);
    press(Q_KEY_CODE_SHIFT);
    press(Q_KEY_CODE_END);
    expect("1a 12 f0 12 65");
    keyboard(0xfc, "fa");
    keyboard(0x1a, "fa");
    keyboard(0xf0, "fa");
    keyboard(0, "fa 03");
    press(Q_KEY_CODE_Z);
    expect("1a f0 1a");
    keyboard(0xf8, "fa");
    press(Q_KEY_CODE_END);
    expect("65 f0 65");
}

/* What a keyboard sends in set 2 is, translated, what the table says of set 1. */
static void test_translation(void)
{
    for (int key = 1; key < Q_KEY_CODE_COUNT; key++) {
        const KeyCodes *codes = key_codes(key);

        /* Their codes of set 2 pass as they are. */
        if (key != Q_KEY_CODE_LANG1 && key != Q_KEY_CODE_LANG2) {
            g_assert_cmphex(i8042_translate(codes->set2 & 0xff), ==, codes->set1 & 0xff);
        }
    }
    g_assert_cmphex(i8042_translate(0xfa), ==, 0xfa);
}

static void test_keyboard(void)
{
    start(INTERRUPTS);
    keyboard(0xff, "fa aa");
    keyboard(0xf2, "fa ab 83");
    keyboard(0xee, "ee");
    keyboard(0xfe, "ee");
    keyboard(0xed, "fa");
    keyboard(5, "fa");
    g_assert_cmpuint(input_leds(), ==, INPUT_LED_SCROLL | INPUT_LED_CAPS);
    keyboard(0xf3, "fa");
    keyboard(0x20, "fa");
    keyboard(0xed, "fa");
    keyboard(0xf5, "fa"); /* a command in place of the argument */
    g_assert_cmpuint(input_leds(), ==, 0);
    press(Q_KEY_CODE_A);
    expect("");
    keyboard(0xf4, "fa");
    press(Q_KEY_CODE_A);
    expect("1c f0 1c");
    keyboard(0xf0, "fa");
    keyboard(9, "fe");
    keyboard(0x12, "fe");
    command_with(0x60, INTERRUPTS | TRANSLATE);
    keyboard(0xf2, "fa ab 41");
}

static void test_overrun(void)
{
    start(INTERRUPTS);
    for (int i = 0; i < 10; i++) {
        press(Q_KEY_CODE_A);
    }
    /* One is in the controller; a release that does not fit is not sent in half. */
    expect("1c f0 1c 1c f0 1c 1c f0 1c 1c f0 1c 1c f0 1c 1c 00");
    press(Q_KEY_CODE_B);
    expect("32 f0 32");
}

static void test_mouse(void)
{
    start(INTERRUPTS);
    mouse(0xff, "FA AA 00");
    mouse(0xf2, "FA 00");
    mouse(0xe9, "FA 00 02 64");
    input_send_rel(INPUT_AXIS_X, 5);
    input_sync();
    expect("");
    mouse(0xf4, "FA");
    input_send_rel(INPUT_AXIS_X, 5);
    input_send_rel(INPUT_AXIS_Y, 3);
    input_send_button(INPUT_BUTTON_MIDDLE, true);
    input_sync();
    expect("2C 05 FD");
    g_assert_cmpint(isa_test_irq(12), ==, 0);
    mouse(0xe9, "FA 22 02 64");
    input_send_button(INPUT_BUTTON_MIDDLE, false);
    input_send_rel(INPUT_AXIS_X, -600);
    input_sync();
    expect("18 01 00 18 01 00 18 A6 00");
    mouse(0xe7, "FA");
    input_send_rel(INPUT_AXIS_X, 4);
    input_send_rel(INPUT_AXIS_Y, 7);
    input_sync();
    expect("28 06 F2");
    mouse(0xe6, "FA");
    mouse(0xf0, "FA");
    input_send_rel(INPUT_AXIS_X, 9);
    input_sync();
    expect("");
    mouse(0xeb, "FA 08 09 00");
    mouse(0xea, "FA");
    mouse(0xee, "FA");
    mouse(0xf4, "F4");
    mouse(0xec, "FA");
    mouse(0xe8, "FA");
    mouse(4, "FE");
    mouse(0xbb, "FE");
}

static void knock(uint8_t a, uint8_t b, uint8_t c)
{
    const uint8_t rates[] = { a, b, c };

    for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
        mouse(0xf3, "FA");
        mouse(rates[i], "FA");
    }
}

static void test_wheels(void)
{
    start(INTERRUPTS);
    knock(200, 100, 80);
    mouse(0xf2, "FA 03");
    mouse(0xf4, "FA");
    input_send_button(INPUT_BUTTON_WHEEL_UP, true);
    input_sync();
    input_send_button(INPUT_BUTTON_WHEEL_UP, false);
    input_sync();
    expect("08 00 00 FF");
    knock(200, 200, 80);
    mouse(0xf2, "FA 04");
    input_send_button(INPUT_BUTTON_EXTRA, true);
    input_send_button(INPUT_BUTTON_WHEEL_DOWN, true);
    input_sync();
    expect("08 00 00 21");
    input_send_button(INPUT_BUTTON_WHEEL_LEFT, true);
    input_sync();
    expect("08 00 00 7F");
    i8042_nudge_mouse(dev);
    expect("08 00 00 20");
    mouse(0xff, "FA AA 00");
}

static void test_throttle(void)
{
    device_delete(dev);
    dev = device_new("i8042");
    g_assert_true(object_set_bool(dev, "kbd-throttle", true, NULL));
    isa_test_realize(dev);
    start(INTERRUPTS);
    press(Q_KEY_CODE_A);
    expect("1c");
    clock_qtest_step(999999);
    expect("");
    clock_qtest_step(1);
    expect("f0");
    clock_qtest_step(1000000);
    expect("1c");
}

static void test_migration(void)
{
    Device *other = isa_test_add("i8042");

    isa_test_copy_state(dev, other);
    device_delete(dev);
    dev = other;
    start(INTERRUPTS);
    press(Q_KEY_CODE_A);
    other = isa_test_add("i8042");
    isa_test_copy_state(dev, other);
    isa_test_copy_state(DEVICE(object_child(&dev->parent, "ps2kbd")),
                        DEVICE(object_child(&other->parent, "ps2kbd")));
    device_delete(dev);
    dev = other;
    g_assert_cmpint(isa_test_irq(1), ==, 1);
    expect("1c f0 1c");
}

int main(int argc, char **argv)
{
    isa_test_start(&argc, &argv);
    qapi_event_set_sink(sink, NULL);
    dev = isa_test_add("i8042");
    g_test_add_func("/i8042/controller", test_controller);
    g_test_add_func("/i8042/a20-and-reset", test_a20_and_reset);
    g_test_add_func("/i8042/interrupts", test_interrupts);
    g_test_add_func("/i8042/sets", test_sets);
    g_test_add_func("/i8042/translation", test_translation);
    g_test_add_func("/i8042/keyboard", test_keyboard);
    g_test_add_func("/i8042/overrun", test_overrun);
    g_test_add_func("/i8042/mouse", test_mouse);
    g_test_add_func("/i8042/wheels", test_wheels);
    g_test_add_func("/i8042/throttle", test_throttle);
    g_test_add_func("/i8042/migration", test_migration);
    return isa_test_run();
}
