/*
 * Checking a qcow2 image: what its tables lead to is counted and compared with the counts it has;
 * and repairing it. See block/qcow2.h.
 *
 * The tables are on the disk and nobody else is inside. Leaks, wrong counts and wrong "copied"
 * marks are repaired; where the counts themselves cannot be used, all of them are made anew.
 * Entries that lead nowhere are only told of.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2_check.h"

#include "block/qcow2_snapshot.h"
#include "util/byte_order.h"

static void complain(const char *fmt, ...) PRINTF(1, 2);
static void complain(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

#define CORRUPTION(check, ...) (complain(__VA_ARGS__), (check)->result->corruptions++)

/* --- counting --- */

Qcow2Check qcow2_check_of(BlockQcow2 *image, unsigned fixes, BlockCheck *result)
{
    return (Qcow2Check){ image, result, fixes, g_hash_table_new_full(NULL, NULL, NULL, g_free), 0,
                         block_node_bytes(image->parent.file), 0, false };
}

Qcow2CheckPage *qcow2_check_page(Qcow2Check *check, uint64_t cluster)
{
    gpointer key = GSIZE_TO_POINTER(cluster >> QCOW2_CHECK_BITS);
    Qcow2CheckPage *page = g_hash_table_lookup(check->pages, key);

    if (!page) {
        page = g_new0(Qcow2CheckPage, 1);
        page->first = cluster >> QCOW2_CHECK_BITS << QCOW2_CHECK_BITS;
        g_hash_table_insert(check->pages, key, page);
    }
    return page;
}

uint32_t *qcow2_check_count(Qcow2Check *check, uint64_t cluster)
{
    return &qcow2_check_page(check, cluster)->counts[cluster & (BIT(QCOW2_CHECK_BITS) - 1)];
}

static int compare_pages(gconstpointer a, gconstpointer b)
{
    uint64_t first = (*(const Qcow2CheckPage *const *)a)->first;
    uint64_t other = (*(const Qcow2CheckPage *const *)b)->first;

    return (first > other) - (first < other);
}

/* In order. */
GPtrArray *qcow2_check_pages(Qcow2Check *check)
{
    GPtrArray *list = g_ptr_array_sized_new(g_hash_table_size(check->pages));
    GHashTableIter iter;
    gpointer page;

    g_hash_table_iter_init(&iter, check->pages);
    while (g_hash_table_iter_next(&iter, NULL, &page)) {
        g_ptr_array_add(list, page);
    }
    g_ptr_array_sort(list, compare_pages);
    return list;
}

static void count_bytes(Qcow2Check *check, uint64_t offset, uint64_t bytes)
{
    const BlockQcow2 *image = check->image;
    uint64_t last = (offset + bytes - 1) >> image->cluster_bits;

    if (!bytes) {
        return;
    }
    if (offset + bytes >= check->file_bytes + image->cluster) {
        CORRUPTION(check, "ERROR: counting reference for region exceeding the end of the file by "
                   "one cluster or more: offset 0x%" PRIx64 " size 0x%" PRIx64, offset, bytes);
        return;
    }
    check->end = MAX(check->end, last + 1);
    for (uint64_t at = offset >> image->cluster_bits; at <= last; at++) {
        ++*qcow2_check_count(check, at);
    }
}

/* --- the guest's data --- */

static void count_packed(Qcow2Check *check, uint64_t l2)
{
    uint64_t host;
    uint32_t bytes;

    if (check->image->has_data_file) {
        CORRUPTION(check, "ERROR compressed cluster %#" PRIx64 " with data file, entry=0x%" PRIx64,
                   l2 & QCOW2_OFFSET_MASK, l2);
        return;
    }
    if (l2 & QCOW2_ENTRY_COPIED) {
        CORRUPTION(check, "ERROR: coffset=0x%" PRIx64 ": copied flag must never be set for "
                   "compressed clusters", l2 & QCOW2_OFFSET_MASK);
    }
    qcow2_entry_packed(check->image, l2, &host, &bytes);
    count_bytes(check, host, bytes);
    check->result->compressed++;
    check->result->allocated++;
    check->result->fragmented++; /* there is no telling where the next begins */
    check->next = 0;
}

