/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qom/error.h"

static void collect(void *opaque, const char *line)
{
    g_string_append(opaque, line);
}

static void test_set_prefix_hint(void)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(error_set_class(&err, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", "a"));
    error_prefix(&err, "%s: ", "bus0");
    error_hint(&err, "try 'b'\n");
    g_assert_cmpstr(error_text(err), ==, "bus0: Device 'a' not found");
    g_assert_cmpstr(error_class_name(error_class(err)), ==, "DeviceNotFound");
    g_assert_cmpstr(error_hint_text(err), ==, "try 'b'\n");
}

static void test_ignored(void)
{
    g_assert_false(error_set(NULL, "nobody listens"));
    error_prefix(NULL, "x");
    error_hint(NULL, "x");
    g_assert_true(error_propagate(NULL, NULL));
}

static void test_redirect(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Error *err = NULL;

    error_redirect(collect, out);
    error_set(&err, "broken");
    error_hint(&err, "mend it\n");
    error_reportf_err(err, "disk: ");
    warn_report("careful");
    error_redirect(NULL, NULL);
    g_assert_cmpstr(out->str, ==, "disk: broken\nmend it\nwarning: careful\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/set-prefix-hint", test_set_prefix_hint);
    g_test_add_func("/error/ignored", test_ignored);
    g_test_add_func("/error/redirect", test_redirect);
    return g_test_run();
}
