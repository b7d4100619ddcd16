/*
 * The clock chip, by its data sheet; its time moves when told (-rtc clock=vm).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa_test.h"
#include "hw/rtc/mc146818rtc.h"
#include "qapi/event.h"
#include "system/rtc.h"

#define BCD_24H 0x02
#define BIN_24H 0x06
#define BCD_12H 0x00
#define BIN_12H 0x04
#define SET     0x80

static Device *rtc;
static int64_t event_offset;
static unsigned events;

static uint8_t get(unsigned at)
{
    outb(0x70, at);
    return inb(0x71);
}

static void put(unsigned at, uint8_t value)
{
    outb(0x70, at);
    outb(0x71, value);
}

static void set_time(uint8_t b, uint8_t hour, uint8_t minute, uint8_t second)
{
    put(0x0b, SET | b);
    put(0x32, b & 4 ? 20 : 0x20);
    put(0x09, b & 4 ? 24 : 0x24);
    put(0x08, 2);
    put(0x07, b & 4 ? 28 : 0x28);
    put(0x04, hour);
    put(0x02, minute);
    put(0x00, second);
    put(0x0b, b);
}

static void expect_time(uint8_t hour, uint8_t minute, uint8_t second)
{
    g_assert_cmphex(get(4), ==, hour);
    g_assert_cmphex(get(2), ==, minute);
    g_assert_cmphex(get(0), ==, second);
}

static void test_start(void)
{
    g_assert_cmphex(get(0x0a) & 0x7f, ==, 0x26);
    g_assert_cmphex(get(0x0b), ==, 0x02);
    g_assert_cmphex(get(0x0d), ==, 0x80);
    g_assert_cmphex(inb(0x70), ==, 0xff);
    expect_time(0x16, 0x01, 0x21);
    g_assert_cmphex(get(0x32), ==, 0x20);
    g_assert_cmphex(get(0x09), ==, 0x06);
    g_assert_cmphex(get(0x08), ==, 0x06);
    g_assert_cmphex(get(0x07), ==, 0x17);
    g_assert_cmphex(get(0x06), ==, 7); /* a Saturday */
    put(0x0b, BIN_12H);
    expect_time(0x84, 1, 21);
    put(0x0b, BCD_12H);
    g_assert_cmphex(get(4), ==, 0x84);
    put(0x0b, BCD_24H);
}

static void test_formats(void)
{
    set_time(BCD_24H, 0x23, 0x59, 0x58);
    clock_qtest_step(NS_PER_SEC);
    expect_time(0x23, 0x59, 0x59);
    clock_qtest_step(NS_PER_SEC);
    expect_time(0, 0, 0);
    g_assert_cmphex(get(7), ==, 0x29); /* a leap year */
    set_time(BIN_24H, 9, 59, 59);
    clock_qtest_step(NS_PER_SEC);
    expect_time(10, 0, 0);
    set_time(BCD_12H, 0x11, 0x59, 0x59);
    clock_qtest_step(NS_PER_SEC);
    expect_time(0x92, 0, 0); /* noon */
    set_time(BIN_12H, 0x80 | 12, 59, 59);
    clock_qtest_step(NS_PER_SEC);
    expect_time(0x81, 0, 0);
    set_time(BIN_12H, 12, 0, 0);
    put(0x0b, BIN_24H);
    expect_time(0, 0, 0);
}

static void test_set_stops(void)
{
    set_time(BCD_24H, 0x10, 0x20, 0x30);
    put(0x0b, SET | BCD_24H);
    clock_qtest_step(10 * NS_PER_SEC);
    expect_time(0x10, 0x20, 0x30);
    g_assert_cmphex(get(0x0a) & 0x80, ==, 0);
    put(0x0b, BCD_24H);
    clock_qtest_step(NS_PER_SEC);
    expect_time(0x10, 0x20, 0x31);
}

