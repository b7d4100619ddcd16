/*
 * A piece of an address space that is accessed again and again (rings of descriptors): found once,
 * then read and written in place. It keeps what it found, also when the map changes: who makes one
 * hears of that from a MemoryListener or its IOMMU, and makes it anew. Offsets and lengths are the
 * caller's to check; accesses outside the piece assert.
 *
 * No lock for access, inside or outside rcu_lock(). Where the piece is not RAM all along, accesses
 * go through the address space.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MEMORY_CACHE_H
#define SYSTEM_MEMORY_CACHE_H

#include "system/address_space.h"

typedef struct MemoryCache {
    MemoryMap map;   /* .host NULL: not in place */
    AddressSpace *as;
    GuestAddr addr;
    uint64_t bytes;
    MemTxAttrs attrs;
} MemoryCache;

/* Never fails: what is not there answers as the address space does. */
void memory_cache_init_read(MemoryCache *cache, AddressSpace *as, GuestAddr addr, uint64_t bytes,
                            MemTxAttrs attrs);
void memory_cache_init_write(MemoryCache *cache, AddressSpace *as, GuestAddr addr, uint64_t bytes,
                             MemTxAttrs attrs);
void memory_cache_clear(MemoryCache *cache);

MemTxResult memory_cache_read(MemoryCache *cache, uint64_t offset, void *buf, size_t bytes);
MemTxResult memory_cache_write(MemoryCache *cache, uint64_t offset, const void *buf, size_t bytes);

/* As address_space_load() and _store(). */
MemTxResult memory_cache_load(MemoryCache *cache, uint64_t offset, MemFormat format,
                              uint64_t *value);
MemTxResult memory_cache_store(MemoryCache *cache, uint64_t offset, MemFormat format,
                               uint64_t value);

#endif
