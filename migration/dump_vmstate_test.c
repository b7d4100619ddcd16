/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include "hw/core/device.h"
#include "migration/migration.h"

typedef struct Bell {
    Device parent;
    uint32_t rings;
    Timer timer;
} Bell;

static const VMField bell_fields[] = { VM_U32(Bell, rings), VM_TIMER(Bell, timer) };
static const DeviceType bell_type = {
    .name = "test-bell",
    .doc = "A bell",
    .parent = TYPE_DEVICE, .size = sizeof(Bell),
    .vmstate = VMSTATE(bell_fields, .version = 3, .minimum_version = 2),
};
DEVICE_TYPE(bell_type)

static void test_dump(void)
{
    g_autofree char *folder = g_dir_make_tmp("tandem-dump-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "dump.json", NULL), *text = NULL, *why = NULL;
    json_object *bell, *fields, *all;
    gsize size;

    g_assert_true(migration_dump_vmstate(path, NULL));
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    g_assert_true(json_parse(text, size, &all, &why));
    bell = json_member(all, "test-bell");
    g_assert_cmpstr(json_object_get_string(json_member(bell, "Name")), ==, "test-bell");
    g_assert_cmpint(json_object_get_int(json_member(bell, "version_id")), ==, 3);
    g_assert_cmpint(json_object_get_int(json_member(bell, "minimum_version_id")), ==, 2);
    fields = json_member(json_member(bell, "Description"), "Fields");
    g_assert_cmpuint(json_object_array_length(fields), ==, 2);
    g_assert_cmpstr(json_object_get_string(json_member(json_object_array_get_idx(fields, 0),
                                                       "field")), ==, "rings");
    g_assert_nonnull(json_member(all, "vmschkmachine"));
    json_unref(all);
    g_unlink(path);
    g_rmdir(folder);
}

static void test_cannot_write(void)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(migration_dump_vmstate("/nonexistent/dump", &err));
    g_assert_nonnull(strstr(error_text(err), "/nonexistent/dump"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/migration/dump-vmstate/dump", test_dump);
    g_test_add_func("/migration/dump-vmstate/cannot-write", test_cannot_write);
    return g_test_run();
}
