/*
 * Rendering a tree of regions into a FlatView, and looking addresses up in it.
 *
 * A walk of the tree, highest priority first, lists every leaf with the addresses it could answer;
 * whoever is listed first hides the others. A sweep over the addresses, with a heap of the leaves
 * that reach over the current one, then gives the ranges: n log n, however much overlaps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/flat_view.h"

#include "system/machine_lock.h"
#include "system/memory_core.h"
#include "system/ram_block.h"

/* Deeper trees are cut: an alias may lead to a tree that holds the alias. */
#define MAX_DEPTH 64

/* --- the walk --- */

typedef unsigned __int128 Wide; /* an address or size up to 2^64 */

typedef struct Leaf {
    GuestAddr first, last;
    uint64_t offset;
    MemoryRegion *region;
    bool is_read_only, is_nonvolatile;
} Leaf;

/* Where a region is rendered: its offset 0 is at `base`, which may be below zero. */
typedef struct Placement {
    __int128 base;
    Wide start, end; /* what of the address space may be covered */
    bool is_read_only, is_nonvolatile;
    unsigned depth;
} Placement;

static Wide region_bytes(const MemoryRegion *mr)
{
    return mr->size == MEMORY_SIZE_WHOLE ? (Wide)1 << 64 : mr->size;
}

static void walk(GArray *leaves, MemoryRegion *mr, Placement at);

static void walk_alias(GArray *leaves, MemoryRegion *mr, Placement at)
{
    at.base -= mr->target_offset;
    walk(leaves, mr->target, at);
}

static void walk(GArray *leaves, MemoryRegion *mr, Placement at)
{
    __int128 end = at.base + (__int128)region_bytes(mr);

    if (!mr->is_enabled || end <= (__int128)at.start || at.base >= (__int128)at.end ||
        ++at.depth > MAX_DEPTH) {
        return;
    }
    at.start = MAX((__int128)at.start, at.base);
    at.end = MIN((__int128)at.end, end);
    at.is_read_only |= mr->is_read_only;
    at.is_nonvolatile |= mr->is_nonvolatile;
    if (mr->kind == MEMORY_ALIAS) {
        walk_alias(leaves, mr, at);
        return;
    }
    for (GList *child = mr->children.head; child; child = child->next) {
        MemoryRegion *sub = child->data;
        Placement sub_at = at;

        sub_at.base += sub->addr;
        walk(leaves, sub, sub_at);
    }
    if (mr->kind != MEMORY_CONTAINER && at.start < at.end) {
        Leaf leaf = { at.start, at.end - 1, (uint64_t)((__int128)at.start - at.base), mr,
                      at.is_read_only, at.is_nonvolatile };

        g_array_append_val(leaves, leaf);
    }
}

/* --- the sweep --- */

/* Indices of leaves; the top is the lowest, the one that hides the others. */
typedef struct Heap {
    unsigned *items;
    unsigned count;
} Heap;

static void heap_push(Heap *heap, unsigned item)
{
    unsigned at = heap->count++;

    while (at && heap->items[(at - 1) / 2] > item) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = item;
}

static void heap_pop(Heap *heap)
{
    unsigned item = heap->items[--heap->count], at = 0;

    for (unsigned child; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count && heap->items[child + 1] < heap->items[child]) {
            child++;
        }
        if (heap->items[child] >= item) {
            break;
        }
        heap->items[at] = heap->items[child];
    }
    heap->items[at] = item;
}

static uint8_t *range_host(const MemoryRegion *mr, uint64_t offset)
{
    if (!mr->ram || mr->is_ram_device || (mr->kind == MEMORY_ROM_DEVICE && !mr->is_rom_mode)) {
        return NULL;
    }
    return ram_block_host(mr->ram) + offset;
}

