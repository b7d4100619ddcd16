/*
 * Options about screens: -display, -vnc, -k.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CLI_DISPLAYS_H
#define CLI_DISPLAYS_H

#include "cli/option.h"

/* What is wrong without a machine being there, and help. Reports; false: the process ends. */
bool displays_check(OptionSet *set);
/* With all devices there: starts them. Reports. */
bool displays_start(OptionSet *set);
void displays_cleanup(void);

#endif
