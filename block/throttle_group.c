/*
 * See block/throttle_group.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/throttle_group.h"

#include "block/block_clock.h"
#include "block/driver.h"
#include "block/loop.h"
#include "block/throttle.h"
#include "qapi/qapi-types-qom.h"
#include "qom/user_creatable.h"
#include "util/thread_pool.h"

#define LOOK_AGAIN_US 2000

struct ThrottleGroup {
    Object parent;
    char *name;
    bool is_complete;
    IoLimits limits;     /* as properties show them */
    BlockTimer *timer;
    GMutex lock;         /* all that follows, and members */
    GCond gone;          /* a blocking request went on */
    Throttle throttle;
    GQueue turns[2];     /* ThrottleMember, who is next first */
};
DECLARE_CAST(ThrottleGroup, THROTTLE_GROUP)

/* Either kind. */
typedef struct Waiter {
    BlockRequest *request; /* NULL: a thread that sleeps */
    uint64_t bytes;
    bool may_go;           /* of a thread */
} Waiter;

static GPtrArray *groups; /* ThrottleGroup; those that have a name */

/* --- which there are --- */

ThrottleGroup *throttle_group_find(const char *name)
{
    for (guint i = 0; groups && i < groups->len; i++) {
        ThrottleGroup *group = groups->pdata[i];

        if (!strcmp(group->name, name)) {
            return group;
        }
    }
    return NULL;
}

const char *throttle_group_name(const ThrottleGroup *group)
{
    return group->name;
}

static void take_name(ThrottleGroup *group, const char *name)
{
    if (!groups) {
        groups = g_ptr_array_new();
    }
    group->name = g_strdup(name);
    g_ptr_array_add(groups, group);
}

static void drop_name(ThrottleGroup *group)
{
    if (group->name) {
        g_ptr_array_remove(groups, group);
        if (!groups->len) {
            g_clear_pointer(&groups, g_ptr_array_unref);
        }
    }
    g_clear_pointer(&group->name, g_free);
}

/* --- who may go: with the lock --- */

static void let_go(ThrottleGroup *group, Waiter *waiter)
{
    if (waiter->request) {
        block_request_end_soon(waiter->request, 0); /* of its wait: its hook goes on */
        g_free(waiter);
    } else {
        waiter->may_go = true;
        g_cond_broadcast(&group->gone);
    }
}

static void let_first_go(ThrottleGroup *group, ThrottleMember *member, bool is_write)
{
    Waiter *waiter = g_queue_pop_head(&member->waiting[is_write]);

    g_queue_unlink(&group->turns[is_write], &member->in_turn[is_write]);
    if (member->waiting[is_write].length) {
        g_queue_push_tail_link(&group->turns[is_write], &member->in_turn[is_write]);
    }
    throttle_pour(&group->throttle, is_write, waiter->bytes);
    let_go(group, waiter);
}

/* When the next one of this direction may; 0: none waits. */
static int64_t let_go_of(ThrottleGroup *group, bool is_write)
{
    GQueue *turns = &group->turns[is_write];

    while (turns->head) {
        ThrottleMember *member = turns->head->data;
        int64_t wait_ns = throttle_wait_ns(&group->throttle, is_write, block_clock()->now_ns());

        if (wait_ns && !member->hurries) {
            return wait_ns;
        }
        let_first_go(group, member, is_write);
    }
    return 0;
}

static void let_some_go(ThrottleGroup *group)
{
    int64_t rd_ns = let_go_of(group, false), wr_ns = let_go_of(group, true);
    int64_t next_ns = rd_ns && wr_ns ? MIN(rd_ns, wr_ns) : MAX(rd_ns, wr_ns);

    if (next_ns) {
        block_clock()->timer_arm_after(group->timer, next_ns);
    }
}

static void time_passed(void *opaque)
{
    ThrottleGroup *group = opaque;

    g_mutex_lock(&group->lock);
    let_some_go(group);
    g_mutex_unlock(&group->lock);
}

static void wait_in_row(ThrottleMember *member, bool is_write, Waiter *waiter)
{
    ThrottleGroup *group = member->group;

    if (!member->waiting[is_write].length) {
        member->in_turn[is_write].data = member;
        g_queue_push_tail_link(&group->turns[is_write], &member->in_turn[is_write]);
    }
    g_queue_push_tail(&member->waiting[is_write], waiter);
    let_some_go(group);
}

