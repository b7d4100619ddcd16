/*
 * Thread pools: see util/thread_pool.h. One lock for the queue and the workers; completions go
 * over a list to one deferred call in the loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/thread_pool.h"
#include "util/event_loop_internal.h"
#include "util/thread.h"

#define IDLE_US (10 * G_USEC_PER_SEC)

struct ThreadPoolJob {
    ThreadPool *pool;
    ThreadPoolWork *work;
    ThreadPoolDone *done;
    void *opaque;
    int result;
    bool is_queued; /* no worker has it */
    GList link;     /* in pool->queue, then in pool->finished */
};

struct ThreadPool {
    EventLoop *loop;
    Deferred *deliver;
    GMutex lock;        /* all that follows; only the loop's lock is taken under it */
    GCond work_here;
    GCond worker_gone;
    GSList *ended;      /* workers to be joined */
    GQueue queue, finished;
    unsigned min, max;
    unsigned workers, idle; /* those that have just been started are idle too */
    unsigned waiting;       /* of the workers, for others' jobs: they do not count against max */
    unsigned pending;
    bool is_ending;
};

static void start_workers(ThreadPool *pool);

static bool has_too_many(const ThreadPool *pool)
{
    return pool->workers > pool->max + pool->waiting;
}

/* Under the lock: waits for a job. NULL: this worker is to end. */
static ThreadPoolJob *wait_for_job(ThreadPool *pool)
{
    GList *link;

    while (g_queue_is_empty(&pool->queue)) {
        gint64 end_us = g_get_monotonic_time() + IDLE_US;
        bool is_woken;

        if (pool->is_ending || has_too_many(pool)) {
            return NULL;
        }
        pool->idle++;
        is_woken = g_cond_wait_until(&pool->work_here, &pool->lock, end_us);
        pool->idle--;
        if (!is_woken && g_queue_is_empty(&pool->queue) && pool->workers > pool->min) {
            return NULL;
        }
    }
    if (has_too_many(pool)) {
        return NULL;
    }
    link = g_queue_pop_head_link(&pool->queue);
    ((ThreadPoolJob *)link->data)->is_queued = false;
    return link->data;
}

/* Under the lock. */
static void finish(ThreadPoolJob *job, int result)
{
    job->result = result;
    g_queue_push_tail_link(&job->pool->finished, &job->link);
    deferred_schedule(job->pool->deliver);
}

static _Thread_local ThreadPool *pool_of_worker;

bool thread_pool_is_worker(void)
{
    return pool_of_worker;
}

void thread_pool_begin_wait(void)
{
    ThreadPool *pool = pool_of_worker;

    if (pool) {
        g_mutex_lock(&pool->lock);
        pool->waiting++;
        start_workers(pool);
        g_mutex_unlock(&pool->lock);
    }
}

void thread_pool_end_wait(void)
{
    ThreadPool *pool = pool_of_worker;

    if (pool) {
        g_mutex_lock(&pool->lock);
        pool->waiting--;
        g_mutex_unlock(&pool->lock);
    }
}

static void *worker_main(void *opaque)
{
    ThreadPool *pool = opaque;
    ThreadPoolJob *job;

    pool_of_worker = pool;
    g_mutex_lock(&pool->lock);
    pool->idle--;
    while ((job = wait_for_job(pool))) {
        int result;

        g_mutex_unlock(&pool->lock);
        result = job->work(job->opaque);
        g_mutex_lock(&pool->lock);
        finish(job, result);
    }
    pool->workers--;
    /* One that ends because there are too many must not leave a job without a worker. */
    start_workers(pool);
    pool->ended = g_slist_prepend(pool->ended, g_thread_self());
    g_cond_broadcast(&pool->worker_gone);
    g_mutex_unlock(&pool->lock);
    return NULL;
}

/* Under the lock, which those that ended no longer want. */
static void join_ended(ThreadPool *pool)
{
    for (GSList *each = pool->ended; each; each = each->next) {
        g_thread_join(each->data);
    }
    g_clear_pointer(&pool->ended, g_slist_free);
}

static bool wants_worker(ThreadPool *pool)
{
    return !pool->is_ending && pool->workers < pool->max + pool->waiting &&
           (pool->workers < pool->min || g_queue_get_length(&pool->queue) > pool->idle);
}

/* Under the lock: as many as are wanted. A host without threads fails what nobody can do. */
static void start_workers(ThreadPool *pool)
{
    GList *link;

    join_ended(pool);
    while (wants_worker(pool)) {
        g_autofree char *why = NULL;
        GThread *thread = thread_new("worker", worker_main, pool, &why);

        if (!thread) {
            break;
        }
        pool->workers++;
        pool->idle++;
    }
    while (pool->workers == 0 && (link = g_queue_pop_head_link(&pool->queue))) {
        ((ThreadPoolJob *)link->data)->is_queued = false;
        finish(link->data, -EAGAIN);
    }
}

