/*
 * RAM blocks: see system/ram_block.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/ram_block.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <urcu/rculist.h>

#include "system/memory_log.h"
#include "util/host_memory.h"

/* Places in the blocks' own space are multiples of this. */
#define PLACE_BYTES (256 * KiB)

/* All blocks; changed under the machine lock, read by RCU. */
static CDS_LIST_HEAD(blocks);

/* --- a place in the space --- */

/* The start of the smallest gap that fits, or the end of the last block. */
static uint64_t find_place(uint64_t bytes)
{
    uint64_t best = 0, best_gap = UINT64_MAX;
    RamBlock *block, *other;
    bool is_found = false;

    if (cds_list_empty(&blocks)) {
        return 0;
    }
    cds_list_for_each_entry(block, &blocks, link) {
        uint64_t start = ROUND_UP(block->offset + block->max_bytes, PLACE_BYTES);
        uint64_t next = UINT64_MAX;

        cds_list_for_each_entry(other, &blocks, link) {
            if (other->offset >= start) {
                next = MIN(next, other->offset);
            }
        }
        if (next - start >= bytes && next - start < best_gap) {
            best = start;
            best_gap = next - start;
            is_found = true;
        }
    }
    assert(is_found);
    return best;
}

/* --- life --- */

static bool map_host(RamBlock *block, const RamSpec *spec, Error **errp)
{
    HostMemorySpec memory = {
        .bytes = block->max_bytes,
        .align_bytes = spec->align_bytes,
        .fd = block->fd,
        .fd_offset = spec->fd_offset,
        .is_shared = spec->flags & RAM_SHARED,
        .is_read_only = spec->flags & RAM_READ_ONLY_FD && spec->flags & RAM_SHARED,
        .is_unreserved = spec->flags & RAM_NO_RESERVE,
        .is_pmem = spec->flags & RAM_PMEM,
    };
    void *host;
    int error = host_memory_map(&memory, &host);

    if (error) {
        return error_set_errno(errp, error, "cannot set up guest memory '%s'", spec->name);
    }
    block->host = host;
    host_memory_prefer_huge(host, block->max_bytes);
    return true;
}

static bool set_lengths(RamBlock *block, const RamSpec *spec, Error **errp)
{
    uint64_t page = block->page_bytes, max = MAX(spec->bytes, spec->max_bytes);

    if (!spec->bytes || max > INT64_MAX - page) {
        return error_set(errp, "cannot set up guest memory '%s': invalid size %" PRIu64,
                         spec->name, spec->bytes);
    }
    block->used_bytes = ROUND_UP(spec->bytes, page);
    block->max_bytes = ROUND_UP(max, page);
    return true;
}

RamBlock *ram_block_new(MemoryRegion *mr, const RamSpec *spec, Error **errp)
{
    g_autofree RamBlock *block = g_new0(RamBlock, 1);

    block->region = mr;
    block->flags = spec->flags;
    block->fd = spec->has_fd ? spec->fd : -1;
    block->fd_offset = spec->fd_offset;
    block->resized = spec->resized;
    block->page_bytes = host_memory_page_bytes(block->fd);
    if (!set_lengths(block, spec, errp)) {
        return NULL;
    }
    if (spec->host) {
        block->host = spec->host;
        block->is_host_borrowed = true;
    } else if (!map_host(block, spec, errp)) {
        return NULL;
    }
    block->offset = find_place(block->max_bytes);
    ram_block_init_log(block);
    cds_list_add_tail_rcu(&block->link, &blocks);
    return g_steal_pointer(&block);
}

static void reclaim(RcuHead *head)
{
    RamBlock *block = container_of(head, RamBlock, rcu);

    if (!block->is_host_borrowed) {
        host_memory_unmap(block->host, block->max_bytes, block->page_bytes);
    }
    if (block->fd >= 0) {
        close(block->fd);
    }
    for (int i = 0; i < DIRTY_CLIENTS; i++) {
        g_free(block->dirty[i]);
    }
    g_free(block);
}

void ram_block_free(RamBlock *block)
{
    cds_list_del_rcu(&block->link);
    rcu_call(&block->rcu, reclaim);
}

/* --- finding --- */

bool ram_block_each(RamBlockFn *fn, void *opaque)
{
    RamBlock *block;

    RCU_GUARD();
    cds_list_for_each_entry_rcu(block, &blocks, link) {
        if (!fn(opaque, block)) {
            return false;
        }
    }
    return true;
}

RamBlock *ram_block_find(const char *idstr)
{
    RamBlock *block;

    RCU_GUARD();
    cds_list_for_each_entry_rcu(block, &blocks, link) {
        if (!strcmp(block->idstr, idstr)) {
            return block;
        }
    }
    return NULL;
}

