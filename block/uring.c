/*
 * See block/uring.h. What is started in the loop's own thread goes to the host together, when the
 * loop comes round; the host has done much of it by then, and it ends without another wait.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/uring.h"

#include <liburing.h>

#include "block/driver.h"

#define ENTRIES 128
#define ROUNDS  16 /* at most, before others have their turn */

typedef struct Ring {
    struct io_uring uring;
    FdWatch *watch;
    Deferred *start;
    bool is_broken;
} Ring;

static struct {
    GMutex lock;
    GHashTable *rings; /* EventLoop -> Ring; few, and kept */
} all;

static __thread struct {
    EventLoop *loop;
    Ring *ring;
} latest;

static void reap(Ring *ring)
{
    struct io_uring_cqe *cqe;

    while (!ring->is_broken && !io_uring_peek_cqe(&ring->uring, &cqe)) {
        BlockRequest *request = io_uring_cqe_get_data(cqe);
        int result = cqe->res;

        io_uring_cqe_seen(&ring->uring, cqe);
        if (result == -EINTR || result == -EAGAIN) {
            result = 0; /* nothing was moved: it is done the blocking way */
        }
        block_request_end(request, result);
    }
}

static void ring_is_ready(void *opaque, GIOCondition events)
{
    reap(opaque);
}

/* What the host does not take now stands in the ring. */
static void submit(Ring *ring)
{
    if (io_uring_sq_ready(&ring->uring)) {
        io_uring_submit(&ring->uring);
    }
}

/* In the loop's thread: requests that end may bring others. */
static void start(void *opaque)
{
    Ring *ring = opaque;

    for (unsigned i = 0; i < ROUNDS && io_uring_sq_ready(&ring->uring); i++) {
        submit(ring);
        reap(ring);
    }
    if (io_uring_sq_ready(&ring->uring)) {
        deferred_schedule(ring->start);
    }
}

static Ring *make(EventLoop *loop)
{
    Ring *ring = g_new0(Ring, 1);

    if (io_uring_queue_init(ENTRIES, &ring->uring, 0) < 0) {
        ring->is_broken = true;
        return ring;
    }
    ring->watch = fd_watch_new(loop, ring->uring.ring_fd, G_IO_IN, ring_is_ready, ring);
    ring->start = deferred_new(loop, start, ring);
    return ring;
}

static Ring *ring_of(EventLoop *loop, bool may_make)
{
    Ring *ring;

    if (latest.loop == loop && latest.ring) {
        return latest.ring;
    }
    g_mutex_lock(&all.lock);
    if (!all.rings) {
        all.rings = g_hash_table_new(NULL, NULL);
    }
    ring = g_hash_table_lookup(all.rings, loop);
    if (!ring && may_make) {
        ring = make(loop);
        g_hash_table_insert(all.rings, event_loop_ref(loop), ring);
    }
    g_mutex_unlock(&all.lock);
    if (ring) {
        latest.loop = loop;
        latest.ring = ring;
    }
    return ring;
}

bool block_uring_check(Error **errp)
{
    struct io_uring uring;
    int err = io_uring_queue_init(1, &uring, 0);

    if (err < 0) {
        return error_set_errno(errp, -err, "Unable to use linux io_uring");
    }
    io_uring_queue_exit(&uring);
    return true;
}

static void prepare(struct io_uring_sqe *sqe, const BlockIo *io, int fd)
{
    switch (io->op) {
    case BLOCK_READ:
        io_uring_prep_readv(sqe, fd, io->iov, io->iov_count, io->offset);
        break;
    case BLOCK_WRITE:
        io_uring_prep_writev(sqe, fd, io->iov, io->iov_count, io->offset);
        break;
    default:
        io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
        break;
    }
}

bool block_uring_submit(BlockRequest *request, int fd, BlockRequestHook *hook, void *opaque)
{
    Ring *ring = ring_of(request->loop, true);
    struct io_uring_sqe *sqe;

    if (ring->is_broken || request->hook_count == BLOCK_REQUEST_HOOKS) {
        return false;
    }
    sqe = io_uring_get_sqe(&ring->uring);
    if (!sqe) {
        submit(ring);
        sqe = io_uring_get_sqe(&ring->uring);
    }
    if (!sqe) {
        return false;
    }
    request->hooks[request->hook_count].fn = hook;
    request->hooks[request->hook_count++].opaque = opaque;
    prepare(sqe, &request->io, fd);
    io_uring_sqe_set_data(sqe, request);
    if (!event_loop_is_run_here(request->loop)) {
        submit(ring);
    }
    if (io_uring_sq_ready(&ring->uring)) {
        deferred_schedule(ring->start);
    }
    return true;
}

void block_uring_poll(EventLoop *loop)
{
    Ring *ring = ring_of(loop, false);

    if (ring && !ring->is_broken) {
        submit(ring);
        reap(ring);
    }
}
