/*
 * Internal snapshots: the commands on those of one image.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/backend.h"

#include "block/snapshot.h"
#include "qapi/qapi-commands-block-core.h"

static bool is_one(const SnapshotInfo *info, const char *id, const char *name)
{
    return (!id || !strcmp(info->id, id)) && (!name || !strcmp(info->name, name));
}

SnapshotInfo *block_snapshot_find(BlockNode *node, const char *id, const char *name)
{
    g_autoptr(ImageInfo) image = block_image_info(node, false);

    for (size_t i = 0; image->snapshots && i < image->snapshots->count; i++) {
        if (is_one(image->snapshots->items[i], id, name)) {
            return snapshot_info_clone(image->snapshots->items[i]);
        }
    }
    return NULL;
}

static BlockNode *find_node(const char *device, Error **errp)
{
    BlockNode *node = block_node_of(device, device, errp);

    return node ? block_node_skip_filters(node) : NULL;
}

static bool report(BlockNode *node, const char *device, int err, Error **errp)
{
    if (err == -ENOTSUP) {
        return error_set(errp, "Block format '%s' used by device '%s' does not support internal "
                         "snapshots", node->driver->name, device);
    }
    return !err || error_set_errno(errp, -err, "Failed to work on snapshots of device '%s'",
                                   device);
}

bool block_snapshot_internal_step(BlockSnapshotStep *step, const BlockdevSnapshotInternal *args,
                                  Error **errp)
{
    BlockNode *node = find_node(args->device, errp);
    g_autoptr(SnapshotInfo) old = NULL;

    if (!node || !block_images_check_ours(node, errp)) {
        return false;
    }
    if (node->is_read_only) {
        return error_set(errp, "Device '%s' is read only", args->device);
    }
    if (!*args->name) {
        return error_set(errp, "Name is empty");
    }
    old = block_snapshot_find(node, NULL, args->name);
    if (old) {
        return error_set(errp, "Snapshot with name '%s' already exists on device '%s'", args->name,
                         args->device);
    }
    if (!report(node, args->device,
                block_image_snapshot(node, BLOCK_SNAPSHOT_CREATE, NULL, args->name), errp)) {
        return false;
    }
    *step = (BlockSnapshotStep){ .node = block_node_ref(node), .name = g_strdup(args->name) };
    return true;
}

bool qmp_blockdev_snapshot_internal_sync(const BlockdevSnapshotInternal *args, Error **errp)
{
    BlockSnapshotStep step = { NULL };
    bool is_done;

    block_begin_quiet_all();
    is_done = block_snapshot_internal_step(&step, args, errp);
    block_end_quiet_all();
    block_snapshot_step_clear(&step);
    return is_done;
}

SnapshotInfo *qmp_blockdev_snapshot_delete_internal_sync(const char *device, const char *id,
                                                         const char *name, Error **errp)
{
    BlockNode *node = find_node(device, errp);
    g_autoptr(SnapshotInfo) info = NULL;
    int err;

    if (!node || !block_images_check_ours(node, errp)) {
        return NULL;
    }
    if (!id && !name) {
        error_set(errp, "Name or id must be provided");
        return NULL;
    }
    info = block_snapshot_find(node, id, name);
    if (!info) {
        error_set(errp, "Snapshot with id '%s' and name '%s' does not exist on device '%s'",
                  id ? id : "", name ? name : "", device);
        return NULL;
    }
    block_begin_quiet_all();
    err = block_image_snapshot(node, BLOCK_SNAPSHOT_DELETE, info->id, NULL);
    block_end_quiet_all();
    return report(node, device, err, errp) ? g_steal_pointer(&info) : NULL;
}