static void test_update(void)
{
    set_time(BCD_24H, 0, 0, 0);
    put(0x0a, 0x76); /* divider held */
    clock_qtest_step(3 * NS_PER_SEC);
    expect_time(0, 0, 0);
    put(0x0a, 0x26);
    clock_qtest_step(499 * NS_PER_MS);
    g_assert_cmphex(get(0x0a), ==, 0x26);
    clock_qtest_step(900 * NS_PER_US);
    g_assert_cmphex(get(0x0a), ==, 0xa6); /* 100 us to go */
    g_assert_cmphex(get(0), ==, 0);
    get(0x0c);
    put(0x0b, BCD_24H | 0x10);
    g_assert_cmpint(isa_test_irq(8), ==, 0);
    clock_qtest_step(100 * NS_PER_US);
    g_assert_cmpint(isa_test_irq(8), ==, 1);
    g_assert_cmphex(get(0), ==, 1);
    g_assert_cmphex(get(0x0a), ==, 0x26);
    g_assert_cmphex(get(0x0c) & 0xb0, ==, 0x90);
    g_assert_cmpint(isa_test_irq(8), ==, 0);
    g_assert_cmphex(get(0x0c), ==, 0);
    put(0x0b, BCD_24H);
    clock_qtest_step(NS_PER_SEC);
    g_assert_cmphex(get(0x0c) & 0x90, ==, 0x10); /* the flag comes without its interrupt */
}

static void ring(uint8_t hour, uint8_t minute, uint8_t second, unsigned after)
{
    put(5, hour);
    put(3, minute);
    put(1, second);
    get(0x0c);
    put(0x0b, get(0x0b) | 0x20);
    for (unsigned i = 1; i <= after; i++) {
        g_assert_cmpint(isa_test_irq(8), ==, 0);
        clock_qtest_step(NS_PER_SEC);
    }
    g_assert_cmpint(isa_test_irq(8), ==, 1);
    g_assert_cmphex(get(0x0c) & 0xa0, ==, 0xa0);
    g_assert_cmpint(isa_test_irq(8), ==, 0);
}

static void test_alarm(void)
{
    set_time(BCD_24H, 0x08, 0x30, 0x00);
    ring(0x08, 0x30, 0x05, 5);
    ring(0xff, 0xff, 0xff, 1); /* every second */
    ring(0xc0, 0x31, 0x00, 54);
    set_time(BIN_12H, 11, 59, 58);
    ring(0x80 | 12, 0, 0, 2);
    put(5, 99); /* no such hour: never */
    clock_qtest_step(2 * 86400 * NS_PER_SEC);
    g_assert_cmpint(isa_test_irq(8), ==, 0);
    g_assert_cmphex(get(0x0c) & 0xa0, ==, 0);
    put(0x0b, BCD_24H);
}

static void test_periodic(void)
{
    unsigned count = 0;

    put(0x0a, 0x26); /* 1024 Hz */
    get(0x0c);
    put(0x0b, BCD_24H | 0x40);
    for (unsigned i = 0; i < 32768; i++) {
        clock_qtest_step(NS_PER_SEC / 32768 + 1);
        if (isa_test_irq(8)) {
            g_assert_cmphex(get(0x0c) & 0xc0, ==, 0xc0);
            count++;
        }
    }
    g_assert_cmpuint(count, ==, 1024);
    put(0x0b, BCD_24H);
    clock_qtest_step(NS_PER_SEC);
    g_assert_cmphex(get(0x0c) & 0xc0, ==, 0x40);
    g_assert_cmpint(isa_test_irq(8), ==, 0);
}

static uint64_t ticks_until_irq(void)
{
    uint64_t ticks = 0;

    for (; !isa_test_irq(8); ticks++) {
        clock_qtest_step(NS_PER_SEC / 32768 + 1);
    }
    g_assert_cmphex(get(0x0c) & 0xc0, ==, 0xc0);
    return ticks;
}

/* A new rate counts from the last interrupt. */
static void test_rates(void)
{
    put(0x0a, 0x2d); /* 8 Hz */
    get(0x0c);
    put(0x0b, BCD_24H | 0x40);
    ticks_until_irq();
    for (unsigned i = 0; i < 3; i++) {
        put(0x0a, 0x2f); /* 2 Hz */
        g_assert_cmpuint(ticks_until_irq() / 100, ==, 163);
        put(0x0a, 0x2d);
        g_assert_cmpuint(ticks_until_irq() / 100, ==, 40);
    }
    put(0x0b, BCD_24H);
    put(0x0a, 0x26);
}

