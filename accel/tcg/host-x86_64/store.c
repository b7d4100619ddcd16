/*
 * Where what is known of translated code is kept: exits, and how state is found where something
 * raises. It all goes at once, with the code, so it is taken from large pieces, one after the other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/jit.h"

#include "util/host_memory.h"

#define PIECE_BYTES (2 * MiB) /* a huge page, where the host has them */
#define ALIGN       8

typedef struct Store {
    GPtrArray *pieces;
    unsigned piece; /* the one that is being filled */
    size_t used;    /* of that */
} Store;
static Store store;

static void *piece_new(void)
{
    void *piece;

    if (host_memory_map(&(HostMemorySpec){ .bytes = PIECE_BYTES, .fd = -1 }, &piece)) {
        g_error("no memory for what is known of translated code");
    }
    host_memory_prefer_huge(piece, PIECE_BYTES);
    return piece;
}

void *store_take(size_t bytes)
{
    uint8_t *taken;

    bytes = ROUND_UP(bytes, ALIGN);
    assert(bytes <= PIECE_BYTES);
    if (!store.pieces) {
        store.pieces = g_ptr_array_new();
    }
    if (!store.pieces->len || store.used + bytes > PIECE_BYTES) {
        store.piece += store.pieces->len > 0;
        store.used = 0;
    }
    if (store.piece == store.pieces->len) {
        g_ptr_array_add(store.pieces, piece_new());
    }
    taken = (uint8_t *)store.pieces->pdata[store.piece] + store.used;
    store.used += bytes;
    return memset(taken, 0, bytes);
}

void store_cut(void *from)
{
    uint8_t *at = from;

    while (!(at >= (uint8_t *)store.pieces->pdata[store.piece] &&
             at < (uint8_t *)store.pieces->pdata[store.piece] + PIECE_BYTES)) {
        store.piece--;
    }
    store.used = at - (uint8_t *)store.pieces->pdata[store.piece];
}

void store_reset(void)
{
    store.piece = 0;
    store.used = 0;
}

size_t store_used(void)
{
    return (size_t)store.piece * PIECE_BYTES + store.used;
}
