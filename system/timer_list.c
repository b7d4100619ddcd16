/*
 * Timer lists: see system/timer_list.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/timer_list.h"

#define RECHECK_US (50 * G_TIME_SPAN_MILLISECOND)

void timer_list_init(TimerList *list, EventLoop *loop, Clock clock)
{
    *list = (TimerList){ .loop = loop, .clock = clock, .first_ns = INT64_MAX };
    g_mutex_init(&list->lock);
    g_cond_init(&list->settled);
    list->heap = g_ptr_array_new();
    g_ptr_array_add(list->heap, NULL);
}

void timer_list_clear(TimerList *list)
{
    g_ptr_array_unref(list->heap);
    g_cond_clear(&list->settled);
    g_mutex_clear(&list->lock);
}

/* --- the heap, under the lock --- */

static Timer *at(TimerList *list, size_t slot)
{
    return list->heap->pdata[slot];
}

static bool fires_before(const Timer *a, const Timer *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void place(TimerList *list, Timer *timer, size_t slot)
{
    list->heap->pdata[slot] = timer;
    timer->slot = slot;
}

static void sift_up(TimerList *list, Timer *timer, size_t slot)
{
    for (; slot > 1 && fires_before(timer, at(list, slot / 2)); slot /= 2) {
        place(list, at(list, slot / 2), slot);
    }
    place(list, timer, slot);
}

static void sift_down(TimerList *list, Timer *timer, size_t slot)
{
    size_t end = list->heap->len;

    for (size_t child; (child = slot * 2) < end; slot = child) {
        if (child + 1 < end && fires_before(at(list, child + 1), at(list, child))) {
            child++;
        }
        if (!fires_before(at(list, child), timer)) {
            break;
        }
        place(list, at(list, child), slot);
    }
    place(list, timer, slot);
}

static void note_first(TimerList *list)
{
    int64_t first_ns = list->heap->len > 1 ? at(list, 1)->due_ns : INT64_MAX;

    __atomic_store_n(&list->first_ns, first_ns, __ATOMIC_SEQ_CST);
}

static void heap_remove(TimerList *list, Timer *timer)
{
    size_t slot = timer->slot;
    Timer *last = at(list, list->heap->len - 1);

    g_ptr_array_set_size(list->heap, list->heap->len - 1);
    timer->slot = 0;
    if (last == timer) {
        return;
    }
    if (slot > 1 && fires_before(last, at(list, slot / 2))) {
        sift_up(list, last, slot);
    } else {
        sift_down(list, last, slot);
    }
}

static void heap_add(TimerList *list, Timer *timer)
{
    g_ptr_array_add(list->heap, timer);
    sift_up(list, timer, list->heap->len - 1);
}

/* --- arming --- */

static void arm(Timer *timer, int64_t deadline_ns, bool only_earlier)
{
    TimerList *list = timer->list;
    bool is_new_first = false;

    deadline_ns = MIN(deadline_ns, INT64_MAX - 1);
    g_mutex_lock(&list->lock);
    if (!only_earlier || !timer->slot || deadline_ns < timer->deadline_ns) {
        if (timer->slot) {
            heap_remove(list, timer);
        }
        timer->deadline_ns = deadline_ns;
        timer->due_ns = list->run_depth > 0 ? MAX(deadline_ns, list->run_ns) : deadline_ns;
        timer->order = list->next_order++;
        heap_add(list, timer);
        note_first(list);
        is_new_first = timer->slot == 1;
    }
    g_mutex_unlock(&list->lock);
    if (is_new_first) {
        clock_first_changed(list->clock);
        if (!event_loop_is_run_here(list->loop)) {
            event_loop_wake(list->loop);
        }
    }
}

void timer_arm_at_ns(Timer *timer, int64_t deadline_ns)
{
    arm(timer, deadline_ns, false);
}

void timer_arm_no_later_ns(Timer *timer, int64_t deadline_ns)
{
    arm(timer, deadline_ns, true);
}

void timer_cancel(Timer *timer)
{
    TimerList *list = timer->list;

    if (!list) {
        return;
    }
    g_mutex_lock(&list->lock);
    if (timer->slot) {
        heap_remove(list, timer);
        note_first(list);
    }
    g_mutex_unlock(&list->lock);
}

bool timer_is_armed(const Timer *timer)
{
    return timer_deadline_ns(timer) != INT64_MAX;
}

int64_t timer_deadline_ns(const Timer *timer)
{
    TimerList *list = timer->list;
    int64_t deadline_ns;

    if (!list) {
        return INT64_MAX;
    }
    g_mutex_lock(&list->lock);
    deadline_ns = timer->slot ? timer->deadline_ns : INT64_MAX;
    g_mutex_unlock(&list->lock);
    return deadline_ns;
}

/* --- running --- */

static Timer *take_due(TimerList *list, int64_t now_ns, uint64_t end_order)
{
    Timer *timer = list->heap->len > 1 ? at(list, 1) : NULL;

    /* Stopping a clock in a timer's function keeps back the others. */
    if (!timer || timer->due_ns > now_ns || timer->order >= end_order ||
        !clock_is_running(list->clock)) {
        return NULL;
    }
    heap_remove(list, timer);
    note_first(list);
    return timer;
}

void timer_list_run(TimerList *list, int64_t now_ns)
{
    uint64_t end_order;
    int64_t outer_ns;
    Timer *timer;

    g_mutex_lock(&list->lock);
    end_order = list->next_order;
    outer_ns = list->run_ns;
    list->runner = g_thread_self();
    list->run_depth++;
    list->run_ns = now_ns;
    while ((timer = take_due(list, now_ns, end_order))) {
        EventFn *fn = timer->fn;
        void *opaque = timer->opaque;

        /* The timer may be gone when fn returns. */
        g_mutex_unlock(&list->lock);
        fn(opaque);
        g_mutex_lock(&list->lock);
    }
    list->run_ns = outer_ns;
    if (--list->run_depth == 0) {
        list->runner = NULL;
        list->runs++;
        g_cond_broadcast(&list->settled);
    }
    g_mutex_unlock(&list->lock);
}

void timer_list_settle(TimerList *list)
{
    g_mutex_lock(&list->lock);
    while (list->runner && list->runner != g_thread_self()) {
        g_cond_wait(&list->settled, &list->lock);
    }
    g_mutex_unlock(&list->lock);
}

void timer_list_await_run(TimerList *list, int64_t now_ns)
{
    uint64_t start;

    if (event_loop_is_run_here(list->loop)) {
        return; /* we are in one of its own timers */
    }
    g_mutex_lock(&list->lock);
    start = list->runs;
    /* The second run to end began after this call. */
    while (list->first_ns <= now_ns && list->runs - start < 2 &&
           event_loop_has_thread(list->loop) && clock_is_running(list->clock)) {
        event_loop_wake(list->loop);
        g_cond_wait_until(&list->settled, &list->lock, g_get_monotonic_time() + RECHECK_US);
    }
    g_mutex_unlock(&list->lock);
}

int64_t timer_list_first_ns(const TimerList *list)
{
    return __atomic_load_n(&list->first_ns, __ATOMIC_SEQ_CST);
}

int64_t timer_list_first_without_ns(TimerList *list, unsigned attributes)
{
    int64_t first_ns = INT64_MAX;

    if (attributes == 0) {
        return timer_list_first_ns(list);
    }
    g_mutex_lock(&list->lock);
    for (size_t slot = 1; slot < list->heap->len; slot++) {
        Timer *timer = at(list, slot);

        if (!(timer->attributes & attributes)) {
            first_ns = MIN(first_ns, timer->due_ns);
        }
    }
    g_mutex_unlock(&list->lock);
    return first_ns;
}
