/*
 * FlatView: what a tree of regions looks like from outside: ranges sorted by address, none
 * overlapping. Immutable but for its reference count and the memory of the last range hit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_FLAT_VIEW_H
#define SYSTEM_FLAT_VIEW_H

#include "system/memory.h"
#include "util/rcu.h"

typedef struct FlatRange {
    GuestAddr first, last; /* inclusive, so that 2^64 fits */
    uint64_t offset;       /* of `first` in the region */
    MemoryRegion *region;
    uint8_t *host;         /* of `first`, where reads need no ops; else NULL */
    bool is_read_only, is_nonvolatile, is_rom_mode;
    bool is_writable;      /* through `host` */
    uint8_t log_mask;
} FlatRange;

typedef struct FlatView {
    unsigned refs; /* atomic; address spaces hold them */
    unsigned last_hit;
    unsigned count;
    MemoryRegion *root; /* knows this view as its latest; NULL once it changed or is gone */
    FlatRange *ranges;
    GuestAddr *firsts; /* of the ranges, packed for the search */
    GPtrArray *owners; /* of the regions; referenced */
    RcuHead rcu;
} FlatView;

/* The region whose view is the root's: through containers and aliases that show one thing whole.
 * NULL when nothing is seen at all. */
MemoryRegion *flat_view_root(MemoryRegion *root);
/* One reference. */
FlatView *flat_view_render(MemoryRegion *root);
/* The view of nothing, borrowed; it never goes away. */
FlatView *flat_view_empty(void);
FlatView *flat_view_ref(FlatView *view);
/* NULL is fine. Freed when no reader can hold it. */
void flat_view_unref(FlatView *view);
/* It is no longer what its root looks like. */
void flat_view_detach(FlatView *view);

/* The range that holds `addr`, or NULL with *next (may be NULL) the first address of the next
 * range, 0 when there is none. */
const FlatRange *flat_view_find(FlatView *view, GuestAddr addr, GuestAddr *next);

/* Do both show the same, apart from the log mask? */
bool flat_range_equal(const FlatRange *a, const FlatRange *b);

#endif
