/*
 * What device.c asks of its neighbours: lines, timers, saved state, globals.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_DEVICE_PARTS_H
#define HW_CORE_DEVICE_PARTS_H

#include "hw/core/device.h"

typedef void DeviceLevelFn(Device *dev, const DeviceType *level);
/* Calls for every level of the type from "device" down to its own, or back up. */
void device_levels(Device *dev, DeviceLevelFn *fn, bool is_reverse);
void device_stop_levels(Device *dev);

void device_lines_init(Device *dev);
void device_lines_clear(Device *dev);
void device_timers_init(Device *dev);
void device_timers_cancel(Device *dev);
void device_timers_clear(Device *dev);

bool device_state_register(Device *dev, Error **errp);
void device_state_unregister(Device *dev);

void device_apply_globals(Device *dev);

#endif
