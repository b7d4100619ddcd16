/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/log.h"

#include <glib/gstdio.h>

#define THREADS 4
#define ROUNDS 500

static void expect_items(const char *items, uint32_t mask)
{
    char *why = NULL;

    g_assert_true(log_set_items(items, &why));
    g_assert_cmphex(log_mask, ==, mask);
}

static void refuse_items(const char *items, const char *reason)
{
    g_autofree char *why = NULL;
    uint32_t before = log_mask;

    g_assert_false(log_set_items(items, &why));
    g_assert_cmpstr(why, ==, reason);
    g_assert_cmphex(log_mask, ==, before);
}

static void test_items(void)
{
    expect_items("guest_errors", LOG_GUEST_ERRORS);
    expect_items("int,cpu_reset", LOG_INT | LOG_CPU_RESET);
    g_assert_true(log_enabled(LOG_INT | LOG_MMU));
    g_assert_false(log_enabled(LOG_MMU));
    refuse_items("", "no log items are given");
    refuse_items("int,", "'' is not a log item");
    refuse_items("int,nonsense", "'nonsense' is not a log item");
    refuse_items("exec,trace:no_such_event", "trace event 'no_such_event' does not exist");
    expect_items("all", UINT32_MAX);
    expect_items("trace:*", 0);
    expect_items("int,none", 0);
}

static void test_item_table(void)
{
    uint32_t seen = 0;

    for (const LogItem *item = log_items; item->name; item++) {
        g_assert_cmphex(seen & item->mask, ==, 0);
        seen |= item->mask;
        expect_items(item->name, item->mask);
    }
    expect_items("none", 0);
}

static void test_file(void)
{
    g_autofree char *dir = g_dir_make_tmp("log-XXXXXX", NULL);
    g_autofree char *pattern = g_build_filename(dir, "log-%d.txt", NULL);
    g_autofree char *expected = g_strdup_printf("%s/log-%d.txt", dir, (int)getpid());
    g_autofree char *name = NULL, *text = NULL, *why = NULL;

    g_assert_true(log_set_file(pattern, &why));
    name = log_file();
    g_assert_cmpstr(name, ==, expected);
    g_assert_false(log_set_file("/nowhere/x", &why));
    g_assert_cmpstr(why, ==, "cannot open log file '/nowhere/x': No such file or directory");
    log_printf("still %s\n", "here");
    g_assert_true(log_set_file(NULL, &why));
    g_assert_null(log_file());
    g_assert_true(g_file_get_contents(expected, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "still here\n");
    g_unlink(expected);
    g_rmdir(dir);
}

static void test_templates(void)
{
    for (const char *const *bad = (const char *[]){ "%d%d", "%s", "a%", "%%d", "%d%%", NULL }; *bad;
         bad++) {
        g_autofree char *why = NULL;

        g_assert_null(log_expand_path(*bad, &why));
        g_assert_nonnull(strstr(why, *bad));
    }
}

static gpointer print_many(gpointer letter)
{
    for (int i = 0; i < ROUNDS; i++) {
        log_lock();
        log_printf("%c%c", GPOINTER_TO_INT(letter), GPOINTER_TO_INT(letter));
        log_printf("%c\n", GPOINTER_TO_INT(letter));
        log_unlock();
    }
    return NULL;
}

static void test_threads(void)
{
    g_autofree char *path = NULL, *text = NULL, *why = NULL;
    g_auto(GStrv) lines = NULL;
    GThread *threads[THREADS];
    int fd = g_file_open_tmp("log-XXXXXX", &path, NULL);

    close(fd);
    g_assert_true(log_set_file(path, &why));
    for (int i = 0; i < THREADS; i++) {
        threads[i] = g_thread_new(NULL, print_many, GINT_TO_POINTER('a' + i));
    }
    for (int i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
    }
    g_assert_true(log_set_file(NULL, &why));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, THREADS * ROUNDS + 1);
    for (int i = 0; i < THREADS * ROUNDS; i++) {
        g_assert_cmpuint(strlen(lines[i]), ==, 3);
        g_assert_true(lines[i][0] == lines[i][1] && lines[i][1] == lines[i][2]);
    }
    g_unlink(path);
}

