/*
 * Mapping host memory: see util/host_memory.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/host_memory.h"

#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>

/* Transparent huge pages need this alignment. */
#define THP_BYTES (2 * MiB)

size_t host_page_bytes(void)
{
    static size_t bytes;

    if (!bytes) {
        bytes = sysconf(_SC_PAGESIZE);
    }
    return bytes;
}

size_t host_memory_page_bytes(int fd)
{
    struct statfs fs;

    while (fd >= 0 && fstatfs(fd, &fs) < 0) {
        if (errno != EINTR) {
            return host_page_bytes();
        }
    }
    return fd >= 0 && fs.f_type == HUGETLBFS_MAGIC ? (size_t)fs.f_bsize : host_page_bytes();
}

static size_t default_align(const HostMemorySpec *spec, size_t page_bytes)
{
    return spec->bytes >= THP_BYTES ? MAX(page_bytes, THP_BYTES) : page_bytes;
}

static int map_fixed(const HostMemorySpec *spec, void *at)
{
    int protection = PROT_READ | (spec->is_read_only ? 0 : PROT_WRITE);
    int flags = MAP_FIXED | (spec->is_shared ? MAP_SHARED : MAP_PRIVATE) |
                (spec->fd < 0 ? MAP_ANONYMOUS : 0) | (spec->is_unreserved ? MAP_NORESERVE : 0);

    if (spec->is_pmem && spec->is_shared) {
        int durable = (flags & ~MAP_SHARED) | MAP_SHARED_VALIDATE | MAP_SYNC;

        if (mmap(at, spec->bytes, protection, durable, spec->fd, spec->fd_offset) != MAP_FAILED) {
            return 0;
        }
        /* Not on such a medium: msync is what makes it durable. */
    }
    return mmap(at, spec->bytes, protection, flags, spec->fd, spec->fd_offset) == MAP_FAILED
               ? errno : 0;
}

int host_memory_map(const HostMemorySpec *spec, void **host)
{
    size_t page_bytes = host_memory_page_bytes(spec->fd);
    size_t align = spec->align_bytes ? MAX(spec->align_bytes, page_bytes)
                                     : default_align(spec, page_bytes);
    size_t total;
    uint8_t *base, *start;
    int error;

    if (!spec->bytes || !IS_ALIGNED(spec->bytes, page_bytes) || (align & (align - 1)) ||
        __builtin_add_overflow(spec->bytes, align + page_bytes, &total)) {
        return EINVAL;
    }
    base = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        return errno;
    }
    start = (uint8_t *)ROUND_UP((uintptr_t)base, align);
    error = map_fixed(spec, start);
    if (error) {
        munmap(base, total);
        return error;
    }
    if (start > base) {
        munmap(base, start - base);
    }
    munmap(start + spec->bytes + page_bytes,
           base + total - (start + spec->bytes + page_bytes));
    *host = start;
    return 0;
}

void host_memory_unmap(void *host, size_t bytes, size_t page_bytes)
{
    munmap(host, bytes + page_bytes);
}
