/*
 * Lists of pieces for DMA: see system/dma.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/dma.h"

void dma_list_init(DmaList *list, AddressSpace *as, MemTxAttrs attrs)
{
    *list = (DmaList){ .as = as, .attrs = attrs };
}

void dma_list_clear(DmaList *list)
{
    g_clear_pointer(&list->pieces, g_free);
    list->count = list->room = 0;
    list->bytes = 0;
}

bool dma_list_add(DmaList *list, IovaAddr addr, uint64_t bytes)
{
    if (__builtin_add_overflow(list->bytes, bytes, &list->bytes)) {
        list->bytes -= bytes;
        return false;
    }
    if (!bytes) {
        return true;
    }
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 8;
        list->pieces = g_renew(DmaPiece, list->pieces, list->room);
    }
    list->pieces[list->count++] = (DmaPiece){ addr, bytes, list->bytes - bytes };
    return true;
}

void dma_list_init_host(DmaList *list, void *host, uint64_t bytes)
{
    *list = (DmaList){ .as = NULL };
    if (!dma_list_add(list, (uintptr_t)host, bytes)) {
        g_assert_not_reached(); /* the first cannot be too much */
    }
}

/* The piece that has the byte at `offset`; `count`: it is behind all. */
static unsigned find_piece(const DmaList *list, uint64_t offset)
{
    unsigned first = 0, last = list->count;

    while (first < last) {
        unsigned middle = first + (last - first) / 2;

        if (list->pieces[middle].offset + list->pieces[middle].bytes <= offset) {
            first = middle + 1;
        } else {
            last = middle;
        }
    }
    return first;
}

/* Calls for what of each piece lies in the span. */
typedef MemTxResult PieceFn(const DmaList *list, DmaPiece piece, uint8_t *buf);

static MemTxResult each_piece(const DmaList *list, DmaSpan span, PieceFn *fn, uint8_t *buf,
                              size_t *done)
{
    MemTxResult result = MEM_TX_OK;
    size_t at = 0;

    dma_barrier(); /* one is as good as one for each piece */
    for (unsigned i = find_piece(list, span.offset); i < list->count && at < span.bytes; i++) {
        DmaPiece piece = list->pieces[i];
        uint64_t skip = span.offset + at - piece.offset;

        piece.addr += skip;
        piece.bytes = MIN(piece.bytes - skip, span.bytes - at);
        result |= fn(list, piece, buf + at);
        at += piece.bytes;
    }
    if (done) {
        *done = at;
    }
    return result;
}

static MemTxResult read_piece(const DmaList *list, DmaPiece piece, uint8_t *buf)
{
    if (!list->as) {
        memcpy(buf, (const void *)(uintptr_t)piece.addr, piece.bytes);
        return MEM_TX_OK;
    }
    return address_space_read(list->as, piece.addr, list->attrs, buf, piece.bytes);
}

static MemTxResult write_piece(const DmaList *list, DmaPiece piece, uint8_t *buf)
{
    if (!list->as) {
        memcpy((void *)(uintptr_t)piece.addr, buf, piece.bytes);
        return MEM_TX_OK;
    }
    return address_space_write(list->as, piece.addr, list->attrs, buf, piece.bytes);
}

MemTxResult dma_list_read(const DmaList *list, DmaSpan span, void *buf, size_t *done)
{
    return each_piece(list, span, read_piece, buf, done);
}

MemTxResult dma_list_write(const DmaList *list, DmaSpan span, const void *buf, size_t *done)
{
    return each_piece(list, span, write_piece, (uint8_t *)buf, done);
}
