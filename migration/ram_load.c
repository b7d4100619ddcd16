/*
 * Guest memory out of a stream.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/ram.h"
#include "system/memory_log.h"

#define PAGE_BYTES DIRTY_PAGE_BYTES

/* What the stream's blocks are here; one stream is loaded at a time. Machine lock. */
static GArray *loading; /* of RamPart */

static char *get_id(VMReader *r, Error **errp)
{
    uint64_t size;
    const uint8_t *text = vm_get(r, &size, 1, errp) ? vm_get_bytes(r, size, errp) : NULL;

    return text ? g_strndup((const char *)text, size) : NULL;
}

static bool match_size(RamPart *part, uint64_t bytes, Error **errp)
{
    RamBlock *block = part->block;

    if (bytes != part->bytes && block->flags & RAM_RESIZABLE && bytes <= block->max_bytes) {
        if (!ram_block_resize(block, bytes, errp)) {
            return false;
        }
        part->bytes = block->used_bytes;
    }
    return bytes == part->bytes ||
           error_set(errp, "block '%s' has %" PRIu64 " bytes in the stream, %" PRIu64 " here",
                     block->idstr, bytes, part->bytes);
}

static RamPart *find_here(GArray *here, const char *id)
{
    for (guint i = 0; i < here->len; i++) {
        RamPart *part = &g_array_index(here, RamPart, i);

        if (part->block && !strcmp(part->block->idstr, id)) {
            return part;
        }
    }
    return NULL;
}

/* Moves the block that the stream names from `here` to `loading`. */
static bool load_block(GArray *here, VMReader *r, Error **errp)
{
    g_autofree char *id = get_id(r, errp);
    uint64_t bytes, is_left_out;
    RamPart *part;

    if (!id || !vm_get(r, &bytes, 8, errp) || !vm_get(r, &is_left_out, 1, errp)) {
        return false;
    }
    part = find_here(here, id);
    if (!part) {
        g_autofree char *shown = g_strescape(id, NULL);

        return error_set(errp, "block '%s' is not in this machine", shown);
    }
    if (is_left_out != part->is_left_out) {
        return error_set(errp, "block '%s' is shared on one side only", part->block->idstr);
    }
    if (!match_size(part, bytes, errp)) {
        return false;
    }
    g_array_append_val(loading, *part);
    part->block = NULL;
    return true;
}

static bool check_all_named(GArray *here, Error **errp)
{
    for (guint i = 0; i < here->len; i++) {
        const RamPart *part = &g_array_index(here, RamPart, i);

        if (part->block) {
            return error_set(errp, "block '%s' is missing in the stream", part->block->idstr);
        }
    }
    return true;
}

bool ram_load_setup(void *opaque, VMReader *r, Error **errp)
{
    g_autoptr(GArray) here = ram_parts();
    uint64_t count;

    g_clear_pointer(&loading, g_array_unref);
    loading = g_array_new(FALSE, FALSE, sizeof(RamPart));
    if (!vm_get(r, &count, 4, errp)) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (!load_block(here, r, errp)) {
            return false;
        }
    }
    return check_all_named(here, errp);
}

/* --- runs --- */

typedef struct Run {
    uint64_t kind, part, offset, bytes;
} Run;

static bool read_run(VMReader *r, Run *run, Error **errp)
{
    if (!vm_get(r, &run->kind, 1, errp) || !vm_get(r, &run->part, 4, errp) ||
        !vm_get(r, &run->offset, 8, errp) || !vm_get(r, &run->bytes, 8, errp)) {
        return false;
    }
    if (run->kind != RAM_RUN_DATA && run->kind != RAM_RUN_ZERO) {
        return error_set(errp, "unknown kind of run %" PRIu64, run->kind);
    }
    return run->part < loading->len ||
           error_set(errp, "block %" PRIu64 " of %u", run->part, loading->len);
}

static bool check_run(const Run *run, const RamPart *part, Error **errp)
{
    return (run->offset <= part->bytes && run->bytes <= part->bytes - run->offset &&
            IS_ALIGNED(run->offset, PAGE_BYTES) && IS_ALIGNED(run->bytes, PAGE_BYTES) &&
            !part->is_left_out) ||
           error_set(errp, "block '%s': %" PRIu64 " bytes at %" PRIu64 " of %" PRIu64,
                     part->block->idstr, run->bytes, run->offset, part->bytes);
}

/* Memory that is zero already stays untouched: it may not even be there yet. */
static void load_zeros(uint8_t *host, uint64_t bytes)
{
    for (uint64_t at = 0; at < bytes; at += PAGE_BYTES) {
        if (!ram_page_is_zero(host + at)) {
            memset(host + at, 0, PAGE_BYTES);
        }
    }
}

static bool load_read_only(const RamPart *part, const Run *run, const uint8_t *data, Error **errp)
{
    const uint8_t *host = ram_block_host(part->block) + run->offset;
    bool is_same = data && !memcmp(host, data, run->bytes);

    for (uint64_t at = 0; !data && at < run->bytes; at += PAGE_BYTES) {
        is_same = ram_page_is_zero(host + at);
        if (!is_same) {
            break;
        }
    }
    return is_same || !run->bytes ||
           error_set(errp, "block '%s' is read-only here and differs", part->block->idstr);
}

static bool load_run(VMReader *r, Error **errp)
{
    const uint8_t *data = NULL;
    const RamPart *part;
    uint8_t *host;
    Run run;

    if (!read_run(r, &run, errp)) {
        return false;
    }
    part = &g_array_index(loading, RamPart, run.part);
    if (!check_run(&run, part, errp)) {
        return false;
    }
    if (run.kind == RAM_RUN_DATA && !(data = vm_get_bytes(r, run.bytes, errp))) {
        return false;
    }
    if (part->block->flags & RAM_READ_ONLY_FD && part->block->flags & RAM_SHARED) {
        return load_read_only(part, &run, data, errp);
    }
    host = ram_block_host(part->block) + run.offset;
    if (data) {
        memcpy(host, data, run.bytes);
    } else {
        load_zeros(host, run.bytes);
    }
    ram_block_mark_written(part->block, run.offset, run.bytes);
    return true;
}

bool ram_load(void *opaque, VMReader *r, Error **errp)
{
    while (vm_left(r)) {
        if (!load_run(r, errp)) {
            return false;
        }
    }
    return true;
}

bool ram_load_done(void *opaque, Error **errp)
{
    g_clear_pointer(&loading, g_array_unref);
    return true;
}
