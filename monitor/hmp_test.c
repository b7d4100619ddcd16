/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp.h"

static void expect_line(const char *line, const char *expected)
{
    HmpSession session;
    g_autoptr(GString) out = g_string_new(NULL);

    hmp_session_init(&session);
    hmp_run_line(&session, line, out);
    g_assert_cmpstr(out->str, ==, expected);
}

static void test_expressions(void)
{
    static const struct {
        const char *line, *expected;
    } rows[] = {
        { "p 1+2*3", "0x7\n" },
        { "p (1+2)*3", "0x9\n" },
        { "p/x 255", "0xff\n" },
        { "p /d 0x10", "16\n" },
        { "p/o 8", "010\n" },
        { "p/c 65", "'A'\n" },
        { "p/u -1", "18446744073709551615\n" },
        { "p 'a'", "0x61\n" },
        { "print ~0 & 0xff | 0x100", "0x1ff\n" },
        { "p 7 % 4 - -1", "0x4\n" },
        { "p/d -9223372036854775807-1", "-9223372036854775808\n" },
        { "p/d (-9223372036854775807-1)/-1", "-9223372036854775808\n" },
        { "p/d (-9223372036854775807-1)%-1", "0\n" },
        { "p/d 9223372036854775807*2", "-2\n" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        expect_line(rows[i].line, rows[i].expected);
    }
}

static void test_mistakes(void)
{
    static const struct {
        const char *line, *command, *expected;
    } rows[] = {
        { "p", "print", "unexpected end of expression" },
        { "p 1 +", "print", "unexpected end of expression" },
        { "p (1", "print", "')' expected" },
        { "p 1)", "print", "print|p: extraneous characters at the end of line" },
        { "p 08", "print", "print|p: extraneous characters at the end of line" },
        { "p 1/0", "print", "division by zero" },
        { "p 1%0", "print", "division by zero" },
        { "p $pc", "print", "unknown register" },
        { "p '", "print", "character constant expected" },
        { "p 'ab", "print", "missing terminating ' character" },
        { "p 18446744073709551616", "print", "number too large" },
        { "p/z 1", "print", "invalid char in format: 'z'" },
        { "log", "log", "log: string expected" },
        { "log \"none", "log", "unterminated string" },
        { "log \"\\q\"", "log", "unsupported escape code: '\\q'" },
        { "logfile", "logfile", "logfile: filename expected" },
        { "log none x", "log", "log: extraneous characters at the end of line" },
        { "trace-event foo baz", "trace-event", "Expected 'on' or 'off'" },
        { "info history x", "info history", "history: extraneous characters at the end of line" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *expected = g_strdup_printf("%s\nTry \"help %s\" for more information\n",
                                                    rows[i].expected, rows[i].command);

        expect_line(rows[i].line, expected);
    }
}

static void test_nesting(void)
{
    g_autofree char *open = g_strnfill(100000, '(');
    g_autofree char *line = g_strconcat("p ", open, NULL);

    expect_line(line, "expression too deep\nTry \"help print\" for more information\n");
}

static void test_lookup(void)
{
    expect_line("", "");
    expect_line("   ", "");
    expect_line("foo bar", "unknown command: 'foo'\n");
    expect_line("info nosuch x", "unknown command: 'info nosuch'\n");
    expect_line("  info   nosuch", "unknown command: 'info   nosuch'\n");
    expect_line("help print", "print|p /fmt expr -- print the value of an expression\n");
    expect_line("? p", "print|p /fmt expr -- print the value of an expression\n");
    expect_line("help info history", "info history  -- lines typed here\n");
    expect_line("help nosuch", "unknown command: 'nosuch'\n");
    expect_line("help info nosuch", "unknown command: 'info nosuch'\n");
    /* Rows whose QMP command is not there do not exist. */
    expect_line("stop", "unknown command: 'stop'\n");
    expect_line("help stop", "unknown command: 'stop'\n");
    expect_line("trace-event nosuch on", "unknown event \"nosuch\"\n");
}

/* Every line of `help info` is "info NAME ...": test-hmp runs what it finds so. */
static void test_help(void)
{
    HmpSession session;
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;

    hmp_session_init(&session);
    hmp_run_line(&session, "help info", out);
    lines = g_strsplit(out->str, "\n", -1);
    for (char **line = lines; line[1]; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 3);

        g_assert_cmpstr(words[0], ==, "info");
        g_assert_nonnull(hmp_command_find(hmp_info_commands, words[1]));
        g_assert_nonnull(words[2]);
    }
    g_assert_cmpint(g_strv_length(lines), >, 2);
}

static void test_tables(void)
{
    const HmpCommand *const tables[] = { hmp_commands, hmp_info_commands };

    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        for (const HmpCommand *c = tables[i]; c->name; c++) {
            g_assert_true(c->qmp || c->run);
            g_assert_nonnull(c->params);
            g_assert_nonnull(c->help);
            if (c[1].name) {
                g_assert_cmpstr(c->name, <, c[1].name);
            }
        }
    }
}

