/*
 * Requests of a qcow2 image: who is inside, reading, what can be passed on without blocking. See
 * block/qcow2.h; writing is in block/qcow2_write.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"
#include "util/thread_pool.h"

/* --- who is inside --- */

/* With the lock. */
static void wait_for_change(BlockQcow2 *image)
{
    image->change_waiting++;
    thread_pool_begin_wait(); /* what it waits for may stand in the queue behind this request */
    g_cond_wait(&image->changed, &image->lock);
    thread_pool_end_wait();
    image->change_waiting--;
}

/* To tell nobody costs a system call all the same. */
void qcow2_tell_change(BlockQcow2 *image)
{
    if (image->change_waiting) {
        g_cond_broadcast(&image->changed);
    }
}

/* With the lock; returns what qcow2_leave() wants. */
unsigned qcow2_enter(BlockQcow2 *image)
{
    while (image->is_alone || image->alone_waiting) {
        wait_for_change(image);
    }
    image->inside[image->epoch & 1]++;
    return image->epoch & 1;
}

void qcow2_leave(BlockQcow2 *image, unsigned parity)
{
    image->inside[parity]--;
    if (image->alone_waiting) {
        qcow2_tell_change(image);
    }
}

void qcow2_enter_alone(BlockQcow2 *image)
{
    g_mutex_lock(&image->lock);
    image->alone_waiting++;
    while (image->is_alone || image->inside[0] || image->inside[1]) {
        wait_for_change(image);
    }
    image->alone_waiting--;
    image->is_alone = true;
    g_mutex_unlock(&image->lock);
}

void qcow2_leave_alone(BlockQcow2 *image)
{
    g_mutex_lock(&image->lock);
    image->is_alone = false;
    qcow2_tell_change(image);
    g_mutex_unlock(&image->lock);
}

bool qcow2_is_claimed(const BlockQcow2 *image, uint64_t from, uint64_t to)
{
    for (const Qcow2Claim *at = image->claims; at; at = at->next) {
        if (from < at->to && at->from < to) {
            return true;
        }
    }
    return false;
}

void qcow2_claim(BlockQcow2 *image, Qcow2Claim *claim, uint64_t from, uint64_t to)
{
    while (qcow2_is_claimed(image, from, to)) {
        wait_for_change(image);
    }
    *claim = (Qcow2Claim){ from, to, image->claims };
    image->claims = claim;
}

void qcow2_unclaim(BlockQcow2 *image, Qcow2Claim *claim)
{
    Qcow2Claim **at = &image->claims;

    while (*at != claim) {
        at = &(*at)->next;
    }
    *at = claim->next;
    qcow2_tell_change(image);
}

/* --- reading --- */

static int read_behind(BlockQcow2 *image, uint64_t offset, const BlockIo *io, uint64_t skip,
                       uint64_t bytes)
{
    BlockNode *backing = image->parent.backing;
    uint64_t end = backing ? block_node_bytes(backing) : 0;
    uint64_t there = offset < end ? MIN(bytes, end - offset) : 0;
    int err;

    if (there) {
        block_event(image->parent.file, BLKDEBUG_EVENT_READ_BACKING_AIO);
    }
    err = there ? block_io_part(backing, io, skip, there, offset) : 0;

    if (!err && there < bytes) {
        block_iov_zero(io, skip + there, bytes - there);
    }
    return err;
}

static int read_packed(BlockQcow2 *image, const Qcow2Run *run, uint64_t offset, const BlockIo *io,
                       uint64_t skip, uint64_t bytes)
{
    g_autofree uint8_t *packed = g_try_malloc(run->packed);
    g_autofree uint8_t *data = g_try_malloc(image->cluster);
    int err;

    block_event(image->parent.file, BLKDEBUG_EVENT_READ_COMPRESSED);
    err = packed && data ? block_read(image->parent.file, run->host, packed, run->packed) : -ENOMEM;

    err = err ? err : qcow2_unpack(image, packed, run->packed, data);
    if (!err) {
        block_iov_from_buf(io, skip, data + (offset & (image->cluster - 1)), bytes);
    }
    return err;
}

int qcow2_read_run(BlockQcow2 *image, const Qcow2Run *run, uint64_t offset, const BlockIo *io,
                   uint64_t skip, uint64_t bytes)
{
    switch (run->kind) {
    case QCOW2_HOLE:
        return read_behind(image, offset, io, skip, bytes);
    case QCOW2_ZERO:
        block_iov_zero(io, skip, bytes);
        return 0;
    case QCOW2_COMPRESSED:
        return read_packed(image, run, offset, io, skip, bytes);
    default:
        block_event(image->data, BLKDEBUG_EVENT_READ_AIO);
        return block_io_part(image->data, io, skip, bytes, run->host);
    }
}

/* With the lock, which is dropped while data are read. */
static int read_all(BlockQcow2 *image, const BlockIo *io)
{
    int err = 0;

    for (uint64_t done = 0; done < io->bytes && !err;) {
        Qcow2Run run;

        err = image->is_failed ? -EIO : qcow2_find(image, io->offset + done, io->bytes - done,
                                                   &run);
        if (!err) {
            g_mutex_unlock(&image->lock);
            err = qcow2_read_run(image, &run, io->offset + done, io, done, run.bytes);
            g_mutex_lock(&image->lock);
            done += run.bytes;
        }
    }
    return err;
}

