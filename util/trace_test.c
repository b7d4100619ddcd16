/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/trace.h"

#include <glib/gstdio.h>
#include <sys/wait.h>

#include "util/log.h"
#include "util/trace_file.h"
#include "util/trace_test_events.h"

#define THREADS 4
#define ROUNDS 2000

static char *dir;

static void collect_name(void *opaque, TraceEvent *event)
{
    g_string_append_printf(opaque, "%s ", event->name);
}

static void test_table(void)
{
    g_autoptr(GString) names = g_string_new(NULL);

    g_assert_cmpuint(trace_foreach("trace_test_*", collect_name, names), ==, 3);
    g_assert_cmpstr(names->str, ==, "trace_test_nothing trace_test_numbers trace_test_text ");
    g_assert_true(trace_find("trace_test_text") == &trace_trace_test_text_event);
    g_assert_null(trace_find("trace_test_tex"));
    g_assert_null(trace_find("trace_test_gone"));
    g_assert_cmpuint(trace_foreach("nothing?", NULL, NULL), ==, 0);
}

static void test_enable(void)
{
    g_assert_false(trace_trace_test_nothing_is_enabled());
    g_assert_cmpuint(trace_enable("trace_test_n*", true), ==, 2);
    g_assert_true(trace_trace_test_nothing_is_enabled());
    g_assert_true(trace_trace_test_numbers_is_enabled());
    g_assert_false(trace_trace_test_text_is_enabled());
    g_assert_cmpuint(trace_enable("*", false), >=, 3);
    g_assert_false(trace_trace_test_nothing_is_enabled());
    g_assert_false(trace_trace_test_gone_is_enabled());
    g_assert_cmpuint(offsetof(TraceEvent, usdt_listeners), ==, offsetof(TraceEvent, is_active));
}

static void test_option(void)
{
    g_autofree char *events = g_build_filename(dir, "events", NULL);
    g_autofree char *why = NULL;
    g_autoptr(GString) warnings = g_string_new(NULL);

    g_file_set_contents(events, "# all\n\ntrace_test_*\n -trace_test_text \nno_such\nno_*", -1, NULL);
    g_assert_true(trace_parse_option(&(TraceOption){ .events = events, .enable = "absent" },
                                     warnings, &why));
    g_assert_cmpstr(warnings->str, ==, "trace event 'no_such' does not exist\n"
                                       "trace event 'absent' does not exist\n");
    g_assert_true(trace_trace_test_numbers_is_enabled());
    g_assert_false(trace_trace_test_text_is_enabled());
    g_assert_true(trace_parse_option(&(TraceOption){ .enable = "-*" }, NULL, &why));
    g_assert_false(trace_trace_test_numbers_is_enabled());
    g_assert_null(why);
    g_assert_false(trace_parse_option(&(TraceOption){ .events = "/nowhere/x" }, NULL, &why));
    g_assert_nonnull(strstr(why, "/nowhere/x"));
}

static void test_log(void)
{
    g_autofree char *path = g_build_filename(dir, "log", NULL);
    g_autofree char *text = NULL;
    char *why;

    g_assert_true(log_set_file(path, &why));
    trace_trace_test_numbers(1, 1, true);
    trace_enable("trace_test_*", true);
    trace_trace_test_numbers(255, -7, true);
    trace_trace_test_text("x", NULL);
    trace_trace_test_nothing();
    trace_trace_test_gone(1);
    trace_enable("trace_test_*", false);
    g_assert_true(log_set_file(NULL, &why));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "trace_test_numbers a 255 b -7 is_set 1\n"
                              "trace_test_text text 'x' where (nil) 100%\n"
                              "trace_test_nothing nothing\n");
}

/* A tracer at the probe makes the event active; that alone must print nothing. */
static void test_listener(void)
{
    g_autofree char *path = g_build_filename(dir, "log", NULL);
    g_autofree char *text = NULL;
    char *why;

    g_assert_true(log_set_file(path, &why));
    trace_trace_test_nothing_event.usdt_listeners = 1;
    g_assert_true(trace_trace_test_nothing_is_enabled());
    g_assert_false(trace_event_is_enabled(&trace_trace_test_nothing_event));
    trace_trace_test_nothing();
    trace_enable("*", false);
    g_assert_true(trace_trace_test_nothing_is_enabled());
    trace_trace_test_nothing_event.usdt_listeners = 0;
    g_assert_true(log_set_file(NULL, &why));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "");
}

static gpointer trace_many(gpointer opaque)
{
    for (int i = 0; i < ROUNDS; i++) {
        trace_trace_test_numbers(GPOINTER_TO_UINT(opaque), i, false);
    }
    return NULL;
}

/* What scripts/simpletrace.py prints without times and thread ids. */
static char *print_file(const char *path)
{
    char *out = NULL;
    int status;
    g_autofree char *script = g_build_filename(g_getenv("SOURCE_ROOT"), "scripts/simpletrace.py",
                                               NULL);
    const char *argv[] = { g_getenv("PYTHON"), script, "--plain", path, NULL };

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
                               NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    return out;
}

