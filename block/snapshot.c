/*
 * External snapshots: a node is put in front of another, and takes what is written from then on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/backend.h"

#include "block/create.h"
#include "block/snapshot.h"
#include "qapi/qapi-commands-block-core.h"

/* --- users go over to another node --- */

static void move_links(BlockNode *from, BlockNode *to, const GPtrArray *links)
{
    for (guint i = 0; i < links->len; i++) {
        block_link_move(links->pdata[i], to);
    }
}

static void tell_resized(const GPtrArray *links)
{
    for (guint i = 0; i < links->len; i++) {
        const BlockLink *link = links->pdata[i];

        if (link->resized) {
            link->resized(link->opaque);
        }
    }
}

static bool replace(BlockNode *node, BlockNode *new, Error **errp)
{
    g_autoptr(GPtrArray) links = g_ptr_array_new();

    for (guint i = 0; i < node->users->len; i++) {
        BlockLink *link = node->users->pdata[i];

        if (link->owner != new) {
            g_ptr_array_add(links, link);
        }
    }
    move_links(node, new, links);
    if (block_node_refresh_perms(node, errp) && block_node_refresh_perms(new, errp)) {
        if (block_node_bytes(node) != block_node_bytes(new)) {
            tell_resized(links);
        }
        return true;
    }
    move_links(new, node, links);
    block_node_refresh_perms(new, NULL);
    block_node_refresh_perms(node, NULL);
    return false;
}

bool block_node_replace(BlockNode *node, BlockNode *new, Error **errp)
{
    bool is_replaced;

    block_node_ref(node); /* the last link may go */
    block_node_ref(new);
    is_replaced = replace(node, new, errp);
    block_node_unref(new);
    block_node_unref(node);
    return is_replaced;
}

/* --- snapshots --- */

static bool check_overlay(const BlockNode *overlay, Error **errp)
{
    if (overlay->users->len) {
        return error_set(errp, "The overlay is already in use");
    }
    if (!overlay->driver->has_backing) {
        return error_set(errp, "The overlay does not support backing images");
    }
    return !overlay->backing || error_set(errp, "The overlay already has a backing image");
}

bool block_node_finish(BlockNode *node, Error **errp)
{
    int err = block_image_finish(node);

    return !err || error_set_errno(errp, -err, "Could not write what '%s' has cached", node->name);
}

bool block_snapshot(BlockNode *node, BlockNode *overlay, Error **errp)
{
    bool was_read_only = node->is_read_only;

    if (!check_overlay(overlay, errp) || !block_node_finish(node, errp) ||
        !block_node_attach_node(overlay, "backing", block_node_ref(node), errp)) {
        return false;
    }
    node->is_read_only = true;
    if (!block_node_replace(node, overlay, errp)) {
        node->is_read_only = was_read_only;
        block_node_detach(overlay, "backing");
        block_node_refresh_perms(node, NULL);
        return false;
    }
    return true;
}

void block_snapshot_undo(BlockNode *node, BlockNode *overlay, bool was_read_only)
{
    block_node_ref(node);
    block_node_detach(overlay, "backing");
    node->is_read_only = was_read_only;
    if (!block_node_replace(overlay, node, NULL)) {
        g_assert_not_reached(); /* they had it before */
    }
    block_node_unref(node);
}

/* --- new images for them --- */

static bool make_file(const char *path, Error **errp)
{
    g_autoptr(BlockdevCreateOptions) options = g_new0(BlockdevCreateOptions, 1);

    options->driver = BLOCKDEV_DRIVER_FILE;
    options->u.file.filename = g_strdup(path);
    return block_create(options, errp);
}

static BlockNode *open_plain(const char *path, Error **errp)
{
    g_autoptr(BlockdevOptions) options = g_new0(BlockdevOptions, 1);

    options->driver = BLOCKDEV_DRIVER_FILE;
    options->u.file.filename = g_strdup(path);
    options->has_discard = true;
    options->discard = BLOCKDEV_DISCARD_OPTIONS_UNMAP;
    return block_open(options, errp);
}

/* `behind` NULL: it does not name what is behind it. */
static bool make_qcow2(BlockNode *file, const BlockNode *node, const char *behind, Error **errp)
{
    g_autoptr(BlockdevCreateOptions) options = g_new0(BlockdevCreateOptions, 1);
    BlockdevCreateOptionsQcow2 *own = &options->u.qcow2;

    options->driver = BLOCKDEV_DRIVER_QCOW2;
    own->file = block_ref_to(file);
    own->size = ROUND_UP(block_node_bytes(node), BLOCK_SECTOR_BYTES);
    own->backing_file = g_strdup(behind);
    own->has_backing_fmt = behind != NULL;
    own->backing_fmt = node->driver->kind;
    return block_create(options, errp);
}

static BlockNode *open_overlay(BlockNode *file, const BlockNode *node, const char *name,
                               Error **errp)
{
    g_autoptr(BlockdevOptions) options = g_new0(BlockdevOptions, 1);

    options->driver = BLOCKDEV_DRIVER_QCOW2;
    options->node_name = g_strdup(name);
    options->u.qcow2.file = block_ref_to(file);
    options->u.qcow2.backing = g_new0(BlockdevRefOrNull, 1);
    options->u.qcow2.backing->type = json_type_null;
    options->has_discard = true;
    options->discard = BLOCKDEV_DISCARD_OPTIONS_UNMAP;
    options->has_detect_zeroes = true;
    options->detect_zeroes = node->detect_zeroes;
    options->cache = g_new0(BlockdevCacheOptions, 1);
    options->cache->has_no_flush = true;
    options->cache->no_flush = node->is_unsafe;
    return block_open(options, errp);
}

