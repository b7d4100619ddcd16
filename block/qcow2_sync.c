/*
 * Bringing a qcow2 image's tables to the disk in the order that keeps it whole: see
 * block/qcow2.h. What is to be written is copied with the lock held, and written without it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

#include "util/byte_order.h"

#include "trace.h"

#define PAGE 4096 /* no smaller part of a table is written */
#define MANY_FREES 4096

/* A part of a table on its way. */
typedef struct Piece {
    Qcow2Block *block; /* NULL: of the L1 or the reference table */
    uint64_t offset;
    uint32_t at, bytes;
    uint8_t *data;
} Piece;

typedef struct Batch {
    GArray *refblocks, *reftable, *l2, *l1; /* Piece */
    bool has_header, needs_barrier;
    Qcow2Header header; /* borrows all that it points to */
    uint64_t generation;
} Batch;

static void clear_piece(gpointer piece)
{
    g_free(((Piece *)piece)->data);
}

static GArray *pieces_new(void)
{
    GArray *pieces = g_array_new(FALSE, FALSE, sizeof(Piece));

    g_array_set_clear_func(pieces, clear_piece);
    return pieces;
}

/* --- collecting, with the lock --- */

static void collect_blocks(Qcow2Cache *cache, GArray *to)
{
    for (GList *at = cache->lru.head; at && cache->dirty; at = at->next) {
        Qcow2Block *block = at->data;
        uint32_t from, bytes;

        if (block->dirty_from == block->dirty_to) {
            continue;
        }
        from = ROUND_DOWN(block->dirty_from, PAGE);
        bytes = MIN(ROUND_UP(block->dirty_to, PAGE), cache->entry_bytes) - from;
        g_array_append_val(to, ((Piece){ block, block->offset + from, from, bytes,
                                         g_memdup2(block->data + from, bytes) }));
        block->dirty_from = block->dirty_to = 0;
        block->is_writing = true;
        cache->dirty--;
    }
}

/* Entries [*from, *to) of a table that stands at `offset`. */
static void collect_table(const uint64_t *table, uint64_t offset, uint32_t *from, uint32_t *to,
                          GArray *pieces)
{
    uint32_t bytes = (*to - *from) * 8;
    uint8_t *data;

    if (!bytes) {
        return;
    }
    data = g_malloc(bytes);
    for (uint32_t i = *from; i < *to; i++) {
        store_be64(data + (i - *from) * 8, table[i]);
    }
    g_array_append_val(pieces, ((Piece){ NULL, offset + *from * UINT64_C(8), *from, bytes,
                                         data }));
    *from = *to = 0;
}

static void collect(BlockQcow2 *image, Batch *batch)
{
    if (image->is_reftable_moved) {
        image->reftable_dirty_from = 0;
        image->reftable_dirty_to = image->reftable_entries;
        batch->has_header = true;
        image->is_reftable_moved = false;
    }
    batch->header = image->header;
    collect_blocks(&image->refblocks, batch->refblocks);
    collect_table(image->reftable, image->header.reftable_offset, &image->reftable_dirty_from,
                  &image->reftable_dirty_to, batch->reftable);
    collect_blocks(&image->l2, batch->l2);
    collect_table(image->l1, image->header.l1_offset, &image->l1_dirty_from,
                  &image->l1_dirty_to, batch->l1);
    batch->needs_barrier = image->needs_barrier;
    image->needs_barrier = false;
    batch->generation = ++image->generation;
}

/* --- writing, without --- */

static int write_pieces(BlockQcow2 *image, const GArray *pieces, BlkdebugEvent event)
{
    int err = 0;

    for (guint i = 0; i < pieces->len && !err; i++) {
        const Piece *piece = &g_array_index(pieces, Piece, i);

        block_event(image->parent.file, event);
        err = block_write(image->parent.file, piece->offset, piece->data, piece->bytes);
    }
    return err;
}

int qcow2_barrier(BlockQcow2 *image)
{
    int err = image->parent.is_unsafe ? 0 : block_flush(image->parent.file);

    if (!err && image->data != image->parent.file && !image->parent.is_unsafe) {
        err = block_flush(image->data);
    }
    return err;
}

/* Tables that lead to what was written before. */
static int write_next(BlockQcow2 *image, const GArray *pieces, BlkdebugEvent event,
                      bool *has_written)
{
    int err = 0;

    if (!pieces->len) {
        return 0;
    }
    if (*has_written) {
        err = qcow2_barrier(image);
    }
    *has_written = true;
    return err ? err : write_pieces(image, pieces, event);
}