static FlatRange range_of(const Leaf *leaf, GuestAddr first, GuestAddr last)
{
    MemoryRegion *mr = leaf->region;
    uint64_t offset = leaf->offset + (first - leaf->first);

    return (FlatRange){ first, last, offset, mr, range_host(mr, offset), leaf->is_read_only,
                        leaf->is_nonvolatile, mr->is_rom_mode,
                        !leaf->is_read_only && mr->kind == MEMORY_RAM,
                        memory_region_log_mask(mr) };
}

bool flat_range_equal(const FlatRange *a, const FlatRange *b)
{
    return a->first == b->first && a->last == b->last && a->offset == b->offset &&
           a->region == b->region && a->host == b->host && a->is_read_only == b->is_read_only &&
           a->is_nonvolatile == b->is_nonvolatile && a->is_rom_mode == b->is_rom_mode;
}

/* Grows the last range if `range` continues it. */
static void append_range(GArray *ranges, const FlatRange *range)
{
    FlatRange *last = ranges->len ? &g_array_index(ranges, FlatRange, ranges->len - 1) : NULL;

    if (last && last->region == range->region && last->last + 1 == range->first &&
        last->offset + (range->first - last->first) == range->offset &&
        last->is_read_only == range->is_read_only &&
        last->is_nonvolatile == range->is_nonvolatile) {
        last->last = range->last;
        return;
    }
    g_array_append_vals(ranges, range, 1);
}

/* Where a leaf starts; sorted by that. */
typedef struct Start {
    GuestAddr first;
    unsigned leaf;
} Start;

static int compare_starts(const void *a, const void *b)
{
    const Start *x = a, *y = b;

    return x->first < y->first ? -1 : x->first > y->first;
}

static void sweep(GArray *ranges, const Leaf *leaves, const Start *starts, unsigned count)
{
    g_autofree unsigned *items = g_new(unsigned, count);
    Heap heap = { items, 0 };
    unsigned next = 0;
    GuestAddr at = 0;

    while (heap.count || next < count) {
        const Leaf *top;
        FlatRange range;
        GuestAddr last;

        if (!heap.count) {
            at = MAX(at, starts[next].first);
        }
        while (next < count && starts[next].first <= at) {
            heap_push(&heap, starts[next++].leaf);
        }
        top = &leaves[heap.items[0]];
        if (top->last < at) {
            heap_pop(&heap);
            continue;
        }
        last = top->last;
        if (next < count) {
            last = MIN(last, starts[next].first - 1);
        }
        range = range_of(top, at, last);
        append_range(ranges, &range);
        if (last == UINT64_MAX) {
            break;
        }
        at = last + 1;
    }
}

static GArray *render_ranges(MemoryRegion *root)
{
    g_autoptr(GArray) leaves = g_array_new(false, false, sizeof(Leaf));
    GArray *ranges = g_array_new(false, false, sizeof(FlatRange));
    g_autofree Start *starts = NULL;

    walk(leaves, root, (Placement){ 0, 0, (Wide)1 << 64, false, false, 0 });
    if (!leaves->len) {
        return ranges;
    }
    starts = g_new(Start, leaves->len);
    for (unsigned i = 0; i < leaves->len; i++) {
        starts[i] = (Start){ g_array_index(leaves, Leaf, i).first, i };
    }
    qsort(starts, leaves->len, sizeof(*starts), compare_starts);
    sweep(ranges, (const Leaf *)leaves->data, starts, leaves->len);
    return ranges;
}

FlatView *flat_view_render(MemoryRegion *root)
{
    g_autoptr(GArray) ranges = render_ranges(root);
    FlatView *view = g_new0(FlatView, 1);

    view->refs = 1;
    view->root = root;
    view->count = ranges->len;
    view->ranges = g_array_steal(ranges, NULL);
    view->firsts = g_new(GuestAddr, view->count);
    view->owners = g_ptr_array_new_with_free_func(object_unref);
    for (unsigned i = 0; i < view->count; i++) {
        Object *owner = view->ranges[i].region->owner;

        view->firsts[i] = view->ranges[i].first;
        if (owner) {
            g_ptr_array_add(view->owners, object_ref(owner));
        }
    }
    return view;
}

