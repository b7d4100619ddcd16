/*
 * From the guest's offsets to the file's: L1 and L2 tables of a qcow2 image. See block/qcow2.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

#include "util/byte_order.h"

#define ALLOCATED(sub) BIT64(sub)
#define ZEROES(sub)    BIT64(32 + (sub))

/* --- entries --- */

static bool has_place(const BlockQcow2 *image, Qcow2Entry entry)
{
    /* In a data file, which has all clusters in the guest's order, 0 is a place. */
    return qcow2_entry_host(entry) || (image->has_data_file && entry.l2 & QCOW2_ENTRY_COPIED &&
                                       !(entry.l2 & QCOW2_ENTRY_COMPRESSED));
}

Qcow2Kind qcow2_entry_kind(const BlockQcow2 *image, Qcow2Entry entry, unsigned sub)
{
    if (entry.l2 & QCOW2_ENTRY_COMPRESSED) {
        return QCOW2_COMPRESSED;
    }
    if (image->subs == 1) {
        return entry.l2 & QCOW2_ENTRY_ZERO && image->header.version > 2 ? QCOW2_ZERO :
               has_place(image, entry) ? QCOW2_DATA : QCOW2_HOLE;
    }
    return entry.bitmap & ALLOCATED(sub) ? QCOW2_DATA :
           entry.bitmap & ZEROES(sub) ? QCOW2_ZERO : QCOW2_HOLE;
}

void qcow2_entry_packed(const BlockQcow2 *image, uint64_t l2, uint64_t *host, uint32_t *bytes)
{
    unsigned bits = 62 - (image->cluster_bits - 8);
    uint64_t sectors = (l2 & (BIT64(62) - 1)) >> bits;

    *host = l2 & (BIT64(bits) - 1);
    *bytes = (sectors + 1) * BLOCK_SECTOR_BYTES - *host % BLOCK_SECTOR_BYTES;
}

void qcow2_entry_free(BlockQcow2 *image, Qcow2Entry entry, Qcow2FreeKind kind)
{
    if (entry.l2 & QCOW2_ENTRY_COMPRESSED) {
        uint64_t host;
        uint32_t bytes;

        qcow2_entry_packed(image, entry.l2, &host, &bytes);
        qcow2_free(image, host, bytes, kind);
    } else if (qcow2_entry_host(entry) && !image->has_data_file) {
        qcow2_free(image, qcow2_entry_host(entry), image->cluster, kind);
    }
}

static int check_entry(BlockQcow2 *image, uint64_t offset, Qcow2Entry entry)
{
    uint64_t host = qcow2_entry_host(entry), start = ROUND_DOWN(offset, image->cluster);
    uint32_t allocated = entry.bitmap, zeroes = entry.bitmap >> 32;

    if (entry.l2 & QCOW2_ENTRY_COMPRESSED) {
        return image->has_data_file ?
                   qcow2_corrupt(image, start, image->cluster, "Compressed cluster entry found in "
                                 "image with external data file (guest offset: %#" PRIx64 ")",
                                 start) : 0;
    }
    if (host & (image->cluster - 1)) {
        return qcow2_corrupt(image, host, 0, "Cluster allocation offset %#" PRIx64 " unaligned "
                             "(guest offset: %#" PRIx64 ")", host, start);
    }
    if (image->has_data_file && has_place(image, entry) && host != start) {
        return qcow2_corrupt(image, start, 0, "External data file host cluster offset %#" PRIx64
                             " does not match guest cluster offset: %#" PRIx64, host, start);
    }
    if (image->subs > 1 && (allocated & zeroes || (allocated && !has_place(image, entry)))) {
        return qcow2_corrupt(image, start, image->cluster, "Invalid subcluster bitmap %#" PRIx64
                             " (guest offset: %#" PRIx64 ")", entry.bitmap, start);
    }
    return 0;
}

/* --- tables --- */

static uint64_t l1_index(const BlockQcow2 *image, uint64_t offset)
{
    return offset >> (image->cluster_bits + image->l2_bits);
}

/* 0: there is none. */
static int table_of(BlockQcow2 *image, uint64_t offset, uint64_t *table)
{
    uint64_t index = l1_index(image, offset);

    *table = index < image->header.l1_entries ? image->l1[index] & QCOW2_OFFSET_MASK : 0;
    if (*table & (image->cluster - 1)) {
        return qcow2_corrupt(image, *table, 0, "L2 table offset %#" PRIx64 " unaligned (L1 index: "
                             "%#" PRIx64 ")", *table, index);
    }
    return 0;
}