static void count_place(Qcow2Check *check, uint64_t host, bool has_data)
{
    const BlockQcow2 *image = check->image;

    if (host & (image->cluster - 1)) {
        CORRUPTION(check, "ERROR offset=%" PRIx64 ": Cluster is not properly aligned; L2 entry "
                   "corrupted.", host);
        return;
    }
    if (has_data) {
        check->result->allocated++;
        check->result->fragmented += check->next && host != check->next;
        check->next = host + image->cluster;
    }
    if (!image->has_data_file) {
        count_bytes(check, host, image->cluster);
    }
}

static void count_entry(Qcow2Check *check, Qcow2Entry entry)
{
    const BlockQcow2 *image = check->image;
    uint32_t allocated = entry.bitmap, zeroes = entry.bitmap >> 32;
    bool has_place = qcow2_entry_host(entry) ||
                     (image->has_data_file && entry.l2 & QCOW2_ENTRY_COPIED);

    if (entry.l2 & QCOW2_ENTRY_COMPRESSED) {
        count_packed(check, entry.l2);
        return;
    }
    if (allocated & zeroes || (image->subs > 1 && allocated && !has_place)) {
        CORRUPTION(check, "ERROR offset=%" PRIx64 ": Allocated cluster is marked as zero or has "
                   "no place; L2 entry corrupted.", qcow2_entry_host(entry));
        return;
    }
    if (has_place) {
        bool has_data = image->subs > 1 ? allocated : !(entry.l2 & QCOW2_ENTRY_ZERO);

        count_place(check, qcow2_entry_host(entry), has_data);
    }
}

static Qcow2Entry load_entry(const BlockQcow2 *image, const uint8_t *table, uint64_t index)
{
    const uint8_t *at = table + index * image->entry_bytes;

    return (Qcow2Entry){ load_be64(at), image->entry_bytes > 8 ? load_be64(at + 8) : 0 };
}

static int count_l2(Qcow2Check *check, uint64_t offset)
{
    BlockQcow2 *image = check->image;
    g_autofree uint8_t *table = g_malloc(image->cluster);
    int err = block_read(image->parent.file, offset, table, image->cluster);

    if (err) {
        complain("ERROR: I/O error in check_refcounts_l2");
        check->result->errors++;
        return err;
    }
    for (uint64_t i = 0; i < BIT64(image->l2_bits); i++) {
        count_entry(check, load_entry(image, table, i));
    }
    return 0;
}

static int count_l1(Qcow2Check *check, uint64_t offset, uint32_t entries)
{
    BlockQcow2 *image = check->image;
    g_autofree uint64_t *l1 = g_try_new0(uint64_t, MAX(entries, 1));
    int err = l1 ? block_read(image->parent.file, offset, l1, entries * UINT64_C(8)) : -ENOMEM;

    if (err) {
        complain("ERROR: I/O error in check_refcounts_l1");
        check->result->errors++;
        return err;
    }
    count_bytes(check, offset, entries * UINT64_C(8));
    for (uint32_t i = 0; i < entries && !err; i++) {
        uint64_t table = GUINT64_FROM_BE(l1[i]) & QCOW2_OFFSET_MASK;

        if (!table) {
            continue;
        }
        count_bytes(check, table, image->cluster);
        if (table & (image->cluster - 1)) {
            CORRUPTION(check, "ERROR l2_offset=%" PRIx64 ": Table is not cluster aligned; L1 entry "
                       "corrupted", table);
        } else {
            err = count_l2(check, table);
        }
    }
    return err;
}

/* Snapshots' fragments do not tell of the disk's. */
static int count_snapshots(Qcow2Check *check)
{
    BlockQcow2 *image = check->image;
    BlockCheck disk = *check->result;
    int err = 0;

    for (uint32_t i = 0; i < image->header.snapshots && !err; i++) {
        err = count_l1(check, image->snapshots[i].l1_offset, image->snapshots[i].l1_entries);
    }
    check->result->allocated = disk.allocated;
    check->result->fragmented = disk.fragmented;
    check->result->compressed = disk.compressed;
    count_bytes(check, image->header.snapshots_offset, image->snapshots_bytes);
    return err;
}

/* --- bitmaps --- */

