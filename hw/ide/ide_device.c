/*
 * ide-hd and ide-cd: what users plug into a channel, and how they have a drive of the host's.
 * Their registers and commands are in the other files of this folder.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/block_drive.h"
#include "hw/core/block_conf.h"
#include "hw/core/disk_backend.h"
#include "hw/core/disk_geometry.h"
#include "hw/ide/ide_device.h"
#include "hw/ide/ide_drive.h"

#define FIRMWARE_VERSION "2.5+"
#define UNIT_ANY         UINT32_MAX
#define BLANK_CD_MODEL   "QEMU DVD-ROM"
#define DISK_MODEL       "QEMU HARDDISK"

typedef struct IdeDevice {
    Device parent;
    IdeDrive drive;
    DiskBackend backend;
    BlockConf conf; /* properties */
    uint32_t unit;
    char *firmware, *serial, *model;
    uint64_t wwn;
    uint32_t cyls, heads, secs;
    uint16_t rotation_rate;
    int translation; /* DiskTranslation */
} IdeDevice;
DECLARE_CAST(IdeDevice, IDE_DEVICE_OF)

static const char *const translation_names[] = {
    [DISK_TRANSLATION_AUTO] = "auto", [DISK_TRANSLATION_NONE] = "none",
    [DISK_TRANSLATION_LBA] = "lba", [DISK_TRANSLATION_LARGE] = "large",
    [DISK_TRANSLATION_RECHS] = "rechs",
};
static const EnumTable translation_table = {
    "BiosAtaTranslation", translation_names, DISK_TRANSLATIONS,
};

/* --- its place --- */

bool ide_device_place(IdeBus *bus, Device *dev, Error **errp)
{
    IdeDevice *d = IDE_DEVICE_OF(dev);

    if (!object_is_a(dev, TYPE_IDE_DEVICE)) {
        return error_set(errp, "Device '%s' can't go on IDE bus", object_type_name(dev));
    }
    for (uint32_t n = 0; d->unit == UNIT_ANY && n < bus->units; n++) {
        d->unit = bus->drives[n] ? UNIT_ANY : n;
    }
    if (d->unit == UNIT_ANY) {
        return error_set(errp, "Bus '%s' is full", bus_name(&bus->parent));
    }
    if (d->unit >= bus->units) {
        return error_set(errp, "Can't create IDE unit %u, bus supports only %u units", d->unit,
                         bus->units);
    }
    return !bus->drives[d->unit] || error_set(errp, "IDE unit %u is in use", d->unit);
}

static void take_place(IdeDevice *d, IdeBus *bus)
{
    bool is_full = true;

    d->drive.bus = bus;
    d->drive.unit = d->unit;
    bus->drives[d->unit] = &d->drive;
    for (unsigned n = 0; n < bus->units; n++) {
        is_full &= bus->drives[n] != NULL;
    }
    bus->parent.is_full = is_full;
}

/* --- the medium --- */

static void set_medium(IdeDrive *drive, DiskMedium *medium)
{
    drive->medium = medium;
    cd_drive_changed(&drive->cd, medium, medium ? medium->sectors * DISK_SECTOR_BYTES : 0);
}

void ide_device_set_medium(Device *dev, DiskMedium *medium)
{
    IdeDrive *drive = &IDE_DEVICE_OF(dev)->drive;

    if (dev->is_realized) {
        assert(drive->is_cd);
        drive->cd.has_new_medium = true;
    }
    set_medium(drive, medium);
}

bool ide_device_is_tray_open(Device *dev)
{
    return IDE_DEVICE_OF(dev)->drive.cd.is_tray_open;
}

bool ide_device_is_tray_locked(Device *dev)
{
    return IDE_DEVICE_OF(dev)->drive.cd.is_tray_locked;
}

bool ide_bus_geometry(const IdeBus *bus, unsigned unit, DiskGeometry *geometry)
{
    const IdeDrive *drive = unit < bus->units ? bus->drives[unit] : NULL;
    const IdeDevice *d = drive && !drive->is_cd ? IDE_DEVICE_OF(drive->dev) : NULL;

    if (d) {
        *geometry = (DiskGeometry){ drive->cyls, drive->heads, drive->secs, d->translation };
    }
    return d;
}

/* --- the host's drive --- */

static void drive_changed(void *opaque)
{
    IdeDevice *d = opaque;

    set_medium(&d->drive, disk_backend_medium(&d->backend));
}

static void drive_load(void *opaque, bool is_loaded)
{
    cd_drive_load(&IDE_DEVICE_OF(opaque)->drive.cd, is_loaded);
}

static void drive_eject_request(void *opaque, bool is_forced)
{
    cd_drive_eject_request(&IDE_DEVICE_OF(opaque)->drive.cd, is_forced);
}

static bool drive_is_tray_open(void *opaque)
{
    return ide_device_is_tray_open(opaque);
}

static bool drive_is_locked(void *opaque)
{
    return ide_device_is_tray_locked(opaque);
}

