/*
 * Clusters for what a qcow2 image does not have yet. See block/qcow2.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

#define MAX_BYTES (64 * MiB) /* made at once */

static bool is_empty(const BlockQcow2 *image, Qcow2Entry entry)
{
    return !(entry.l2 & ~QCOW2_ENTRY_ZERO) && !(uint32_t)entry.bitmap;
}

/* Clusters in a row from `offset` on that have no place, as far as the table goes. */
static int count_empty(BlockQcow2 *image, uint64_t offset, uint64_t end, uint64_t *clusters)
{
    uint64_t limit = (offset | (BIT64(image->cluster_bits + image->l2_bits) - 1)) + 1;

    limit = MIN(MIN(limit, end), offset + MAX_BYTES);
    for (*clusters = 0; offset < limit; offset += image->cluster, ++*clusters) {
        Qcow2Entry entry;
        int err = qcow2_entry_get(image, offset, &entry);

        if (err || !is_empty(image, entry)) {
            return err;
        }
    }
    return 0;
}

/* What the file has from `fresh` on is zeroes. */
static int clear_host(BlockQcow2 *image, uint64_t host, uint64_t bytes, uint64_t fresh)
{
    BlockIo io = { BLOCK_ZERO, 0, host, host < fresh ? MIN(bytes, fresh - host) : 0, NULL, 0 };

    return io.bytes ? block_io(image->data, &io) : 0;
}

static int fill(BlockQcow2 *image, uint64_t offset, uint64_t clusters, uint64_t host)
{
    int err = 0;

    for (uint64_t i = 0; i < clusters && !err; i++) {
        uint64_t at = i << image->cluster_bits;
        Qcow2Entry entry = { (host + at) | QCOW2_ENTRY_COPIED,
                             image->subs > 1 ? UINT32_MAX : 0 };

        err = qcow2_entry_set(image, offset + at, entry);
    }
    return err;
}

/* With the lock; *end: of what it got in the file. */
static int make_some(BlockQcow2 *image, uint64_t offset, uint64_t to, uint64_t fresh,
                     uint64_t *bytes, uint64_t *end)
{
    uint64_t clusters = 0, host = offset;
    int err = qcow2_table_ensure(image, offset);

    err = err ? err : count_empty(image, offset, to, &clusters);
    if (err || !clusters) {
        *bytes = image->cluster;
        return err;
    }
    if (!image->has_data_file) {
        err = qcow2_alloc_some(image, &clusters, &host);
    }
    *bytes = clusters << image->cluster_bits;
    err = err ? err : clear_host(image, host, *bytes, fresh);
    *end = MAX(*end, host + *bytes);
    return err ? err : fill(image, offset, clusters, host);
}

static int make_all(BlockQcow2 *image, uint64_t from, uint64_t to, uint64_t fresh)
{
    uint64_t bytes, end = 0;
    uint8_t zero = 0;
    int err = 0;

    for (; from < to && !err; from += bytes) {
        g_mutex_lock(&image->lock);
        err = qcow2_sync_some(image);
        err = err ? err : make_some(image, from, to, fresh, &bytes, &end);
        g_mutex_unlock(&image->lock);
    }
    if (!err && end > block_node_bytes(image->data)) {
        err = block_write(image->data, end - 1, &zero, 1);
    }
    return err;
}

/* Bytes of tables for so much data; a little more is no harm. */
static uint64_t tables_for(const BlockQcow2 *image, uint64_t bytes)
{
    uint64_t clusters = bytes >> image->cluster_bits;
    uint64_t l2 = (clusters >> image->l2_bits) + 1;
    uint64_t refblocks = ((clusters + l2) >> image->refblock_bits) + 1;

    return (l2 + refblocks) << image->cluster_bits;
}

bool qcow2_preallocate(BlockQcow2 *image, uint64_t from, BlockPrealloc prealloc, Error **errp)
{
    uint64_t to = ROUND_UP(image->header.bytes, image->cluster);
    uint64_t fresh = block_node_bytes(image->data), wanted;
    int err;

    from = ROUND_UP(from, image->cluster);
    if (from >= to) {
        return true;
    }
    if (prealloc != BLOCK_PREALLOC_METADATA) {
        wanted = image->has_data_file ? image->header.bytes :
                                        fresh + to - from + tables_for(image, to - from);
        if (!block_node_resize(image->data, MAX(wanted, fresh), prealloc, errp)) {
            return false;
        }
    }
    err = make_all(image, from, to, fresh);
    return !err || error_set_errno(errp, -err, "Could not preallocate");
}
