/*
 * Registers what this room does for snapshots of the machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_SNAPSHOT_H
#define MIGRATION_SNAPSHOT_H

void snapshot_register(void);

#endif
