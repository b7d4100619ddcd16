/*
 * transaction: several actions, of which all are done or none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/backend.h"

#include "block/snapshot.h"
#include "qapi/qapi-commands-transaction.h"

static bool run(BlockSnapshotStep *step, const TransactionAction *action, Error **errp)
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

bool qmp_transaction(const TransactionActionArray *actions, const TransactionProperties *properties,
                     Error **errp)
{
    g_autofree BlockSnapshotStep *steps = g_new0(BlockSnapshotStep, actions->count);
    size_t done = 0;

    block_begin_quiet_all();
    while (done < actions->count && run(&steps[done], actions->items[done], errp)) {
        done++;
    }
    if (done < actions->count) {
        for (size_t i = done; i > 0; i--) {
            block_snapshot_step_undo(&steps[i - 1]);
        }
    }
    block_end_quiet_all();
    for (size_t i = 0; i < done; i++) {
        block_snapshot_step_clear(&steps[i]);
    }
    return done == actions->count;
}
