/*
 * RAM blocks: the host memory behind RAM and ROM regions, one list for the whole machine, and
 * which of their pages were written. Each block has a place in a space of its own (`offset`),
 * which is neither a guest address nor stable across machines.
 *
 * The list and its blocks are changed under the machine lock and freed by RCU: readers inside
 * rcu_lock() need no other lock. Dirty bitmaps are atomic.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_RAM_BLOCK_H
#define SYSTEM_RAM_BLOCK_H

#include <urcu/list.h>

#include "system/memory.h"
#include "util/rcu.h"

/* Dirty bits stand for guest pages of this size, whatever the host's. */
#define DIRTY_PAGE_BYTES UINT64_C(4096)

typedef enum RamFlags {
    RAM_SHARED = 1 << 0,     /* others can map it: MAP_SHARED */
    RAM_READ_ONLY_FD = 1 << 1, /* the file is opened for reading */
    RAM_PMEM = 1 << 2,       /* persistent memory: msync what is written */
    RAM_NO_RESERVE = 1 << 3, /* do not set swap space or huge pages aside */
    RAM_RESIZABLE = 1 << 4,  /* its used length may change, up to max_bytes */
    RAM_DEVICE = 1 << 5,     /* a device's: accessed by loads and stores of the asked size */
    RAM_NONVOLATILE = 1 << 6,
    RAM_READ_ONLY = 1 << 7,  /* the guest cannot write it */
} RamFlags;

/* What RAM to make. Where it comes from: `host` (borrowed), else `fd` (owned by the block from
 * success on), else anonymous. Lengths are rounded up to pages of it. */
struct RamSpec {
    const char *name;
    uint64_t bytes;
    uint64_t max_bytes;  /* RAM_RESIZABLE; else 0 */
    RamFlags flags;
    void *host;
    bool has_fd;
    int fd;              /* owned by the block once it is made */
    uint64_t fd_offset;
    uint64_t align_bytes; /* 0: the page size of what it comes from */
    /* RAM_RESIZABLE: the stream has another length; NULL: nothing to do. */
    void (*resized)(MemoryRegion *mr, uint64_t bytes);
};

struct RamBlock {
    MemoryRegion *region;
    char idstr[256];         /* unique once set; "" until then */
    uint64_t used_bytes, max_bytes;
    uint64_t offset;
    uint64_t page_bytes;     /* of the host memory */
    RamFlags flags;
    bool is_migratable;
    int fd;                  /* -1: none */
    uint64_t fd_offset;
    uint8_t dirty_clients;   /* BIT(DirtyClient) with a bitmap */
    /* The rest is the core's own. */
    uint8_t *host;
    uint64_t *dirty[DIRTY_CLIENTS]; /* by page; RCU */
    void (*resized)(MemoryRegion *mr, uint64_t bytes);
    bool is_host_borrowed;
    struct cds_list_head link;
    RcuHead rcu;
};

static inline uint8_t *ram_block_host(const RamBlock *block)
{
    return block->host;
}

/* Regions make and free theirs. Freed when no reader is left. */
RamBlock *ram_block_new(MemoryRegion *mr, const RamSpec *spec, Error **errp);
void ram_block_free(RamBlock *block);

/* Calls for each block, in the order they were made, until fn returns false. Needs no lock. */
typedef bool RamBlockFn(void *opaque, RamBlock *block);
bool ram_block_each(RamBlockFn *fn, void *opaque);
RamBlock *ram_block_find(const char *idstr);
/* The block that holds a byte of this process, with its offset; inside rcu_lock(). */
RamBlock *ram_block_from_host(const void *host, uint64_t *offset);

/* "OWNER/name", or the region's name; made unique to the stream by devices' ids. */
bool ram_block_set_id(RamBlock *block, const char *owner_id, const char *name, Error **errp);
void ram_block_clear_id(RamBlock *block);
void ram_block_set_migratable(RamBlock *block, bool is_migratable);
/* RAM_RESIZABLE: up to max_bytes. Tells .resized. */
bool ram_block_resize(RamBlock *block, uint64_t bytes, Error **errp);
/* Gives the pages back to the host; they read as zeros after. Both are multiples of page_bytes. */
bool ram_block_discard(RamBlock *block, uint64_t offset, uint64_t bytes, Error **errp);
/* The same, but for files of which the block is a private copy: they stay, and show again. */
bool ram_block_drop(RamBlock *block, uint64_t offset, uint64_t bytes, Error **errp);
/* RAM_PMEM: waits until what was written is on the medium. */
bool ram_block_sync(RamBlock *block, uint64_t offset, uint64_t bytes, Error **errp);

#endif
