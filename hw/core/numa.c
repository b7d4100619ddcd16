/*
 * NUMA: the state, and -numa's options for nodes and distances. See hw/core/numa.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/numa_state.h"
#include "system/memory_backend.h"
#include "util/bitmap.h"
#include "util/size.h"

#define LOCAL_DISTANCE 10
#define CPUS_LIMIT     65536 /* the schema's uint16 */

NumaState *numa_state_new(void)
{
    NumaState *numa = g_new0(NumaState, 1);

    for (unsigned i = 0; i < NUMA_MAX_NODES; i++) {
        numa->nodes[i].initiator = -1;
    }
    return numa;
}

void numa_state_free(NumaState *numa)
{
    for (unsigned i = 0; i < NUMA_MAX_NODES; i++) {
        object_unref(numa->nodes[i].backend);
    }
    numa_hmat_clear(numa);
    g_free(numa);
}

/* --- -numa node --- */

static bool choose_id(const NumaState *numa, const NumaNodeOptions *o, unsigned *id, Error **errp)
{
    *id = o->has_nodeid ? o->nodeid : numa->count;
    if (*id >= NUMA_MAX_NODES) {
        return error_set(errp, "Max number of NUMA nodes reached: %u", *id);
    }
    return !numa->nodes[*id].is_present || error_set(errp, "Duplicate NUMA nodeid: %u", *id);
}

static bool check_initiator(const Machine *machine, const NumaNodeOptions *o, Error **errp)
{
    if (!o->has_initiator) {
        return true;
    }
    if (!numa_hmat_check_on(machine, errp)) {
        return false;
    }
    return o->initiator < NUMA_MAX_NODES ||
           error_set(errp, "The initiator id %u expects an integer between 0 and %d",
                     o->initiator, NUMA_MAX_NODES - 1);
}

static bool check_memory(const Machine *machine, const NumaNodeOptions *o, Error **errp)
{
    const NumaState *numa = machine->numa;

    if (o->has_mem && !machine_ops(machine)->supports_numa_mem) {
        error_set(errp, "Parameter -numa node,mem is not supported by this machine type");
        error_hint(errp, "Use -numa node,memdev instead\n");
        return false;
    }
    if ((o->has_mem && (o->memdev || numa->uses_memdev)) || (o->memdev && numa->uses_mem)) {
        return error_set(errp, "numa configuration should use either mem= or memdev=,mixing both "
                         "is not allowed");
    }
    return true;
}

static bool find_backend(const char *name, Object **backend, Error **errp)
{
    bool is_ambiguous = false;

    *backend = name ? object_resolve(name, TYPE_MEMORY_BACKEND, &is_ambiguous) : NULL;
    return *backend || !name ||
           error_set(errp, is_ambiguous ? "memdev=%s is ambiguous" :
                     "memdev=%s is not a memory backend", name);
}

static bool add_node(Machine *machine, const NumaOptions *options, Error **errp)
{
    const NumaNodeOptions *o = &options->u.node;
    NumaState *numa = machine->numa;
    int initiator = o->has_initiator ? o->initiator : -1;
    Object *backend;
    NumaNode *node;
    unsigned id;

    if (!choose_id(numa, o, &id, errp) || !check_initiator(machine, o, errp) ||
        !numa_check_cpus(machine, id, initiator, o->cpus, errp) ||
        !check_memory(machine, o, errp) || !find_backend(o->memdev, &backend, errp)) {
        return false;
    }
    node = &numa->nodes[id];
    node->is_present = true;
    node->initiator = initiator;
    if (backend) {
        node->backend = object_ref(backend);
        node->bytes = object_get_int(backend, "size");
        numa->uses_memdev = true;
    } else if (o->has_mem) {
        node->bytes = o->mem;
        numa->uses_mem = true;
        warn_report("Parameter -numa node,mem is deprecated, use -numa node,memdev instead");
    }
    numa->count++;
    numa->id_limit = MAX(numa->id_limit, id + 1);
    numa_take_cpus(machine, id, o->cpus);
    return true;
}

/* --- -numa dist --- */

static bool check_node_id(const char *name, unsigned id, Error **errp)
{
    return id < NUMA_MAX_NODES ||
           error_set(errp, "Parameter '%s' expects an integer between 0 and %d", name,
                     NUMA_MAX_NODES - 1);
}

static bool add_distance(Machine *machine, const NumaOptions *options, Error **errp)
{
    const NumaDistOptions *o = &options->u.dist;
    NumaState *numa = machine->numa;

    if (!check_node_id("src", o->src, errp) || !check_node_id("dst", o->dst, errp)) {
        return false;
    }
    if (!numa_has_node(numa, o->src) || !numa_has_node(numa, o->dst)) {
        return error_set(errp, "Source/Destination NUMA node is missing. Please use '-numa node' "
                         "option to declare it first.");
    }
    if (o->val < LOCAL_DISTANCE) {
        return error_set(errp, "NUMA distance (%u) is invalid, it shouldn't be less than %d.",
                         o->val, LOCAL_DISTANCE);
    }
    if (o->src == o->dst && o->val != LOCAL_DISTANCE) {
        return error_set(errp, "Local distance of node %u should be %d.", o->src, LOCAL_DISTANCE);
    }
    numa->nodes[o->src].distances[o->dst] = o->val;
    numa->has_distances = true;
    return true;
}

