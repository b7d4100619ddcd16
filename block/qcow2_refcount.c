/*
 * Reference counts of a qcow2 image's clusters: finding free ones, letting go of others. See
 * block/qcow2.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

#include "block/qcow2_snapshot.h"
#include "util/byte_order.h"

#include "trace.h"

/* --- counts in a block --- */

uint64_t qcow2_count_of(const uint8_t *block, unsigned order, uint64_t index)
{
    switch (order) {
    case 3:
        return block[index];
    case 4:
        return load_be16(block + index * 2);
    case 5:
        return load_be32(block + index * 4);
    case 6:
        return load_be64(block + index * 8);
    default: {
        unsigned bits = BIT(order), in_byte = 8 / bits;

        return block[index / in_byte] >> index % in_byte * bits & (BIT(bits) - 1);
    }
    }
}

void qcow2_set_count(uint8_t *block, unsigned order, uint64_t index, uint64_t count)
{
    switch (order) {
    case 3:
        block[index] = count;
        break;
    case 4:
        store_be16(block + index * 2, count);
        break;
    case 5:
        store_be32(block + index * 4, count);
        break;
    case 6:
        store_be64(block + index * 8, count);
        break;
    default: {
        unsigned bits = BIT(order), in_byte = 8 / bits, shift = index % in_byte * bits;
        uint8_t *at = block + index / in_byte;

        *at = (*at & ~((BIT(bits) - 1) << shift)) | count << shift;
        break;
    }
    }
}

/* --- blocks --- */

/* NULL with *err 0: all its clusters are free. */
static Qcow2Block *block_of(BlockQcow2 *image, uint64_t cluster, int *err)
{
    uint64_t index = cluster >> image->refblock_bits, entry;

    *err = 0;
    entry = index < image->reftable_entries ? image->reftable[index] & QCOW2_REFTABLE_MASK : 0;
    if (!entry) {
        return NULL;
    }
    if (entry % image->cluster) {
        *err = qcow2_corrupt(image, entry, 0, "Refblock offset %#" PRIx64 " unaligned (reftable "
                             "index: %#" PRIx64 ")", entry, index);
        return NULL;
    }
    return qcow2_cache_get(image, &image->refblocks, entry, err);
}

static uint64_t index_in_block(const BlockQcow2 *image, uint64_t cluster)
{
    return cluster & (BIT64(image->refblock_bits) - 1);
}

static void set_count(BlockQcow2 *image, Qcow2Block *block, uint64_t cluster, uint64_t count)
{
    uint64_t index = index_in_block(image, cluster);
    uint64_t bit = index << image->header.refcount_order;

    qcow2_set_count(block->data, image->header.refcount_order, index, count);
    qcow2_cache_dirty(&image->refblocks, block, bit / 8,
                      MAX(BIT(image->header.refcount_order) / 8, 1));
}

int qcow2_refcount_get(BlockQcow2 *image, uint64_t cluster, uint64_t *count)
{
    int err;
    Qcow2Block *block = block_of(image, cluster, &err);

    *count = block ? qcow2_count_of(block->data, image->header.refcount_order,
                                    index_in_block(image, cluster)) : 0;
    return err;
}

uint64_t qcow2_refcount_next(const BlockQcow2 *image, uint64_t cluster)
{
    uint64_t index = cluster >> image->refblock_bits;

    if (index < image->reftable_entries && image->reftable[index] & QCOW2_REFTABLE_MASK) {
        return cluster;
    }
    while (index < image->reftable_entries && !(image->reftable[index] & QCOW2_REFTABLE_MASK)) {
        index++;
    }
    return index < image->reftable_entries ? index << image->refblock_bits : UINT64_MAX;
}

static void note_metadata(BlockQcow2 *image, uint64_t cluster)
{
    g_hash_table_add(image->metadata, GSIZE_TO_POINTER(cluster));
}

static void dirty_reftable(BlockQcow2 *image, uint64_t from, uint64_t to)
{
    bool is_clean = image->reftable_dirty_from == image->reftable_dirty_to;

    image->reftable_dirty_from = is_clean ? from : MIN(image->reftable_dirty_from, from);
    image->reftable_dirty_to = is_clean ? to : MAX(image->reftable_dirty_to, to);
}

