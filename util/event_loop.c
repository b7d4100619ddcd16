/*
 * The event loop: see util/event_loop.h. GLib polls in milliseconds; our own poll function waits
 * for the nanosecond, and lets other threads skip the wake-up call when nobody sleeps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/event_loop.h"

#include <poll.h>
#include <sys/prctl.h>
#include <time.h>

#include "util/event_loop_internal.h"

typedef struct LoopSource {
    GSource base;
    EventLoop *loop;
} LoopSource;

static _Thread_local EventLoop *own_loop;
static _Thread_local EventLoop *polled_loop;

int64_t host_monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

/* INT64_MAX: no timer. */
static int64_t next_deadline_ns(EventLoop *loop)
{
    EventLoopTimers *timers = __atomic_load_n(&loop->timers, __ATOMIC_ACQUIRE);

    return timers ? timers->next_ns(timers) : INT64_MAX;
}

static bool is_due(EventLoop *loop)
{
    int64_t next_ns;

    if (event_loop_has_deferred(loop)) {
        return true;
    }
    next_ns = next_deadline_ns(loop);
    return next_ns != INT64_MAX && next_ns <= host_monotonic_ns();
}

static gboolean loop_prepare(GSource *source, int *timeout_ms)
{
    EventLoop *loop = ((LoopSource *)source)->loop;

    /* The deadline is wait_ready()'s business. */
    *timeout_ms = -1;
    return is_due(loop) || event_loop_poller_is_ready(loop);
}

static gboolean loop_check(GSource *source)
{
    EventLoop *loop = ((LoopSource *)source)->loop;

    return is_due(loop) || event_loop_poller_is_ready(loop);
}

