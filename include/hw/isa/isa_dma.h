/*
 * ISA DMA: how a device moves bytes through a channel of the DMA controllers.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ISA_ISA_DMA_H
#define HW_ISA_ISA_DMA_H

#include "hw/isa/isa.h"

#define ISA_DMA_CHANNELS 8

typedef enum IsaDmaDirection {
    ISA_DMA_VERIFY,
    ISA_DMA_TO_MEMORY,   /* the device is read */
    ISA_DMA_FROM_MEMORY, /* the device is written */
} IsaDmaDirection;

/*
 * Called while a device's request is up and its channel not masked. `done` of `bytes` were moved
 * so far; returns how many are done now. It may lower the request.
 */
typedef size_t IsaDmaTransfer(void *opaque, unsigned channel, size_t done, size_t bytes);

/* What a bus asks of its DMA controllers; embedded by them. */
typedef struct IsaDma {
    void (*attach)(struct IsaDma *dma, unsigned channel, IsaDmaTransfer *fn, void *opaque);
    void (*request)(struct IsaDma *dma, unsigned channel, bool is_up);
    /* Memory at byte `pos` of the channel's block; what is beyond the block is left out. */
    void (*read)(struct IsaDma *dma, unsigned channel, size_t pos, void *buf, size_t bytes);
    void (*write)(struct IsaDma *dma, unsigned channel, size_t pos, const void *buf,
                  size_t bytes);
    IsaDmaDirection (*direction)(struct IsaDma *dma, unsigned channel);
    bool (*is_auto_init)(struct IsaDma *dma, unsigned channel);
} IsaDma;

/* What serves a channel; NULL: nobody. Its functions take the channel as it is, 0 to 7. */
static inline IsaDma *isa_dma_of(const IsaBus *bus, unsigned channel)
{
    return channel < ISA_DMA_CHANNELS ? bus->dma[channel / 4] : NULL;
}

#endif
