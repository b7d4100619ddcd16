/*
 * See system/free_pages.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/free_pages.h"

#include "util/bitmap.h"

static NotifierList tellers;
static GHashTable *maps; /* RamBlock -> bitmap, while a migration runs and somebody may tell */
static bool is_wanted;

void free_pages_add_teller(Notifier *teller)
{
    notifier_add(&tellers, teller);
}

static void tell_stage(FreePagesStage stage)
{
    notifier_tell(&tellers, &stage);
}

void free_pages_tell(RamBlock *block, uint64_t offset, uint64_t bytes)
{
    uint64_t *map = is_wanted ? g_hash_table_lookup(maps, block) : NULL;
    uint64_t first = ROUND_UP(offset, DIRTY_PAGE_BYTES) / DIRTY_PAGE_BYTES;
    uint64_t end = (offset + bytes) / DIRTY_PAGE_BYTES;

    if (map && first < end) {
        bitmap_set_range(map, first, end - first);
    }
}

static bool add_map(void *opaque, RamBlock *block)
{
    if (block->is_migratable) {
        uint64_t pages = block->max_bytes / DIRTY_PAGE_BYTES;

        g_hash_table_insert(maps, block, g_new0(uint64_t, ROUND_UP(pages, 64) / 64));
    }
    return true;
}

void free_pages_begin(void)
{
    if (!tellers.first) {
        return;
    }
    maps = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    ram_block_each(add_map, NULL);
    is_wanted = true;
    tell_stage(FREE_PAGES_WANTED);
}

void free_pages_enough(void)
{
    if (is_wanted) {
        is_wanted = false;
        tell_stage(FREE_PAGES_ENOUGH);
    }
}

void free_pages_end(void)
{
    if (maps) {
        is_wanted = false;
        tell_stage(FREE_PAGES_OVER);
        g_clear_pointer(&maps, g_hash_table_unref);
    }
}

const uint64_t *free_pages_of(const RamBlock *block)
{
    return maps ? g_hash_table_lookup(maps, block) : NULL;
}
