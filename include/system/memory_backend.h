/*
 * Memory back ends: objects that hold host memory for guests (memory-backend-ram, -file, -memfd).
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MEMORY_BACKEND_H
#define SYSTEM_MEMORY_BACKEND_H

#include "qom/object.h"
#include "system/memory.h"
#include "util/host_memory.h"

#define TYPE_MEMORY_BACKEND "memory-backend"
#define TYPE_THREAD_CONTEXT "thread-context"

typedef struct MemoryBackend {
    Object parent;
    uint64_t size_bytes;
    bool is_shared, is_preallocated, is_merged, is_dumped, is_reserved, has_canonical_id;
    uint32_t prealloc_threads;
    Object *prealloc_context;
    HostPolicy policy;
    uint64_t host_nodes[HOST_NODES / 64]; /* bit per node */
    bool is_complete;
    bool is_mapped;     /* a machine or a device uses it: it stays */
    MemoryRegion region;
} MemoryBackend;

/* What a kind of back end declares. */
typedef struct MemoryBackendType {
    struct ObjectType;
    /* Where the memory comes from: sets flags, fd, alignment. What it opened goes with the spec. */
    bool (*fill_spec)(MemoryBackend *backend, RamSpec *spec, Error **errp);
} MemoryBackendType;

DECLARE_CAST(MemoryBackend, MEMORY_BACKEND)

/* Its RAM; borrowed. */
MemoryRegion *memory_backend_region(MemoryBackend *backend);
/* Claims it for one user; fails if it has one. `user` is named in the error. */
bool memory_backend_claim(MemoryBackend *backend, Error **errp);
void memory_backend_release(MemoryBackend *backend);
uint64_t memory_backend_page_bytes(const MemoryBackend *backend);

/* "info memdev". */
void memory_backend_print_all(GString *out);

/* A thread made by the context's own, which gives it the context's affinity. */
GThread *thread_context_start(Object *context, GThreadFunc run, void *opaque, char **why);

#endif
