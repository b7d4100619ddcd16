/*
 * What the machine boots from: see hw/core/boot_list.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/boot_list.h"

/* By index; the one list of the machine. */
static GTree *entries;

static gint compare(gconstpointer a, gconstpointer b, gpointer opaque)
{
    return GPOINTER_TO_INT(a) - GPOINTER_TO_INT(b);
}

bool boot_list_add(int32_t index, const char *path, Error **errp)
{
    if (index < 0) {
        return error_set(errp, "Parameter 'bootindex' expects a number from 0 on");
    }
    if (!entries) {
        entries = g_tree_new_full(compare, NULL, NULL, g_free);
    }
    if (g_tree_lookup(entries, GINT_TO_POINTER(index))) {
        return error_set(errp, "The bootindex %d has already been used", index);
    }
    g_tree_insert(entries, GINT_TO_POINTER(index), g_strdup(path));
    return true;
}

typedef struct PathSearch {
    const char *path;
    gpointer index;
    bool is_found;
} PathSearch;

static gboolean match_path(gpointer index, gpointer path, gpointer opaque)
{
    PathSearch *search = opaque;

    search->is_found = !strcmp(path, search->path);
    search->index = index;
    return search->is_found;
}

void boot_list_remove(const char *path)
{
    PathSearch search = { path };

    if (entries) {
        g_tree_foreach(entries, match_path, &search);
    }
    if (search.is_found) {
        g_tree_remove(entries, search.index);
    }
}

static gboolean append_path(gpointer index, gpointer path, gpointer opaque)
{
    GByteArray *out = opaque;

    if (out->len) {
        g_byte_array_append(out, (const uint8_t *)"\n", 1);
    }
    g_byte_array_append(out, path, strlen(path));
    return FALSE;
}

GByteArray *boot_list_bytes(void)
{
    GByteArray *out = g_byte_array_new();

    if (entries) {
        g_tree_foreach(entries, append_path, out);
    }
    if (out->len) {
        g_byte_array_append(out, (const uint8_t *)"", 1);
    }
    return out;
}
