/*
 * The table of regions, by where their code is in RAM and by mode, and which regions each page of
 * RAM holds, so that a write drops those it touches.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec.h"

#include "accel/tcg/host.h"
#include "system/memory_log.h"
#include "util/bitmap.h"

#define TABLE_BUCKETS 131072
#define MOST_MODES    65536 /* guests have a few dozen; one that makes them up makes everything go */

typedef struct CodePage {
    uint64_t page;       /* RAM offset >> TCG_PAGE_BITS */
    TcgRegion *regions;  /* by page_next[] */
} CodePage;

typedef struct RegionTable {
    GMutex lock;
    TcgRegion *buckets[TABLE_BUCKETS];
    GHashTable *pages;   /* of CodePage, by .page */
    GHashTable *modes;   /* of Mode */
    GPtrArray *all;
    size_t interp_bytes; /* what the interpreter has of them; atomic for readers */
    unsigned modes_count; /* likewise */
    uint64_t invalidated;
    uint64_t writes;     /* to pages with code; atomic for readers */
} RegionTable;

typedef struct Mode {
    uint64_t cs_base, flags;
    uint32_t id;
} Mode;

static RegionTable table;

void region_lock(void)
{
    g_mutex_lock(&table.lock);
}

void region_unlock(void)
{
    g_mutex_unlock(&table.lock);
}

/* --- modes --- */

static unsigned mode_hash(const void *key)
{
    const Mode *mode = key;

    return (mode->flags * 0x9e3779b97f4a7c15u ^ mode->cs_base * 0xff51afd7ed558ccdu) >> 32;
}

static gboolean mode_equal(const void *x, const void *y)
{
    const Mode *a = x, *b = y;

    return a->cs_base == b->cs_base && a->flags == b->flags;
}

static uint32_t mode_of(uint64_t cs_base, uint64_t flags)
{
    Mode key = { cs_base, flags, 0 }, *mode = g_hash_table_lookup(table.modes, &key);

    if (!mode) {
        mode = g_memdup2(&key, sizeof(key));
        mode->id = g_hash_table_size(table.modes) + 1;
        g_hash_table_add(table.modes, mode);
        __atomic_store_n(&table.modes_count, mode->id, __ATOMIC_RELAXED);
    }
    return mode->id;
}

uint32_t region_mode(uint64_t cs_base, uint64_t flags)
{
    uint32_t id;

    region_lock();
    id = mode_of(cs_base, flags);
    region_unlock();
    return id;
}

/* --- the table --- */

static TcgRegion **bucket_of(uint64_t pc, uint64_t ram, uint32_t mode)
{
    uint64_t h = (pc ^ ram << 7 ^ (uint64_t)mode << 40) * 0x9e3779b97f4a7c15u;

    return &table.buckets[(h >> 32) % TABLE_BUCKETS];
}

TcgRegion *region_find(const TcgKey *key, uint32_t mode, uint64_t ram)
{
    TcgRegion *region = __atomic_load_n(bucket_of(key->pc, ram, mode), __ATOMIC_ACQUIRE);

    while (region && !(region->key.pc == key->pc && region->ram[0] == ram &&
                       region->mode == mode &&
                       __atomic_load_n(&region->is_valid, __ATOMIC_ACQUIRE))) {
        region = __atomic_load_n(&region->next, __ATOMIC_ACQUIRE);
    }
    return region;
}

uint32_t region_heat(const TcgKey *key, uint32_t mode, uint64_t ram)
{
    const TcgRegion *region = region_find(key, mode, ram);

    return !region ? 0 : region->is_hot ? UINT32_MAX : host_heat(region);
}

static CodePage *page_of(uint64_t ram, bool is_wanted)
{
    uint64_t number = ram >> TCG_PAGE_BITS;
    CodePage *page = g_hash_table_lookup(table.pages, &number);

    if (!page && is_wanted) {
        page = g_new0(CodePage, 1);
        page->page = number;
        g_hash_table_add(table.pages, page);
    }
    return page;
}

/* Two of the guest's may be one. */
static unsigned ram_pages(const TcgRegion *region)
{
    return region->page_count == 2 &&
                   (region->ram[0] ^ region->ram[1]) >> TCG_PAGE_BITS == 0
               ? 1 : region->page_count;
}

