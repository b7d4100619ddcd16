/*
 * DiskMedium: what a drive reads and writes; the door a block back end implements.
 *
 * Machine lock. Requests of one drive come one after the other, those of NCQ many at a time. A
 * request may be done before submit() returns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_DISK_MEDIUM_H
#define HW_CORE_DISK_MEDIUM_H

#define DISK_SECTOR_BYTES 512

typedef enum DiskOp { DISK_OP_READ, DISK_OP_WRITE, DISK_OP_FLUSH, DISK_OP_DISCARD } DiskOp;

typedef struct DiskRequest {
    DiskOp op;
    uint64_t sector;
    uint64_t sectors;
    uint8_t *buf;   /* reads and writes; belongs to the drive */
    void (*done)(struct DiskRequest *request, int error); /* 0, or an errno */
} DiskRequest;

typedef struct DiskMedium DiskMedium;

typedef struct DiskMediumOps {
    void (*submit)(DiskMedium *medium, DiskRequest *request);
    /* Ends when `request` is done or will never be: its done() is not called any more. */
    void (*cancel)(DiskMedium *medium, DiskRequest *request);
    /* The drive's eject button, from inside; NULL: it has none. */
    void (*eject)(DiskMedium *medium, bool is_open);
} DiskMediumOps;

struct DiskMedium {
    const DiskMediumOps *ops;
    uint64_t sectors; /* of DISK_SECTOR_BYTES */
    bool is_read_only;
};

#endif