static bool has_block(const BlockQcow2 *image, uint64_t cluster)
{
    uint64_t index = cluster >> image->refblock_bits;

    return index >= image->reftable_entries || image->reftable[index] & QCOW2_REFTABLE_MASK;
}

/* Blocks for what is free from `first` on and has none, `clusters` of it and the blocks: they
 * come first, and count themselves. */
static int make_blocks(BlockQcow2 *image, uint64_t first, uint64_t clusters)
{
    uint64_t made = 0, in_block = BIT64(image->refblock_bits);
    int err = 0;

    block_event(image->parent.file, BLKDEBUG_EVENT_REFBLOCK_ALLOC);
    for (uint64_t at = first; at < first + clusters + made && made < clusters;
         at = (at | (in_block - 1)) + 1) {
        uint64_t index = at >> image->refblock_bits, offset = (first + made) << image->cluster_bits;

        if (has_block(image, at)) {
            continue;
        }
        if (!qcow2_cache_new(&image->refblocks, offset)) {
            return -ENOMEM;
        }
        image->reftable[index] = offset;
        dirty_reftable(image, index, index + 1);
        note_metadata(image, first + made);
        made++;
    }
    for (uint64_t i = 0; i < made && !err; i++) {
        err = qcow2_refcount_set(image, first + i, 1);
    }
    return err;
}

/* --- a longer table --- */

typedef struct NewTable {
    uint64_t at, blocks, clusters; /* blocks come first */
} NewTable;

/* It counts itself, and leaves room. */
static NewTable measure(const BlockQcow2 *image, uint64_t at)
{
    uint64_t in_cluster = image->cluster / 8, entries;
    NewTable table = { at, 1, 1 }, last;

    do {
        last = table;
        entries = ((at + table.blocks + table.clusters) >> image->refblock_bits) + 1;
        entries = MAX(entries, image->reftable_entries * 3 / 2);
        table.clusters = ROUND_UP(entries, in_cluster) / in_cluster;
        table.blocks = ((at + table.blocks + table.clusters - 1) >> image->refblock_bits) -
                       (at >> image->refblock_bits) + 1;
    } while (table.blocks != last.blocks || table.clusters != last.clusters);
    return table;
}

static int count_table(BlockQcow2 *image, const NewTable *table)
{
    uint64_t first = table->at >> image->refblock_bits;

    for (uint64_t i = 0; i < table->blocks; i++) {
        uint64_t offset = (table->at + i) << image->cluster_bits;

        if (!qcow2_cache_new(&image->refblocks, offset)) {
            return -ENOMEM;
        }
        image->reftable[first + i] = offset;
        note_metadata(image, table->at + i);
    }
    for (uint64_t i = 0; i < table->blocks + table->clusters; i++) {
        int err;
        Qcow2Block *block = block_of(image, table->at + i, &err);

        if (!block) {
            return err;
        }
        set_count(image, block, table->at + i, 1);
    }
    return 0;
}

/* `at` is free, as is all behind it. */
static int grow_table(BlockQcow2 *image, uint64_t at)
{
    NewTable table = measure(image, at);
    uint64_t bytes = table.clusters << image->cluster_bits;
    uint64_t old_offset = image->header.reftable_offset;
    uint64_t old_bytes = (uint64_t)image->header.reftable_clusters << image->cluster_bits;
    uint64_t *entries = bytes > QCOW2_MAX_REFTABLE_BYTES ? NULL : g_try_malloc0(bytes);

    block_event(image->parent.file, BLKDEBUG_EVENT_REFTABLE_GROW);
    if (!entries) {
        return bytes > QCOW2_MAX_REFTABLE_BYTES ? -EFBIG : -ENOMEM;
    }
    memcpy(entries, image->reftable, image->reftable_entries * sizeof(*entries));
    g_free(image->reftable);
    image->reftable = entries;
    image->reftable_entries = bytes / sizeof(*entries);
    image->header.reftable_offset = (at + table.blocks) << image->cluster_bits;
    image->header.reftable_clusters = table.clusters;
    image->is_reftable_moved = true;
    qcow2_free(image, old_offset, old_bytes, QCOW2_FREE_OTHER);
    return count_table(image, &table);
}

/* --- finding free ones --- */

typedef struct Search {
    uint64_t start, wanted, length; /* a run that is growing */
    uint64_t first_free;            /* UINT64_MAX: none yet */
    bool takes_fewer;               /* the first run there is will do */
} Search;

