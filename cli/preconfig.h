/*
 * --preconfig: monitors serve, the machine does not exist yet.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CLI_PRECONFIG_H
#define CLI_PRECONFIG_H

/* Serves until x-exit-preconfig; false: the process is to end with *status. */
bool preconfig_wait(int *status);

#endif
