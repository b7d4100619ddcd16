/*
 * NUMA: latencies, bandwidths and memory-side caches between nodes, as ACPI's HMAT can hold
 * them: a table is a base unit and 16-bit multiples of it. See hw/core/numa_hmat.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/numa_state.h"

bool numa_hmat_check_on(const Machine *machine, Error **errp)
{
    return machine->hmat ||
           error_set(errp, "ACPI Heterogeneous Memory Attribute Table (HMAT) is disabled, enable "
                     "it with -machine hmat=on before using any of hmat specific options");
}

/* --- -numa hmat-lb --- */

static bool is_latency(HmatLBDataType type)
{
    return type <= HMAT_LB_DATA_TYPE_WRITE_LATENCY;
}

static bool check_nodes(const NumaState *numa, const NumaHmatLBOptions *o, Error **errp)
{
    if (!numa_has_node(numa, o->initiator) || !numa->nodes[o->initiator].has_cpus) {
        return error_set(errp, "Invalid initiator=%u, it isn't an initiator proximity domain",
                         o->initiator);
    }
    return numa_has_node(numa, o->target) ||
           error_set(errp, "The target=%u should point to an existing node", o->target);
}

static bool check_members(const NumaHmatLBOptions *o, Error **errp)
{
    bool wants_latency = is_latency(o->data_type);
    bool has_wanted = wants_latency ? o->has_latency : o->has_bandwidth;
    bool has_other = wants_latency ? o->has_bandwidth : o->has_latency;
    const char *wanted = wants_latency ? "latency" : "bandwidth";

    if (!has_wanted) {
        return error_set(errp, "Missing '%s' option", wanted);
    }
    if (has_other) {
        return error_set(errp, "Invalid option '%s' since the data type is %s",
                         wants_latency ? "bandwidth" : "latency", wanted);
    }
    return wants_latency || !(o->bandwidth % MiB) ||
           error_set(errp, "Bandwidth %" PRIu64 " between initiator=%u and target=%u should be "
                     "1MB aligned", o->bandwidth, o->initiator, o->target);
}

static const NumaHmatEntry *find_entry(const NumaHmatTable *table, unsigned initiator,
                                       unsigned target)
{
    for (guint i = 0; table && i < table->entries->len; i++) {
        const NumaHmatEntry *entry = &g_array_index(table->entries, NumaHmatEntry, i);

        if (entry->initiator == initiator && entry->target == target) {
            return entry;
        }
    }
    return NULL;
}

/* The largest power of `factor` that divides `value`, but no more than `limit`. */
static uint64_t common_base(uint64_t value, uint64_t factor, uint64_t limit)
{
    uint64_t base = 1;

    while (base <= limit / factor && value % (base * factor) == 0) {
        base *= factor;
    }
    return base;
}

/* The base of all values with `added` among them; false: they are too far apart. */
static bool find_base(const NumaHmatTable *table, HmatLBDataType type, uint64_t added,
                      uint64_t *base)
{
    uint64_t factor = is_latency(type) ? 10 : 2, max = added;

    *base = added ? common_base(added, factor, UINT64_MAX) : 0;
    for (guint i = 0; table && i < table->entries->len; i++) {
        uint64_t value = g_array_index(table->entries, NumaHmatEntry, i).value;

        if (value) {
            *base = common_base(value, factor, *base ? *base : UINT64_MAX);
            max = MAX(max, value);
        }
    }
    *base = MAX(1, *base);
    return max / *base <= NUMA_HMAT_MAX_VALUE;
}

static void add_entry(NumaHmatTable **table, const NumaHmatEntry *entry, uint64_t base)
{
    if (!*table) {
        *table = g_new0(NumaHmatTable, 1);
        (*table)->entries = g_array_new(FALSE, FALSE, sizeof(NumaHmatEntry));
    }
    (*table)->base = base;
    g_array_append_vals((*table)->entries, entry, 1);
}

bool numa_hmat_lb_option(Machine *machine, const NumaHmatLBOptions *o, Error **errp)
{
    NumaState *numa = machine->numa;
    NumaHmatTable **table = &numa->tables[o->hierarchy][o->data_type];
    uint64_t base, value = is_latency(o->data_type) ? o->latency : o->bandwidth;
    const NumaHmatEntry entry = { o->initiator, o->target, value };

    if (!numa_hmat_check_on(machine, errp) || !check_nodes(numa, o, errp) ||
        !check_members(o, errp)) {
        return false;
    }
    if (find_entry(*table, o->initiator, o->target)) {
        return error_set(errp, "Duplicate configuration of the %s for initiator=%u and target=%u",
                         is_latency(o->data_type) ? "latency" : "bandwidth", o->initiator,
                         o->target);
    }
    if (!find_base(*table, o->data_type, value, &base)) {
        return error_set(errp, "%s %" PRIu64 " between initiator=%u and target=%u should not "
                         "differ from previously entered %svalues on more than %d",
                         is_latency(o->data_type) ? "Latency" : "Bandwidth", value, o->initiator,
                         o->target, is_latency(o->data_type) ? "min or max " : "",
                         NUMA_HMAT_MAX_VALUE);
    }
    add_entry(table, &entry, base);
    return true;
}

/* --- -numa hmat-cache --- */