static int write_batch(BlockQcow2 *image, const Batch *batch)
{
    bool has_written = batch->needs_barrier;
    int err = write_pieces(image, batch->refblocks, BLKDEBUG_EVENT_REFBLOCK_UPDATE_PART);

    /* An image that is marked as dirty has its counts made anew if it comes to that. */
    has_written |= batch->refblocks->len && !(batch->header.incompatible & QCOW2_INCOMPAT_DIRTY);
    err = err ? err : write_next(image, batch->reftable, BLKDEBUG_EVENT_REFTABLE_UPDATE, &has_written);
    if (!err && batch->has_header) {
        err = qcow2_barrier(image);
        err = err ? err : qcow2_header_update(&batch->header, image->parent.file);
    }
    err = err ? err : write_next(image, batch->l2, BLKDEBUG_EVENT_L2_UPDATE, &has_written);
    return err ? err : write_next(image, batch->l1, BLKDEBUG_EVENT_L1_UPDATE, &has_written);
}

/* --- afterwards --- */

/* What was not written is dirty again. */
static void settle_blocks(Qcow2Cache *cache, const GArray *pieces, int err)
{
    for (guint i = 0; i < pieces->len; i++) {
        const Piece *piece = &g_array_index(pieces, Piece, i);

        piece->block->is_writing = false;
        if (err) {
            qcow2_cache_dirty(cache, piece->block, piece->at, piece->bytes);
        }
    }
}

static void redirty(const GArray *pieces, uint32_t *from, uint32_t *to)
{
    for (guint i = 0; i < pieces->len; i++) {
        const Piece *piece = &g_array_index(pieces, Piece, i);
        uint32_t end = piece->at + piece->bytes / 8;

        *from = *from == *to ? piece->at : MIN(*from, piece->at);
        *to = MAX(*to, end);
    }
}

static void settle(BlockQcow2 *image, Batch *batch, int err)
{
    settle_blocks(&image->refblocks, batch->refblocks, err);
    settle_blocks(&image->l2, batch->l2, err);
    if (err) {
        redirty(batch->reftable, &image->reftable_dirty_from, &image->reftable_dirty_to);
        redirty(batch->l1, &image->l1_dirty_from, &image->l1_dirty_to);
        image->is_reftable_moved |= batch->has_header;
        image->needs_barrier |= batch->needs_barrier;
    } else {
        image->synced = batch->generation;
    }
}

static bool is_empty(const Batch *batch)
{
    return !batch->refblocks->len && !batch->reftable->len && !batch->l2->len && !batch->l1->len;
}

/* With sync_lock. `is_last`: all is durable in the end. */
static int sync_tables(BlockQcow2 *image, bool is_last)
{
    Batch batch = { pieces_new(), pieces_new(), pieces_new(), pieces_new() };
    int err;

    g_mutex_lock(&image->lock);
    collect(image, &batch);
    g_mutex_unlock(&image->lock);
    trace_qcow2_sync(image->parent.name, batch.refblocks->len, batch.l2->len, is_last);
    err = write_batch(image, &batch);
    if (!err && (is_last || !is_empty(&batch))) {
        err = qcow2_barrier(image);
    }
    g_mutex_lock(&image->lock);
    settle(image, &batch, err);
    if (!err && image->frees->len) {
        err = qcow2_do_frees(image);
    }
    g_mutex_unlock(&image->lock);
    g_array_unref(batch.refblocks);
    g_array_unref(batch.reftable);
    g_array_unref(batch.l2);
    g_array_unref(batch.l1);
    return err;
}

int qcow2_sync(BlockQcow2 *image)
{
    int err;

    g_mutex_lock(&image->sync_lock);
    err = sync_tables(image, true);
    g_mutex_unlock(&image->sync_lock);
    return err;
}

bool qcow2_wants_sync(const BlockQcow2 *image)
{
    return image->l2.dirty > image->l2.max / 2 ||
           image->refblocks.dirty > MAX(image->refblocks.max / 2, MIN(image->l2.max, 64)) ||
           image->frees->len > MANY_FREES;
}

int qcow2_sync_some(BlockQcow2 *image)
{
    int err = 0;

    if (qcow2_wants_sync(image) && g_mutex_trylock(&image->sync_lock)) {
        g_mutex_unlock(&image->lock);
        err = sync_tables(image, false);
        g_mutex_unlock(&image->sync_lock);
        g_mutex_lock(&image->lock);
    }
    return err;
}
