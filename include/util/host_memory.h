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

/*
 * Opens what memory is mapped from; the fd, or -1 with errno set. `path` may be a directory: a file
 * in it that has no name (any more). A file that is not there is made, *is_new says so (it may be
 * NULL).
 */
int host_memory_open_file(const char *path, bool is_read_only, bool *is_new);
/* A file without a name, `bytes` long. `huge_bytes`: 0, or the size of huge pages. Sealed: its
 * length stays. */
int host_memory_open_memfd(const char *name, uint64_t bytes, uint64_t huge_bytes, bool is_sealed);
#define HOST_HUGE_DEFAULT 1 /* huge_bytes: whatever size the host prefers */

/* Where pages come from; the values are the kernel's. */
typedef enum HostPolicy {
    HOST_POLICY_DEFAULT,
    HOST_POLICY_PREFERRED,
    HOST_POLICY_BIND,
    HOST_POLICY_INTERLEAVE,
} HostPolicy;
#define HOST_NODES 128 /* bits in a set of nodes */
int host_memory_bind(void *host, size_t bytes, HostPolicy policy, const uint64_t *nodes);

/* Faults every page in, for writing, by `threads` at once. */
typedef struct HostPrealloc {
    uint8_t *host;
    size_t bytes, page_bytes;
    unsigned threads;
    /* Starts a thread as thread_new(); NULL: with that. */
    GThread *(*start)(void *opaque, GThreadFunc run, void *run_opaque, char **why);
    void *opaque;
} HostPrealloc;
int host_memory_prealloc(const HostPrealloc *prealloc);

/* Hints: what the host cannot do is no error. */
void host_memory_set_mergeable(void *host, size_t bytes, bool is_on);
void host_memory_set_dumped(void *host, size_t bytes, bool is_on);
void host_memory_prefer_huge(void *host, size_t bytes);
/* All of it will be written soon: in one go that costs less. */
void host_memory_populate(void *host, size_t bytes);

/* The host's page size; of a file on hugetlbfs, the huge page's. */
size_t host_page_bytes(void);
size_t host_memory_page_bytes(int fd);

#endif
