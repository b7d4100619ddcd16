/*
 * qcow2: bitmaps that an image keeps, after the published format's "Bitmaps" extension. They are
 * read when the image is opened, and written when it is closed, or is to stay as it is. Before the
 * first change of the guest's in between those on the disk are marked as in use: one that is
 * found so is inconsistent, for its writer did not get to the end.
 *
 * A list ("directory") of entries leads to a table for each bitmap, and that to clusters of bits.
 * A new list goes to a new place, and the header leads to it when all of it is there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

#include "block/bitmap.h"
#include "util/byte_order.h"

#define ENTRY_BYTES  24 /* and what is extra, and the name */
#define MAX_BYTES    (512 * MiB) /* of a bitmap, as others have it */
#define MAX_BITMAPS  65535

enum { IN_USE = BIT(0), AUTO = BIT(1), EXTRA_IS_COMPATIBLE = BIT(2), KNOWN_FLAGS = BIT(3) - 1 };
enum { ALL_ONES = BIT(0), KIND_DIRTY = 1 };

/* One as it is on the disk. */
struct Qcow2Bitmap {
    char *name;
    uint64_t table;      /* its offset */
    uint32_t entries;    /* of the table */
    uint32_t flags;
    uint8_t granularity_bits;
};

static void bitmap_clear(void *opaque)
{
    g_free(((Qcow2Bitmap *)opaque)->name);
}

static GArray *list_new(void)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(Qcow2Bitmap));

    g_array_set_clear_func(list, bitmap_clear);
    return list;
}

static Qcow2Bitmap *nth(const GArray *list, guint n)
{
    return &g_array_index(list, Qcow2Bitmap, n);
}

static Qcow2Bitmap *stored_of(const BlockQcow2 *image, const char *name)
{
    for (guint i = 0; i < image->bitmaps->len; i++) {
        if (!strcmp(nth(image->bitmaps, i)->name, name)) {
            return nth(image->bitmaps, i);
        }
    }
    return NULL;
}

static uint32_t entries_for(const BlockQcow2 *image, uint64_t bits)
{
    uint64_t bytes = (bits + 7) / 8;

    return (bytes >> image->cluster_bits) + !!(bytes & (image->cluster - 1));
}

static bool is_too_large(const BlockQcow2 *image, unsigned granularity_bits)
{
    return block_bitmap_bits(image->header.bytes, granularity_bits) / 8 > MAX_BYTES;
}

/* --- reading the list --- */

static bool check_entry(BlockQcow2 *image, const Qcow2Bitmap *bitmap, uint32_t extra, Error **errp)
{
    uint64_t file = block_node_bytes(image->parent.file), bytes = bitmap->entries * UINT64_C(8);

    if (bitmap->flags & ~KNOWN_FLAGS || (extra && !(bitmap->flags & EXTRA_IS_COMPATIBLE))) {
        return error_set(errp, "Bitmap '%s' has features that are not known", bitmap->name);
    }
    if (bitmap->granularity_bits < BLOCK_BITMAP_MIN_BITS ||
        bitmap->granularity_bits > BLOCK_BITMAP_MAX_BITS) {
        return error_set(errp, "Bitmap '%s' has a granularity out of range", bitmap->name);
    }
    if (bitmap->table % image->cluster || bytes > file || bitmap->table > file - bytes ||
        bitmap->entries > MAX_BYTES / BLOCK_SECTOR_BYTES) {
        return error_set(errp, "Bitmap '%s' has a table out of range", bitmap->name);
    }
    return !stored_of(image, bitmap->name) ||
           error_set(errp, "There are two bitmaps '%s'", bitmap->name);
}

