/*
 * QMP sessions over a fake chardev, with commands of the test's own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>

#include "fake_chardev.h"
#include "monitor/monitor.h"
#include "qapi/command.h"
#include "qapi/event.h"
#include "qapi/qapi-types-control.h"
#include "qmp.h"
#include "system/clock.h"
#include "system/machine_lock.h"
#include "util/event_loop.h"

#define NEGOTIATE "{'execute': 'qmp_capabilities'}"
#define OK "{\"return\": {}}\r\n"
#define GREETING                                                                                   \
    "{\"QMP\": {\"version\": {\"qemu\": {\"major\": 9, \"minor\": 0, \"micro\": 0}, "              \
    "\"package\": \"" QMP_PACKAGE "\"}, \"capabilities\": [%s]}}\r\n"

static Chardev *line; /* of the first monitor */

/* --- commands --- */

static bool run_negotiate(json_object *args, json_object **ret, Error **errp)
{
    json_object *enable = args ? json_member(args, "enable") : NULL;

    return qmp_monitor_negotiate(enable && json_object_array_length(enable), errp);
}

static bool run_nop(json_object *args, json_object **ret, Error **errp)
{
    return true;
}

static bool run_fail(json_object *args, json_object **ret, Error **errp)
{
    return error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device 'x' not found");
}

static bool run_echo(json_object *args, json_object **ret, Error **errp)
{
    *ret = json_ref(args ? json_member(args, "value") : NULL);
    return true;
}

static int reentered;

/* The client sends more while a command polls the main loop. */
static bool run_reenter(json_object *args, json_object **ret, Error **errp)
{
    for (int i = 0; i < 20; i++) {
        g_autofree char *text = g_strdup_printf("{'execute': 'echo', 'id': %d}", i);

        fake_chardev_send(line, text);
    }
    reentered = fake_chardev_waiting(line);
    return true;
}

/* Till the reply to the out-of-band command is out. */
static bool run_wait(json_object *args, json_object **ret, Error **errp)
{
    while (!fake_chardev_has_output(line, "\"id\": \"oob\"")) {
        g_usleep(1000);
    }
    return true;
}

static bool run_disconnect(json_object *args, json_object **ret, Error **errp)
{
    fake_chardev_disconnect(line);
    fake_chardev_connect(line);
    return true;
}

static const QapiType any_type = { .kind = QAPI_ANY, .name = "any", .json_name = "value" };

#define COMMAND(name_, fn, ...) { .name = name_, .run = fn, .targets = 1, __VA_ARGS__ }
static const QmpCommand commands[] = {
    COMMAND("disconnect", run_disconnect),
    COMMAND("echo", run_echo, .ret = &any_type, .flags = QMP_ALLOW_PRECONFIG),
    COMMAND("fail", run_fail),
    COMMAND("nop", run_nop),
    COMMAND("oob", run_nop, .flags = QMP_ALLOW_OOB),
    COMMAND("qmp_capabilities", run_negotiate, .flags = QMP_ALLOW_PRECONFIG),
    COMMAND("reenter", run_reenter),
    COMMAND("wait", run_wait),
    { NULL },
};

static uint32_t hash(const char *text)
{
    uint32_t value = 0x811c9dc5;

    for (; *text; text++) {
        value = (value ^ (unsigned char)*text) * 0x01000193;
    }
    return value;
}

static void register_commands(void)
{
    static uint16_t slots[64];
    static const QmpCommandTable table = { commands, ARRAY_SIZE(commands) - 1, slots, 64 };

    for (size_t i = 0; commands[i].name; i++) {
        size_t at = hash(commands[i].name) & 63;

        while (slots[at]) {
            at = (at + 1) & 63;
        }
        slots[at] = i + 1;
    }
    qapi_set_target("x86_64");
    qmp_commands_set(&table);
}

/* --- helpers --- */

static void expect_from(Chardev *chr, const char *expected)
{
    g_autofree char *output = fake_chardev_output(chr);

    g_assert_cmpstr(output, ==, expected);
}

static void expect(const char *expected)
{
    expect_from(line, expected);
}

static void ask(const char *request, const char *expected)
{
    fake_chardev_send(line, request);
    expect(expected);
}

