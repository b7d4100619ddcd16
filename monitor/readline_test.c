/*
 * Keys go in; a small terminal shows what comes out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "readline.h"

#define LEFT "\033[D"
#define RIGHT "\033[C"
#define UP "\033[A"
#define DOWN "\033OB"

typedef struct Terminal {
    Readline rl;
    GString *row;    /* the one the cursor is in */
    size_t column;
    GString *lines;  /* those entered, each in brackets */
    GString *screen; /* rows that are complete */
} Terminal;

static void terminal_show(void *opaque, const char *text, size_t size)
{
    Terminal *t = opaque;

    for (size_t i = 0; i < size; i++) {
        switch (text[i]) {
        case '\b':
            g_assert_cmpint(t->column, >, 0);
            t->column--;
            break;
        case '\r':
            t->column = 0;
            break;
        case '\n':
            g_string_append_printf(t->screen, "%s\n", t->row->str);
            g_string_truncate(t->row, 0);
            break;
        default:
            if (t->column < t->row->len) {
                t->row->str[t->column] = text[i];
            } else {
                g_string_append_c(t->row, text[i]);
            }
            t->column++;
        }
    }
}

static void terminal_line(void *opaque, const char *line)
{
    g_string_append_printf(((Terminal *)opaque)->lines, "[%s]", line);
}

static char **terminal_complete(void *opaque, const char *start)
{
    static const char *const words[] = { "alpha", "alps", "beta", "dir/" };
    const char *blank = strrchr(start, ' '), *word = blank ? blank + 1 : start;
    GPtrArray *found = g_ptr_array_new();

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (g_str_has_prefix(words[i], word)) {
            g_ptr_array_add(found, g_strdup(words[i]));
        }
    }
    g_ptr_array_add(found, NULL);
    return (char **)g_ptr_array_free(found, FALSE);
}

static const ReadlineHandlers handlers = {
    .show = terminal_show,
    .line = terminal_line,
    .complete = terminal_complete,
};

static void terminal_init(Terminal *t)
{
    t->row = g_string_new(NULL);
    t->column = 0;
    t->lines = g_string_new(NULL);
    t->screen = g_string_new(NULL);
    readline_init(&t->rl, &handlers, t);
    readline_start(&t->rl, "> ");
}

static void terminal_clear(Terminal *t)
{
    readline_clear(&t->rl);
    g_string_free(t->row, TRUE);
    g_string_free(t->lines, TRUE);
    g_string_free(t->screen, TRUE);
}

static void type(Terminal *t, const char *keys)
{
    for (const char *p = keys; *p; p++) {
        readline_byte(&t->rl, *p);
    }
}

/* What is shown, but for blanks at the end, and where the cursor is. */
static void expect_row(Terminal *t, const char *expected, size_t column)
{
    g_autofree char *row = g_strchomp(g_strdup(t->row->str));

    g_assert_cmpstr(row, ==, expected);
    g_assert_cmpint(t->column, ==, column);
}

