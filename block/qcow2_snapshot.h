/*
 * Internal snapshots of a qcow2 image.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_QCOW2_SNAPSHOT_H
#define BLOCK_QCOW2_SNAPSHOT_H

#include "block/qcow2.h"

typedef struct Qcow2Snapshot {
    char *id, *name;
    uint64_t l1_offset;
    uint32_t l1_entries;
    uint32_t date_sec, date_nsec;
    uint64_t vm_clock_ns, vm_state_bytes, disk_bytes;
    uint64_t icount; /* UINT64_MAX: not known */
    uint8_t *rest;   /* extra data that is not known */
    uint32_t rest_bytes;
} Qcow2Snapshot;

bool qcow2_snapshots_load(BlockQcow2 *image, Error **errp);
void qcow2_snapshot_clear(Qcow2Snapshot *snapshot);
void qcow2_snapshots_clear(BlockQcow2 *image);
struct SnapshotInfoArray *qcow2_snapshots_info(const BlockQcow2 *image); /* NULL: none */
/* --- qcow2_snapshot_act.c --- */

int qcow2_snapshot(BlockNode *node, BlockSnapshotAct act, const char *id, const char *name);
int qcow2_snapshot_new(BlockNode *node, const BlockSnapshotNew *new);

/* --- qcow2_vmstate.c --- */

int qcow2_vm_state(BlockNode *node, const BlockIo *io);
int qcow2_vm_state_drop(BlockNode *node);

/* --- qcow2_snapshot.c --- */

/* With the lock: does the L1 table of one stand there? */
bool qcow2_snapshot_is_at(const BlockQcow2 *image, uint64_t offset, uint64_t bytes);

#endif
