/*
 * DMA: how devices access memory. As system/address_space.h, and ordered: what the device did
 * before is visible to CPUs before, as on a bus.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_DMA_H
#define SYSTEM_DMA_H

#include "system/address_space.h"

static inline void dma_barrier(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* The same requester, in a process address space of it. */
static inline MemTxAttrs dma_attrs_with_pasid(MemTxAttrs attrs, uint32_t pasid)
{
    attrs.has_pasid = true;
    attrs.pasid = pasid;
    return attrs;
}

static inline MemTxResult dma_read(AddressSpace *as, IovaAddr addr, MemTxAttrs attrs, void *buf,
                                   size_t bytes)
{
    dma_barrier();
    return address_space_read(as, addr, attrs, buf, bytes);
}

static inline MemTxResult dma_write(AddressSpace *as, IovaAddr addr, MemTxAttrs attrs,
                                    const void *buf, size_t bytes)
{
    dma_barrier();
    return address_space_write(as, addr, attrs, buf, bytes);
}

static inline MemTxResult dma_fill(AddressSpace *as, IovaAddr addr, MemTxAttrs attrs,
                                   uint8_t value, uint64_t bytes)
{
    dma_barrier();
    return address_space_fill(as, addr, attrs, value, bytes);
}

static inline MemTxResult dma_load(AddressSpace *as, IovaAddr addr, MemFormat format,
                                   MemTxAttrs attrs, uint64_t *value)
{
    dma_barrier();
    return address_space_load(as, addr, format, attrs, value);
}

static inline MemTxResult dma_store(AddressSpace *as, IovaAddr addr, MemFormat format,
                                    MemTxAttrs attrs, uint64_t value)
{
    dma_barrier();
    return address_space_store(as, addr, format, attrs, value);
}

/*
 * Pieces of an address space, or of the process's own memory, that are read or written as if they
 * were one.
 */
typedef struct DmaPiece {
    IovaAddr addr;   /* without an address space: the host's */
    uint64_t bytes;
    uint64_t offset; /* in the whole */
} DmaPiece;

typedef struct DmaList {
    AddressSpace *as; /* NULL: host memory */
    MemTxAttrs attrs;
    DmaPiece *pieces;
    unsigned count, room;
    uint64_t bytes; /* of all pieces */
} DmaList;

void dma_list_init(DmaList *list, AddressSpace *as, MemTxAttrs attrs);
void dma_list_clear(DmaList *list);
/* A list of one piece of host memory: data that a device has buffered. */
void dma_list_init_host(DmaList *list, void *host, uint64_t bytes);
/* False when all of it would be 2^64 bytes or more. An empty piece is fine. */
bool dma_list_add(DmaList *list, IovaAddr addr, uint64_t bytes) MUST_USE;

/* From `offset` in the list on; what lies behind its end is left out. *done (may be NULL) is how
 * many bytes there were. */
typedef struct DmaSpan {
    uint64_t offset;
    size_t bytes;
} DmaSpan;
MemTxResult dma_list_read(const DmaList *list, DmaSpan span, void *buf, size_t *done);
MemTxResult dma_list_write(const DmaList *list, DmaSpan span, const void *buf, size_t *done);

#endif
