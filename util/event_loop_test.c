/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/event_loop.h"

#include <fcntl.h>

#include "util/thread.h"

typedef struct Counter {
    EventLoop *loop;
    Deferred *self;
    int runs;
    int wanted;
} Counter;

static bool is_counted(void *opaque)
{
    Counter *c = opaque;

    return __atomic_load_n(&c->runs, __ATOMIC_ACQUIRE) >= c->wanted;
}

static void count(void *opaque)
{
    __atomic_fetch_add(&((Counter *)opaque)->runs, 1, __ATOMIC_RELEASE);
}

static void test_deferred_once(void)
{
    g_autoptr(EventLoop) loop = event_loop_new();
    Counter c = { loop };
    Deferred *d = deferred_new(loop, count, &c);

    deferred_schedule(d);
    deferred_schedule(d);
    g_assert_cmpint(c.runs, ==, 0);
    g_assert_true(event_loop_run_once(loop, false));
    g_assert_cmpint(c.runs, ==, 1);
    g_assert_false(event_loop_run_once(loop, false));
    deferred_schedule(d);
    deferred_cancel(d);
    event_loop_run_once(loop, false);
    g_assert_cmpint(c.runs, ==, 1);
    deferred_schedule(d);
    deferred_free(d);
    event_loop_run_once(loop, false);
    g_assert_cmpint(c.runs, ==, 1);
}

static void free_self(void *opaque)
{
    Counter *c = opaque;

    c->runs++;
    deferred_schedule(c->self);
    deferred_free(c->self);
}

static void repeat_self(void *opaque)
{
    Counter *c = opaque;

    c->runs++;
    deferred_schedule(c->self);
}

static void test_deferred_from_within(void)
{
    g_autoptr(EventLoop) loop = event_loop_new();
    Counter freed = { loop }, repeated = { loop };

    freed.self = deferred_new(loop, free_self, &freed);
    repeated.self = deferred_new(loop, repeat_self, &repeated);
    deferred_schedule(freed.self);
    deferred_schedule(repeated.self);
    event_loop_run_once(loop, false);
    g_assert_cmpint(repeated.runs, ==, 1);
    event_loop_run_once(loop, false);
    g_assert_cmpint(freed.runs, ==, 1);
    g_assert_cmpint(repeated.runs, ==, 2);
    deferred_free(repeated.self);
}

static void wait_for_two(void *opaque)
{
    Counter *c = opaque;

    c->wanted = 2;
    event_loop_run_until(c->loop, is_counted, c);
}

/* Work that waits in the loop has the work behind it done. */
static void test_nested(void)
{
    g_autoptr(EventLoop) loop = event_loop_new();
    Counter c = { loop };

    event_loop_defer(loop, wait_for_two, &c);
    event_loop_defer(loop, count, &c);
    event_loop_defer(loop, count, &c);
    event_loop_run_once(loop, false);
    g_assert_cmpint(c.runs, ==, 2);
    /* One-shots left over go with the loop. */
    event_loop_defer(loop, count, &c);
}

#define THREADS 4
#define PER_THREAD 20000

static void *defer_many(void *opaque)
{
    Counter *c = opaque;

    for (int i = 0; i < PER_THREAD; i++) {
        event_loop_defer(c->loop, count, c);
    }
    return NULL;
}

/* No wake-up is lost: a lost one would wait here for ever. */
static void test_wake_from_threads(void)
{
    g_autoptr(EventLoop) loop = event_loop_new();
    Counter c = { loop, .wanted = THREADS * PER_THREAD };
    GThread *threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        threads[i] = thread_new("defer", defer_many, &c, NULL);
    }
    event_loop_run_until(loop, is_counted, &c);
    for (int i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
    }
    g_assert_cmpint(c.runs, ==, THREADS * PER_THREAD);
}

typedef struct Ball {
    EventLoop *loop;
    struct Ball *other;
    int hits; /* atomic */
    bool is_over;
} Ball;

static void hit(void *opaque)
{
    Ball *ball = opaque;

    if (__atomic_add_fetch(&ball->hits, 1, __ATOMIC_RELAXED) < 20000) {
        event_loop_defer(ball->other->loop, hit, ball->other);
    } else {
        ball->is_over = true;
        if (!ball->other->is_over) {
            event_loop_defer(ball->other->loop, hit, ball->other);
        }
    }
}

static bool is_over(void *opaque)
{
    return ((Ball *)opaque)->is_over;
}

static void *play(void *opaque)
{
    Ball *ball = opaque;

    event_loop_set_current(ball->loop);
    event_loop_run_until(ball->loop, is_over, ball);
    event_loop_set_current(NULL);
    return NULL;
}

static void test_ping_pong(void)
{
    Ball a = { event_loop_new() }, b = { event_loop_new() };
    GThread *thread = thread_new("play", play, &b, NULL);

    a.other = &b;
    b.other = &a;
    event_loop_defer(a.loop, hit, &a);
    event_loop_run_until(a.loop, is_over, &a);
    g_thread_join(thread);
    g_assert_cmpint(a.hits, >=, 20000);
    g_assert_cmpint(b.hits, >=, 20000);
    event_loop_unref(a.loop);
    event_loop_unref(b.loop);
}

