/*
 * What -netdev, -nic and -net make.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CLI_NETWORKS_H
#define CLI_NETWORKS_H

#include "cli/option.h"

/* The host's ends. False: the reason has been reported. */
bool networks_add(OptionSet *set);
/* The adapters of -nic and -net nic. */
bool networks_place(OptionSet *set);

#endif