static void expect_greeting(const char *capabilities)
{
    g_autofree char *expected = g_strdup_printf(GREETING, capabilities);

    expect(expected);
}

static bool has_output(void *opaque)
{
    return fake_chardev_has_output(line, opaque);
}

static void run_until_output(const char *text)
{
    event_loop_run_until(event_loop_main(), has_output, (void *)text);
}

static Chardev *start(const char *id, bool has_thread, MonitorMode mode)
{
    Chardev *chr = fake_chardev_new(id, has_thread);

    g_assert_true(monitor_new(id, mode, NULL));
    fake_chardev_connect(chr);
    return chr;
}

static void begin(bool has_thread)
{
    monitor_init();
    line = start("a", has_thread, MONITOR_QMP);
}

static void begin_negotiated(void)
{
    begin(false);
    expect_greeting("");
    ask(NEGOTIATE, OK);
}

static void end(void)
{
    monitor_cleanup();
    fake_chardev_free(line);
}

#define GENERIC(text) "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" text "\"}}\r\n"
#define NOT_FOUND(text) "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"" text "\"}}\r\n"

/* --- tests --- */

static void test_negotiation(void)
{
    begin(false);
    expect_greeting("");
    ask("{'execute': 'nop'}",
        NOT_FOUND("Expecting capabilities negotiation with 'qmp_capabilities'"));
    ask("{'execute': 'no such'}",
        NOT_FOUND("Expecting capabilities negotiation with 'qmp_capabilities'"));
    ask("{'execute': 'qmp_capabilities', 'arguments': {'enable': ['oob']}}",
        GENERIC("Capability 'oob' not available"));
    ask(NEGOTIATE, OK);
    ask(NEGOTIATE, NOT_FOUND("Capabilities negotiation is already complete, command ignored"));
    ask("{'execute': 'nop'}", OK);
    end();
}

static void test_errors(void)
{
    static const struct {
        const char *request, *reply;
    } rows[] = {
        { "[1]", GENERIC("QMP input must be a JSON object") },
        { "'text'", GENERIC("QMP input must be a JSON object") },
        { "{}", GENERIC("QMP input lacks member 'execute'") },
        { "{'x': 1, 'execute': 'nop'}", GENERIC("QMP input member 'x' is unexpected") },
        { "{'execute': 1}", GENERIC("QMP input member 'execute' must be a string") },
        { "{'execute': 'nop', 'arguments': []}",
          GENERIC("QMP input member 'arguments' must be an object") },
        { "{'exec-oob': 'oob'}", GENERIC("QMP input member 'exec-oob' is unexpected") },
        { "{'execute': 'nop', 'execute': 'nop'}", GENERIC("JSON parse error, duplicate key") },
        { "{'execute': 'zz'}", NOT_FOUND("The command zz has not been found") },
        { "{'execute': 'nop\\u0000'}",
          GENERIC("QMP input member 'execute' must be a string") },
        { "{'execute': 'fail'}",
          "{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"Device 'x' not found\"}}\r\n" },
        { "{'execute': 'nop'}", OK },
    };

    begin_negotiated();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ask(rows[i].request, rows[i].reply);
    }
    end();
}

static void test_ids(void)
{
    static const char *const ids[] = {
        "null", "1", "-9223372036854775808", "18446744073709551615", "\"x\"", "[]", "1.5", "true",
        "{\"a\": [1, {\"b\": null}], \"c\": \"\\u00E4\"}",
    };

    begin_negotiated();
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        g_autofree char *good = g_strdup_printf("{\"execute\": \"nop\", \"id\": %s}", ids[i]);
        g_autofree char *bad = g_strdup_printf("{\"execute\": 0, \"id\": %s}", ids[i]);
        g_autofree char *good_reply = g_strdup_printf("{\"return\": {}, \"id\": %s}\r\n", ids[i]);
        g_autofree char *bad_reply = g_strdup_printf(
            "{\"error\": {\"class\": \"GenericError\", \"desc\": \"QMP input member 'execute' must "
            "be a string\"}, \"id\": %s}\r\n", ids[i]);

        ask(good, good_reply);
        ask(bad, bad_reply);
    }
    end();
}

