/*
 * Host memory for guests: mapped from nothing or from a file, aligned, placed on host nodes,
 * faulted in ahead. What can fail returns 0 or an errno.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_HOST_MEMORY_H
#define UTIL_HOST_MEMORY_H

typedef struct HostMemorySpec {
    size_t bytes;       /* a multiple of the page size */
    size_t align_bytes; /* of the address, a power of two; 0: what suits the page size */
    int fd;             /* -1: anonymous */
    uint64_t fd_offset; /* a multiple of the page size */
    bool is_shared;     /* writes reach the file, or other processes */
    bool is_read_only;
    bool is_unreserved; /* no swap space or huge pages are set aside */
    bool is_pmem;       /* with is_shared: writes are durable once flushed, if the file can (DAX) */
} HostMemorySpec;

/* Maps it, with an inaccessible page behind. */
int host_memory_map(const HostMemorySpec *spec, void **host);
void host_memory_unmap(void *host, size_t bytes, size_t page_bytes);

/* The host's page size; of a file on hugetlbfs, the huge page's. */
size_t host_page_bytes(void);
size_t host_memory_page_bytes(int fd);

#endif
