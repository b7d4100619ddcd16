/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/json.h"

static void record(void *opaque, json_object *value, const char *why)
{
    g_autofree char *text = why ? g_strdup("!") : json_to_string(value);

    g_string_append_printf(opaque, "%s;", text);
}

/* The same result whole and byte by byte. */
static void expect(const char *input, const char *output)
{
    for (int step = 0; step < 2; step++) {
        g_autoptr(GString) out = g_string_new(NULL);
        JsonStream s;
        size_t size = strlen(input);

        json_stream_init(&s, record, out);
        for (size_t i = 0; i < size; i += step ? 1 : size) {
            json_stream_feed(&s, input + i, step ? 1 : size);
        }
        json_stream_finish(&s);
        json_stream_clear(&s);
        g_assert_cmpstr(out->str, ==, output);
    }
}

static void test_values(void)
{
    expect("{'a': 1}{\"b\":[true,null]}\n", "{\"a\": 1};{\"b\": [true, null]};");
    expect("null 18446744073709551615 -9223372036854775808 1.5",
           "null;18446744073709551615;-9223372036854775808;1.5;");
    expect("'it\\'s \"x\"'", "\"it's \\\"x\\\"\";");
    expect("'\xc3\xa9\xf0\x9f\x98\x80\\u00e9'", "\"\\u00E9\\uD83D\\uDE00\\u00E9\";");
    expect("'\x80'", "\"\\uFFFD\";");
    expect("{} []", "{};[];");
}

static void test_recovery(void)
{
    expect("{]\n{}", "!;{};");
    expect("{\xff{}", "!;{};");
    expect("\xff\xff{}", "!;!;{};");
    expect("{'bad \xff{}", "!;{};");
    expect("{'a':'\n{}", "!;{};");
    expect("{\x01{}", "!;{};");
    expect("{'a': %p}{}", "!;{};");
    expect("%{}", "!;{};");
    expect("%p\n{}", "!;{};");
    expect("%p{}", "!;{};");
    expect("{'a':1,'a':2}{}", "!;{};");
    expect("{'a'}{}", "!;{};");
    expect("{'a':1", "!;");
    expect("}{}", "!;{};");
    expect("'\\q'", "!;!;");
    expect("NaN [-Infinity] {'a':1e999} 1", "!;!;!;1;");
}

static void test_depth(void)
{
    g_autoptr(GString) in = g_string_new(NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    JsonStream s;

    for (unsigned i = 0; i < JSON_MAX_DEPTH + 5; i++) {
        g_string_append_c(in, '[');
    }
    g_string_append(in, "\n{}");
    json_stream_init(&s, record, out);
    json_stream_feed(&s, in->str, in->len);
    json_stream_clear(&s);
    g_assert_cmpstr(out->str, ==, "!;{};");
}

static void test_parse(void)
{
    json_object *value;
    g_autofree char *why = NULL;

    g_assert_true(json_parse("{\"a\":[1]}", 9, &value, &why));
    json_unref(value);
    g_assert_false(json_parse("1 2", 3, &value, &why));
    g_assert_cmpstr(why, ==, "text after the value");
}

static void test_pretty(void)
{
    json_object *value;
    char *why;
    g_autoptr(GString) out = g_string_new(NULL);

    g_assert_true(json_parse("{'a':[1,{}]}", 12, &value, &why));
    json_append(out, value, true);
    g_assert_cmpstr(out->str, ==, "{\n    \"a\": [\n        1,\n        {}\n    ]\n}");
    json_unref(value);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/values", test_values);
    g_test_add_func("/json/recovery", test_recovery);
    g_test_add_func("/json/depth", test_depth);
    g_test_add_func("/json/parse", test_parse);
    g_test_add_func("/json/pretty", test_pretty);
    return g_test_run();
}
