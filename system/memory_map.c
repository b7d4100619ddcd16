/*
 * Pieces of an address space as host memory, in place or through bounce buffers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_core.h"

#include "system/machine_lock.h"
#include "system/memory_log.h"

/* --- bounce buffers --- */

typedef struct MapRetry {
    MapRetryFn *fn;
    void *opaque;
} MapRetry;

/* Guards the lists of those who wait, of all address spaces; a leaf. */
static GMutex retries_lock;

/* Takes up to `bytes` from the budget; how many it got. */
static size_t take_budget(AddressSpace *as, size_t bytes)
{
    size_t used = __atomic_load_n(&as->bounce_used, __ATOMIC_RELAXED), got;

    do {
        size_t limit = __atomic_load_n(&as->bounce_limit, __ATOMIC_RELAXED);

        got = used < limit ? MIN(bytes, limit - used) : 0;
    } while (!__atomic_compare_exchange_n(&as->bounce_used, &used, used + got, true,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return got;
}

static void give_budget(AddressSpace *as, size_t bytes)
{
    GSList *retries;

    __atomic_fetch_sub(&as->bounce_used, bytes, __ATOMIC_ACQ_REL);
    g_mutex_lock(&retries_lock);
    retries = g_steal_pointer(&as->map_retries);
    g_mutex_unlock(&retries_lock);
    retries = g_slist_reverse(retries);
    for (GSList *at = retries; at; at = at->next) {
        MapRetry *retry = at->data;

        retry->fn(retry->opaque);
    }
    g_slist_free_full(retries, g_free);
}

void address_space_set_bounce_limit(AddressSpace *as, size_t bytes)
{
    __atomic_store_n(&as->bounce_limit, bytes, __ATOMIC_RELAXED);
}

void address_space_on_map_retry(AddressSpace *as, MapRetryFn *fn, void *opaque)
{
    MapRetry *retry = g_new(MapRetry, 1);

    *retry = (MapRetry){ fn, opaque };
    g_mutex_lock(&retries_lock);
    as->map_retries = g_slist_prepend(as->map_retries, retry);
    g_mutex_unlock(&retries_lock);
}

void address_space_cancel_map_retry(AddressSpace *as, MapRetryFn *fn, void *opaque)
{
    g_mutex_lock(&retries_lock);
    for (GSList *at = as->map_retries; at; at = at->next) {
        MapRetry *retry = at->data;

        if (retry->fn == fn && retry->opaque == opaque) {
            g_free(retry);
            as->map_retries = g_slist_delete_link(as->map_retries, at);
            break;
        }
    }
    g_mutex_unlock(&retries_lock);
}

static bool map_bounce(MemoryMap *map, size_t bytes)
{
    bytes = take_budget(map->as, bytes);
    if (!bytes) {
        return false;
    }
    map->host = g_malloc0(bytes);
    map->bytes = bytes;
    map->is_bounce = true;
    if (!map->is_write && address_space_read(map->as, map->addr, map->attrs, map->host, bytes) !=
                              MEM_TX_OK) {
        address_space_unmap(map, 0);
        return false;
    }
    return true;
}

/* --- in place --- */

static void *host_of(const MemoryTarget *target, bool is_write)
{
    if (target->region->kind == MEMORY_ONES) {
        return NULL; /* its one page is no memory to keep */
    }
    return !is_write || target->is_writable ? target->host : NULL;
}

/* How far the bytes after `target` go on without a gap, also through pages of an IOMMU. */
static size_t extent(const MemoryMap *map, const MemoryTarget *target, size_t bytes)
{
    uint64_t done = target->bytes;

    while (done < bytes) {
        MemoryTarget next;

        address_space_find(map->as, map->addr + done, map->attrs, map->is_write, &next);
        if (next.region != target->region || next.offset != target->offset + done ||
            !host_of(&next, map->is_write)) {
            break;
        }
        done += next.bytes;
    }
    return MIN(done, bytes);
}

static bool map_any(MemoryMap *map, const MemoryMap *first, size_t bytes)
{
    MemoryTarget target;
    void *host;

    RCU_GUARD();
    address_space_find(map->as, map->addr, map->attrs, map->is_write, &target);
    if (!target.region || !bytes) {
        return false;
    }
    host = host_of(&target, map->is_write);
    if (!host) {
        return !map->attrs.is_memory && map_bounce(map, MIN(bytes, target.bytes));
    }
    map->host = host;
    map->bytes = extent(map, &target, bytes);
    map->region = target.region;
    map->offset = target.offset;
    map->is_held = first && !first->is_bounce && first->region == target.region;
    if (target.region->owner && !map->is_held) {
        object_ref(target.region->owner);
    }
    return true;
}

bool address_space_map_read(MemoryMap *map, AddressSpace *as, GuestAddr addr, size_t bytes,
                            MemTxAttrs attrs)
{
    *map = (MemoryMap){ .as = as, .addr = addr, .attrs = attrs };
    return map_any(map, NULL, bytes);
}

bool address_space_map_write(MemoryMap *map, AddressSpace *as, GuestAddr addr, size_t bytes,
                             MemTxAttrs attrs)
{
    *map = (MemoryMap){ .as = as, .addr = addr, .attrs = attrs, .is_write = true };
    return map_any(map, NULL, bytes);
}

bool address_space_map_beside(MemoryMap *map, const MemoryMap *first, GuestAddr addr,
                              size_t bytes)
{
    *map = (MemoryMap){ .as = first->as, .addr = addr, .attrs = first->attrs,
                        .is_write = first->is_write };
    return map_any(map, first, bytes);
}

/* The last reference is dropped under the machine lock, as finalizing wants; others need none. */
static void drop_owner(Object *owner)
{
    unsigned refs = __atomic_load_n(&owner->refs, __ATOMIC_RELAXED);

    while (refs > 1) {
        if (__atomic_compare_exchange_n(&owner->refs, &refs, refs - 1, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED)) {
            return;
        }
    }
    MACHINE_LOCK_SCOPE();
    object_unref(owner);
}

MemTxResult address_space_unmap(MemoryMap *map, size_t written)
{
    MemTxResult result = MEM_TX_OK;

    assert(written <= map->bytes);
    if (map->is_bounce) {
        if (map->is_write) {
            result = address_space_write(map->as, map->addr, map->attrs, map->host, written);
        }
        g_free(map->host);
        give_budget(map->as, map->bytes);
    } else if (map->host) {
        if (map->is_write) {
            ram_block_mark_written(map->region->ram, map->offset, written);
        }
        if (map->region->owner && !map->is_held) {
            drop_owner(map->region->owner);
        }
    }
    *map = (MemoryMap){ 0 };
    return result;
}
