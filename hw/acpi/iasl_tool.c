/*
 * For tests: ACPICA's tools as an oracle.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include "hw/acpi/iasl_tool.h"
#include "hw/acpi/pack.h"
#include "hw/acpi/tables.h"

/* What iasl writes over: checksum, and creator with its revision. */
#define CHECKSUM_OFFSET 9
#define CREATOR_OFFSET  28

bool tool_or_skip(const char *tool)
{
    g_autofree char *path = g_find_program_in_path(tool);
    g_autofree char *reason = g_strdup_printf("%s is not installed", tool);

    if (!path) {
        g_test_skip(reason);
    }
    return path;
}

char *scratch_new(void)
{
    g_autoptr(GError) err = NULL;
    char *folder = g_dir_make_tmp("tables-XXXXXX", &err);

    g_assert_no_error(err);
    return folder;
}

void scratch_free(char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        g_unlink(path);
    }
    if (dir) {
        g_dir_close(dir);
    }
    g_rmdir(folder);
    g_free(folder);
}

char *tool_run(const char *folder, const char *const *argv)
{
    g_autoptr(GError) err = NULL;
    g_autofree char *errors = NULL;
    char *out = NULL;
    int status;

    g_spawn_sync(folder, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &errors,
                 &status, &err);
    g_assert_no_error(err);
    if (!g_spawn_check_wait_status(status, NULL)) {
        g_error("%s failed:\n%s%s", argv[0], out, errors);
    }
    if (errors[0]) {
        char *both = g_strconcat(out, errors, NULL);

        g_free(out);
        return both;
    }
    return out;
}

static void write_file(const char *folder, const char *name, const void *data, size_t bytes)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_assert_true(g_file_set_contents(path, data, bytes, NULL));
}

static char *read_file(const char *folder, const char *name, size_t *bytes)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *data = NULL;

    if (!g_file_get_contents(path, &data, bytes, NULL)) {
        g_error("%s was not made", name);
    }
    return data;
}

static void check_clean(const char *text)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    const char *bad[] = { "warning", "error", "unknown", "invalid", "could not", "incorrect" };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        const char *at = strstr(lower, bad[i]);

        /* "Compilation successful. 0 Errors, 0 Warnings" is how it says that all is well. */
        while (at && (g_str_has_prefix(at - 2, "0 ") || g_str_has_prefix(at, "errors, "))) {
            at = strstr(at + 1, bad[i]);
        }
        if (at) {
            g_error("iasl complains:\n%s", text);
        }
    }
}

static void compare(const uint8_t *ours, const uint8_t *theirs, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        bool is_ignored = i == CHECKSUM_OFFSET ||
                          (i >= CREATOR_OFFSET && i < ACPI_HEADER_BYTES);

        if (!is_ignored && ours[i] != theirs[i]) {
            g_error("byte 0x%zx of %.4s: 0x%02x, iasl has 0x%02x", i, ours, ours[i], theirs[i]);
        }
    }
}

void iasl_check(const void *table, size_t bytes)
{
    static const char *const disassemble[] = { "iasl", "-dl", "table.aml", NULL };
    static const char *const compile[] = { "iasl", "-of", "-on", "-p", "again", "table.dsl", NULL };
    char *folder = scratch_new();
    g_autofree char *out = NULL, *out2 = NULL, *source = NULL, *again = NULL;
    size_t source_bytes, again_bytes;

    write_file(folder, "table.aml", table, bytes);
    out = tool_run(folder, disassemble);
    check_clean(out);
    source = read_file(folder, "table.dsl", &source_bytes);
    if (strstr(source, "Unknown") || strstr(source, "**** ")) {
        g_error("iasl does not understand:\n%s", source);
    }
    out2 = tool_run(folder, compile);
    again = read_file(folder, "again.aml", &again_bytes);
    if (again_bytes != bytes) {
        g_error("%zu bytes, iasl makes %zu of\n%s", bytes, again_bytes, source);
    }
    compare(table, (uint8_t *)again, bytes);
    scratch_free(folder);
}

void iasl_check_all(const GByteArray *tables)
{
    for (size_t at = 0; at < tables->len; at = ROUND_UP(at, 8)) {
        uint32_t length = bytes_get_le(tables, at + 4, 4);

        if (bytes_get_le(tables, at, 4) == 0) {
            at += 8; /* up to the FACS's boundary */
            continue;
        }
        g_assert_cmpuint(at + length, <=, tables->len);
        if (memcmp(tables->data + at, "FACS", 4) != 0) {
            g_assert_cmpuint(bytes_checksum(tables, at, length), ==, 0);
        }
        iasl_check(tables->data + at, length);
        at += length;
    }
}

char *acpiexec_run(const void *dsdt, size_t bytes, const char *command)
{
    const char *const argv[] = { "acpiexec", "-b", command, "table.aml", NULL };
    char *folder = scratch_new();
    char *out;

    write_file(folder, "table.aml", dsdt, bytes);
    out = tool_run(folder, argv);
    scratch_free(folder);
    return out;
}
