/*
 * ThreadPool: blocking work of an event loop, done by threads that come and go.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_THREAD_POOL_H
#define UTIL_THREAD_POOL_H

#include "util/event_loop.h"

#define THREAD_POOL_MAX_DEFAULT 64

typedef struct ThreadPool ThreadPool;
typedef struct ThreadPoolJob ThreadPoolJob;

/* Runs in a worker: returns 0 or a negative errno. */
typedef int ThreadPoolWork(void *opaque);
/* Runs in the pool's loop, once: the work's result, or -ECANCELED. */
typedef void ThreadPoolDone(void *opaque, int result);

/* Any thread: the loop's own, made by the first who asks. Who ends the loop drops it before. */
ThreadPool *thread_pool_of(EventLoop *loop);
void thread_pool_drop_of(EventLoop *loop);
/* Completions are delivered in `loop`, which the pool keeps. */
ThreadPool *thread_pool_new(EventLoop *loop);
/* In the loop's thread, with no job left. NULL is fine. */
void thread_pool_free(ThreadPool *pool);
/* Any thread. min <= max; min workers stay when idle, others end after ten seconds. */
void thread_pool_set_limits(ThreadPool *pool, unsigned min, unsigned max);
/* Any thread. The job is valid until `done` (may be NULL) has run. Never fails. */
ThreadPoolJob *thread_pool_submit(ThreadPool *pool, ThreadPoolWork *work, ThreadPoolDone *done,
                                  void *opaque);
/* Pool's loop only. True: work will not run, and `done` comes with -ECANCELED. */
bool thread_pool_cancel(ThreadPoolJob *job);
/* Is this thread one of some pool's? */
bool thread_pool_is_worker(void);
/* Around what waits for other jobs: another worker may do them meanwhile. Any thread; takes the pool's lock. */
void thread_pool_begin_wait(void);
void thread_pool_end_wait(void);
/* Submitted and `done` not yet called. Any thread. */
unsigned thread_pool_pending(ThreadPool *pool);

#endif
