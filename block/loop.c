/*
 * See block/loop.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/loop.h"

#include "block/driver.h"
#include "block/uring.h"

#define POLL_US 1000 /* a request may end in a way that nobody signals */

struct BlockLoop {
    GMutex lock;
    GCond some;
    GQueue done; /* BlockRequest, oldest first */
    unsigned waiting; /* threads, for some to be done */
    Deferred *deferred;
    EventLoop *loop;
};

static struct {
    GMutex lock;
    GHashTable *loops; /* EventLoop -> BlockLoop; few, and kept */
} all;

static __thread struct {
    EventLoop *loop;
    BlockLoop *block_loop;
} latest;

static void run(void *opaque)
{
    block_loop_poll(opaque);
}

static BlockLoop *find_or_make(EventLoop *loop)
{
    BlockLoop *found;

    g_mutex_lock(&all.lock);
    if (!all.loops) {
        all.loops = g_hash_table_new(NULL, NULL);
    }
    found = g_hash_table_lookup(all.loops, loop);
    if (!found) {
        found = g_new0(BlockLoop, 1);
        found->loop = event_loop_ref(loop);
        found->deferred = deferred_new(loop, run, found);
        g_hash_table_insert(all.loops, loop, found);
    }
    g_mutex_unlock(&all.lock);
    return found;
}

BlockLoop *block_loop_of(EventLoop *loop)
{
    if (latest.loop != loop) {
        latest.block_loop = find_or_make(loop);
        latest.loop = loop;
    }
    return latest.block_loop;
}

void block_loop_complete(BlockLoop *loop, BlockRequest *request)
{
    bool is_first;

    g_mutex_lock(&loop->lock);
    is_first = !loop->done.length;
    g_queue_push_tail(&loop->done, request);
    if (loop->waiting) {
        g_cond_broadcast(&loop->some);
    }
    g_mutex_unlock(&loop->lock);
    if (is_first) {
        deferred_schedule(loop->deferred);
    }
}

static BlockRequest *next(BlockLoop *loop)
{
    BlockRequest *request;

    g_mutex_lock(&loop->lock);
    request = g_queue_pop_head(&loop->done);
    g_mutex_unlock(&loop->lock);
    return request;
}

void block_loop_poll(BlockLoop *loop)
{
    BlockRequest *request;

    while ((request = next(loop))) {
        block_request_end(request, request->result);
    }
}

static void wait_for_some(BlockLoop *loop)
{
    gint64 until = g_get_monotonic_time() + POLL_US;

    g_mutex_lock(&loop->lock);
    if (!loop->done.length) {
        loop->waiting++;
        g_cond_wait_until(&loop->some, &loop->lock, until);
        loop->waiting--;
    }
    g_mutex_unlock(&loop->lock);
}

void block_loop_wait(BlockLoop *loop, bool (*is_done)(void *opaque), void *opaque)
{
    while (!is_done(opaque)) {
        wait_for_some(loop);
        block_uring_poll(loop->loop);
        block_loop_poll(loop);
    }
}
