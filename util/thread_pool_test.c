/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/thread_pool.h"

#include "util/thread.h"

typedef struct Job {
    ThreadPool *pool;
    GMutex *gate;     /* held: the work waits */
    bool has_started; /* atomic */
    int runs, dones, result;
    int home_thread;
} Job;

static int work(void *opaque)
{
    Job *job = opaque;

    __atomic_store_n(&job->has_started, true, __ATOMIC_RELEASE);
    if (job->gate) {
        g_mutex_lock(job->gate);
        g_mutex_unlock(job->gate);
    }
    g_assert_cmpint(thread_id(), !=, job->home_thread);
    job->runs++;
    return -EIO;
}

static void done(void *opaque, int result)
{
    Job *job = opaque;

    g_assert_cmpint(thread_id(), ==, job->home_thread);
    job->dones++;
    job->result = result;
}

static bool is_idle(void *opaque)
{
    return thread_pool_pending(opaque) == 0;
}

static bool has_started(void *opaque)
{
    return __atomic_load_n(&((Job *)opaque)->has_started, __ATOMIC_ACQUIRE);
}

static void drain(EventLoop *loop, ThreadPool *pool)
{
    event_loop_run_until(loop, is_idle, pool);
}

static void test_result(void)
{
    g_autoptr(EventLoop) loop = event_loop_new();
    ThreadPool *pool = thread_pool_new(loop);
    Job job = { pool, .home_thread = thread_id() };

    thread_pool_submit(pool, work, done, &job);
    thread_pool_submit(pool, work, NULL, &(Job){ pool });
    drain(loop, pool);
    g_assert_cmpint(job.runs, ==, 1);
    g_assert_cmpint(job.dones, ==, 1);
    g_assert_cmpint(job.result, ==, -EIO);
    thread_pool_free(pool);
}

/* One worker, kept busy: what waits behind it can be cancelled, what it does cannot. */
static void test_cancel(void)
{
    g_autoptr(EventLoop) loop = event_loop_new();
    ThreadPool *pool = thread_pool_new(loop);
    GMutex gate;
    Job busy = { pool, &gate, .home_thread = thread_id() };
    Job waiting = { pool, .home_thread = thread_id() };
    ThreadPoolJob *first, *second;

    g_mutex_init(&gate);
    g_mutex_lock(&gate);
    thread_pool_set_limits(pool, 0, 1);
    first = thread_pool_submit(pool, work, done, &busy);
    second = thread_pool_submit(pool, work, done, &waiting);
    while (!has_started(&busy)) {
        g_thread_yield();
    }
    g_assert_false(thread_pool_cancel(first));
    g_assert_true(thread_pool_cancel(second));
    g_assert_false(thread_pool_cancel(second));
    g_assert_cmpint(thread_pool_pending(pool), ==, 2);
    g_mutex_unlock(&gate);
    drain(loop, pool);
    g_assert_cmpint(busy.result, ==, -EIO);
    g_assert_cmpint(waiting.result, ==, -ECANCELED);
    g_assert_cmpint(waiting.runs, ==, 0);
    thread_pool_free(pool);
    g_mutex_clear(&gate);
}

static int count_down(void *opaque)
{
    __atomic_fetch_sub((int *)opaque, 1, __ATOMIC_RELAXED);
    return 0;
}

static void test_many(void)
{
    g_autoptr(EventLoop) loop = event_loop_new();
    ThreadPool *pool = thread_pool_new(loop);
    int left = 5000;

    for (int i = 0; i < 5000; i++) {
        thread_pool_submit(pool, count_down, NULL, &left);
        if (i % 500 == 0) {
            thread_pool_set_limits(pool, i % 3, 3 + i / 500);
        }
    }
    drain(loop, pool);
    g_assert_cmpint(left, ==, 0);
    thread_pool_free(pool);
}

static void wait_in_done(void *opaque, int result)
{
    Job *job = opaque;
    Job inner = { job->pool, .home_thread = job->home_thread };

    thread_pool_submit(job->pool, work, done, &inner);
    drain(event_loop_main(), job->pool);
    g_assert_cmpint(inner.dones, ==, 1);
    job->dones++;
}

static void test_nested(void)
{
    ThreadPool *pool = thread_pool_new(event_loop_main());
    Job job = { pool, .home_thread = thread_id() };

    thread_pool_submit(pool, work, wait_in_done, &job);
    while (job.dones == 0) {
        event_loop_run_once(event_loop_main(), true);
    }
    drain(event_loop_main(), pool);
    thread_pool_free(pool);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/thread-pool/result", test_result);
    g_test_add_func("/thread-pool/cancel", test_cancel);
    g_test_add_func("/thread-pool/many", test_many);
    g_test_add_func("/thread-pool/nested", test_nested);
    return g_test_run();
}