bool region_add(TcgRegion *region, uint64_t writes)
{
    TcgRegion **bucket = bucket_of(region->key.pc, region->ram[0], region->mode);

    region_lock();
    if (writes != table.writes) {
        region_unlock();
        return false;
    }
    for (unsigned i = 0; i < ram_pages(region); i++) {
        CodePage *page = page_of(region->ram[i], true);

        region->page_next[i] = page->regions;
        page->regions = region;
    }
    region->is_cached = true;
    g_ptr_array_add(table.all, region);
    host_code_add(region->host);
    __atomic_add_fetch(&table.interp_bytes, interp_code_bytes(region->interp), __ATOMIC_RELAXED);
    region->next = *bucket;
    /* Last: others find it from now on, without the lock, and what is not cached is freed by who ran it. */
    __atomic_store_n(bucket, region, __ATOMIC_RELEASE);
    region_unlock();
    return true;
}

uint64_t region_writes(void)
{
    return __atomic_load_n(&table.writes, __ATOMIC_ACQUIRE);
}

void region_free(TcgRegion *region)
{
    interp_code_free(region->interp);
    g_free(region->insns);
    g_free(region);
}

unsigned region_count(void)
{
    return table.all->len;
}

bool region_is_full(void)
{
    return __atomic_load_n(&table.interp_bytes, __ATOMIC_RELAXED) > tcg_options.cache_bytes ||
           __atomic_load_n(&table.modes_count, __ATOMIC_RELAXED) > MOST_MODES;
}

void region_info(GString *out)
{
    unsigned hot = 0;
    uint64_t insns = 0;

    region_lock();
    for (unsigned i = 0; i < table.all->len; i++) {
        const TcgRegion *region = table.all->pdata[i];

        hot += region->is_hot;
        insns += region->guest_insns;
    }
    g_string_append_printf(out, "regions              %u, %u of them hot\n", table.all->len, hot);
    g_string_append_printf(out, "guest instructions   %" PRIu64 "\n", insns);
    g_string_append_printf(out, "pages with code      %u\n", g_hash_table_size(table.pages));
    g_string_append_printf(out, "modes                %u\n", g_hash_table_size(table.modes));
    g_string_append_printf(out, "interpreter's code   %zu bytes\n", table.interp_bytes);
    g_string_append_printf(out, "dropped regions      %" PRIu64 "\n", table.invalidated);
    region_unlock();
}

/* --- pages with code: a clear bit of the block's DIRTY_CODE bitmap --- */

bool region_page_has_code(const RamBlock *block, uint64_t offset)
{
    uint64_t *bits = rcu_get(((RamBlock *)block)->dirty[DIRTY_CODE]);

    return bits && !bitmap_test_range(bits, offset / DIRTY_PAGE_BYTES, 1);
}

static bool set_code_free_in(void *opaque, RamBlock *block)
{
    uint64_t ram = *(uint64_t *)opaque, *bits = rcu_get(block->dirty[DIRTY_CODE]);

    if (ram < block->offset || ram - block->offset >= block->max_bytes) {
        return true;
    }
    if (bits) {
        bitmap_set_range(bits, (ram - block->offset) / DIRTY_PAGE_BYTES, 1);
    }
    return false;
}

static void set_code_free(uint64_t ram)
{
    ram_block_each(set_code_free_in, &ram);
}

/* --- invalidation --- */

static void unlink_from(TcgRegion *region, CodePage *page)
{
    TcgRegion **at = &page->regions;

    while (*at) {
        unsigned i = ((*at)->ram[0] >> TCG_PAGE_BITS) == page->page ? 0 : 1;

        if (*at == region) {
            *at = region->page_next[i];
            return;
        }
        at = &(*at)->page_next[i];
    }
}

static void drop_jumps(TcgCpu *cpu, void *region)
{
    tlb_drop_jumps(cpu, region);
}

static void drop(TcgRegion *region)
{
    TcgRegion **at = bucket_of(region->key.pc, region->ram[0], region->mode);

    __atomic_store_n(&region->is_valid, false, __ATOMIC_RELEASE);
    while (*at != region) {
        at = &(*at)->next;
    }
    /* Who looks for a region without the lock may be at this one, and goes on from it. */
    __atomic_store_n(at, region->next, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < ram_pages(region); i++) {
        CodePage *page = page_of(region->ram[i], false);

        unlink_from(region, page);
        if (!page->regions) {
            set_code_free(region->ram[i]);
            g_hash_table_remove(table.pages, &page->page);
        }
    }
    host_code_unlink(region->host);
    exec_each(drop_jumps, region);
    table.invalidated++;
}