static bool take_entry(BlockQcow2 *image, const uint8_t *at, uint64_t left, uint64_t *bytes,
                       Error **errp)
{
    uint32_t extra = left < ENTRY_BYTES ? 0 : load_be32(at + 20);
    uint16_t name = left < ENTRY_BYTES ? 0 : load_be16(at + 18);
    Qcow2Bitmap bitmap;

    *bytes = ROUND_UP(ENTRY_BYTES + (uint64_t)extra + name, 8);
    if (*bytes > left || !name || name > BLOCK_BITMAP_NAME_BYTES || at[16] != KIND_DIRTY ||
        memchr(at + ENTRY_BYTES + extra, 0, name)) {
        return error_set(errp, "The list of bitmaps is damaged");
    }
    bitmap = (Qcow2Bitmap){
        .name = g_strndup((const char *)at + ENTRY_BYTES + extra, name), .table = load_be64(at),
        .entries = load_be32(at + 8), .flags = load_be32(at + 12), .granularity_bits = at[17],
    };
    if (!check_entry(image, &bitmap, extra, errp)) {
        g_free(bitmap.name);
        return false;
    }
    g_array_append_val(image->bitmaps, bitmap);
    return true;
}

static uint8_t *read_list(BlockQcow2 *image, int *err)
{
    const Qcow2Header *header = &image->header;
    uint64_t file = block_node_bytes(image->parent.file);
    uint8_t *list;

    if (header->bitmaps_bytes > file || header->bitmaps_offset > file - header->bitmaps_bytes) {
        *err = -EINVAL;
        return NULL;
    }
    list = g_malloc(header->bitmaps_bytes + ENTRY_BYTES);
    *err = block_read(image->parent.file, header->bitmaps_offset, list, header->bitmaps_bytes);
    if (*err) {
        g_clear_pointer(&list, g_free);
    }
    return list;
}

static bool take_list(BlockQcow2 *image, Error **errp)
{
    uint64_t pos = 0, end = image->header.bitmaps_bytes, bytes;
    g_autofree uint8_t *list = NULL;
    int err = 0;

    list = read_list(image, &err);
    if (!list) {
        return error_set_errno(errp, -err, "Could not read the list of bitmaps");
    }
    for (uint32_t i = 0; i < image->header.bitmaps; i++, pos += bytes) {
        if (!take_entry(image, list + pos, end - pos, &bytes, errp)) {
            return false;
        }
    }
    return pos == end || error_set(errp, "The list of bitmaps is damaged");
}

/* --- reading a bitmap --- */

/* Host byte order; freed by the caller. */
static uint64_t *read_table(BlockQcow2 *image, const Qcow2Bitmap *bitmap, int *err)
{
    uint64_t *table = g_try_new0(uint64_t, MAX(bitmap->entries, 1));

    *err = table ? block_read(image->parent.file, bitmap->table, table,
                              bitmap->entries * sizeof(uint64_t)) : -ENOMEM;
    for (uint32_t i = 0; i < bitmap->entries && !*err; i++) {
        table[i] = GUINT64_FROM_BE(table[i]);
        if (table[i] & ~(QCOW2_OFFSET_MASK | ALL_ONES) || table[i] % image->cluster > ALL_ONES ||
            (table[i] & ALL_ONES && table[i] != ALL_ONES)) {
            *err = -EINVAL;
        }
    }
    if (*err) {
        g_clear_pointer(&table, g_free);
    }
    return table;
}

static int read_bits(BlockQcow2 *image, const Qcow2Bitmap *bitmap, uint8_t *bits, uint64_t bytes)
{
    g_autofree uint64_t *table = NULL;
    int err = 0;

    table = read_table(image, bitmap, &err);
    for (uint32_t i = 0; i < bitmap->entries && !err; i++) {
        uint64_t from = (uint64_t)i << image->cluster_bits, part = MIN(image->cluster, bytes - from);

        if (table[i] == ALL_ONES) {
            memset(bits + from, 0xff, part);
        } else if (table[i]) {
            err = block_read(image->parent.file, table[i], bits + from, part);
        }
    }
    return err;
}

