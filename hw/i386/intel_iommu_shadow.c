/*
 * intel-iommu: what listeners with MAP notices are told: the second stage of requests without PASID,
 * for who cannot have the walk done per access (a host's IOMMU without nesting). After each
 * invalidation its range is walked again, and listeners hear of differences only: what stays mapped
 * stays usable meanwhile.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"

#define SS_READ    BIT64(0)
#define SS_WRITE   BIT64(1)
#define LARGE      BIT64(7)
#define PAGE_SHIFT 12
#define LEVEL_BITS 9

typedef struct ShadowPage {
    IovaAddr iova;
    uint64_t mask;
    GuestAddr addr;
    IommuAccess access;
} ShadowPage;

typedef struct ShadowRange {
    uint64_t first, last;
    GTree *pages; /* what is there now */
} ShadowRange;

static gint by_address(gconstpointer a, gconstpointer b, gpointer unused)
{
    const ShadowPage *x = a, *y = b;

    return x->iova < y->iova ? -1 : x->iova > y->iova;
}

static GTree *new_tree(void)
{
    return g_tree_new_full(by_address, NULL, g_free, NULL);
}

static void add_page(GTree *tree, ShadowPage page)
{
    g_tree_insert(tree, g_memdup2(&page, sizeof(page)), GINT_TO_POINTER(1));
}

/* --- the tables --- */

static void collect(ShadowRange *range, uint64_t table, unsigned level, ShadowPage above)
{
    unsigned shift = PAGE_SHIFT + LEVEL_BITS * (level - 1);
    uint64_t mask = BIT64(shift) - 1;

    for (unsigned n = 0; n < 512; n++) {
        ShadowPage page = { above.iova + ((uint64_t)n << shift), mask, 0, above.access };
        uint64_t entry;

        if (page.iova > range->last || (page.iova | mask) < range->first) {
            continue;
        }
        if (!vtd_read_words(table + 8 * n, &entry, 1)) {
            return;
        }
        page.access = (IommuAccess)(page.access & entry & (SS_READ | SS_WRITE));
        if (page.access == IOMMU_NONE) {
            continue;
        }
        page.addr = entry & VTD_ADDRESS_MASK & ~mask;
        if (level == 1 || (level <= 3 && entry & LARGE)) {
            add_page(range->pages, page);
        } else {
            collect(range, entry & VTD_ADDRESS_MASK, level - 1, page);
        }
    }
}

static void read_tables(VtdSpace *space, ShadowRange *range)
{
    VtdContext context;
    IommuFault fault;
    bool is_there;

    if (!space->unit->is_translating) {
        return;
    }
    rcu_lock();
    is_there = vtd_find_context(space, VTD_NO_PASID, &context, &fault);
    rcu_unlock();
    if (is_there && context.mode == VTD_SECOND) {
        range->last = MIN(range->last, BIT64(space->unit->address_bits) - 1);
        collect(range, context.second_root, context.second_levels,
                (ShadowPage){ .access = IOMMU_READ_WRITE });
    }
}

/* --- the difference --- */

typedef struct Stale {
    const ShadowRange *range;
    GPtrArray *pages; /* of ShadowPage, borrowed */
} Stale;

static gboolean find_stale(gpointer key, gpointer value, gpointer opaque)
{
    const ShadowPage *old = key;
    Stale *stale = opaque;
    const ShadowPage *now;
    gpointer found = NULL;

    if ((old->iova | old->mask) < stale->range->first) {
        return false;
    }
    if (old->iova > stale->range->last) {
        return true;
    }
    if (g_tree_lookup_extended(stale->range->pages, old, &found, NULL)) {
        now = found;
        if (now->mask == old->mask && now->addr == old->addr && now->access == old->access) {
            g_tree_remove(stale->range->pages, old);
            return false;
        }
    }
    g_ptr_array_add(stale->pages, key);
    return false;
}

