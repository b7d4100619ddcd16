/*
 * Memory regions: the tree from which address spaces are rendered.
 *
 * A region is embedded by its owner, placed in a container with memory_region_add(), and seen
 * where no region of higher priority covers it; among equals the one added last wins. Children
 * are clipped to their container. Only enabled regions are seen.
 *
 * All of this is guarded by the machine lock. Changes between memory_transaction_begin() and
 * _commit() become visible at once, at the outermost commit. Access: system/address_space.h.
 *
 * A view that readers may still hold keeps a reference of each region's owner, and drops it in an
 * RCU callback under the machine lock. A region without an owner is cleared only after
 * rcu_barrier_all() (or with the process).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MEMORY_H
#define SYSTEM_MEMORY_H

#include "qom/object.h"
#include "system/memory_tx.h"

/* A size that means 2^64 bytes. */
#define MEMORY_SIZE_WHOLE UINT64_MAX

typedef struct RamBlock RamBlock;
typedef struct RamSpec RamSpec; /* system/ram_block.h */
typedef struct AddressSpace AddressSpace;

typedef enum MemoryKind {
    MEMORY_CONTAINER,  /* holds others, answers nothing itself */
    MEMORY_RAM,        /* or ROM, if it is read-only */
    MEMORY_ROM_DEVICE, /* reads like RAM in romd mode, else through ops; writes go to ops */
    MEMORY_IO,
    MEMORY_ONES,       /* nobody is there: reads are all ones and ask nobody, writes go to ops */
    MEMORY_ALIAS,      /* a window on another region */
    MEMORY_IOMMU,      /* accesses are translated, system/iommu_region.h */
    MEMORY_RESERVED,   /* keeps others away; answers as if nobody were there */
} MemoryKind;

/* Who tracks which pages were written. */
typedef enum DirtyClient {
    DIRTY_VGA,
    DIRTY_CODE,
    DIRTY_MIGRATION,
    DIRTY_CLIENTS
} DirtyClient;

/*
 * How a device answers. Every access is within the region; offsets are from its start. Values are
 * numbers: their order in memory is stated by .endian. Give read or read_attrs (neither: reads
 * fail), likewise for writes.
 */
typedef struct MemoryOps {
    uint64_t (*read)(void *opaque, uint64_t offset, unsigned bytes);
    void (*write)(void *opaque, uint64_t offset, uint64_t value, unsigned bytes);
    MemTxResult (*read_attrs)(void *opaque, uint64_t offset, unsigned bytes, MemTxAttrs attrs,
                              uint64_t *value);
    MemTxResult (*write_attrs)(void *opaque, uint64_t offset, unsigned bytes, MemTxAttrs attrs,
                               uint64_t value);
    /* A 64-byte store in one piece, `offset` aligned to 64: an instruction's, or a part of what a
     * bus master writes. May answer MEM_TX_RETRY if attrs.is_deferrable. Without it, stores come as eight of 8 bytes, deferrable ones retry. */
    MemTxResult (*write64)(void *opaque, uint64_t offset, const uint8_t data[64],
                           MemTxAttrs attrs);
    Endian endian;
    /* Called without the machine lock, by many threads at once, and not guarded. */
    bool is_lock_free;
    /* What a bus master may do; anything else is a MEM_TX_DECODE_ERROR. */
    struct {
        unsigned min, max; /* bytes; 0: 1 and 8. A max of 0 also splits buffers by 4 */
        bool unaligned;
        bool (*accepts)(void *opaque, uint64_t offset, unsigned bytes, bool is_write,
                        MemTxAttrs attrs);
    } valid;
    /*
     * What the functions above are called with; the core splits and merges. A read narrower than
     * .min reads .min bytes and takes a part; a narrower write has zeros around the written part.
     */
    struct {
        unsigned min, max; /* bytes; 0: 1 and 4 */
        bool unaligned;
    } impl;
} MemoryOps;

typedef struct MemoryRegion {
    MemoryKind kind;
    char *name;
    Object *owner;           /* borrowed, may be NULL */
    uint64_t size;           /* bytes, MEMORY_SIZE_WHOLE: 2^64 */
    uint64_t addr;           /* in the container */
    int priority;
    bool is_enabled, is_read_only, is_rom_mode, is_ram_device, is_nonvolatile;
    bool flushes_coalesced;  /* buffered coalesced writes are seen before any access */
    uint8_t log_mask;        /* BIT(DirtyClient) asked for this region */
    const MemoryOps *ops;
    void *opaque;            /* for ops: the owner unless set otherwise */
    bool *guard;             /* set while a device's own ops run */
    RamBlock *ram;
    struct MemoryRegion *container;
    struct MemoryRegion *target; /* alias */
    uint64_t target_offset;
    /* The rest is the core's own. */
    GList link, alias_link;  /* in the container's children, in the target's aliases */
    GQueue children, aliases;
    struct EventfdTable *eventfds; /* RCU */
    GArray *coalesced;       /* of MemoryWindow */
    struct FlatView *view;   /* the last one rendered from here, kept by address spaces */
    bool is_changed, is_busy;
} MemoryRegion;

