/*
 * Making, applying and deleting internal snapshots of a qcow2 image. See block/qcow2_snapshot.h.
 *
 * A snapshot is another L1 table. All that it leads to has a count of one more than before, and
 * what the active tables lead to is no longer their own. While counts and marks do not agree the
 * image is marked as dirty: who finds it so counts anew.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/bitmap.h"
#include "block/qcow2_snapshot.h"

#include "util/byte_order.h"

#define ENTRY_BYTES 40
#define EXTRA_BYTES 24

/* --- the list --- */

static Qcow2Snapshot *find(const BlockQcow2 *image, const char *id, const char *name)
{
    for (uint32_t i = 0; i < image->header.snapshots; i++) {
        if (id && !strcmp(image->snapshots[i].id, id)) {
            return &image->snapshots[i];
        }
    }
    for (uint32_t i = 0; i < image->header.snapshots; i++) {
        if (name && !strcmp(image->snapshots[i].name, name)) {
            return &image->snapshots[i];
        }
    }
    return NULL;
}

static char *new_id(const BlockQcow2 *image)
{
    uint64_t highest = 0;

    for (uint32_t i = 0; i < image->header.snapshots; i++) {
        highest = MAX(highest, g_ascii_strtoull(image->snapshots[i].id, NULL, 10));
    }
    return g_strdup_printf("%" PRIu64, highest + 1);
}

static void put_one(GByteArray *to, const Qcow2Snapshot *from)
{
    uint8_t head[ENTRY_BYTES + EXTRA_BYTES] = { 0 };
    static const uint8_t zeroes[8];

    store_be64(head, from->l1_offset);
    store_be32(head + 8, from->l1_entries);
    store_be16(head + 12, strlen(from->id));
    store_be16(head + 14, strlen(from->name));
    store_be32(head + 16, from->date_sec);
    store_be32(head + 20, from->date_nsec);
    store_be64(head + 24, from->vm_clock_ns);
    store_be32(head + 32, MIN(from->vm_state_bytes, UINT32_MAX));
    store_be32(head + 36, EXTRA_BYTES + from->rest_bytes);
    store_be64(head + 40, from->vm_state_bytes);
    store_be64(head + 48, from->disk_bytes);
    store_be64(head + 56, from->icount);
    g_byte_array_append(to, head, sizeof(head));
    if (from->rest_bytes) {
        g_byte_array_append(to, from->rest, from->rest_bytes);
    }
    g_byte_array_append(to, (const uint8_t *)from->id, strlen(from->id));
    g_byte_array_append(to, (const uint8_t *)from->name, strlen(from->name));
    g_byte_array_append(to, zeroes, -to->len & 7);
}

static int update_header(BlockQcow2 *image, const Qcow2Header *header)
{
    int err = qcow2_barrier(image);

    err = err ? err : qcow2_header_update(header, image->parent.file);
    return err ? err : qcow2_barrier(image);
}

static int alloc(BlockQcow2 *image, uint64_t bytes, uint64_t *offset)
{
    int err;

    g_mutex_lock(&image->lock);
    err = qcow2_alloc(image, ROUND_UP(bytes, image->cluster) >> image->cluster_bits, offset);
    g_mutex_unlock(&image->lock);
    return err;
}

static void release(BlockQcow2 *image, uint64_t offset, uint64_t bytes)
{
    if (bytes) {
        g_mutex_lock(&image->lock);
        qcow2_free(image, offset, bytes, QCOW2_FREE_SNAPSHOT);
        g_mutex_unlock(&image->lock);
    }
}

/* The header leads to a list of these, in one step. */
static int write_list(BlockQcow2 *image, const Qcow2Snapshot *snapshots, uint32_t count)
{
    g_autoptr(GByteArray) list = g_byte_array_new();
    uint64_t old_offset = image->header.snapshots_offset, old_bytes = image->snapshots_bytes;
    uint64_t offset = 0;
    Qcow2Header header;
    int err;

    for (uint32_t i = 0; i < count; i++) {
        put_one(list, &snapshots[i]);
    }
    err = list->len ? alloc(image, list->len, &offset) : 0;
    err = err || !list->len ? err : block_write(image->parent.file, offset, list->data, list->len);
    err = err ? err : qcow2_sync(image);
    header = image->header;
    header.snapshots = count;
    header.snapshots_offset = offset;
    err = err ? err : update_header(image, &header);
    if (err) {
        release(image, offset, offset ? list->len : 0);
        return err;
    }
    image->header = header;
    image->snapshots_bytes = list->len;
    release(image, old_offset, old_bytes);
    return 0;
}

