/*
 * QAPI values, commands, events and introspection on tests/qapi/sample.json.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/command.h"
#include "qapi/qapi-commands-introspect.h"
#include "qapi/qapi-commands-sample.h"
#include "qapi/qapi-events-sample.h"

static json_object *parse(const char *text)
{
    json_object *value = NULL;
    g_autofree char *why = NULL;

    if (!json_parse(text, strlen(text), &value, &why)) {
        g_error("%s: %s", text, why);
    }
    return value;
}

/* Reads `in`, writes, copies, and compares both with `out`. */
static void expect(const QapiType *type, QapiForm form, const char *in, const char *out)
{
    g_autoptr(JsonObject) json = parse(in);
    Error *err = NULL;
    void *value = qapi_from_json(type, json, form, &err);
    void *copy;

    if (!value) {
        g_error("%s: %s", in, error_text(err));
    }
    copy = qapi_clone(type, value);
    for (int i = 0; i < 2; i++) {
        g_autoptr(JsonObject) back = qapi_to_json(type, i ? copy : value);
        g_autofree char *text = json_to_string(back);

        g_assert_cmpstr(text, ==, out);
    }
    qapi_free(type, value);
    qapi_free(type, copy);
}

static void refuse(const QapiType *type, QapiForm form, const char *in, const char *message)
{
    g_autoptr(JsonObject) json = parse(in);
    g_autoptr(Error) err = NULL;
    void *value = qapi_from_json(type, json, form, &err);

    if (value) {
        g_error("%s is accepted, not refused with: %s", in, message);
    }
    g_assert_cmpstr(error_text(err), ==, message);
    g_assert_cmpint(error_class(err), ==, ERROR_GENERIC);
    g_assert_null(qapi_from_json(type, json, form, NULL));
}

static void test_numbers(void)
{
    static const char *const good[] = {
        "{}",
        "{\"i8\": -128, \"i16\": -32768, \"i32\": -2147483648, \"i64\": -9223372036854775808}",
        "{\"i8\": 127, \"i16\": 32767, \"i32\": 2147483647, \"i64\": 9223372036854775807}",
        "{\"u8\": 255, \"u16\": 65535, \"u32\": 4294967295, \"u64\": 18446744073709551615}",
        "{\"u8\": 0, \"bytes\": 18446744073709551615, \"real\": 0.5}",
    };
    static const char *const bad[][2] = {
        { "{'i8': 128}", "Parameter 'i8' expects int8_t" },
        { "{'i16': -32769}", "Parameter 'i16' expects int16_t" },
        { "{'i32': 2147483648}", "Parameter 'i32' expects int32_t" },
        { "{'i64': 9223372036854775808}", "Invalid parameter type for 'i64', expected: integer" },
        { "{'i64': '1'}", "Invalid parameter type for 'i64', expected: integer" },
        { "{'i64': 1.0}", "Invalid parameter type for 'i64', expected: integer" },
        { "{'i64': true}", "Invalid parameter type for 'i64', expected: integer" },
        { "{'i64': null}", "Invalid parameter type for 'i64', expected: integer" },
        { "{'u8': 256}", "Parameter 'u8' expects uint8_t" },
        { "{'u8': -1}", "Parameter 'u8' expects uint8_t" },
        { "{'u16': 65536}", "Parameter 'u16' expects uint16_t" },
        { "{'u32': 4294967296}", "Parameter 'u32' expects uint32_t" },
        { "{'u64': -1}", "Parameter 'u64' expects uint64" },
        { "{'u64': 1.5}", "Parameter 'u64' expects uint64" },
        { "{'bytes': '1'}", "Parameter 'bytes' expects uint64" },
        { "{'real': 'x'}", "Invalid parameter type for 'real', expected: number" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        expect(&qapi_type_numbers, QAPI_TYPED, good[i], good[i]);
    }
    expect(&qapi_type_numbers, QAPI_TYPED, "{'real': 2}", "{\"real\": 2}");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        refuse(&qapi_type_numbers, QAPI_TYPED, bad[i][0], bad[i][1]);
    }
}