/* --- arguments --- */

static const HmpCommand sample = {
    .name = "sample",
    .args = HMP_ARGS({ "all", HMP_FLAG, .flag = 'a' }, { "big", HMP_FLAG, .flag = 'b' },
                     { "format", HMP_FORMAT, .format = "dx/bw" }, { "bytes", HMP_SIZE },
                     { "mb", HMP_MEGABYTES, true }, { "number", HMP_INT, true },
                     { "rest", HMP_REST, true }),
};

static void expect_args(const char *text, const char *expected)
{
    g_autofree char *why = NULL, *json = NULL;
    g_autoptr(JsonObject) args = hmp_parse_args(&(HmpSession){ .cpu_index = -1 }, &sample, text, &why);

    if (!args) {
        g_assert_cmpstr(why, ==, expected);
        return;
    }
    json = json_to_string(args);
    g_assert_cmpstr(json, ==, expected);
}

static void test_args(void)
{
    expect_args("4k", "{\"count\": 1, \"bytes\": 4096}");
    expect_args("-b /12xw 0x10 2", "{\"big\": true, \"format\": \"x\", "
                "\"size\": \"w\", \"count\": 12, \"bytes\": 16, \"mb\": 2097152}");
    expect_args("-a -b 1 1 -1 all the rest ", "{\"all\": true, \"big\": true, \"count\": 1, "
                "\"bytes\": 1, \"mb\": 1048576, \"number\": -1, \"rest\": \"all the rest \"}");
    expect_args("1 1 0xffffffff", "{\"count\": 1, \"bytes\": 1, \"mb\": 1048576, "
                "\"number\": 4294967295}");
    expect_args("1 1 0x100000000", "'sample' has failed: integer is for 32-bit values");
    expect_args("-c 1", "sample: unsupported option -c");
    expect_args("8E", "invalid size");
    expect_args("-1", "invalid size");
    expect_args("1q", "invalid size");
    expect_args("1kk", "invalid size");
}

/* --- completion --- */

static void expect_completion(const char *line, const char *expected)
{
    g_auto(GStrv) found = hmp_complete_line(line);
    g_autofree char *joined = g_strjoinv(" ", found);

    g_assert_cmpstr(joined, ==, expected);
}

static void test_completion(void)
{
    expect_completion("pri", "print");
    expect_completion("trace", "trace-event trace-file");
    expect_completion("info hi", "history");
    expect_completion("info history", "history");
    expect_completion("help pr", "print");
    expect_completion("log gue", "guest_errors");
    expect_completion("trace-event x o", "off on");
    expect_completion("trace-event x of", "off");
    expect_completion("nosuch x", "");
    expect_completion("info qom-tree /ob", "");
    expect_completion("log none ", "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hmp/expressions", test_expressions);
    g_test_add_func("/hmp/mistakes", test_mistakes);
    g_test_add_func("/hmp/nesting", test_nesting);
    g_test_add_func("/hmp/lookup", test_lookup);
    g_test_add_func("/hmp/help", test_help);
    g_test_add_func("/hmp/tables", test_tables);
    g_test_add_func("/hmp/args", test_args);
    g_test_add_func("/hmp/completion", test_completion);
    return g_test_run();
}