static bool fill(BlockQcow2 *image, const Qcow2Bitmap *stored, BlockBitmap *bitmap, Error **errp)
{
    size_t words = block_bitmap_words(bitmap->bits);
    g_autofree uint64_t *bits = g_try_new0(uint64_t, MAX(words, 1));
    int err = bits ? read_bits(image, stored, (uint8_t *)bits, (bitmap->bits + 7) / 8) : -ENOMEM;

    if (err) {
        return error_set_errno(errp, -err, "Could not read bitmap '%s'", stored->name);
    }
    for (size_t i = 0; i < words; i++) {
        bits[i] = GUINT64_FROM_LE(bits[i]);
    }
    if (bitmap->bits % 64) {
        bits[words - 1] &= BIT64(bitmap->bits % 64) - 1;
    }
    block_bitmap_restore(bitmap, g_steal_pointer(&bits));
    return true;
}

static bool load(BlockQcow2 *image, const Qcow2Bitmap *stored, Error **errp)
{
    bool is_in_use = stored->flags & IN_USE;
    BlockBitmap *bitmap;

    if (!is_in_use && (is_too_large(image, stored->granularity_bits) ||
                       stored->entries != entries_for(image, block_bitmap_bits(
                           image->header.bytes, stored->granularity_bits)))) {
        return error_set(errp, "Bitmap '%s' is not of the size of the image", stored->name);
    }
    bitmap = block_bitmap_add(&image->parent, stored->name, BIT64(stored->granularity_bits), errp);
    if (!bitmap) {
        return false;
    }
    bitmap->is_persistent = true;
    bitmap->is_inconsistent = is_in_use;
    if (!is_in_use && !fill(image, stored, bitmap, errp)) {
        return false;
    }
    bitmap->is_recording = !is_in_use && stored->flags & AUTO;
    bitmap->is_changed = false;
    return true;
}

bool qcow2_bitmaps_load(BlockQcow2 *image, Error **errp)
{
    if (!image->header.bitmaps || image->parent.is_check) {
        return true;
    }
    if (!take_list(image, errp)) {
        return false;
    }
    for (guint i = 0; i < image->bitmaps->len; i++) {
        if (!load(image, nth(image->bitmaps, i), errp)) {
            return false;
        }
    }
    image->needs_mark = image->bitmaps->len > 0;
    return true;
}

/* --- in use --- */

static int mark(BlockQcow2 *image)
{
    g_autofree uint8_t *list = NULL;
    uint64_t pos = 0;
    int err = 0;

    list = read_list(image, &err);
    for (guint i = 0; i < image->bitmaps->len && list; i++) {
        uint8_t *at = list + pos;

        store_be32(at + 12, load_be32(at + 12) | IN_USE);
        pos += ROUND_UP(ENTRY_BYTES + (uint64_t)load_be32(at + 20) + load_be16(at + 18), 8);
    }
    err = err ? err : block_write(image->parent.file, image->header.bitmaps_offset, list,
                                  image->header.bitmaps_bytes);
    err = err ? err : qcow2_barrier(image);
    for (guint i = 0; i < image->bitmaps->len && !err; i++) {
        nth(image->bitmaps, i)->flags |= IN_USE;
    }
    return err;
}

int qcow2_bitmaps_mark(BlockQcow2 *image)
{
    int err = 0;

    if (!__atomic_load_n(&image->needs_mark, __ATOMIC_ACQUIRE)) {
        return 0;
    }
    g_mutex_lock(&image->mark_lock);
    if (image->needs_mark) {
        err = mark(image);
        __atomic_store_n(&image->needs_mark, err != 0, __ATOMIC_RELEASE);
    }
    g_mutex_unlock(&image->mark_lock);
    return err;
}

/* --- writing --- */

static int alloc(BlockQcow2 *image, uint64_t bytes, uint64_t *offset)
{
    uint64_t clusters = ROUND_UP(bytes, image->cluster) >> image->cluster_bits;
    int err;

    g_mutex_lock(&image->lock);
    err = qcow2_alloc(image, clusters, offset);
    g_mutex_unlock(&image->lock);
    return err;
}

static void release(BlockQcow2 *image, uint64_t offset, uint64_t bytes)
{
    g_mutex_lock(&image->lock);
    qcow2_free(image, offset, bytes, QCOW2_FREE_OTHER);
    g_mutex_unlock(&image->lock);
}