static int count_bitmap(Qcow2Check *check, const uint8_t *entry)
{
    BlockQcow2 *image = check->image;
    uint64_t offset = load_be64(entry);
    uint32_t entries = MIN(load_be32(entry + 8), QCOW2_MAX_L1_BYTES / 8);
    g_autofree uint64_t *table = g_try_new0(uint64_t, MAX(entries, 1));
    int err = table ? block_read(image->parent.file, offset, table, entries * UINT64_C(8)) :
                      -ENOMEM;

    count_bytes(check, offset, entries * UINT64_C(8));
    for (uint32_t i = 0; i < entries && !err; i++) {
        uint64_t at = GUINT64_FROM_BE(table[i]) & QCOW2_OFFSET_MASK;

        if (at) {
            count_bytes(check, at, image->cluster);
        }
    }
    return err;
}

static int count_bitmaps(Qcow2Check *check)
{
    const Qcow2Header *header = &check->image->header;
    g_autofree uint8_t *list = header->bitmaps ? g_malloc0(header->bitmaps_bytes + 24) : NULL;
    uint64_t pos = 0;
    int err = list ? block_read(check->image->parent.file, header->bitmaps_offset, list,
                                header->bitmaps_bytes) : 0;

    if (list) {
        count_bytes(check, header->bitmaps_offset, header->bitmaps_bytes);
    }
    for (uint32_t i = 0; i < header->bitmaps && !err && pos < header->bitmaps_bytes; i++) {
        const uint8_t *entry = list + pos;

        err = count_bitmap(check, entry);
        pos += ROUND_UP(24 + (uint64_t)load_be16(entry + 18) + load_be32(entry + 20), 8);
    }
    return err;
}

/* --- the counts' own places --- */

static void count_refblocks(Qcow2Check *check)
{
    BlockQcow2 *image = check->image;

    count_bytes(check, image->header.reftable_offset,
                (uint64_t)image->header.reftable_clusters << image->cluster_bits);
    for (uint64_t i = 0; i < image->reftable_entries; i++) {
        uint64_t offset = image->reftable[i] & QCOW2_REFTABLE_MASK;

        if (!offset) {
            continue;
        }
        if (offset & (image->cluster - 1)) {
            CORRUPTION(check, "ERROR refcount block %" PRIu64 " is not cluster aligned; refcount "
                       "table entry corrupted", i);
            check->needs_rebuild = true;
        } else if (offset >= check->file_bytes) {
            CORRUPTION(check, "ERROR refcount block %" PRIu64 " is outside image", i);
            check->needs_rebuild = true;
        } else {
            count_bytes(check, offset, image->cluster);
            if (*qcow2_check_count(check, offset >> image->cluster_bits) != 1) {
                CORRUPTION(check, "ERROR refcount block %" PRIu64 " refcount=%" PRIu32, i,
                           *qcow2_check_count(check, offset >> image->cluster_bits));
                check->needs_rebuild = true;
            }
        }
    }
}

int qcow2_check_all(Qcow2Check *check)
{
    BlockQcow2 *image = check->image;
    int err;

    count_bytes(check, 0, image->cluster);
    err = count_l1(check, image->header.l1_offset, image->header.l1_entries);
    err = err ? err : count_snapshots(check);
    err = err ? err : count_bitmaps(check);
    if (!err) {
        count_refblocks(check);
    }
    return err;
}

/* --- comparing --- */

/* 0 where the block cannot be used: that has been told. */
static int stored_count(Qcow2Check *check, uint64_t cluster, uint64_t *count)
{
    BlockQcow2 *image = check->image;
    uint64_t index = cluster >> image->refblock_bits;
    uint64_t offset = index < image->reftable_entries ?
                          image->reftable[index] & QCOW2_REFTABLE_MASK : 0;

    *count = 0;
    if (offset & (image->cluster - 1) || offset >= check->file_bytes) {
        return 0;
    }
    return qcow2_refcount_get(image, cluster, count);
}

static bool has_block(const BlockQcow2 *image, uint64_t cluster)
{
    uint64_t index = cluster >> image->refblock_bits;

    return index < image->reftable_entries && image->reftable[index] & QCOW2_REFTABLE_MASK;
}