/* True: the run is good. */
static bool note(Search *search, uint64_t cluster, bool is_free)
{
    if (!is_free) {
        if (search->length && search->takes_fewer) {
            return true;
        }
        search->length = 0;
        return false;
    }
    if (!search->length) {
        search->start = cluster;
    }
    search->first_free = MIN(search->first_free, cluster);
    return ++search->length == search->wanted;
}

static bool scan_block(const BlockQcow2 *image, const Qcow2Block *block, uint64_t *cluster,
                       Search *search)
{
    unsigned order = image->header.refcount_order;
    uint64_t end = (*cluster | (BIT64(image->refblock_bits) - 1)) + 1;

    for (; *cluster < end; ++*cluster) {
        bool is_free = !block || !qcow2_count_of(block->data, order,
                                                 index_in_block(image, *cluster));

        if (note(search, *cluster, is_free)) {
            return true;
        }
    }
    return false;
}

static int find_free(BlockQcow2 *image, Search *search)
{
    uint64_t cluster = image->free_hint, limit = BIT64(56) >> image->cluster_bits;

    search->first_free = UINT64_MAX;
    search->length = 0;
    while (cluster < limit) {
        int err;
        Qcow2Block *block = block_of(image, cluster, &err);

        if (err) {
            return err;
        }
        if (scan_block(image, block, &cluster, search)) {
            return 0;
        }
    }
    return -EFBIG;
}

/* -EAGAIN: blocks of counts took some of them. */
static int ensure_blocks(BlockQcow2 *image, const Search *search)
{
    uint64_t end = search->start + search->length;

    for (uint64_t at = search->start; at < end; at = (at | (BIT64(image->refblock_bits) - 1)) + 1) {
        int err;
        Qcow2Block *block = block_of(image, at, &err);

        if (!block && !err) {
            err = at >> image->refblock_bits >= image->reftable_entries ? grow_table(image, at) :
                  make_blocks(image, search->takes_fewer ? at : search->start,
                              search->takes_fewer ? 1 : search->length);
            return err ? err : -EAGAIN;
        }
        if (err) {
            return err;
        }
    }
    return 0;
}

static int count_new(BlockQcow2 *image, uint64_t first, uint64_t clusters)
{
    for (uint64_t at = first; at < first + clusters; at++) {
        int err;
        Qcow2Block *block = block_of(image, at, &err);

        if (!block) {
            return err ? err : -EIO;
        }
        set_count(image, block, at, 1);
    }
    return 0;
}

static int take(BlockQcow2 *image, const Search *search)
{
    uint64_t offset = search->start << image->cluster_bits;
    int err;

    if (qcow2_is_metadata(image, offset, search->length << image->cluster_bits)) {
        return qcow2_corrupt(image, offset, search->length << image->cluster_bits, "Preventing "
                             "invalid allocation of clusters at offset %#" PRIx64 ": they hold "
                             "metadata", offset);
    }
    err = ensure_blocks(image, search);
    return err ? err : count_new(image, search->start, search->length);
}

static int alloc(BlockQcow2 *image, Search *search, uint64_t *offset)
{
    int err = qcow2_mark_dirty(image);

    block_event(image->parent.file, BLKDEBUG_EVENT_CLUSTER_ALLOC);
    while (!err) {
        err = find_free(image, search);
        err = err ? err : take(image, search);
        if (!err) {
            image->free_hint = search->first_free == search->start ?
                                   search->start + search->length : search->first_free;
            *offset = search->start << image->cluster_bits;
            trace_qcow2_alloc(image->parent.name, *offset, search->length);
            return 0;
        }
        err = err == -EAGAIN ? 0 : err;
    }
    return err;
}

int qcow2_alloc(BlockQcow2 *image, uint64_t clusters, uint64_t *offset)
{
    return alloc(image, &(Search){ .wanted = clusters }, offset);
}

bool qcow2_can_alloc_cached(BlockQcow2 *image)
{
    uint64_t cluster = image->free_hint, index = cluster >> image->refblock_bits;
    uint64_t entry = index < image->reftable_entries ? image->reftable[index] & QCOW2_REFTABLE_MASK : 0;
    bool is_marked = !image->options.has_lazy || image->header.incompatible & QCOW2_INCOMPAT_DIRTY;
    Qcow2Block *block = entry && is_marked ? qcow2_cache_peek(&image->refblocks, entry) : NULL;
    Search search = { .wanted = 1 };

    if (!block || !scan_block(image, block, &cluster, &search)) {
        return false;
    }
    image->free_hint = search.start;
    return !qcow2_is_metadata(image, search.start << image->cluster_bits, image->cluster);
}