/* Something was said of the way to the memory of `node`. */
static bool is_measured(const NumaState *numa, unsigned node, bool wants_latency)
{
    for (unsigned h = 0; h < NUMA_HMAT_HIERARCHIES; h++) {
        for (unsigned type = 0; type < NUMA_HMAT_DATA_TYPES; type++) {
            const NumaHmatTable *table = numa->tables[h][type];

            for (guint i = 0; table && is_latency(type) == wants_latency &&
                 i < table->entries->len; i++) {
                const NumaHmatEntry *entry = &g_array_index(table->entries, NumaHmatEntry, i);

                if (entry->target == node && entry->value) {
                    return true;
                }
            }
        }
    }
    return false;
}

static bool check_cache_place(const NumaState *numa, const NumaHmatCacheOptions *o, Error **errp)
{
    if (!numa_has_node(numa, o->node_id)) {
        return error_set(errp, "Invalid node-id=%u, it should be less than %u", o->node_id,
                         numa->count);
    }
    if (!is_measured(numa, o->node_id, true) || !is_measured(numa, o->node_id, false)) {
        return error_set(errp, "The latency and bandwidth information of node-id=%u should be "
                         "provided before memory side cache attributes", o->node_id);
    }
    return (o->level >= 1 && o->level <= NUMA_CACHE_LEVELS) ||
           error_set(errp, "Invalid level=%u, it should be larger than 0 and less than or equal "
                     "to %d", o->level, NUMA_CACHE_LEVELS);
}

/* Levels come in order, each larger than the one before. */
static bool check_cache_size(const NumaCache *caches, const NumaHmatCacheOptions *o, Error **errp)
{
    const NumaCache *below = o->level > 1 ? &caches[o->level - 2] : NULL;

    if (caches[o->level - 1].size_bytes) {
        return error_set(errp, "Duplicate configuration of the side cache for node-id=%u and "
                         "level=%u", o->node_id, o->level);
    }
    if (!o->size) {
        return error_set(errp, "Invalid size=0 of the side cache for node-id=%u and level=%u",
                         o->node_id, o->level);
    }
    if (below && !below->size_bytes) {
        return error_set(errp, "Cache level=%u shall be defined first", o->level - 1);
    }
    return !below || o->size > below->size_bytes ||
           error_set(errp, "Invalid size=%" PRIu64 ", the size of level=%u should be larger than "
                     "the size(%" PRIu64 ") of level=%u", o->size, o->level, below->size_bytes,
                     o->level - 1);
}

bool numa_hmat_cache_option(Machine *machine, const NumaHmatCacheOptions *o, Error **errp)
{
    NumaState *numa = machine->numa;

    if (!numa_hmat_check_on(machine, errp) || !check_cache_place(numa, o, errp) ||
        !check_cache_size(numa->caches[o->node_id], o, errp)) {
        return false;
    }
    numa->caches[o->node_id][o->level - 1] = (NumaCache){
        .size_bytes = o->size,
        .associativity = o->associativity,
        .policy = o->policy,
        .line_bytes = o->line,
    };
    return true;
}

/* --- when all is there --- */

bool numa_hmat_check_initiators(const Machine *machine, Error **errp)
{
    const NumaState *numa = machine->numa;

    for (unsigned i = 0; machine->hmat && i < numa->count; i++) {
        int initiator = numa->nodes[i].initiator;

        if (initiator < 0) {
            continue;
        }
        if (!numa_has_node(numa, initiator)) {
            return error_set(errp, "NUMA node %d is missing, use '-numa node' option to declare "
                             "it first", initiator);
        }
        if (!numa->nodes[initiator].has_cpus) {
            return error_set(errp, "The initiator of NUMA node %u is invalid", i);
        }
    }
    return true;
}

void numa_hmat_clear(NumaState *numa)
{
    for (unsigned h = 0; h < NUMA_HMAT_HIERARCHIES; h++) {
        for (unsigned type = 0; type < NUMA_HMAT_DATA_TYPES; type++) {
            NumaHmatTable *table = numa->tables[h][type];

            if (table) {
                g_array_free(table->entries, TRUE);
                g_free(table);
            }
        }
    }
}

const NumaHmatTable *numa_hmat_table(const NumaState *numa, unsigned hierarchy,
                                     unsigned data_type)
{
    assert(hierarchy < NUMA_HMAT_HIERARCHIES && data_type < NUMA_HMAT_DATA_TYPES);
    return numa->tables[hierarchy][data_type];
}

uint16_t numa_hmat_value(const NumaHmatTable *table, unsigned initiator, unsigned target)
{
    const NumaHmatEntry *entry = find_entry(table, initiator, target);

    return entry ? entry->value / table->base : 0;
}

const NumaCache *numa_hmat_cache(const NumaState *numa, unsigned node, unsigned level)
{
    const NumaCache *cache;

    if (node >= NUMA_MAX_NODES || level < 1 || level > NUMA_CACHE_LEVELS) {
        return NULL;
    }
    cache = &numa->caches[node][level - 1];
    return cache->size_bytes ? cache : NULL;
}

int numa_initiator(const NumaState *numa, unsigned node)
{
    return numa_has_node(numa, node) ? numa->nodes[node].initiator : -1;
}
