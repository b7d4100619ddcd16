/*
 * See block/bitmap.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/bitmap.h"

#define WORD_BITS 64

/* --- sizes --- */

uint64_t block_bitmap_bits(uint64_t bytes, unsigned granularity_bits)
{
    return (bytes >> granularity_bits) + !!(bytes & (BIT64(granularity_bits) - 1));
}

size_t block_bitmap_words(uint64_t bits)
{
    return (bits + WORD_BITS - 1) / WORD_BITS;
}

static uint64_t *words_new(uint64_t bits)
{
    return g_try_new0(uint64_t, MAX(block_bitmap_words(bits), 1));
}

uint64_t block_bitmap_default_granularity(BlockNode *node)
{
    g_autoptr(ImageInfo) info = block_image_info(node, false);
    BlockNodeInfo *common = (BlockNodeInfo *)info;

    return common->has_cluster_size ? CLAMP(common->cluster_size, 4 * KiB, 64 * KiB) : 64 * KiB;
}

/* --- bits: with the lock --- */

static uint64_t count_of(const BlockBitmap *bitmap)
{
    uint64_t count = 0;

    for (size_t i = 0; i < block_bitmap_words(bitmap->bits); i++) {
        count += __builtin_popcountll(bitmap->words[i]);
    }
    return count;
}

/* Bits [from, to). */
static void set_bits(BlockBitmap *bitmap, uint64_t from, uint64_t to)
{
    while (from < to) {
        uint64_t *word = &bitmap->words[from / WORD_BITS];
        unsigned first = from % WORD_BITS, count = MIN(to - from, WORD_BITS - first);
        uint64_t mask = (count == WORD_BITS ? UINT64_MAX : BIT64(count) - 1) << first;

        bitmap->dirty += __builtin_popcountll(mask & ~*word);
        *word |= mask;
        from += count;
    }
    bitmap->is_changed = true;
}

static void resize(BlockBitmap *bitmap, uint64_t bytes)
{
    uint64_t bits = block_bitmap_bits(bytes, bitmap->granularity_bits), *words;
    size_t old = block_bitmap_words(bitmap->bits), new = block_bitmap_words(bits);

    if (bits == bitmap->bits) {
        return;
    }
    words = words_new(bits);
    if (!words) {
        bitmap->is_inconsistent = true; /* there is no memory for it */
        return;
    }
    memcpy(words, bitmap->words, MIN(old, new) * sizeof(uint64_t));
    if (bits < bitmap->bits && bits % WORD_BITS) {
        words[new - 1] &= BIT64(bits % WORD_BITS) - 1;
    }
    g_free(bitmap->words);
    bitmap->words = words;
    bitmap->bits = bits;
    bitmap->dirty = count_of(bitmap);
    bitmap->is_changed = true;
}

static void set_range(BlockBitmap *bitmap, uint64_t offset, uint64_t bytes)
{
    unsigned shift = bitmap->granularity_bits;
    uint64_t from = offset >> shift, to = ((offset + bytes - 1) >> shift) + 1;

    if (to > bitmap->bits) {
        resize(bitmap, block_node_bytes(bitmap->node)); /* files grow when they are written */
    }
    set_bits(bitmap, MIN(from, bitmap->bits), MIN(to, bitmap->bits));
}

/* --- those of a node --- */

static BlockBitmaps *of(const BlockNode *node)
{
    return __atomic_load_n(&node->bitmaps, __ATOMIC_ACQUIRE);
}

static BlockBitmaps *ensure(BlockNode *node)
{
    if (!node->bitmaps) {
        BlockBitmaps *new = g_new0(BlockBitmaps, 1);

        g_mutex_init(&new->lock);
        new->list = g_ptr_array_new();
        __atomic_store_n(&node->bitmaps, new, __ATOMIC_RELEASE);
    }
    return node->bitmaps;
}

BlockBitmap *block_bitmap_nth(const BlockNode *node, guint n)
{
    return node->bitmaps && n < node->bitmaps->list->len ? node->bitmaps->list->pdata[n] : NULL;
}

BlockBitmap *block_bitmap_find(const BlockNode *node, const char *name)
{
    BlockBitmap *bitmap;

    for (guint n = 0; (bitmap = block_bitmap_nth(node, n)); n++) {
        if (!strcmp(bitmap->name, name)) {
            return bitmap;
        }
    }
    return NULL;
}

static bool check_new(const BlockNode *node, const char *name, uint64_t granularity, Error **errp)
{
    if (!*name) {
        return error_set(errp, "Bitmap name cannot be empty");
    }
    if (strlen(name) > BLOCK_BITMAP_NAME_BYTES) {
        return error_set(errp, "Bitmap name too long: %s", name);
    }
    if (granularity < BIT(BLOCK_BITMAP_MIN_BITS) || granularity > BIT64(BLOCK_BITMAP_MAX_BITS) ||
        granularity & (granularity - 1)) {
        return error_set(errp, "Granularity must be power of 2 and at least %u",
                         (unsigned)BIT(BLOCK_BITMAP_MIN_BITS));
    }
    return !block_bitmap_find(node, name) || error_set(errp, "Bitmap already exists: %s", name);
}

BlockBitmap *block_bitmap_add(BlockNode *node, const char *name, uint64_t granularity,
                              Error **errp)
{
    unsigned shift = __builtin_ctzll(granularity | BIT64(63));
    uint64_t bits = block_bitmap_bits(block_node_bytes(node), shift);
    BlockBitmap *bitmap;
    uint64_t *words;

    if (!check_new(node, name, granularity, errp)) {
        return NULL;
    }
    words = words_new(bits);
    if (!words) {
        error_set(errp, "No memory for bitmap '%s'", name);
        return NULL;
    }
    bitmap = g_new0(BlockBitmap, 1);
    *bitmap = (BlockBitmap){ .node = node, .name = g_strdup(name), .granularity_bits = shift,
                             .is_recording = true, .is_changed = true, .words = words,
                             .bits = bits };
    block_bitmap_attach(bitmap);
    return bitmap;
}

