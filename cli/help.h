/*
 * What options print and exit: lists of machines, CPUs, devices, objects...
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/option.h"

/* If an option asks for help, prints it and ends the process. */
void help_serve(const OptionSet *set);

#endif