static const BlockDeviceOps hd_ops = { .name = block_conf_device_name, .changed = drive_changed };
static const BlockDeviceOps cd_ops = {
    .name = block_conf_device_name, .changed = drive_changed, .load = drive_load,
    .eject_request = drive_eject_request, .is_tray_open = drive_is_tray_open,
    .is_locked = drive_is_locked, .has_removable = true,
};

/* A test may have put in a medium of its own. */
static bool attach_drive(IdeDevice *d, Error **errp)
{
    BlockConfUse use = { .ops = d->drive.is_cd ? &cd_ops : &hd_ops, .is_read_only = d->drive.is_cd,
                         .has_removable = d->drive.is_cd, .is_resizable = true };

    d->drive.had_write_cache = true;
    if (d->drive.medium) {
        return true;
    }
    if (!block_conf_attach(&d->conf, &d->parent, &use, d, errp)) {
        return false;
    }
    disk_backend_init(&d->backend, d->conf.drive);
    d->drive.cd.backend = d->conf.drive;
    set_medium(&d->drive, disk_backend_medium(&d->backend));
    d->drive.had_write_cache = block_backend_has_write_cache(d->conf.drive);
    return true;
}

/* --- life --- */

/* Drives that were given no serial number are numbered by their place. */
static unsigned number_of(const IdeBus *bus, unsigned unit)
{
    const char *dot = strrchr(bus_name(&bus->parent), '.');

    return 2 * (dot ? strtoul(dot + 1, NULL, 10) : 0) + unit + 1;
}

/* What was not given is shown as if it had been. */
static void name_drive(IdeDevice *d, const char *model)
{
    if (!d->serial) {
        d->serial = g_strdup_printf("QM%05u", number_of(d->drive.bus, d->unit));
    }
    if (!d->firmware) {
        d->firmware = g_strdup(FIRMWARE_VERSION);
    }
    d->drive.serial = d->serial;
    d->drive.firmware = d->firmware;
    d->drive.model = d->model ? d->model : model;
    d->drive.wwn = d->wwn;
    d->drive.cd.identity = (ScsiIdentity){
        .vendor = "QEMU", .product = d->drive.model, .version = d->firmware,
        .serial = d->serial, .device_id = d->serial, .wwn = d->wwn,
    };
}

static bool start(IdeDevice *d, const char *model)
{
    IdeDrive *drive = &d->drive;

    drive->dev = &d->parent;
    drive->buffer_bytes = IDE_BUFFER_BYTES;
    drive->buffer = g_malloc0(IDE_BUFFER_BYTES);
    take_place(d, IDE_BUS(d->parent.bus));
    name_drive(d, model);
    ide_drive_reset(drive, true);
    return true;
}

static void guess_geometry(IdeDevice *d, DiskGeometry *geometry)
{
    uint8_t mbr[DISK_SECTOR_BYTES];
    bool has_mbr = d->conf.drive && d->drive.medium->sectors &&
                   !block_backend_read(d->conf.drive, 0, mbr, sizeof(mbr));

    disk_geometry_guess(d->drive.medium->sectors, has_mbr ? mbr : NULL, geometry);
}

static bool set_geometry(IdeDevice *d, Error **errp)
{
    IdeDrive *drive = &d->drive;
    DiskGeometry geometry = { d->cyls, d->heads, d->secs, 0 };

    if (!d->cyls && !d->heads && !d->secs) {
        guess_geometry(d, &geometry);
    } else {
        geometry.translation = disk_geometry_translation(&geometry);
    }
    if (!geometry.cyls || geometry.cyls > 65535) {
        return error_set(errp, "cyls must be between 1 and 65535");
    }
    if (!geometry.heads || geometry.heads > 16) {
        return error_set(errp, "heads must be between 1 and 16");
    }
    if (!geometry.secs || geometry.secs > 255) {
        return error_set(errp, "secs must be between 1 and 255");
    }
    drive->cyls = d->cyls = geometry.cyls;
    drive->heads = d->heads = geometry.heads;
    drive->secs = d->secs = geometry.secs;
    if (d->translation == DISK_TRANSLATION_AUTO) {
        d->translation = geometry.translation;
    }
    return true;
}

static bool check_sizes(IdeDevice *d, Error **errp)
{
    if (d->conf.discard_bytes == BLOCK_SIZE_UNSET) {
        d->conf.discard_bytes = DISK_SECTOR_BYTES;
    } else if (d->conf.discard_bytes != DISK_SECTOR_BYTES) {
        return error_set(errp, "discard_granularity must be 512 for ide");
    }
    return block_conf_check_sizes(&d->conf, errp);
}

static bool set_up_disk(IdeDevice *d, Error **errp)
{
    if (!check_sizes(d, errp)) {
        return false;
    }
    if (d->conf.logical_bytes != DISK_SECTOR_BYTES) {
        return error_set(errp, "logical_block_size must be 512 for IDE");
    }
    d->drive.rotation_rate = d->rotation_rate;
    d->drive.physical_exponent =
        __builtin_ctzll(d->conf.physical_bytes) - __builtin_ctz(DISK_SECTOR_BYTES);
    return set_geometry(d, errp);
}

