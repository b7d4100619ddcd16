/*
 * RAM of x86 boards: a part below 4 GiB, the rest from 4 GiB on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/address_space.h"
#include "x86_machine.h"

void x86_map_ram(X86Machine *x86, uint64_t split)
{
    Machine *machine = &x86->parent;
    Object *owner = (Object *)x86;
    uint64_t bytes = machine->memory.size_bytes;

    x86->below_4g_bytes = MIN(bytes, split);
    x86->above_4g_bytes = bytes - x86->below_4g_bytes;
    memory_region_init_alias(&x86->ram_below, owner, "ram-below-4g", machine->ram,
                             (MemoryWindow){ 0, x86->below_4g_bytes });
    memory_region_add(memory_region_system(), 0, &x86->ram_below);
    e820_add(x86->e820, 0, x86->below_4g_bytes, E820_RAM);
    if (x86->above_4g_bytes) {
        memory_region_init_alias(&x86->ram_above, owner, "ram-above-4g", machine->ram,
                                 (MemoryWindow){ split, x86->above_4g_bytes });
        memory_region_add(memory_region_system(), x86->above_4g_base, &x86->ram_above);
        e820_add(x86->e820, x86->above_4g_base, x86->above_4g_bytes, E820_RAM);
    }
}