/* --- requests --- */

static int dispatch_unlocked(BlockQcow2 *image, const BlockIo *io)
{
    switch (io->op) {
    case BLOCK_WRITE:
        return qcow2_write(image, io);
    case BLOCK_ZERO:
        return qcow2_zero(image, io);
    default:
        return qcow2_discard(image, io);
    }
}

/* With the lock, which many want: what there is most of takes it twice in all. */
static int dispatch(BlockQcow2 *image, const BlockIo *io)
{
    int err;

    if (io->op == BLOCK_READ) {
        return read_all(image, io);
    }
    if (io->op == BLOCK_WRITE && !(io->flags & BLOCK_COMPRESSED)) {
        return qcow2_write_plain(image, io);
    }
    g_mutex_unlock(&image->lock);
    err = dispatch_unlocked(image, io);
    g_mutex_lock(&image->lock);
    return err;
}

/* With the lock. */
static void clean_caches(BlockQcow2 *image)
{
    int64_t now = image->options.clean_us ? g_get_monotonic_time() : 0;

    if (now - image->cleaned_us > image->options.clean_us) {
        image->cleaned_us = now;
        qcow2_cache_clean(&image->l2);
        qcow2_cache_clean(&image->refblocks);
    }
}

int qcow2_io(BlockNode *node, const BlockIo *io)
{
    BlockQcow2 *image = qcow2_of(node);
    unsigned parity;
    int err;

    if (io->op == BLOCK_FLUSH) {
        return image->is_failed ? -EIO : qcow2_sync(image);
    }
    err = io->op == BLOCK_READ ? 0 : qcow2_bitmaps_mark(image);
    if (err) {
        return err;
    }
    g_mutex_lock(&image->lock);
    err = io->op == BLOCK_READ ? 0 : qcow2_sync_some(image);
    if (!err) {
        parity = qcow2_enter(image);
        clean_caches(image);
        err = dispatch(image, io);
        qcow2_leave(image, parity);
    }
    g_mutex_unlock(&image->lock);
    return err;
}

/* --- without blocking --- */

bool qcow2_lock_in_loop(BlockQcow2 *image)
{
    if (!g_mutex_trylock(&image->lock)) {
        return false;
    }
    image->is_in_loop = true;
    return true;
}

void qcow2_unlock_in_loop(BlockQcow2 *image)
{
    image->is_in_loop = false;
    g_mutex_unlock(&image->lock);
}

/* What a hook is given: the image, and what qcow2_leave() wants in the last bit. */
static BlockQcow2 *image_of(void *opaque)
{
    return (BlockQcow2 *)((uintptr_t)opaque & ~(uintptr_t)1);
}

static unsigned parity_of(void *opaque)
{
    return (uintptr_t)opaque & 1;
}

static int leave_in_worker(void *opaque, int err)
{
    BlockQcow2 *image = image_of(opaque);

    g_mutex_lock(&image->lock);
    qcow2_leave(image, parity_of(opaque));
    g_mutex_unlock(&image->lock);
    return err;
}

static void passed(BlockRequest *request, void *opaque, int err)
{
    BlockQcow2 *image = image_of(opaque);

    if (!qcow2_lock_in_loop(image)) {
        block_request_end_by(request, leave_in_worker, opaque, err);
        return;
    }
    qcow2_leave(image, parity_of(opaque));
    qcow2_unlock_in_loop(image);
    block_request_end(request, err);
}

/* The node that has what a run does not; NULL: none, it is zero. */
static BlockNode *below(BlockQcow2 *image, const BlockIo *io, const Qcow2Run *run)
{
    BlockNode *backing = image->parent.backing;

    if (run->kind == QCOW2_DATA) {
        return image->data;
    }
    return run->kind == QCOW2_HOLE && backing && io->offset < block_node_bytes(backing) ? backing :
                                                                                         NULL;
}

static bool is_plain_read(BlockQcow2 *image, const BlockIo *io, const Qcow2Run *run)
{
    const BlockNode *node = below(image, io, run);

    if (run->kind == QCOW2_COMPRESSED) {
        return false;
    }
    if (!node) {
        return io->bytes <= BLOCK_AT_ONCE_BYTES;
    }
    return run->kind == QCOW2_DATA || io->bytes <= block_node_bytes(node) - io->offset;
}

/* With the lock. */
static bool is_busy(const BlockQcow2 *image, const BlockIo *io)
{
    return image->is_failed || image->is_alone || image->alone_waiting ||
           (io->op == BLOCK_WRITE && __atomic_load_n(&image->needs_mark, __ATOMIC_ACQUIRE));
}