static void test_framing(void)
{
    static const char split[] = " {'execute'\n: 'echo', 'arguments': {'value': '}{'}}";

    begin_negotiated();
    for (const char *p = split; *p; p++) {
        char byte[2] = { *p };

        fake_chardev_send(line, byte);
    }
    expect("{\"return\": \"}{\"}\r\n");
    ask("{'execute': 'nop'}{'execute': 'echo'}\r\n{'execute': 'fail'}",
        OK "{\"return\": null}\r\n"
        "{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"Device 'x' not found\"}}\r\n");
    /* 0xff gets a client out of whatever it sent before. */
    ask("{'execute': [[ 'nop\xff", GENERIC("JSON parse error, invalid character"));
    ask("{'execute': 'nop'}", OK);
    end();
}

static void test_pretty(void)
{
    g_autofree char *greeting = NULL;

    monitor_init();
    line = start("a", false, MONITOR_QMP_PRETTY);
    greeting = fake_chardev_output(line);
    g_assert_true(g_str_has_prefix(greeting, "{\r\n    \"QMP\": {\r\n"));
    g_assert_true(g_str_has_suffix(greeting, "\r\n}\r\n"));
    ask(NEGOTIATE, "{\r\n    \"return\": {}\r\n}\r\n");
    ask("{'execute': 'echo', 'arguments': {'value': 'a\\nb'}, 'id': 1}",
        "{\r\n    \"return\": \"a\\nb\",\r\n    \"id\": 1\r\n}\r\n");
    end();
}

static void test_queue(void)
{
    g_autoptr(GString) replies = g_string_new("{\"return\": {}, \"id\": \"r\"}\r\n");

    begin_negotiated();
    fake_chardev_send(line, "{'execute': 'reenter', 'id': 'r'}");
    /* Of twenty requests eight were taken, one byte sequence at a time. */
    g_assert_cmpint(reentered, >, 0);
    for (int i = 0; i < 20; i++) {
        g_string_append_printf(replies, "{\"return\": null, \"id\": %d}\r\n", i);
    }
    run_until_output("\"id\": 19");
    expect(replies->str);
    end();
}

static void test_reconnect(void)
{
    int fds[2];

    begin_negotiated();
    /* While a command runs the client goes and another comes: it sees nothing of this. */
    ask("{'execute': 'nop'}{'execute': 'disconnect'}{'execute': 'nop'}",
        OK "{\"QMP\": {\"version\": {\"qemu\": {\"major\": 9, \"minor\": 0, \"micro\": 0}, "
        "\"package\": \"" QMP_PACKAGE "\"}, \"capabilities\": []}}\r\n");
    ask("{'execute': 'nop'}",
        NOT_FOUND("Expecting capabilities negotiation with 'qmp_capabilities'"));
    ask(NEGOTIATE, OK);
    /* A descriptor nobody took goes with its client. */
    g_assert_cmpint(pipe(fds), ==, 0);
    fake_chardev_attach_fd(line, fds[0]);
    ask("{'execute': 'nop'} {'execute': ", OK);
    g_assert_cmpint(fcntl(fds[0], F_GETFD), !=, -1);
    fake_chardev_disconnect(line);
    g_assert_cmpint(fcntl(fds[0], F_GETFD), ==, -1);
    fake_chardev_connect(line);
    expect_greeting("");
    ask(NEGOTIATE, OK);
    close(fds[1]);
    end();
}

static void negotiate_oob(void)
{
    begin(true);
    expect_greeting("\"oob\"");
    /* What is in flight behind it waits for the thread. */
    fake_chardev_send(line, "{'execute': 'qmp_capabilities', 'arguments': {'enable': ['oob']}}"
                      "{'execute': 'nop', 'id': 'first'}");
    run_until_output("\"id\": \"first\"");
    g_assert_true(fake_chardev_is_threaded(line));
    expect(OK "{\"return\": {}, \"id\": \"first\"}\r\n");
}