static bool ide_hd_realize(Device *dev, Error **errp)
{
    IdeDevice *d = IDE_DEVICE_OF(dev);

    if (!d->drive.medium && !d->conf.drive) {
        return error_set(errp, "No drive specified");
    }
    if (!attach_drive(d, errp)) {
        return false;
    }
    if (!set_up_disk(d, errp)) {
        block_conf_detach(&d->conf);
        return false;
    }
    return start(d, DISK_MODEL);
}

static bool ide_cd_realize(Device *dev, Error **errp)
{
    IdeDevice *d = IDE_DEVICE_OF(dev);

    d->drive.is_cd = true;
    return check_sizes(d, errp) && attach_drive(d, errp) &&
           start(d, BLANK_CD_MODEL);
}

static void ide_device_unrealize(Device *dev)
{
    IdeDevice *d = IDE_DEVICE_OF(dev);
    IdeBus *bus = d->drive.bus;

    if (!bus) {
        return;
    }
    ide_cancel(&d->drive);
    block_conf_detach(&d->conf);
    bus->drives[d->unit] = NULL;
    bus->parent.is_full = false;
    d->drive.bus = NULL;
    d->drive.medium = NULL;
    d->drive.cd.backend = NULL;
    g_clear_pointer(&d->drive.buffer, g_free);
}

/* --- drives of the board --- */

static bool add_drive(Bus *bus, unsigned unit, BlockDrive *drive, Error **errp)
{
    Device *dev = device_new(drive->is_cdrom ? TYPE_IDE_CD : TYPE_IDE_HD);

    object_set_int(dev, "unit", unit, NULL);
    if (!object_set_text(dev, "drive", block_backend_name(drive->backend), errp)) {
        object_unref(dev);
        return false;
    }
    return device_realize_and_unref(dev, bus, errp);
}

bool ide_controller_add_drives(Device *controller, Error **errp)
{
    for (guint n = 0; n < controller->buses->len; n++) {
        IdeBus *bus = controller->buses->pdata[n];

        for (unsigned unit = 0; unit < bus->units; unit++) {
            BlockDrive *drive = block_drive_take(BLOCK_IF_IDE, n, unit);

            if (drive && !add_drive(&bus->parent, unit, drive, errp)) {
                return false;
            }
        }
    }
    return true;
}

static void ide_device_reset(Device *dev)
{
    ide_drive_reset(&IDE_DEVICE_OF(dev)->drive, true);
}

static const Property ide_props[] = {
    PROP_U32("unit", IdeDevice, unit, .initial = UNIT_ANY, .doc = "0: master, 1: slave"),
    PROP_STR("ver", IdeDevice, firmware, .doc = "Firmware version it tells"),
    PROP_U64("wwn", IdeDevice, wwn, .doc = "World wide name; 0: none"),
    PROP_STR("serial", IdeDevice, serial, .doc = "Serial number"),
    PROP_STR("model", IdeDevice, model, .doc = "Model it tells"),
    PROP_BLOCK_CONF(IdeDevice, conf),
    PROP_BLOCK_ERRORS(IdeDevice, conf),
    PROP_BOOT_INDEX("bootindex", IdeDevice, conf.boot_index),
};
static const Property ide_hd_props[] = {
    PROP_U32("cyls", IdeDevice, cyls, .doc = "Cylinders; 0: by size"),
    PROP_U32("heads", IdeDevice, heads, .doc = "Heads, at most 16"),
    PROP_U32("secs", IdeDevice, secs, .doc = "Sectors of a track"),
    PROP_BLOCK_FIRMWARE_CHS(IdeDevice, conf),
    PROP_ENUM("bios-chs-trans", IdeDevice, translation, translation_table,
              .doc = "Logical CHS translation algorithm"),
    PROP_U16("rotation_rate", IdeDevice, rotation_rate,
             .doc = "Rotations a minute; 0: not told, 1: none"),
};
static const VMField ide_device_fields[] = { VM_STRUCT(IdeDevice, drive, ide_drive_state) };

static const DeviceType ide_device_type = {
    .name = TYPE_IDE_DEVICE,
    .doc = "A drive on an IDE channel",
    .parent = TYPE_DEVICE,
    .size = sizeof(IdeDevice),
    .is_abstract = true,
    .bus_type = TYPE_IDE_BUS,
    .category = DEVICE_CATEGORY_STORAGE,
    .properties = PROPERTIES(ide_props),
    .vmstate = VMSTATE(ide_device_fields, .version = 1),
    .unrealize = ide_device_unrealize,
    .reset_hold = ide_device_reset,
};
DEVICE_TYPE(ide_device_type)

static const DeviceType ide_hd_type = {
    .name = TYPE_IDE_HD,
    .doc = "ATA disk",
    .parent = TYPE_IDE_DEVICE,
    .properties = PROPERTIES(ide_hd_props),
    .realize = ide_hd_realize,
};
DEVICE_TYPE(ide_hd_type)

static const DeviceType ide_cd_type = {
    .name = TYPE_IDE_CD,
    .doc = "ATAPI CD-ROM drive",
    .parent = TYPE_IDE_DEVICE,
    .realize = ide_cd_realize,
};
DEVICE_TYPE(ide_cd_type)
