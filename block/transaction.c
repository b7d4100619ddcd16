/*
 * transaction: several actions, of which all are done or none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/backend.h"

#include "block/bitmap.h"
#include "block/snapshot.h"
#include "qapi/qapi-commands-transaction.h"

typedef struct Step {
    bool is_bitmap;
    union {
        BlockBitmapStep bitmap;
        BlockSnapshotStep snapshot;
    } u;
} Step;

static bool run_snapshot(BlockSnapshotStep *step, const TransactionAction *action, Error **errp)
{
    switch (action->type) {
    case TRANSACTION_ACTION_KIND_BLOCKDEV_SNAPSHOT:
        return block_snapshot_step(step, action->u.blockdev_snapshot.data, errp);
    case TRANSACTION_ACTION_KIND_BLOCKDEV_SNAPSHOT_SYNC:
        return block_snapshot_sync_step(step, action->u.blockdev_snapshot_sync.data, errp);
    case TRANSACTION_ACTION_KIND_BLOCKDEV_SNAPSHOT_INTERNAL_SYNC:
        return block_snapshot_internal_step(step, action->u.blockdev_snapshot_internal_sync.data,
                                            errp);
    default:
        return error_set(errp, "Transaction aborted using Abort action");
    }
}

static bool run(Step *step, const TransactionAction *action, Error **errp)
{
    BlockBitmapStep *bitmap = &step->u.bitmap;

    step->is_bitmap = true;
    switch (action->type) {
    case TRANSACTION_ACTION_KIND_BLOCK_DIRTY_BITMAP_ADD:
        return block_bitmap_add_step(bitmap, action->u.block_dirty_bitmap_add.data, errp);
    case TRANSACTION_ACTION_KIND_BLOCK_DIRTY_BITMAP_MERGE:
        return block_bitmap_merge_step(bitmap, action->u.block_dirty_bitmap_merge.data, errp);
    case TRANSACTION_ACTION_KIND_BLOCK_DIRTY_BITMAP_REMOVE:
        return block_bitmap_step(bitmap, BLOCK_BITMAP_REMOVE,
                                 action->u.block_dirty_bitmap_remove.data, errp);
    case TRANSACTION_ACTION_KIND_BLOCK_DIRTY_BITMAP_CLEAR:
        return block_bitmap_step(bitmap, BLOCK_BITMAP_CLEAR,
                                 action->u.block_dirty_bitmap_clear.data, errp);
    case TRANSACTION_ACTION_KIND_BLOCK_DIRTY_BITMAP_ENABLE:
        return block_bitmap_step(bitmap, BLOCK_BITMAP_ENABLE,
                                 action->u.block_dirty_bitmap_enable.data, errp);
    case TRANSACTION_ACTION_KIND_BLOCK_DIRTY_BITMAP_DISABLE:
        return block_bitmap_step(bitmap, BLOCK_BITMAP_DISABLE,
                                 action->u.block_dirty_bitmap_disable.data, errp);
    default:
        step->is_bitmap = false;
        return run_snapshot(&step->u.snapshot, action, errp);
    }
}

static void undo(Step *step)
{
    if (step->is_bitmap) {
        block_bitmap_step_undo(&step->u.bitmap);
    } else {
        block_snapshot_step_undo(&step->u.snapshot);
    }
}

static void clear(Step *step)
{
    if (step->is_bitmap) {
        block_bitmap_step_clear(&step->u.bitmap);
    } else {
        block_snapshot_step_clear(&step->u.snapshot);
    }
}

bool qmp_transaction(const TransactionActionArray *actions, const TransactionProperties *properties,
                     Error **errp)
{
    g_autofree Step *steps = g_new0(Step, actions->count);
    size_t done = 0;

    block_begin_quiet_all();
    while (done < actions->count && run(&steps[done], actions->items[done], errp)) {
        done++;
    }
    if (done < actions->count) {
        for (size_t i = done; i > 0; i--) {
            undo(&steps[i - 1]);
        }
    }
    block_end_quiet_all();
    for (size_t i = 0; i < done; i++) {
        clear(&steps[i]);
    }
    return done == actions->count;
}
