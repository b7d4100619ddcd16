/*
 * What the command line says of disks and other media.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CLI_DRIVES_H
#define CLI_DRIVES_H

#include "cli/option.h"

/* Before any back end: how drives wait, and what they do to the machine. */
void drives_prepare(void);
/* -blockdev, -drive and what there is by default. The machine exists, its board does not. */
bool drives_add(OptionSet *set);
/* Devices for drives of if=virtio; then every drive must have a place. The board is built. */
bool drives_place(OptionSet *set);
void drives_cleanup(void);

#endif
