/*
 * BlockBackend inside this room.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_BACKEND_H
#define BLOCK_BACKEND_H

#include "block/block_backend.h"
#include "block/driver.h"
#include "block/throttle_group.h"

typedef struct BlockHistogram BlockHistogram;

typedef struct BlockCounts {
    uint64_t bytes, operations, failed, invalid, merged, time_ns;
    BlockHistogram *histogram; /* NULL: none; the drive's lock */
} BlockCounts;

struct BlockBackend {
    char *name; /* NULL: none */
    unsigned refs;
    BlockLink *link; /* NULL: no medium */
    const BlockDeviceOps *ops; /* NULL: no device */
    void *opaque;
    unsigned perms, shared; /* for media */
    BlockErrorPolicy on_read, on_write;
    bool has_write_cache, was_read_only; /* was_read_only: the last medium */
    bool counts_invalid, counts_failed;
    BlockDeviceIoStatus io_status;
    bool has_io_status;
    int in_flight;      /* atomic */
    unsigned quiet;
    EventLoop *last_loop; /* where requests end; one at a time */
    GMutex lock;        /* of what follows; requests come from iothreads too */
    GQueue held;        /* BlockRequest: quiet */
    GQueue failed;      /* BlockRequest: wait for the VM to run */
    BlockCounts counts[BLOCK_OPS];
    GArray *intervals;  /* NULL: none; its contents: the lock */
    int64_t latest_ns;  /* atomic: when a request ended last; 0: none did */
    ThrottleMember *throttle; /* NULL: no limits of its own; changed while it is quiet */
};

/* What messages call it; free it. */
char *block_backend_label(const BlockBackend *drive);
/* Clients are told how its last request ended: only where an error may stop the machine. */
bool block_backend_tells_status(const BlockBackend *drive);
/* The device's id or path, "" without one; free it. */
char *block_backend_device_name(const BlockBackend *drive);

/* --- throttle_command.c --- */

/* From now on, in the group of this name (NULL: where it is, or its own); none if no limit is set,
 * or `limits` is NULL. */
void block_backend_set_limits(BlockBackend *drive, const IoLimits *limits, const char *group);
void block_backend_fill_limits(const BlockBackend *drive, BlockDeviceInfo *info);

/* --- commands.c --- */

/* Exactly one of both says which; with the errors users know. */
BlockBackend *block_backend_named(const char *device, const char *id, Error **errp);

/* A drive, by its name, or a node. */
BlockNode *block_node_of(const char *device, const char *node_name, Error **errp);
/* No drive has a request under way, and none begins. */
void block_begin_quiet_all(void);
void block_end_quiet_all(void);

#endif
