/*
 * Requests: blocking ones, and how an asynchronous one becomes blocking in a worker when its
 * driver cannot do better. See block/driver.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/bitmap.h"
#include "block/loop.h"
#include "util/thread_pool.h"

#include "trace.h"

#define ZERO_CHUNK (1 * MiB)

static const char *const op_names[BLOCK_OPS] = {
    [BLOCK_READ] = "read", [BLOCK_WRITE] = "write", [BLOCK_ZERO] = "write zeroes", [BLOCK_DISCARD] = "discard",
    [BLOCK_FLUSH] = "flush",
};

static void note_write(BlockNode *node, uint64_t end)
{
    uint64_t highest = __atomic_load_n(&node->highest_write, __ATOMIC_RELAXED);

    while (end > highest &&
           !__atomic_compare_exchange_n(&node->highest_write, &highest, end, true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

/* Where a driver has nothing better: the zeroes themselves. */
static int write_zeroes(BlockNode *node, const BlockIo *io)
{
    size_t chunk = MIN(io->bytes, ZERO_CHUNK);
    g_autofree char *zeroes = g_try_malloc0(chunk);
    struct iovec iov = { zeroes, 0 };
    int err = zeroes ? 0 : -ENOMEM;

    for (uint64_t done = 0; done < io->bytes && !err; done += iov.iov_len) {
        BlockIo part = { BLOCK_WRITE, io->flags & BLOCK_FUA, io->offset + done,
                         MIN(chunk, io->bytes - done), &iov, 1 };

        iov.iov_len = part.bytes;
        err = node->driver->io(node, &part);
    }
    return err;
}

static bool turns_to_zero(const BlockNode *node, const BlockIo *io)
{
    return io->op == BLOCK_WRITE && node->detect_zeroes != BLOCKDEV_DETECT_ZEROES_OPTIONS_OFF &&
           !(io->flags & BLOCK_COMPRESSED) && block_iov_is_zero(io);
}

static int flush_if_asked(BlockNode *node, const BlockIo *io)
{
    bool is_write = io->op == BLOCK_WRITE || io->op == BLOCK_ZERO;

    return is_write && io->flags & BLOCK_FUA && !node->driver->does_fua ? block_flush(node) : 0;
}

static void tell_of(BlockNode *node, BlockOp op)
{
    if (op == BLOCK_WRITE) {
        block_event(node, BLKDEBUG_EVENT_PWRITEV);
    } else if (op == BLOCK_ZERO) {
        block_event(node, BLKDEBUG_EVENT_PWRITEV_ZERO);
    } else if (op == BLOCK_FLUSH && node->file) {
        block_event(node->file, BLKDEBUG_EVENT_FLUSH_TO_OS);
        block_event(node->file, BLKDEBUG_EVENT_FLUSH_TO_DISK);
    }
}

int block_io(BlockNode *node, const BlockIo *io)
{
    BlockIo zero = *io;
    int err;

    if (turns_to_zero(node, io)) {
        zero.op = BLOCK_ZERO;
        zero.flags |= node->detect_zeroes == BLOCKDEV_DETECT_ZEROES_OPTIONS_UNMAP ?
                          BLOCK_MAY_UNMAP : 0;
        io = &zero;
    }
    if (io->op == BLOCK_DISCARD && !node->has_discard) {
        return 0;
    }
    if (io->op != BLOCK_FLUSH && !io->bytes) {
        return 0;
    }
    trace_block_io(node->name, op_names[io->op], io->offset, io->bytes, io->flags);
    tell_of(node, io->op);
    err = node->driver->io(node, io);
    if (err == -ENOTSUP && io->op == BLOCK_ZERO && !(io->flags & BLOCK_NO_FALLBACK)) {
        err = write_zeroes(node, io);
    }
    if (io->op != BLOCK_READ && io->op != BLOCK_FLUSH) {
        block_bitmaps_note(node, io->offset, io->bytes);
    }
    if (io->op == BLOCK_WRITE || io->op == BLOCK_ZERO) {
        block_event(node, BLKDEBUG_EVENT_PWRITEV_DONE);
    }
    if (!err && (io->op == BLOCK_WRITE || io->op == BLOCK_ZERO)) {
        note_write(node, io->offset + io->bytes);
    }
    err = err ? err : flush_if_asked(node, io);
    if (err) {
        trace_block_failed(node->name, op_names[io->op], io->offset, err);
    }
    return err;
}

