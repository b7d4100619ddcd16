/*
 * Bitmaps of written pages: see system/memory_log.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_log.h"

#include "system/memory_core.h"
#include "util/bitmap.h"

static uint64_t block_pages(const RamBlock *block)
{
    return (block->max_bytes + DIRTY_PAGE_BYTES - 1) / DIRTY_PAGE_BYTES;
}

/* --- clients --- */

static bool is_global;

uint8_t memory_region_log_mask(const MemoryRegion *mr)
{
    return mr->log_mask | (is_global && mr->ram ? BIT(DIRTY_MIGRATION) : 0);
}

void ram_block_start_log(RamBlock *block, DirtyClient client)
{
    uint64_t pages = block_pages(block);

    if (!block->dirty[client]) {
        uint64_t *bits = g_new0(uint64_t, bitmap_words(pages));

        bitmap_set_range(bits, 0, pages);
        rcu_set(block->dirty[client], bits);
    }
    __atomic_fetch_or(&block->dirty_clients, BIT(client), __ATOMIC_RELEASE);
}

/* The bitmap stays, for writers that are under way. */
void ram_block_stop_log(RamBlock *block, DirtyClient client)
{
    __atomic_fetch_and(&block->dirty_clients, ~BIT(client), __ATOMIC_RELEASE);
}

void ram_block_init_log(RamBlock *block)
{
    if (is_global) {
        ram_block_start_log(block, DIRTY_MIGRATION);
    }
}

typedef struct PageRange {
    uint64_t first, count;
} PageRange;

static PageRange pages_of(const RamBlock *block, uint64_t offset, uint64_t bytes)
{
    PageRange range = { offset / DIRTY_PAGE_BYTES, 0 };

    if (bytes && offset < block->max_bytes) {
        bytes = MIN(bytes, block->max_bytes - offset);
        range.count = (offset + bytes - 1) / DIRTY_PAGE_BYTES + 1 - range.first;
    }
    return range;
}

static CodeWrittenFn *code_written;

void ram_block_set_code_hook(CodeWrittenFn *fn)
{
    code_written = fn;
}

void ram_block_set_dirty(RamBlock *block, uint64_t offset, uint64_t bytes, uint8_t clients)
{
    PageRange pages = pages_of(block, offset, bytes);

    if ((clients & BIT(DIRTY_CODE)) && code_written) {
        code_written(block, offset, bytes);
        clients &= ~BIT(DIRTY_CODE);
    }
    for (int client = 0; client < DIRTY_CLIENTS; client++) {
        uint64_t *bits = clients & BIT(client) ? rcu_get(block->dirty[client]) : NULL;

        if (bits) {
            bitmap_set_range(bits, pages.first, pages.count);
        }
    }
}

bool ram_block_is_dirty(RamBlock *block, uint64_t offset, uint64_t bytes, DirtyClient client)
{
    PageRange pages = pages_of(block, offset, bytes);
    uint64_t *bits = rcu_get(block->dirty[client]);

    return bits && bitmap_test_range(bits, pages.first, pages.count);
}

/* --- listeners --- */

typedef void LogHook(MemoryListener *listener, const MemorySection *section);

typedef struct LogCall {
    const MemoryRegion *mr; /* NULL: all */
    uint64_t first, last;   /* offsets in the region */
    bool is_clear;
} LogCall;

static void call_for_range(AddressSpace *as, const FlatRange *range, const LogCall *call)
{
    MemorySection section = memory_section_of(as, range);
    uint64_t last = range->offset + (range->last - range->first);

    if ((call->mr && call->mr != range->region) || !range->log_mask || call->first > last ||
        call->last < range->offset) {
        return;
    }
    section.offset = MAX(call->first, range->offset);
    section.first += section.offset - range->offset;
    section.last -= last - MIN(last, call->last);
    section.host = section.host ? section.host + (section.offset - range->offset) : NULL;
    for (unsigned i = 0; i < as->listeners->len; i++) {
        MemoryListener *listener = as->listeners->pdata[i];
        LogHook *hook = call->is_clear ? listener->ops->log_clear : listener->ops->log_sync;

        if (hook) {
            hook(listener, &section);
        }
    }
}

static void call_listeners(const LogCall *call)
{
    for (const GList *at = address_space_list(); at; at = at->next) {
        AddressSpace *as = at->data;

        for (unsigned i = 0; as->listeners->len && i < as->view->count; i++) {
            call_for_range(as, &as->view->ranges[i], call);
        }
    }
}

void memory_region_sync_log(MemoryRegion *mr)
{
    call_listeners(&(LogCall){ mr, 0, UINT64_MAX, false });
}

void memory_sync_log(void)
{
    call_listeners(&(LogCall){ NULL, 0, UINT64_MAX, false });
}

/* --- taking --- */

