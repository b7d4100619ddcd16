/*
 * Bitmaps of what was written, as clients handle them: one by one, and as steps of a transaction.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/backend.h"
#include "block/bitmap.h"

#include "qapi/qapi-commands-block-core.h"
#include "util/byte_order.h"

static BlockBitmap *find_on(BlockNode *node, const char *name, Error **errp)
{
    BlockBitmap *bitmap = node ? block_bitmap_find(node, name) : NULL;

    if (node && !bitmap) {
        error_set(errp, "Dirty bitmap '%s' not found", name);
    }
    return bitmap;
}

static BlockBitmap *find(const char *node, const char *name, Error **errp)
{
    return find_on(block_node_of(node, node, errp), name, errp);
}

/* A merge calls nodes so. */
static BlockNode *merge_node(const char *name, Error **errp)
{
    BlockNode *node = block_node_of(name, name, NULL);

    if (!node) {
        error_set(errp, "Node '%s' not found", name);
    }
    return node;
}

/* --- steps --- */

/* One that is kept in the image goes with it. */
static bool check_ours(const BlockBitmap *bitmap, Error **errp)
{
    return !bitmap->is_persistent || block_images_check_ours(bitmap->node, errp);
}

static void note(BlockBitmapStep *step, BlockBitmapAct act, BlockBitmap *bitmap, uint64_t *words)
{
    *step = (BlockBitmapStep){ act, bitmap, block_node_ref(bitmap->node), words,
                               bitmap->is_recording };
}

static bool check_persistent(BlockNode *node, const char *shown, const char *name,
                             uint64_t granularity, Error **errp)
{
    if (!node->driver->bitmap_can_be_kept) {
        return error_set(errp, "Can't store persistent bitmaps to %s: Operation not supported",
                         shown);
    }
    if (!node->driver->bitmap_can_be_kept(node, name, granularity, errp)) {
        g_autofree char *prefix = g_strdup_printf("Can't make bitmap '%s' persistent in '%s': ",
                                                  name, shown);

        error_prefix(errp, "%s", prefix);
        return false;
    }
    return true;
}

bool block_bitmap_add_step(BlockBitmapStep *step, const BlockDirtyBitmapAdd *args, Error **errp)
{
    BlockNode *node = block_node_of(args->node, args->node, errp);
    uint64_t granularity;
    BlockBitmap *bitmap;

    if (!node || (args->persistent && !block_images_check_ours(node, errp))) {
        return false;
    }
    granularity = args->has_granularity ? args->granularity :
                                          block_bitmap_default_granularity(node);
    if (args->persistent && *args->name && granularity >= BIT(BLOCK_BITMAP_MIN_BITS) &&
        !check_persistent(node, args->node, args->name, granularity, errp)) {
        return false;
    }
    bitmap = block_bitmap_add(node, args->name, granularity, errp);
    if (!bitmap) {
        return false;
    }
    bitmap->is_persistent = args->persistent;
    block_bitmap_set_recording(bitmap, !args->disabled);
    note(step, BLOCK_BITMAP_ADD, bitmap, NULL);
    return true;
}

bool block_bitmap_step(BlockBitmapStep *step, BlockBitmapAct act, const BlockDirtyBitmap *args,
                       Error **errp)
{
    BlockBitmap *bitmap = find(args->node, args->name, errp);
    bool is_change = act == BLOCK_BITMAP_REMOVE || act == BLOCK_BITMAP_CLEAR;
    uint64_t *words = NULL;

    if (!bitmap || !((act == BLOCK_BITMAP_REMOVE && bitmap->is_inconsistent) ||
                     block_bitmap_check(bitmap, is_change, errp)) || !check_ours(bitmap, errp)) {
        return false;
    }
    if (act == BLOCK_BITMAP_CLEAR && !(words = block_bitmap_clear(bitmap))) {
        return error_set(errp, "No memory for bitmap '%s'", bitmap->name);
    }
    note(step, act, bitmap, words);
    if (act == BLOCK_BITMAP_REMOVE) {
        block_bitmap_detach(bitmap);
    } else if (act != BLOCK_BITMAP_CLEAR) {
        block_bitmap_set_recording(bitmap, act == BLOCK_BITMAP_ENABLE);
    }
    return true;
}

static BlockBitmap *find_source(const BlockBitmap *target, const BlockDirtyBitmapOrStr *source,
                                Error **errp)
{
    bool is_local = source->type == json_type_string;
    BlockNode *node = is_local ? target->node : merge_node(source->u.external->node, errp);
    BlockBitmap *bitmap = find_on(node, is_local ? source->u.local : source->u.external->name,
                                  errp);
    uint64_t to = block_node_bytes(target->node);

    if (!bitmap || !block_bitmap_check(bitmap, false, errp)) {
        return NULL;
    }
    if (block_node_bytes(node) != to) {
        error_set(errp, "Bitmaps are of different sizes (destination size is %" PRIu64 ", source "
                  "size is %" PRIu64 ") and can't be merged", to, block_node_bytes(node));
        return NULL;
    }
    return bitmap;
}

