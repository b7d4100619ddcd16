/*
 * iothread: a thread that runs an event loop, for devices and monitors to live in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_IOTHREAD_H
#define SYSTEM_IOTHREAD_H

#include "qom/object.h"
#include "util/event_loop.h"
#include "util/thread_pool.h"

#define TYPE_IOTHREAD "iothread"

typedef struct IoThread IoThread;

/*
 * One that is not the user's: it is not under /objects. Unreference it to end it. NULL: the host
 * has no more threads.
 */
IoThread *iothread_new(const char *id, Error **errp);
/* The user's, by id; borrowed, NULL if there is none. Machine lock. */
IoThread *iothread_find(const char *id);
/* These live as long as the iothread: keep a reference to it while you use them. */
EventLoop *iothread_loop(IoThread *thread);
ThreadPool *iothread_pool(IoThread *thread);
int iothread_thread_id(IoThread *thread);

#endif