/* --- any of them --- */

static bool add_cpu(Machine *machine, const NumaOptions *options, Error **errp)
{
    return numa_cpu_option(machine, &options->u.cpu, errp);
}

static bool add_hmat_lb(Machine *machine, const NumaOptions *options, Error **errp)
{
    return numa_hmat_lb_option(machine, &options->u.hmat_lb, errp);
}

static bool add_hmat_cache(Machine *machine, const NumaOptions *options, Error **errp)
{
    return numa_hmat_cache_option(machine, &options->u.hmat_cache, errp);
}

typedef bool AddOption(Machine *machine, const NumaOptions *options, Error **errp);
static AddOption *const add_option[] = {
    [NUMA_OPTIONS_TYPE_NODE] = add_node,
    [NUMA_OPTIONS_TYPE_DIST] = add_distance,
    [NUMA_OPTIONS_TYPE_CPU] = add_cpu,
    [NUMA_OPTIONS_TYPE_HMAT_LB] = add_hmat_lb,
    [NUMA_OPTIONS_TYPE_HMAT_CACHE] = add_hmat_cache,
};

static bool parse_cpu(const char *text, uint64_t *cpu)
{
    g_autofree char *why = NULL;

    return number_parse(text, cpu, &why) && *cpu < CPUS_LIMIT;
}

/* Marks the numbers of "3", "0-2" or "0,2-3". */
static bool mark_ranges(const char *text, uint64_t *marks)
{
    g_auto(GStrv) ranges = g_strsplit(text, ",", -1);

    for (char **range = ranges; *range; range++) {
        g_auto(GStrv) ends = g_strsplit(*range, "-", 2);
        uint64_t first, last;

        if (!ends[0] || !parse_cpu(ends[0], &first) ||
            !parse_cpu(ends[ends[1] ? 1 : 0], &last) || first > last) {
            return false;
        }
        bitmap_set_range(marks, first, last - first + 1);
    }
    return *ranges;
}

static bool mark_cpus(json_object *cpus, uint64_t *marks)
{
    if (json_object_is_type(cpus, json_type_string)) {
        return mark_ranges(json_object_get_string(cpus), marks);
    }
    if (!json_object_is_type(cpus, json_type_array)) {
        return false;
    }
    for (size_t i = 0; i < json_object_array_length(cpus); i++) {
        json_object *item = json_object_array_get_idx(cpus, i);

        if (!json_object_is_type(item, json_type_string) ||
            !mark_ranges(json_object_get_string(item), marks)) {
            return false;
        }
    }
    return true;
}

/* A copy whose "cpus" is a list of numbers (as text), whatever ranges it was. */
static json_object *spread_cpus(json_object *option, json_object *cpus, Error **errp)
{
    g_autofree uint64_t *marks = bitmap_try_new(CPUS_LIMIT);
    json_object *copy, *list;

    if (!marks || !mark_cpus(cpus, marks)) {
        error_set(errp, "Parameter 'cpus' expects a uint64 value or range");
        return NULL;
    }
    copy = json_object_new_object();
    list = json_object_new_array();
    json_object_object_foreach(option, key, value) {
        json_set(copy, key, json_ref(value));
    }
    json_set(copy, "cpus", list);
    for (uint64_t n = bitmap_find_set(marks, CPUS_LIMIT, 0); n < CPUS_LIMIT;
         n = bitmap_find_set(marks, CPUS_LIMIT, n + 1)) {
        g_autofree char *text = g_strdup_printf("%" PRIu64, n);

        json_object_array_add(list, json_string(text));
    }
    return copy;
}

bool numa_add_option(Machine *machine, json_object *option, PropertyForm form, Error **errp)
{
    json_object *cpus = json_member(option, "cpus");
    g_autoptr(JsonObject) plain = NULL;
    g_autoptr(NumaOptions) options = NULL;

    if (!machine_ops(machine)->supports_numa) {
        return error_set(errp, "NUMA is not supported by this machine-type");
    }
    plain = cpus && form == PROPERTY_TEXT ? spread_cpus(option, cpus, errp) : json_ref(option);
    if (!plain) {
        return false;
    }
    options = numa_options_from_json(plain, form == PROPERTY_TEXT ? QAPI_TEXT : QAPI_TYPED, errp);
    return options && add_option[options->type](machine, options, errp);
}

/* --- what others ask --- */

bool numa_provides_memory(const NumaState *numa)
{
    return numa->uses_memdev;
}

unsigned numa_node_count(const NumaState *numa)
{
    return numa->count;
}

uint64_t numa_node_bytes(const NumaState *numa, unsigned node)
{
    return numa->nodes[node].bytes;
}

bool numa_has_distances(const NumaState *numa)
{
    return numa->has_distances;
}

void numa_plug_memory(NumaState *numa, unsigned node, int64_t bytes)
{
    assert(numa_has_node(numa, node));
    numa->nodes[node].plugged_bytes += bytes;
}
