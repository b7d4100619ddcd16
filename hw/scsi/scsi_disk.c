/*
 * scsi-hd: a disk on a SCSI bus; and how it, and scsi-cd, have a drive of the host's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "scsi_disk.h"

#include "hw/core/disk_geometry.h"

#define SCSI_VERSION_SPC3  5
#define MAX_UNMAP_BYTES    (1 * GiB)
#define UNMAP_GRANULARITY  4096

/* --- the host's drive --- */

static void drive_changed(void *opaque)
{
    ScsiDisk *disk = opaque;
    const ScsiBus *bus = SCSI_BUS(disk->parent.parent.bus);

    disk->parent.attention = SCSI_CAPACITY_CHANGED;
    if (bus->ops->changed) {
        bus->ops->changed(bus->opaque, &disk->parent, SCSI_CAPACITY_CHANGED);
    }
}

static const BlockDeviceOps drive_ops = {
    .name = block_conf_device_name, .changed = drive_changed,
};

/* --- life --- */

static void default_text(char **text, const char *value)
{
    if (!*text) {
        *text = g_strdup(value);
    }
}

void scsi_disk_set_names(ScsiDisk *disk, const char *product)
{
    const char *drive = block_backend_name(disk->conf.drive);

    default_text(&disk->vendor, "QEMU");
    default_text(&disk->product, product);
    default_text(&disk->version, "2.5+");
    if (!disk->device_id && disk->serial) {
        disk->device_id = g_strndup(disk->serial, 20);
    } else if (!disk->device_id && *drive) {
        disk->device_id = g_strdup(drive);
    }
}

static bool set_geometry(ScsiDisk *disk, Error **errp)
{
    DiskGeometry geometry;

    if (!disk->cyls && !disk->heads && !disk->secs) {
        disk_geometry_guess(block_backend_bytes(disk->conf.drive) / BLOCK_SECTOR_BYTES, NULL,
                            &geometry);
        disk->cyls = geometry.cyls;
        disk->heads = geometry.heads;
        disk->secs = geometry.secs;
    }
    if (!disk->cyls || disk->cyls > 65535) {
        return error_set(errp, "cyls must be between 1 and 65535");
    }
    if (!disk->heads || disk->heads > 255) {
        return error_set(errp, "heads must be between 1 and 255");
    }
    return (disk->secs && disk->secs <= 255) ||
           error_set(errp, "secs must be between 1 and 255");
}

static bool set_up(ScsiDisk *disk, Error **errp)
{
    if (!block_conf_check_sizes(&disk->conf, errp) || !set_geometry(disk, errp)) {
        return false;
    }
    if (disk->conf.discard_bytes == BLOCK_SIZE_UNSET) {
        disk->conf.discard_bytes = MAX(disk->conf.logical_bytes, UNMAP_GRANULARITY);
    }
    scsi_disk_set_names(disk, "QEMU HARDDISK");
    disk->had_write_cache = block_backend_has_write_cache(disk->conf.drive);
    disk->has_write_cache = disk->had_write_cache;
    disk->parent.attention = SCSI_WAS_RESET;
    return true;
}

static bool scsi_hd_realize(Device *dev, Error **errp)
{
    ScsiDisk *disk = SCSI_DISK(dev);
    BlockConfUse use = { .ops = &drive_ops, .is_resizable = true };

    if (!disk->conf.drive) {
        return error_set(errp, "drive property not set");
    }
    use.is_read_only = block_backend_is_read_only(disk->conf.drive);
    if (!block_conf_attach(&disk->conf, dev, &use, disk, errp)) {
        return false;
    }
    if (!set_up(disk, errp)) {
        block_conf_detach(&disk->conf);
        return false;
    }
    return true;
}

void scsi_disk_drain(ScsiDevice *dev)
{
    ScsiDisk *disk = SCSI_DISK(dev);
    ScsiBus *bus = SCSI_BUS(dev->parent.bus);

    if (bus->batch) {
        block_batch_send(bus->batch);
    }
    while (disk->in_flight) {
        block_backend_drain(disk->conf.drive, true);
        device_worker_settle(scsi_disk_worker(disk));
    }
}

static void scsi_hd_unrealize(Device *dev)
{
    scsi_disk_drain(SCSI_DEVICE(dev));
    block_conf_release(&SCSI_DISK(dev)->conf);
}

