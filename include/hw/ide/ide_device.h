/*
 * What a back end, and a board, ask of an "ide-hd" or "ide-cd". Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_IDE_IDE_DEVICE_H
#define HW_IDE_IDE_DEVICE_H

#include "hw/core/disk_medium.h"

#define TYPE_IDE_DEVICE "ide-device"
#define TYPE_IDE_HD     "ide-hd"
#define TYPE_IDE_CD     "ide-cd"

struct Device;

/*
 * A disk gets its medium before it is realized; a CD drive at any time, NULL is no medium. It is
 * borrowed until another comes or the device is gone.
 */
void ide_device_set_medium(struct Device *dev, DiskMedium *medium);
/* Is the CD drive open, and does the guest forbid to open it? */
bool ide_device_is_tray_open(struct Device *dev);
bool ide_device_is_tray_locked(struct Device *dev);

#endif
