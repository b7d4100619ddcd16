/*
 * Telling listeners how views differ: see system/memory_listener.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_listener.h"

#include "system/memory_core.h"

#define CALL(listener, hook, ...)                                                                  \
    do {                                                                                           \
        if ((listener)->ops->hook) {                                                               \
            (listener)->ops->hook((listener), ##__VA_ARGS__);                                      \
        }                                                                                          \
    } while (0)

MemorySection memory_section_of(AddressSpace *as, const FlatRange *range)
{
    return (MemorySection){ as, range->first, range->last, range->region, range->offset,
                            range->host, range->is_read_only, range->is_nonvolatile,
                            range->log_mask };
}

/* --- one commit --- */

/* Listeners of any address space that had their begin and wait for their commit. */
static GPtrArray *in_commit;

void memory_listener_enter_commit(MemoryListener *listener)
{
    if (listener->is_in_commit) {
        return;
    }
    listener->is_in_commit = true;
    if (!in_commit) {
        in_commit = g_ptr_array_new();
    }
    g_ptr_array_add(in_commit, listener);
    CALL(listener, begin);
}

void memory_listeners_commit(void)
{
    for (unsigned i = 0; in_commit && i < in_commit->len; i++) {
        MemoryListener *listener = in_commit->pdata[i];

        listener->is_in_commit = false;
        CALL(listener, commit);
    }
    if (in_commit) {
        g_ptr_array_set_size(in_commit, 0);
    }
}

/* --- differences --- */

static const FlatView *old_view(const AddressSpace *as)
{
    return as->view;
}

typedef struct Walk {
    const FlatRange *at, *end;
} Walk;

static Walk walk_of(const FlatView *view)
{
    return (Walk){ view->ranges, view->ranges + view->count };
}

/* Does the old range come first, or the new one? Equal ones meet. */
static int compare(const Walk *old, const Walk *new)
{
    if (old->at == old->end || new->at == new->end) {
        return old->at == old->end ? 1 : -1;
    }
    if (flat_range_equal(old->at, new->at)) {
        return 0;
    }
    return old->at->first <= new->at->first ? -1 : 1;
}

static void tell_gone(AddressSpace *as, const FlatRange *range)
{
    MemorySection section = memory_section_of(as, range);

    for (unsigned i = as->listeners->len; i > 0; i--) {
        MemoryListener *listener = as->listeners->pdata[i - 1];

        CALL(listener, region_del, &section);
    }
}

static void tell_came(AddressSpace *as, const FlatRange *range)
{
    MemorySection section = memory_section_of(as, range);

    for (unsigned i = 0; i < as->listeners->len; i++) {
        MemoryListener *listener = as->listeners->pdata[i];

        CALL(listener, region_add, &section);
        if (range->log_mask) {
            CALL(listener, log_start, &section, 0, range->log_mask);
        }
    }
}

static void tell_stayed(AddressSpace *as, const FlatRange *old, const FlatRange *new)
{
    MemorySection section = memory_section_of(as, new);

    for (unsigned i = 0; i < as->listeners->len; i++) {
        MemoryListener *listener = as->listeners->pdata[i];

        CALL(listener, region_nop, &section);
        if (new->log_mask & ~old->log_mask) {
            CALL(listener, log_start, &section, old->log_mask, new->log_mask);
        }
    }
    for (unsigned i = as->listeners->len; i > 0; i--) {
        MemoryListener *listener = as->listeners->pdata[i - 1];

        if (old->log_mask & ~new->log_mask) {
            CALL(listener, log_stop, &section, old->log_mask, new->log_mask);
        }
    }
}

static void tell_differences(AddressSpace *as, const FlatView *view, bool is_coming)
{
    Walk old = walk_of(old_view(as)), new = walk_of(view);

    while (old.at < old.end || new.at < new.end) {
        int order = compare(&old, &new);

        if (order < 0 && !is_coming) {
            tell_gone(as, old.at);
        } else if (order == 0 && is_coming) {
            tell_stayed(as, old.at, new.at);
        } else if (order > 0 && is_coming) {
            tell_came(as, new.at);
        }
        old.at += order <= 0;
        new.at += order >= 0;
    }
}

void address_space_notify(AddressSpace *as, FlatView *view)
{
    if (!as->listeners->len) {
        return;
    }
    for (unsigned i = 0; i < as->listeners->len; i++) {
        memory_listener_enter_commit(as->listeners->pdata[i]);
    }
    tell_differences(as, view, false);
    tell_differences(as, view, true);
}

/* --- registering --- */

static unsigned place_of(const AddressSpace *as, int priority)
{
    unsigned place = as->listeners->len;

    while (place && ((MemoryListener *)as->listeners->pdata[place - 1])->ops->priority > priority) {
        place--;
    }
    return place;
}

void memory_listener_register(MemoryListener *listener, const MemoryListenerOps *ops,
                              AddressSpace *as)
{
    FlatView *view = as->view;

    *listener = (MemoryListener){ .ops = ops, .as = as };
    CALL(listener, begin);
    for (unsigned i = 0; i < view->count; i++) {
        MemorySection section = memory_section_of(as, &view->ranges[i]);

        CALL(listener, region_add, &section);
        if (section.log_mask) {
            CALL(listener, log_start, &section, 0, section.log_mask);
        }
    }
    memory_listener_add_eventfds(listener);
    CALL(listener, commit);
    g_ptr_array_insert(as->listeners, place_of(as, ops->priority), listener);
}

void memory_listener_unregister(MemoryListener *listener)
{
    AddressSpace *as = listener->as;
    FlatView *view = as->view;

    g_ptr_array_remove(as->listeners, listener);
    CALL(listener, begin);
    memory_listener_del_eventfds(listener);
    for (unsigned i = 0; i < view->count; i++) {
        MemorySection section = memory_section_of(as, &view->ranges[i]);

        if (section.log_mask) {
            CALL(listener, log_stop, &section, section.log_mask, 0);
        }
        CALL(listener, region_del, &section);
    }
    CALL(listener, commit);
    listener->as = NULL;
}