static void release_table(BlockQcow2 *image, uint64_t offset, const uint64_t *table,
                          uint32_t entries)
{
    for (uint32_t i = 0; i < entries; i++) {
        if (table[i] & QCOW2_OFFSET_MASK) {
            release(image, table[i] & QCOW2_OFFSET_MASK, image->cluster);
        }
    }
    if (offset) {
        release(image, offset, entries * UINT64_C(8));
    }
}

static void release_bitmap(BlockQcow2 *image, const Qcow2Bitmap *bitmap)
{
    g_autofree uint64_t *table = NULL;
    int err = 0;

    table = read_table(image, bitmap, &err);
    if (table) {
        release_table(image, bitmap->table, table, bitmap->entries);
    }
}

static int write_cluster(BlockQcow2 *image, const uint8_t *bits, uint64_t bytes, uint64_t *entry)
{
    g_autofree uint8_t *cluster = g_malloc0(image->cluster);
    int err;

    *entry = 0;
    if (block_is_zero(bits, bytes)) {
        return 0;
    }
    memcpy(cluster, bits, bytes);
    err = alloc(image, image->cluster, entry);
    return err ? err : block_write(image->parent.file, *entry, cluster, image->cluster);
}

static int write_table(BlockQcow2 *image, uint64_t *table, uint32_t entries, uint64_t *offset)
{
    int err = alloc(image, MAX(entries, 1) * UINT64_C(8), offset);

    for (uint32_t i = 0; i < entries; i++) {
        table[i] = GUINT64_TO_BE(table[i]);
    }
    err = err ? err : block_write(image->parent.file, *offset, table, entries * UINT64_C(8));
    for (uint32_t i = 0; i < entries; i++) {
        table[i] = GUINT64_FROM_BE(table[i]);
    }
    return err;
}

/* What it has of the disk goes to `to`. */
static int write_bitmap(BlockQcow2 *image, BlockBitmap *bitmap, Qcow2Bitmap *to)
{
    uint64_t bytes = (bitmap->bits + 7) / 8;
    size_t words = block_bitmap_words(bitmap->bits);
    g_autofree uint64_t *bits = block_bitmap_copy(bitmap), *table = NULL;
    int err;

    to->entries = entries_for(image, bitmap->bits);
    table = g_try_new0(uint64_t, MAX(to->entries, 1));
    err = bits && table ? 0 : -ENOMEM;
    for (size_t i = 0; i < words && !err; i++) {
        bits[i] = GUINT64_TO_LE(bits[i]);
    }
    for (uint32_t i = 0; i < to->entries && !err; i++) {
        uint64_t from = (uint64_t)i << image->cluster_bits;

        err = write_cluster(image, (uint8_t *)bits + from, MIN(image->cluster, bytes - from),
                            &table[i]);
    }
    err = err ? err : write_table(image, table, to->entries, &to->table);
    if (err && table) {
        release_table(image, to->table, table, to->entries);
    }
    return err;
}

/* What is to be stored: `is_new` tells which of them were written now. */
static int collect(BlockQcow2 *image, GArray *list, GArray *is_new)
{
    BlockBitmap *bitmap;
    int err = 0;

    for (guint n = 0; (bitmap = block_bitmap_nth(&image->parent, n)) && !err; n++) {
        const Qcow2Bitmap *old = stored_of(image, bitmap->name);
        Qcow2Bitmap to = { .granularity_bits = bitmap->granularity_bits };
        bool is_kept = old && (bitmap->is_inconsistent || !bitmap->is_changed);

        if (!bitmap->is_persistent) {
            continue;
        }
        if (is_kept) {
            to = *old;
        } else {
            err = write_bitmap(image, bitmap, &to);
        }
        if (!err) {
            to.name = g_strdup(bitmap->name);
            to.flags = bitmap->is_inconsistent ? to.flags : bitmap->is_recording ? AUTO : 0;
            g_array_append_val(list, to);
            g_array_append_val(is_new, (bool){ !is_kept });
        }
    }
    return err;
}

