/*
 * Zeroes without data, and discards, in a qcow2 image. See block/qcow2.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

typedef struct Change {
    uint64_t from, to; /* in one cluster, whole subclusters */
    bool is_discard, may_unmap;
    bool is_gone; /* nothing may stay */
} Change;


/* Nothing can be seen through a hole here. */
static bool hides_nothing(const BlockQcow2 *image, uint64_t offset)
{
    BlockNode *backing = image->parent.backing;

    return !backing || (offset & ~(image->cluster - 1)) >= block_node_bytes(backing);
}

/* --- one cluster, with the lock --- */

static Qcow2Entry zero_subs(const BlockQcow2 *image, const Change *change, Qcow2Entry old)
{
    unsigned first = (change->from & (image->cluster - 1)) >> image->sub_bits;
    unsigned count = (change->to - change->from) >> image->sub_bits;
    uint64_t subs = (BIT64(count) - 1) << first;

    old.bitmap = (old.bitmap & ~subs) | subs << 32;
    return old;
}

/* A place without data would stay: it goes, unless it is to be kept. */
static bool drops_place(const BlockQcow2 *image, const Change *change, Qcow2Entry old,
                        Qcow2Entry new)
{
    if (old.l2 & QCOW2_ENTRY_COMPRESSED) {
        return true;
    }
    if (image->subs > 1 && (uint32_t)new.bitmap) {
        return false;
    }
    return change->may_unmap || !(old.l2 & QCOW2_ENTRY_COPIED);
}

static Qcow2Entry zero_entry(const BlockQcow2 *image, const Change *change, Qcow2Entry old)
{
    Qcow2Entry new = old;

    if (old.l2 & QCOW2_ENTRY_COMPRESSED || change->is_gone) {
        new = (Qcow2Entry){ 0 };
    }
    if (change->is_gone) {
        return new;
    }
    if (image->subs > 1) {
        new = zero_subs(image, change, new);
    } else if (image->header.version > 2) {
        new.l2 |= QCOW2_ENTRY_ZERO;
    }
    if (drops_place(image, change, old, new)) {
        new.l2 &= QCOW2_ENTRY_ZERO;
    }
    return new;
}

static int change_cluster(BlockQcow2 *image, const Change *change)
{
    Qcow2Entry old, new;
    int err = qcow2_entry_get(image, change->from, &old);

    if (err) {
        return err;
    }
    if (!old.l2 && !old.bitmap && hides_nothing(image, change->from)) {
        return 0;
    }
    new = zero_entry(image, change, old);
    if (new.l2 == old.l2 && new.bitmap == old.bitmap) {
        return 0;
    }
    err = qcow2_table_ensure(image, change->from);
    err = err ? err : qcow2_entry_set(image, change->from, new);
    if (!err && old.l2 & (QCOW2_ENTRY_COMPRESSED | QCOW2_OFFSET_MASK) &&
        !qcow2_entry_host(new)) {
        qcow2_entry_free(image, old, change->is_discard ? QCOW2_FREE_REQUEST : QCOW2_FREE_OTHER);
    }
    return err;
}

/* --- ranges --- */

/* Bytes from `offset` on that are holes nobody could tell from zeroes; none need a table. */
static uint64_t skip_holes(BlockQcow2 *image, uint64_t offset, uint64_t bytes)
{
    Qcow2Run run;

    return !image->parent.backing && !qcow2_find(image, offset, bytes, &run) &&
           run.kind == QCOW2_HOLE && !run.has_host ? run.bytes & ~(image->cluster - 1) : 0;
}

/* As much as can be done in one go; whole subclusters. */
static int change_some(BlockQcow2 *image, Change *change, uint64_t end)
{
    uint64_t next = ROUND_UP(change->from + 1, image->cluster), skip;
    Qcow2Claim claim;
    int err;

    g_mutex_lock(&image->lock);
    skip = image->is_failed ? 0 : skip_holes(image, change->from, end - change->from);
    if (skip) {
        change->to = change->from + skip;
        g_mutex_unlock(&image->lock);
        return 0;
    }
    change->to = MIN(next, end);
    qcow2_claim(image, &claim, next - image->cluster, next);
    err = image->is_failed ? -EIO : change_cluster(image, change);
    qcow2_unclaim(image, &claim);
    g_mutex_unlock(&image->lock);
    return err;
}

static int change_range(BlockQcow2 *image, uint64_t from, uint64_t to, Change *change)
{
    int err = 0;

    for (; from < to && !err; from = change->to) {
        change->from = from;
        err = change_some(image, change, to);
    }
    return err;
}

/* --- zeroes --- */