/* --- trees --- */

static int change_entry(BlockQcow2 *image, Qcow2Entry entry, int by)
{
    uint64_t host = qcow2_entry_host(entry);
    uint32_t bytes = image->cluster;

    if (entry.l2 & QCOW2_ENTRY_COMPRESSED) {
        qcow2_entry_packed(image, entry.l2, &host, &bytes);
    } else if (!host || image->has_data_file) {
        return 0;
    } else if (host & (image->cluster - 1)) {
        return -EIO;
    }
    if (by < 0) {
        qcow2_free(image, host, bytes, QCOW2_FREE_SNAPSHOT);
        return 0;
    }
    return qcow2_refcount_add(image, host, bytes, by);
}

static int change_table(BlockQcow2 *image, uint64_t table, int by)
{
    int err = 0;

    for (uint64_t i = 0; i < BIT64(image->l2_bits) && !err; i++) {
        uint64_t at = i * image->entry_bytes, in_slice = at & (image->l2.entry_bytes - 1);
        Qcow2Block *block = qcow2_cache_get(image, &image->l2, table + at - in_slice, &err);

        if (block) {
            const uint8_t *entry = block->data + in_slice;

            err = change_entry(image, (Qcow2Entry){ load_be64(entry), 0 }, by);
        }
    }
    return err;
}

/* One more, or fewer (later), for all that an L1 table leads to; not for itself. */
static int change_tree(BlockQcow2 *image, const uint64_t *l1, uint32_t entries, int by)
{
    int err = 0;

    g_mutex_lock(&image->lock);
    for (uint32_t i = 0; i < entries && !err; i++) {
        uint64_t table = l1[i] & QCOW2_OFFSET_MASK;

        if (!table) {
            continue;
        }
        err = table & (image->cluster - 1) ? -EIO : change_table(image, table, by);
        if (!err && by < 0) {
            qcow2_free(image, table, image->cluster, QCOW2_FREE_SNAPSHOT);
        } else if (!err) {
            err = qcow2_refcount_add(image, table, image->cluster, by);
        }
    }
    g_mutex_unlock(&image->lock);
    return err;
}

static bool is_single(BlockQcow2 *image, uint64_t offset)
{
    uint64_t count;

    return !qcow2_refcount_get(image, offset >> image->cluster_bits, &count) && count == 1;
}

static int mark_table(BlockQcow2 *image, uint64_t table)
{
    int err = 0;

    for (uint64_t i = 0; i < BIT64(image->l2_bits) && !err; i++) {
        uint64_t at = i * image->entry_bytes, in_slice = at & (image->l2.entry_bytes - 1);
        Qcow2Block *block = qcow2_cache_get(image, &image->l2, table + at - in_slice, &err);
        Qcow2Entry entry = { block ? load_be64(block->data + in_slice) : 0, 0 };
        uint64_t host = qcow2_entry_host(entry);

        if (host && is_single(image, host) != !!(entry.l2 & QCOW2_ENTRY_COPIED)) {
            store_be64(block->data + in_slice, entry.l2 ^ QCOW2_ENTRY_COPIED);
            qcow2_cache_dirty(&image->l2, block, in_slice, sizeof(uint64_t));
        }
    }
    return err;
}

/* The active tables' "copied" marks say again what the counts say. */
static int mark_all(BlockQcow2 *image)
{
    int err = 0;

    g_mutex_lock(&image->lock);
    for (uint32_t i = 0; i < image->header.l1_entries && !err; i++) {
        uint64_t table = image->l1[i] & QCOW2_OFFSET_MASK;

        if (!table) {
            continue;
        }
        image->l1[i] = table | (is_single(image, table) ? QCOW2_ENTRY_COPIED : 0);
        err = image->has_data_file ? 0 : mark_table(image, table);
    }
    image->l1_dirty_from = 0;
    image->l1_dirty_to = image->header.l1_entries;
    g_mutex_unlock(&image->lock);
    return err;
}

/* Counts that shrink do so now. */
static int settle(BlockQcow2 *image)
{
    int err = qcow2_sync(image);

    err = err ? err : qcow2_sync(image);
    err = err ? err : mark_all(image);
    return err ? err : qcow2_sync(image);
}

/* --- dirty meanwhile --- */

static int begin(BlockQcow2 *image)
{
    int err = qcow2_sync(image);

    err = err ? err : qcow2_sync(image);
    if (!err && image->header.version > 2) {
        image->header.incompatible |= QCOW2_INCOMPAT_DIRTY;
        err = update_header(image, &image->header);
    }
    return err;
}