bool ram_block_take_dirty(RamBlock *block, uint64_t offset, uint64_t bytes, DirtyClient client)
{
    PageRange pages = pages_of(block, offset, bytes);
    uint64_t *bits = rcu_get(block->dirty[client]);

    if (!bits || !bitmap_test_and_clear_range(bits, pages.first, pages.count)) {
        return false;
    }
    call_listeners(&(LogCall){ block->region, offset, offset + (bytes - 1), true });
    return true;
}

/* Whole words at once; at the ends, only the bits that were asked for. */
static bool take_into(DirtySnapshot *snapshot, uint64_t *bits, PageRange pages)
{
    bool was_set = false;

    for (uint64_t page = pages.first, end = page + pages.count; page < end;) {
        uint64_t *word = &snapshot->bits[(page - snapshot->first_page) / BITMAP_WORD_BITS];

        if (page % BITMAP_WORD_BITS == 0 && end - page >= BITMAP_WORD_BITS) {
            *word = bitmap_take_word(bits, page / BITMAP_WORD_BITS);
            page += BITMAP_WORD_BITS;
        } else {
            *word |= (uint64_t)bitmap_test_and_clear_range(bits, page, 1)
                     << page % BITMAP_WORD_BITS;
            page++;
        }
        was_set |= *word != 0;
    }
    return was_set;
}

DirtySnapshot *memory_region_take_dirty(MemoryRegion *mr, MemoryWindow window, DirtyClient client)
{
    PageRange pages = pages_of(mr->ram, window.offset, window.size);
    uint64_t first = ROUND_DOWN(pages.first, BITMAP_WORD_BITS);
    uint64_t count = pages.count ? pages.first + pages.count - first : 0;
    DirtySnapshot *snapshot = g_malloc0(sizeof(*snapshot) +
                                        bitmap_words(count) * sizeof(uint64_t));

    snapshot->first_page = first;
    snapshot->pages = count;
    memory_region_sync_log(mr);
    if (mr->ram->dirty[client] && take_into(snapshot, mr->ram->dirty[client], pages)) {
        call_listeners(&(LogCall){ mr, window.offset, window.offset + (window.size - 1), true });
    }
    return snapshot;
}

bool dirty_snapshot_has(const DirtySnapshot *snapshot, MemoryWindow window)
{
    uint64_t first = window.offset / DIRTY_PAGE_BYTES;
    uint64_t end = window.size ? (window.offset + window.size - 1) / DIRTY_PAGE_BYTES + 1 : first;

    first = MAX(first, snapshot->first_page);
    end = MIN(end, snapshot->first_page + snapshot->pages);
    return first < end && bitmap_test_range(snapshot->bits, first - snapshot->first_page,
                                            end - first);
}

/* --- all of RAM --- */

static bool start_block(void *opaque, RamBlock *block)
{
    ram_block_start_log(block, DIRTY_MIGRATION);
    memory_changed(block->region);
    return true;
}

static bool stop_block(void *opaque, RamBlock *block)
{
    ram_block_stop_log(block, DIRTY_MIGRATION);
    memory_changed(block->region);
    return true;
}

typedef struct GlobalCall {
    MemoryListener *failed; /* where starting stopped */
    Error **errp;
} GlobalCall;

static bool each_listener(bool (*fn)(MemoryListener *listener, GlobalCall *call), GlobalCall *call)
{
    for (const GList *at = address_space_list(); at; at = at->next) {
        GPtrArray *listeners = ((AddressSpace *)at->data)->listeners;

        for (unsigned i = 0; i < listeners->len; i++) {
            if (!fn(listeners->pdata[i], call)) {
                return false;
            }
        }
    }
    return true;
}

static bool start_listener(MemoryListener *listener, GlobalCall *call)
{
    if (listener->ops->log_global_start &&
        !listener->ops->log_global_start(listener, call->errp)) {
        call->failed = listener;
        return false;
    }
    return true;
}

static bool stop_listener(MemoryListener *listener, GlobalCall *call)
{
    if (listener == call->failed) {
        return false;
    }
    if (listener->ops->log_global_stop) {
        listener->ops->log_global_stop(listener);
    }
    return true;
}

bool memory_log_start_global(Error **errp)
{
    GlobalCall call = { NULL, errp };

    assert(!is_global);
    if (!each_listener(start_listener, &call)) {
        each_listener(stop_listener, &call);
        return false;
    }
    memory_transaction_begin();
    is_global = true;
    ram_block_each(start_block, NULL);
    memory_transaction_commit();
    return true;
}

void memory_log_stop_global(void)
{
    GlobalCall call = { NULL, NULL };

    assert(is_global);
    memory_transaction_begin();
    is_global = false;
    ram_block_each(stop_block, NULL);
    memory_transaction_commit();
    each_listener(stop_listener, &call);
}