static bool touches(const TcgRegion *region, uint64_t ram, uint64_t bytes)
{
    for (unsigned i = 0; i < region->page_count; i++) {
        if (ram < region->code[i].end && region->code[i].begin < ram + bytes) {
            return true;
        }
    }
    return false;
}

void region_retire(TcgRegion *region)
{
    region_lock();
    if (region->is_valid) {
        drop(region);
    }
    region_unlock();
}

static void leave_soon(TcgCpu *cpu, void *opaque)
{
    __atomic_store_n(&cpu->exit_wanted, 1, __ATOMIC_SEQ_CST);
}

static bool invalidate_page(uint64_t ram, uint64_t bytes, const TcgRegion *current)
{
    CodePage *page = page_of(ram, false);
    TcgRegion *next;
    bool is_current = false, may_loop = false;

    for (TcgRegion *region = page ? page->regions : NULL; region; region = next) {
        unsigned i = (region->ram[0] >> TCG_PAGE_BITS) == ram >> TCG_PAGE_BITS ? 0 : 1;

        next = region->page_next[i];
        if (touches(region, ram, bytes)) {
            is_current |= region == current;
            may_loop |= region->is_hot;
            drop(region);
        }
    }
    /* Nothing but a request leads out of a loop that is closed within its region. */
    if (may_loop) {
        exec_each(leave_soon, NULL);
    }
    return is_current;
}

bool region_invalidate(uint64_t ram, uint64_t bytes, const TcgRegion *current)
{
    uint32_t held = host_fp_hold();
    bool is_current = false;

    region_lock();
    __atomic_add_fetch(&table.writes, 1, __ATOMIC_RELEASE);
    for (uint64_t at = ram, end = ram + bytes; at < end;) {
        uint64_t next = ((at >> TCG_PAGE_BITS) + 1) << TCG_PAGE_BITS;

        is_current |= invalidate_page(at, MIN(next, end) - at, current);
        at = next;
    }
    region_unlock();
    host_fp_release(held);
    return is_current;
}

/* Devices, loaders and migration write too. */
static void written_by_others(RamBlock *block, uint64_t offset, uint64_t bytes)
{
    uint64_t *bits = rcu_get(block->dirty[DIRTY_CODE]);

    for (uint64_t at = ROUND_DOWN(offset, DIRTY_PAGE_BYTES); bits && at < offset + bytes;
         at += DIRTY_PAGE_BYTES) {
        uint64_t first = MAX(at, offset), end = MIN(at + DIRTY_PAGE_BYTES, offset + bytes);

        if (region_page_has_code(block, at)) {
            region_invalidate(block->offset + first, end - first, NULL);
        }
    }
}

static void unlink_page(void *key, void *value, void *opaque)
{
    set_code_free(((CodePage *)value)->page << TCG_PAGE_BITS);
}

static void forget_jumps(TcgCpu *cpu, void *opaque)
{
    tcg_tlb_flush(cpu, 0);
    cpu->exec->last_exit = NULL;
    memset(cpu->exec->modes, 0, sizeof(cpu->exec->modes));
}

void region_flush_all(void)
{
    region_lock();
    exec_each(forget_jumps, NULL);
    g_hash_table_foreach(table.pages, unlink_page, NULL);
    g_hash_table_remove_all(table.pages);
    g_hash_table_remove_all(table.modes);
    table.modes_count = 0;
    table.interp_bytes = 0;
    memset(table.buckets, 0, sizeof(table.buckets));
    g_ptr_array_set_size(table.all, 0);
    host_cache_reset();
    region_unlock();
}

void region_init(void)
{
    if (table.all) {
        return;
    }
    table.all = g_ptr_array_new_with_free_func((GDestroyNotify)region_free);
    table.pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    table.modes = g_hash_table_new_full(mode_hash, mode_equal, g_free, NULL);
    ram_block_set_code_hook(written_by_others);
}
