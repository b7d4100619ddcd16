/*
 * See include/system/machine_snapshot.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/machine_snapshot.h"

static const MachineSnapshotOps *the_ops;

void machine_snapshot_set_ops(const MachineSnapshotOps *ops)
{
    the_ops = ops;
}

const MachineSnapshotOps *machine_snapshot_ops(void)
{
    return the_ops;
}