static int simple(BlockNode *node, BlockOp op, uint64_t offset, void *buf, size_t bytes)
{
    struct iovec iov = { buf, bytes };
    BlockIo io = { op, 0, offset, bytes, &iov, 1 };

    return block_io(node, &io);
}

int block_read(BlockNode *node, uint64_t offset, void *buf, size_t bytes)
{
    return simple(node, BLOCK_READ, offset, buf, bytes);
}

int block_write(BlockNode *node, uint64_t offset, const void *buf, size_t bytes)
{
    return simple(node, BLOCK_WRITE, offset, (void *)buf, bytes);
}

int block_flush(BlockNode *node)
{
    BlockIo io = { BLOCK_FLUSH, 0, 0, 0, NULL, 0 };

    return node->is_unsafe ? 0 : block_io(node, &io);
}

/* Where these bytes stand in a file of the host, all of them. */
static bool find_host(BlockNode *node, uint64_t at, uint64_t bytes, BlockExtent *extent)
{
    return !block_extent_of_chain(node, at, bytes, extent, NULL) && extent->bytes >= bytes &&
           extent->flags & BLOCK_EXTENT_OFFSET && extent->host && extent->host->driver->copy_range;
}

int block_copy_range(BlockNode *from, uint64_t from_at, BlockNode *to, uint64_t to_at,
                     uint64_t bytes)
{
    BlockExtent source, target;
    int err;

    /* What a format wants to be written it wants to know of. */
    if (to->driver != &block_raw && !to->driver->is_protocol) {
        return -ENOTSUP;
    }
    if (!find_host(from, from_at, bytes, &source) || source.flags & BLOCK_EXTENT_ZERO ||
        block_extent(to, to_at, bytes, &target) || !(target.flags & BLOCK_EXTENT_OFFSET) ||
        !target.host || target.host->driver->copy_range != source.host->driver->copy_range) {
        return -ENOTSUP;
    }
    err = source.host->driver->copy_range(source.host, source.host_offset, target.host,
                                          target.host_offset, bytes);
    if (!err) {
        note_write(to, to_at + bytes);
        block_bitmaps_note(to, to_at, bytes);
    }
    return err;
}

/* --- asynchronous --- */

void block_request_end(BlockRequest *request, int error)
{
    if (request->hook_count) {
        unsigned top = --request->hook_count;

        request->hooks[top].fn(request, request->hooks[top].opaque, error);
        return;
    }
    request->done(request, error);
}

static int work(void *opaque)
{
    BlockRequest *request = opaque;
    int err;

    if (request->io.op == BLOCK_FLUSH) {
        err = block_flush(request->node);
    } else {
        err = block_io(request->node, &request->io);
    }
    block_request_end_soon(request, err);
    return 0;
}

void block_request_end_soon(BlockRequest *request, int error)
{
    request->result = error;
    block_loop_complete(request->block_loop, request);
}

/* What the core must do itself is the blocking function's. */
static bool is_plain(const BlockNode *node, const BlockIo *io)
{
    switch (io->op) {
    case BLOCK_READ:
        return true;
    case BLOCK_WRITE:
        return !(io->flags & ~(node->driver->does_fua ? BLOCK_FUA : 0)) &&
               !__atomic_load_n(&node->bitmaps, __ATOMIC_ACQUIRE) &&
               node->detect_zeroes == BLOCKDEV_DETECT_ZEROES_OPTIONS_OFF;
    case BLOCK_FLUSH:
        return !node->is_unsafe;
    default:
        return false;
    }
}

