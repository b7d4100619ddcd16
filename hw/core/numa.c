/*
 * NUMA: see hw/core/numa.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/core/numa.h"

struct NumaState {
    unsigned count;
};

NumaState *numa_state_new(void)
{
    return g_new0(NumaState, 1);
}

void numa_state_free(NumaState *numa)
{
    g_free(numa);
}

bool numa_add_option(Machine *machine, json_object *option, PropertyForm form, Error **errp)
{
    return error_set(errp, "NUMA is not supported by this machine-type");
}

bool numa_complete(Machine *machine, Error **errp)
{
    return true;
}

bool numa_assign_cpus(Machine *machine, Error **errp)
{
    return true;
}

bool numa_provides_memory(const NumaState *numa)
{
    return false;
}

MemoryRegion *numa_make_ram(Machine *machine, Error **errp)
{
    return NULL;
}

unsigned numa_node_count(const NumaState *numa)
{
    return numa->count;
}

void numa_print(GString *out, Machine *machine)
{
    g_string_append_printf(out, "%u nodes\n", machine->numa->count);
}
