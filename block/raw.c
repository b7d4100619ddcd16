/*
 * raw: an image without a format; or a part of a file. One that only looks raw, for nobody said
 * what it is, must not turn into something else: a guest could write a header into it that names
 * a file of the host. Such writes to its first bytes fail.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/driver.h"
#include "block/raw.h"

typedef struct BlockRaw {
    BlockNode parent;
    uint64_t offset, limit; /* of the file; limit 0: to its end */
    uint64_t next_offset, next_limit; /* while it is opened anew */
    bool is_probed;
} BlockRaw;

void block_raw_set_probed(BlockNode *node)
{
    ((BlockRaw *)node)->is_probed = true;
}

static bool check_part(const BlockNode *node, uint64_t offset, uint64_t limit, Error **errp)
{
    uint64_t file = block_node_bytes(node->file);

    if (limit % BLOCK_SECTOR_BYTES) {
        return error_set(errp, "Specified size is not multiple of %u", BLOCK_SECTOR_BYTES);
    }
    if (offset > file || limit > file - offset) {
        return error_set(errp, "The sum of offset (%" PRIu64 ") and size (%" PRIu64 ") has to be "
                         "smaller or equal to the actual size of the containing file (%" PRIu64
                         ")", offset, limit, file);
    }
    return true;
}

static void set_part(BlockRaw *raw, uint64_t offset, uint64_t limit)
{
    BlockNode *file = raw->parent.file;

    raw->offset = offset;
    raw->limit = limit;
    raw->parent.alignment = offset % file->alignment ? 1 : file->alignment;
    block_node_set_bytes(&raw->parent, limit ? limit : ROUND_UP(block_node_bytes(file) - offset,
                                                                BLOCK_SECTOR_BYTES));
}

static bool raw_open(BlockNode *node, const BlockdevOptions *options, Error **errp)
{
    const BlockdevOptionsRaw *own = &options->u.raw;

    if (!block_node_attach(node, "file", own->file, errp) ||
        !check_part(node, own->offset, own->size, errp)) {
        return false;
    }
    set_part((BlockRaw *)node, own->offset, own->size);
    return true;
}

static bool raw_reopen(BlockNode *node, const BlockdevOptions *options, Error **errp)
{
    BlockRaw *raw = (BlockRaw *)node;

    raw->next_offset = options->u.raw.offset;
    raw->next_limit = options->u.raw.size;
    return check_part(node, raw->next_offset, raw->next_limit, errp);
}

static void raw_reopen_end(BlockNode *node, bool is_done)
{
    BlockRaw *raw = (BlockRaw *)node;

    if (is_done) {
        set_part(raw, raw->next_offset, raw->next_limit);
    }
}

static bool raw_taken(BlockNode *node, Error **errp)
{
    BlockRaw *raw = (BlockRaw *)node;

    if (!check_part(node, raw->offset, raw->limit, errp)) {
        return false;
    }
    set_part(raw, raw->offset, raw->limit);
    return true;
}

/* Would the image look like something else? */
static bool is_masquerade(BlockRaw *raw, const BlockIo *io)
{
    uint8_t head[BLOCK_SECTOR_BYTES];

    if (!raw->is_probed || io->offset >= sizeof(head) || io->op != BLOCK_WRITE) {
        return false;
    }
    if (block_read(raw->parent.file, raw->offset, head, sizeof(head))) {
        return true;
    }
    block_iov_to_buf(io, 0, head + io->offset, MIN(io->bytes, sizeof(head) - io->offset));
    return block_driver_probe(head, sizeof(head), "") != &block_raw;
}

static int raw_io(BlockNode *node, const BlockIo *io)
{
    BlockRaw *raw = (BlockRaw *)node;
    BlockIo shifted = *io;

    if (is_masquerade(raw, io)) {
        return -EPERM;
    }
    shifted.offset += raw->offset;
    if (io->op == BLOCK_READ || io->op == BLOCK_WRITE) {
        block_event(node->file, io->op == BLOCK_READ ? BLKDEBUG_EVENT_READ_AIO :
                                                       BLKDEBUG_EVENT_WRITE_AIO);
    }
    return io->op == BLOCK_FLUSH ? block_flush(node->file) : block_io(node->file, &shifted);
}

static bool raw_submit(BlockNode *node, BlockRequest *request)
{
    BlockRaw *raw = (BlockRaw *)node;

    if (raw->is_probed && request->io.op == BLOCK_WRITE &&
        request->io.offset < BLOCK_SECTOR_BYTES) {
        return false;
    }
    request->io.offset += raw->offset;
    if (block_request_forward(request, node->file, NULL, NULL)) {
        return true;
    }
    request->io.offset -= raw->offset;
    return false;
}

static int raw_extent(BlockNode *node, uint64_t offset, uint64_t bytes, BlockExtent *extent)
{
    uint64_t shift = ((BlockRaw *)node)->offset;
    int err = block_extent(node->file, offset + shift, bytes, extent);

    extent->flags |= BLOCK_EXTENT_ALLOCATED;
    return err;
}

static bool raw_resize(BlockNode *node, uint64_t bytes, BlockPrealloc prealloc, Error **errp)
{
    BlockRaw *raw = (BlockRaw *)node;

    if (raw->limit) {
        return error_set(errp, "Cannot resize fixed-size raw disks");
    }
    if (bytes > BLOCK_MAX_BYTES - raw->offset) {
        return error_set(errp, "Disk size too large for the chosen offset");
    }
    if (!block_node_resize(node->file, bytes + raw->offset, prealloc, errp)) {
        return false;
    }
    set_part(raw, raw->offset, 0);
    return true;
}

static void raw_child_perms(BlockNode *node, const char *role, unsigned *perms, unsigned *shared)
{
    /* What is wanted of it, it wants of the file. */
}

static int64_t raw_host_bytes(BlockNode *node)
{
    return node->file->driver->host_bytes ? node->file->driver->host_bytes(node->file) : -1;
}

static int raw_probe(const uint8_t *head, size_t bytes, const char *filename)
{
    return 1;
}

static const char *const raw_changeable[] = { "offset", "size", NULL };

const BlockDriver block_raw = {
    .name = "raw", .kind = BLOCKDEV_DRIVER_RAW, .size = sizeof(BlockRaw), .probe = raw_probe,
    .open = raw_open, .changeable = raw_changeable, .reopen = raw_reopen,
    .reopen_end = raw_reopen_end, .taken = raw_taken, .io = raw_io, .submit = raw_submit, .extent = raw_extent,
    .resize = raw_resize, .child_perms = raw_child_perms, .host_bytes = raw_host_bytes,
};
