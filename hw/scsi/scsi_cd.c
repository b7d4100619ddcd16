/*
 * scsi-cd: a CD and DVD drive on a SCSI bus. Its commands are CdDrive's
 * (include/hw/core/cd_drive.h), its data goes as a disk's does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "scsi_disk.h"

#include "hw/core/cd_drive.h"

typedef struct ScsiCd {
    ScsiDisk parent;
    CdDrive cd;
} ScsiCd;
DECLARE_CAST(ScsiCd, SCSI_CD)

enum { MODE_SELECT_6 = 0x15, MODE_SELECT_10 = 0x55 };

static bool select_page(ScsiDisk *disk, const uint8_t *page, unsigned room)
{
    return cd_drive_has_page(&SCSI_CD(disk)->cd, page, room);
}

static void scsi_cd_start(ScsiDevice *dev, ScsiRequest *request)
{
    CdDrive *cd = &SCSI_CD(dev)->cd;
    uint8_t data[CD_REPLY_BYTES];
    CdReply reply = { .data = data };
    BlockIo io = { .op = BLOCK_READ };

    if (request->cdb[0] == MODE_SELECT_6 || request->cdb[0] == MODE_SELECT_10) {
        scsi_disk_mode_select(SCSI_DISK(dev), request, select_page);
        return;
    }
    cd_drive_execute(cd, request->cdb, &reply);
    switch (reply.answer) {
    case CD_DONE:
        scsi_end(request);
        break;
    case CD_FAILED:
        scsi_fail(request, cd->sense);
        break;
    case CD_DATA:
        scsi_reply(request, data, reply.bytes, reply.bytes);
        break;
    case CD_READ:
        io.offset = reply.block * CD_BLOCK_BYTES;
        io.bytes = reply.blocks * CD_BLOCK_BYTES;
        scsi_disk_move(request, io, CD_BLOCK_BYTES);
        break;
    }
}

/* --- the host's drive --- */

static void look_at_medium(ScsiCd *cd)
{
    const BlockBackend *drive = cd->parent.conf.drive;

    cd_drive_changed(&cd->cd, block_backend_node(drive), block_backend_bytes(drive));
}

static void tell_event(ScsiCd *cd)
{
    ScsiDevice *dev = &cd->parent.parent;
    const ScsiBus *bus = SCSI_BUS(dev->parent.bus);

    if (bus->ops->media_event) {
        bus->ops->media_event(bus->opaque, dev);
    }
}

/* A disc that grows is still the same; another is told of when the tray closes. */
static void drive_changed(void *opaque)
{
    ScsiCd *cd = opaque;
    bool had_medium = cd->cd.has_medium;

    look_at_medium(cd);
    if (had_medium && cd->cd.has_medium) {
        cd->parent.parent.attention = SCSI_CAPACITY_CHANGED;
    }
}

static void drive_load(void *opaque, bool is_loaded)
{
    cd_drive_load(&SCSI_CD(opaque)->cd, is_loaded);
    tell_event(opaque);
}

static void drive_eject_request(void *opaque, bool is_forced)
{
    cd_drive_eject_request(&SCSI_CD(opaque)->cd, is_forced);
    tell_event(opaque);
}

static bool drive_is_tray_open(void *opaque)
{
    return SCSI_CD(opaque)->cd.is_tray_open;
}

static bool drive_is_locked(void *opaque)
{
    return SCSI_CD(opaque)->cd.is_tray_locked;
}

static const BlockDeviceOps drive_ops = {
    .name = block_conf_device_name, .changed = drive_changed, .load = drive_load,
    .eject_request = drive_eject_request, .is_tray_open = drive_is_tray_open,
    .is_locked = drive_is_locked, .has_removable = true,
};

/* --- life --- */

static void start(ScsiCd *cd)
{
    ScsiDisk *disk = &cd->parent;

    scsi_disk_set_names(disk, "QEMU CD-ROM");
    cd->cd.identity = scsi_disk_identity(disk);
    cd->cd.scsi_version = disk->scsi_version;
    cd->cd.backend = disk->conf.drive;
    look_at_medium(cd);
    disk->parent.attention = SCSI_WAS_RESET;
}

static bool scsi_cd_realize(Device *dev, Error **errp)
{
    ScsiCd *cd = SCSI_CD(dev);
    BlockConfUse use = { .ops = &drive_ops, .is_read_only = true, .has_removable = true,
                         .is_resizable = true };

    if (!block_conf_check_sizes(&cd->parent.conf, errp) ||
        !block_conf_attach(&cd->parent.conf, dev, &use, cd, errp)) {
        return false;
    }
    start(cd);
    return true;
}

static void scsi_cd_unrealize(Device *dev)
{
    ScsiCd *cd = SCSI_CD(dev);

    scsi_disk_drain(SCSI_DEVICE(dev));
    cd->cd.backend = NULL;
    block_conf_release(&cd->parent.conf);
}

static void scsi_cd_forget(ScsiDevice *dev)
{
    cd_drive_reset(&SCSI_CD(dev)->cd);
}

static void scsi_cd_reset(Device *dev)
{
    scsi_device_reset(SCSI_DEVICE(dev));
}

static const VMField scsi_cd_fields[] = { VM_CD_DRIVE(ScsiCd, cd) };

static const ScsiDeviceType scsi_cd_type = {
    .name = "scsi-cd",
    .doc = "SCSI CD-ROM drive",
    .parent = TYPE_SCSI_DISK,
    .size = sizeof(ScsiCd),
    .start = scsi_cd_start,
    .forget = scsi_cd_forget,
    .has_media_events = true,
    .vmstate = VMSTATE(scsi_cd_fields, .version = 1, .pre_save = scsi_disk_pre_save),
    .realize = scsi_cd_realize,
    .unrealize = scsi_cd_unrealize,
    .reset_hold = scsi_cd_reset,
};
OBJECT_TYPE(scsi_cd_type)
