/*
 * throttle: a filter whose requests keep to the limits of a group.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/driver.h"

#include "block/throttle_group.h"

typedef struct ThrottleNode {
    BlockNode parent;
    ThrottleMember member;
    ThrottleGroup *next; /* while it is opened anew */
} ThrottleNode;

static ThrottleGroup *find_group(const BlockdevOptions *options, Error **errp)
{
    const char *name = options->u.throttle.throttle_group;
    ThrottleGroup *group = throttle_group_find(name);

    if (!group) {
        error_set(errp, "Throttle group '%s' does not exist", name);
    }
    return group;
}

static bool throttle_open(BlockNode *node, const BlockdevOptions *options, Error **errp)
{
    ThrottleGroup *group = find_group(options, errp);

    if (!group || !block_filter_open(node, options->u.throttle.file, errp)) {
        return false;
    }
    throttle_member_init(&((ThrottleNode *)node)->member, group);
    return true;
}

static bool throttle_reopen(BlockNode *node, const BlockdevOptions *options, Error **errp)
{
    ThrottleNode *throttle = (ThrottleNode *)node;

    throttle->next = find_group(options, errp);
    return throttle->next != NULL;
}

static void throttle_reopen_end(BlockNode *node, bool is_done)
{
    ThrottleNode *throttle = (ThrottleNode *)node;

    if (is_done && throttle->next != throttle->member.group) {
        throttle_member_clear(&throttle->member);
        throttle_member_init(&throttle->member, throttle->next);
    }
}

static void throttle_close(BlockNode *node)
{
    throttle_member_clear(&((ThrottleNode *)node)->member);
}

static int throttle_io(BlockNode *node, const BlockIo *io)
{
    throttle_member_wait(&((ThrottleNode *)node)->member, io);
    return io->op == BLOCK_FLUSH ? block_flush(node->file) : block_io(node->file, io);
}

static void go_on(BlockRequest *request, void *opaque, int error)
{
    BlockNode *node = opaque;

    block_submit(node->file, request);
}

static bool throttle_submit(BlockNode *node, BlockRequest *request)
{
    if (throttle_member_pass(&((ThrottleNode *)node)->member, request, go_on, node)) {
        block_submit(node->file, request);
    }
    return true;
}

static void throttle_hurry(BlockNode *node, bool is_on)
{
    throttle_member_hurry(&((ThrottleNode *)node)->member, is_on);
}

static const char *const throttle_changeable[] = { "throttle-group", NULL };

const BlockDriver block_throttle = {
    .name = "throttle", .kind = BLOCKDEV_DRIVER_THROTTLE, .size = sizeof(ThrottleNode),
    .is_filter = true, .does_fua = true, .open = throttle_open, .close = throttle_close,
    .changeable = throttle_changeable, .reopen = throttle_reopen,
    .reopen_end = throttle_reopen_end,
    .io = throttle_io, .submit = throttle_submit, .hurry = throttle_hurry,
    .extent = block_filter_extent, .resize = block_filter_resize,
};
