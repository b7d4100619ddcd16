/*
 * ScsiDisk: a logical unit with a medium, "scsi-hd" or "scsi-cd"; what their files share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_SCSI_SCSI_DISK_H
#define HW_SCSI_SCSI_DISK_H

#include "hw/core/block_conf.h"
#include "hw/core/scsi_identity.h"
#include "hw/scsi/scsi.h"

#define TYPE_SCSI_DISK "scsi-disk-base"

typedef struct ScsiDisk {
    ScsiDevice parent;
    /* properties */
    BlockConf conf;
    char *serial, *vendor, *product, *version, *device_id;
    uint64_t wwn, port_wwn, max_io_bytes;
    uint16_t port_index;
    int32_t scsi_version;
    /* of disks alone */
    uint64_t max_unmap_bytes;
    uint32_t cyls, heads, secs;
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

static inline ScsiIdentity scsi_disk_identity(const ScsiDisk *disk)
{
    return (ScsiIdentity){
        disk->vendor, disk->product, disk->version, disk->serial, disk->device_id,
        disk->wwn, disk->port_wwn, disk->port_index,
    };
}

static inline DeviceWorker *scsi_disk_worker(const ScsiDisk *disk)
{
    return SCSI_BUS(disk->parent.parent.bus)->worker;
}

/* scsi_disk.c */
/* What was not given gets its value; the medium is there already. */
void scsi_disk_set_names(ScsiDisk *disk, const char *product);
void scsi_disk_drain(ScsiDevice *dev);
bool scsi_disk_pre_save(void *disk, Error **errp);

/* scsi_disk_commands.c */
void scsi_disk_start(ScsiDevice *dev, ScsiRequest *request);
/* Data between guest and medium, which ends the request. An adapter that gives less room than
 * the command needs gets as much, in whole blocks. */
void scsi_disk_move(ScsiRequest *request, BlockIo io, uint64_t block_bytes);
void scsi_disk_set_write_cache(ScsiDisk *disk, bool is_on);

/* scsi_disk_pages.c: what it says of itself. */
void scsi_disk_inquiry(ScsiDisk *disk, ScsiRequest *request);
void scsi_disk_mode_sense(ScsiDisk *disk, ScsiRequest *request);
/* A page as a driver wants it, with `room` bytes; false: it cannot be so. */
typedef bool ScsiPageFn(ScsiDisk *disk, const uint8_t *page, unsigned room);
ScsiPageFn scsi_disk_select_page;
void scsi_disk_mode_select(ScsiDisk *disk, ScsiRequest *request, ScsiPageFn *select);

#endif
