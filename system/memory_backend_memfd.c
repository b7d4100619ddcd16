/*
 * memory-backend-memfd: memory that other processes can be given a descriptor of.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_backend.h"

#include "system/ram_block.h"

typedef struct MemoryBackendMemfd {
    MemoryBackend parent;
    bool is_huge, is_sealed;
    uint64_t huge_bytes;
} MemoryBackendMemfd;
DECLARE_CAST(MemoryBackendMemfd, MEMORY_BACKEND_MEMFD)

static uint64_t page_bytes(const MemoryBackendMemfd *m)
{
    if (!m->is_huge) {
        return 0;
    }
    return m->huge_bytes ? m->huge_bytes : HOST_HUGE_DEFAULT;
}

static bool memfd_fill_spec(MemoryBackend *backend, RamSpec *spec, Error **errp)
{
    MemoryBackendMemfd *m = MEMORY_BACKEND_MEMFD(backend);
    g_autofree char *name = g_strdup_printf("memory-backend-memfd:%s", backend->parent.name);
    uint64_t unit = m->is_huge && m->huge_bytes ? m->huge_bytes : host_page_bytes();
    uint64_t bytes;

    if (m->is_huge && m->huge_bytes & (m->huge_bytes - 1)) {
        return error_set(errp, "Hugepage size must be a power of 2");
    }
    if (backend->size_bytes > INT64_MAX - unit) {
        return error_set(errp, "%s: 'size' %" PRIu64 " is too large", backend->parent.name,
                         backend->size_bytes);
    }
    bytes = ROUND_UP(backend->size_bytes, unit);
    /* Names longer than the kernel takes are cut. */
    name[MIN(strlen(name), 200)] = 0;
    spec->fd = host_memory_open_memfd(name, bytes, page_bytes(m), m->is_sealed);
    if (spec->fd < 0) {
        return error_set_errno(errp, errno, "%s: cannot make a memory file of %" PRIu64 " bytes",
                               backend->parent.name, bytes);
    }
    spec->has_fd = true;
    return true;
}

static const Property memfd_props[] = {
    PROP_BOOL("hugetlb", MemoryBackendMemfd, is_huge, .doc = "Use huge pages"),
    PROP_SIZE("hugetlbsize", MemoryBackendMemfd, huge_bytes, .min = 1, .max = UINT64_MAX,
              .has_no_default = true, .doc = "Huge pages size (ex: 2M, 1G)"),
    PROP_BOOL("seal", MemoryBackendMemfd, is_sealed, .initial = true,
              .doc = "Seal growing & shrinking"),
    PROP_BOOL("share", MemoryBackendMemfd, parent.is_shared, .initial = true,
              .doc = "Mark the memory as private to QEMU or shared"),
};

static const MemoryBackendType memory_backend_memfd_type = {
    .name = "memory-backend-memfd",
    .doc = "Host memory in a file without a name",
    .parent = TYPE_MEMORY_BACKEND,
    .size = sizeof(MemoryBackendMemfd),
    .properties = PROPERTIES(memfd_props),
    .fill_spec = memfd_fill_spec,
};
OBJECT_TYPE(memory_backend_memfd_type)
