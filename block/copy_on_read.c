/*
 * copy-on-read: a filter that keeps what was read from backing files in the image itself. Writes
 * wait while something is copied: what is copied must not go over them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/driver.h"

#include "block/gate.h"

#define MAX_BYTES (1 * MiB) /* copied at once */

typedef struct CopyOnRead {
    BlockNode parent;
    BlockGate gate;
    char *bottom; /* the lowest node to copy from; NULL: all */
} CopyOnRead;

static bool cor_open(BlockNode *node, const BlockdevOptions *options, Error **errp)
{
    CopyOnRead *cor = (CopyOnRead *)node;
    const BlockdevOptionsCor *own = &options->u.copy_on_read;

    if (own->bottom && !block_node_get(own->bottom, errp)) {
        return false;
    }
    if (!block_filter_open(node, own->file, errp)) {
        return false;
    }
    if (node->file->is_read_only) {
        return error_set(errp, "copy-on-read needs a node that can be written");
    }
    cor->bottom = g_strdup(own->bottom);
    block_gate_init(&cor->gate);
    return true;
}

static void cor_close(BlockNode *node)
{
    CopyOnRead *cor = (CopyOnRead *)node;

    block_gate_clear(&cor->gate);
    g_free(cor->bottom);
}

/* Is there anything behind the image that should come into it? *bytes: for how much it is so. */
static int needs_copy(CopyOnRead *cor, uint64_t offset, uint64_t *bytes, bool *needs)
{
    BlockNode *node = block_node_skip_filters(cor->parent.file);

    *needs = false;
    for (bool is_top = true; node; is_top = false) {
        bool is_bottom = cor->bottom && !strcmp(cor->bottom, node->name);
        BlockExtent extent;
        int err = block_extent(node, offset, *bytes, &extent);

        if (err) {
            return err;
        }
        *bytes = extent.bytes;
        if (extent.flags & BLOCK_EXTENT_ALLOCATED) {
            *needs = !is_top;
            return 0;
        }
        if (is_bottom || extent.flags & BLOCK_EXTENT_END) {
            return 0;
        }
        node = node->backing ? block_node_skip_filters(node->backing) : NULL;
    }
    return 0;
}

static int copy_part(CopyOnRead *cor, const BlockIo *io, uint64_t skip, uint64_t bytes)
{
    BlockIo write = *io;
    int err;

    block_gate_enter_alone(&cor->gate);
    err = block_io_part(cor->parent.file, io, skip, bytes, io->offset + skip);
    write.op = BLOCK_WRITE;
    if (!err) {
        /* The reader has its data: that it could not be kept is no failure of the read. */
        block_event(cor->parent.file, BLKDEBUG_EVENT_COR_WRITE);
        block_io_part(cor->parent.file, &write, skip, bytes, io->offset + skip);
    }
    block_gate_leave_alone(&cor->gate);
    return err;
}

static int read_part(CopyOnRead *cor, const BlockIo *io, uint64_t skip, uint64_t bytes)
{
    int err;

    block_gate_enter(&cor->gate);
    err = block_io_part(cor->parent.file, io, skip, bytes, io->offset + skip);
    block_gate_leave(&cor->gate);
    return err;
}

static int cor_read(CopyOnRead *cor, const BlockIo *io)
{
    int err = 0;

    for (uint64_t done = 0; done < io->bytes && !err;) {
        uint64_t bytes = MIN(io->bytes - done, MAX_BYTES);
        bool needs;

        err = needs_copy(cor, io->offset + done, &bytes, &needs);
        if (!err) {
            err = needs ? copy_part(cor, io, done, bytes) : read_part(cor, io, done, bytes);
        }
        done += bytes;
    }
    return err;
}

static int cor_io(BlockNode *node, const BlockIo *io)
{
    CopyOnRead *cor = (CopyOnRead *)node;
    int err;

    if (io->op == BLOCK_READ) {
        return cor_read(cor, io);
    }
    if (io->op == BLOCK_FLUSH) {
        return block_flush(node->file);
    }
    block_gate_enter(&cor->gate);
    err = block_io(node->file, io);
    block_gate_leave(&cor->gate);
    return err;
}

static void cor_child_perms(BlockNode *node, const char *role, unsigned *perms, unsigned *shared)
{
    *perms |= BLOCK_PERM_READ | BLOCK_PERM_WRITE_UNCHANGED;
}

const BlockDriver block_copy_on_read = {
    .name = "copy-on-read", .kind = BLOCKDEV_DRIVER_COPY_ON_READ, .size = sizeof(CopyOnRead),
    .is_filter = true, .open = cor_open, .close = cor_close, .io = cor_io, .extent = block_filter_extent,
    .resize = block_filter_resize, .child_perms = cor_child_perms,
};
