/*
 * What the parts of hw/core/numa*.c share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_NUMA_STATE_H
#define HW_CORE_NUMA_STATE_H

#include "hw/core/machine.h"
#include "hw/core/numa.h"
#include "hw/core/numa_hmat.h"
#include "qapi/qapi-types-machine.h"

typedef struct NumaNode {
    bool is_present;
    bool has_cpus; /* an option put one there */
    int initiator; /* -1: not given */
    uint64_t bytes, plugged_bytes;
    Object *backend;                  /* referenced; NULL: memory by size, or none */
    uint8_t distances[NUMA_MAX_NODES]; /* 0: not given */
} NumaNode;

struct NumaState {
    unsigned count;    /* nodes that are present */
    unsigned id_limit; /* one above the highest */
    bool has_distances;
    bool uses_mem, uses_memdev;
    NumaHmatTable *tables[NUMA_HMAT_HIERARCHIES][NUMA_HMAT_DATA_TYPES]; /* NULL: nothing given */
    NumaNode nodes[NUMA_MAX_NODES];
    NumaCache caches[NUMA_MAX_NODES][NUMA_CACHE_LEVELS];
};

static inline bool numa_has_node(const NumaState *numa, unsigned node)
{
    return node < NUMA_MAX_NODES && numa->nodes[node].is_present;
}

/* hw/core/numa_cpus.c */
bool numa_cpu_option(Machine *machine, const NumaCpuOptions *o, Error **errp);
/* Whether node `id`, with this initiator (-1: not given), may have these CPUs. */
bool numa_check_cpus(Machine *machine, unsigned id, int initiator, const Uint16Array *cpus,
                     Error **errp);
void numa_take_cpus(Machine *machine, unsigned id, const Uint16Array *cpus);

/* hw/core/numa_hmat.c */
bool numa_hmat_check_on(const Machine *machine, Error **errp);
bool numa_hmat_lb_option(Machine *machine, const NumaHmatLBOptions *o, Error **errp);
bool numa_hmat_cache_option(Machine *machine, const NumaHmatCacheOptions *o, Error **errp);
bool numa_hmat_check_initiators(const Machine *machine, Error **errp);
void numa_hmat_clear(NumaState *numa);

#endif
