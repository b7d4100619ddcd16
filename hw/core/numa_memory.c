/*
 * NUMA: the nodes' memory back ends as the machine's RAM. See hw/core/numa.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/numa_state.h"
#include "system/memory_backend.h"

/* Takes out what nodes below `limit` brought. */
static void release(NumaState *numa, unsigned limit)
{
    for (unsigned i = 0; i < limit; i++) {
        if (numa->nodes[i].backend) {
            MemoryBackend *backend = MEMORY_BACKEND(numa->nodes[i].backend);
            MemoryRegion *region = memory_backend_region(backend);

            memory_region_remove(region->container, region);
            memory_backend_release(backend);
        }
    }
}

bool numa_fill_ram(Machine *machine, MemoryRegion *container, Error **errp)
{
    NumaState *numa = machine->numa;
    uint64_t at = 0;

    for (unsigned i = 0; i < numa->count; i++) {
        if (!numa->nodes[i].backend) {
            continue;
        }
        if (!memory_backend_claim(MEMORY_BACKEND(numa->nodes[i].backend), errp)) {
            release(numa, i);
            return false;
        }
        memory_region_add(container, at,
                          memory_backend_region(MEMORY_BACKEND(numa->nodes[i].backend)));
        at += numa->nodes[i].bytes;
    }
    return true;
}

void numa_release_ram(Machine *machine)
{
    release(machine->numa, machine->numa->count);
}