void block_bitmap_attach(BlockBitmap *bitmap)
{
    BlockBitmaps *all = ensure(bitmap->node);

    g_mutex_lock(&all->lock);
    g_ptr_array_add(all->list, bitmap);
    g_mutex_unlock(&all->lock);
}

void block_bitmap_detach(BlockBitmap *bitmap)
{
    BlockBitmaps *all = bitmap->node->bitmaps;

    g_mutex_lock(&all->lock);
    g_ptr_array_remove(all->list, bitmap);
    g_mutex_unlock(&all->lock);
}

void block_bitmap_free(BlockBitmap *bitmap)
{
    if (bitmap) {
        g_free(bitmap->name);
        g_free(bitmap->words);
        g_free(bitmap);
    }
}

void block_bitmaps_free(BlockNode *node)
{
    if (node->bitmaps) {
        for (guint i = 0; i < node->bitmaps->list->len; i++) {
            block_bitmap_free(node->bitmaps->list->pdata[i]);
        }
        g_ptr_array_unref(node->bitmaps->list);
        g_mutex_clear(&node->bitmaps->lock);
        g_clear_pointer(&node->bitmaps, g_free);
    }
}

void block_bitmaps_note(BlockNode *node, uint64_t offset, uint64_t bytes)
{
    BlockBitmaps *all = of(node);

    if (!all || !bytes) {
        return;
    }
    g_mutex_lock(&all->lock);
    for (guint i = 0; i < all->list->len; i++) {
        BlockBitmap *bitmap = all->list->pdata[i];

        if (bitmap->is_recording) {
            set_range(bitmap, offset, bytes);
        }
    }
    g_mutex_unlock(&all->lock);
}

void block_bitmaps_resize(BlockNode *node)
{
    BlockBitmaps *all = of(node);

    if (!all) {
        return;
    }
    g_mutex_lock(&all->lock);
    for (guint i = 0; i < all->list->len; i++) {
        resize(all->list->pdata[i], block_node_bytes(node));
    }
    g_mutex_unlock(&all->lock);
}

/* --- what is done with one --- */

bool block_bitmap_check(const BlockBitmap *bitmap, bool is_change, Error **errp)
{
    if (bitmap->is_inconsistent) {
        error_set(errp, "Bitmap '%s' is inconsistent and cannot be used", bitmap->name);
        error_hint(errp, "Try block-dirty-bitmap-remove to delete this bitmap from disk");
        return false;
    }
    return !is_change || !bitmap->is_persistent || !bitmap->node->is_read_only ||
           error_set(errp, "Bitmap '%s' is readonly and cannot be modified", bitmap->name);
}

void block_bitmap_set_recording(BlockBitmap *bitmap, bool is_on)
{
    g_mutex_lock(&bitmap->node->bitmaps->lock);
    bitmap->is_changed |= bitmap->is_recording != is_on;
    bitmap->is_recording = is_on;
    g_mutex_unlock(&bitmap->node->bitmaps->lock);
}

void block_bitmap_restore(BlockBitmap *bitmap, uint64_t *words)
{
    g_mutex_lock(&bitmap->node->bitmaps->lock);
    g_free(bitmap->words);
    bitmap->words = words;
    bitmap->dirty = count_of(bitmap);
    bitmap->is_changed = true;
    g_mutex_unlock(&bitmap->node->bitmaps->lock);
}

uint64_t *block_bitmap_copy(BlockBitmap *bitmap)
{
    uint64_t *words = words_new(bitmap->bits);

    g_mutex_lock(&bitmap->node->bitmaps->lock);
    if (words) {
        memcpy(words, bitmap->words, block_bitmap_words(bitmap->bits) * sizeof(uint64_t));
    }
    g_mutex_unlock(&bitmap->node->bitmaps->lock);
    return words;
}

uint64_t *block_bitmap_clear(BlockBitmap *bitmap)
{
    uint64_t *empty = words_new(bitmap->bits), *old;

    if (!empty) {
        return NULL;
    }
    g_mutex_lock(&bitmap->node->bitmaps->lock);
    old = bitmap->words;
    bitmap->words = empty;
    bitmap->dirty = 0;
    bitmap->is_changed = true;
    g_mutex_unlock(&bitmap->node->bitmaps->lock);
    return old;
}

void block_bitmap_set(BlockBitmap *bitmap, uint64_t offset, uint64_t bytes)
{
    g_mutex_lock(&bitmap->node->bitmaps->lock);
    set_range(bitmap, offset, bytes);
    g_mutex_unlock(&bitmap->node->bitmaps->lock);
}

void block_bitmap_merge(BlockBitmap *to, BlockBitmap *from)
{
    g_autofree uint64_t *words = block_bitmap_copy(from);
    uint64_t bytes = block_node_bytes(from->node);
    unsigned shift = from->granularity_bits;

    for (uint64_t bit = 0; words && bit < from->bits; bit++) {
        uint64_t last = bit;

        if (!words[bit / WORD_BITS]) {
            bit |= WORD_BITS - 1; /* none of its word */
            continue;
        }
        while (last < from->bits && words[last / WORD_BITS] >> last % WORD_BITS & 1) {
            last++;
        }
        if (last > bit) {
            block_bitmap_set(to, bit << shift, MIN(last << shift, bytes) - (bit << shift));
            bit = last;
        }
    }
}
