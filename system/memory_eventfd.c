/*
 * Doorbells and coalesced ranges: kept by regions, seen through views, told to listeners.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_core.h"

#include "system/memory_listener.h"

/* Published by RCU: writes to lock-free regions look here without a lock. */
typedef struct EventfdTable {
    RcuHead rcu;
    unsigned count;
    MemoryEventfd items[];
} EventfdTable;

static void free_table(RcuHead *head)
{
    g_free(container_of(head, EventfdTable, rcu));
}

static void publish(MemoryRegion *mr, EventfdTable *table)
{
    EventfdTable *old = mr->eventfds;

    rcu_set(mr->eventfds, table);
    if (old) {
        rcu_call(&old->rcu, free_table);
    }
}

static EventfdTable *table_new(unsigned count)
{
    EventfdTable *table = g_malloc0(sizeof(*table) + count * sizeof(MemoryEventfd));

    table->count = count;
    return table;
}

static int compare_eventfds(const void *va, const void *vb)
{
    const MemoryEventfd *a = va, *b = vb;

    if (a->offset != b->offset) {
        return a->offset < b->offset ? -1 : 1;
    }
    if (a->bytes != b->bytes) {
        return a->bytes < b->bytes ? -1 : 1;
    }
    if (a->must_match != b->must_match) {
        return a->must_match ? 1 : -1;
    }
    if (a->must_match && a->data != b->data) {
        return a->data < b->data ? -1 : 1;
    }
    return a->fd < b->fd ? -1 : a->fd > b->fd;
}

void memory_region_add_eventfd(MemoryRegion *mr, const MemoryEventfd *eventfd)
{
    unsigned count = mr->eventfds ? mr->eventfds->count : 0;
    EventfdTable *table = table_new(count + 1);

    memory_transaction_begin();
    if (count) {
        memcpy(table->items, mr->eventfds->items, count * sizeof(MemoryEventfd));
    }
    table->items[count] = *eventfd;
    qsort(table->items, table->count, sizeof(MemoryEventfd), compare_eventfds);
    publish(mr, table);
    memory_eventfds_changed();
    memory_transaction_commit();
}

void memory_region_remove_eventfd(MemoryRegion *mr, const MemoryEventfd *eventfd)
{
    EventfdTable *old = mr->eventfds, *table;
    unsigned at = 0;

    while (old && at < old->count && compare_eventfds(&old->items[at], eventfd)) {
        at++;
    }
    assert(old && at < old->count);
    memory_transaction_begin();
    table = old->count > 1 ? table_new(old->count - 1) : NULL;
    if (table) {
        memcpy(table->items, old->items, at * sizeof(MemoryEventfd));
        memcpy(table->items + at, old->items + at + 1,
               (table->count - at) * sizeof(MemoryEventfd));
    }
    publish(mr, table);
    memory_eventfds_changed();
    memory_transaction_commit();
}

void memory_region_clear_eventfds(MemoryRegion *mr)
{
    publish(mr, NULL);
}

bool memory_ring_eventfds(MemoryRegion *mr, uint64_t offset, unsigned bytes, uint64_t value)
{
    const EventfdTable *table;
    bool has_rung = false;

    rcu_lock();
    table = rcu_get(mr->eventfds);
    for (unsigned i = 0; table && i < table->count; i++) {
        const MemoryEventfd *item = &table->items[i];
        uint64_t one = 1;

        if (item->offset == offset && (!item->bytes || item->bytes == bytes) &&
            (!item->must_match || item->data == value)) {
            /* A counter that is full has been rung already. */
            has_rung = write(item->fd, &one, sizeof(one)) == sizeof(one) || errno == EAGAIN;
            break;
        }
    }
    rcu_unlock();
    return has_rung;
}

/* --- coalescing --- */

void memory_region_add_coalescing(MemoryRegion *mr, MemoryWindow window)
{
    memory_transaction_begin();
    if (!mr->coalesced) {
        mr->coalesced = g_array_new(false, false, sizeof(MemoryWindow));
    }
    g_array_append_val(mr->coalesced, window);
    memory_region_set_flush_coalesced(mr, true);
    memory_eventfds_changed();
    memory_transaction_commit();
}

void memory_region_clear_coalescing(MemoryRegion *mr)
{
    if (!mr->coalesced) {
        return;
    }
    memory_transaction_begin();
    memory_flush_coalesced();
    g_clear_pointer(&mr->coalesced, g_array_unref);
    memory_region_set_flush_coalesced(mr, false);
    memory_eventfds_changed();
    memory_transaction_commit();
}

void memory_region_set_flush_coalesced(MemoryRegion *mr, bool is_on)
{
    mr->flushes_coalesced = is_on;
}

/* --- what listeners know --- */

/* An eventfd (fd >= 0) or a coalesced range, where an address space shows it. */
typedef struct Known {
    MemorySection section;
    MemoryEventfd eventfd;
} Known;

