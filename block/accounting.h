/*
 * Counts of drives' requests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_ACCOUNTING_H
#define BLOCK_ACCOUNTING_H

#include "block/backend.h"

/* Any thread: a request ended that began then; `merged`: others of the guest's that were in it. */
void block_count(BlockBackend *drive, const BlockIo *io, unsigned merged, int64_t since_ns,
                 int err);
void block_fill_counts(BlockBackend *drive, BlockDeviceStats *stats);
/* With the drive. */
void block_counts_clear(BlockBackend *drive);

/* --- intervals.c --- */

/* Before the first request. */
void block_intervals_add(BlockBackend *drive, unsigned seconds);
void block_intervals_clear(BlockBackend *drive);
/* With the drive's lock, where it has any. */
void block_intervals_count(BlockBackend *drive, BlockOp op, uint64_t took_ns);
void block_intervals_fill(BlockBackend *drive, BlockDeviceTimedStatsArray *list);

#endif