static bool reads_zero(BlockQcow2 *image, uint64_t offset, uint64_t bytes)
{
    Qcow2Run run;
    bool is_zero;

    g_mutex_lock(&image->lock);
    is_zero = !qcow2_find(image, offset, bytes, &run) && run.bytes == bytes &&
              (run.kind == QCOW2_ZERO || (run.kind == QCOW2_HOLE && hides_nothing(image, offset)));
    g_mutex_unlock(&image->lock);
    return is_zero;
}

/* Less than a unit. */
static int write_zeroes(BlockQcow2 *image, const BlockIo *io, uint64_t from, uint64_t to)
{
    g_autofree uint8_t *zeroes = NULL;
    struct iovec iov;
    BlockIo part = { BLOCK_WRITE, 0, from, to - from, &iov, 1 };

    if (from >= to || reads_zero(image, from, to - from)) {
        return 0;
    }
    if (io->flags & BLOCK_NO_FALLBACK) {
        return -ENOTSUP;
    }
    zeroes = g_try_malloc0(to - from);
    iov = (struct iovec){ zeroes, to - from };
    return zeroes ? qcow2_write(image, &part) : -ENOMEM;
}

/* A compressed cluster has no subclusters: only the whole of it can turn into zeroes. */
static uint64_t unit_at(BlockQcow2 *image, uint64_t offset)
{
    Qcow2Entry entry;
    bool is_packed;

    if (image->subs == 1) {
        return image->cluster;
    }
    g_mutex_lock(&image->lock);
    is_packed = !qcow2_entry_get(image, offset, &entry) && entry.l2 & QCOW2_ENTRY_COMPRESSED;
    g_mutex_unlock(&image->lock);
    return is_packed ? image->cluster : BIT64(image->sub_bits);
}

static int zero_data_file(BlockQcow2 *image, const BlockIo *io)
{
    BlockIo part = { BLOCK_ZERO, io->flags & ~BLOCK_FUA, io->offset, io->bytes, NULL, 0 };

    return block_io(image->data, &part);
}

int qcow2_zero(BlockQcow2 *image, const BlockIo *io)
{
    uint64_t end = io->offset + io->bytes, from, to;
    Change change = { .may_unmap = io->flags & BLOCK_MAY_UNMAP && !image->options.keeps_discarded };
    int err = 0;

    if (image->header.version < 3 && (image->parent.backing || !change.may_unmap)) {
        return -ENOTSUP;
    }
    from = ROUND_UP(io->offset, unit_at(image, io->offset));
    to = end == block_node_bytes(&image->parent) ? ROUND_UP(end, image->cluster) :
                                                   ROUND_DOWN(end, unit_at(image, end));
    if (image->is_raw_data) {
        err = zero_data_file(image, io);
    }
    err = err ? err : write_zeroes(image, io, io->offset, MIN(from, end));
    err = err ? err : change_range(image, from, to, &change);
    return err ? err : write_zeroes(image, io, MAX(MAX(from, to), io->offset), end);
}

/* --- discards --- */

static int discard_data_file(BlockQcow2 *image, const BlockIo *io)
{
    BlockIo part = { BLOCK_DISCARD, 0, io->offset, io->bytes, NULL, 0 };

    if (image->is_raw_data) {
        part.op = BLOCK_ZERO; /* who reads the file alone sees what we do */
        part.flags = BLOCK_MAY_UNMAP;
    }
    return image->options.discards[QCOW2_FREE_REQUEST] || image->is_raw_data ?
               block_io(image->data, &part) : 0;
}

int qcow2_discard(BlockQcow2 *image, const BlockIo *io)
{
    uint64_t end = io->offset + io->bytes;
    uint64_t from = ROUND_UP(io->offset, image->cluster);
    uint64_t to = end == block_node_bytes(&image->parent) ? ROUND_UP(end, image->cluster) :
                                                            ROUND_DOWN(end, image->cluster);
    Change change = { .is_discard = true, .may_unmap = !image->options.keeps_discarded };
    BlockIo whole = { BLOCK_DISCARD, 0, from, to - from, NULL, 0 };
    int err;

    if (from >= to || (image->header.version < 3 && image->parent.backing)) {
        return 0;
    }
    err = change_range(image, from, to, &change);
    if (!err && image->has_data_file) {
        whole.bytes = MIN(to, block_node_bytes(&image->parent)) - from;
        err = discard_data_file(image, &whole);
    }
    return err;
}

int qcow2_drop(BlockQcow2 *image, uint64_t from, uint64_t to)
{
    Change change = { .is_discard = true, .may_unmap = true, .is_gone = true };

    return change_range(image, from, to, &change);
}
