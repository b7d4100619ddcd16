/*
 * What clients are told of nodes and drives: query-block, query-named-block-nodes,
 * query-blockstats, and what an image says of itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/accounting.h"
#include "block/bitmap.h"

#include "qapi/qapi-commands-block-core.h"

/* --- images --- */

static void fill_info(BlockNode *node, BlockNodeInfo *info)
{
    int64_t host = node->driver->host_bytes ? node->driver->host_bytes(node) : -1;

    info->filename = g_strdup(block_node_filename(node));
    info->format = g_strdup(node->driver->name);
    info->virtual_size = block_node_bytes(node);
    info->has_actual_size = host >= 0;
    info->actual_size = host;
    info->has_dirty_flag = true;
    if (node->driver->info) {
        node->driver->info(node, info);
    }
}

ImageInfo *block_image_info(BlockNode *node, bool with_chain)
{
    ImageInfo *info = g_new0(ImageInfo, 1);

    fill_info(node, (BlockNodeInfo *)info);
    if (with_chain && node->backing) {
        info->backing_image = block_image_info(node->backing, true);
    }
    return info;
}

/* --- nodes --- */

static unsigned backing_depth(const BlockNode *node)
{
    unsigned depth = 0;

    for (; node->backing; node = node->backing) {
        depth++;
    }
    return depth;
}

static BlockDeviceInfo *node_info(BlockNode *node, bool is_writeback, bool is_flat)
{
    BlockDeviceInfo *info = g_new0(BlockDeviceInfo, 1);

    info->file = g_strdup(block_node_filename(node));
    info->node_name = g_strdup(node->name);
    info->ro = node->is_read_only;
    info->drv = g_strdup(node->driver->name);
    info->backing_file = node->backing ? g_strdup(block_node_filename(node->backing)) : NULL;
    info->backing_file_depth = backing_depth(node);
    info->detect_zeroes = node->detect_zeroes;
    info->dirty_bitmaps = block_bitmaps_info(node);
    info->image = block_image_info(node, !is_flat);
    info->cache = g_new0(BlockdevCacheInfo, 1);
    info->cache->writeback = is_writeback;
    info->cache->direct = node->is_direct;
    info->cache->no_flush = node->is_unsafe;
    return info;
}

static void note_node(void *opaque, BlockNode *node)
{
    g_ptr_array_insert(opaque, 0, node);
}

BlockDeviceInfoArray *qmp_query_named_block_nodes(bool has_flat, bool flat, Error **errp)
{
    BlockDeviceInfoArray *list = g_new0(BlockDeviceInfoArray, 1);
    g_autoptr(GPtrArray) nodes = g_ptr_array_new();

    block_node_each(note_node, nodes);
    for (guint i = 0; i < nodes->len; i++) {
        block_device_info_array_add(list, node_info(nodes->pdata[i], true, flat));
    }
    return list;
}

/* --- drives --- */

static void fill_tray(const BlockBackend *drive, BlockInfo *info)
{
    const BlockDeviceOps *ops = drive->ops;

    info->removable = !ops || ops->has_removable;
    info->locked = ops && ops->is_locked && ops->is_locked(drive->opaque);
    info->has_tray_open = ops && ops->is_tray_open;
    info->tray_open = info->has_tray_open && ops->is_tray_open(drive->opaque);
    /* A floppy drive does not say how its last request ended. */
    info->has_io_status = block_backend_tells_status(drive) && (!info->removable || info->has_tray_open);
    info->io_status = drive->io_status;
}

static void add_drive(void *opaque, BlockBackend *drive)
{
    g_autofree char *device = block_backend_device_name(drive);
    BlockNode *node = block_backend_node(drive);
    BlockInfo *info;

    if (!drive->name && !*device) {
        return;
    }
    info = g_new0(BlockInfo, 1);
    info->device = g_strdup(block_backend_name(drive));
    info->qdev = *device ? g_strdup(device) : NULL;
    info->type = g_strdup("unknown");
    fill_tray(drive, info);
    if (node) {
        info->inserted = node_info(node, drive->has_write_cache, false);
        block_backend_fill_limits(drive, info->inserted);
    }
    block_info_array_add(opaque, info);
}

BlockInfoArray *qmp_query_block(Error **errp)
{
    BlockInfoArray *list = g_new0(BlockInfoArray, 1);

    block_backend_each(add_drive, list);
    return list;
}

/* --- counts --- */

static BlockDeviceStats *zero_stats(BlockNode *node)
{
    BlockDeviceStats *stats = g_new0(BlockDeviceStats, 1);

    stats->timed_stats = g_new0(BlockDeviceTimedStatsArray, 1);
    stats->wr_highest_offset = node ? __atomic_load_n(&node->highest_write, __ATOMIC_RELAXED) : 0;
    return stats;
}

static BlockStats *node_stats(BlockNode *node)
{
    BlockStats *stats = g_new0(BlockStats, 1);

    stats->node_name = g_strdup(node->name);
    stats->stats = zero_stats(node);
    if (node->driver->stats) {
        node->driver->stats(node, stats);
    }
    stats->parent = node->file ? node_stats(node->file) : NULL;
    stats->backing = node->backing ? node_stats(node->backing) : NULL;
    return stats;
}

static void add_drive_stats(void *opaque, BlockBackend *drive)
{
    g_autofree char *device = block_backend_device_name(drive);
    BlockNode *node = block_backend_node(drive);
    BlockStats *stats;

    if (!drive->name && !*device) {
        return;
    }
    if (node) {
        stats = node_stats(node);
    } else {
        stats = g_new0(BlockStats, 1);
        stats->stats = zero_stats(NULL);
    }
    stats->device = g_strdup(block_backend_name(drive));
    stats->qdev = *device ? g_strdup(device) : NULL;
    block_fill_counts(drive, stats->stats);
    block_stats_array_add(opaque, stats);
}

static void add_node_stats(void *opaque, BlockNode *node)
{
    block_stats_array_add(opaque, node_stats(node));
}

BlockStatsArray *qmp_query_blockstats(bool has_query_nodes, bool query_nodes, Error **errp)
{
    BlockStatsArray *list = g_new0(BlockStatsArray, 1);

    if (query_nodes) {
        block_node_each(add_node_stats, list);
    } else {
        block_backend_each(add_drive_stats, list);
    }
    return list;
}
