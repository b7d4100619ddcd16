/*
 * microvm in a build without libfdt: there is no device tree.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "microvm.h"

bool microvm_add_fdt(MicrovmMachine *m, Error **errp)
{
    return true;
}
