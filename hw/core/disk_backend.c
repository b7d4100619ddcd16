/*
 * See hw/core/disk_backend.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/disk_backend.h"

static DiskBackend *of(DiskMedium *medium)
{
    return container_of(medium, DiskBackend, medium);
}

/* --- those under way --- */

static void remember(DiskBackend *backend, DiskRequest *request)
{
    request->next = backend->pending;
    request->link = &backend->pending;
    if (request->next) {
        request->next->link = &request->next;
    }
    backend->pending = request;
}

static void forget(DiskRequest *request)
{
    *request->link = request->next;
    if (request->next) {
        request->next->link = request->link;
    }
}

/* --- requests --- */

static void done(BlockRequest *block, int error)
{
    DiskRequest *request = container_of(block, DiskRequest, block);

    forget(request);
    if (!request->is_cancelled) {
        request->done(request, -error);
    }
}

static void submit(DiskMedium *medium, DiskRequest *request)
{
    static const BlockOp ops[] = {
        [DISK_OP_READ] = BLOCK_READ, [DISK_OP_WRITE] = BLOCK_WRITE,
        [DISK_OP_FLUSH] = BLOCK_FLUSH, [DISK_OP_DISCARD] = BLOCK_DISCARD,
    };
    uint64_t bytes = request->op == DISK_OP_FLUSH ? 0 : request->sectors * DISK_SECTOR_BYTES;

    request->medium = medium;
    request->is_cancelled = false;
    request->iov = (struct iovec){ request->buf, bytes };
    request->block = (BlockRequest){
        .io = { ops[request->op], 0, bytes ? request->sector * DISK_SECTOR_BYTES : 0, bytes,
                &request->iov, 1 },
        .done = done,
    };
    remember(of(medium), request);
    block_backend_submit(of(medium)->drive, &request->block);
}

static void cancel(DiskMedium *medium)
{
    DiskBackend *backend = of(medium);

    for (DiskRequest *request = backend->pending; request; request = request->next) {
        request->is_cancelled = true;
    }
    if (backend->pending) {
        block_backend_drain(backend->drive, true);
    }
}

static void wait(DiskMedium *medium)
{
    block_backend_drain(of(medium)->drive, false);
}

static void set_write_cache(DiskMedium *medium, bool is_on)
{
    block_backend_set_write_cache(of(medium)->drive, is_on);
}

void disk_backend_init(DiskBackend *backend, BlockBackend *drive)
{
    static const DiskMediumOps ops = { submit, cancel, wait, set_write_cache };

    *backend = (DiskBackend){ .medium = { .ops = &ops }, .drive = drive };
}

DiskMedium *disk_backend_medium(DiskBackend *backend)
{
    if (!block_backend_node(backend->drive)) {
        return NULL;
    }
    backend->medium.sectors = block_backend_bytes(backend->drive) / DISK_SECTOR_BYTES;
    backend->medium.is_read_only = block_backend_is_read_only(backend->drive);
    return &backend->medium;
}
