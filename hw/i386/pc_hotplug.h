/*
 * How PCs plug devices: operations of the machine as their hot-plug handler.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_PC_HOTPLUG_H
#define HW_I386_PC_HOTPLUG_H

#include "hw/core/hotplug.h"
#include "pc_machine.h"

extern const HotplugHandler pc_hotplug;
Object *pc_hotplug_handler(Machine *machine, const Device *dev);
/* All of the board's and the user's bridges are there: buses whose functions ACPI plugs. */
void pc_hotplug_adopt_buses(PcMachine *pc);

#endif