/* --- life --- */

FlatView *flat_view_empty(void)
{
    static FlatView empty = { .refs = 1 };

    return &empty;
}

FlatView *flat_view_ref(FlatView *view)
{
    __atomic_add_fetch(&view->refs, 1, __ATOMIC_RELAXED);
    return view;
}

static void free_view(RcuHead *head)
{
    FlatView *view = container_of(head, FlatView, rcu);

    if (view->owners->len) {
        machine_lock();
        g_ptr_array_unref(view->owners);
        machine_unlock();
    } else {
        g_ptr_array_unref(view->owners);
    }
    g_free(view->firsts);
    g_free(view->ranges);
    g_free(view);
}

void flat_view_unref(FlatView *view)
{
    if (!view || __atomic_sub_fetch(&view->refs, 1, __ATOMIC_ACQ_REL)) {
        return;
    }
    flat_view_detach(view);
    rcu_call(&view->rcu, free_view);
}

void flat_view_detach(FlatView *view)
{
    if (view->root) {
        view->root->view = NULL;
        view->root = NULL;
    }
}

/* --- the root --- */

/* The only child that is enabled, if it fills the container from its start; else NULL. */
static MemoryRegion *only_child(const MemoryRegion *mr, bool *is_empty)
{
    MemoryRegion *only = NULL;

    *is_empty = true;
    for (GList *child = mr->children.head; child; child = child->next) {
        MemoryRegion *sub = child->data;

        if (sub->is_enabled) {
            if (!*is_empty) {
                return NULL;
            }
            *is_empty = false;
            only = sub;
        }
    }
    return only && only->addr == 0 && region_bytes(only) <= region_bytes(mr) ? only : NULL;
}

/* What `mr` is, when it shows nothing but that; `mr` itself when there is more to it. */
static MemoryRegion *see_through(MemoryRegion *mr)
{
    MemoryRegion *only;
    bool is_empty;

    if (!mr->is_enabled) {
        return NULL;
    }
    if (mr->is_read_only || mr->is_nonvolatile) {
        return mr;
    }
    if (mr->kind == MEMORY_ALIAS) {
        return mr->target_offset == 0 && region_bytes(mr->target) <= region_bytes(mr)
                   ? mr->target : mr;
    }
    if (mr->kind != MEMORY_CONTAINER) {
        return mr;
    }
    only = only_child(mr, &is_empty);
    return is_empty ? NULL : only ? only : mr;
}

MemoryRegion *flat_view_root(MemoryRegion *root)
{
    for (unsigned depth = 0; depth < MAX_DEPTH && root; depth++) {
        MemoryRegion *next = see_through(root);

        if (next == root) {
            break;
        }
        root = next;
    }
    return root;
}

/* --- the search --- */

/* The last range that starts at or below `addr`; -1 when there is none. */
static int search(const FlatView *view, GuestAddr addr)
{
    const GuestAddr *firsts = view->firsts;
    unsigned low = 0, count = view->count;

    while (count > 1) {
        unsigned half = count / 2;

        low = firsts[low + half] <= addr ? low + half : low;
        count -= half;
    }
    return count && firsts[low] <= addr ? (int)low : -1;
}

const FlatRange *flat_view_find(FlatView *view, GuestAddr addr, GuestAddr *next)
{
    unsigned hit = __atomic_load_n(&view->last_hit, __ATOMIC_RELAXED);
    const FlatRange *range = &view->ranges[hit];
    int at;

    if (hit < view->count && addr - range->first <= range->last - range->first) {
        return range;
    }
    at = search(view, addr);
    if (at >= 0 && addr <= view->ranges[at].last) {
        __atomic_store_n(&view->last_hit, at, __ATOMIC_RELAXED);
        return &view->ranges[at];
    }
    if (next) {
        *next = at + 1 < (int)view->count ? view->firsts[at + 1] : 0;
    }
    return NULL;
}