static void test_oob(void)
{
    negotiate_oob();
    fake_chardev_send(line, "{'execute': 'wait', 'id': 1}{'execute': 'nop', 'id': 2}"
                      "{'exec-oob': 'oob', 'id': 'oob'}");
    run_until_output("\"id\": 2");
    expect("{\"return\": {}, \"id\": \"oob\"}\r\n{\"return\": {}, \"id\": 1}\r\n"
           "{\"return\": {}, \"id\": 2}\r\n");
    ask("{'exec-oob': 'nop'}", GENERIC("The command nop does not support OOB"));
    ask("{'exec-oob': 'zz'}", NOT_FOUND("The command zz has not been found"));
    fake_chardev_send(line, "{'exec-oob': 'oob', 'execute': 'nop'}");
    run_until_output("}}\r\n");
    expect(GENERIC("QMP input member 'execute' clashes with 'exec-oob'"));
    end();
}

/* The thread stops reading at eight requests and goes on by itself. */
static void test_oob_queue(void)
{
    g_autoptr(GString) requests = g_string_new(NULL), replies = g_string_new(NULL);

    negotiate_oob();
    for (int i = 0; i < 1000; i++) {
        g_string_append_printf(requests, "{'execute': 'nop', 'id': %d}", i);
        g_string_append_printf(replies, "{\"return\": {}, \"id\": %d}\r\n", i);
    }
    fake_chardev_send(line, requests->str);
    g_assert_cmpint(fake_chardev_waiting(line), >, requests->len - 8 * KiB);
    run_until_output("\"id\": 999");
    expect(replies->str);
    fake_chardev_send(line, "{'execute': 'nop', 'id': 'lost'}");
    fake_chardev_disconnect(line);
    fake_chardev_connect(line);
    expect_greeting("\"oob\"");
    end();
}

static const QapiEvent plain_event = { .name = "STOP", .targets = 1 };

static void send_event(const QapiEvent *event)
{
    qapi_event_emit(event, NULL);
}

static void test_events(void)
{
    g_autofree char *first = NULL, *second = NULL;
    Chardev *other;

    begin_negotiated();
    other = start("b", false, MONITOR_QMP);
    g_free(fake_chardev_output(other));
    send_event(&plain_event);
    expect_from(other, "");
    first = fake_chardev_output(line);
    g_assert_true(g_str_has_prefix(first, "{\"timestamp\": {\"seconds\": "));
    g_assert_true(g_str_has_suffix(first, "}, \"event\": \"STOP\"}\r\n"));
    fake_chardev_send(other, NEGOTIATE);
    expect_from(other, OK);
    send_event(&plain_event);
    first = (g_free(first), fake_chardev_output(line));
    second = fake_chardev_output(other);
    g_assert_cmpstr(first, ==, second);
    g_assert_cmpint(strlen(first), >, 0);
    end();
    fake_chardev_free(other);
}

static void test_slow_reader(void)
{
    Chardev *other;

    begin_negotiated();
    other = start("b", false, MONITOR_QMP);
    g_free(fake_chardev_output(other));
    fake_chardev_set_room(line, 10);
    /* Replies are kept; when they are many, no more is read; nobody else waits. */
    for (int i = 0; i < 100; i++) {
        g_autofree char *value = g_strnfill(10000, 'x');
        g_autofree char *text =
            g_strdup_printf("{'execute': 'echo', 'arguments': {'value': '%s'}}", value);

        fake_chardev_send(line, text);
    }
    g_assert_cmpint(fake_chardev_waiting(line), >, 500000);
    fake_chardev_send(other, NEGOTIATE);
    expect_from(other, OK);
    fake_chardev_send(line, "{'execute': 'nop', 'id': 'last'}");
    fake_chardev_set_room(line, SIZE_MAX);
    run_until_output("\"id\": \"last\"");
    g_assert_cmpint(fake_chardev_waiting(line), ==, 0);
    g_assert_false(fake_chardev_was_dropped(line));
    end();
    fake_chardev_free(other);
}

static const QapiMember limited_members[] = {
    { .name = "id", .offset = 0, .type = &(const QapiType){ .kind = QAPI_STR, .slot_size = 8,
                                                            .name = "str" } },
};
static const QapiType limited_type = {
    .kind = QAPI_STRUCT, .name = "limited", .slot_size = sizeof(void *),
    .struct_size = sizeof(char *), .members = limited_members, .member_count = 1,
};
static const QapiEvent limited_event = {
    .name = "VSERPORT_CHANGE", .data = &limited_type, .targets = 1,
};

