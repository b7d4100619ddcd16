/*
 * NUMA: the machine's nodes, their memory and CPUs, the distances and the memory attributes
 * between them; -numa and set-numa-node.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_NUMA_H
#define HW_CORE_NUMA_H

#include "qom/object.h"

struct Machine;
struct MemoryRegion;
typedef struct NumaState NumaState;

NumaState *numa_state_new(void);
void numa_state_free(NumaState *numa);

/* One -numa: {"type": "node"|"dist"|"cpu"|"hmat-lb"|"hmat-cache", ...}; "cpus" may be a list. */
bool numa_add_option(struct Machine *machine, json_object *option, PropertyForm form,
                     Error **errp);
/* All options are there: nodes, sizes and distances are checked and completed. */
bool numa_complete(struct Machine *machine, Error **errp);
/* Every slot that has no node gets one. */
bool numa_assign_cpus(struct Machine *machine, Error **errp);
/* Nodes bring their own memory back ends (memdev=). */
bool numa_provides_memory(const NumaState *numa);
/* A container of the nodes' back ends in order; NULL when there are none, or on failure. */
struct MemoryRegion *numa_make_ram(struct Machine *machine, Error **errp);

unsigned numa_node_count(const NumaState *numa);
uint64_t numa_node_bytes(const NumaState *numa, unsigned node);
uint8_t numa_distance(const NumaState *numa, unsigned from, unsigned to);
/* `info numa`. */
void numa_print(GString *out, struct Machine *machine);

#endif