/* True: it went. */
static bool try_go(ThrottleMember *member, bool is_write, uint64_t bytes)
{
    ThrottleGroup *group = member->group;
    bool has_others = member->waiting[is_write].length > 0;

    if (!member->hurries &&
        (has_others || throttle_wait_ns(&group->throttle, is_write, block_clock()->now_ns()))) {
        return false;
    }
    throttle_pour(&group->throttle, is_write, bytes);
    return true;
}

/* --- members --- */

void throttle_member_init(ThrottleMember *member, ThrottleGroup *group)
{
    *member = (ThrottleMember){ .group = THROTTLE_GROUP(object_ref(group)) };
}

void throttle_member_init_named(ThrottleMember *member, const char *name)
{
    ThrottleGroup *group = throttle_group_find(name);

    if (group) {
        throttle_member_init(member, group);
        return;
    }
    group = THROTTLE_GROUP(object_new(TYPE_THROTTLE_GROUP));
    take_name(group, name);
    group->is_complete = true;
    throttle_member_init(member, group);
    object_unref(group);
}

void throttle_member_clear(ThrottleMember *member)
{
    assert(!member->waiting[false].length && !member->waiting[true].length);
    g_clear_pointer(&member->group, object_unref);
}

static bool is_limited(const BlockIo *io)
{
    return io->op != BLOCK_FLUSH;
}

bool throttle_member_pass(ThrottleMember *member, BlockRequest *request, BlockRequestHook *fn,
                          void *opaque)
{
    bool is_write = request->io.op != BLOCK_READ, may_go;
    Waiter *waiter;

    if (!is_limited(&request->io)) {
        return true;
    }
    g_mutex_lock(&member->group->lock);
    may_go = try_go(member, is_write, request->io.bytes) ||
             request->hook_count == BLOCK_REQUEST_HOOKS;
    if (!may_go) {
        waiter = g_new0(Waiter, 1);
        *waiter = (Waiter){ .request = request, .bytes = request->io.bytes };
        request->hooks[request->hook_count].fn = fn;
        request->hooks[request->hook_count++].opaque = opaque;
        request->block_loop = block_loop_of(request->loop);
        wait_in_row(member, is_write, waiter);
    }
    g_mutex_unlock(&member->group->lock);
    return may_go;
}

void throttle_member_wait(ThrottleMember *member, const BlockIo *io)
{
    ThrottleGroup *group = member->group;
    bool is_write = io->op != BLOCK_READ;
    Waiter waiter = { .bytes = io->bytes };

    if (!is_limited(io)) {
        return;
    }
    g_mutex_lock(&group->lock);
    if (block_clock()->has_machine && !thread_pool_is_worker()) {
        throttle_pour(&group->throttle, is_write, io->bytes);
    } else if (!try_go(member, is_write, io->bytes)) {
        wait_in_row(member, is_write, &waiter);
        while (!waiter.may_go) {
            /* Nobody may be there to see that time passed. */
            g_cond_wait_until(&group->gone, &group->lock, g_get_monotonic_time() + LOOK_AGAIN_US);
            let_some_go(group);
        }
    }
    g_mutex_unlock(&group->lock);
}

void throttle_member_hurry(ThrottleMember *member, bool is_on)
{
    ThrottleGroup *group = member->group;

    g_mutex_lock(&group->lock);
    member->hurries += is_on ? 1 : -1;
    for (int is_write = 0; is_write <= 1 && is_on; is_write++) {
        while (member->waiting[is_write].length) {
            let_first_go(group, member, is_write);
        }
    }
    g_mutex_unlock(&group->lock);
}

/* --- limits --- */

void throttle_group_limits(ThrottleGroup *group, IoLimits *limits)
{
    *limits = group->limits;
}

void throttle_group_set(ThrottleGroup *group, const IoLimits *limits)
{
    g_mutex_lock(&group->lock);
    group->limits = *limits;
    throttle_set(&group->throttle, limits, block_clock()->now_ns());
    let_some_go(group);
    g_mutex_unlock(&group->lock);
}