static MemorySection cut(AddressSpace *as, const FlatRange *range, MemoryWindow window)
{
    MemorySection section = memory_section_of(as, range);
    uint64_t end = range->offset + (range->last - range->first);
    uint64_t first = MAX(window.offset, range->offset);
    uint64_t last = MIN(window.offset + (window.size - 1), end);

    section.first = range->first + (first - range->offset);
    section.last = range->first + (last - range->offset);
    section.offset = first;
    return section;
}

static bool overlaps(const FlatRange *range, MemoryWindow window)
{
    return window.size && window.offset <= range->offset + (range->last - range->first) &&
           window.offset + (window.size - 1) >= range->offset;
}

static void collect(AddressSpace *as, const FlatRange *range, GArray *known)
{
    const EventfdTable *table = range->region->eventfds;
    const GArray *coalesced = range->region->coalesced;

    for (unsigned i = 0; table && i < table->count; i++) {
        const MemoryEventfd *item = &table->items[i];
        MemoryWindow window = { item->offset, item->bytes ? item->bytes : 1 };

        if (overlaps(range, window)) {
            Known one = { cut(as, range, window), *item };

            g_array_append_val(known, one);
        }
    }
    for (unsigned i = 0; coalesced && i < coalesced->len; i++) {
        MemoryWindow window = g_array_index(coalesced, MemoryWindow, i);

        if (overlaps(range, window)) {
            Known one = { cut(as, range, window), { .fd = -1 } };

            g_array_append_val(known, one);
        }
    }
}

static int compare_known(const void *va, const void *vb)
{
    const Known *a = va, *b = vb;

    if (a->section.first != b->section.first) {
        return a->section.first < b->section.first ? -1 : 1;
    }
    if (a->section.last != b->section.last) {
        return a->section.last < b->section.last ? -1 : 1;
    }
    if (a->section.region != b->section.region) {
        return a->section.region < b->section.region ? -1 : 1;
    }
    return compare_eventfds(&a->eventfd, &b->eventfd);
}

static void tell(MemoryListener *listener, const Known *known, bool is_add)
{
    const MemoryListenerOps *ops = listener->ops;

    if (known->eventfd.fd >= 0) {
        void (*hook)(MemoryListener *, const MemorySection *, const MemoryEventfd *) =
            is_add ? ops->eventfd_add : ops->eventfd_del;

        if (hook) {
            hook(listener, &known->section, &known->eventfd);
        }
    } else {
        void (*hook)(MemoryListener *, const MemorySection *) =
            is_add ? ops->coalesced_add : ops->coalesced_del;

        if (hook) {
            hook(listener, &known->section);
        }
    }
}

static void tell_all(AddressSpace *as, const Known *known, bool is_add)
{
    unsigned count = as->listeners->len;

    for (unsigned i = 0; i < count; i++) {
        memory_listener_enter_commit(as->listeners->pdata[is_add ? i : count - 1 - i]);
        tell(as->listeners->pdata[is_add ? i : count - 1 - i], known, is_add);
    }
}

/* Calls for what is in `a` and not in `b`; both are sorted. */
static void tell_missing(AddressSpace *as, const GArray *a, const GArray *b, bool is_add)
{
    unsigned at = 0;

    for (unsigned i = 0; i < a->len; i++) {
        const Known *known = &g_array_index(a, Known, i);

        while (at < b->len && compare_known(&g_array_index(b, Known, at), known) < 0) {
            at++;
        }
        if (at == b->len || compare_known(&g_array_index(b, Known, at), known)) {
            tell_all(as, known, is_add);
        }
    }
}

void address_space_notify_eventfds(AddressSpace *as, FlatView *view)
{
    GArray *known;

    if (!as->listeners->len) {
        return;
    }
    known = g_array_new(false, false, sizeof(Known));
    for (unsigned i = 0; i < view->count; i++) {
        collect(as, &view->ranges[i], known);
    }
    g_array_sort(known, compare_known);
    if (!as->eventfds) {
        as->eventfds = g_array_new(false, false, sizeof(Known));
    }
    tell_missing(as, as->eventfds, known, false);
    tell_missing(as, known, as->eventfds, true);
    g_array_unref(as->eventfds);
    as->eventfds = known;
}

void memory_listener_add_eventfds(MemoryListener *listener)
{
    AddressSpace *as = listener->as;

    /* The first listener makes the list. */
    if (!as->listeners->len) {
        g_clear_pointer(&as->eventfds, g_array_unref);
        as->eventfds = g_array_new(false, false, sizeof(Known));
        for (unsigned i = 0; i < as->view->count; i++) {
            collect(as, &as->view->ranges[i], as->eventfds);
        }
        g_array_sort(as->eventfds, compare_known);
    }
    for (unsigned i = 0; i < as->eventfds->len; i++) {
        tell(listener, &g_array_index(as->eventfds, Known, i), true);
    }
}

void memory_listener_del_eventfds(MemoryListener *listener)
{
    GArray *known = listener->as->eventfds;

    for (unsigned i = known->len; i > 0; i--) {
        tell(listener, &g_array_index(known, Known, i - 1), false);
    }
}
