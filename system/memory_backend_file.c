/*
 * memory-backend-file: memory that is a file's contents.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_backend.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "system/ram_block.h"

typedef struct MemoryBackendFile {
    MemoryBackend parent;
    char *path;
    uint64_t align_bytes, offset_bytes;
    bool is_pmem, is_read_only, is_discarded;
    OnOffAutoValue is_rom;
} MemoryBackendFile;
DECLARE_CAST(MemoryBackendFile, MEMORY_BACKEND_FILE)

static bool check_rom(const MemoryBackendFile *f, Error **errp)
{
    if (f->is_rom == ON_OFF_AUTO_VALUE_ON && !f->is_read_only) {
        return error_set(errp, "property 'rom' = 'on' is not supported with 'readonly' = 'off'");
    }
    if (f->is_rom == ON_OFF_AUTO_VALUE_OFF && f->is_read_only && f->parent.is_shared) {
        return error_set(errp, "property 'rom' = 'off' is incompatible with 'readonly' = 'on' "
                         "and 'share' = 'on'");
    }
    return true;
}

static bool check_align(const MemoryBackendFile *f, uint64_t page, Error **errp)
{
    if (f->align_bytes % page) {
        return error_set(errp, "alignment 0x%" PRIx64 " must be multiples of page size 0x%"
                         PRIx64, f->align_bytes, page);
    }
    if (f->align_bytes & (f->align_bytes - 1)) {
        return error_set(errp, "alignment 0x%" PRIx64 " must be a power of two", f->align_bytes);
    }
    if (f->offset_bytes % page) {
        return error_set(errp, "offset 0x%" PRIx64 " must be multiples of page size 0x%" PRIx64,
                         f->offset_bytes, page);
    }
    return true;
}

/* A file keeps what it holds: an empty one gets its length, any other must be long enough. */
static bool set_length(const MemoryBackendFile *f, int fd, uint64_t page, Error **errp)
{
    uint64_t need = f->parent.size_bytes;
    struct stat st;

    if (need > INT64_MAX - page || f->offset_bytes > INT64_MAX - page - need) {
        return error_set(errp, "%s: 'size' 0x%" PRIx64 " at 'offset' 0x%" PRIx64 " is too large",
                         f->parent.parent.name, need, f->offset_bytes);
    }
    if (fstat(fd, &st) < 0) {
        return error_set_errno(errp, errno, "can't stat backing store %s", f->path);
    }
    if (!S_ISREG(st.st_mode)) {
        return true; /* a device has the length it has */
    }
    if (st.st_size) {
        return (uint64_t)st.st_size >= f->offset_bytes + need ||
               error_set(errp, "backing store size 0x%" PRIx64 " does not match 'size' option 0x%"
                         PRIx64, (uint64_t)st.st_size, need);
    }
    if (f->is_read_only) {
        return error_set(errp, "backing store %s is empty and read-only", f->path);
    }
    return ftruncate(fd, f->offset_bytes + ROUND_UP(need, page)) == 0 ||
           error_set_errno(errp, errno, "can't set the length of backing store %s", f->path);
}

static bool prepare(const MemoryBackendFile *f, int fd, Error **errp)
{
    uint64_t page = host_memory_page_bytes(fd);

    return check_align(f, page, errp) && set_length(f, fd, page, errp);
}

static bool file_fill_spec(MemoryBackend *backend, RamSpec *spec, Error **errp)
{
    MemoryBackendFile *f = MEMORY_BACKEND_FILE(backend);
    bool is_new;
    int fd;

    if (!check_rom(f, errp)) {
        return false;
    }
    fd = host_memory_open_file(f->path, f->is_read_only, &is_new);
    if (fd < 0) {
        return error_set_errno(errp, errno, "can't open backing store %s for guest RAM", f->path);
    }
    if (!prepare(f, fd, errp)) {
        struct stat st;

        if (is_new && stat(f->path, &st) == 0 && S_ISREG(st.st_mode)) {
            unlink(f->path);
        }
        close(fd);
        return false;
    }
    spec->fd = fd;
    spec->has_fd = true;
    spec->fd_offset = f->offset_bytes;
    spec->align_bytes = f->align_bytes;
    spec->flags |= (f->is_pmem ? RAM_PMEM : 0) | (f->is_read_only ? RAM_READ_ONLY_FD : 0);
    if (f->is_read_only && f->is_rom != ON_OFF_AUTO_VALUE_OFF) {
        spec->flags |= RAM_READ_ONLY;
    }
    return true;
}

static void file_finalize(Object *obj)
{
    MemoryBackendFile *f = MEMORY_BACKEND_FILE(obj);

    if (f->is_discarded && f->parent.is_complete && !f->is_read_only) {
        RamBlock *ram = f->parent.region.ram;

        madvise(ram_block_host(ram), ram->max_bytes, MADV_REMOVE);
    }
}

static const Property file_props[] = {
    PROP_SIZE("align", MemoryBackendFile, align_bytes, .doc = "Alignment of the mapping"),
    PROP_BOOL("discard-data", MemoryBackendFile, is_discarded, .is_live = true,
              .doc = "Throw the contents away at the end"),
    PROP_STR("mem-path", MemoryBackendFile, path, .is_required = true,
             .doc = "File, or directory for a file without a name"),
    PROP_SIZE("offset", MemoryBackendFile, offset_bytes, .doc = "Where in the file to begin"),
    PROP_BOOL("pmem", MemoryBackendFile, is_pmem, .doc = "The file is persistent memory"),
    PROP_BOOL("readonly", MemoryBackendFile, is_read_only, .doc = "Open the file for reading"),
    PROP_ON_OFF_AUTO("rom", MemoryBackendFile, is_rom,
                     .doc = "The guest cannot write it (auto: as 'readonly')"),
};

static const MemoryBackendType memory_backend_file_type = {
    .name = "memory-backend-file",
    .doc = "Host memory in a file",
    .parent = TYPE_MEMORY_BACKEND,
    .size = sizeof(MemoryBackendFile),
    .properties = PROPERTIES(file_props),
    .finalize = file_finalize,
    .fill_spec = file_fill_spec,
};
OBJECT_TYPE(memory_backend_file_type)
