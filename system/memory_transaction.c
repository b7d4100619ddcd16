/*
 * Changes of the memory map: which regions they touch, and what is rendered again for it.
 *
 * A change marks the region and all that show it, up to the roots; the outermost commit renders
 * the marked roots that address spaces stand on, each once, and gives listeners the difference.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_core.h"

#include "iommu_front.h"

/* One memory map for the process; guarded by the machine lock. */
static struct {
    unsigned depth;
    GPtrArray *changed;  /* regions with is_changed set */
    bool are_eventfds_changed;
    GQueue spaces;       /* of AddressSpace */
} map = { .spaces = G_QUEUE_INIT };

const GList *address_space_list(void)
{
    return map.spaces.head;
}

/* Marking stops where a mark is: all that shows a marked region is marked. */
static void mark(MemoryRegion *mr)
{
    while (mr && !mr->is_changed) {
        mr->is_changed = true;
        g_ptr_array_add(map.changed, mr);
        for (GList *alias = mr->aliases.head; alias; alias = alias->next) {
            mark(alias->data);
        }
        mr = mr->container;
    }
}

void memory_changed(MemoryRegion *mr)
{
    assert(map.depth);
    if (!map.changed) {
        map.changed = g_ptr_array_new();
    }
    mark(mr);
}

void memory_forget_changed(MemoryRegion *mr)
{
    if (mr->is_changed) {
        g_ptr_array_remove_fast(map.changed, mr);
        mr->is_changed = false;
    }
    if (mr->view) {
        flat_view_detach(mr->view);
    }
}

void memory_eventfds_changed(void)
{
    map.are_eventfds_changed = true;
}

void memory_transaction_begin(void)
{
    map.depth++;
}

/* The view of what `as` stands on: shared with all that show the same. One reference. */
static FlatView *view_for(AddressSpace *as)
{
    MemoryRegion *root = flat_view_root(as->root);

    if (!root) {
        return flat_view_ref(flat_view_empty());
    }
    if (root->view) {
        return flat_view_ref(root->view);
    }
    root->view = flat_view_render(root);
    return root->view;
}

static void update(AddressSpace *as)
{
    FlatView *old = as->view, *view = view_for(as);

    if (view == old) {
        flat_view_unref(view);
        return;
    }
    address_space_notify(as, view);
    rcu_set(as->view, view);
    flat_view_unref(old);
    address_space_notify_eventfds(as, view);
}

static void detach_changed_views(void)
{
    for (unsigned i = 0; i < map.changed->len; i++) {
        MemoryRegion *mr = map.changed->pdata[i];

        if (mr->view) {
            flat_view_detach(mr->view);
        }
    }
}

/* While views change, nothing is found or kept by iommu_front.c; what was kept is void. */
static void count_change(void)
{
    __atomic_fetch_add(&memory_map_changes, 1, __ATOMIC_SEQ_CST);
}

static void update_changed(void)
{
    count_change();
    detach_changed_views();
    for (GList *at = map.spaces.head; at; at = at->next) {
        AddressSpace *as = at->data;

        if (as->root->is_changed) {
            update(as);
        }
    }
    for (unsigned i = 0; i < map.changed->len; i++) {
        ((MemoryRegion *)map.changed->pdata[i])->is_changed = false;
    }
    g_ptr_array_set_size(map.changed, 0);
    count_change();
}

static void update_eventfds(void)
{
    map.are_eventfds_changed = false;
    for (GList *at = map.spaces.head; at; at = at->next) {
        AddressSpace *as = at->data;

        address_space_notify_eventfds(as, as->view);
    }
}

void memory_transaction_commit(void)
{
    bool has_changes = map.changed && map.changed->len;

    assert(map.depth);
    if (map.depth > 1 || (!has_changes && !map.are_eventfds_changed)) {
        map.depth--;
        return;
    }
    if (has_changes) {
        update_changed();
    }
    if (map.are_eventfds_changed) {
        update_eventfds();
    }
    map.depth--;
    memory_listeners_commit();
}

/* --- address spaces come and go --- */

void address_space_init(AddressSpace *as, MemoryRegion *root, const char *name)
{
    *as = (AddressSpace){ .name = g_strdup(name), .root = root };
    as->link.data = as;
    as->listeners = g_ptr_array_new();
    as->bounce_limit = 4096;
    g_queue_push_tail_link(&map.spaces, &as->link);
    as->view = view_for(as);
}

void address_space_clear(AddressSpace *as)
{
    FlatView *old = as->view;

    assert(!as->listeners->len);
    rcu_set(as->view, flat_view_ref(flat_view_empty()));
    flat_view_unref(old);
    g_queue_unlink(&map.spaces, &as->link);
    g_ptr_array_unref(as->listeners);
    g_clear_pointer(&as->eventfds, g_array_unref);
    g_clear_pointer(&as->name, g_free);
}
