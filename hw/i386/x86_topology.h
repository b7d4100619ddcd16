/*
 * X86ApicIds: initial APIC ids by place in the topology (Intel SDM volume 3, 9.9.3 "Hierarchical
 * ID"): a field of bits for thread, core, die; the socket's is on top.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_X86_TOPOLOGY_H
#define HW_I386_X86_TOPOLOGY_H

#include "hw/core/topology.h"

typedef struct X86ApicIds {
    unsigned counts[TOPOLOGY_LEVEL_COUNT]; /* of each in the one above; clusters are 1 */
    unsigned shifts[TOPOLOGY_LEVEL_COUNT]; /* of the level's field */
} X86ApicIds;

void x86_apic_ids_init(X86ApicIds *ids, const CpuTopology *topology);
uint32_t x86_apic_id(const X86ApicIds *ids, const int64_t place[TOPOLOGY_LEVEL_COUNT]);
/* All levels of `place`; a socket that does not exist has a number beyond the count. */
void x86_apic_id_place(const X86ApicIds *ids, uint32_t apic_id,
                       int64_t place[TOPOLOGY_LEVEL_COUNT]);

#endif
