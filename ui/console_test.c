/*
 * Consoles and what is made of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/console.h"

#include <glib/gstdio.h>

#include "qapi/qapi-commands-ui.h"
#include "ui/screendump.h"

typedef struct Watch {
    ConsoleListener parent;
    unsigned surfaces, changes;
    SurfaceRect last;
} Watch;

static void watch_surface(ConsoleListener *listener, Surface *surface)
{
    container_of(listener, Watch, parent)->surfaces++;
}

static void watch_pixels(ConsoleListener *listener, SurfaceRect rect)
{
    container_of(listener, Watch, parent)->changes++;
    container_of(listener, Watch, parent)->last = rect;
}

static unsigned refreshes, invalidations;

static void refresh(void *opaque)
{
    Console *console = *(Console **)opaque;
    Surface *surface = console_resize(console, 3, 2);

    refreshes++;
    surface_line(surface, 1)[2] = 0xff010203;
    console_changed(console, (SurfaceRect){ 2, 1, 1, 1 });
}

static void invalidate(void *opaque)
{
    invalidations++;
}

static const ConsoleOps ops = { refresh, invalidate };

static void test_listener(void)
{
    static Console *console;
    Watch watch = { { watch_surface, watch_pixels } };
    Object *owner = object_container("/owner");

    console = console_new(owner, 1, &ops, &console);
    g_assert_true(console_nth(0) == console);
    g_assert_null(console_nth(1));
    g_assert_true(console_of(owner, 1) == console);
    g_assert_null(console_of(owner, 0));
    console_add_listener(console, &watch.parent);
    g_assert_cmpuint(watch.surfaces, ==, 1);
    g_assert_cmpuint(invalidations, ==, 1);
    console_refresh(console);
    console_refresh(console);
    g_assert_cmpuint(watch.surfaces, ==, 2); /* the size changed once */
    g_assert_cmpuint(watch.changes, ==, 2);
    g_assert_cmpuint(watch.last.x, ==, 2);
    console_remove_listener(console, &watch.parent);
    console_free(console);
    g_assert_null(console_nth(0));
}

static void expect_file(const char *path, const char *bytes, size_t size)
{
    g_autofree char *got = NULL;
    gsize length;

    g_assert_true(g_file_get_contents(path, &got, &length, NULL));
    g_assert_cmpmem(got, MIN(length, size), bytes, size);
    g_unlink(path);
}

static void test_screendump(void)
{
    static Console *console;
    static const char ppm[] = "P6\n3 2\n255\n\0\0\0\0\0\0\0\0\0" "\0\0\0\0\0\0\1\2\3";
    g_autofree char *folder = g_dir_make_tmp("console-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "dump", NULL);
    Error *err = NULL;

    qmp_screendump(path, NULL, false, 0, false, 0, &err);
    g_assert_cmpstr(error_text(err), ==, "There is no console to take a screendump from");
    g_clear_pointer(&err, error_free);
    console = console_new(object_container("/owner"), 0, &ops, &console);
    qmp_screendump(path, NULL, false, 0, false, 0, &err);
    g_assert_null(err);
    expect_file(path, ppm, sizeof(ppm) - 1);
    qmp_screendump(path, NULL, false, 0, true, IMAGE_FORMAT_PNG, &err);
    if (screendump_has_png()) {
        g_assert_null(err);
        expect_file(path, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\3\0\0\0\2\x08\2", 26);
    } else {
        g_assert_nonnull(err);
        g_clear_pointer(&err, error_free);
    }
    qmp_screendump(path, NULL, true, 0, false, 0, &err);
    g_assert_nonnull(err);
    g_clear_pointer(&err, error_free);
    qmp_screendump(path, "nobody", false, 0, false, 0, &err);
    g_assert_cmpint(error_class(err), ==, ERROR_DEVICE_NOT_FOUND);
    g_clear_pointer(&err, error_free);
    qmp_screendump("/nowhere/at/all", NULL, false, 0, false, 0, &err);
    g_assert_nonnull(err);
    g_clear_pointer(&err, error_free);
    console_free(console);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/console/listener", test_listener);
    g_test_add_func("/console/screendump", test_screendump);
    return g_test_run();
}
