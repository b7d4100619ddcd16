/*
 * Another size for a qcow2 image. See block/qcow2.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

#include "util/byte_order.h"

static uint64_t l1_needed(const BlockQcow2 *image, uint64_t bytes)
{
    unsigned shift = image->cluster_bits + image->l2_bits;

    return (bytes >> shift) + !!(bytes & (BIT64(shift) - 1));
}

static int write_l1(BlockQcow2 *image, uint64_t offset, const uint64_t *l1, uint64_t entries)
{
    uint64_t bytes = ROUND_UP(entries * 8, image->cluster);
    g_autofree uint8_t *raw = g_try_malloc0(bytes);

    if (!raw) {
        return -ENOMEM;
    }
    for (uint64_t i = 0; i < entries; i++) {
        store_be64(raw + i * 8, l1[i]);
    }
    return block_write(image->parent.file, offset, raw, bytes);
}

static int update_header(BlockQcow2 *image, const Qcow2Header *header)
{
    int err = qcow2_sync(image);

    err = err ? err : qcow2_header_update(header, image->parent.file);
    return err ? err : qcow2_barrier(image);
}

/* The header on the disk gets the new size with it. */
static int adopt_l1(BlockQcow2 *image, uint64_t *l1, uint64_t offset, uint64_t entries,
                    uint64_t bytes)
{
    Qcow2Header header = image->header;
    int err;

    memcpy(l1, image->l1, header.l1_entries * sizeof(*l1));
    block_event(image->parent.file, BLKDEBUG_EVENT_L1_GROW_WRITE_TABLE);
    header.l1_offset = offset;
    header.l1_entries = entries;
    header.bytes = bytes;
    err = write_l1(image, offset, l1, entries);
    block_event(image->parent.file, BLKDEBUG_EVENT_L1_GROW_ACTIVATE_TABLE);
    err = err ? err : update_header(image, &header);
    if (err) {
        return err;
    }
    g_mutex_lock(&image->lock);
    if (image->header.l1_entries) {
        qcow2_free(image, image->header.l1_offset, image->header.l1_entries * UINT64_C(8),
                   QCOW2_FREE_OTHER);
    }
    g_free(image->l1);
    image->l1 = l1;
    image->header = header;
    g_mutex_unlock(&image->lock);
    return 0;
}

static int move_l1(BlockQcow2 *image, uint64_t entries, uint64_t bytes)
{
    uint64_t clusters = ROUND_UP(entries * 8, image->cluster) >> image->cluster_bits, offset = 0;
    uint64_t *l1 = g_try_new0(uint64_t, entries);
    int err = l1 ? 0 : -ENOMEM;

    g_mutex_lock(&image->lock);
    err = err ? err : qcow2_alloc(image, clusters, &offset);
    g_mutex_unlock(&image->lock);
    err = err ? err : qcow2_sync(image); /* counts, and their table, before the header */
    err = err ? err : adopt_l1(image, l1, offset, entries, bytes);
    if (err) {
        g_mutex_lock(&image->lock);
        if (offset) {
            qcow2_free(image, offset, clusters << image->cluster_bits, QCOW2_FREE_OTHER);
        }
        g_mutex_unlock(&image->lock);
        g_free(l1);
    }
    return err;
}

int qcow2_grow_l1(BlockQcow2 *image, uint64_t entries)
{
    int err = qcow2_sync(image);

    if (!err && entries > QCOW2_MAX_L1_BYTES / 8) {
        err = -EFBIG;
    }
    return err ? err : move_l1(image, entries, image->header.bytes);
}

static int set_bytes(BlockQcow2 *image, uint64_t bytes)
{
    Qcow2Header header = image->header;
    int err;

    header.bytes = bytes;
    err = update_header(image, &header);
    if (!err) {
        image->header.bytes = bytes;
    }
    return err;
}

static int shrink(BlockQcow2 *image, uint64_t bytes)
{
    uint64_t old = image->header.bytes, from = ROUND_UP(bytes, image->cluster);
    int err = old > from ? qcow2_drop(image, from, ROUND_UP(old, image->cluster)) : 0;

    return err ? err : set_bytes(image, bytes);
}

/* The end of the last cluster may hold what was there before it shrank. */
static int zero_end(BlockQcow2 *image, uint64_t from, uint64_t to)
{
    uint64_t end = MIN(ROUND_UP(from, image->cluster), to);
    BlockIo io = { BLOCK_ZERO, BLOCK_MAY_UNMAP, from, end - from, NULL, 0 };

    return end > from ? block_io(&image->parent, &io) : 0;
}

/* What a longer backing file has there must not show through. */
static int hide_backing(BlockQcow2 *image, uint64_t from, uint64_t to)
{
    uint64_t end = image->parent.backing ? MIN(block_node_bytes(image->parent.backing), to) : 0;
    BlockIo io = { BLOCK_ZERO, BLOCK_MAY_UNMAP, from, end - from, NULL, 0 };

    return end > from ? block_io(&image->parent, &io) : 0;
}

static int grow(BlockQcow2 *image, uint64_t bytes)
{
    uint64_t needed = l1_needed(image, bytes);

    if (needed > QCOW2_MAX_L1_BYTES / 8) {
        return -EFBIG;
    }
    return needed > image->header.l1_entries ? move_l1(image, needed, bytes) :
                                               set_bytes(image, bytes);
}

static bool resize_alone(BlockQcow2 *image, uint64_t bytes, Error **errp)
{
    uint64_t old = image->header.bytes;
    int err;

    if (image->header.snapshots && image->header.version < 3) {
        return error_set(errp, "Can't resize a v2 image which has snapshots");
    }
    if (bytes % BLOCK_SECTOR_BYTES) {
        return error_set(errp, "The new size must be a multiple of %d", BLOCK_SECTOR_BYTES);
    }
    if (!qcow2_bitmaps_check(image, errp)) {
        return false;
    }
    qcow2_enter_alone(image);
    err = qcow2_bitmaps_mark(image);
    err = err ? err : qcow2_sync(image);
    err = err ? err : bytes < old ? shrink(image, bytes) : grow(image, bytes);
    qcow2_leave_alone(image);
    return !err || error_set_errno(errp, -err, "Failed to resize the image");
}

bool qcow2_resize(BlockNode *node, uint64_t bytes, BlockPrealloc prealloc, Error **errp)
{
    BlockQcow2 *image = qcow2_of(node);
    uint64_t old = block_node_bytes(node);
    int err;

    if (bytes % BLOCK_SECTOR_BYTES) {
        return error_set(errp, "The new size must be a multiple of %u", BLOCK_SECTOR_BYTES);
    }
    if (image->is_failed) {
        return error_set(errp, "Image is corrupt");
    }
    if (bytes < old && prealloc != BLOCK_PREALLOC_OFF) {
        return error_set(errp, "Preallocation can't be used for shrinking an image");
    }
    if (image->is_raw_data && !block_node_resize(image->data, bytes, BLOCK_PREALLOC_OFF, errp)) {
        return false;
    }
    if (bytes == old) {
        return true;
    }
    if (!resize_alone(image, bytes, errp)) {
        return false;
    }
    block_node_set_bytes(node, bytes);
    if (bytes < old) {
        return true;
    }
    err = zero_end(image, old, bytes);
    err = err ? err : hide_backing(image, old, bytes);
    if (!err && prealloc != BLOCK_PREALLOC_OFF) {
        return qcow2_preallocate(image, old, prealloc, errp);
    }
    return !err || error_set_errno(errp, -err, "Failed to fill the new part of the image");
}
