/*
 * What boards and back ends ask of floppy disk controllers and drives. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_BLOCK_FDC_H
#define HW_BLOCK_FDC_H

#include "hw/core/device.h"
#include "hw/core/disk_medium.h"

#define TYPE_ISA_FDC    "isa-fdc"
#define TYPE_FLOPPY     "floppy"
#define TYPE_FLOPPY_BUS "floppy-bus"
#define FDC_DRIVES      2

typedef enum FdcDriveType {
    FDC_DRIVE_144, FDC_DRIVE_288, FDC_DRIVE_120, FDC_DRIVE_NONE, FDC_DRIVE_AUTO, FDC_DRIVE_TYPES
} FdcDriveType;

/* Of drive 0 or 1 of a controller: never AUTO. */
FdcDriveType fdc_drive_type(Device *fdc, unsigned n);
/* In place of a drive of the host's, for tests: at any time; NULL: the disk is taken out. Borrowed. */
void floppy_set_medium(Device *floppy, DiskMedium *medium);
/* Drives that the user gave with if=floppy. */
bool fdc_add_drives(Device *fdc, Error **errp);

#endif