static void test_slew(void)
{
    Device *slow = device_new(TYPE_MC146818_RTC);
    unsigned count = 0;

    g_assert_true(object_set_int(slow, "iobase", 0x170, NULL));
    g_assert_true(object_set_text(slow, "lost_tick_policy", "slew", NULL));
    isa_test_realize(slow);
    outb(0x170, 0x0a);
    outb(0x171, 0x2f); /* 2 Hz */
    outb(0x170, 0x0b);
    outb(0x171, 0x42);
    clock_qtest_step(5 * NS_PER_SEC);
    outb(0x170, 0x0c);
    while (isa_test_irq(8) && count < 100) {
        inb(0x171);
        count++;
    }
    g_assert_cmpuint(count, ==, 10);
    device_delete(slow);
}

static void test_ram(void)
{
    for (unsigned at = 0x0e; at < 0x80; at++) {
        if (at != 0x32) {
            put(at, at ^ 0x55);
        }
    }
    device_reset(rtc);
    for (unsigned at = 0x0e; at < 0x80; at++) {
        g_assert_cmphex(get(at | 0x80), ==, at == 0x32 ? get(0x32) : at ^ 0x55);
    }
    mc146818_rtc_set_cmos(rtc, 0x38, 0x30);
    g_assert_cmphex(get(0x38), ==, 0x30);
    g_assert_cmphex(mc146818_rtc_cmos(rtc, 0x3d), ==, 0x3d ^ 0x55);
    /* As 16 bits: selects and writes at once. */
    address_space_store(address_space_io(), 0x70, MEM_LE16, MEM_TX_NONE, 0x7738);
    g_assert_cmphex(get(0x38), ==, 0x77);
}

static void sink(void *opaque, const QapiEvent *event, json_object *data)
{
    g_assert_cmpstr(event->name, ==, "RTC_CHANGE");
    event_offset = json_object_get_int64(json_object_object_get(data, "offset"));
    g_assert_cmpstr(json_object_get_string(json_object_object_get(data, "qom-path")), ==,
                    "/machine/rtc");
    events++;
}

static void test_event(void)
{
    qapi_event_set_sink(sink, NULL);
    events = 0;
    put(0x0b, SET | BCD_24H);
    put(0x04, 0x05);
    g_assert_cmpuint(events, ==, 0);
    put(0x0b, BCD_24H);
    g_assert_cmpuint(events, ==, 1);
    event_offset = 0;
    put(0x04, 0x06);
    g_assert_cmpuint(events, ==, 2);
    set_time(BCD_24H, 0x12, 0, 0);
    g_assert_cmpint(event_offset, ==, INT64_C(1709121600) - rtc_now_seconds());
    qapi_event_set_sink(NULL, NULL);
}

static void test_state(void)
{
    Device *copy = device_new(TYPE_MC146818_RTC);

    g_assert_true(object_set_int(copy, "iobase", 0x170, NULL));
    g_assert_true(object_set_int(copy, "irq", 9, NULL));
    isa_test_realize(copy);
    set_time(BCD_24H, 0x08, 0x30, 0x00);
    put(0x0b, BCD_24H | 0x10);
    isa_test_copy_state(rtc, copy);
    clock_qtest_step(NS_PER_SEC);
    g_assert_cmpint(isa_test_irq(9), ==, 1);
    outb(0x170, 0);
    g_assert_cmphex(inb(0x171), ==, 1);
    device_delete(copy);
    put(0x0b, BCD_24H);
}

int main(int argc, char **argv)
{
    isa_test_start(&argc, &argv);
    g_assert_true(rtc_configure("2006-06-17T16:01:21", "vm", NULL, NULL));
    rtc = device_new(TYPE_MC146818_RTC);
    object_add_child((Object *)machine_current(), "rtc", rtc, NULL);
    g_assert_true(object_set_int(rtc, "base_year", 2000, NULL));
    isa_test_realize(rtc);
    g_test_add_func("/mc146818rtc/start", test_start);
    g_test_add_func("/mc146818rtc/formats", test_formats);
    g_test_add_func("/mc146818rtc/set", test_set_stops);
    g_test_add_func("/mc146818rtc/update", test_update);
    g_test_add_func("/mc146818rtc/alarm", test_alarm);
    g_test_add_func("/mc146818rtc/periodic", test_periodic);
    g_test_add_func("/mc146818rtc/rates", test_rates);
    g_test_add_func("/mc146818rtc/slew", test_slew);
    g_test_add_func("/mc146818rtc/ram", test_ram);
    g_test_add_func("/mc146818rtc/event", test_event);
    g_test_add_func("/mc146818rtc/state", test_state);
    return isa_test_run();
}