static char *absolute_name(const BlockNode *node)
{
    const char *name = block_node_filename(node);

    return *name == '/' || g_str_has_prefix(name, "json:") ? g_strdup(name) :
           g_canonicalize_filename(name, NULL);
}

static BlockNode *make_overlay(BlockNode *node, const char *path, const char *name, bool is_new,
                               Error **errp)
{
    g_autofree char *behind = absolute_name(node);
    g_autoptr(BlockNode) file = NULL;

    if (is_new && !make_file(path, errp)) {
        return NULL;
    }
    file = open_plain(path, errp);
    if (!file || (is_new && !make_qcow2(file, node, behind, errp))) {
        return NULL;
    }
    return open_overlay(file, node, name, errp);
}

/* --- steps of a transaction --- */

static bool take(BlockSnapshotStep *step, BlockNode *node, BlockNode *overlay, Error **errp)
{
    bool was_read_only = node->is_read_only;

    if (!block_snapshot(node, overlay, errp)) {
        return false;
    }
    *step = (BlockSnapshotStep){ block_node_ref(node), block_node_ref(overlay), was_read_only };
    return true;
}

bool block_snapshot_step(BlockSnapshotStep *step, const BlockdevSnapshot *args, Error **errp)
{
    BlockNode *node = block_node_of(args->node, args->node, errp);
    BlockNode *overlay = node ? block_node_of(args->overlay, args->overlay, errp) :
                               NULL;

    return overlay && block_images_check_ours(node, errp) && take(step, node, overlay, errp);
}

bool block_snapshot_sync_step(BlockSnapshotStep *step, const BlockdevSnapshotSync *args,
                              Error **errp)
{
    bool is_new = !args->has_mode || args->mode == NEW_IMAGE_MODE_ABSOLUTE_PATHS;
    BlockNode *node = block_node_of(args->device, args->node_name, errp);
    g_autoptr(BlockNode) overlay = NULL;

    if (!node || !block_images_check_ours(node, errp)) {
        return false;
    }
    if (args->node_name && !args->snapshot_node_name) {
        return error_set(errp, "New overlay node-name missing");
    }
    if (args->format && strcmp(args->format, "qcow2")) {
        return error_set(errp, block_driver_find(args->format) ?
                         "Backing file not supported for file format '%s'" :
                         "Unknown file format '%s'", args->format);
    }
    if (args->snapshot_node_name && block_node_find(args->snapshot_node_name)) {
        return error_set(errp, "New overlay node-name already in use");
    }
    overlay = make_overlay(node, args->snapshot_file, args->snapshot_node_name, is_new, errp);
    return overlay && take(step, node, overlay, errp);
}

void block_snapshot_step_undo(BlockSnapshotStep *step)
{
    if (step->overlay) {
        block_snapshot_undo(step->node, step->overlay, step->was_read_only);
    } else {
        block_image_snapshot(step->node, BLOCK_SNAPSHOT_DELETE, NULL, step->name);
    }
}

void block_snapshot_step_clear(BlockSnapshotStep *step)
{
    g_clear_pointer(&step->node, block_node_unref);
    g_clear_pointer(&step->overlay, block_node_unref);
    g_clear_pointer(&step->name, g_free);
}

bool qmp_blockdev_snapshot(const BlockdevSnapshot *args, Error **errp)
{
    BlockSnapshotStep step = { NULL };
    bool is_done;

    block_begin_quiet_all();
    is_done = block_snapshot_step(&step, args, errp);
    block_end_quiet_all();
    block_snapshot_step_clear(&step);
    return is_done;
}

bool qmp_blockdev_snapshot_sync(const BlockdevSnapshotSync *args, Error **errp)
{
    BlockSnapshotStep step = { NULL };
    bool is_done;

    block_begin_quiet_all();
    is_done = block_snapshot_sync_step(&step, args, errp);
    block_end_quiet_all();
    block_snapshot_step_clear(&step);
    return is_done;
}

/* --- those that are forgotten --- */

BlockNode *block_snapshot_temporary(BlockNode *node, Error **errp)
{
    const char *folder = g_getenv("TMPDIR");
    g_autofree char *path = g_build_filename(folder ? folder : "/var/tmp", "vl.XXXXXX", NULL);
    g_autoptr(BlockNode) file = NULL, overlay = NULL;
    int fd = g_mkstemp(path);

    if (fd < 0) {
        error_set_errno(errp, errno, "Could not create temporary file '%s'", path);
        return NULL;
    }
    close(fd);
    file = open_plain(path, errp);
    unlink(path); /* it lives as long as it is open */
    if (!file || !make_qcow2(file, node, NULL, errp)) {
        return NULL;
    }
    overlay = open_overlay(file, node, NULL, errp);
    if (!overlay || !block_node_attach_node(overlay, "backing", block_node_ref(node), errp)) {
        return NULL;
    }
    overlay->is_unsafe = file->is_unsafe = true; /* nothing of it has to last */
    return g_steal_pointer(&overlay);
}
