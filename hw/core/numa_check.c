/*
 * NUMA, when all options are there: are nodes, sizes and distances whole? See hw/core/numa.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/numa_state.h"

#define LOCAL_DISTANCE   10
#define DEFAULT_DISTANCE 20

/* One node with all memory, where the machine's firmware tables want NUMA to be there. */
static void add_default_node(Machine *machine)
{
    uintptr_t when = machine_ops(machine)->auto_enable_numa;
    NumaState *numa = machine->numa;

    if (numa->count || !machine_ops(machine)->supports_numa ||
        !((when & NUMA_AUTO_ALWAYS) || (when & NUMA_AUTO_WITH_SLOTS && machine->memory.slots) ||
          (when & NUMA_AUTO_WITH_BACKEND && machine->memory_backend))) {
        return;
    }
    numa->nodes[0].is_present = true;
    numa->nodes[0].bytes = machine->memory.size_bytes;
    numa->count = numa->id_limit = 1;
}

static bool check_ids(const NumaState *numa, Error **errp)
{
    for (unsigned i = numa->id_limit; i-- > 0;) {
        if (!numa->nodes[i].is_present) {
            return error_set(errp, "numa: Node ID missing: %u", i);
        }
    }
    return true;
}

static bool check_sizes(const Machine *machine, Error **errp)
{
    const NumaState *numa = machine->numa;
    uint64_t total = 0;

    for (unsigned i = 0; i < numa->count; i++) {
        if (total > UINT64_MAX - numa->nodes[i].bytes) {
            return error_set(errp, "total memory for NUMA nodes exceeds 64 bits");
        }
        total += numa->nodes[i].bytes;
    }
    return !numa->count || total == machine->memory.size_bytes ||
           error_set(errp, "total memory for NUMA nodes (0x%" PRIx64 ") should equal RAM size "
                     "(0x%" PRIx64 ")", total, machine->memory.size_bytes);
}

/* Every pair has a distance, in both directions if any pair's differ. */
static bool check_distances(const NumaState *numa, Error **errp)
{
    bool is_asymmetric = false, is_one_way = false;

    for (unsigned i = 0; i < numa->count; i++) {
        for (unsigned j = i + 1; j < numa->count; j++) {
            uint8_t there = numa->nodes[i].distances[j], back = numa->nodes[j].distances[i];

            if (!there && !back) {
                return error_set(errp, "The distance between node %u and %u is missing, at least "
                                 "one distance value between each nodes should be provided.", i,
                                 j);
            }
            is_one_way |= !there || !back;
            is_asymmetric |= there && back && there != back;
        }
    }
    return !is_asymmetric || !is_one_way ||
           error_set(errp, "At least one asymmetrical pair of distances is given, please provide "
                     "distances for both directions of all node pairs.");
}

static void complete_distances(NumaState *numa)
{
    for (unsigned i = 0; i < numa->count; i++) {
        numa->nodes[i].distances[i] = LOCAL_DISTANCE;
        for (unsigned j = 0; j < numa->count; j++) {
            if (!numa->nodes[i].distances[j]) {
                numa->nodes[i].distances[j] = numa->nodes[j].distances[i];
            }
        }
    }
}

bool numa_complete(Machine *machine, Error **errp)
{
    NumaState *numa = machine->numa;

    add_default_node(machine);
    if (!check_ids(numa, errp) || !check_sizes(machine, errp)) {
        return false;
    }
    if (numa->uses_memdev && machine->memory_backend) {
        return error_set(errp, "'-machine memory-backend' and '-numa memdev' properties are "
                         "mutually exclusive");
    }
    if (numa->has_distances) {
        if (!check_distances(numa, errp)) {
            return false;
        }
        complete_distances(numa);
    }
    return true;
}

uint8_t numa_distance(const NumaState *numa, unsigned from, unsigned to)
{
    assert(numa_has_node(numa, from) && numa_has_node(numa, to));
    if (numa->has_distances) {
        return numa->nodes[from].distances[to];
    }
    return from == to ? LOCAL_DISTANCE : DEFAULT_DISTANCE;
}