int qcow2_alloc_some(BlockQcow2 *image, uint64_t *clusters, uint64_t *offset)
{
    Search search = { .wanted = *clusters, .takes_fewer = true };
    int err = alloc(image, &search, offset);

    *clusters = search.length;
    return err;
}

/* --- parts of clusters --- */

/* More of the cluster that was begun, and maybe of the next; false: it does not fit. */
static bool fits_packed(BlockQcow2 *image, uint32_t bytes)
{
    uint64_t cluster = image->packed_at >> image->cluster_bits, count, next = 0;
    uint64_t left = image->cluster - (image->packed_at & (image->cluster - 1));
    bool has_joint = bytes > left;

    if (!image->packed_at || qcow2_refcount_get(image, cluster, &count) ||
        count >= image->refcount_max) {
        return false;
    }
    if (has_joint && (cluster + 1 < image->free_hint ||
                      qcow2_refcount_get(image, cluster + 1, &next) || next ||
                      take(image, &(Search){ .start = cluster + 1, .length = 1 }))) {
        return false;
    }
    return !qcow2_refcount_add(image, cluster << image->cluster_bits, 1, 1);
}

int qcow2_alloc_bytes(BlockQcow2 *image, uint32_t bytes, uint64_t *offset)
{
    int err = qcow2_mark_dirty(image);

    block_event(image->parent.file, BLKDEBUG_EVENT_CLUSTER_ALLOC_BYTES);
    if (err) {
        return err;
    }
    if (!fits_packed(image, bytes)) {
        err = qcow2_alloc(image, 1, &image->packed_at);
    }
    if (err) {
        image->packed_at = 0;
        return err;
    }
    *offset = image->packed_at;
    image->packed_at += bytes;
    if (!(image->packed_at & (image->cluster - 1))) {
        image->packed_at = 0; /* the next would have no count of its own */
    }
    return 0;
}

/* --- more and fewer --- */

static void update_count(BlockQcow2 *image, Qcow2Block *block, uint64_t cluster, uint64_t count)
{
    set_count(image, block, cluster, count);
    if (!count) {
        image->free_hint = MIN(image->free_hint, cluster);
        g_hash_table_remove(image->metadata, GSIZE_TO_POINTER(cluster));
        if (image->packed_at >> image->cluster_bits == cluster) {
            image->packed_at = 0;
        }
    }
}

int qcow2_refcount_set(BlockQcow2 *image, uint64_t cluster, uint64_t count)
{
    int err;
    Qcow2Block *block = block_of(image, cluster, &err);

    if (!block) {
        return err ? err : -EIO;
    }
    update_count(image, block, cluster, count);
    return 0;
}

static int change_count(BlockQcow2 *image, uint64_t cluster, int by)
{
    int err;
    Qcow2Block *block = block_of(image, cluster, &err);
    uint64_t count;

    if (err) {
        return err;
    }
    count = block ? qcow2_count_of(block->data, image->header.refcount_order,
                                   index_in_block(image, cluster)) : 0;
    if (!block || (by < 0 && !count)) {
        return qcow2_corrupt(image, cluster << image->cluster_bits, image->cluster,
                             "Reference count of cluster at %#" PRIx64 " is too small",
                             cluster << image->cluster_bits);
    }
    if (by > 0 && count >= image->refcount_max) {
        return -EINVAL;
    }
    update_count(image, block, cluster, count + by);
    return 0;
}

int qcow2_refcount_add(BlockQcow2 *image, uint64_t offset, uint64_t bytes, int by)
{
    uint64_t first = offset >> image->cluster_bits;
    uint64_t last = (offset + bytes - 1) >> image->cluster_bits;

    for (uint64_t at = first; at <= last; at++) {
        int err = change_count(image, at, by);

        if (err) {
            while (at-- > first) {
                change_count(image, at, -by);
            }
            return err;
        }
    }
    return 0;
}