static void send_limited(const char *id)
{
    qapi_event_emit(&limited_event, &id);
}

static void expect_events(const char *const *times_and_ids)
{
    g_autofree char *output = fake_chardev_output(line);
    g_autoptr(GString) expected = g_string_new(NULL);

    for (const char *const *p = times_and_ids; *p; p += 2) {
        g_string_append_printf(expected, "{\"timestamp\": {\"seconds\": 0, \"microseconds\": %s}, "
                               "\"event\": \"VSERPORT_CHANGE\", \"data\": {\"id\": \"%s\"}}\r\n",
                               p[0], p[1]);
    }
    g_assert_cmpstr(output, ==, expected->str);
}
#define EXPECT_EVENTS(...) expect_events((const char *const[]){ __VA_ARGS__, NULL })

/* The first of each subject at once, the last at the end of the second. */
static void test_rate_limit(void)
{
    begin_negotiated();
    clock_qtest_enable();
    clock_start_virtual();
    for (int i = 0; i < 10; i++) {
        send_limited("a");
        send_limited("b");
        clock_qtest_step(10 * NS_PER_MS);
    }
    EXPECT_EVENTS("0", "a", "0", "b");
    clock_qtest_step(890 * NS_PER_MS);
    expect("");
    clock_qtest_step(10 * NS_PER_MS);
    EXPECT_EVENTS("90000", "a", "90000", "b");
    /* That began another second, in which nothing came. */
    clock_qtest_step(NS_PER_SEC);
    expect("");
    send_limited("a");
    g_assert_true(fake_chardev_has_output(line, "\"seconds\": 2"));
    end();
}

static bool was_dropped(void *opaque)
{
    return fake_chardev_was_dropped(opaque);
}

static void test_never_reads(void)
{
    begin_negotiated();
    fake_chardev_set_room(line, 0);
    for (int i = 0; i < 500000; i++) {
        send_event(&plain_event);
    }
    event_loop_run_until(event_loop_main(), was_dropped, line);
    fake_chardev_set_room(line, SIZE_MAX);
    fake_chardev_connect(line);
    expect_greeting("");
    end();
}

static void test_preconfig(void)
{
    begin_negotiated();
    monitor_set_preconfig(true);
    ask("{'execute': 'nop'}", GENERIC("The command 'nop' is permitted only after machine "
                                      "initialization has completed"));
    ask("{'execute': 'echo'}", "{\"return\": null}\r\n");
    monitor_set_preconfig(false);
    ask("{'execute': 'nop'}", OK);
    end();
}

static void test_refused(void)
{
    g_autoptr(Error) err = NULL, in_use = NULL;

    begin_negotiated();
    g_assert_false(monitor_new("zz", MONITOR_QMP, &err));
    g_assert_cmpstr(error_text(err), ==, "Chardev 'zz' not found");
    g_assert_false(monitor_new("a", MONITOR_TEXT, &in_use));
    g_assert_cmpstr(error_text(in_use), ==, "Device 'a' is in use");
    end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    error_set_program("test");
    machine_lock_init_main();
    register_commands();
    g_test_add_func("/qmp/negotiation", test_negotiation);
    g_test_add_func("/qmp/errors", test_errors);
    g_test_add_func("/qmp/ids", test_ids);
    g_test_add_func("/qmp/framing", test_framing);
    g_test_add_func("/qmp/pretty", test_pretty);
    g_test_add_func("/qmp/queue", test_queue);
    g_test_add_func("/qmp/reconnect", test_reconnect);
    g_test_add_func("/qmp/oob", test_oob);
    g_test_add_func("/qmp/oob-queue", test_oob_queue);
    g_test_add_func("/qmp/events", test_events);
    g_test_add_func("/qmp/slow-reader", test_slow_reader);
    g_test_add_func("/qmp/never-reads", test_never_reads);
    g_test_add_func("/qmp/preconfig", test_preconfig);
    g_test_add_func("/qmp/refused", test_refused);
    g_test_add_func("/qmp/rate-limit", test_rate_limit); /* last: time stands from then on */
    return g_test_run();
}
