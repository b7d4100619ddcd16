/*
 * floppy: a drive behind a floppy disk controller, and what is in it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/block_drive.h"
#include "fdc_state.h"

#define UNIT_ANY UINT32_MAX

static const char *const type_names[] = {
    [FDC_DRIVE_144] = "144", [FDC_DRIVE_288] = "288", [FDC_DRIVE_120] = "120",
    [FDC_DRIVE_NONE] = "none", [FDC_DRIVE_AUTO] = "auto",
};
const EnumTable fdc_drive_type_table = { "FdcDriveType", type_names, FDC_DRIVE_TYPES };

/* Formats by size; a disk of any other is read as the drive's own. */
static const struct {
    FdcGeometry geometry;
    FdcDriveType type;
} formats[] = {
    { { 18, 80, 2 }, FDC_DRIVE_144 }, { { 36, 80, 2 }, FDC_DRIVE_288 },
    { { 15, 80, 2 }, FDC_DRIVE_120 }, { { 9, 80, 2 }, FDC_DRIVE_144 },
    { { 9, 40, 2 }, FDC_DRIVE_120 },  { { 20, 80, 2 }, FDC_DRIVE_144 },
    { { 21, 80, 2 }, FDC_DRIVE_144 }, { { 21, 82, 2 }, FDC_DRIVE_144 },
    { { 18, 40, 1 }, FDC_DRIVE_144 }, { { 8, 40, 2 }, FDC_DRIVE_120 },
    { { 9, 40, 1 }, FDC_DRIVE_120 },  { { 8, 40, 1 }, FDC_DRIVE_120 },
};

/* --- drives --- */

static Fdc *fdc_of(const Floppy *floppy)
{
    return FLOPPY_BUS(floppy->parent.bus)->fdc;
}

static size_t find_format(const DiskMedium *medium)
{
    for (size_t i = 0; medium && i < ARRAY_SIZE(formats); i++) {
        const FdcGeometry *g = &formats[i].geometry;

        if ((uint64_t)g->last_sector * g->tracks * g->heads == medium->sectors) {
            return i;
        }
    }
    return ARRAY_SIZE(formats);
}

static void choose_geometry(Floppy *floppy)
{
    size_t format = find_format(floppy->medium);

    if (format < ARRAY_SIZE(formats)) {
        floppy->geometry = formats[format].geometry;
        return;
    }
    floppy->geometry = (FdcGeometry){ floppy->type == FDC_DRIVE_288 ? 36 :
                                      floppy->type == FDC_DRIVE_120 ? 15 : 18, 80, 2 };
    if (floppy->medium) { /* what is behind its end is not there */
        floppy->geometry.tracks = MIN(80, floppy->medium->sectors /
                                              (2 * floppy->geometry.last_sector));
    }
}

static FdcDriveType choose_type(const Floppy *floppy)
{
    const Fdc *fdc = fdc_of(floppy);
    size_t format = find_format(floppy->medium);

    if (floppy->wanted_type != FDC_DRIVE_AUTO) {
        return floppy->wanted_type;
    }
    if (fdc->wanted_types[floppy->unit] != FDC_DRIVE_AUTO) {
        return fdc->wanted_types[floppy->unit];
    }
    return format < ARRAY_SIZE(formats) ? formats[format].type : (FdcDriveType)fdc->fallback;
}

void floppy_set_medium(Device *dev, DiskMedium *medium)
{
    Floppy *floppy = FLOPPY(dev);

    if (dev->is_realized) {
        fdc_cancel(fdc_of(floppy));
        fdc_of(floppy)->drives[floppy->unit].has_changed = true;
    }
    floppy->medium = medium;
    choose_geometry(floppy);
}

/* --- the host's drive --- */

static void drive_changed(void *opaque)
{
    Floppy *floppy = opaque;

    floppy_set_medium(&floppy->parent, disk_backend_medium(&floppy->backend));
}

static const BlockDeviceOps drive_ops = {
    .name = block_conf_device_name, .changed = drive_changed, .has_removable = true,
};

/* A test may have put in a medium of its own. */
static bool attach_drive(Floppy *floppy, Error **errp)
{
    BlockConfUse use = { .ops = &drive_ops, .has_removable = true };

    if (floppy->medium) {
        return true;
    }
    if (!block_conf_attach(&floppy->conf, &floppy->parent, &use, floppy, errp)) {
        return false;
    }
    disk_backend_init(&floppy->backend, floppy->conf.drive);
    floppy->medium = disk_backend_medium(&floppy->backend);
    return true;
}

