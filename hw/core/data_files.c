/*
 * Data files: see hw/core/data_files.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <unistd.h>

#include "hw/core/data_files.h"

/* Where Debian, Fedora and others put SeaBIOS, OVMF, qboot and option ROMs. */
static const char *const usual_folders[] = {
    "/usr/local/share/qemu", "/usr/share/qemu", "/usr/share/seabios", "/usr/share/qemu-firmware",
    "/usr/share/OVMF", "/usr/share/ovmf", "/usr/share/edk2/ovmf", "/usr/lib/ipxe/qemu",
};

static GPtrArray *users_folders; /* of -L */

void data_files_add_folder(const char *path)
{
    if (!users_folders) {
        users_folders = g_ptr_array_new();
    }
    g_ptr_array_add(users_folders, g_strdup(path));
}

void data_files_print_folders(GString *out)
{
    for (guint i = 0; users_folders && i < users_folders->len; i++) {
        g_string_append_printf(out, "%s\n", (char *)users_folders->pdata[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(usual_folders); i++) {
        g_string_append_printf(out, "%s\n", usual_folders[i]);
    }
}

static char *look_in(const char *folder, const char *name)
{
    char *path = g_build_filename(folder, name, NULL);

    if (!access(path, R_OK)) {
        return path;
    }
    g_free(path);
    return NULL;
}

char *data_file_find(const char *name)
{
    char *path = NULL;

    if (!access(name, R_OK)) {
        return g_strdup(name);
    }
    for (guint i = 0; !path && users_folders && i < users_folders->len; i++) {
        path = look_in(users_folders->pdata[i], name);
    }
    for (size_t i = 0; !path && i < ARRAY_SIZE(usual_folders); i++) {
        path = look_in(usual_folders[i], name);
    }
    return path;
}

bool data_file_read(const char *name, const char *what, GByteArray **bytes, Error **errp)
{
    g_autofree char *path = data_file_find(name);
    g_autoptr(GError) why = NULL;
    char *contents;
    gsize size;

    if (!path) {
        return error_set(errp, "could not load %s '%s': there is no such file", what, name);
    }
    if (!g_file_get_contents(path, &contents, &size, &why)) {
        return error_set(errp, "could not load %s '%s': %s", what, name, why->message);
    }
    *bytes = g_byte_array_new_take((guint8 *)contents, size);
    return true;
}
