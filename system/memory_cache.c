/*
 * Pieces of an address space, found once: see system/memory_cache.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_cache.h"

#include "system/memory_core.h"
#include "system/memory_log.h"

static void init(MemoryCache *cache, MemoryMap map, uint64_t bytes)
{
    /* A part of it in place, or a copy, is no use. */
    if (map.host && (map.bytes < bytes || map.is_bounce)) {
        address_space_unmap(&map, 0);
    }
    cache->map = map;
    cache->bytes = bytes;
}

void memory_cache_init_read(MemoryCache *cache, AddressSpace *as, GuestAddr addr, uint64_t bytes,
                            MemTxAttrs attrs)
{
    MemoryMap map = { 0 };
    MemTxAttrs only_memory = attrs;

    only_memory.is_memory = true;
    *cache = (MemoryCache){ .as = as, .addr = addr, .attrs = attrs };
    address_space_map_read(&map, as, addr, bytes, only_memory);
    init(cache, map, bytes);
}

void memory_cache_init_write(MemoryCache *cache, AddressSpace *as, GuestAddr addr, uint64_t bytes,
                             MemTxAttrs attrs)
{
    MemoryMap map = { 0 };
    MemTxAttrs only_memory = attrs;

    only_memory.is_memory = true;
    *cache = (MemoryCache){ .as = as, .addr = addr, .attrs = attrs };
    address_space_map_write(&map, as, addr, bytes, only_memory);
    init(cache, map, bytes);
}

void memory_cache_clear(MemoryCache *cache)
{
    if (cache->map.host) {
        address_space_unmap(&cache->map, 0);
    }
    cache->bytes = 0;
}

static uint8_t *in_place(const MemoryCache *cache, uint64_t offset, size_t bytes)
{
    assert(bytes <= cache->bytes && offset <= cache->bytes - bytes);
    return cache->map.host ? (uint8_t *)cache->map.host + offset : NULL;
}

static uint8_t *in_place_for_write(const MemoryCache *cache, uint64_t offset, size_t bytes)
{
    uint8_t *host = in_place(cache, offset, bytes);

    return cache->map.is_write ? host : NULL;
}

static void mark_written(const MemoryCache *cache, uint64_t offset, size_t bytes)
{
    ram_block_mark_written(cache->map.region->ram, cache->map.offset + offset, bytes);
}

MemTxResult memory_cache_read(MemoryCache *cache, uint64_t offset, void *buf, size_t bytes)
{
    const uint8_t *host = in_place(cache, offset, bytes);

    if (!host) {
        return address_space_read(cache->as, cache->addr + offset, cache->attrs, buf, bytes);
    }
    memcpy(buf, host, bytes);
    return MEM_TX_OK;
}

MemTxResult memory_cache_write(MemoryCache *cache, uint64_t offset, const void *buf, size_t bytes)
{
    uint8_t *host = in_place_for_write(cache, offset, bytes);

    if (!host) {
        return address_space_write(cache->as, cache->addr + offset, cache->attrs, buf, bytes);
    }
    memcpy(host, buf, bytes);
    mark_written(cache, offset, bytes);
    return MEM_TX_OK;
}

MemTxResult memory_cache_load(MemoryCache *cache, uint64_t offset, MemFormat format,
                              uint64_t *value)
{
    unsigned bytes = mem_format_bytes(format);
    const uint8_t *host = in_place(cache, offset, bytes);

    if (!host) {
        return address_space_load(cache->as, cache->addr + offset, format, cache->attrs, value);
    }
    *value = memory_host_load(host, format);
    return MEM_TX_OK;
}

MemTxResult memory_cache_store(MemoryCache *cache, uint64_t offset, MemFormat format,
                               uint64_t value)
{
    unsigned bytes = mem_format_bytes(format);
    uint8_t *host = in_place_for_write(cache, offset, bytes);

    if (!host) {
        return address_space_store(cache->as, cache->addr + offset, format, cache->attrs, value);
    }
    memory_host_store(host, format, value);
    mark_written(cache, offset, bytes);
    return MEM_TX_OK;
}
