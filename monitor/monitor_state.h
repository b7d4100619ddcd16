/*
 * Monitor: what text and QMP monitors share: the front end, the output, the list of all, and
 * which one a command was given to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_MONITOR_STATE_H
#define MONITOR_MONITOR_STATE_H

#include "monitor/monitor.h"
#include "output.h"
#include "util/event_loop.h"

#define MONITOR_MAX_FDS 16

typedef struct Monitor Monitor;

/* What the two kinds do differently. */
typedef struct MonitorKind {
    void (*start)(Monitor *mon);
    /* Detached, out of the list. */
    void (*free)(Monitor *mon);
    /* An event as one line and as indented lines. Any thread. NULL: shows none. */
    void (*event)(Monitor *mon, const GString *plain, const GString *pretty);
} MonitorKind;

struct Monitor {
    const MonitorKind *kind;
    CharFrontend fe;
    MonitorOutput out;
    MonitorMode mode;
    GMutex fd_lock;
    int fds[MONITOR_MAX_FDS]; /* came in and were not taken yet, the oldest first */
    size_t fd_count;
    struct FdNames *fd_names; /* what getfd stored */
    Deferred *drop;           /* disconnects the client, in the main loop */
};

Monitor *qmp_monitor_new(void);
Monitor *hmp_monitor_new(void);

/* The monitor whose command this thread is running; NULL: none is. */
Monitor *monitor_current(void);
/* Returns what was current. */
Monitor *monitor_set_current(Monitor *mon);

/* Under the list's own lock, which comes before a monitor's. */
void monitor_each(void (*fn)(Monitor *mon, void *opaque), void *opaque);

/* Keeps the descriptors that came with what was just read. In the front end's context. */
void monitor_collect_fds(Monitor *mon);
/* The oldest one, now the caller's; -1 with *errp set. Any thread. */
int monitor_take_fd(Monitor *mon, Error **errp);
void monitor_close_fds(Monitor *mon);

bool monitor_is_preconfig(void);

/* The loop of "mon_iothread", which is started by the first who asks; NULL: the host refused. */
EventLoop *monitor_thread_loop(void);
/* Nothing may be left that runs in it. */
void monitor_thread_stop(void);

/* --- events (monitor/events.c) --- */

void monitor_events_init(void);
void monitor_events_cleanup(void);

#endif