/* Where its entry stands: the part of the table that is cached, and bytes in it. */
static uint64_t slice_of(const BlockQcow2 *image, uint64_t table, uint64_t offset, uint32_t *at)
{
    uint64_t index = (offset >> image->cluster_bits) & (BIT64(image->l2_bits) - 1);
    uint64_t byte = index * image->entry_bytes;

    *at = byte & (image->l2.entry_bytes - 1);
    return table + byte - *at;
}

static Qcow2Entry load_entry(const BlockQcow2 *image, const uint8_t *at)
{
    return (Qcow2Entry){ load_be64(at), image->entry_bytes > 8 ? load_be64(at + 8) : 0 };
}

int qcow2_entry_get(BlockQcow2 *image, uint64_t offset, Qcow2Entry *entry)
{
    uint64_t table, slice;
    uint32_t at;
    int err = table_of(image, offset, &table);
    Qcow2Block *block;

    *entry = (Qcow2Entry){ 0 };
    if (err || !table) {
        return err;
    }
    slice = slice_of(image, table, offset, &at);
    block = qcow2_cache_get(image, &image->l2, slice, &err);
    if (!block) {
        return err;
    }
    *entry = load_entry(image, block->data + at);
    return check_entry(image, offset, *entry);
}

int qcow2_entry_set(BlockQcow2 *image, uint64_t offset, Qcow2Entry entry)
{
    uint64_t table, slice;
    uint32_t at;
    int err = table_of(image, offset, &table);
    Qcow2Block *block;

    if (err) {
        return err;
    }
    slice = slice_of(image, table, offset, &at);
    block = qcow2_cache_get(image, &image->l2, slice, &err);
    if (!block) {
        return err;
    }
    store_be64(block->data + at, entry.l2);
    if (image->entry_bytes > 8) {
        store_be64(block->data + at + 8, entry.bitmap);
    }
    qcow2_cache_dirty(&image->l2, block, at, image->entry_bytes);
    return 0;
}

/* A copy of `from`, or zeroes if that is 0. */
static int fill_table(BlockQcow2 *image, uint64_t table, uint64_t from)
{
    for (uint64_t at = 0; at < image->cluster; at += image->l2.entry_bytes) {
        int err = 0;
        Qcow2Block *old = from ? qcow2_cache_get(image, &image->l2, from + at, &err) : NULL;
        Qcow2Block *new = err ? NULL : qcow2_cache_new(&image->l2, table + at);

        if (!new) {
            return err ? err : -ENOMEM;
        }
        if (old) {
            memcpy(new->data, old->data, image->l2.entry_bytes);
        }
    }
    return 0;
}

bool qcow2_has_own_table(const BlockQcow2 *image, uint64_t offset)
{
    uint64_t index = l1_index(image, offset);

    return index < image->header.l1_entries && image->l1[index] & QCOW2_ENTRY_COPIED && !image->has_overlap;
}

int qcow2_table_ensure(BlockQcow2 *image, uint64_t offset)
{
    uint64_t index = l1_index(image, offset), old, table;
    int err = table_of(image, offset, &old);

    if (!err && image->has_overlap) {
        err = qcow2_corrupt(image, 0, 0, "Tables overlap with other metadata");
    }
    if (err || (old && image->l1[index] & QCOW2_ENTRY_COPIED)) {
        return err;
    }
    block_event(image->parent.file, BLKDEBUG_EVENT_L2_ALLOC_WRITE);
    err = qcow2_alloc(image, 1, &table);
    if (err) {
        return err;
    }
    err = fill_table(image, table, old);
    if (err) {
        qcow2_cache_drop(&image->l2, table, image->cluster);
        qcow2_free(image, table, image->cluster, QCOW2_FREE_OTHER);
        return err;
    }
    if (old) {
        qcow2_free(image, old, image->cluster, QCOW2_FREE_OTHER);
    }
    g_hash_table_add(image->metadata, GSIZE_TO_POINTER(table >> image->cluster_bits));
    image->l1[index] = table | QCOW2_ENTRY_COPIED;
    image->l1_dirty_from = image->l1_dirty_from == image->l1_dirty_to ?
                               index : MIN(image->l1_dirty_from, index);
    image->l1_dirty_to = MAX(image->l1_dirty_to, index + 1);
    return 0;
}