static void tell(VtdSpace *space, IommuNotice notice, const ShadowPage *page, IommuAccess access)
{
    IommuEntry entry = { .target = address_space_system(), .iova = page->iova,
                         .translated = page->addr, .page_mask = page->mask, .access = access };

    iommu_region_notify(&space->base.iommu, notice, &entry);
}

static gboolean tell_new(gpointer key, gpointer value, gpointer opaque)
{
    VtdSpace *space = opaque;
    const ShadowPage *page = key;

    tell(space, IOMMU_NOTICE_MAP, page, page->access);
    add_page(space->shadow, *page);
    return false;
}

/* Who hears UNMAP only has no memory of ours: all of the range is void. */
static void tell_all_void(VtdSpace *space, uint64_t first, uint64_t last)
{
    IommuEntry entry = { .target = address_space_system(), .page_mask = UINT64_MAX };

    if (last - first < UINT64_MAX) {
        uint64_t mask = 4095;

        while ((first & ~mask) != (last & ~mask)) {
            mask = mask << 1 | 1;
        }
        entry.iova = first & ~mask;
        entry.page_mask = mask;
    }
    iommu_region_notify(&space->base.iommu, IOMMU_NOTICE_UNMAP, &entry);
}

void vtd_shadow_update(VtdSpace *space, uint64_t first, uint64_t last)
{
    ShadowRange range = { first, last };
    Stale stale = { &range };

    if (!(space->base.iommu.notices & IOMMU_NOTICE_MAP)) {
        if (space->base.iommu.notices & IOMMU_NOTICE_UNMAP) {
            tell_all_void(space, first, last);
        }
        g_clear_pointer(&space->shadow, g_tree_unref);
        return;
    }
    if (!space->shadow) {
        space->shadow = new_tree();
    }
    range.pages = new_tree();
    stale.pages = g_ptr_array_new();
    read_tables(space, &range);
    range.last = last;
    g_tree_foreach(space->shadow, find_stale, &stale);
    for (guint i = 0; i < stale.pages->len; i++) {
        tell(space, IOMMU_NOTICE_UNMAP, stale.pages->pdata[i], IOMMU_NONE);
        g_tree_remove(space->shadow, stale.pages->pdata[i]);
    }
    g_tree_foreach(range.pages, tell_new, space);
    g_ptr_array_unref(stale.pages);
    g_tree_unref(range.pages);
}

/* --- who comes late --- */

static gboolean replay_page(gpointer key, gpointer value, gpointer opaque)
{
    IommuNotifier *notifier = opaque;
    const ShadowPage *page = key;
    bool is_whole = page->iova >= notifier->first && (page->iova | page->mask) <= notifier->last;
    uint64_t mask = is_whole ? page->mask : 4095;

    for (uint64_t at = page->iova; at <= (page->iova | page->mask); at += mask + 1) {
        if (at >= notifier->first && (at | mask) <= notifier->last) {
            notifier->notify(notifier, &(IommuEntry){
                                           .target = address_space_system(), .iova = at,
                                           .translated = page->addr + (at - page->iova),
                                           .page_mask = mask, .access = page->access });
        }
    }
    return false;
}

void vtd_shadow_replay(IommuRegion *region, IommuNotifier *notifier)
{
    VtdSpace *space = container_of(region, VtdSpace, base.iommu);
    ShadowRange range = { notifier->first, notifier->last, new_tree() };

    if (!space->shadow && space->base.iommu.notices & IOMMU_NOTICE_MAP) {
        space->shadow = new_tree();
    }
    read_tables(space, &range);
    g_tree_foreach(range.pages, replay_page, notifier);
    g_tree_unref(range.pages);
    /* The others know of what was invalidated; what this one was told counts as told. */
    range = (ShadowRange){ 0, UINT64_MAX, space->shadow };
    if (space->shadow) {
        g_tree_remove_all(space->shadow);
        read_tables(space, &range);
    }
}
