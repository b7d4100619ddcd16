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

#define NUMA_MAX_NODES 128

/* When a machine has a node that nobody asked for: bits of MachineType's auto_enable_numa. */
enum {
    NUMA_AUTO_ALWAYS = 1,
    NUMA_AUTO_WITH_SLOTS = 2,   /* memory may be plugged */
    NUMA_AUTO_WITH_BACKEND = 4, /* -machine memory-backend= */
};

NumaState *numa_state_new(void);
void numa_state_free(NumaState *numa);

/* One -numa: {"type": "node"|"dist"|"cpu"|"hmat-lb"|"hmat-cache", ...}; "cpus" may be a list,
 * in text form of ranges ("0,2-3"). Refused as a whole, with nothing changed. */
bool numa_add_option(struct Machine *machine, json_object *option, PropertyForm form,
                     Error **errp);
/* All options are there: nodes, sizes and distances are checked and completed. */
bool numa_complete(struct Machine *machine, Error **errp);
/* Every slot that has no node gets one. */
bool numa_assign_cpus(struct Machine *machine, Error **errp);
/* Nodes bring their own memory back ends (memdev=). */
bool numa_provides_memory(const NumaState *numa);
/* Claims the nodes' back ends and puts them, in order, into `container`. */
bool numa_fill_ram(struct Machine *machine, struct MemoryRegion *container, Error **errp);
/* The other way round. */
void numa_release_ram(struct Machine *machine);

unsigned numa_node_count(const NumaState *numa);
uint64_t numa_node_bytes(const NumaState *numa, unsigned node);
/* Distances were given: firmware tables should tell them. */
bool numa_has_distances(const NumaState *numa);
/* 10 is local, 255 is out of reach. */
uint8_t numa_distance(const NumaState *numa, unsigned from, unsigned to);
/* Memory came to (bytes < 0: left) a node while the machine ran. */
void numa_plug_memory(NumaState *numa, unsigned node, int64_t bytes);
/* `info numa`. */
void numa_print(GString *out, struct Machine *machine);

#endif