static void test_guest_errors(void)
{
    g_autofree char *path = NULL, *text = NULL, *why = NULL;
    int fd = g_file_open_tmp("log-XXXXXX", &path, NULL);
    uint64_t before = guest_error_count();

    close(fd);
    g_assert_true(log_set_file(path, &why));
    guest_error("silent %d", 1);
    unimp("silent %d", 1);
    expect_items("guest_errors", LOG_GUEST_ERRORS);
    guest_error("told %d", 2);
    unimp("silent %d", 2);
    expect_items("unimp", LOG_UNIMP);
    unimp("told %d", 3);
    expect_items("none", 0);
    g_assert_true(log_set_file(NULL, &why));
    g_assert_cmpuint(guest_error_count() - before, ==, 2);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "told 2\ntold 3\n");
    g_unlink(path);
}

static void expect_filter(const char *ranges, uint64_t first, uint64_t last)
{
    char *why;

    g_assert_true(log_set_filter(ranges, &why));
    g_assert_true(log_wants_address(first));
    g_assert_true(log_wants_address(last));
    g_assert_false(first && log_wants_address(first - 1));
    g_assert_false(last != UINT64_MAX && log_wants_address(last + 1));
}

static void test_filter(void)
{
    char *why;

    g_assert_true(log_wants_address(7));
    expect_filter("0x1000..0x1fff", 0x1000, 0x1fff);
    expect_filter("0x1000+0x200", 0x1000, 0x11ff);
    expect_filter("0x1000-0x200", 0xe01, 0x1000);
    expect_filter("16..16", 16, 16);
    expect_filter("0xffffffffffffff00+0x100", 0xffffffffffffff00, UINT64_MAX);
    expect_filter("5-6", 0, 5);
    g_assert_true(log_set_filter("1..2,8+1", &why));
    g_assert_true(log_wants_address(8));
    g_assert_false(log_wants_address(3));
    g_assert_true(log_set_filter("", &why));
    g_assert_true(log_wants_address(3));
}

static void test_filter_refusals(void)
{
    static const struct {
        const char *ranges, *why;
    } cases[] = {
        { "10", "'10' is none of A+LENGTH, A-LENGTH and A..B" },
        { "10.5", "'10.5' is none of A+LENGTH, A-LENGTH and A..B" },
        { "x..1", "'x..1' does not begin with an address" },
        { "1..2,", "'' does not begin with an address" },
        { "-1..2", "'-1..2' does not begin with an address" },
        { "1+", "'1+' does not end with a number" },
        { "1+2x", "'1+2x' does not end with a number" },
        { "1+-2", "'1+-2' does not end with a number" },
        { "1+0", "'1+0' is no range of addresses" },
        { "1-0", "'1-0' is no range of addresses" },
        { "5-7", "'5-7' is no range of addresses" },
        { "2..1", "'2..1' is no range of addresses" },
        { "0xffffffffffffffff+2", "'0xffffffffffffffff+2' is no range of addresses" },
        { "0x10000000000000000+1", "'0x10000000000000000+1' does not begin with an address" },
    };

    expect_filter("1..2", 1, 2);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *why = NULL;

        g_assert_false(log_set_filter(cases[i].ranges, &why));
        g_assert_cmpstr(why, ==, cases[i].why);
        g_assert_false(log_wants_address(3));
        g_assert_true(log_wants_address(2));
    }
    g_assert_true(log_set_filter(NULL, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log/items", test_items);
    g_test_add_func("/log/item-table", test_item_table);
    g_test_add_func("/log/file", test_file);
    g_test_add_func("/log/templates", test_templates);
    g_test_add_func("/log/threads", test_threads);
    g_test_add_func("/log/guest-errors", test_guest_errors);
    g_test_add_func("/log/filter", test_filter);
    g_test_add_func("/log/filter-refusals", test_filter_refusals);
    return g_test_run();
}