static int end(BlockQcow2 *image, int err)
{
    if (err) {
        BlockCheck result = { 0 };

        /* It was left halfway. */
        qcow2_sync(image);
        qcow2_check_alone(image, BLOCK_FIX_ERRORS | BLOCK_FIX_LEAKS, &result);
    }
    if (image->header.incompatible & QCOW2_INCOMPAT_DIRTY) {
        image->header.incompatible &= ~(uint64_t)QCOW2_INCOMPAT_DIRTY;
        err = err ? err : update_header(image, &image->header);
    }
    return err;
}

/* --- L1 tables --- */

static int write_l1(BlockQcow2 *image, const uint64_t *l1, uint32_t entries, uint64_t *offset)
{
    uint64_t bytes = ROUND_UP(entries * UINT64_C(8), image->cluster);
    g_autofree uint8_t *raw = g_try_malloc0(MAX(bytes, 1));
    int err = raw ? 0 : -ENOMEM;

    *offset = 0;
    for (uint32_t i = 0; raw && i < entries; i++) {
        store_be64(raw + i * UINT64_C(8), l1[i]);
    }
    err = err || !entries ? err : alloc(image, bytes, offset);
    return err || !entries ? err : block_write(image->parent.file, *offset, raw, bytes);
}

static uint64_t *read_l1(BlockQcow2 *image, const Qcow2Snapshot *snapshot, int *err)
{
    uint64_t *l1 = g_try_new0(uint64_t, MAX(snapshot->l1_entries, 1));

    *err = l1 ? block_read(image->parent.file, snapshot->l1_offset, l1,
                           snapshot->l1_entries * UINT64_C(8)) : -ENOMEM;
    for (uint32_t i = 0; !*err && i < snapshot->l1_entries; i++) {
        l1[i] = GUINT64_FROM_BE(l1[i]) & ~QCOW2_ENTRY_COPIED;
    }
    return l1;
}

/* --- acts --- */

static int add_to_list(BlockQcow2 *image, const Qcow2Snapshot *new)
{
    uint32_t count = image->header.snapshots;
    Qcow2Snapshot *list = g_new(Qcow2Snapshot, count + 1);
    int err;

    if (count) {
        memcpy(list, image->snapshots, count * sizeof(*list));
    }
    list[count] = *new;
    err = write_list(image, list, count + 1);
    if (err) {
        g_free(list);
        return err;
    }
    g_free(image->snapshots);
    image->snapshots = list;
    return 0;
}

static int create(BlockQcow2 *image, const BlockSnapshotNew *from)
{
    gint64 now_us = g_get_real_time();
    Qcow2Snapshot new = {
        .id = new_id(image), .name = g_strdup(from->name), .l1_entries = image->header.l1_entries,
        .date_sec = now_us / G_USEC_PER_SEC, .date_nsec = now_us % G_USEC_PER_SEC * 1000,
        .disk_bytes = image->header.bytes, .icount = 0, .vm_clock_ns = from->vm_clock_ns,
        .vm_state_bytes = from->vm_state_bytes,
    };
    int err = image->header.snapshots == QCOW2_MAX_SNAPSHOTS ? -EFBIG : 0;

    err = err ? err : change_tree(image, image->l1, image->header.l1_entries, 1);
    err = err ? err : mark_all(image);
    err = err ? err : write_l1(image, image->l1, new.l1_entries, &new.l1_offset);
    err = err ? err : qcow2_sync(image);
    err = err ? err : add_to_list(image, &new);
    if (err) {
        g_free(new.id);
        g_free(new.name);
    }
    return err;
}

static int delete(BlockQcow2 *image, Qcow2Snapshot *snapshot)
{
    uint32_t count = image->header.snapshots, at = snapshot - image->snapshots;
    Qcow2Snapshot *list = g_new(Qcow2Snapshot, count), old = *snapshot;
    int err;
    g_autofree uint64_t *l1 = read_l1(image, snapshot, &err);

    memcpy(list, image->snapshots, count * sizeof(*list));
    memmove(list + at, list + at + 1, (count - at - 1) * sizeof(*list));
    err = err ? err : write_list(image, list, count - 1);
    if (err) {
        g_free(list);
        return err;
    }
    g_free(image->snapshots);
    image->snapshots = list;
    err = change_tree(image, l1, old.l1_entries, -1);
    release(image, old.l1_offset, old.l1_entries * UINT64_C(8));
    qcow2_snapshot_clear(&old);
    return err ? err : settle(image);
}

