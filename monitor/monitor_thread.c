/*
 * mon_iothread: reads from clients that negotiated out-of-band commands, so that those are
 * served while the main loop is busy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor_state.h"
#include "util/thread.h"

static struct {
    EventLoop *loop;
    GThread *thread;
    bool is_ending; /* atomic */
} monitor_thread;

static bool is_ending(void *opaque)
{
    return __atomic_load_n(&monitor_thread.is_ending, __ATOMIC_ACQUIRE);
}

static gpointer monitor_thread_run(gpointer opaque)
{
    event_loop_set_current(monitor_thread.loop);
    event_loop_run_until(monitor_thread.loop, is_ending, NULL);
    event_loop_set_current(NULL);
    return NULL;
}

EventLoop *monitor_thread_loop(void)
{
    g_autofree char *why = NULL;

    if (!monitor_thread.loop) {
        monitor_thread.loop = event_loop_new();
        monitor_thread.thread = thread_new("IO mon_iothread", monitor_thread_run, NULL, &why);
        if (!monitor_thread.thread) {
            event_loop_unref(g_steal_pointer(&monitor_thread.loop));
        }
    }
    return monitor_thread.loop;
}

void monitor_thread_stop(void)
{
    if (monitor_thread.loop) {
        __atomic_store_n(&monitor_thread.is_ending, true, __ATOMIC_RELEASE);
        event_loop_wake(monitor_thread.loop);
        g_thread_join(monitor_thread.thread);
        event_loop_unref(g_steal_pointer(&monitor_thread.loop));
        monitor_thread.is_ending = false;
    }
}
