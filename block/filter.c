/*
 * What filters share that show what their "file" shows: see block/driver.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/driver.h"

bool block_filter_open(BlockNode *node, const BlockdevRef *file, Error **errp)
{
    if (!block_node_attach(node, "file", file, errp)) {
        return false;
    }
    node->bytes = block_node_bytes(node->file);
    node->alignment = node->file->alignment;
    node->is_read_only |= node->file->is_read_only;
    return true;
}

void block_filter_renew(BlockNode *node)
{
    node->alignment = node->file->alignment;
    block_node_set_bytes(node, block_node_bytes(node->file));
}

int block_filter_extent(BlockNode *node, uint64_t offset, uint64_t bytes, BlockExtent *extent)
{
    return block_extent(node->file, offset, bytes, extent);
}

bool block_filter_resize(BlockNode *node, uint64_t bytes, BlockPrealloc prealloc, Error **errp)
{
    if (!block_node_resize(node->file, bytes, prealloc, errp)) {
        return false;
    }
    block_node_set_bytes(node, bytes);
    return true;
}
