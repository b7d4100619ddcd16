/*
 * The ib700: it bites on time, not before, and not when stopped or reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa_test.h"
#include "qapi/event.h"
#include "system/run_state.h"

static unsigned bites;

static void sink(void *opaque, const QapiEvent *event, json_object *data)
{
    if (!strcmp(event->name, "WATCHDOG")) {
        g_assert_cmpstr(json_object_get_string(json_object_object_get(data, "action")), ==,
                        "none");
        bites++;
    }
}

static void expect_bites(int64_t seconds, unsigned count)
{
    bites = 0;
    clock_qtest_step(seconds * NS_PER_SEC);
    g_assert_cmpuint(bites, ==, count);
}

static void test_bite(void)
{
    Device *dog = isa_test_add("ib700");

    expect_bites(100, 0);
    outb(0x443, 0x00);
    expect_bites(29, 0);
    outb(0x443, 0x0d); /* fed: 4 seconds from now */
    expect_bites(3, 0);
    expect_bites(1, 1);
    expect_bites(100, 0);
    outb(0x443, 0x0a);
    outb(0x441, 0);
    expect_bites(100, 0);
    outb(0x443, 0x0a);
    device_reset(dog);
    expect_bites(100, 0);
    outb(0x443, 0x0f);
    expect_bites(1, 1);
    device_delete(dog);
}

int main(int argc, char **argv)
{
    isa_test_start(&argc, &argv);
    run_actions()->watchdog = WATCHDOG_ACTION_NONE;
    qapi_event_set_sink(sink, NULL);
    g_test_add_func("/ib700/bite", test_bite);
    return isa_test_run();
}
