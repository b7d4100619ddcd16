/*
 * What objects that stand for an event loop share: batches and limits of their thread pool.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_EVENT_LOOP_BASE_H
#define SYSTEM_EVENT_LOOP_BASE_H

#include "qom/object.h"
#include "util/event_loop.h"

#define TYPE_EVENT_LOOP_BASE "event-loop-base"

typedef struct EventLoopBase {
    Object parent;
    EventLoop *loop; /* NULL until the object is completed */
    int64_t aio_max_batch; /* requests submitted at once; 0: who submits decides */
    int64_t thread_pool_min, thread_pool_max;
} EventLoopBase;
DECLARE_CAST(EventLoopBase, EVENT_LOOP_BASE)

/* Sets the limits of base->loop's thread pool. */
bool event_loop_base_apply(EventLoopBase *base, Error **errp);

#endif
