/*
 * Threads with names the host shows ("-name debug-threads=on").
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_THREAD_H
#define UTIL_THREAD_H

#define THREAD_NAME_BYTES 15 /* what the host keeps of a name */

/* Whether threads made from now on carry their names; off at the start. */
void thread_show_names(bool are_shown);

/*
 * A joinable thread with all signals blocked but those a thread raises by its own fault: signals
 * sent to the process reach the main thread. The thread may read what RCU guards (util/rcu.h).
 * NULL with *why (g_free) if the host refuses.
 */
GThread *thread_new(const char *name, GThreadFunc run, void *opaque, char **why);

/* The kernel's id of the calling thread. */
int thread_id(void);

#endif
