/*
 * mon_iothread: reads from clients that negotiated out-of-band commands, so that those are
 * served while the main loop is busy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor_state.h"
#include "system/iothread.h"

static IoThread *monitor_thread;

EventLoop *monitor_thread_loop(void)
{
    if (!monitor_thread) {
        monitor_thread = iothread_new("mon_iothread", NULL);
    }
    return monitor_thread ? iothread_loop(monitor_thread) : NULL;
}

void monitor_thread_stop(void)
{
    if (monitor_thread) {
        object_unref(g_steal_pointer(&monitor_thread));
    }
}
