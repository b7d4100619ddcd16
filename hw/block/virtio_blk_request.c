/*
 * Requests of virtio-blk (virtio 1.3, 5.2.6): a header, data, and a status in the last byte. Data
 * goes between guest memory and the back end in place; neighbours that come together are merged.
 * Left out: secure erase, lifetime, zones, SCSI commands of legacy drivers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_blk.h"

#include "hw/core/block_batch.h"
#include "system/dma_map.h"

enum { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4, TYPE_GET_ID = 8, TYPE_DISCARD = 11,
       TYPE_WRITE_ZEROES = 13 };
enum { STATUS_OK = 0, STATUS_IOERR = 1, STATUS_UNSUPP = 2 };

#define HEADER_BYTES  16
#define STATUS_BYTES  1
#define SEGMENT_BYTES 16
#define SEGMENT_UNMAP 1

typedef struct Request {
    VirtQueueElement elem;
    VirtioBlk *blk;
    BlockRequest block;
    DmaMap map;
    bool is_mapped;
} Request;

static void answer(Request *request, uint8_t status)
{
    uint64_t room = request->elem.in.bytes;

    virtqueue_write(request, room - STATUS_BYTES, &status, STATUS_BYTES);
    virtqueue_push(request, room);
}

static void finish(Request *request, uint8_t status)
{
    VirtQueue *vq = request->elem.vq;

    answer(request, status);
    virtqueue_notify(vq);
}

static void fail(Request *request, BlockOp op)
{
    block_backend_count_invalid(request->blk->conf.drive, op);
    finish(request, STATUS_IOERR);
}

/* --- with the drive --- */

static void done(BlockRequest *block, int error)
{
    Request *request = container_of(block, Request, block);
    VirtQueue *vq = request->elem.vq;
    bool is_followed = block->is_followed;

    request->blk->in_flight--;
    if (request->is_mapped && dma_unmap(&request->map, !error) != MEM_TX_OK) {
        error = -EFAULT;
    }
    answer(request, !error ? STATUS_OK : error == -ENOTSUP ? STATUS_UNSUPP : STATUS_IOERR);
    if (!is_followed) {
        virtqueue_notify(vq);
    }
}

static void prepare(Request *request, BlockOp op, unsigned flags, uint64_t sector, uint64_t bytes)
{
    request->blk->in_flight++;
    request->block = (BlockRequest){
        .io = { op, flags, sector * BLOCK_SECTOR_BYTES, bytes, request->map.iov,
                request->map.count },
        .done = done,
    };
}

static void submit(Request *request, BlockOp op, unsigned flags, uint64_t sector, uint64_t bytes)
{
    prepare(request, op, flags, sector, bytes);
    device_worker_submit(request->blk->worker, request->blk->conf.drive, &request->block);
}

/* --- reads and writes --- */

static bool is_in_range(const VirtioBlk *blk, uint64_t sector, uint64_t bytes)
{
    uint64_t all = block_backend_bytes(blk->conf.drive);
    uint64_t offset;

    return !__builtin_mul_overflow(sector, BLOCK_SECTOR_BYTES, &offset) && offset <= all &&
           bytes <= all - offset && !((offset | bytes) & (blk->conf.logical_bytes - 1));
}

static void transfer(BlockBatch *batch, Request *request, uint64_t sector, bool is_write)
{
    const DmaList *list = is_write ? &request->elem.out : &request->elem.in;
    uint64_t around = is_write ? HEADER_BYTES : STATUS_BYTES;
    DmaSpan span = { is_write ? HEADER_BYTES : 0, list->bytes - around };
    BlockOp op = is_write ? BLOCK_WRITE : BLOCK_READ;

    if (!is_in_range(request->blk, sector, span.bytes) ||
        (is_write && block_backend_is_read_only(request->blk->conf.drive))) {
        fail(request, op);
    } else if (!span.bytes) {
        finish(request, STATUS_OK);
    } else if (!dma_map(&request->map, list, span, !is_write)) {
        fail(request, op);
    } else {
        request->is_mapped = true;
        prepare(request, op, 0, sector, span.bytes);
        block_batch_add(batch, request->blk->conf.drive, &request->block);
    }
}

/* --- ranges --- */