/* The next that is told; all before it are over. */
static ThreadPoolJob *take_finished(ThreadPool *pool)
{
    ThreadPoolJob *job = NULL;
    GList *link;

    g_mutex_lock(&pool->lock);
    while (!job && (link = g_queue_pop_head_link(&pool->finished))) {
        job = link->data;
        pool->pending--;
        if (!job->done) {
            g_clear_pointer(&job, g_free);
        }
    }
    if (!job) {
        deferred_cancel(pool->deliver);
    }
    g_mutex_unlock(&pool->lock);
    return job;
}

static void deliver(void *opaque)
{
    ThreadPool *pool = opaque;
    ThreadPoolJob *job;

    while ((job = take_finished(pool))) {
        /* A completion may poll the loop and wait for others: have them delivered then. */
        deferred_schedule(pool->deliver);
        job->done(job->opaque, job->result);
        g_free(job);
    }
}

ThreadPool *thread_pool_new(EventLoop *loop)
{
    ThreadPool *pool = g_new0(ThreadPool, 1);

    pool->loop = event_loop_ref(loop);
    pool->deliver = deferred_new(loop, deliver, pool);
    g_mutex_init(&pool->lock);
    g_cond_init(&pool->work_here);
    g_cond_init(&pool->worker_gone);
    g_queue_init(&pool->queue);
    g_queue_init(&pool->finished);
    pool->max = THREAD_POOL_MAX_DEFAULT;
    return pool;
}

void thread_pool_free(ThreadPool *pool)
{
    if (!pool) {
        return;
    }
    g_mutex_lock(&pool->lock);
    assert(pool->pending == 0);
    pool->is_ending = true;
    g_cond_broadcast(&pool->work_here);
    while (pool->workers > 0) {
        g_cond_wait(&pool->worker_gone, &pool->lock);
    }
    join_ended(pool);
    g_mutex_unlock(&pool->lock);
    deferred_free(pool->deliver);
    event_loop_unref(pool->loop);
    g_cond_clear(&pool->work_here);
    g_cond_clear(&pool->worker_gone);
    g_mutex_clear(&pool->lock);
    g_free(pool);
}

ThreadPool *thread_pool_of(EventLoop *loop)
{
    ThreadPool *pool, *fresh;

    g_mutex_lock(&loop->lock);
    pool = loop->pool;
    g_mutex_unlock(&loop->lock);
    if (pool) {
        return pool;
    }
    fresh = thread_pool_new(loop);
    g_mutex_lock(&loop->lock);
    if (!loop->pool) {
        loop->pool = g_steal_pointer(&fresh);
    }
    pool = loop->pool;
    g_mutex_unlock(&loop->lock);
    thread_pool_free(fresh);
    return pool;
}

void thread_pool_drop_of(EventLoop *loop)
{
    thread_pool_free(g_steal_pointer(&loop->pool));
}

void thread_pool_set_limits(ThreadPool *pool, unsigned min, unsigned max)
{
    assert(max > 0 && min <= max);
    g_mutex_lock(&pool->lock);
    pool->min = min;
    pool->max = max;
    start_workers(pool);
    g_cond_broadcast(&pool->work_here);
    g_mutex_unlock(&pool->lock);
}

ThreadPoolJob *thread_pool_submit(ThreadPool *pool, ThreadPoolWork *work, ThreadPoolDone *done,
                                  void *opaque)
{
    ThreadPoolJob *job = g_new0(ThreadPoolJob, 1);
    bool is_heard;

    *job = (ThreadPoolJob){ .pool = pool, .work = work, .done = done, .opaque = opaque,
                            .is_queued = true };
    job->link.data = job;
    g_mutex_lock(&pool->lock);
    pool->pending++;
    g_queue_push_tail_link(&pool->queue, &job->link);
    start_workers(pool);
    is_heard = pool->idle > 0;
    g_mutex_unlock(&pool->lock);
    if (is_heard) {
        g_cond_signal(&pool->work_here); /* who wakes wants the lock */
    }
    return job;
}

bool thread_pool_cancel(ThreadPoolJob *job)
{
    ThreadPool *pool = job->pool;
    bool is_cancelled;

    g_mutex_lock(&pool->lock);
    is_cancelled = job->is_queued;
    if (is_cancelled) {
        job->is_queued = false;
        g_queue_unlink(&pool->queue, &job->link);
        finish(job, -ECANCELED);
    }
    g_mutex_unlock(&pool->lock);
    return is_cancelled;
}

unsigned thread_pool_pending(ThreadPool *pool)
{
    unsigned pending;

    g_mutex_lock(&pool->lock);
    pending = pool->pending;
    g_mutex_unlock(&pool->lock);
    return pending;
}
