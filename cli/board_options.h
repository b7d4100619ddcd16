/*
 * What the command line says of boards: lines with their defaults, files for firmware, and devices
 * that options of their own ask for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CLI_BOARD_OPTIONS_H
#define CLI_BOARD_OPTIONS_H

#include "cli/option.h"

/* -serial, -parallel, -monitor, -qmp, -mon, and what there is without them: chardevs, monitors, and
 * the machine's lists of lines. The machine exists; chardevs of -chardev do. */
bool board_lines_add(OptionSet *set);
/* -fw_cfg, -smbios, -acpitable, -option-rom, -vga: into the machine's BoardOptions. */
bool board_options_take(OptionSet *set);
/* The controller that -usb and -usbdevice ask for, where there is none: before other devices. */
bool board_usb_add(OptionSet *set);
/* Devices besides -device: -debugcon, -usbdevice. The board is built. */
bool board_devices_add(OptionSet *set);

#endif