static void fix_count(Qcow2Check *check, uint64_t cluster, uint64_t stored, uint64_t counted)
{
    BlockQcow2 *image = check->image;

    if (check->needs_rebuild || !has_block(image, cluster)) {
        check->needs_rebuild |= stored < counted;
        return;
    }
    if (counted > image->refcount_max || qcow2_refcount_set(image, cluster, counted)) {
        check->result->errors++;
    } else if (stored > counted) {
        check->result->leaks_fixed++;
        check->result->leaks--;
    } else {
        check->result->corruptions_fixed++;
        check->result->corruptions--;
    }
}

static void compare_one(Qcow2Check *check, uint64_t cluster)
{
    uint64_t stored, counted = *qcow2_check_count(check, cluster);
    bool is_leak, is_fixed;

    if (stored_count(check, cluster, &stored)) {
        complain("Can't get refcount for cluster %" PRIu64, cluster);
        check->result->errors++;
        return;
    }
    if (stored || counted) {
        check->result->end = MAX(check->result->end, (cluster + 1) * check->image->cluster);
    }
    if (stored == counted) {
        return;
    }
    is_leak = stored > counted;
    is_fixed = check->fixes & (is_leak ? BLOCK_FIX_LEAKS : BLOCK_FIX_ERRORS);
    complain("%s cluster %" PRIu64 " refcount=%" PRIu64 " reference=%" PRIu64,
             is_leak ? "Leaked" : "ERROR", cluster, stored, counted);
    if (is_fixed) {
        complain("Repairing cluster %" PRIu64 " refcount=%" PRIu64 " reference=%" PRIu64, cluster,
                 stored, counted);
    }
    if (is_leak) {
        check->result->leaks++;
    } else {
        check->result->corruptions++;
    }
    if (is_fixed) {
        fix_count(check, cluster, stored, counted);
    }
}

/* Clusters with a count have a page, too. */
static int note_stored(Qcow2Check *check)
{
    BlockQcow2 *image = check->image;

    for (uint64_t i = 0; i < image->reftable_entries; i++) {
        uint64_t first = i << image->refblock_bits, count;
        int err = 0;

        for (uint64_t j = 0; has_block(image, first) && j < BIT64(image->refblock_bits); j++) {
            err = stored_count(check, first + j, &count);
            if (err) {
                break;
            }
            if (count) {
                qcow2_check_page(check, first + j);
            }
        }
        if (err) {
            complain("Can't get refcount for cluster %" PRIu64, first);
            check->result->errors++;
            return err;
        }
    }
    return 0;
}

void qcow2_check_compare(Qcow2Check *check)
{
    g_autoptr(GPtrArray) pages = NULL;

    if (check->result->errors || (!check->needs_rebuild && note_stored(check))) {
        return;
    }
    pages = qcow2_check_pages(check);
    for (guint i = 0; i < pages->len; i++) {
        const Qcow2CheckPage *page = pages->pdata[i];

        for (unsigned j = 0; j < BIT(QCOW2_CHECK_BITS); j++) {
            compare_one(check, page->first + j);
        }
    }
}

/* --- marks --- */

static bool is_single(Qcow2Check *check, uint64_t offset)
{
    return *qcow2_check_count(check, offset >> check->image->cluster_bits) == 1;
}

static bool marks_wrong(Qcow2Check *check, uint64_t entry, const char *what, uint64_t index)
{
    uint64_t offset = entry & QCOW2_OFFSET_MASK;
    bool is_fixed = check->fixes & BLOCK_FIX_ERRORS;

    if (is_single(check, offset) == !!(entry & QCOW2_ENTRY_COPIED)) {
        return false;
    }
    complain("%s OFLAG_COPIED %s: index=%" PRIu64 " entry=%" PRIx64 " refcount=%" PRIu32,
             is_fixed ? "Repairing" : "ERROR", what, index, entry,
             *qcow2_check_count(check, offset >> check->image->cluster_bits));
    if (is_fixed) {
        check->result->corruptions_fixed++;
    } else {
        check->result->corruptions++;
    }
    return is_fixed;
}