/* What was active before is let go of. */
static int adopt(BlockQcow2 *image, const Qcow2Snapshot *snapshot, uint64_t *l1)
{
    uint64_t *old = image->l1, old_offset = image->header.l1_offset, offset;
    uint32_t old_entries = image->header.l1_entries;
    int err = write_l1(image, l1, snapshot->l1_entries, &offset);
    Qcow2Header header;

    err = err ? err : qcow2_sync(image);
    if (err) {
        return err;
    }
    header = image->header;
    header.l1_offset = offset;
    header.l1_entries = snapshot->l1_entries;
    header.bytes = snapshot->disk_bytes;
    err = update_header(image, &header);
    if (err) {
        return err;
    }
    image->header = header;
    image->l1 = l1;
    err = change_tree(image, old, old_entries, -1);
    release(image, old_offset, old_entries * UINT64_C(8));
    g_free(old);
    return err;
}

static bool fits(const BlockQcow2 *image, const Qcow2Snapshot *snapshot)
{
    unsigned shift = image->cluster_bits + image->l2_bits;

    return snapshot->disk_bytes <= BLOCK_MAX_BYTES &&
           (snapshot->disk_bytes >> shift) + !!(snapshot->disk_bytes & (BIT64(shift) - 1)) <=
               snapshot->l1_entries;
}

static int apply(BlockQcow2 *image, const Qcow2Snapshot *snapshot)
{
    int err;
    uint64_t *l1 = read_l1(image, snapshot, &err);

    err = err || fits(image, snapshot) ? err : -EINVAL;
    err = err ? err : change_tree(image, l1, snapshot->l1_entries, 1);
    err = err ? err : qcow2_sync(image);
    err = err ? err : adopt(image, snapshot, l1);
    if (image->l1 != l1) {
        g_free(l1);
    }
    return err ? err : settle(image);
}

/* Only for who reads: nothing on the disk changes. */
static int show(BlockQcow2 *image, const Qcow2Snapshot *snapshot)
{
    int err;
    uint64_t *l1;

    if (!image->parent.is_read_only || !fits(image, snapshot)) {
        return image->parent.is_read_only ? -EINVAL : -EPERM;
    }
    l1 = read_l1(image, snapshot, &err);
    if (err) {
        g_free(l1);
        return err;
    }
    g_free(image->l1);
    image->l1 = l1;
    image->header.l1_entries = snapshot->l1_entries;
    image->header.bytes = snapshot->disk_bytes;
    return 0;
}

static int act_alone(BlockQcow2 *image, BlockSnapshotAct act, const char *id, const char *name)
{
    Qcow2Snapshot *snapshot = find(image, id, name);
    int err;

    if (!snapshot) {
        return -ENOENT;
    }
    if (act == BLOCK_SNAPSHOT_SHOW) {
        return show(image, snapshot);
    }
    err = begin(image);
    err = err ? err : act == BLOCK_SNAPSHOT_APPLY ? apply(image, snapshot) :
                                                    delete(image, snapshot);
    return end(image, err);
}

int qcow2_snapshot_new(BlockNode *node, const BlockSnapshotNew *new)
{
    BlockQcow2 *image = qcow2_of(node);
    int err;

    if (node->is_read_only || image->has_data_file || image->is_failed) {
        return node->is_read_only ? -EACCES : image->is_failed ? -EIO : -ENOTSUP;
    }
    qcow2_enter_alone(image);
    err = begin(image);
    err = end(image, err ? err : create(image, new));
    qcow2_leave_alone(image);
    return err;
}

int qcow2_snapshot(BlockNode *node, BlockSnapshotAct act, const char *id, const char *name)
{
    BlockQcow2 *image = qcow2_of(node);
    int err;

    if (act == BLOCK_SNAPSHOT_CREATE) {
        return qcow2_snapshot_new(node, &(BlockSnapshotNew){ .name = name });
    }
    if (act != BLOCK_SNAPSHOT_SHOW && node->is_read_only) {
        return -EACCES;
    }
    if (image->has_data_file || image->is_failed) {
        return image->is_failed ? -EIO : -ENOTSUP;
    }
    qcow2_enter_alone(image);
    err = act == BLOCK_SNAPSHOT_APPLY ? qcow2_bitmaps_mark(image) : 0;
    err = err ? err : act_alone(image, act, id, name);
    qcow2_leave_alone(image);
    if (!err && act == BLOCK_SNAPSHOT_APPLY) {
        block_bitmaps_note(node, 0, block_node_bytes(node)); /* any of it may be another */
    }
    if (!err) {
        block_node_set_bytes(node, image->header.bytes);
    }
    return err;
}
