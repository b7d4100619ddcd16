/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/keyval.h"

static void expect_warned(const char *text, const char *json, const char *warned)
{
    g_autoptr(GString) warnings = g_string_new(NULL);
    KeyvalSyntax syntax = { .implied_key = "type", .warnings = warnings };
    g_autofree char *why = NULL, *got = NULL;
    g_autoptr(JsonObject) value = keyval_parse(text, &syntax, &why);

    g_assert_cmpstr(why, ==, NULL);
    g_assert_nonnull(value);
    got = json_to_string(value);
    g_assert_cmpstr(got, ==, json);
    g_assert_cmpstr(warnings->str, ==, warned);
}

static void expect(const char *text, const char *json)
{
    expect_warned(text, json, "");
}

static void refuse(const char *text, const char *reason)
{
    g_autofree char *why = NULL;

    g_assert_null(keyval_parse(text, &(KeyvalSyntax){ NULL }, &why));
    g_assert_cmpstr(why, ==, reason);
}

static void test_elements(void)
{
    expect("", "{}");
    expect("q35,", "{\"type\": \"q35\"}");
    expect(",,,a=1,,", "{\"a\": \"1,\"}");
    expect("a=1,b=", "{\"a\": \"1\", \"b\": \"\"}");
    expect("a=b=c,d==", "{\"a\": \"b=c\", \"d\": \"=\"}");
    expect("a=1,b=2,a=3", "{\"a\": \"3\", \"b\": \"2\"}");
    expect("x,type=y", "{\"type\": \"y\"}");
    expect("__com-x_1=1", "{\"__com-x_1\": \"1\"}");
    expect("a=\xc3\xa9", "{\"a\": \"\\u00E9\"}");
}

static void test_commas(void)
{
    expect("a=x,,y,b=,,", "{\"a\": \"x,y\", \"b\": \",\"}");
    expect("a=x,,,b=1", "{\"a\": \"x,\", \"b\": \"1\"}");
    expect("a=,,,,", "{\"a\": \",,\"}");
    expect("v,,w=z,b=1", "{\"type\": \"v,w=z\", \"b\": \"1\"}");
}

static void test_bare(void)
{
    expect_warned("t,wait,nodelay", "{\"type\": \"t\", \"wait\": \"on\", \"delay\": \"off\"}",
                  "short-form boolean option 'wait' is deprecated, use wait=on instead\n"
                  "short-form boolean option 'nodelay' is deprecated, use delay=off instead\n");
    expect_warned(",no", "{\"no\": \"on\"}",
                  "short-form boolean option 'no' is deprecated, use no=on instead\n");
    expect("t,help", "{\"type\": \"t\", \"help\": \"on\"}");
    expect("t,?", "{\"type\": \"t\", \"help\": \"on\"}");
    expect("help", "{\"type\": \"help\"}");
}

static void test_nested(void)
{
    expect("smp.cpus=8,smp.maxcpus=9,x=1",
           "{\"smp\": {\"cpus\": \"8\", \"maxcpus\": \"9\"}, \"x\": \"1\"}");
    expect("a.1.b=y,a.0.b=x,a.0.c=z", "{\"a\": [{\"b\": \"x\", \"c\": \"z\"}, {\"b\": \"y\"}]}");
    expect("a.0.0=1,a.0.1=2", "{\"a\": [[\"1\", \"2\"]]}");
    expect("a.9=9,a.8=8,a.7=7,a.6=6,a.5=5,a.4=4,a.3=3,a.2=2,a.1=1,a.10=10,a.0=0,a.0=00",
           "{\"a\": [\"00\", \"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"]}");
}

static void test_refusals(void)
{
    g_autofree char *key = g_strnfill(128, 'k'), *text = g_strconcat(key, "=1", NULL);

    refuse("=1", "invalid parameter ''");
    refuse("a b=1", "invalid parameter 'a b'");
    refuse("4x=1", "invalid parameter '4x'");
    refuse("0=1", "invalid parameter '0'");
    refuse("a.=1", "invalid parameter 'a.'");
    refuse(".a=1", "invalid parameter '.a'");
    refuse("a..b=1", "invalid parameter 'a..b'");
    refuse("a.01=1", "invalid parameter 'a.01'");
    refuse("a.10000=1", "invalid parameter 'a.10000'");
    refuse("a.1x=1", "invalid parameter 'a.1x'");
    refuse("a=1,{b", "invalid parameter '{b'");
    refuse("a,,b", "invalid parameter 'a,b'");
    refuse("\xff=1", "invalid parameter '\xff'");
    refuse("a=1,a.b=2", "parameters 'a' and 'a.b' exclude each other");
    refuse("a.b=2,a=1", "parameters 'a' and 'a.*' exclude each other");
    refuse("a.b.c=2,a.b.c.d=1", "parameters 'a.b.c' and 'a.b.c.d' exclude each other");
    refuse("a.0=1,a.b=2", "parameter 'a' mixes list indices and members");
    refuse("a.b=1,a.0=2", "parameter 'a' mixes list indices and members");
    refuse("x.a.1=1", "parameter 'x.a.0' is missing");
    refuse("a.0=1,a.2=1", "parameter 'a.1' is missing");
    refuse(text, "parameter 'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...' is longer than 127 characters");
}

static bool note(void *opaque, const char *key, const char *value, char **why)
{
    g_string_append_printf(opaque, "%s=%s;", key, value);
    if (!strcmp(key, "stop")) {
        *why = g_strdup("stopped");
        return false;
    }
    return true;
}

static void test_foreach(void)
{
    g_autoptr(GString) seen = g_string_new(NULL);
    KeyvalSyntax syntax = { .implied_key = "type" };
    g_autofree char *why = NULL;

    g_assert_true(keyval_foreach("node,cpus=0-1,cpus=4,x", &syntax, note, seen, &why));
    g_assert_cmpstr(seen->str, ==, "type=node;cpus=0-1;cpus=4;x=on;");
    g_string_truncate(seen, 0);
    g_assert_false(keyval_foreach("a=1,stop=1,b=1", &syntax, note, seen, &why));
    g_assert_cmpstr(seen->str, ==, "a=1;stop=1;");
    g_assert_cmpstr(why, ==, "stopped");
}

static void test_merge(void)
{
    g_autoptr(JsonObject) tree = json_object_new_object(), result = NULL;
    KeyvalSyntax syntax = { .implied_key = "type" };
    g_autofree char *why = NULL, *text = NULL;

    g_assert_true(keyval_add(tree, "q35,smp.cpus=1,l.1=b", &syntax, &why));
    g_assert_null(keyval_finish(tree, &why));
    g_assert_cmpstr(why, ==, "parameter 'l.0' is missing");
    g_assert_true(keyval_add(tree, "virt,smp.maxcpus=2", &syntax, &why));
    g_assert_true(keyval_put(tree, "l.0", "a,b", &why));
    result = keyval_finish(tree, &why);
    text = json_to_string(result);
    g_assert_cmpstr(text, ==, "{\"type\": \"virt\", \"smp\": {\"cpus\": \"1\", \"maxcpus\": \"2\"}, "
                              "\"l\": [\"a,b\", \"b\"]}");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keyval/elements", test_elements);
    g_test_add_func("/keyval/commas", test_commas);
    g_test_add_func("/keyval/bare", test_bare);
    g_test_add_func("/keyval/nested", test_nested);
    g_test_add_func("/keyval/refusals", test_refusals);
    g_test_add_func("/keyval/foreach", test_foreach);
    g_test_add_func("/keyval/merge", test_merge);
    return g_test_run();
}
