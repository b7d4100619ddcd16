/*
 * IdeMedium: what a drive reads and writes; the door a block back end implements.
 *
 * Machine lock. Requests of one drive come one after the other, those of NCQ many at a time. A
 * request may be done before submit() returns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_IDE_IDE_MEDIUM_H
#define HW_IDE_IDE_MEDIUM_H

#define IDE_SECTOR_BYTES 512

typedef enum IdeOp { IDE_OP_READ, IDE_OP_WRITE, IDE_OP_FLUSH, IDE_OP_DISCARD } IdeOp;

typedef struct IdeRequest {
    IdeOp op;
    uint64_t sector;
    uint64_t sectors;
    uint8_t *buf;   /* reads and writes; belongs to the drive */
    void (*done)(struct IdeRequest *request, int error); /* 0, or an errno */
} IdeRequest;

typedef struct IdeMedium IdeMedium;

typedef struct IdeMediumOps {
    void (*submit)(IdeMedium *medium, IdeRequest *request);
    /* Ends when `request` is done or will never be: its done() is not called any more. */
    void (*cancel)(IdeMedium *medium, IdeRequest *request);
    /* The drive's eject button, from inside; NULL: it has none. */
    void (*eject)(IdeMedium *medium, bool is_open);
} IdeMediumOps;

struct IdeMedium {
    const IdeMediumOps *ops;
    uint64_t sectors; /* of IDE_SECTOR_BYTES */
    bool is_read_only;
};

#endif