static gboolean loop_dispatch(GSource *source, GSourceFunc fn, void *opaque)
{
    EventLoop *loop = ((LoopSource *)source)->loop;
    EventLoopTimers *timers = __atomic_load_n(&loop->timers, __ATOMIC_ACQUIRE);

    event_loop_run_deferred(loop);
    event_loop_run_pollers(loop);
    if (timers) {
        timers->run(timers);
    }
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs loop_source_funcs = {
    .prepare = loop_prepare, .check = loop_check, .dispatch = loop_dispatch,
};

/* How long to sleep: the least of what GLib asks for, the next timer, and 0 if work is here. */
static int64_t wait_limit_ns(EventLoop *loop, int timeout_ms)
{
    int64_t limit_ns = timeout_ms < 0 ? INT64_MAX : timeout_ms * NS_PER_MS;
    int64_t next_ns, left_ns;

    if (limit_ns == 0 || event_loop_has_deferred(loop)) {
        return 0;
    }
    next_ns = next_deadline_ns(loop);
    if (next_ns == INT64_MAX) {
        return limit_ns;
    }
    left_ns = next_ns - host_monotonic_ns();
    return MAX(0, MIN(limit_ns, left_ns));
}

static int poll_fds(GPollFD *fds, guint count, int64_t limit_ns)
{
    struct timespec limit = { limit_ns / NS_PER_SEC, limit_ns % NS_PER_SEC };

    G_STATIC_ASSERT(sizeof(GPollFD) == sizeof(struct pollfd));
    return ppoll((struct pollfd *)fds, count, limit_ns == INT64_MAX ? NULL : &limit, NULL);
}

static int sleep_in_poll(EventLoop *loop, GPollFD *fds, guint count, int timeout_ms)
{
    int64_t limit_ns;
    int ready;

    /* From here on event_loop_wake() writes; what it asked for before is seen below. */
    __atomic_store_n(&loop->is_waiting, true, __ATOMIC_SEQ_CST);
    limit_ns = __atomic_exchange_n(&loop->is_wake_wanted, false, __ATOMIC_SEQ_CST)
                   ? 0 : wait_limit_ns(loop, timeout_ms);
    ready = poll_fds(fds, count, limit_ns);
    __atomic_store_n(&loop->is_waiting, false, __ATOMIC_SEQ_CST);
    return ready;
}

static int wait_and_adapt(EventLoop *loop, GPollFD *fds, guint count, int timeout_ms)
{
    int64_t start_ns;
    int ready;

    if (timeout_ms == 0 || loop->pollers->len == 0) {
        return sleep_in_poll(loop, fds, count, timeout_ms);
    }
    start_ns = host_monotonic_ns();
    if (loop->poll_ns > 0 && event_loop_busy_poll(loop, start_ns + loop->poll_ns)) {
        return sleep_in_poll(loop, fds, count, 0);
    }
    ready = sleep_in_poll(loop, fds, count, timeout_ms);
    event_loop_adapt_polling(loop, host_monotonic_ns() - start_ns);
    return ready;
}

/* GPollFunc: a negative result with errno EINTR is a wait that was interrupted. */
static int wait_ready(GPollFD *fds, guint count, int timeout_ms)
{
    EventLoop *loop = polled_loop ? polled_loop : event_loop_current();
    bool has_hooks = loop->hooks && loop->depth <= 1;
    int ready, error;

    if (has_hooks) {
        loop->hooks->before();
    }
    ready = wait_and_adapt(loop, fds, count, timeout_ms);
    error = errno;
    if (has_hooks) {
        loop->hooks->after();
    }
    errno = error;
    return ready;
}

static EventLoop *loop_new(GMainContext *context)
{
    EventLoop *loop = g_new0(EventLoop, 1);

    loop->context = context;
    loop->refs = 1;
    g_mutex_init(&loop->lock);
    g_queue_init(&loop->deferred);
    loop->pollers = g_ptr_array_new_with_free_func(g_free);
    g_main_context_set_poll_func(context, wait_ready);
    loop->source = g_source_new(&loop_source_funcs, sizeof(LoopSource));
    ((LoopSource *)loop->source)->loop = loop;
    g_source_set_static_name(loop->source, "event-loop");
    g_source_set_can_recurse(loop->source, true);
    g_source_attach(loop->source, context);
    return loop;
}

EventLoop *event_loop_main(void)
{
    static gsize main_loop;

    if (g_once_init_enter(&main_loop)) {
        EventLoop *loop = loop_new(g_main_context_ref(g_main_context_default()));

        loop->has_thread = true;
        g_once_init_leave(&main_loop, (gsize)loop);
    }
    return (EventLoop *)main_loop;
}

EventLoop *event_loop_new(void)
{
    return loop_new(g_main_context_new());
}

EventLoop *event_loop_ref(EventLoop *loop)
{
    __atomic_fetch_add(&loop->refs, 1, __ATOMIC_RELAXED);
    return loop;
}

bool event_loop_try_ref(EventLoop *loop)
{
    int refs = __atomic_load_n(&loop->refs, __ATOMIC_RELAXED);

    while (refs > 0) {
        if (__atomic_compare_exchange_n(&loop->refs, &refs, refs + 1, true, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return false;
}

void event_loop_unref(EventLoop *loop)
{
    if (!loop || __atomic_sub_fetch(&loop->refs, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    g_source_destroy(loop->source);
    g_source_unref(loop->source);
    event_loop_drop_deferred(loop);
    if (loop->timers) {
        loop->timers->free(loop->timers);
    }
    g_main_context_unref(loop->context);
    g_ptr_array_unref(loop->pollers);
    g_mutex_clear(&loop->lock);
    g_free(loop);
}

GMainContext *event_loop_context(EventLoop *loop)
{
    return loop->context;
}

EventLoop *event_loop_current(void)
{
    return own_loop ? own_loop : event_loop_main();
}

void event_loop_set_current(EventLoop *loop)
{
    /* The default of 50 us would make every short timer late. */
    prctl(PR_SET_TIMERSLACK, 1UL);
    if (own_loop) {
        __atomic_store_n(&own_loop->has_thread, false, __ATOMIC_SEQ_CST);
    }
    own_loop = loop;
    if (own_loop) {
        __atomic_store_n(&own_loop->has_thread, true, __ATOMIC_SEQ_CST);
    }
}

bool event_loop_is_current(EventLoop *loop)
{
    return event_loop_current() == loop;
}

bool event_loop_is_run_here(EventLoop *loop)
{
    return polled_loop == loop;
}

bool event_loop_has_thread(EventLoop *loop)
{
    return __atomic_load_n(&loop->has_thread, __ATOMIC_SEQ_CST);
}

bool event_loop_run_once(EventLoop *loop, bool may_block)
{
    EventLoop *outer = polled_loop;
    bool is_served;

    event_loop_ref(loop);
    polled_loop = loop;
    loop->depth++;
    is_served = g_main_context_iteration(loop->context, may_block);
    loop->depth--;
    polled_loop = outer;
    event_loop_unref(loop);
    return is_served;
}

void event_loop_run_until(EventLoop *loop, bool (*is_done)(void *opaque), void *opaque)
{
    while (!is_done(opaque)) {
        event_loop_run_once(loop, true);
    }
}

/* Also called in signal handlers: atomics and one write(). */
void event_loop_wake(EventLoop *loop)
{
    __atomic_store_n(&loop->is_wake_wanted, true, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&loop->is_waiting, __ATOMIC_SEQ_CST)) {
        g_main_context_wakeup(loop->context);
    }
}

void event_loop_set_wait_hooks(EventLoop *loop, const EventLoopWaitHooks *hooks)
{
    loop->hooks = hooks;
}

EventLoopTimers *event_loop_timers(EventLoop *loop, EventLoopTimers *(*make)(EventLoop *loop))
{
    EventLoopTimers *timers = __atomic_load_n(&loop->timers, __ATOMIC_ACQUIRE);

    if (timers) {
        return timers;
    }
    g_mutex_lock(&loop->lock);
    if (!loop->timers) {
        __atomic_store_n(&loop->timers, make(loop), __ATOMIC_RELEASE);
    }
    g_mutex_unlock(&loop->lock);
    return loop->timers;
}
