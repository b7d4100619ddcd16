/*
 * What a back end, and a board, ask of an "ide-hd" or "ide-cd". Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_IDE_IDE_DEVICE_H
#define HW_IDE_IDE_DEVICE_H

#include "hw/core/disk_geometry.h"
#include "hw/core/disk_medium.h"
#include "qom/error.h"

#define TYPE_IDE_DEVICE "ide-device"
#define TYPE_IDE_HD     "ide-hd"
#define TYPE_IDE_CD     "ide-cd"

struct Device;
struct IdeBus;

/*
 * In place of a drive of the host's, for tests: a disk gets its medium before it is realized; a CD
 * drive at any time, NULL is no medium. It is borrowed until another comes or the device is gone.
 */
void ide_device_set_medium(struct Device *dev, DiskMedium *medium);
/* Is the CD drive open, and does the guest forbid to open it? */
bool ide_device_is_tray_open(struct Device *dev);
bool ide_device_is_tray_locked(struct Device *dev);
/* False: there is no disk. `translation` is what firmware shall do. */
bool ide_bus_geometry(const struct IdeBus *bus, unsigned unit, DiskGeometry *geometry);
/* Drives that the user gave with if=ide, on the buses of a board's controller. */
bool ide_controller_add_drives(struct Device *controller, Error **errp);

#endif
