/*
 * ide-hd and ide-cd: what users plug into a channel. Their registers and commands are in the
 * other files of this folder. "lcyls", "lheads" and "lsecs" have no effect until firmware is told
 * geometries, which comes with the block layer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/block_conf.h"
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
    BlockConf conf; /* properties */
    uint32_t unit;
    char *firmware, *serial, *model;
    uint64_t wwn;
    uint32_t cyls, heads, secs, lcyls, lheads, lsecs;
    uint16_t rotation_rate;
    int translation; /* DiskTranslation */
    char *made_serial;
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

void ide_device_set_medium(Device *dev, DiskMedium *medium)
{
    IdeDrive *drive = &IDE_DEVICE_OF(dev)->drive;

    if (dev->is_realized) {
        assert(drive->is_cd);
        drive->has_new_medium = true;
    }
    drive->medium = medium;
}

bool ide_device_is_tray_open(Device *dev)
{
    return IDE_DEVICE_OF(dev)->drive.is_tray_open;
}

bool ide_device_is_tray_locked(Device *dev)
{
    return IDE_DEVICE_OF(dev)->drive.is_tray_locked;
}

/* --- life --- */

/* Drives that were given no serial number are numbered by their place. */
static unsigned number_of(const IdeBus *bus, unsigned unit)
{
    const char *dot = strrchr(bus_name(&bus->parent), '.');

    return 2 * (dot ? strtoul(dot + 1, NULL, 10) : 0) + unit + 1;
}

static void name_drive(IdeDevice *d, const char *model)
{
    d->made_serial = d->serial ? g_strdup(d->serial) :
                                 g_strdup_printf("QM%05u", number_of(d->drive.bus, d->unit));
    d->drive.serial = d->made_serial;
    d->drive.firmware = d->firmware ? d->firmware : FIRMWARE_VERSION;
    d->drive.model = d->model ? d->model : model;
    d->drive.wwn = d->wwn;
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

static bool set_geometry(IdeDevice *d, Error **errp)
{
    IdeDrive *drive = &d->drive;
    DiskGeometry geometry = { d->cyls, d->heads, d->secs, 0 };

    if (!d->cyls && !d->heads && !d->secs) {
        disk_geometry_guess(drive->medium->sectors, NULL, &geometry);
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
    drive->cyls = geometry.cyls;
    drive->heads = geometry.heads;
    drive->secs = geometry.secs;
    return true;
}

static bool ide_hd_realize(Device *dev, Error **errp)
{
    IdeDevice *d = IDE_DEVICE_OF(dev);

    if (!d->drive.medium) {
        return error_set(errp, "No drive specified");
    }
    if (d->conf.logical_bytes && d->conf.logical_bytes != DISK_SECTOR_BYTES) {
        return error_set(errp, "logical_block_size must be 512 for IDE");
    }
    if (!set_geometry(d, errp)) {
        return false;
    }
    d->drive.sectors = d->drive.medium->sectors;
    d->drive.rotation_rate = d->rotation_rate;
    if (d->conf.physical_bytes) {
        d->drive.physical_exponent =
            __builtin_ctzll(d->conf.physical_bytes) - __builtin_ctz(DISK_SECTOR_BYTES);
    }
    return start(d, DISK_MODEL);
}

static bool ide_cd_realize(Device *dev, Error **errp)
{
    IDE_DEVICE_OF(dev)->drive.is_cd = true;
    return start(IDE_DEVICE_OF(dev), BLANK_CD_MODEL);
}

static void ide_device_unrealize(Device *dev)
{
    IdeDevice *d = IDE_DEVICE_OF(dev);
    IdeBus *bus = d->drive.bus;

    if (!bus) {
        return;
    }
    ide_cancel(&d->drive);
    bus->drives[d->unit] = NULL;
    bus->parent.is_full = false;
    d->drive.bus = NULL;
    g_clear_pointer(&d->drive.buffer, g_free);
    g_clear_pointer(&d->made_serial, g_free);
}

static void ide_device_reset(Device *dev)
{
    ide_drive_reset(&IDE_DEVICE_OF(dev)->drive, true);
}

static void ide_device_finalize(Object *obj)
{
    g_free(IDE_DEVICE_OF(obj)->conf.drive);
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
    PROP_U32("lcyls", IdeDevice, lcyls, .doc = "Cylinders firmware shall use"),
    PROP_U32("lheads", IdeDevice, lheads, .doc = "Heads firmware shall use"),
    PROP_U32("lsecs", IdeDevice, lsecs, .doc = "Sectors firmware shall use"),
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
    .finalize = ide_device_finalize,
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
