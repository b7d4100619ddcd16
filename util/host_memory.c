/*
 * Mapping host memory: see util/host_memory.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/host_memory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

/* --- files --- */

static int open_in_directory(const char *path, bool *is_new)
{
    g_autofree char *name = NULL;
    int fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        name = g_build_filename(path, "guest-memory.XXXXXX", NULL);
        fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0) {
            unlink(name);
        }
    }
    *is_new = fd >= 0;
    return fd;
}

int host_memory_open_file(const char *path, bool is_read_only, bool *is_new)
{
    bool ignored;
    int fd;

    is_new = is_new ? is_new : &ignored;
    *is_new = false;
    for (;;) {
        fd = open(path, (is_read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
        if (fd >= 0 || (errno != ENOENT && errno != EISDIR)) {
            break;
        }
        if (errno == EISDIR) {
            return open_in_directory(path, is_new);
        }
        if (is_read_only) {
            break;
        }
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd >= 0 || errno != EEXIST) {
            *is_new = fd >= 0;
            break;
        }
    }
    return fd;
}

static unsigned huge_flags(uint64_t huge_bytes)
{
    if (!huge_bytes) {
        return 0;
    }
    return MFD_HUGETLB | (huge_bytes == HOST_HUGE_DEFAULT
                              ? 0 : (unsigned)__builtin_ctzll(huge_bytes) << MFD_HUGE_SHIFT);
}

int host_memory_open_memfd(const char *name, uint64_t bytes, uint64_t huge_bytes, bool is_sealed)
{
    unsigned flags = MFD_CLOEXEC | (is_sealed ? MFD_ALLOW_SEALING : 0) | huge_flags(huge_bytes);
    int fd = memfd_create(name, flags), error;

    if (fd < 0) {
        return -1;
    }
    if (ftruncate(fd, bytes) == 0 &&
        (!is_sealed || fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0)) {
        return fd;
    }
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* --- where pages come from --- */

int host_memory_bind(void *host, size_t bytes, HostPolicy policy, const uint64_t *nodes)
{
    static const int modes[] = { MPOL_DEFAULT, MPOL_PREFERRED, MPOL_BIND, MPOL_INTERLEAVE };
    unsigned long max_node = 0;

    for (unsigned node = 0; node < HOST_NODES; node++) {
        if (nodes[node / 64] >> node % 64 & 1) {
            max_node = node + 1;
        }
    }
    /* The kernel ignores the last bit it is told of. */
    if (syscall(SYS_mbind, host, bytes, modes[policy], max_node ? nodes : NULL,
                max_node ? max_node + 1 : 0, MPOL_MF_STRICT | MPOL_MF_MOVE) == 0) {
        return 0;
    }
    return errno == ENOSYS && policy == HOST_POLICY_DEFAULT ? 0 : errno;
}

void host_memory_set_mergeable(void *host, size_t bytes, bool is_on)
{
    madvise(host, bytes, is_on ? MADV_MERGEABLE : MADV_UNMERGEABLE);
}

void host_memory_set_dumped(void *host, size_t bytes, bool is_on)
{
    madvise(host, bytes, is_on ? MADV_DODUMP : MADV_DONTDUMP);
}

void host_memory_prefer_huge(void *host, size_t bytes)
{
    if (bytes >= THP_BYTES) {
        madvise(host, bytes, MADV_HUGEPAGE);
    }
}