void qcow2_free(BlockQcow2 *image, uint64_t offset, uint64_t bytes, Qcow2FreeKind kind)
{
    uint64_t end = ROUND_UP(offset + bytes, image->cluster);
    Qcow2Free *last = image->frees->len ? &g_array_index(image->frees, Qcow2Free,
                                                         image->frees->len - 1) : NULL;

    offset = ROUND_DOWN(offset, image->cluster);
    if (last && last->offset + last->bytes == offset && last->epoch == image->epoch &&
        last->generation == image->generation + 1 && last->kind == kind) {
        last->bytes += end - offset;
        return;
    }
    g_array_append_val(image->frees, ((Qcow2Free){ offset, end - offset, image->epoch,
                                                   image->generation + 1, kind }));
}

static bool is_last_count(BlockQcow2 *image, uint64_t cluster)
{
    uint64_t count;

    return !qcow2_refcount_get(image, cluster, &count) && count == 1;
}

/* What nothing leads to, and nobody can get hold of yet. */
static void discard_free(BlockQcow2 *image, const Qcow2Free *free)
{
    uint64_t from = free->offset, end = free->offset + free->bytes, to;

    for (; from < end; from = to + image->cluster) {
        for (to = from; to < end && is_last_count(image, to >> image->cluster_bits);
             to += image->cluster) {
        }
        if (to > from) {
            BlockIo io = { BLOCK_DISCARD, 0, from, to - from, NULL, 0 };

            g_mutex_unlock(&image->lock);
            block_io(image->parent.file, &io); /* best effort */
            g_mutex_lock(&image->lock);
        }
    }
}

static int do_free(BlockQcow2 *image, const Qcow2Free *free)
{
    int err = 0;

    block_event(image->parent.file, BLKDEBUG_EVENT_CLUSTER_FREE);
    if (image->packed_at >= free->offset && image->packed_at < free->offset + free->bytes) {
        image->packed_at = 0;
    }
    if (image->options.discards[free->kind]) {
        discard_free(image, free);
    }
    for (uint64_t at = 0; at < free->bytes && !err; at += image->cluster) {
        err = change_count(image, (free->offset + at) >> image->cluster_bits, -1);
    }
    return err;
}

int qcow2_do_frees(BlockQcow2 *image)
{
    g_autoptr(GArray) ready = g_array_new(FALSE, FALSE, sizeof(Qcow2Free));
    guint kept = 0;
    int err = 0;

    while (image->frees->len && !image->inside[(image->epoch + 1) & 1] &&
           g_array_index(image->frees, Qcow2Free, 0).epoch + 2 > image->epoch) {
        image->epoch++;
    }
    for (guint i = 0; i < image->frees->len; i++) {
        Qcow2Free *free = &g_array_index(image->frees, Qcow2Free, i);

        if (free->generation <= image->synced && free->epoch + 2 <= image->epoch) {
            g_array_append_val(ready, *free);
        } else {
            g_array_index(image->frees, Qcow2Free, kept++) = *free;
        }
    }
    g_array_set_size(image->frees, kept);
    for (guint i = 0; i < ready->len && !err; i++) {
        err = do_free(image, &g_array_index(ready, Qcow2Free, i));
    }
    return err;
}

/* --- what must not be overwritten --- */

static bool overlaps(uint64_t offset, uint64_t bytes, uint64_t other, uint64_t other_bytes)
{
    return other_bytes && offset < other + other_bytes && other < offset + bytes;
}

bool qcow2_is_metadata(BlockQcow2 *image, uint64_t offset, uint64_t bytes)
{
    const Qcow2Header *header = &image->header;

    if (!image->options.checks_overlap) {
        return false;
    }
    if (overlaps(offset, bytes, 0, image->cluster) ||
        overlaps(offset, bytes, header->l1_offset, header->l1_entries * UINT64_C(8)) ||
        overlaps(offset, bytes, header->reftable_offset,
                 (uint64_t)header->reftable_clusters << image->cluster_bits) ||
        overlaps(offset, bytes, header->snapshots_offset, image->snapshots_bytes) ||
        qcow2_snapshot_is_at(image, offset, bytes)) {
        return true;
    }
    for (uint64_t at = offset >> image->cluster_bits;
         at <= (offset + bytes - 1) >> image->cluster_bits; at++) {
        if (g_hash_table_contains(image->metadata, GSIZE_TO_POINTER(at))) {
            return true;
        }
    }
    return false;
}
