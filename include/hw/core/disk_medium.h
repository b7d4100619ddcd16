/*
 * DiskMedium: what a drive reads and writes; the door that a drive of the host's implements
 * (include/hw/core/disk_backend.h).
 *
 * Machine lock. Requests of one drive come one after the other, those of NCQ many at a time. A
 * request may be done before submit() returns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_DISK_MEDIUM_H
#define HW_CORE_DISK_MEDIUM_H

#include "block/block_node.h"

#define DISK_SECTOR_BYTES 512

typedef enum DiskOp { DISK_OP_READ, DISK_OP_WRITE, DISK_OP_FLUSH, DISK_OP_DISCARD } DiskOp;

typedef struct DiskMedium DiskMedium;

typedef struct DiskRequest {
    DiskOp op;
    uint64_t sector;
    uint64_t sectors;
    uint8_t *buf;   /* reads and writes; belongs to the drive */
    void (*done)(struct DiskRequest *request, int error); /* 0, or an errno */
    /* the medium's own */
    DiskMedium *medium;
    struct DiskRequest *next, **link; /* of those under way */
    bool is_cancelled;
    BlockRequest block;
    struct iovec iov;
} DiskRequest;

typedef struct DiskMediumOps {
    void (*submit)(DiskMedium *medium, DiskRequest *request);
    /* Ends when all requests are done or will never be: done() is called for none any more. */
    void (*cancel)(DiskMedium *medium);
    /* Ends when all requests are done, but for those that wait for the VM to run. NULL: they are. */
    void (*wait)(DiskMedium *medium);
    /* Off: what has been written is durable. NULL: there is no cache. */
    void (*set_write_cache)(DiskMedium *medium, bool is_on);
} DiskMediumOps;

struct DiskMedium {
    const DiskMediumOps *ops;
    uint64_t sectors; /* of DISK_SECTOR_BYTES */
    bool is_read_only;
};

#endif
