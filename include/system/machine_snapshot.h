/*
 * Snapshots of the machine with its disks, inside their images: what migration/ does for monitors
 * and the command line. Main thread, machine lock, which is given up meanwhile.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MACHINE_SNAPSHOT_H
#define SYSTEM_MACHINE_SNAPSHOT_H

#include "qom/error.h"

typedef struct MachineSnapshot {
    const char *name;
    const char *vm_state;       /* the node that has the machine's; NULL: the first that can */
    const char *const *devices; /* nodes, NULL-ended; NULL: of all drives that can be written */
    bool may_replace;           /* one of this name */
} MachineSnapshot;

typedef struct MachineSnapshotOps {
    /* The machine stands still meanwhile, and goes on if it ran. */
    bool (*save)(const MachineSnapshot *snapshot, Error **errp);
    /* The machine is stopped afterwards; so it is if this fails when it has begun. */
    bool (*load)(const MachineSnapshot *snapshot, Error **errp);
    bool (*delete)(const MachineSnapshot *snapshot, Error **errp);
} MachineSnapshotOps;

void machine_snapshot_set_ops(const MachineSnapshotOps *ops);
const MachineSnapshotOps *machine_snapshot_ops(void);

#endif
