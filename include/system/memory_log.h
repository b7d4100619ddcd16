/*
 * Which pages were written: a bitmap per RAM block and client, one bit for DIRTY_PAGE_BYTES.
 *
 * Bits are set and taken without a lock. Starting and stopping a client is guarded by the machine
 * lock. When a client's bitmap is made every page counts as written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MEMORY_LOG_H
#define SYSTEM_MEMORY_LOG_H

#include "system/ram_block.h"

/* A new block joins what is logged for all of RAM. */
void ram_block_init_log(RamBlock *block);
/* Makes the client's bitmap, unless it is there. */
void ram_block_start_log(RamBlock *block, DirtyClient client);
void ram_block_stop_log(RamBlock *block, DirtyClient client);

/* Sets the bits of `clients` (BIT(DirtyClient)) that have a bitmap. Takes no lock. */
void ram_block_set_dirty(RamBlock *block, uint64_t offset, uint64_t bytes, uint8_t clients);
/*
 * DIRTY_CODE is the accelerator's that translates code: who writes calls it instead of setting
 * bits; a clear bit is a page with code. No lock is held for it, any may be. Set once.
 */
typedef void CodeWrittenFn(RamBlock *block, uint64_t offset, uint64_t bytes);
void ram_block_set_code_hook(CodeWrittenFn *fn);
/* For all clients; what every write to RAM outside a CPU ends with. */
static inline void ram_block_mark_written(RamBlock *block, uint64_t offset, uint64_t bytes)
{
    uint8_t clients = __atomic_load_n(&block->dirty_clients, __ATOMIC_RELAXED);

    if (clients) {
        ram_block_set_dirty(block, offset, bytes, clients);
    }
}

/* Without a bitmap nothing is dirty. */
bool ram_block_is_dirty(RamBlock *block, uint64_t offset, uint64_t bytes, DirtyClient client);
/* Clears the bits, and says whether any was set; listeners hear of it (log_clear). */
bool ram_block_take_dirty(RamBlock *block, uint64_t offset, uint64_t bytes, DirtyClient client);

/* The bits of a range at one moment; they are cleared as it is taken. Free with g_free(). */
typedef struct DirtySnapshot {
    uint64_t first_page;
    uint64_t pages;
    uint64_t bits[];
} DirtySnapshot;
DirtySnapshot *memory_region_take_dirty(MemoryRegion *mr, MemoryWindow window, DirtyClient client);
/* Was any byte of the window (offsets in the region) written? */
bool dirty_snapshot_has(const DirtySnapshot *snapshot, MemoryWindow window);

/* Brings in what listeners know of pages written in `mr` (log_sync); machine lock. */
void memory_region_sync_log(MemoryRegion *mr);
/* All of RAM. */
void memory_sync_log(void);

/* DIRTY_MIGRATION for all of RAM, also what is added later; machine lock. */
bool memory_log_start_global(Error **errp);
void memory_log_stop_global(void);

#endif
