/*
 * null-co and null-aio: nodes without data, for measuring what is above them. What is read is
 * whatever was in the buffer, unless "read-zeroes" says otherwise. The second ends its requests
 * later, as a disk does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/driver.h"

#define DEFAULT_BYTES GiB

typedef struct BlockNull {
    BlockNode parent;
    uint64_t latency_ns;
    bool reads_zeroes;
} BlockNull;

static bool null_open(BlockNode *node, const BlockdevOptions *options, Error **errp)
{
    BlockNull *null = (BlockNull *)node;
    const BlockdevOptionsNull *own = node->driver == &block_null_co ? &options->u.null_co :
                                                                     &options->u.null_aio;

    if (own->has_size && own->size > BLOCK_MAX_BYTES) {
        return error_set(errp, "%s: 'size' is too large", node->driver->name);
    }
    node->bytes = own->has_size ? own->size : DEFAULT_BYTES;
    null->latency_ns = own->latency_ns;
    null->reads_zeroes = own->read_zeroes;
    node->filename = g_strdup_printf("%s://", node->driver->name);
    return true;
}

static int null_io(BlockNode *node, const BlockIo *io)
{
    BlockNull *null = (BlockNull *)node;

    if (null->latency_ns) {
        g_usleep(null->latency_ns / NS_PER_US);
    }
    if (io->op == BLOCK_READ && null->reads_zeroes) {
        block_iov_zero(io, 0, io->bytes);
    }
    return 0;
}

static bool null_submit(BlockNode *node, BlockRequest *request)
{
    if (((BlockNull *)node)->latency_ns) {
        return false; /* a worker waits */
    }
    null_io(node, &request->io);
    if (node->driver == &block_null_co) {
        block_request_end(request, 0);
    } else {
        block_request_end_soon(request, 0);
    }
    return true;
}

static int null_extent(BlockNode *node, uint64_t offset, uint64_t bytes, BlockExtent *extent)
{
    extent->flags = BLOCK_EXTENT_ALLOCATED | BLOCK_EXTENT_OFFSET | BLOCK_EXTENT_DATA;
    if (((BlockNull *)node)->reads_zeroes) {
        extent->flags |= BLOCK_EXTENT_ZERO;
    }
    extent->host = node;
    extent->host_offset = offset;
    return 0;
}

static int64_t null_host_bytes(BlockNode *node)
{
    return 0;
}

const BlockDriver block_null_co = {
    .name = "null-co", .kind = BLOCKDEV_DRIVER_NULL_CO, .size = sizeof(BlockNull),
    .is_protocol = true, .does_fua = true, .open = null_open, .io = null_io,
    .submit = null_submit, .extent = null_extent, .host_bytes = null_host_bytes,
};
const BlockDriver block_null_aio = {
    .name = "null-aio", .kind = BLOCKDEV_DRIVER_NULL_AIO, .size = sizeof(BlockNull),
    .is_protocol = true, .does_fua = true, .open = null_open, .io = null_io,
    .submit = null_submit, .extent = null_extent, .host_bytes = null_host_bytes,
};