typedef struct MemoryWindow {
    uint64_t offset, size;
} MemoryWindow;

/* `name` is copied. RAM may fail; the others may not. Sizes come from boards and devices. */
void memory_region_init(MemoryRegion *mr, Object *owner, const char *name, uint64_t size);
void memory_region_init_io(MemoryRegion *mr, Object *owner, const MemoryOps *ops, const char *name,
                           uint64_t size);
/* Like RAM it is read without a call, but it is none: no log, no dump, no migration knows it. */
void memory_region_init_ones(MemoryRegion *mr, Object *owner, const MemoryOps *ops,
                             const char *name, uint64_t size);
void memory_region_init_reserved(MemoryRegion *mr, Object *owner, const char *name, uint64_t size);
void memory_region_init_alias(MemoryRegion *mr, Object *owner, const char *name,
                              MemoryRegion *target, MemoryWindow window);
bool memory_region_init_ram(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                            Error **errp);
bool memory_region_init_ram_spec(MemoryRegion *mr, Object *owner, const RamSpec *spec,
                                 Error **errp);
bool memory_region_init_rom(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                            Error **errp);
/* Starts in romd mode. */
bool memory_region_init_rom_device(MemoryRegion *mr, Object *owner, const MemoryOps *ops,
                                   const RamSpec *spec, Error **errp);
/* It must be in no container, hold no children and be nobody's target. Frees its RAM. */
void memory_region_clear(MemoryRegion *mr);

/* What ops are called with, instead of the owner. */
void memory_region_set_opaque(MemoryRegion *mr, void *opaque);
/* Regions of one device share a guard: none is entered while another's ops run. */
void memory_region_set_guard(MemoryRegion *mr, bool *guard);

void memory_transaction_begin(void);
void memory_transaction_commit(void);

void memory_region_add(MemoryRegion *container, uint64_t addr, MemoryRegion *child);
void memory_region_add_overlap(MemoryRegion *container, uint64_t addr, MemoryRegion *child,
                               int priority);
void memory_region_remove(MemoryRegion *container, MemoryRegion *child);

void memory_region_set_enabled(MemoryRegion *mr, bool is_enabled);
void memory_region_set_address(MemoryRegion *mr, uint64_t addr);
void memory_region_set_size(MemoryRegion *mr, uint64_t size);
void memory_region_set_alias_offset(MemoryRegion *mr, uint64_t offset);
void memory_region_set_read_only(MemoryRegion *mr, bool is_read_only);
void memory_region_set_nonvolatile(MemoryRegion *mr, bool is_nonvolatile);
void memory_region_set_rom_mode(MemoryRegion *mr, bool is_rom_mode);
void memory_region_set_log_mask(MemoryRegion *mr, uint8_t log_mask);
void memory_region_set_log(MemoryRegion *mr, bool is_on, DirtyClient client);

/* The start of a RAM region's bytes in this process (an alias: where its window starts). */
void *memory_region_host(MemoryRegion *mr);
static inline bool memory_region_is_ram(const MemoryRegion *mr)
{
    return mr->kind == MEMORY_RAM;
}

/*
 * Doorbells: a write that matches signals `fd` (an eventfd, borrowed) instead of reaching ops,
 * here or in an accelerator. `bytes` 0: any size.
 */
typedef struct MemoryEventfd {
    uint64_t offset;
    unsigned bytes;
    bool must_match;
    uint64_t data;
    int fd;
} MemoryEventfd;
void memory_region_add_eventfd(MemoryRegion *mr, const MemoryEventfd *eventfd);
void memory_region_remove_eventfd(MemoryRegion *mr, const MemoryEventfd *eventfd);

/* Writes to the window may be buffered by an accelerator and seen later. */
void memory_region_add_coalescing(MemoryRegion *mr, MemoryWindow window);
void memory_region_clear_coalescing(MemoryRegion *mr);
void memory_region_set_flush_coalesced(MemoryRegion *mr, bool is_on);
/* The accelerator's: replays what it buffered. Called with the machine lock. */
void memory_set_coalesced_flusher(void (*flush)(void));

#endif
