/*
 * See block/backing.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/backing.h"

#include "block/open.h"

#define MAX_DEPTH 200 /* images that name each other */

static __thread unsigned depth;

/* "json:{...}", "nbd:..."; but not "./a:b". */
static bool has_scheme(const char *name)
{
    return name[strcspn(name, ":/")] == ':';
}

char *block_backing_path_of(const char *filename, const char *name, Error **errp)
{
    const char *slash;

    if (*name == '/' || has_scheme(name)) {
        return g_strdup(name);
    }
    if (g_str_has_prefix(filename, "json:")) {
        error_set(errp, "Cannot generate a base directory with the extended definition '%s'",
                  filename);
        return NULL;
    }
    if (g_str_has_prefix(filename, "file:")) {
        filename += strlen("file:");
    }
    slash = strrchr(filename, '/');
    return slash ? g_strdup_printf("%.*s/%s", (int)(slash - filename), filename, name) :
                   g_strdup(name);
}

char *block_backing_path(BlockNode *node, const char *name, Error **errp)
{
    return block_backing_path_of(block_node_filename(node), name, errp);
}

static BlockNode *open_backing(BlockNode *node, const char *path, const char *format, Error **errp)
{
    BlockOpenFile file = {
        .filename = path, .format = format, .is_read_only = true, .is_shared = node->is_shared,
        .is_direct = node->is_direct, .is_unsafe = node->is_unsafe,
    };
    BlockNode *backing;

    if (depth == MAX_DEPTH) {
        error_set(errp, "Too many backing files behind '%s'", path);
        return NULL;
    }
    depth++;
    backing = block_open_file(&file, errp);
    depth--;
    if (!backing) {
        error_prefix(errp, "Could not open backing file: ");
    }
    return backing;
}

static bool attach_plain(BlockNode *node, const char *role, const char *path, Error **errp)
{
    g_autoptr(BlockdevOptions) options = block_protocol_options(path, errp);
    BlockdevRef ref = { .type = json_type_object, .u.definition = options };

    return options && block_node_attach(node, role, &ref, errp);
}

bool block_backing_attach(BlockNode *node, const char *role, const char *name, const char *format,
                          Error **errp)
{
    g_autofree char *path = NULL;
    BlockNode *backing;

    if (!name) {
        return error_set(errp, "'%s' names no file for '%s'", block_node_filename(node), role);
    }
    if (strcmp(role, "backing")) {
        return attach_plain(node, role, name, errp); /* from where the process is */
    }
    path = block_backing_path(node, name, errp);
    if (!path) {
        return false;
    }
    backing = open_backing(node, path, format, errp);
    if (!backing || !block_node_attach_node(node, role, backing, errp)) {
        return false;
    }
    block_node_set_inherits(node, role, true);
    return true;
}