/* --- the object --- */

static void throttle_group_init(Object *obj)
{
    ThrottleGroup *group = THROTTLE_GROUP(obj);

    g_mutex_init(&group->lock);
    g_cond_init(&group->gone);
    io_limits_init(&group->limits);
    throttle_set(&group->throttle, &group->limits, 0);
    group->timer = block_clock()->timer_new(time_passed, group);
}

static void throttle_group_finalize(Object *obj)
{
    ThrottleGroup *group = THROTTLE_GROUP(obj);

    block_clock()->timer_free(group->timer);
    drop_name(group);
    g_cond_clear(&group->gone);
    g_mutex_clear(&group->lock);
}

static bool throttle_group_complete(Object *obj, Error **errp)
{
    ThrottleGroup *group = THROTTLE_GROUP(obj);

    if (throttle_group_find(obj->name)) {
        return error_set(errp, "A group with this name already exists");
    }
    if (!io_limits_check(&group->limits, errp)) {
        return false;
    }
    take_name(group, obj->name);
    group->is_complete = true;
    throttle_group_set(group, &group->limits);
    return true;
}

static json_object *get_limits(Object *obj, const Property *p, Error **errp)
{
    return io_limits_to_json(&THROTTLE_GROUP(obj)->limits);
}

/* What is not given stays. */
static bool set_limits(Object *obj, const Property *p, json_object *value, PropertyForm form,
                       Error **errp)
{
    ThrottleGroup *group = THROTTLE_GROUP(obj);
    g_autoptr(ThrottleLimits) given =
        throttle_limits_from_json(value, form == PROPERTY_TEXT ? QAPI_TEXT : QAPI_TYPED, errp);
    g_autoptr(JsonObject) json = given ? throttle_limits_to_json(given) : NULL;
    IoLimits limits = group->limits;

    if (!json) {
        return false;
    }
    io_limits_take(&limits, json, false);
    if (!group->is_complete) {
        group->limits = limits; /* looked at when all are there */
        return true;
    }
    if (!io_limits_check(&limits, errp)) {
        return false;
    }
    throttle_group_set(group, &limits);
    return true;
}

#define LIMIT(name_, field_, initial_, doc_)                                                       \
    PROP_I64("x-" name_, ThrottleGroup, limits.field_, .max = INT64_MAX, .initial = initial_,      \
             .doc = doc_)
#define LIMITS(name_, field_, what_)                                                               \
    LIMIT(name_, field_.rate, 0, what_ " a second; 0: no limit"),                                  \
    LIMIT(name_ "-max", field_.burst, 0, what_ " a second in a burst"),                            \
    LIMIT(name_ "-max-length", field_.seconds, 1, "Seconds that such a burst lasts")
static const Property throttle_group_props[] = {
    LIMITS("bps-total", bytes[IO_LIMIT_TOTAL], "Bytes"),
    LIMITS("bps-read", bytes[IO_LIMIT_READ], "Bytes read"),
    LIMITS("bps-write", bytes[IO_LIMIT_WRITE], "Bytes written"),
    LIMITS("iops-total", requests[IO_LIMIT_TOTAL], "Requests"),
    LIMITS("iops-read", requests[IO_LIMIT_READ], "Reads"),
    LIMITS("iops-write", requests[IO_LIMIT_WRITE], "Writes"),
    LIMIT("iops-size", request_bytes, 0, "Bytes after which a request counts as several"),
    PROP_COMPUTED("limits", "ThrottleLimits", .get = get_limits, .set = set_limits,
                  .is_live = true, .doc = "All of them; what is not given stays"),
};

static const UserCreatable throttle_group_ops = { .complete = throttle_group_complete };
static const ObjectType throttle_group_type = {
    .name = TYPE_THROTTLE_GROUP,
    .doc = "Limits that disks share",
    .size = sizeof(ThrottleGroup),
    .properties = PROPERTIES(throttle_group_props),
    .interfaces = (const InterfaceImpl[]){ { TYPE_USER_CREATABLE, &throttle_group_ops }, { 0 } },
    .init = throttle_group_init,
    .finalize = throttle_group_finalize,
};
OBJECT_TYPE(throttle_group_type)