bool block_bitmap_merge_step(BlockBitmapStep *step, const BlockDirtyBitmapMerge *args,
                             Error **errp)
{
    BlockBitmap *target = find_on(merge_node(args->node, errp), args->target, errp);
    uint64_t *words;

    if (!target || !block_bitmap_check(target, true, errp) || !check_ours(target, errp)) {
        return false;
    }
    for (size_t i = 0; i < args->bitmaps->count; i++) {
        if (!find_source(target, args->bitmaps->items[i], errp)) {
            return false;
        }
    }
    words = block_bitmap_copy(target);
    if (!words) {
        return error_set(errp, "No memory for bitmap '%s'", target->name);
    }
    note(step, BLOCK_BITMAP_MERGE, target, words);
    for (size_t i = 0; i < args->bitmaps->count; i++) {
        block_bitmap_merge(target, find_source(target, args->bitmaps->items[i], NULL));
    }
    return true;
}

void block_bitmap_step_undo(BlockBitmapStep *step)
{
    switch (step->act) {
    case BLOCK_BITMAP_ADD:
        block_bitmap_detach(step->bitmap);
        step->act = BLOCK_BITMAP_REMOVE; /* which is over */
        return;
    case BLOCK_BITMAP_REMOVE:
        block_bitmap_attach(step->bitmap);
        step->bitmap = NULL;
        return;
    case BLOCK_BITMAP_CLEAR:
    case BLOCK_BITMAP_MERGE:
        block_bitmap_restore(step->bitmap, g_steal_pointer(&step->words));
        return;
    default:
        block_bitmap_set_recording(step->bitmap, step->was_recording);
    }
}

void block_bitmap_step_clear(BlockBitmapStep *step)
{
    if (step->act == BLOCK_BITMAP_REMOVE) {
        block_bitmap_free(step->bitmap);
    }
    g_free(step->words);
    g_clear_pointer(&step->node, block_node_unref);
}

/* --- commands --- */

static bool finish(BlockBitmapStep *step, bool is_done)
{
    if (is_done) {
        block_bitmap_step_clear(step);
    }
    return is_done;
}

bool qmp_block_dirty_bitmap_add(const BlockDirtyBitmapAdd *args, Error **errp)
{
    BlockBitmapStep step;

    return finish(&step, block_bitmap_add_step(&step, args, errp));
}

bool qmp_block_dirty_bitmap_remove(const BlockDirtyBitmap *args, Error **errp)
{
    BlockBitmapStep step;

    return finish(&step, block_bitmap_step(&step, BLOCK_BITMAP_REMOVE, args, errp));
}

bool qmp_block_dirty_bitmap_clear(const BlockDirtyBitmap *args, Error **errp)
{
    BlockBitmapStep step;

    return finish(&step, block_bitmap_step(&step, BLOCK_BITMAP_CLEAR, args, errp));
}

bool qmp_block_dirty_bitmap_enable(const BlockDirtyBitmap *args, Error **errp)
{
    BlockBitmapStep step;

    return finish(&step, block_bitmap_step(&step, BLOCK_BITMAP_ENABLE, args, errp));
}

bool qmp_block_dirty_bitmap_disable(const BlockDirtyBitmap *args, Error **errp)
{
    BlockBitmapStep step;

    return finish(&step, block_bitmap_step(&step, BLOCK_BITMAP_DISABLE, args, errp));
}

bool qmp_block_dirty_bitmap_merge(const BlockDirtyBitmapMerge *args, Error **errp)
{
    BlockBitmapStep step;

    return finish(&step, block_bitmap_merge_step(&step, args, errp));
}

/* --- what clients are told --- */

BlockDirtyBitmapSha256 *qmp_x_debug_block_dirty_bitmap_sha256(const BlockDirtyBitmap *args,
                                                              Error **errp)
{
    BlockBitmap *bitmap = find(args->node, args->name, errp);
    g_autofree uint64_t *words = bitmap ? block_bitmap_copy(bitmap) : NULL;
    BlockDirtyBitmapSha256 *result;

    if (!words) {
        return NULL;
    }
    for (size_t i = 0; i < block_bitmap_words(bitmap->bits); i++) {
        words[i] = GUINT64_TO_LE(words[i]);
    }
    result = g_new0(BlockDirtyBitmapSha256, 1);
    result->sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)words,
                                                 block_bitmap_words(bitmap->bits) * 8);
    return result;
}

static BlockDirtyInfo *info_of(const BlockBitmap *bitmap)
{
    BlockDirtyInfo *info = g_new0(BlockDirtyInfo, 1);

    info->name = g_strdup(bitmap->name);
    info->count = bitmap->dirty << bitmap->granularity_bits;
    info->granularity = BIT(bitmap->granularity_bits);
    info->recording = bitmap->is_recording && !bitmap->is_inconsistent;
    info->persistent = bitmap->is_persistent;
    info->has_inconsistent = info->inconsistent = bitmap->is_inconsistent;
    return info;
}

BlockDirtyInfoArray *block_bitmaps_info(BlockNode *node)
{
    BlockDirtyInfoArray *list = NULL;
    const BlockBitmap *bitmap;

    for (guint n = 0; (bitmap = block_bitmap_nth(node, n)); n++) {
        list = list ? list : g_new0(BlockDirtyInfoArray, 1);
        block_dirty_info_array_add(list, info_of(bitmap));
    }
    return list;
}
