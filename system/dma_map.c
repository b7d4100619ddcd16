/*
 * See system/dma_map.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/dma_map.h"

#define BOUNCE_MAX (16 * MiB) /* of all maps: a guest may ask for much that is no memory */

static size_t bounced; /* atomic: bytes of buffers that are there */

static uint8_t *take_bounce(size_t bytes)
{
    uint8_t *buffer = NULL;

    if (__atomic_add_fetch(&bounced, bytes, __ATOMIC_RELAXED) <= BOUNCE_MAX) {
        buffer = g_try_malloc(bytes);
    }
    if (!buffer) {
        __atomic_sub_fetch(&bounced, bytes, __ATOMIC_RELAXED);
    }
    return buffer;
}

static void give_bounce(DmaMap *map)
{
    __atomic_sub_fetch(&bounced, map->span.bytes, __ATOMIC_RELAXED);
    g_clear_pointer(&map->bounce, g_free);
}

static bool make_room(DmaMap *map, unsigned pieces)
{
    if (pieces <= DMA_MAP_FEW) {
        map->iov = map->few_iov;
        map->maps = map->few_maps;
        return true;
    }
    map->iov = g_try_new(struct iovec, pieces);
    map->maps = g_try_new(MemoryMap, pieces);
    return map->iov && map->maps;
}

static void free_room(DmaMap *map)
{
    if (map->iov != map->few_iov) {
        g_free(map->iov);
        g_free(map->maps);
    }
    map->iov = NULL;
    map->maps = NULL;
}

static bool map_memory(const DmaMap *map, const DmaList *list, DmaPiece piece, MemoryMap *m)
{
    if (map->count) {
        return address_space_map_beside(m, map->maps, piece.addr, piece.bytes);
    }
    return map->is_write ?
           address_space_map_write(m, list->as, piece.addr, piece.bytes, list->attrs) :
           address_space_map_read(m, list->as, piece.addr, piece.bytes, list->attrs);
}

static bool map_piece(DmaMap *map, const DmaList *list, DmaPiece piece)
{
    MemoryMap *m = &map->maps[map->count];

    if (!list->as) {
        *m = (MemoryMap){ 0 };
        map->iov[map->count++] = (struct iovec){ (void *)(uintptr_t)piece.addr, piece.bytes };
        return true;
    }
    if (!map_memory(map, list, piece, m)) {
        return false;
    }
    map->iov[map->count++] = (struct iovec){ m->host, m->bytes };
    return m->bytes == piece.bytes && !m->is_bounce;
}

static bool map_in_place(DmaMap *map, const DmaList *list, DmaSpan span)
{
    for (unsigned i = 0; i < list->count && span.bytes; i++) {
        DmaPiece piece = list->pieces[i];

        if (span.offset >= piece.bytes) {
            span.offset -= piece.bytes;
            continue;
        }
        piece.addr += span.offset;
        piece.bytes = MIN(piece.bytes - span.offset, span.bytes);
        span.offset = 0;
        span.bytes -= piece.bytes;
        if (!map_piece(map, list, piece)) {
            return false;
        }
    }
    return true;
}

static MemTxResult unmap_all(DmaMap *map, bool is_done)
{
    MemTxResult result = MEM_TX_OK;

    while (map->count) { /* the first holds what others are in */
        MemoryMap *m = &map->maps[--map->count];

        result |= address_space_unmap(m, is_done ? m->bytes : 0);
    }
    free_room(map);
    return result;
}

static bool map_bounced(DmaMap *map, const DmaList *list, DmaSpan span)
{
    map->list = list;
    map->span = span;
    map->bounce = take_bounce(span.bytes);
    if (!map->bounce) {
        return false;
    }
    if (map->is_write) {
        memset(map->bounce, 0, span.bytes); /* should the device not fill it */
    } else if (dma_list_read(list, span, map->bounce, NULL) != MEM_TX_OK) {
        give_bounce(map);
        return false;
    }
    map->few_iov[0] = (struct iovec){ map->bounce, span.bytes };
    map->iov = map->few_iov;
    map->count = 1;
    return true;
}

bool dma_map(DmaMap *map, const DmaList *list, DmaSpan span, bool is_write)
{
    map->count = 0;
    map->bounce = NULL;
    map->is_write = is_write;
    dma_barrier();
    if (make_room(map, list->count) && map_in_place(map, list, span)) {
        return true;
    }
    unmap_all(map, false);
    return map_bounced(map, list, span);
}

MemTxResult dma_unmap(DmaMap *map, bool is_done)
{
    MemTxResult result = MEM_TX_OK;

    dma_barrier();
    if (!map->bounce) {
        return unmap_all(map, is_done);
    }
    if (map->is_write && is_done) {
        result = dma_list_write(map->list, map->span, map->bounce, NULL);
    }
    give_bounce(map);
    map->count = 0;
    return result;
}