static void scsi_hd_forget(ScsiDevice *dev)
{
    scsi_disk_set_write_cache(SCSI_DISK(dev), SCSI_DISK(dev)->had_write_cache);
}

static void scsi_hd_reset(Device *dev)
{
    scsi_device_reset(SCSI_DEVICE(dev));
}

bool scsi_disk_pre_save(void *opaque, Error **errp)
{
    const ScsiDisk *disk = opaque;

    return !disk->in_flight || error_set(errp, "%s: %u requests wait after an error",
                                         object_type_name(disk), disk->in_flight);
}

static bool scsi_hd_post_load(void *opaque, int version, Error **errp)
{
    ScsiDisk *disk = opaque;

    block_backend_set_write_cache(disk->conf.drive, disk->has_write_cache);
    return true;
}

static const Property scsi_disk_props[] = {
    PROP_BLOCK_CONF(ScsiDisk, conf),
    PROP_BLOCK_ERRORS(ScsiDisk, conf),
    PROP_BOOT_INDEX("bootindex", ScsiDisk, conf.boot_index),
    PROP_STR("serial", ScsiDisk, serial, .doc = "Serial number"),
    PROP_STR("vendor", ScsiDisk, vendor, .doc = "Vendor it tells, 8 characters"),
    PROP_STR("product", ScsiDisk, product, .doc = "Product it tells, 16 characters"),
    PROP_STR("ver", ScsiDisk, version, .doc = "Revision it tells, 4 characters"),
    PROP_STR("device_id", ScsiDisk, device_id,
             .doc = "What it is known by; else its serial number, else its drive's name"),
    PROP_U64("wwn", ScsiDisk, wwn, .doc = "World wide name; 0: none"),
    PROP_U64("port_wwn", ScsiDisk, port_wwn, .doc = "World wide name of its SAS port; 0: none"),
    PROP_U16("port_index", ScsiDisk, port_index, .doc = "Number of its SAS port; 0: none"),
    PROP_U64("max_io_size", ScsiDisk, max_io_bytes, .initial = INT32_MAX,
             .doc = "Most bytes of a transfer"),
    PROP_I32("scsi_version", ScsiDisk, scsi_version, .initial = SCSI_VERSION_SPC3,
             .doc = "Version of SCSI it tells; 5: SPC-3"),
};

static const ScsiDeviceType scsi_disk_type = {
    .name = TYPE_SCSI_DISK,
    .doc = "A logical unit with a medium",
    .parent = TYPE_SCSI_DEVICE,
    .size = sizeof(ScsiDisk),
    .is_abstract = true,
    .drain = scsi_disk_drain,
    .properties = PROPERTIES(scsi_disk_props),
};
OBJECT_TYPE(scsi_disk_type)

static const Property scsi_hd_props[] = {
    PROP_BLOCK_FIRMWARE_CHS(ScsiDisk, conf),
    PROP_U32("cyls", ScsiDisk, cyls, .doc = "Cylinders; 0: by size"),
    PROP_U32("heads", ScsiDisk, heads, .doc = "Heads"),
    PROP_U32("secs", ScsiDisk, secs, .doc = "Sectors of a track"),
    PROP_BOOL("removable", ScsiDisk, is_removable, .doc = "Says that its medium can be removed"),
    PROP_BOOL("dpofua", ScsiDisk, has_fua, .doc = "Says that writes can be forced to the medium"),
    PROP_U64("max_unmap_size", ScsiDisk, max_unmap_bytes, .initial = MAX_UNMAP_BYTES,
             .doc = "Most bytes of a range that is unmapped"),
    PROP_U16("rotation_rate", ScsiDisk, rotation_rate,
             .doc = "Rotations a minute; 0: not told, 1: none"),
};
static const VMField scsi_hd_fields[] = { VM_BOOL(ScsiDisk, has_write_cache) };

static const ScsiDeviceType scsi_hd_type = {
    .name = "scsi-hd",
    .doc = "SCSI disk",
    .parent = TYPE_SCSI_DISK,
    .start = scsi_disk_start,
    .forget = scsi_hd_forget,
    .properties = PROPERTIES(scsi_hd_props),
    .vmstate = VMSTATE(scsi_hd_fields, .version = 1, .pre_save = scsi_disk_pre_save,
                       .post_load = scsi_hd_post_load),
    .realize = scsi_hd_realize,
    .unrealize = scsi_hd_unrealize,
    .reset_hold = scsi_hd_reset,
};
OBJECT_TYPE(scsi_hd_type)
