/*
 * What images have in front of others goes into those behind them: all at once, while nothing else
 * is under way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/backend.h"

#include "block/block_drive.h"

#define CHUNK_BYTES (2 * MiB)

/* --- of any images --- */

/* The uppermost of the levels that has `at`, for *bytes; *node NULL: none. */
static int find_level(const BlockCommit *commit, uint64_t at, uint64_t *bytes, BlockNode **node)
{
    *node = NULL;
    for (size_t i = 0; i < commit->count; i++) {
        BlockNode *level = commit->levels[i];
        uint64_t end = block_node_bytes(level);
        BlockExtent extent;
        int err;

        if (at >= end) {
            return 0; /* it ends here: below there is nothing to be seen */
        }
        err = block_extent(level, at, MIN(*bytes, end - at), &extent);
        if (err) {
            return err;
        }
        *bytes = extent.bytes;
        if (extent.flags & BLOCK_EXTENT_ALLOCATED) {
            *node = level;
            return 0;
        }
    }
    return 0;
}

int block_commit(const BlockCommit *commit)
{
    uint64_t end = block_node_bytes(commit->levels[0]), bytes, copied = 0;
    g_autofree uint8_t *buf = g_malloc(CHUNK_BYTES);
    int err = 0;

    for (uint64_t at = 0; at < end && !err; at += bytes) {
        BlockNode *node;

        bytes = MIN(end - at, CHUNK_BYTES);
        err = find_level(commit, at, &bytes, &node);
        if (!err && node) {
            err = block_read(node, at, buf, bytes);
            err = err ? err : block_write(commit->base, at, buf, bytes);
            copied += bytes;
        }
        if (commit->progress) {
            commit->progress(commit->opaque, at + bytes, end, copied);
        }
    }
    return err ? err : block_flush(commit->base);
}

/* --- of drives --- */

static bool report(const char *name, int err, Error **errp)
{
    return !err || error_set(errp, "'commit' error for '%s': %s", name, g_strerror(-err));
}

static bool move(BlockNode *node, BlockNode *base, const char *name, Error **errp)
{
    uint64_t bytes = block_node_bytes(node);
    BlockCommit commit = { .levels = &node, .count = 1, .base = base };
    int err;

    if (block_node_bytes(base) < bytes &&
        !block_node_resize(base, bytes, BLOCK_PREALLOC_OFF, errp)) {
        return false;
    }
    err = block_commit(&commit);
    err = err ? err : block_image_empty(node);
    err = err == -ENOTSUP ? 0 : err; /* it has the same as what is behind it */
    return report(name, err ? err : block_flush(node), errp);
}

/* The node lets another write to what is behind it. */
static bool commit_writable(BlockNode *node, BlockNode *base, const char *name, Error **errp)
{
    unsigned perms = BLOCK_PERM_READ | BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE;
    BlockLink *link;
    bool is_done;

    node->is_committing = true;
    link = block_node_refresh_perms(node, errp) ?
               block_link_new(block_node_ref(base), "commit", perms, BLOCK_PERM_ALL, errp) : NULL;
    is_done = link && move(node, base, name, errp);
    block_link_free(link);
    node->is_committing = false;
    block_node_refresh_perms(node, NULL); /* less is always permitted */
    return is_done;
}

static bool commit_drive(BlockBackend *drive, const char *name, Error **errp)
{
    BlockNode *node = block_backend_node(drive), *base;
    bool was_read_only, is_done;

    if (!node) {
        return error_set(errp, "Device '%s' has no medium", name);
    }
    node = block_node_skip_filters(node);
    base = node->backing ? block_node_skip_filters(node->backing) : NULL;
    if (!base || node->is_read_only) {
        return report(name, base ? -EACCES : -ENOTSUP, errp);
    }
    was_read_only = base->is_read_only;
    if (!block_images_check_ours(node, errp) ||
        (was_read_only && !block_node_set_read_only(base, false, errp))) {
        return false;
    }
    is_done = commit_writable(node, base, name, errp);
    return (!was_read_only || block_node_set_read_only(base, true, is_done ? errp : NULL)) &&
           is_done;
}

/* Those that have something behind them. */
static void commit_if_any(void *opaque, BlockBackend *drive)
{
    BlockNode *node = block_backend_node(drive);
    Error **err = opaque;

    if (!*err && node && block_node_skip_filters(node)->backing) {
        commit_drive(drive, "all", err);
    }
}

bool block_drive_commit(const char *name, Error **errp)
{
    BlockBackend *drive = block_backend_find(name);
    bool is_all = !strcmp(name, "all");
    Error *err = NULL;

    if (!is_all && !drive) {
        return error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", name);
    }
    block_begin_quiet_all();
    if (is_all) {
        block_backend_each(commit_if_any, &err);
    } else {
        commit_drive(drive, name, &err);
    }
    block_end_quiet_all();
    return error_propagate(errp, err);
}
