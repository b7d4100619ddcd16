/*
 * ScsiDisk: a direct-access unit; what its files share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_SCSI_SCSI_DISK_H
#define HW_SCSI_SCSI_DISK_H

#include "hw/core/block_conf.h"
#include "hw/scsi/scsi.h"

typedef struct ScsiDisk {
    ScsiDevice parent;
    /* properties */
    BlockConf conf;
    char *serial, *vendor, *product, *version, *device_id;
    uint64_t wwn, max_unmap_bytes, max_io_bytes;
    uint32_t cyls, heads, secs;
    int32_t scsi_version;
    uint16_t rotation_rate;
    bool is_removable, has_fua;
    /* state */
    unsigned in_flight;
    bool has_write_cache, had_write_cache; /* had_: at power on */
} ScsiDisk;
DECLARE_CAST(ScsiDisk, SCSI_DISK)

static inline uint64_t scsi_disk_blocks(const ScsiDisk *disk)
{
    return block_backend_bytes(disk->conf.drive) / disk->conf.logical_bytes;
}

/* scsi_disk_commands.c */
void scsi_disk_start(ScsiDevice *dev, ScsiRequest *request);
void scsi_disk_set_write_cache(ScsiDisk *disk, bool is_on);

/* scsi_disk_pages.c: what it says of itself. */
void scsi_disk_inquiry(ScsiDisk *disk, ScsiRequest *request);
void scsi_disk_mode_sense(ScsiDisk *disk, ScsiRequest *request);
void scsi_disk_mode_select(ScsiDisk *disk, ScsiRequest *request);

#endif
