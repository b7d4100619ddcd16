/*
 * The machine's options: -machine, -accel, -cpu, -smp, -m, -numa, -boot, -global.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CLI_MACHINE_OPTIONS_H
#define CLI_MACHINE_OPTIONS_H

#include "cli/option.h"

/* All report what is wrong. The machine with its properties, and an accelerator. */
bool machine_options_create(OptionSet *set);
/* Memory, topology, nodes, CPU model: what -preconfig shows, and lets QMP add to. */
bool machine_options_apply(OptionSet *set);
bool machine_options_build(OptionSet *set);

#endif
