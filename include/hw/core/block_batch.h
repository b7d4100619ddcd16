/*
 * BlockBatch: reads and writes that a device finds at one look at its queues. Those that are
 * neighbours on a drive become one request of it, and each ends as if it had been alone.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_BLOCK_BATCH_H
#define HW_CORE_BLOCK_BATCH_H

#include "block/block_backend.h"
#include "hw/core/device_worker.h"

#define BLOCK_BATCH_REQUESTS 32

typedef struct BlockBatchItem {
    BlockBackend *drive;
    BlockRequest *request;
} BlockBatchItem;

typedef struct BlockBatch {
    DeviceWorker *worker; /* of the device; NULL: the main loop */
    bool keeps_apart;     /* nothing is merged */
    unsigned count;
    BlockBatchItem items[BLOCK_BATCH_REQUESTS];
} BlockBatch;

void block_batch_init(BlockBatch *batch, DeviceWorker *worker);
/* A read or write without flags, with its `io` and `done`. It goes to the drive when there are
 * many, or block_batch_send() says so. */
void block_batch_add(BlockBatch *batch, BlockBackend *drive, BlockRequest *request);
/* All may end at once. */
void block_batch_send(BlockBatch *batch);

#endif
