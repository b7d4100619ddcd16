/*
 * "event-loop-base", and "main-loop", which stands for the main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/event_loop_base.h"

#include "qom/user_creatable.h"
#include "util/thread_pool.h"

bool event_loop_base_apply(EventLoopBase *base, Error **errp)
{
    if (base->thread_pool_min > base->thread_pool_max) {
        return error_set(errp, "bad thread-pool-min, thread-pool-max range: %" PRId64 " is more "
                         "than %" PRId64, base->thread_pool_min, base->thread_pool_max);
    }
    thread_pool_set_limits(thread_pool_of(base->loop), base->thread_pool_min,
                           base->thread_pool_max);
    return true;
}

static bool check_limits(Object *obj, const Property *p, Error **errp)
{
    EventLoopBase *base = EVENT_LOOP_BASE(obj);

    /* Before that, the order in which both are set must not matter. */
    return !base->loop || event_loop_base_apply(base, errp);
}

static const Property base_props[] = {
    PROP_I64("aio-max-batch", EventLoopBase, aio_max_batch, .max = INT64_MAX, .is_live = true,
             .doc = "Most requests submitted at once; 0 is the default"),
    PROP_I64("thread-pool-min", EventLoopBase, thread_pool_min, .max = INT32_MAX, .is_live = true,
             .check = check_limits, .doc = "Worker threads that are kept ready"),
    PROP_I64("thread-pool-max", EventLoopBase, thread_pool_max, .min = 1, .max = INT32_MAX,
             .initial = THREAD_POOL_MAX_DEFAULT, .is_live = true, .check = check_limits,
             .doc = "Most worker threads"),
};

static const ObjectType base_type = {
    .name = TYPE_EVENT_LOOP_BASE,
    .doc = "An event loop",
    .size = sizeof(EventLoopBase),
    .is_abstract = true,
    .properties = PROPERTIES(base_props),
    .interfaces = (const InterfaceImpl[]){ { TYPE_USER_CREATABLE }, { 0 } },
};
OBJECT_TYPE(base_type)

static bool has_main_loop; /* there is an object for it */

static bool main_loop_complete(Object *obj, Error **errp)
{
    EventLoopBase *base = EVENT_LOOP_BASE(obj);

    if (has_main_loop) {
        return error_set(errp, "only one main-loop instance allowed");
    }
    base->loop = event_loop_main();
    has_main_loop = event_loop_base_apply(base, errp);
    base->loop = has_main_loop ? base->loop : NULL;
    return has_main_loop;
}

static void main_loop_finalize(Object *obj)
{
    has_main_loop = has_main_loop && !EVENT_LOOP_BASE(obj)->loop;
}

static bool never(Object *obj)
{
    return false;
}

static const UserCreatable main_loop_ops = {
    .complete = main_loop_complete, .can_be_deleted = never,
};
static const ObjectType main_loop_type = {
    .name = "main-loop",
    .doc = "The main event loop",
    .parent = TYPE_EVENT_LOOP_BASE,
    .finalize = main_loop_finalize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_USER_CREATABLE, &main_loop_ops }, { 0 } },
};
OBJECT_TYPE(main_loop_type)