RamBlock *ram_block_from_host(const void *host, uint64_t *offset)
{
    RamBlock *block;

    cds_list_for_each_entry_rcu(block, &blocks, link) {
        uint64_t at = (uintptr_t)host - (uintptr_t)block->host;

        if (at < block->max_bytes) {
            *offset = at;
            return block;
        }
    }
    return NULL;
}

/* --- identity --- */

bool ram_block_set_id(RamBlock *block, const char *owner_id, const char *name, Error **errp)
{
    char id[sizeof(block->idstr)];
    int length = owner_id ? snprintf(id, sizeof(id), "%s/%s", owner_id, name)
                          : snprintf(id, sizeof(id), "%s", name);
    RamBlock *other;

    if (length >= (int)sizeof(id)) {
        return error_set(errp, "RAM block name '%s' is too long", name);
    }
    other = ram_block_find(id);
    if (other && other != block) {
        return error_set(errp, "RAM block '%s' is already registered", id);
    }
    memcpy(block->idstr, id, length + 1);
    return true;
}

void ram_block_clear_id(RamBlock *block)
{
    block->idstr[0] = 0;
}

void ram_block_set_migratable(RamBlock *block, bool is_migratable)
{
    block->is_migratable = is_migratable;
}

/* --- lengths and contents --- */

bool ram_block_resize(RamBlock *block, uint64_t bytes, Error **errp)
{
    uint64_t used = ROUND_UP(bytes, block->page_bytes);

    if (block->used_bytes == used) {
        return true;
    }
    if (!(block->flags & RAM_RESIZABLE)) {
        return error_set(errp, "Size mismatch: %s: 0x%" PRIx64 " != 0x%" PRIx64, block->idstr,
                         bytes, block->used_bytes);
    }
    if (!bytes || bytes > block->max_bytes) {
        return error_set(errp, "Size too large: %s: 0x%" PRIx64 " > 0x%" PRIx64, block->idstr,
                         bytes, block->max_bytes);
    }
    block->used_bytes = used;
    ram_block_mark_written(block, 0, used);
    memory_region_set_size(block->region, used);
    if (block->resized) {
        block->resized(block->region, used);
    }
    return true;
}

static bool check_pages(const RamBlock *block, uint64_t offset, uint64_t bytes, Error **errp)
{
    if (!IS_ALIGNED(offset, block->page_bytes) || !IS_ALIGNED(bytes, block->page_bytes)) {
        return error_set(errp, "RAM block '%s': range 0x%" PRIx64 "+0x%" PRIx64
                         " is not made of whole pages", block->idstr, offset, bytes);
    }
    if (bytes > block->max_bytes || offset > block->max_bytes - bytes) {
        return error_set(errp, "RAM block '%s': range 0x%" PRIx64 "+0x%" PRIx64
                         " is outside", block->idstr, offset, bytes);
    }
    return true;
}

bool ram_block_discard(RamBlock *block, uint64_t offset, uint64_t bytes, Error **errp)
{
    bool is_shared = block->flags & RAM_SHARED;
    int error = 0;

    if (!check_pages(block, offset, bytes, errp)) {
        return false;
    }
    if (block->fd >= 0 && fallocate(block->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                    block->fd_offset + offset, bytes) < 0) {
        error = errno;
    }
    if (!error && (block->fd < 0 || !is_shared) &&
        madvise(block->host + offset, bytes,
                is_shared && block->fd < 0 ? MADV_REMOVE : MADV_DONTNEED) < 0) {
        error = errno;
    }
    return !error || error_set_errno(errp, error, "RAM block '%s': cannot discard pages",
                                     block->idstr);
}

bool ram_block_drop(RamBlock *block, uint64_t offset, uint64_t bytes, Error **errp)
{
    if (block->fd < 0 || block->flags & RAM_SHARED) {
        return ram_block_discard(block, offset, bytes, errp);
    }
    return check_pages(block, offset, bytes, errp) &&
           (madvise(block->host + offset, bytes, MADV_DONTNEED) == 0 ||
            error_set_errno(errp, errno, "RAM block '%s': cannot drop pages", block->idstr));
}

bool ram_block_sync(RamBlock *block, uint64_t offset, uint64_t bytes, Error **errp)
{
    uint64_t start = ROUND_DOWN(offset, block->page_bytes);

    if (bytes > block->max_bytes || offset > block->max_bytes - bytes) {
        return error_set(errp, "RAM block '%s': range 0x%" PRIx64 "+0x%" PRIx64
                         " is outside", block->idstr, offset, bytes);
    }
    if (block->fd < 0 || !(block->flags & RAM_SHARED)) {
        return true;
    }
    return msync(block->host + start, offset + bytes - start, MS_SYNC) == 0 ||
           error_set_errno(errp, errno, "RAM block '%s': cannot sync", block->idstr);
}
