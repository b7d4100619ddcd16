/*
 * Rules of blkdebug: at an event, in a state, the next requests of a kind begin to fail, or the
 * state changes.
 *
 * Any thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_BLKDEBUG_H
#define BLOCK_BLKDEBUG_H

#include "block/driver.h"

typedef struct BlkdebugRules {
    GMutex lock;
    GArray *all;       /* BlkdebugRule */
    GPtrArray *active; /* of those: what fails now */
    int64_t state;
} BlkdebugRules;

/* Those of a file ("config"; NULL: none) and of the options. */
bool blkdebug_rules_init(BlkdebugRules *rules, const BlockdevOptionsBlkdebug *options,
                         Error **errp);
void blkdebug_rules_clear(BlkdebugRules *rules);
void blkdebug_rules_event(BlkdebugRules *rules, BlkdebugEvent event);
/* 0, or the negative errno that a request of this kind fails with. */
int blkdebug_rules_check(BlkdebugRules *rules, BlkdebugIOType type, uint64_t offset,
                         uint64_t bytes);

#endif
