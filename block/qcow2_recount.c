/*
 * A qcow2 image's reference counts, made anew: where the old ones cannot be used, or are to have
 * another width. See block/qcow2.h.
 *
 * The new ones go behind all that is used; the header with their place and width comes last, so
 * that the old ones hold until then.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2_check.h"

/* Where the new counts go: behind all that is used. Blocks come first. */
typedef struct Layout {
    GArray *indexes;     /* uint64_t: which blocks there are */
    uint64_t first, blocks, table_clusters;
} Layout;

/* Of blocks that have something to count. */
static GArray *used_indexes(Qcow2Check *check)
{
    g_autoptr(GPtrArray) pages = qcow2_check_pages(check);
    GArray *indexes = g_array_new(FALSE, FALSE, sizeof(uint64_t));

    for (guint i = 0; i < pages->len; i++) {
        const Qcow2CheckPage *page = pages->pdata[i];

        for (unsigned j = 0; j < BIT(QCOW2_CHECK_BITS); j++) {
            uint64_t index = (page->first + j) >> check->image->refblock_bits;

            if (page->counts[j] && (!indexes->len || index != g_array_index(indexes, uint64_t,
                                                                            indexes->len - 1))) {
                g_array_append_val(indexes, index);
            }
        }
    }
    return indexes;
}

static int lay_out(Qcow2Check *check, Layout *layout)
{
    BlockQcow2 *image = check->image;
    uint64_t used, last, from, to;

    layout->indexes = used_indexes(check);
    layout->first = MAX(check->end, ROUND_UP(check->file_bytes, image->cluster) >>
                                    image->cluster_bits);
    layout->blocks = layout->indexes->len;
    layout->table_clusters = 1;
    used = layout->blocks ? g_array_index(layout->indexes, uint64_t, layout->blocks - 1) : 0;
    from = layout->first >> image->refblock_bits;
    from += layout->blocks && used == from;
    do {
        last = layout->blocks;
        to = (layout->first + layout->blocks + layout->table_clusters - 1) >> image->refblock_bits;
        layout->blocks = layout->indexes->len + (to >= from ? to - from + 1 : 0);
        layout->table_clusters = ROUND_UP((to + 1) * 8, image->cluster) >> image->cluster_bits;
        if (layout->table_clusters > QCOW2_MAX_REFTABLE_BYTES >> image->cluster_bits) {
            return -EFBIG;
        }
    } while (layout->blocks != last);
    for (; from <= to; from++) {
        g_array_append_val(layout->indexes, from);
    }
    for (uint64_t i = 0; i < layout->blocks + layout->table_clusters; i++) {
        *qcow2_check_count(check, layout->first + i) = 1;
    }
    check->end = layout->first + layout->blocks + layout->table_clusters;
    return 0;
}

static int fill_blocks(Qcow2Check *check)
{
    BlockQcow2 *image = check->image;
    g_autoptr(GPtrArray) pages = qcow2_check_pages(check);
    int err = 0;

    for (guint i = 0; i < pages->len; i++) {
        const Qcow2CheckPage *page = pages->pdata[i];

        for (unsigned j = 0; j < BIT(QCOW2_CHECK_BITS) && !err; j++) {
            if (page->counts[j]) {
                err = page->counts[j] > image->refcount_max ? -EOVERFLOW :
                      qcow2_refcount_set(image, page->first + j, page->counts[j]);
            }
        }
    }
    return err;
}

/* The old counts' places are free. */
static void forget_blocks(BlockQcow2 *image)
{
    for (uint64_t i = 0; i < image->reftable_entries; i++) {
        uint64_t offset = image->reftable[i] & QCOW2_REFTABLE_MASK;

        g_hash_table_remove(image->metadata, GSIZE_TO_POINTER(offset >> image->cluster_bits));
    }
    qcow2_cache_empty(&image->refblocks);
    g_clear_pointer(&image->reftable, g_free);
    image->reftable_entries = image->header.reftable_clusters = 0;
    image->free_hint = image->packed_at = 0;
}

