/*
 * The order in which firmware tries devices, from their property "bootindex", and how firmware
 * calls them: paths as in IEEE 1275 (Open Firmware) and its PCI bus binding.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_BOOT_ORDER_H
#define HW_CORE_BOOT_ORDER_H

#include "hw/core/device.h"

#define BOOT_ORDER_FILE    "bootorder"
#define BOOT_GEOMETRY_FILE "bios-geometry"

/* "/pci@i0cf8/ethernet@3"; NULL: firmware has no way to it. Free it. */
char *boot_device_path(Device *dev);
/* All devices with a place, one path per line, as fw_cfg's file; two with the same place fail.
 * `is_strict` ends a list that is not empty with "HALT". */
bool boot_order_list(bool is_strict, GByteArray **list, Error **errp);
/* Geometries that users set for firmware ("lcyls", "lheads", "lsecs"), one disk per line, as that
 * file. */
GByteArray *boot_geometry_list(void);
/* What is not a device but has a place: an option ROM. The path is copied. */
void boot_order_add(const char *path, int32_t index);

#endif
