/*
 * How CPUs are plugged into x86 boards: operations of the machine as their hot-plug handler.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_X86_CPUS_H
#define HW_I386_X86_CPUS_H

#include "hw/core/device.h"

bool x86_cpu_pre_plug(Object *machine, Device *dev, Error **errp);
bool x86_cpu_plug(Object *machine, Device *dev, Error **errp);
bool x86_cpu_unplug_request(Object *machine, Device *dev, Error **errp);
void x86_cpu_unplug(Object *machine, Device *dev);

#endif