static void test_editing(void)
{
    static const struct {
        const char *keys, *row;
        size_t column;
    } rows[] = {
        { "abc", "> abc", 5 },
        { "abc" LEFT "x", "> abxc", 5 },
        { "abc" LEFT LEFT LEFT LEFT "x" RIGHT RIGHT RIGHT RIGHT "y", "> xabcy", 7 },
        { "abc\001x\005y", "> xabcy", 7 },
        { "abc\b\177d", "> ad", 4 },
        { "abc" LEFT LEFT "\004", "> ac", 3 },
        { "abc" LEFT LEFT "\033[3~", "> ac", 3 },
        { "abc\033[1~x\033[4~y\033OHz", "> zxabcy", 3 },
        { "abcdef" LEFT LEFT "\013", "> abcd", 6 },
        { "abcdef" LEFT LEFT "\025", "> ef", 2 },
        { "one two three\027\027x", "> one x", 7 },
        { "one two\033b\033bx", "> xone two", 3 },
        { "one two\001\033f\033fx", "> one twox", 10 },
        { "one two\001\033d", ">  two", 2 },
        { "abc\033[1;5Dx", "> abxc", 5 },
        { "abc\033[99999999999999999999~x", "> abcx", 6 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Terminal t;

        terminal_init(&t);
        type(&t, rows[i].keys);
        expect_row(&t, rows[i].row, rows[i].column);
        terminal_clear(&t);
    }
}

static void test_lines(void)
{
    Terminal t;

    terminal_init(&t);
    type(&t, "one\rtwo\r\nthree\n\n\r\r");
    g_assert_cmpstr(t.lines->str, ==, "[one][two][three][][][]");
    expect_row(&t, ">", 2);
    terminal_clear(&t);
}

static void test_history(void)
{
    Terminal t;

    terminal_init(&t);
    type(&t, "one\rtwo\rone\rthree\rnew" UP);
    expect_row(&t, "> three", 7);
    type(&t, UP UP UP UP);
    expect_row(&t, "> two", 5);
    type(&t, DOWN DOWN);
    expect_row(&t, "> three", 7);
    type(&t, DOWN DOWN);
    expect_row(&t, "> new", 5);
    type(&t, "\020\020!\r");
    g_assert_true(g_str_has_suffix(t.lines->str, "[one!]"));
    for (int i = 0; i < 1000; i++) {
        g_autofree char *line = g_strdup_printf("line %d\r", i);

        type(&t, line);
    }
    g_assert_cmpint(t.rl.history->len, ==, READLINE_MAX_HISTORY);
    terminal_clear(&t);
}

static void test_completion(void)
{
    Terminal t;

    terminal_init(&t);
    type(&t, "a\t");
    expect_row(&t, "> alp", 5);
    type(&t, "\t");
    g_assert_cmpstr(t.screen->str, ==, "> alp\nalpha  alps\n");
    expect_row(&t, "> alp", 5);
    type(&t, "h\tb\tdi\tx");
    expect_row(&t, "> alpha beta dir/x", 18);
    type(&t, "zz\t");
    expect_row(&t, "> alpha beta dir/xzz", 20);
    terminal_clear(&t);
}

static void test_long_line(void)
{
    Terminal t;
    g_autofree char *keys = g_strnfill(READLINE_MAX_BYTES + 100, 'x');

    terminal_init(&t);
    type(&t, keys);
    g_assert_cmpint(t.rl.line->len, ==, READLINE_MAX_BYTES);
    type(&t, "\ry");
    expect_row(&t, "> y", 3);
    terminal_clear(&t);
}

/* Whatever is typed, the row shows the line and the cursor is where it says. */
static void test_random_keys(void)
{
    static const char *const keys[] = {
        "a", "b ", LEFT, RIGHT, UP, DOWN, "\b", "\001", "\005", "\004", "\013", "\025", "\027",
        "\t", "\r", "\033b", "\033f", "\033d", "\033[3~", "\033", "[", "al",
    };
    Terminal t;

    terminal_init(&t);
    for (int i = 0; i < 20000; i++) {
        g_autofree char *row = NULL, *shown = NULL;

        type(&t, keys[g_test_rand_int_range(0, ARRAY_SIZE(keys))]);
        row = g_strconcat("> ", t.rl.line->str, NULL);
        shown = g_strndup(t.row->str, strlen(row));
        g_assert_cmpstr(shown, ==, row);
        g_assert_cmpint(t.column, ==, 2 + t.rl.cursor);
    }
    terminal_clear(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/readline/editing", test_editing);
    g_test_add_func("/readline/lines", test_lines);
    g_test_add_func("/readline/history", test_history);
    g_test_add_func("/readline/completion", test_completion);
    g_test_add_func("/readline/long-line", test_long_line);
    g_test_add_func("/readline/random-keys", test_random_keys);
    return g_test_run();
}
