/*
 * From options to a machine that runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CLI_STARTUP_H
#define CLI_STARTUP_H

#include "cli/option.h"

/* Both report what is wrong. Everything up to where --preconfig waits. */
bool startup_prepare(OptionSet *set);
/* The machine itself, users' devices, incoming migration; daemon and pid file are ready. */
bool startup_machine(OptionSet *set);
/* Takes everything apart again. */
void startup_undo(void);

#endif