static GByteArray *list_bytes(const GArray *list)
{
    GByteArray *out = g_byte_array_new();

    for (guint i = 0; i < list->len; i++) {
        const Qcow2Bitmap *bitmap = nth(list, i);
        size_t name = strlen(bitmap->name), at = out->len;

        g_byte_array_set_size(out, at + ROUND_UP(ENTRY_BYTES + name, 8));
        memset(out->data + at, 0, out->len - at);
        store_be64(out->data + at, bitmap->table);
        store_be32(out->data + at + 8, bitmap->entries);
        store_be32(out->data + at + 12, bitmap->flags & ~EXTRA_IS_COMPATIBLE);
        out->data[at + 16] = KIND_DIRTY;
        out->data[at + 17] = bitmap->granularity_bits;
        store_be16(out->data + at + 18, name);
        memcpy(out->data + at + ENTRY_BYTES, bitmap->name, name);
    }
    return out;
}

/* The header leads to the list from now on; all that it leads to is durable before. */
static int lead_to(BlockQcow2 *image, const GArray *list)
{
    g_autoptr(GByteArray) bytes = list_bytes(list);
    Qcow2Header old = image->header;
    uint64_t offset = 0;
    int err = 0;

    if (bytes->len) {
        err = alloc(image, bytes->len, &offset);
        err = err ? err : block_write(image->parent.file, offset, bytes->data, bytes->len);
    }
    err = err ? err : qcow2_sync(image);
    err = err ? err : qcow2_barrier(image);
    image->header.bitmaps = list->len;
    image->header.bitmaps_bytes = bytes->len;
    image->header.bitmaps_offset = offset;
    image->header.autoclear &= ~(uint64_t)QCOW2_AUTOCLEAR_BITMAPS;
    image->header.autoclear |= list->len ? QCOW2_AUTOCLEAR_BITMAPS : 0;
    err = err ? err : qcow2_header_write(&image->header, image->parent.file);
    err = err ? err : qcow2_barrier(image);
    if (err) {
        image->header.bitmaps = old.bitmaps;
        image->header.bitmaps_bytes = old.bitmaps_bytes;
        image->header.bitmaps_offset = old.bitmaps_offset;
        image->header.autoclear = old.autoclear;
        return err; /* what was made is leaked: it may be that the header leads there */
    }
    if (old.bitmaps_offset && old.bitmaps) {
        release(image, old.bitmaps_offset, old.bitmaps_bytes);
    }
    return 0;
}

static bool is_up_to_date(const BlockQcow2 *image)
{
    const BlockBitmap *bitmap;
    guint stored = 0;

    for (guint n = 0; (bitmap = block_bitmap_nth(&image->parent, n)); n++) {
        if (bitmap->is_persistent) {
            stored++;
            if (bitmap->is_changed || !stored_of(image, bitmap->name)) {
                return false;
            }
        }
    }
    return stored == image->bitmaps->len && (!stored || image->needs_mark);
}

/* What no longer is on the disk, now that the header leads elsewhere. */
static void release_old(BlockQcow2 *image, const GArray *list, const GArray *is_new)
{
    for (guint i = 0; i < image->bitmaps->len; i++) {
        const Qcow2Bitmap *old = nth(image->bitmaps, i);
        bool is_kept = false;

        for (guint j = 0; j < list->len; j++) {
            is_kept |= !g_array_index(is_new, bool, j) && nth(list, j)->table == old->table;
        }
        if (!is_kept) {
            release_bitmap(image, old);
        }
    }
}

int qcow2_bitmaps_store(BlockQcow2 *image)
{
    g_autoptr(GArray) list = list_new(), is_new = g_array_new(FALSE, FALSE, sizeof(bool));
    BlockBitmap *bitmap;
    int err;

    if (image->parent.is_check || is_up_to_date(image)) {
        return 0;
    }
    err = collect(image, list, is_new);
    err = err ? err : lead_to(image, list);
    if (err) {
        return err;
    }
    release_old(image, list, is_new);
    g_array_unref(image->bitmaps);
    image->bitmaps = g_steal_pointer(&list);
    for (guint n = 0; (bitmap = block_bitmap_nth(&image->parent, n)); n++) {
        bitmap->is_changed &= !bitmap->is_persistent;
    }
    __atomic_store_n(&image->needs_mark, image->bitmaps->len > 0, __ATOMIC_RELEASE);
    return 0;
}