/* A read from one place, or a write of data that may stay where it is. With the lock. */
static bool is_plain(BlockQcow2 *image, const BlockIo *io, const Qcow2Run *run)
{
    if (run->bytes < io->bytes) {
        return false;
    }
    if (io->op == BLOCK_READ) {
        return is_plain_read(image, io, run);
    }
    return run->kind == QCOW2_DATA && run->is_own &&
           (image->has_data_file || !qcow2_is_metadata(image, run->host, io->bytes));
}

/* With the lock, which is dropped. False: the node knows none of this. */
static bool submit_plain(BlockQcow2 *image, BlockRequest *request, const Qcow2Run *run)
{
    BlockNode *node = below(image, &request->io, run);
    bool is_possible = !node || block_request_can_forward(request, node);
    unsigned parity = node && is_possible ? qcow2_enter(image) : 0;

    qcow2_unlock_in_loop(image);
    if (!node) {
        block_iov_zero(&request->io, 0, request->io.bytes);
        block_request_end(request, 0);
    } else if (is_possible) {
        request->io.offset = run->kind == QCOW2_DATA ? run->host : request->io.offset;
        block_request_forward(request, node, passed, (void *)((uintptr_t)image | parity));
    }
    return is_possible;
}

bool qcow2_submit(BlockNode *node, BlockRequest *request)
{
    BlockQcow2 *image = qcow2_of(node);
    const BlockIo *io = &request->io;
    Qcow2Run run;

    if ((io->op != BLOCK_READ && io->op != BLOCK_WRITE) || !io->bytes || !qcow2_lock_in_loop(image)) {
        return false;
    }
    clean_caches(image);
    if (!is_busy(image, io) && !qcow2_find(image, io->offset, io->bytes, &run)) {
        if (is_plain(image, io, &run)) {
            return submit_plain(image, request, &run);
        }
        if (qcow2_can_fill(image, request, &run)) {
            return qcow2_fill(image, request);
        }
    }
    qcow2_unlock_in_loop(image);
    return false;
}

/* --- what is where --- */

static unsigned flags_of(const Qcow2Run *run)
{
    static const unsigned flags[] = {
        [QCOW2_HOLE] = 0,
        [QCOW2_ZERO] = BLOCK_EXTENT_ALLOCATED | BLOCK_EXTENT_ZERO,
        [QCOW2_DATA] = BLOCK_EXTENT_ALLOCATED | BLOCK_EXTENT_DATA,
        [QCOW2_COMPRESSED] = BLOCK_EXTENT_ALLOCATED | BLOCK_EXTENT_DATA | BLOCK_EXTENT_COMPRESSED,
    };

    return flags[run->kind] | (run->has_host ? BLOCK_EXTENT_OFFSET : 0);
}

/* More clusters are counted than the host has: they were made ahead of their data. */
static bool find_sparse(BlockQcow2 *image)
{
    BlockNode *file = image->parent.file;
    int64_t there = file->driver->host_bytes ? file->driver->host_bytes(file) : -1;
    uint64_t real = ROUND_UP((uint64_t)MAX(there, 0), image->cluster) >> image->cluster_bits;
    uint64_t clusters = (block_node_bytes(file) + image->cluster - 1) >> image->cluster_bits;
    uint64_t limit = MAX(real * 10 / 9, real + 2), counted = 0;

    for (uint64_t i = 0; i < clusters && counted < limit && there >= 0; i++) {
        uint64_t count;

        i = qcow2_refcount_next(image, i);
        if (i >= clusters) {
            break;
        }

        if (qcow2_refcount_get(image, i, &count)) {
            return false;
        }
        counted += count > 0;
    }
    return there >= 0 && counted >= limit;
}

/* With the lock. */
static bool is_sparse(BlockQcow2 *image)
{
    if (image->is_sparse < 0) {
        image->is_sparse = find_sparse(image);
    }
    return image->is_sparse;
}

/* The file knows better what is zero. */
static void look_at_file(BlockQcow2 *image, const Qcow2Run *run, BlockExtent *extent)
{
    BlockExtent below;

    if (!block_extent(image->data, run->host, run->bytes, &below) && below.bytes &&
        below.flags & BLOCK_EXTENT_OFFSET) {
        extent->bytes = MIN(extent->bytes, below.bytes);
        extent->flags |= below.flags & BLOCK_EXTENT_ZERO;
    }
}

int qcow2_extent(BlockNode *node, uint64_t offset, uint64_t bytes, BlockExtent *extent)
{
    BlockQcow2 *image = qcow2_of(node);
    bool asks_file = false;
    unsigned parity;
    Qcow2Run run;
    int err;

    g_mutex_lock(&image->lock);
    parity = qcow2_enter(image);
    err = image->is_failed ? -EIO : qcow2_find(image, offset, bytes, &run);
    if (!err && run.kind == QCOW2_DATA && !image->has_data_file) {
        asks_file = is_sparse(image);
    }
    qcow2_leave(image, parity);
    g_mutex_unlock(&image->lock);
    if (err) {
        return err;
    }
    *extent = (BlockExtent){ .flags = flags_of(&run), .bytes = run.bytes,
                             .host = run.has_host ? image->data : NULL, .host_offset = run.host };
    if (asks_file) {
        look_at_file(image, &run, extent);
    }
    return 0;
}