static void test_file(void)
{
    g_autofree char *path = g_build_filename(dir, "simple", NULL);
    g_autofree char *text = NULL, *name = NULL, *long_text = g_strnfill(1000, 'y');
    g_autofree char *expected = NULL;
    char *why;

    g_assert_true(trace_file_open(path, &why));
    name = trace_file_path();
    g_assert_cmpstr(name, ==, path);
    trace_trace_test_numbers(1, 1, true);
    trace_enable("trace_test_*", true);
    trace_trace_test_numbers(255, INT64_MIN, true);
    trace_trace_test_text(NULL, (void *)0x1234);
    trace_trace_test_text(long_text, NULL);
    trace_trace_test_nothing();
    trace_enable("trace_test_*", false);
    g_assert_true(trace_file_close(&why));
    g_assert_null(trace_file_path());
    text = print_file(path);
    expected = g_strdup_printf("trace_test_numbers a=255 b=-9223372036854775808 is_set=1\n"
                               "trace_test_text text='(null)' where=0x1234\n"
                               "trace_test_text text='%.256s' where=0x0\n"
                               "trace_test_nothing\n", long_text);
    g_assert_cmpstr(text, ==, expected);
}

/* `file=` leads to the back end the build has: the binary file, else the log. */
static void test_option_file(void)
{
    g_autofree char *path = g_build_filename(dir, "simple", NULL);
    g_autofree char *text = NULL, *plain = NULL;
    TraceOption option = { .enable = "trace_test_nothing", .file = path };
    char *why = NULL;

    g_assert_true(trace_parse_option(&option, NULL, &why));
    trace_trace_test_nothing();
    trace_enable("*", false);
    g_assert_true(trace_file_close(&why));
    g_assert_true(log_set_file(NULL, &why));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    plain = g_str_has_prefix(text, "TNDTRACE") ? print_file(path) : g_strdup(text);
    g_assert_true(g_str_has_prefix(plain, "trace_test_nothing"));
    option.file = "/nowhere/x";
    g_assert_false(trace_parse_option(&option, NULL, &why));
    g_assert_false(trace_trace_test_nothing_is_enabled());
    g_assert_nonnull(strstr(why, "/nowhere/x"));
    g_free(why);
}

static void test_file_threads(void)
{
    g_autofree char *path = g_build_filename(dir, "threads", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    GThread *threads[THREADS];
    int next[THREADS] = { 0 };
    char *why;

    g_assert_true(trace_file_open(path, &why));
    trace_enable("trace_test_*", true);
    for (unsigned i = 0; i < THREADS; i++) {
        threads[i] = g_thread_new(NULL, trace_many, GUINT_TO_POINTER(i));
    }
    for (unsigned i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
    }
    trace_enable("trace_test_*", false);
    g_assert_true(trace_file_close(&why));
    text = print_file(path);
    lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, THREADS * ROUNDS + 1);
    for (unsigned i = 0; i < THREADS * ROUNDS; i++) {
        unsigned thread;
        int round;

        g_assert_cmpint(sscanf(lines[i], "trace_test_numbers a=%u b=%d", &thread, &round), ==, 2);
        g_assert_cmpint(round, ==, next[thread]++);
    }
}

/* A child must not write what its parent had buffered. */
static void test_file_fork(void)
{
    g_autofree char *path = g_build_filename(dir, "fork", NULL);
    g_autofree char *text = NULL;
    char *why;
    pid_t child;

    g_assert_true(trace_file_open(path, &why));
    trace_enable("trace_test_nothing", true);
    trace_trace_test_nothing();
    child = fork();
    if (!child) {
        trace_trace_test_nothing();
        trace_file_flush();
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
    trace_enable("*", false);
    g_assert_true(trace_file_close(&why));
    text = print_file(path);
    g_assert_cmpstr(text, ==, "trace_test_nothing\ntrace_test_nothing\n");
}

static void test_file_errors(void)
{
    g_autofree char *why = NULL, *full = NULL;

    g_assert_false(trace_file_open("/nowhere/x", &why));
    g_assert_cmpstr(why, ==, "cannot open trace file '/nowhere/x': No such file or directory");
    g_clear_pointer(&why, g_free);
    g_assert_false(trace_file_open("%s", &why));
    g_assert_true(trace_file_open("/dev/full", &full));
    trace_file_flush();
    g_assert_false(trace_file_close(&full));
    g_assert_cmpstr(full, ==, "cannot write trace file '/dev/full': No space left on device");
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("trace-XXXXXX", NULL);
    g_test_add_func("/trace/table", test_table);
    g_test_add_func("/trace/enable", test_enable);
    g_test_add_func("/trace/option", test_option);
    g_test_add_func("/trace/log", test_log);
    g_test_add_func("/trace/listener", test_listener);
    g_test_add_func("/trace/file", test_file);
    g_test_add_func("/trace/option-file", test_option_file);
    g_test_add_func("/trace/file-threads", test_file_threads);
    g_test_add_func("/trace/file-fork", test_file_fork);
    g_test_add_func("/trace/file-errors", test_file_errors);
    status = g_test_run();
    for (const char *const *name = (const char *[]){ "events", "log", "simple", "threads", "fork",
                                                     NULL }; *name; name++) {
        g_autofree char *path = g_build_filename(dir, *name, NULL);

        g_unlink(path);
    }
    g_rmdir(dir);
    g_free(dir);
    return status;
}