/* --- life --- */

FdcDriveType fdc_drive_type(Device *dev, unsigned n)
{
    const Floppy *floppy = FDC(dev)->floppies[n];

    return floppy ? floppy->type : FDC_DRIVE_NONE;
}

static bool floppy_bus_check(Bus *bus, Device *dev, Error **errp)
{
    const Fdc *fdc = FLOPPY_BUS(bus)->fdc;
    Floppy *floppy = FLOPPY(dev);

    for (uint32_t n = 0; floppy->unit == UNIT_ANY && n < FDC_DRIVES; n++) {
        floppy->unit = fdc->floppies[n] ? UNIT_ANY : n;
    }
    if (floppy->unit >= FDC_DRIVES) {
        return error_set(errp, "Can't create floppy unit %u, bus supports only %u units",
                         floppy->unit, FDC_DRIVES);
    }
    return !fdc->floppies[floppy->unit] ||
           error_set(errp, "Floppy unit %u is in use", floppy->unit);
}

static bool floppy_realize(Device *dev, Error **errp)
{
    Floppy *floppy = FLOPPY(dev);
    Fdc *fdc = fdc_of(floppy);

    if (!block_conf_check_sizes(&floppy->conf, errp)) {
        return false;
    }
    if (floppy->conf.physical_bytes != DISK_SECTOR_BYTES ||
        floppy->conf.logical_bytes != DISK_SECTOR_BYTES) {
        return error_set(errp, "Physical and logical block size must be 512 for floppy");
    }
    if (!attach_drive(floppy, errp)) {
        return false;
    }
    floppy->type = choose_type(floppy);
    floppy->wanted_type = floppy->type;
    choose_geometry(floppy);
    fdc->floppies[floppy->unit] = floppy;
    fdc->bus->parent.is_full = fdc->floppies[0] && fdc->floppies[1];
    return true;
}

static void floppy_unrealize(Device *dev)
{
    Floppy *floppy = FLOPPY(dev);
    Fdc *fdc = fdc_of(floppy);

    if (fdc->floppies[floppy->unit] == floppy) {
        fdc_cancel(fdc);
        block_conf_detach(&floppy->conf);
        floppy->medium = NULL;
        fdc->floppies[floppy->unit] = NULL;
        fdc->bus->parent.is_full = false;
    }
}

bool fdc_add_drives(Device *fdc, Error **errp)
{
    for (unsigned n = 0; n < FDC_DRIVES; n++) {
        BlockDrive *drive = block_drive_take(BLOCK_IF_FLOPPY, 0, n);
        Device *dev = drive ? device_new(TYPE_FLOPPY) : NULL;

        if (!drive) {
            continue;
        }
        object_set_int(dev, "unit", n, NULL);
        if (!object_set_text(dev, "drive", block_backend_name(drive->backend), errp)) {
            object_unref(dev);
            return false;
        }
        if (!device_realize_and_unref(dev, &FDC(fdc)->bus->parent, errp)) {
            return false;
        }
    }
    return true;
}

static const Property floppy_props[] = {
    PROP_U32("unit", Floppy, unit, .initial = UNIT_ANY, .doc = "0: A, 1: B"),
    PROP_BLOCK_CONF(Floppy, conf),
    PROP_ENUM("drive-type", Floppy, wanted_type, fdc_drive_type_table, .initial = FDC_DRIVE_AUTO,
              .doc = "FDC drive type"),
};

static const BusType floppy_bus_type = {
    .name = TYPE_FLOPPY_BUS, .parent = TYPE_BUS, .doc = "A controller's drives",
    .size = sizeof(FloppyBus), .max_devices = FDC_DRIVES, .check = floppy_bus_check,
};
BUS_TYPE(floppy_bus_type)

static const DeviceType floppy_type = {
    .name = TYPE_FLOPPY,
    .doc = "Floppy disk drive",
    .parent = TYPE_DEVICE,
    .size = sizeof(Floppy),
    .bus_type = TYPE_FLOPPY_BUS,
    .category = DEVICE_CATEGORY_STORAGE,
    .properties = PROPERTIES(floppy_props),
    .realize = floppy_realize,
    .unrealize = floppy_unrealize,
};
DEVICE_TYPE(floppy_type)
