/*
 * See include/block/block_image.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/backing.h"
#include "block/bitmap.h"

int block_image_check(BlockNode *node, unsigned fixes, BlockCheck *result)
{
    *result = (BlockCheck){ 0 };
    return node->driver->check ? node->driver->check(node, fixes, result) : -ENOTSUP;
}

int block_image_snapshot(BlockNode *node, BlockSnapshotAct act, const char *id, const char *name)
{
    node = block_node_skip_filters(node);
    return node->driver->snapshot ? node->driver->snapshot(node, act, id, name) : -ENOTSUP;
}

bool block_image_has_snapshots(BlockNode *node)
{
    return block_node_skip_filters(node)->driver->snapshot_new != NULL;
}

int block_image_snapshot_new(BlockNode *node, const BlockSnapshotNew *new)
{
    node = block_node_skip_filters(node);
    return node->driver->snapshot_new ? node->driver->snapshot_new(node, new) : -ENOTSUP;
}

int block_image_vm_state(BlockNode *node, bool is_write, uint64_t offset, void *buf, size_t bytes)
{
    struct iovec iov = { buf, bytes };
    BlockIo io = { is_write ? BLOCK_WRITE : BLOCK_READ, 0, offset, bytes, &iov, 1 };

    node = block_node_skip_filters(node);
    return node->driver->vm_state ? node->driver->vm_state(node, &io) : -ENOTSUP;
}

int block_image_vm_state_drop(BlockNode *node)
{
    node = block_node_skip_filters(node);
    return node->driver->vm_state_drop ? node->driver->vm_state_drop(node) : -ENOTSUP;
}

char *block_formats_text(void)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (size_t i = 0; block_drivers[i]; i++) {
        g_string_append_printf(text, "%s%s", i ? " " : "", block_drivers[i]->name);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

bool block_format_is_known(const char *name)
{
    return block_driver_find(name) != NULL;
}

char *block_image_backing_path(const char *filename, const char *name, Error **errp)
{
    return block_backing_path_of(filename, name, errp);
}

bool block_image_set_backing(BlockNode *node, const char *name, const char *format, Error **errp)
{
    if (!node->driver->set_backing) {
        return error_set(errp, "Operation not supported");
    }
    return node->driver->set_backing(node, name, format, errp);
}

int block_image_empty(BlockNode *node)
{
    return node->driver->empty ? node->driver->empty(node) : -ENOTSUP;
}

bool block_image_amend(BlockNode *node, const BlockAmend *amend, Error **errp)
{
    return node->driver->amend ? node->driver->amend(node, amend, errp) :
           error_set(errp, "Format driver '%s' does not support option amendment",
                     node->driver->name);
}

bool block_image_begins_with_zeroes(BlockNode *node)
{
    node = block_node_skip_filters(node);
    if (node->backing || node->driver == &block_host_device) {
        return false;
    }
    return node->driver->is_protocol || !node->file ? node->driver == &block_file :
           node->driver == &block_qcow2 || block_image_begins_with_zeroes(node->file);
}

uint64_t block_image_compressed_bytes(BlockNode *node)
{
    return node->driver->compressed_bytes ? node->driver->compressed_bytes(node) : 0;
}

int block_image_finish(BlockNode *node)
{
    int err = node->is_read_only ? 0 : block_flush(node);

    return err || node->is_read_only || !node->driver->finish ? err : node->driver->finish(node);
}

BlockDirtyInfoArray *block_image_bitmaps(BlockNode *node)
{
    return block_bitmaps_info(node);
}

bool block_image_keeps_bitmaps(BlockNode *node)
{
    return node->driver->bitmap_can_be_kept &&
           node->driver->bitmap_can_be_kept(node, "x", 64 * KiB, NULL);
}