static bool try_submit(BlockNode *node, BlockRequest *request)
{
    if (!node->driver->submit || !is_plain(node, &request->io)) {
        return false;
    }
    if (request->io.op == BLOCK_WRITE) {
        note_write(node, request->io.offset + request->io.bytes);
    }
    trace_block_submit(node->name, op_names[request->io.op], request->io.offset, request->io.bytes);
    return node->driver->submit(node, request);
}

void block_request_block(BlockRequest *request, BlockNode *node)
{
    request->node = node;
    thread_pool_submit(thread_pool_of(request->loop), work, NULL, request);
}

typedef struct Last {
    BlockRequest *request;
    BlockRequestLast *fn;
    void *opaque;
    int error;
} Last;

static int work_last(void *opaque)
{
    g_autofree Last *last = opaque;

    block_request_end_soon(last->request, last->fn(last->opaque, last->error));
    return 0;
}

void block_request_end_by(BlockRequest *request, BlockRequestLast *fn, void *opaque, int error)
{
    Last *last = g_new(Last, 1);

    *last = (Last){ request, fn, opaque, error };
    thread_pool_submit(thread_pool_of(request->loop), work_last, NULL, last);
}

bool block_request_can_forward(const BlockRequest *request, const BlockNode *node)
{
    return node->driver->submit && request->hook_count < BLOCK_REQUEST_HOOKS;
}

bool block_request_forward(BlockRequest *request, BlockNode *node, BlockRequestHook *fn,
                           void *opaque)
{
    if (!block_request_can_forward(request, node)) {
        return false;
    }
    if (fn) {
        request->hooks[request->hook_count].fn = fn;
        request->hooks[request->hook_count++].opaque = opaque;
    }
    if (!try_submit(node, request)) {
        block_request_block(request, node);
    }
    return true;
}

void block_submit(BlockNode *node, BlockRequest *request)
{
    if (!request->loop) {
        request->loop = event_loop_current();
    }
    request->block_loop = block_loop_of(request->loop);
    if (!try_submit(node, request)) {
        block_request_block(request, node);
    }
}

/* --- extents --- */

int block_extent(BlockNode *node, uint64_t offset, uint64_t bytes, BlockExtent *extent)
{
    uint64_t end = block_node_bytes(node);
    int err;

    if (offset >= end) {
        *extent = (BlockExtent){ BLOCK_EXTENT_ZERO | BLOCK_EXTENT_END, bytes, NULL, 0 };
        return 0;
    }
    bytes = MIN(bytes, end - offset);
    *extent = (BlockExtent){ BLOCK_EXTENT_DATA | BLOCK_EXTENT_ALLOCATED, bytes, NULL, 0 };
    if (node->driver->extent) {
        err = node->driver->extent(node, offset, bytes, extent);
        if (err < 0) {
            return err;
        }
    }
    extent->bytes = MIN(extent->bytes, bytes);
    if (offset + extent->bytes == end) {
        extent->flags |= BLOCK_EXTENT_END;
    }
    return 0;
}

int block_extent_of_chain(BlockNode *node, uint64_t offset, uint64_t bytes, BlockExtent *extent,
                          unsigned *depth)
{
    uint64_t end = block_node_bytes(node);
    unsigned level = 0;

    for (; ; level++) {
        BlockNode *data = block_node_skip_filters(node);
        int err = block_extent(data, offset, bytes, extent);

        if (err < 0) {
            return err;
        }
        bytes = extent->bytes;
        if (extent->flags & BLOCK_EXTENT_ALLOCATED || !data->backing ||
            offset >= block_node_bytes(data->backing)) {
            break;
        }
        node = data->backing;
    }
    extent->flags &= ~BLOCK_EXTENT_END;
    extent->flags |= offset + extent->bytes >= end ? BLOCK_EXTENT_END : 0;
    if (!(extent->flags & BLOCK_EXTENT_ALLOCATED)) {
        extent->flags |= BLOCK_EXTENT_ZERO;
    }
    if (depth) {
        *depth = level;
    }
    return 0;
}