static void test_structs(void)
{
    static const char *const good[] = {
        "{\"id\": \"a\"}",
        "{\"id\": \"\", \"next\": {\"id\": \"b\", \"next\": {\"id\": \"c\"}}, \"flag\": false}",
        "{\"id\": \"a\", \"shade\": \"very-dark\", \"value\": [1, {\"x\": null}]}",
        "{\"id\": \"a\", \"numbers\": {}, \"lists\": {\"ints\": []}}",
    };
    static const char *const bad[][2] = {
        { "{}", "Parameter 'id' is missing" },
        { "[]", "Invalid parameter type for 'input', expected: object" },
        { "{'id': 1}", "Invalid parameter type for 'id', expected: string" },
        { "{'id': 'a\\u0000b'}", "Parameter 'id' expects a string without NUL characters" },
        { "{'id': 'a', 'x': 1, 'y': 2}", "Parameter 'x' is unexpected" },
        { "{'id': 'a', 'flag': 'on'}", "Invalid parameter type for 'flag', expected: boolean" },
        { "{'id': 'a', 'next': null}", "Invalid parameter type for 'next', expected: object" },
        { "{'id': 'a', 'next': {}}", "Parameter 'next.id' is missing" },
        { "{'id': 'a', 'next': {'id': 'b', 'next': {'id': 'c', 'q': {}}}}",
          "Parameter 'next.next.q' is unexpected" },
        { "{'id': 'a', 'shade': 'pink'}", "Parameter 'shade' does not accept value 'pink'" },
        { "{'id': 'a', 'shade': 'absent'}", "Parameter 'shade' does not accept value 'absent'" },
        { "{'id': 'a', 'shade': 3}", "Invalid parameter type for 'shade', expected: string" },
        { "{'id': 'a', 'next': {'id': 'b', 'shade': 'x'}}",
          "Parameter 'shade' does not accept value 'x'" },
        { "{'id': 'a', 'numbers': {'u8': 'x'}}", "Parameter 'u8' expects uint64" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        expect(&qapi_type_big_node, QAPI_TYPED, good[i], good[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        refuse(&qapi_type_big_node, QAPI_TYPED, bad[i][0], bad[i][1]);
    }
    expect(&qapi_type_nothing, QAPI_TYPED, "{}", "{}");
    refuse(&qapi_type_nothing, QAPI_TYPED, "{'a': 1}", "Parameter 'a' is unexpected");
}

static void test_lists(void)
{
    static const char *const good[] = {
        ("{\"ints\": [1, -1], \"bytes\": [0, 255], \"texts\": [\"a\", \"\"], \"flags\": [true, "
         "false]}"),
        "{\"shades\": [\"default\", \"light\"], \"values\": [null, 1, {\"a\": []}]}",
        "{\"nodes\": [{\"id\": \"a\"}, {\"id\": \"b\"}], \"choices\": [\"x\", 3, null]}",
        "{\"texts\": [], \"nodes\": []}",
    };
    static const char *const bad[][2] = {
        { "{'ints': 1}", "Invalid parameter type for 'ints', expected: array" },
        { "{'ints': '1'}", "Invalid parameter type for 'ints', expected: array" },
        { "{'ints': {}}", "Invalid parameter type for 'ints', expected: array" },
        { "{'ints': [1, null]}", "Invalid parameter type for 'ints[1]', expected: integer" },
        { "{'bytes': [1, 256]}", "Parameter 'bytes[1]' expects uint8_t" },
        { "{'nodes': [{'id': 'a'}, {}]}", "Parameter 'nodes[1].id' is missing" },
        { "{'nodes': [3]}", "Invalid parameter type for 'nodes[0]', expected: object" },
        { "{'nodes': [{'id': 'a', 'x': 1}]}", "Parameter 'nodes[0].x' is unexpected" },
        { "{'shades': ['x']}", "Parameter 'shades[0]' does not accept value 'x'" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        expect(&qapi_type_lists, QAPI_TYPED, good[i], good[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        refuse(&qapi_type_lists, QAPI_TYPED, bad[i][0], bad[i][1]);
    }
    expect(&qapi_type_node_array, QAPI_TYPED, "[{'id': 'a'}]", "[{\"id\": \"a\"}]");
    refuse(&qapi_type_node_array, QAPI_TYPED, "[{}]", "Parameter '[0].id' is missing");
}

static void test_unions(void)
{
    static const char *const good[] = {
        "{\"outer\": \"very-dark\"}",
        "{\"outer\": \"light\", \"name\": \"n\", \"kind\": \"default\"}",
        "{\"outer\": \"light\", \"kind\": \"light\", \"u8\": 3}",
        "{\"outer\": \"light\", \"kind\": \"very-dark\", \"id\": \"a\", \"next\": {\"id\": \"b\"}}",
    };
    static const char *const bad[][2] = {
        { "{}", "Parameter 'outer' is missing" },
        { "{'outer': 'light'}", "Parameter 'kind' is missing" },
        { "{'outer': 'absent'}", "Parameter 'outer' does not accept value 'absent'" },
        { "{'outer': 'very-dark', 'u8': 3}", "Parameter 'u8' is unexpected" },
        { "{'outer': 'light', 'kind': 'very-dark', 'id': 'a', 'u8': 3}",
          "Parameter 'u8' is unexpected" },
        { "{'outer': 'light', 'kind': 'very-dark', 'id': 'a', 'next': {}}",
          "Parameter 'next.id' is missing" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        expect(&qapi_type_thing, QAPI_TYPED, good[i], good[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        refuse(&qapi_type_thing, QAPI_TYPED, bad[i][0], bad[i][1]);
    }
}

static void test_alternates(void)
{
    static const char *const good[] = { "\"a\"", "7", "true", "{\"id\": \"a\"}", "[1, 2]", "[]" };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        expect(&qapi_type_choice, QAPI_TYPED, good[i], good[i]);
    }
    expect(&qapi_type_lists, QAPI_TYPED, "{\"choices\": [null]}", "{\"choices\": [null]}");
    refuse(&qapi_type_choice, QAPI_TYPED, "1.5",
           "Invalid parameter type for 'input', expected: Choice");
    refuse(&qapi_type_choice, QAPI_TYPED, "{}", "Parameter 'id' is missing");
    refuse(&qapi_type_choice, QAPI_TYPED, "['a']",
           "Invalid parameter type for '[0]', expected: integer");
    expect(&qapi_type_real, QAPI_TYPED, "7", "7");
    expect(&qapi_type_real, QAPI_TYPED, "7.5", "7.5");
    expect(&qapi_type_real, QAPI_TYPED, "\"light\"", "\"light\"");
    refuse(&qapi_type_pair, QAPI_TYPED, "{'amount': '7'}",
           "Invalid parameter type for 'amount', expected: Amount");
    refuse(&qapi_type_pair, QAPI_TYPED, "{'amount': -1}", "Parameter 'amount' expects uint32_t");
}

static void test_text_numbers(void)
{
    static const char *const good[][2] = {
        { "{'i8': '-128', 'i64': '0x10', 'u8': '255'}",
          "{\"i8\": -128, \"i64\": 16, \"u8\": 255}" },
        { "{'u64': '18446744073709551615', 'real': '-1.5e1'}",
          "{\"u64\": 18446744073709551615, \"real\": -15}" },
        { "{'bytes': '4096'}", "{\"bytes\": 4096}" },
        { "{'bytes': '4k'}", "{\"bytes\": 4096}" },
        { "{'bytes': '1.5G'}", "{\"bytes\": 1610612736}" },
        { "{'bytes': '3E'}", "{\"bytes\": 3458764513820540928}" },
        { "{'bytes': '12B'}", "{\"bytes\": 12}" },
        { "{'bytes': '0x1000'}", "{\"bytes\": 4096}" },
        { "{'bytes': 7, 'i8': 3}", "{\"i8\": 3, \"bytes\": 7}" },
    };
    static const char *const bad_sizes[] = { "",
                                             "k",
                                             "-1",
                                             " 1",
                                             "1x",
                                             "1.5",
                                             "1.5x",
                                             "16E",
                                             "0x1k",
                                             "1..5k",
                                             "1.k5",
                                             "1e3",
                                             "99999999999999999999" };
    static const char *const bad_ints[] = { "",    "x",  "1k",  " 1",
                                            "--1", "1 ", "1.5", "9223372036854775808" };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        expect(&qapi_type_numbers, QAPI_TEXT, good[i][0], good[i][1]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad_sizes); i++) {
        g_autofree char *in = g_strdup_printf("{'bytes': '%s'}", bad_sizes[i]);

        refuse(&qapi_type_numbers, QAPI_TEXT, in, "Parameter 'bytes' expects a size value");
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad_ints); i++) {
        g_autofree char *in = g_strdup_printf("{'i64': '%s'}", bad_ints[i]);

        refuse(&qapi_type_numbers, QAPI_TEXT, in, "Parameter 'i64' expects integer");
    }
    refuse(&qapi_type_numbers, QAPI_TEXT, "{'u64': '-1'}", "Parameter 'u64' expects integer");
    refuse(&qapi_type_numbers, QAPI_TEXT, "{'u8': '256'}", "Parameter 'u8' expects uint8_t");
    refuse(&qapi_type_numbers, QAPI_TEXT, "{'real': '1e999'}", "Parameter 'real' expects a number");
}

static void test_text(void)
{
    static const char *const yes[] = { "on", "yes", "true", "y" };
    static const char *const bad[][2] = {
        { "{'node': {'id': 'a', 'flag': 'maybe'}}", "Parameter 'flag' expects 'on' or 'off'" },
        { "{'node': 'a'}", "Invalid parameter type for 'node', expected: object" },
        { "{'node': {'id': {'x': '1'}}}", "Parameters 'node.id.*' are unexpected" },
        { "{'node': {'id': 'a', 'b': {'c': '1'}}}", "Parameters 'node.b.*' are unexpected" },
        { "{'node': {'id': 'a', 'b': '1'}}", "Parameter 'node.b' is unexpected" },
        { "{'bits': ['1', 'x']}", "Parameter 'bits.1' expects integer" },
        { "{'bits': '1-x'}", "Parameter 'bits' expects a uint64 value or range" },
        { "{'bits': '3-1'}", "Parameter 'bits' expects a uint64 value or range" },
        { "{'bits': '1,'}", "Parameter 'bits' expects a uint64 value or range" },
        { "{'bits': '0-99999999'}", "Parameter 'bits' expects a uint64 value or range" },
        { "{'bits': '-9223372036854775808-9223372036854775807'}",
          "Parameter 'bits' expects a uint64 value or range" },
        { "{'bits': '65536'}", "Parameter 'bits.0' expects uint16_t" },
        { "{'amount': 'many'}", "Invalid parameter type for 'amount', expected: Amount" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        g_autofree char *in = g_strdup_printf("{'id': 'a', 'flag': '%s'}", yes[i]);

        expect(&qapi_type_node, QAPI_TEXT, in, "{\"id\": \"a\", \"flag\": true}");
    }
    expect(&qapi_type_node, QAPI_TEXT, "{'id': 'on', 'flag': 'n'}",
           "{\"id\": \"on\", \"flag\": false}");
    expect(&qapi_type_pair, QAPI_TEXT, "{'bits': '0-2,7'}", "{\"bits\": [0, 1, 2, 7]}");
    expect(&qapi_type_pair, QAPI_TEXT, "{'bits': ['3', '4']}", "{\"bits\": [3, 4]}");
    expect(&qapi_type_pair, QAPI_TEXT, "{'amount': '12'}", "{\"amount\": 12}");
    expect(&qapi_type_pair, QAPI_TEXT, "{'amount': 'on'}", "{\"amount\": true}");
    expect(&qapi_type_choice, QAPI_TEXT, "'12'", "\"12\"");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        refuse(&qapi_type_pair, QAPI_TEXT, bad[i][0], bad[i][1]);
    }
}

static json_object *nest(unsigned depth)
{
    json_object *node = NULL;

    for (unsigned i = 0; i < depth; i++) {
        json_object *outer = json_object_new_object();

        json_set(outer, "id", json_string("x"));
        if (node) {
            json_set(outer, "next", node);
        }
        node = outer;
    }
    return node;
}

static void test_depth(void)
{
    g_autoptr(JsonObject) deep = nest(QAPI_MAX_DEPTH + 1);
    g_autoptr(JsonObject) deeper = nest(QAPI_MAX_DEPTH + 2);
    g_autoptr(Node) node = node_from_json(deep, QAPI_TYPED, NULL);
    g_autoptr(Error) err = NULL;

    g_assert_nonnull(node);
    g_assert_null(node_from_json(deeper, QAPI_TYPED, &err));
    g_assert_cmpstr(error_text(err), ==, "Parameters are nested too deep");
}

/* Handlers of the sample's commands */

char *qmp_sample_sum(int64_t a, bool has_b, int64_t b, const char *text, Error **errp)
{
    if (a < 0) {
        error_set(errp, "negative");
        return NULL;
    }
    return g_strdup_printf("%s%" PRId64, text ? text : "", a + (has_b ? b : 100));
}

Thing *qmp_sample_echo(const Thing *args, Error **errp)
{
    return thing_clone(args);
}

NodeArray *qmp_sample_list(Error **errp)
{
    NodeArray *result = g_new0(NodeArray, 1);

    for (int i = 0; i < 3; i++) {
        Node *node = g_new0(Node, 1);

        node->id = g_strdup_printf("%d", i);
        node_array_add(result, node);
    }
    return result;
}

json_object *qmp_sample_any(json_object *value, bool has_fail, bool fail, Error **errp)
{
    if (has_fail && fail) {
        error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "as asked");
        return NULL;
    }
    return json_ref(value);
}

bool qmp_sample_raw(json_object *args, Error **errp)
{
    return args != NULL;
}

static void run(const char *name, const char *args, const char *reply)
{
    const QmpCommand *command = qmp_command_find(name);
    g_autoptr(JsonObject) in = args ? parse(args) : NULL;
    g_autoptr(JsonObject) out = NULL;
    g_autoptr(Error) err = NULL;

    if (qmp_command_run(command, in, &out, &err)) {
        g_autofree char *text = json_to_string(out);

        g_assert_null(err);
        g_assert_cmpstr(text, ==, reply);
    } else {
        g_assert_cmpstr(error_text(err), ==, reply);
    }
    json_unref(out);
    out = NULL;
    qmp_command_run(command, in, &out, NULL);
}

static void test_commands(void)
{
    run("sample-sum", "{'a': 1}", "\"101\"");
    run("sample-sum", "{'a': 1, 'b': 2, 'text': 'is '}", "\"is 3\"");
    run("sample-sum", "{'a': -1}", "negative");
    run("sample-sum", NULL, "Parameter 'a' is missing");
    run("sample-sum", "{'a': 1, 'c': 1}", "Parameter 'c' is unexpected");
    run("sample-echo", "{'outer': 'light', 'kind': 'light'}",
        "{\"outer\": \"light\", \"kind\": \"light\"}");
    run("sample-any", "{'value': null}", "null");
    run("sample-any", "{'value': [1]}", "[1]");
    run("sample-any", "{'value': 1, 'fail': true}", "as asked");
    run("sample-raw", "{'whatever': 1}", "{}");
    run("sample-raw", "[]", "Invalid parameter type for 'arguments', expected: object");
    qapi_set_target("ppc64");
    run("sample-list", NULL, "[{\"id\": \"0\"}, {\"id\": \"1\"}, {\"id\": \"2\"}]");
    run("sample-list", "{'x': 1}", "Parameter 'x' is unexpected");
    qapi_set_target("x86_64");
}

static void test_lookup(void)
{
    const char *const names[] = { "sample-any", "sample-echo", "sample-raw", "sample-sum" };
    const QmpCommand *command = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        command = qmp_command_next(command);
        g_assert_cmpstr(command->name, ==, names[i]);
        g_assert_true(qmp_command_find(names[i]) == command);
    }
    g_assert_null(qmp_command_next(command));
    g_assert_null(qmp_command_find("sample-list"));
    g_assert_null(qmp_command_find("sample-missing"));
    g_assert_null(qmp_command_find(""));
    g_assert_cmpuint(qmp_command_find("sample-sum")->flags, ==, QMP_ALLOW_PRECONFIG);
    g_assert_cmpuint(qmp_command_find("sample-echo")->flags, ==, QMP_ALLOW_OOB);
}

static void note_event(void *opaque, const QapiEvent *event, json_object *data)
{
    g_autofree char *text = json_to_string(data);

    g_string_append_printf(opaque, "%s %s;", event->name, text);
}

static void test_events(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    Node node = { .id = (char *)"n" };

    qapi_event_send_sample_plain();
    qapi_event_set_sink(note_event, log);
    qapi_event_send_sample_plain();
    qapi_event_send_sample_full("a", false, 0, true, SHADE_DEFAULT, NULL);
    qapi_event_send_sample_full("b", true, 0, false, 0, &node);
    qapi_event_send_sample_boxed(&node);
    qapi_event_set_sink(NULL, NULL);
    g_assert_cmpstr(log->str, ==,
                    "SAMPLE_PLAIN null;SAMPLE_FULL {\"id\": \"a\", \"shade\": \"default\"};"
                    "SAMPLE_FULL {\"id\": \"b\", \"count\": 0, \"node\": {\"id\": \"n\"}};"
                    "SAMPLE_BOXED {\"id\": \"n\"};");
}

/* The entity of that name as text, or NULL. */
static char *entity(json_object *schema, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(schema); i++) {
        json_object *item = json_object_array_get_idx(schema, i);

        if (!strcmp(json_object_get_string(json_member(item, "name")), name)) {
            return json_to_string(item);
        }
    }
    return NULL;
}

static void test_introspection(void)
{
    static const char *const entities[][2] = {
        { "sample-sum", "{\"name\": \"sample-sum\", \"meta-type\": \"command\", \"arg-type\": "
                        "\"QmpSampleSumArgs\", \"ret-type\": \"str\", \"features\": "
                        "[\"unstable\"]}" },
        { "QmpSampleSumArgs",
          "{\"name\": \"QmpSampleSumArgs\", \"meta-type\": \"object\", \"members\": [{\"name\": "
          "\"a\", \"type\": \"int\"}, {\"name\": \"b\", \"type\": \"int\", \"default\": null}, "
          "{\"name\": \"text\", \"type\": \"str\", \"default\": null}]}" },
        { "sample-echo", "{\"name\": \"sample-echo\", \"meta-type\": \"command\", \"arg-type\": "
                         "\"Thing\", \"ret-type\": \"Thing\", \"allow-oob\": true}" },
        { "Thing", "{\"name\": \"Thing\", \"meta-type\": \"object\", \"members\": [{\"name\": "
                   "\"outer\", \"type\": \"Shade\"}, {\"name\": \"name\", \"type\": \"str\", "
                   "\"default\": null}], \"tag\": \"outer\", \"variants\": [{\"case\": \"light\", "
                   "\"type\": \"Inner\"}, {\"case\": \"very-dark\", \"type\": \"q_empty\"}, "
                   "{\"case\": \"default\", \"type\": \"q_empty\"}]}" },
        { "Shade", "{\"name\": \"Shade\", \"meta-type\": \"enum\", \"members\": [{\"name\": "
                   "\"light\"}, {\"name\": \"very-dark\", \"features\": [\"unstable\"]}, "
                   "{\"name\": \"default\"}], \"values\": [\"light\", \"very-dark\", "
                   "\"default\"]}" },
        { "Choice", "{\"name\": \"Choice\", \"meta-type\": \"alternate\", \"members\": [{\"type\": "
                    "\"null\"}, {\"type\": \"bool\"}, {\"type\": \"int\"}, {\"type\": \"Node\"}, "
                    "{\"type\": \"[int]\"}, {\"type\": \"str\"}]}" },
        { "[int]", "{\"name\": \"[int]\", \"meta-type\": \"array\", \"element-type\": \"int\"}" },
        { "int", "{\"name\": \"int\", \"meta-type\": \"builtin\", \"json-type\": \"int\"}" },
        { "any", "{\"name\": \"any\", \"meta-type\": \"builtin\", \"json-type\": \"value\"}" },
        { "q_empty", "{\"name\": \"q_empty\", \"meta-type\": \"object\", \"members\": []}" },
        { "SAMPLE_PLAIN", "{\"name\": \"SAMPLE_PLAIN\", \"meta-type\": \"event\", \"arg-type\": "
                          "\"q_empty\"}" },
        { "sample-list", NULL }, /* not on this target */
        { "sample-missing", NULL },
        { "SAMPLE_FULL", NULL }, /* not implemented */
        { "Pair", NULL },        /* not reached */
        { "Nothing", NULL },     /* behind a value that is absent */
    };
    g_autoptr(JsonObject) schema = NULL;
    g_autoptr(JsonObject) again = NULL;

    g_assert_true(qmp_query_qmp_schema(&schema, NULL));
    g_assert_true(qmp_query_qmp_schema(&again, NULL));
    g_assert_true(schema == again);
    for (size_t i = 0; i < ARRAY_SIZE(entities); i++) {
        g_autofree char *text = entity(schema, entities[i][0]);

        g_assert_cmpstr(text, ==, entities[i][1]);
    }
}

/* Every type that is referred to is there, once. */
static void test_references(void)
{
    g_autoptr(JsonObject) schema = NULL;
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GRegex) reference =
        g_regex_new("\"(?:arg-type|ret-type|type|element-type)\": \"([^\"]*)\"", 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    g_autofree char *text = NULL;
    unsigned count = 0;

    g_assert_true(qmp_query_qmp_schema(&schema, NULL));
    for (size_t i = 0; i < json_object_array_length(schema); i++) {
        json_object *name = json_member(json_object_array_get_idx(schema, i), "name");

        g_assert_true(g_hash_table_add(names, (char *)json_object_get_string(name)));
    }
    text = json_to_string(schema);
    for (g_regex_match(reference, text, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL)) {
        g_autofree char *name = g_match_info_fetch(match, 1);

        g_assert_true(g_hash_table_contains(names, name));
        count++;
    }
    g_assert_cmpuint(count, >, 30);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qapi_set_target("x86_64");
    g_test_add_func("/qapi/numbers", test_numbers);
    g_test_add_func("/qapi/structs", test_structs);
    g_test_add_func("/qapi/lists", test_lists);
    g_test_add_func("/qapi/unions", test_unions);
    g_test_add_func("/qapi/alternates", test_alternates);
    g_test_add_func("/qapi/text-numbers", test_text_numbers);
    g_test_add_func("/qapi/text", test_text);
    g_test_add_func("/qapi/depth", test_depth);
    g_test_add_func("/qapi/commands", test_commands);
    g_test_add_func("/qapi/lookup", test_lookup);
    g_test_add_func("/qapi/events", test_events);
    g_test_add_func("/qapi/introspection", test_introspection);
    g_test_add_func("/qapi/references", test_references);
    return g_test_run();
}