static int check_l2_marks(Qcow2Check *check, uint64_t table)
{
    BlockQcow2 *image = check->image;
    g_autofree uint8_t *l2 = g_malloc(image->cluster);
    int err = block_read(image->parent.file, table, l2, image->cluster);
    bool has_changed = false;

    for (uint64_t i = 0; i < BIT64(image->l2_bits) && !err; i++) {
        Qcow2Entry entry = load_entry(image, l2, i);

        if (qcow2_entry_host(entry) && marks_wrong(check, entry.l2, "data cluster", i)) {
            store_be64(l2 + i * image->entry_bytes, entry.l2 ^ QCOW2_ENTRY_COPIED);
            has_changed = true;
        }
    }
    if (!err && has_changed) {
        qcow2_cache_drop(&image->l2, table, image->cluster);
        err = block_write(image->parent.file, table, l2, image->cluster);
    }
    return err;
}

static int check_marks(Qcow2Check *check)
{
    BlockQcow2 *image = check->image;
    int err = 0;

    if (image->has_data_file) {
        return 0;
    }
    for (uint32_t i = 0; i < image->header.l1_entries && !err; i++) {
        uint64_t table = image->l1[i] & QCOW2_OFFSET_MASK;

        if (!table || table & (image->cluster - 1)) {
            continue;
        }
        if (marks_wrong(check, image->l1[i], "L2 table", i)) {
            uint64_t entry = GUINT64_TO_BE(image->l1[i] ^= QCOW2_ENTRY_COPIED);

            err = block_write(image->parent.file, image->header.l1_offset + i * UINT64_C(8),
                              &entry, sizeof(entry));
        }
        err = err ? err : check_l2_marks(check, table);
    }
    return err;
}

/* --- all of it --- */

static int repair_counts(Qcow2Check *check)
{
    BlockCheck before = *check->result;
    int err;

    if (!check->needs_rebuild || !(check->fixes & BLOCK_FIX_ERRORS)) {
        return 0;
    }
    complain("Rebuilding refcount structure");
    err = qcow2_check_rebuild(check);
    if (err) {
        check->result->errors++;
        check->image->is_failed = true; /* it has no counts at all now */
        return err;
    }
    check->result->end = check->end * check->image->cluster;
    check->result->corruptions_fixed = before.corruptions_fixed + before.corruptions -
                                       MIN(before.corruptions, check->result->corruptions);
    check->result->leaks_fixed = before.leaks_fixed + before.leaks;
    return 0;
}

/* It was repaired: marks that say otherwise go. */
static int mark_clean(Qcow2Check *check)
{
    Qcow2Header *header = &check->image->header;
    uint64_t marks = QCOW2_INCOMPAT_DIRTY | QCOW2_INCOMPAT_CORRUPT;

    if (!check->fixes || check->result->errors || check->result->corruptions ||
        !(header->incompatible & marks)) {
        return 0;
    }
    header->incompatible &= ~marks;
    return qcow2_header_update(header, check->image->parent.file);
}

int qcow2_check_alone(BlockQcow2 *image, unsigned fixes, BlockCheck *result)
{
    Qcow2Check check = qcow2_check_of(image, fixes, result);
    int err;

    g_mutex_lock(&image->lock);
    result->clusters = ROUND_UP(image->header.bytes, image->cluster) >> image->cluster_bits;
    err = qcow2_check_all(&check);
    if (!err) {
        qcow2_check_compare(&check);
        err = repair_counts(&check);
    }
    err = err ? err : check_marks(&check);
    g_mutex_unlock(&image->lock);
    if (!err && fixes) {
        err = qcow2_sync(image);
        err = err ? err : mark_clean(&check);
        image->is_failed &= result->corruptions || result->errors;
    }
    result->clusters = ROUND_UP(image->header.bytes, image->cluster) >> image->cluster_bits;
    g_hash_table_unref(check.pages);
    return err;
}

int qcow2_check(BlockNode *node, unsigned fixes, BlockCheck *result)
{
    BlockQcow2 *image = qcow2_of(node);
    int err;

    qcow2_enter_alone(image);
    err = node->is_read_only ? 0 : qcow2_sync(image);
    if (!err && !node->is_read_only) {
        err = qcow2_sync(image); /* counts that shrank */
    }
    err = err ? err : qcow2_check_alone(image, fixes, result);
    qcow2_leave_alone(image);
    return err;
}