int qcow2_bitmaps_drop(BlockQcow2 *image)
{
    BlockBitmap *bitmap;

    for (guint n = 0; (bitmap = block_bitmap_nth(&image->parent, n)); n++) {
        bitmap->is_persistent = false;
    }
    return qcow2_bitmaps_store(image);
}

/* --- what else is asked --- */

bool qcow2_bitmap_can_be_kept(BlockNode *node, const char *name, uint64_t granularity,
                              Error **errp)
{
    const BlockQcow2 *image = qcow2_of(node);
    const BlockBitmap *bitmap;
    guint kept = 0;

    for (guint n = 0; (bitmap = block_bitmap_nth(node, n)); n++) {
        kept += bitmap->is_persistent;
    }
    if (image->header.version < 3) {
        return error_set(errp, "Cannot store dirty bitmaps in qcow2 v2 files");
    }
    if (strlen(name) > BLOCK_BITMAP_NAME_BYTES) {
        return error_set(errp, "Name length exceeds maximum (%u characters)",
                         BLOCK_BITMAP_NAME_BYTES);
    }
    if (kept >= MAX_BITMAPS) {
        return error_set(errp, "Maximum number of persistent bitmaps is already reached");
    }
    return granularity & (granularity - 1) || granularity < BIT(BLOCK_BITMAP_MIN_BITS) ||
           !is_too_large(image, __builtin_ctzll(granularity)) ||
           error_set(errp, "Too much space will be occupied by the bitmap. Use larger "
                     "granularity");
}

bool qcow2_bitmaps_check(BlockQcow2 *image, Error **errp)
{
    const BlockBitmap *bitmap;

    for (guint n = 0; (bitmap = block_bitmap_nth(&image->parent, n)); n++) {
        if (bitmap->is_persistent && !block_bitmap_check(bitmap, true, errp)) {
            return false;
        }
    }
    return true;
}

Qcow2BitmapInfoArray *qcow2_bitmaps_info(const BlockQcow2 *image)
{
    Qcow2BitmapInfoArray *list = image->bitmaps->len ? g_new0(Qcow2BitmapInfoArray, 1) : NULL;

    for (guint i = 0; i < image->bitmaps->len; i++) {
        const Qcow2Bitmap *bitmap = nth(image->bitmaps, i);
        Qcow2BitmapInfo *info = g_new0(Qcow2BitmapInfo, 1);

        info->name = g_strdup(bitmap->name);
        info->granularity = BIT(bitmap->granularity_bits);
        info->flags = g_new0(Qcow2BitmapInfoFlagsArray, 1);
        if (bitmap->flags & IN_USE) {
            qcow2_bitmap_info_flags_array_add(info->flags, QCOW2_BITMAP_INFO_FLAGS_IN_USE);
        }
        if (bitmap->flags & AUTO) {
            qcow2_bitmap_info_flags_array_add(info->flags, QCOW2_BITMAP_INFO_FLAGS_AUTO);
        }
        qcow2_bitmap_info_array_add(list, info);
    }
    return list;
}

void qcow2_bitmaps_init(BlockQcow2 *image)
{
    g_mutex_init(&image->mark_lock);
    image->bitmaps = list_new();
}

void qcow2_bitmaps_forget(BlockQcow2 *image)
{
    for (guint i = 0; i < image->bitmaps->len; i++) {
        BlockBitmap *bitmap = block_bitmap_find(&image->parent, nth(image->bitmaps, i)->name);

        if (bitmap) {
            block_bitmap_detach(bitmap);
            block_bitmap_free(bitmap);
        }
    }
    g_array_set_size(image->bitmaps, 0);
    image->needs_mark = false;
}

void qcow2_bitmaps_clear(BlockQcow2 *image)
{
    g_array_unref(image->bitmaps);
    g_mutex_clear(&image->mark_lock);
}
