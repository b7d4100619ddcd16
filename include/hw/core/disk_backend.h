/*
 * DiskBackend: what is in a drive of the host's, as the DiskMedium that a device reads and writes.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_DISK_BACKEND_H
#define HW_CORE_DISK_BACKEND_H

#include "block/block_backend.h"
#include "hw/core/disk_medium.h"

typedef struct DiskBackend {
    DiskMedium medium;
    BlockBackend *drive;   /* borrowed */
    DiskRequest *pending;
} DiskBackend;

/* `drive` outlives it. */
void disk_backend_init(DiskBackend *backend, BlockBackend *drive);
/* What is in now, with its size; NULL: nothing. Borrowed. Look again when the drive has changed. */
DiskMedium *disk_backend_medium(DiskBackend *backend);

#endif
