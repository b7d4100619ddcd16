/*
 * ThrottleGroup: drives and nodes that share limits. Those of one group take turns: each member
 * has a row of requests that wait, for either direction. Objects "throttle-group" are such groups;
 * a drive that names none has one of its own.
 *
 * Machine lock, but for what is marked "any thread".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_THROTTLE_GROUP_H
#define BLOCK_THROTTLE_GROUP_H

#include "block/block_node.h"
#include "block/io_limits.h"

#define TYPE_THROTTLE_GROUP "throttle-group"

typedef struct ThrottleGroup ThrottleGroup;

typedef struct ThrottleMember {
    ThrottleGroup *group; /* referenced */
    /* The group's lock. */
    GQueue waiting[2];    /* of reads, of writes */
    GList in_turn[2];     /* of the group, while any wait */
    unsigned hurries;
} ThrottleMember;

/* Borrowed; NULL: there is none. */
ThrottleGroup *throttle_group_find(const char *name);
const char *throttle_group_name(const ThrottleGroup *group);
void throttle_group_limits(ThrottleGroup *group, IoLimits *limits);
/* `limits` were checked. Who waits is looked at anew. */
void throttle_group_set(ThrottleGroup *group, const IoLimits *limits);

void throttle_member_init(ThrottleMember *member, ThrottleGroup *group);
/* The same of a group that is made if there is none of the name. */
void throttle_member_init_named(ThrottleMember *member, const char *name);
/* None of its requests waits. */
void throttle_member_clear(ThrottleMember *member);
/*
 * Any thread. True: the request may go on. False: `fn` is called in its loop when it may. Only
 * what reads or changes data is limited.
 */
bool throttle_member_pass(ThrottleMember *member, BlockRequest *request, BlockRequestHook *fn,
                          void *opaque);
/* The same for a blocking request. Of a machine only worker threads wait: others hold it up. */
void throttle_member_wait(ThrottleMember *member, const BlockIo *io);
/* Nothing of its waits, until it is told so as often as it was told to hurry. */
void throttle_member_hurry(ThrottleMember *member, bool is_on);

#endif
