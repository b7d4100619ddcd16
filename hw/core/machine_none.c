/*
 * "none": a machine without a board. A CPU if one is asked for, RAM if a size is given.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"

static bool none_build(Machine *machine, Error **errp)
{
    if (machine->kernel) {
        return error_set(errp, "The -kernel parameter is not supported (use the generic 'loader' "
                         "device instead).");
    }
    if (machine->ram) {
        memory_region_add(memory_region_system(), 0, machine->ram);
    }
    return true;
}

static CpuSlots *none_cpu_slots(Machine *machine)
{
    return cpu_slots_new(machine, machine->cpu_type);
}

static const MachineType none_type = {
    .name = "none" TYPE_MACHINE_SUFFIX,
    .parent = TYPE_MACHINE,
    .doc = "empty machine",
    .max_cpus = 1,
    .default_ram_id = "ram",
    .is_without_ram = true,
    .build = none_build,
    .cpu_slots = none_cpu_slots,
};
MACHINE_TYPE(none_type)
