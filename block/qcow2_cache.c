/*
 * Tables of a qcow2 image in memory: the latest used ones, and all that differ from the disk. A
 * cache grows past its limit while all in it is dirty: qcow2_sync_some() sees that it does not
 * stay so. See block/qcow2.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

#include "trace.h"

#define MIN_BLOCKS 8

void qcow2_cache_init(Qcow2Cache *cache, uint32_t entry_bytes, uint64_t bytes)
{
    *cache = (Qcow2Cache){ .entry_bytes = entry_bytes,
                           .max = MIN(MAX(bytes / entry_bytes, MIN_BLOCKS), UINT_MAX) };
    cache->blocks = g_hash_table_new(NULL, NULL);
    g_queue_init(&cache->lru);
}

static gpointer key_of(uint64_t offset)
{
    return GSIZE_TO_POINTER(offset >> QCOW2_MIN_CLUSTER_BITS);
}

static bool is_clean(const Qcow2Block *block)
{
    return block->dirty_from == block->dirty_to;
}

static void remove_block(Qcow2Cache *cache, Qcow2Block *block)
{
    cache->dirty -= !is_clean(block);
    g_hash_table_remove(cache->blocks, key_of(block->offset));
    g_queue_unlink(&cache->lru, &block->in_lru);
    g_free(block);
}

void qcow2_cache_clean(Qcow2Cache *cache)
{
    GList *next;

    for (GList *at = cache->lru.head; at; at = next) {
        Qcow2Block *block = at->data;

        next = at->next;
        if (!block->was_used && is_clean(block) && !block->is_writing) {
            remove_block(cache, block);
        } else {
            block->was_used = false;
        }
    }
}

void qcow2_cache_empty(Qcow2Cache *cache)
{
    while (cache->lru.head) {
        remove_block(cache, cache->lru.head->data);
    }
}

void qcow2_cache_clear(Qcow2Cache *cache)
{
    qcow2_cache_empty(cache);
    g_clear_pointer(&cache->blocks, g_hash_table_unref);
}

static void evict(Qcow2Cache *cache)
{
    GList *at = cache->lru.tail;

    while (at && cache->lru.length >= cache->max && at != cache->lru.head) {
        Qcow2Block *block = at->data;

        at = at->prev;
        if (is_clean(block) && !block->is_writing) {
            remove_block(cache, block);
        }
    }
}

static Qcow2Block *add(Qcow2Cache *cache, uint64_t offset)
{
    Qcow2Block *block;

    evict(cache);
    block = g_try_malloc(sizeof(*block) + cache->entry_bytes);
    if (block) {
        memset(block, 0, sizeof(*block));
        block->offset = offset;
        block->in_lru.data = block;
        block->was_used = true;
        g_queue_push_head_link(&cache->lru, &block->in_lru);
        g_hash_table_insert(cache->blocks, key_of(offset), block);
    }
    return block;
}

Qcow2Block *qcow2_cache_peek(Qcow2Cache *cache, uint64_t offset)
{
    Qcow2Block *block = g_hash_table_lookup(cache->blocks, key_of(offset));

    if (block) {
        block->was_used = true;
    }
    if (block && cache->lru.head != &block->in_lru) {
        g_queue_unlink(&cache->lru, &block->in_lru);
        g_queue_push_head_link(&cache->lru, &block->in_lru);
    }
    return block;
}

Qcow2Block *qcow2_cache_get(BlockQcow2 *image, Qcow2Cache *cache, uint64_t offset, int *err)
{
    Qcow2Block *block = qcow2_cache_peek(cache, offset);

    if (block) {
        return block;
    }
    block = image->is_in_loop ? NULL : add(cache, offset);
    if (!block) {
        *err = image->is_in_loop ? QCOW2_WOULD_WAIT : -ENOMEM;
        return NULL;
    }
    trace_qcow2_table_load(image->parent.name, offset);
    block_event(image->parent.file, cache == &image->l2 ? BLKDEBUG_EVENT_L2_LOAD :
                                                          BLKDEBUG_EVENT_REFBLOCK_LOAD);
    *err = block_read(image->parent.file, offset, block->data, cache->entry_bytes);
    if (*err) {
        remove_block(cache, block);
        return NULL;
    }
    return block;
}

Qcow2Block *qcow2_cache_new(Qcow2Cache *cache, uint64_t offset)
{
    Qcow2Block *block = qcow2_cache_peek(cache, offset);

    if (!block) {
        block = add(cache, offset);
    }
    if (block) {
        memset(block->data, 0, cache->entry_bytes);
        qcow2_cache_dirty(cache, block, 0, cache->entry_bytes);
    }
    return block;
}

void qcow2_cache_dirty(Qcow2Cache *cache, Qcow2Block *block, uint32_t from, uint32_t bytes)
{
    if (is_clean(block)) {
        cache->dirty++;
        block->dirty_from = from;
        block->dirty_to = from + bytes;
        return;
    }
    block->dirty_from = MIN(block->dirty_from, from);
    block->dirty_to = MAX(block->dirty_to, from + bytes);
}

void qcow2_cache_drop(Qcow2Cache *cache, uint64_t offset, uint64_t bytes)
{
    for (uint64_t at = offset; at < offset + bytes; at += cache->entry_bytes) {
        Qcow2Block *block = g_hash_table_lookup(cache->blocks, key_of(at));

        if (block && !block->is_writing) {
            remove_block(cache, block);
        } else if (block) {
            /* The sync under way lets go of it; it is clean then. */
            cache->dirty -= !is_clean(block);
            block->dirty_from = block->dirty_to = 0;
        }
    }
}