/* One segment, as the configuration says. */
static void change_range(Request *request, bool is_discard)
{
    VirtioBlk *blk = request->blk;
    uint8_t segment[SEGMENT_BYTES];
    uint64_t sector;
    uint32_t sectors, flags;

    if (request->elem.out.bytes != HEADER_BYTES + SEGMENT_BYTES) {
        finish(request, STATUS_UNSUPP);
        return;
    }
    virtqueue_read(request, HEADER_BYTES, segment, sizeof(segment));
    sector = virtio_get(&blk->parent, segment, 8);
    sectors = virtio_get(&blk->parent, segment + 8, 4);
    flags = virtio_get(&blk->parent, segment + 12, 4);
    if (flags & ~(is_discard ? 0 : SEGMENT_UNMAP)) {
        finish(request, STATUS_UNSUPP);
    } else if (sectors > (is_discard ? blk->max_discard : blk->max_zeroes) ||
               !is_in_range(blk, sector, (uint64_t)sectors * BLOCK_SECTOR_BYTES) ||
               block_backend_is_read_only(blk->conf.drive)) {
        fail(request, is_discard ? BLOCK_DISCARD : BLOCK_ZERO);
    } else if (!sectors) {
        finish(request, STATUS_OK);
    } else {
        submit(request, is_discard ? BLOCK_DISCARD : BLOCK_ZERO,
               flags & SEGMENT_UNMAP ? BLOCK_MAY_UNMAP : 0, sector,
               (uint64_t)sectors * BLOCK_SECTOR_BYTES);
    }
}

static void give_id(Request *request)
{
    char id[VIRTIO_BLK_SERIAL_BYTES] = "";
    const char *serial = request->blk->serial ? request->blk->serial : "";
    uint64_t room = request->elem.in.bytes - STATUS_BYTES;

    memcpy(id, serial, MIN(strlen(serial), sizeof(id)));
    virtqueue_write(request, 0, id, MIN(room, sizeof(id)));
    finish(request, STATUS_OK);
}

/* --- the queue --- */

static void start(BlockBatch *batch, Request *request, uint32_t type, uint64_t sector)
{
    const VirtioDevice *vdev = &request->blk->parent;

    switch (type) {
    case TYPE_IN:
    case TYPE_OUT:
        transfer(batch, request, sector, type == TYPE_OUT);
        break;
    case TYPE_FLUSH:
        submit(request, BLOCK_FLUSH, 0, 0, 0);
        break;
    case TYPE_GET_ID:
        give_id(request);
        break;
    case TYPE_DISCARD:
    case TYPE_WRITE_ZEROES:
        if (virtio_has_feature(vdev, type == TYPE_DISCARD ? VIRTIO_BLK_F_DISCARD :
                                                            VIRTIO_BLK_F_WRITE_ZEROES)) {
            change_range(request, type == TYPE_DISCARD);
            break;
        }
        finish(request, STATUS_UNSUPP);
        break;
    default:
        finish(request, STATUS_UNSUPP);
        break;
    }
}

static void take(VirtioBlk *blk, BlockBatch *batch, Request *request)
{
    VirtioDevice *vdev = &blk->parent;
    uint8_t header[HEADER_BYTES];

    request->blk = blk;
    if (request->elem.out.bytes < HEADER_BYTES || request->elem.in.bytes < STATUS_BYTES) {
        virtio_error(vdev, "virtio-blk: a request without header or status");
        virtqueue_drop(request);
        return;
    }
    virtqueue_read(request, 0, header, sizeof(header));
    start(batch, request, virtio_get(vdev, header, 4), virtio_get(vdev, header + 8, 8));
}

/* Kicks are not wanted while this goes on. */
void virtio_blk_kicked(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtioBlk *blk = VIRTIO_BLK(vdev);
    BlockBatch batch;
    Request *request;

    block_batch_init(&batch, blk->worker);
    batch.keeps_apart = !blk->merges;
    do {
        virtqueue_set_kicks(vq, false);
        while ((request = virtqueue_pop(vq, sizeof(*request)))) {
            take(blk, &batch, request);
        }
        block_batch_send(&batch);
        virtqueue_set_kicks(vq, true);
    } while (virtio_is_running(vdev) && !virtqueue_is_empty(vq));
}

void virtio_blk_drain(VirtioBlk *blk)
{
    while (blk->in_flight) {
        block_backend_drain(blk->conf.drive, true);
        device_worker_settle(blk->worker);
    }
}