/* --- runs --- */

static uint64_t table_end(const BlockQcow2 *image, uint64_t offset)
{
    return (offset | (BIT64(image->cluster_bits + image->l2_bits) - 1)) + 1;
}

static int find_without_table(BlockQcow2 *image, uint64_t offset, uint64_t bytes, Qcow2Run *run)
{
    uint64_t end = table_end(image, offset), table;

    while (end < offset + bytes && !table_of(image, end, &table) && !table) {
        end = table_end(image, end);
    }
    *run = (Qcow2Run){ .kind = QCOW2_HOLE, .bytes = MIN(bytes, end - offset) };
    return 0;
}

static unsigned same_subs(const BlockQcow2 *image, Qcow2Entry entry, unsigned sub)
{
    unsigned end = sub + 1;

    while (end < image->subs &&
           qcow2_entry_kind(image, entry, end) == qcow2_entry_kind(image, entry, sub)) {
        end++;
    }
    return end;
}

/* Does `next`, the following cluster's, go on as the run does? */
static bool continues(const BlockQcow2 *image, const Qcow2Run *run, Qcow2Entry next,
                      uint64_t covered)
{
    return qcow2_entry_kind(image, next, 0) == run->kind && run->kind != QCOW2_COMPRESSED &&
           !(next.l2 & QCOW2_ENTRY_COPIED) == !run->is_own &&
           has_place(image, next) == run->has_host &&
           (!run->has_host || qcow2_entry_host(next) == run->host + covered);
}

/* Goes on from the end of the first cluster, `covered` bytes away. */
static int extend(BlockQcow2 *image, const Qcow2Block *block, uint32_t at, uint64_t offset,
                  uint64_t covered, uint64_t bytes, Qcow2Run *run)
{
    while (covered < bytes && (at += image->entry_bytes) < image->l2.entry_bytes) {
        Qcow2Entry next = load_entry(image, block->data + at);
        unsigned end;
        int err;

        if (!continues(image, run, next, covered)) {
            break;
        }
        err = check_entry(image, offset + covered, next);
        if (err) {
            return err;
        }
        end = same_subs(image, next, 0);
        covered += (uint64_t)end << image->sub_bits;
        if (end < image->subs) {
            break;
        }
    }
    run->bytes = MIN(bytes, covered);
    return 0;
}

static int find_in_block(BlockQcow2 *image, const Qcow2Block *block, uint32_t at, uint64_t offset,
                         uint64_t bytes, Qcow2Run *run)
{
    uint64_t in_cluster = offset & (image->cluster - 1);
    unsigned sub = in_cluster >> image->sub_bits, end;
    Qcow2Entry entry = load_entry(image, block->data + at);
    int err = check_entry(image, offset, entry);

    if (err) {
        return err;
    }
    *run = (Qcow2Run){ .kind = qcow2_entry_kind(image, entry, sub),
                       .is_own = !!(entry.l2 & QCOW2_ENTRY_COPIED) };
    end = run->kind == QCOW2_COMPRESSED ? image->subs : same_subs(image, entry, sub);
    if (run->kind == QCOW2_COMPRESSED) {
        qcow2_entry_packed(image, entry.l2, &run->host, &run->packed);
    } else if (has_place(image, entry)) {
        run->has_host = true;
        run->host = qcow2_entry_host(entry) + in_cluster;
    }
    run->bytes = MIN(bytes, ((uint64_t)end << image->sub_bits) - in_cluster);
    if (end < image->subs || run->kind == QCOW2_COMPRESSED || run->bytes == bytes) {
        return 0;
    }
    return extend(image, block, at, offset, image->cluster - in_cluster, bytes, run);
}

int qcow2_find(BlockQcow2 *image, uint64_t offset, uint64_t bytes, Qcow2Run *run)
{
    uint64_t table, slice;
    uint32_t at;
    int err = table_of(image, offset, &table);
    Qcow2Block *block;

    if (err) {
        return err;
    }
    if (!table) {
        return find_without_table(image, offset, bytes, run);
    }
    slice = slice_of(image, table, offset, &at);
    block = qcow2_cache_get(image, &image->l2, slice, &err);
    return block ? find_in_block(image, block, at, offset, bytes, run) : err;
}
