/*
 * APIC ids by topology: see x86_topology.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "x86_topology.h"

/* Bits that hold 0 to count - 1. */
static unsigned field_bits(unsigned count)
{
    return count > 1 ? 32 - __builtin_clz(count - 1) : 0;
}

void x86_apic_ids_init(X86ApicIds *ids, const CpuTopology *topology)
{
    unsigned shift = 0;

    for (int level = TOPOLOGY_THREAD; level >= 0; level--) {
        ids->counts[level] = topology->counts[level];
        ids->shifts[level] = shift;
        shift += field_bits(topology->counts[level]);
    }
}

uint32_t x86_apic_id(const X86ApicIds *ids, const int64_t place[TOPOLOGY_LEVEL_COUNT])
{
    uint32_t id = 0;

    for (int level = 0; level < TOPOLOGY_LEVEL_COUNT; level++) {
        id |= MAX(0, place[level]) << ids->shifts[level];
    }
    return id;
}

void x86_apic_id_place(const X86ApicIds *ids, uint32_t apic_id,
                       int64_t place[TOPOLOGY_LEVEL_COUNT])
{
    for (int level = 0; level < TOPOLOGY_LEVEL_COUNT; level++) {
        uint32_t above = level ? ids->shifts[level - 1] : 32;
        uint32_t mask = above >= 32 ? UINT32_MAX : BIT(above) - 1;

        place[level] = (apic_id & mask) >> ids->shifts[level];
    }
}