static int adopt(Qcow2Check *check, const Layout *layout)
{
    BlockQcow2 *image = check->image;

    image->reftable_entries = (layout->table_clusters << image->cluster_bits) / 8;
    image->reftable = g_new0(uint64_t, image->reftable_entries);
    image->header.reftable_offset = (layout->first + layout->blocks) << image->cluster_bits;
    image->header.reftable_clusters = layout->table_clusters;
    image->is_reftable_moved = true;
    for (uint64_t i = 0; i < layout->blocks; i++) {
        uint64_t offset = (layout->first + i) << image->cluster_bits;

        image->reftable[g_array_index(layout->indexes, uint64_t, i)] = offset;
        g_hash_table_add(image->metadata, GSIZE_TO_POINTER(layout->first + i));
        if (!qcow2_cache_new(&image->refblocks, offset)) {
            return -ENOMEM;
        }
    }
    return fill_blocks(check);
}

int qcow2_check_rebuild(Qcow2Check *check)
{
    BlockQcow2 *image = check->image;
    Layout layout = { 0 };
    int err;

    g_hash_table_remove_all(check->pages);
    check->end = 0;
    forget_blocks(image);
    *check->result = (BlockCheck){ 0 };
    err = qcow2_check_all(check);
    err = err ? err : lay_out(check, &layout);
    err = err ? err : adopt(check, &layout);
    if (layout.indexes) {
        g_array_unref(layout.indexes);
    }
    return err;
}

/* --- counts of another width --- */

/* The old counts are right, and the new ones have room for them. */
static bool check_width(Qcow2Check *check, unsigned order, Error **errp)
{
    uint64_t max = order == 6 ? INT64_MAX : BIT64(1u << order) - 1;
    g_autoptr(GPtrArray) pages = NULL;

    if (!qcow2_check_all(check)) {
        qcow2_check_compare(check);
    }
    if (check->result->errors || check->result->corruptions) {
        return error_set(errp, "The image is damaged: 'qemu-img check -r all' may repair it");
    }
    pages = qcow2_check_pages(check);
    for (guint i = 0; i < pages->len << QCOW2_CHECK_BITS; i++) {
        const Qcow2CheckPage *page = pages->pdata[i >> QCOW2_CHECK_BITS];
        unsigned at = i & (BIT(QCOW2_CHECK_BITS) - 1);

        if (page->counts[at] > max) {
            return error_set(errp, "Cannot decrease refcount entry width to %u bits: Cluster at "
                             "offset %#" PRIx64 " has a refcount of %" PRIu32, 1u << order,
                             (page->first + at) << check->image->cluster_bits, page->counts[at]);
        }
    }
    return true;
}

static int change_width(Qcow2Check *check, unsigned order)
{
    BlockQcow2 *image = check->image;
    int err;

    forget_blocks(image);
    image->header.refcount_order = order;
    qcow2_set_geometry(image);
    err = qcow2_check_rebuild(check);
    g_mutex_unlock(&image->lock);
    err = err ? err : qcow2_sync(image);
    g_mutex_lock(&image->lock);
    image->is_failed = err; /* what is in memory is not what the disk has */
    return err;
}

bool qcow2_recount(BlockQcow2 *image, unsigned refcount_order, Error **errp)
{
    BlockCheck result = { 0 };
    Qcow2Check check = qcow2_check_of(image, 0, &result);
    int err = qcow2_sync(image);
    bool is_possible;

    err = err ? err : qcow2_sync(image); /* counts that shrank */
    g_mutex_lock(&image->lock);
    is_possible = !err && check_width(&check, refcount_order, errp);
    if (is_possible) {
        err = change_width(&check, refcount_order);
    }
    g_mutex_unlock(&image->lock);
    g_hash_table_unref(check.pages);
    return err ? error_set_errno(errp, -err, "Could not change the width of reference counts") :
                 is_possible;
}
