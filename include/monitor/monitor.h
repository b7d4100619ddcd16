/*
 * Monitors: how people (HMP, text) and programs (QMP, JSON) manage the machine over a chardev.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "qom/error.h"

typedef enum MonitorMode {
    MONITOR_TEXT,
    MONITOR_QMP,
    MONITOR_QMP_PRETTY,
} MonitorMode;

/* All under the machine lock, in the main thread. */

/* Once, before the first monitor and before events can happen. */
void monitor_init(void);
/* Attaches a monitor to chardev `id` and serves it from now on. */
bool monitor_new(const char *id, MonitorMode mode, Error **errp);
/* At exit: what waits to be written is given a moment, then all monitors go. */
void monitor_cleanup(void);

/*
 * While true, commands that are not marked for it are refused: the machine does not exist yet
 * (--preconfig). False at start.
 */
void monitor_set_preconfig(bool is_on);

#endif
