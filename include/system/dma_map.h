/*
 * DmaMap: pieces of a DmaList as host memory, for back ends that take an iovec: RAM in place, all
 * of it through one buffer where that is not possible.
 *
 * Any thread, one at a time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_DMA_MAP_H
#define SYSTEM_DMA_MAP_H

#include <sys/uio.h>

#include "system/dma.h"

#define DMA_MAP_FEW 4

typedef struct DmaMap {
    struct iovec *iov;
    unsigned count;
    /* The rest is the core's own. */
    MemoryMap *maps;
    const DmaList *list;  /* with a bounce buffer */
    DmaSpan span;
    uint8_t *bounce;
    bool is_write;
    struct iovec few_iov[DMA_MAP_FEW];
    MemoryMap few_maps[DMA_MAP_FEW];
} DmaMap;

/*
 * `list` lives until it is unmapped, its span lies within. `is_write`: the device writes. False:
 * there is no such memory, or too little of the host's; nothing is mapped.
 */
bool dma_map(DmaMap *map, const DmaList *list, DmaSpan span, bool is_write) MUST_USE;
/* `is_done`: the device wrote all of it. */
MemTxResult dma_unmap(DmaMap *map, bool is_done);

#endif