typedef struct Pipe {
    int ends[2];
    FdWatch *watch;
    int calls;
    GIOCondition seen;
} Pipe;

static void read_one(void *opaque, GIOCondition events)
{
    Pipe *p = opaque;
    char byte;

    p->calls++;
    p->seen = events;
    if (events & G_IO_IN) {
        g_assert_cmpint(read(p->ends[0], &byte, 1), ==, 1);
    }
}

static void free_watch(void *opaque, GIOCondition events)
{
    Pipe *p = opaque;

    p->calls++;
    fd_watch_free(p->watch);
}

static void test_fd_watch(void)
{
    g_autoptr(EventLoop) loop = event_loop_new();
    Pipe p = { 0 };

    g_assert_cmpint(pipe2(p.ends, O_CLOEXEC), ==, 0);
    p.watch = fd_watch_new(loop, p.ends[0], G_IO_IN, read_one, &p);
    g_assert_false(event_loop_run_once(loop, false));
    g_assert_cmpint(write(p.ends[1], "ab", 2), ==, 2);
    event_loop_run_once(loop, true);
    g_assert_cmpint(p.calls, ==, 1);
    fd_watch_set_events(p.watch, 0);
    g_assert_false(event_loop_run_once(loop, false));
    fd_watch_set_events(p.watch, G_IO_IN);
    event_loop_run_once(loop, true);
    g_assert_cmpint(p.calls, ==, 2);
    close(p.ends[1]);
    event_loop_run_once(loop, true);
    g_assert_true(p.seen & G_IO_HUP);
    /* A paused watch does not even see the hang-up. */
    fd_watch_set_events(p.watch, 0);
    g_assert_false(event_loop_run_once(loop, false));
    fd_watch_free(p.watch);
    p.watch = fd_watch_new(loop, p.ends[0], G_IO_IN, free_watch, &p);
    event_loop_run_once(loop, true);
    g_assert_false(event_loop_run_once(loop, false));
    g_assert_cmpint(p.calls, ==, 4);
    close(p.ends[0]);
}

static void test_current(void)
{
    g_autoptr(EventLoop) loop = event_loop_new();

    g_assert_true(event_loop_current() == event_loop_main());
    event_loop_set_current(loop);
    g_assert_true(event_loop_is_current(loop));
    event_loop_set_current(NULL);
    g_assert_true(event_loop_is_current(event_loop_main()));
    /* A wake-up asked for before the wait ends the wait. */
    event_loop_wake(loop);
    event_loop_run_once(loop, true);
}

static void test_idle_and_delay(void)
{
    g_autoptr(EventLoop) loop = event_loop_new();
    Counter c = { loop, .wanted = 2 };
    GSource *never;

    event_loop_defer_idle(loop, count, &c);
    event_loop_defer_ms(loop, 5, count, &c);
    never = event_loop_defer_ms(loop, 1, count, &c);
    g_source_destroy(never);
    event_loop_run_until(loop, is_counted, &c);
    g_assert_cmpint(c.runs, ==, 2);
}

static bool is_set(void *opaque)
{
    return __atomic_load_n(&((Counter *)opaque)->wanted, __ATOMIC_ACQUIRE) > 0;
}

static void take(void *opaque)
{
    Counter *c = opaque;

    __atomic_fetch_sub(&c->wanted, 1, __ATOMIC_ACQ_REL);
    c->runs++;
    if (c->runs == 2) {
        event_loop_remove_poller(c->loop, is_set, c);
    }
}

static void test_poller(void)
{
    g_autoptr(EventLoop) loop = event_loop_new();
    Counter c = { loop };

    event_loop_set_polling(loop, &(EventLoopPolling){ .max_ns = 32768 });
    event_loop_add_poller(loop, is_set, take, &c);
    event_loop_run_once(loop, false);
    g_assert_cmpint(c.runs, ==, 0);
    c.wanted = 3;
    event_loop_run_once(loop, true);
    g_assert_cmpint(c.runs, ==, 1);
    event_loop_run_once(loop, true);
    event_loop_run_once(loop, false);
    g_assert_cmpint(c.runs, ==, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/event-loop/deferred-once", test_deferred_once);
    g_test_add_func("/event-loop/deferred-from-within", test_deferred_from_within);
    g_test_add_func("/event-loop/nested", test_nested);
    g_test_add_func("/event-loop/wake-from-threads", test_wake_from_threads);
    g_test_add_func("/event-loop/ping-pong", test_ping_pong);
    g_test_add_func("/event-loop/fd-watch", test_fd_watch);
    g_test_add_func("/event-loop/current", test_current);
    g_test_add_func("/event-loop/idle-and-delay", test_idle_and_delay);
    g_test_add_func("/event-loop/poller", test_poller);
    return g_test_run();
}
