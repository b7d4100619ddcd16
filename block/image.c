/*
 * See include/block/block_image.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/driver.h"

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
