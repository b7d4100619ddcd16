/*
 * Our option ROMs (hw/i386/optionrom), which are part of the program.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_X86_OPTION_ROM_H
#define HW_I386_X86_OPTION_ROM_H

#include "x86_kernel.h"

/* By file name; it must be one of ours. */
X86Bytes x86_option_rom(const char *name);

#endif
