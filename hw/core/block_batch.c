/*
 * See hw/core/block_batch.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/block_batch.h"

#define MERGED_BYTES  (256 * KiB)
#define MERGED_PIECES 1024

/* What the first of several neighbours carries. */
typedef struct Merge {
    BlockIo io; /* its own, and whom it tells */
    void (*done)(BlockRequest *request, int error);
    unsigned others;
    BlockRequest *requests[BLOCK_BATCH_REQUESTS - 1];
    struct iovec pieces[];
} Merge;

/* --- the end --- */

static void end(BlockRequest *request, bool is_followed, int error)
{
    request->is_followed = is_followed;
    request->done(request, error);
}

static void merge_done(BlockRequest *request, int error)
{
    Merge *merge = request->merge;

    request->io = merge->io;
    request->done = merge->done;
    end(request, true, error);
    for (unsigned i = 0; i < merge->others; i++) {
        end(merge->requests[i], i + 1 < merge->others, error);
    }
    g_free(merge);
}

/* --- the beginning --- */

static int compare_places(const void *a, const void *b)
{
    const BlockBatchItem *one = a, *two = b;
    const BlockIo *io = &one->request->io, *other = &two->request->io;

    if (one->drive != two->drive) {
        return one->drive < two->drive ? -1 : 1;
    }
    if (io->op != other->op) {
        return io->op < other->op ? -1 : 1;
    }
    return io->offset < other->offset ? -1 : io->offset > other->offset;
}

/* How many from the first on are one run of bytes; *pieces: of them all. */
static unsigned run_length(const BlockBatchItem *items, unsigned count, uint64_t *pieces)
{
    const BlockIo *io = &items[0].request->io;
    uint64_t bytes = io->bytes;
    unsigned n = 1;

    *pieces = io->iov_count;
    for (; n < count; n++) {
        const BlockIo *next = &items[n].request->io;

        if (items[n].drive != items[0].drive || next->op != io->op ||
            next->offset != io->offset + bytes || bytes + next->bytes > MERGED_BYTES ||
            *pieces + next->iov_count > MERGED_PIECES) {
            break;
        }
        bytes += next->bytes;
        *pieces += next->iov_count;
    }
    return n;
}

/* The first carries the others. */
static void merge_run(const BlockBatchItem *items, unsigned count, uint64_t pieces)
{
    BlockRequest *first = items[0].request;
    Merge *merge = g_malloc(sizeof(*merge) + pieces * sizeof(struct iovec));
    unsigned at = first->io.iov_count;

    merge->io = first->io;
    merge->done = first->done;
    merge->others = count - 1;
    memcpy(merge->pieces, first->io.iov, at * sizeof(struct iovec));
    for (unsigned n = 1; n < count; n++) {
        BlockRequest *request = items[n].request;

        memcpy(merge->pieces + at, request->io.iov, request->io.iov_count * sizeof(struct iovec));
        at += request->io.iov_count;
        first->io.bytes += request->io.bytes;
        merge->requests[n - 1] = request;
    }
    first->io.iov = merge->pieces;
    first->io.iov_count = at;
    first->merged = count - 1;
    first->merge = merge;
    first->done = merge_done;
}

void block_batch_init(BlockBatch *batch, DeviceWorker *worker)
{
    batch->worker = worker;
    batch->keeps_apart = false;
    batch->count = 0;
}

void block_batch_add(BlockBatch *batch, BlockBackend *drive, BlockRequest *request)
{
    batch->items[batch->count++] = (BlockBatchItem){ drive, request };
    if (batch->count == BLOCK_BATCH_REQUESTS) {
        block_batch_send(batch);
    }
}

void block_batch_send(BlockBatch *batch)
{
    BlockBatchItem items[BLOCK_BATCH_REQUESTS]; /* what ends at once may bring others */
    unsigned count = batch->count;

    memcpy(items, batch->items, count * sizeof(*items));
    batch->count = 0;
    if (count > 1 && !batch->keeps_apart) {
        qsort(items, count, sizeof(*items), compare_places);
    }
    for (unsigned n = 0, run = 1; n < count; n += run) {
        uint64_t pieces;

        run = batch->keeps_apart ? 1 : run_length(items + n, count - n, &pieces);
        if (run > 1) {
            merge_run(items + n, run, pieces);
        }
        device_worker_submit(batch->worker, items[n].drive, items[n].request);
    }
}
