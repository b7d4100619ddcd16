/*
 * Snapshots as steps that can be undone. Machine lock; no request is under way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_SNAPSHOT_H
#define BLOCK_SNAPSHOT_H

#include "block/driver.h"

/* The reverse of block_snapshot(). */
void block_snapshot_undo(BlockNode *node, BlockNode *overlay, bool was_read_only);

typedef struct BlockSnapshotStep {
    BlockNode *node, *overlay; /* referenced; overlay NULL: it is inside the image */
    bool was_read_only;
    char *name;                /* of one inside the image */
} BlockSnapshotStep;

typedef struct BlockdevSnapshot BlockdevSnapshot;
typedef struct BlockdevSnapshotInternal BlockdevSnapshotInternal;
typedef struct BlockdevSnapshotSync BlockdevSnapshotSync;

/* False: nothing was done, and `step` is as it was. */
bool block_snapshot_step(BlockSnapshotStep *step, const BlockdevSnapshot *args, Error **errp);
bool block_snapshot_sync_step(BlockSnapshotStep *step, const BlockdevSnapshotSync *args,
                              Error **errp);
bool block_snapshot_internal_step(BlockSnapshotStep *step, const BlockdevSnapshotInternal *args,
                                  Error **errp);
void block_snapshot_step_undo(BlockSnapshotStep *step);
void block_snapshot_step_clear(BlockSnapshotStep *step);

#endif
