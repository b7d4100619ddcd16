/*
 * NUMA: which CPUs are where: -numa node,cpus=, -numa cpu, and those nobody spoke of. See
 * hw/core/numa.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/numa_state.h"

static bool check_initiator_is_self(const Machine *machine, unsigned id, int initiator,
                                    Error **errp)
{
    return !machine->hmat || initiator < 0 || initiator == (int)id ||
           error_set(errp, "The initiator of CPU NUMA node %u should be itself (got %d)", id,
                     initiator);
}

static bool check_slot(const CpuSlot *slot, unsigned id, Error **errp)
{
    return slot->node_id < 0 || slot->node_id == id ||
           error_set(errp, "CPU is already assigned to node-id: %" PRId64, slot->node_id);
}

static void put_slot(Machine *machine, CpuSlot *slot, unsigned id)
{
    NumaNode *node = &machine->numa->nodes[id];

    slot->node_id = id;
    node->has_cpus = true;
    if (machine->hmat) {
        node->initiator = id;
    }
}

/* --- -numa node,cpus= --- */

static CpuSlot *slot_of(CpuSlots *slots, unsigned cpu)
{
    for (unsigned i = 0; i < slots->count; i++) {
        if (cpu < slots->slots[i].vcpu_count) {
            return &slots->slots[i];
        }
        cpu -= slots->slots[i].vcpu_count;
    }
    return NULL;
}

bool numa_check_cpus(Machine *machine, unsigned id, int initiator, const Uint16Array *cpus,
                     Error **errp)
{
    CpuSlots *slots = cpus && cpus->count ? machine_cpu_slots(machine) : NULL;

    for (size_t i = 0; cpus && i < cpus->count; i++) {
        unsigned cpu = cpus->items[i];
        CpuSlot *slot = slots ? slot_of(slots, cpu) : NULL;

        if (cpu >= machine->smp.max_cpus) {
            return error_set(errp, "CPU index (%u) should be smaller than maxcpus (%u)", cpu,
                             machine->smp.max_cpus);
        }
        if (!slot) {
            return error_set(errp, "mapping of CPUs to NUMA node is not supported");
        }
        if (!check_slot(slot, id, errp) ||
            !check_initiator_is_self(machine, id, initiator, errp)) {
            return false;
        }
    }
    return true;
}

void numa_take_cpus(Machine *machine, unsigned id, const Uint16Array *cpus)
{
    for (size_t i = 0; cpus && i < cpus->count; i++) {
        put_slot(machine, slot_of(machine->slots, cpus->items[i]), id);
    }
}

/* --- -numa cpu --- */

static const char *const level_names[TOPOLOGY_LEVEL_COUNT] = {
    "socket-id", "die-id", "cluster-id", "core-id", "thread-id",
};

/* What is to be put somewhere: -1 is any. */
static void wanted_ids(const NumaCpuOptions *o, int64_t *ids)
{
    ids[TOPOLOGY_SOCKET] = o->has_socket_id ? o->socket_id : -1;
    ids[TOPOLOGY_DIE] = o->has_die_id ? o->die_id : -1;
    ids[TOPOLOGY_CLUSTER] = o->has_cluster_id ? o->cluster_id : -1;
    ids[TOPOLOGY_CORE] = o->has_core_id ? o->core_id : -1;
    ids[TOPOLOGY_THREAD] = o->has_thread_id ? o->thread_id : -1;
}

static bool check_levels(const CpuSlots *slots, const NumaCpuOptions *o, Error **errp)
{
    const bool is_given[TOPOLOGY_LEVEL_COUNT] = {
        o->has_socket_id, o->has_die_id, o->has_cluster_id, o->has_core_id, o->has_thread_id,
    };

    for (int level = TOPOLOGY_THREAD; level >= 0; level--) {
        if (is_given[level] && slots->slots[0].ids[level] < 0) {
            return error_set(errp, "%s is not supported", level_names[level]);
        }
    }
    return true;
}

static bool slot_matches(const CpuSlot *slot, const int64_t *ids, const NumaCpuOptions *o)
{
    const bool is_given[TOPOLOGY_LEVEL_COUNT] = {
        o->has_socket_id, o->has_die_id, o->has_cluster_id, o->has_core_id, o->has_thread_id,
    };

    for (int level = 0; level < TOPOLOGY_LEVEL_COUNT; level++) {
        if (is_given[level] && slot->ids[level] != ids[level]) {
            return false;
        }
    }
    return true;
}

static bool check_node(const Machine *machine, const NumaCpuOptions *o, Error **errp)
{
    if (!o->has_node_id) {
        return error_set(errp, "Missing mandatory node-id property");
    }
    if (o->node_id < 0 || o->node_id >= NUMA_MAX_NODES ||
        !numa_has_node(machine->numa, o->node_id)) {
        return error_set(errp, "Invalid node-id=%" PRId64 ", NUMA node must be defined with -numa "
                         "node,nodeid=ID before it's used with -numa cpu,node-id=ID",
                         o->node_id);
    }
    return true;
}

bool numa_cpu_option(Machine *machine, const NumaCpuOptions *o, Error **errp)
{
    CpuSlots *slots = machine_cpu_slots(machine);
    g_autoptr(GPtrArray) chosen = g_ptr_array_new();
    int64_t ids[TOPOLOGY_LEVEL_COUNT];

    if (!check_node(machine, o, errp)) {
        return false;
    }
    if (!slots || !slots->count) {
        return error_set(errp, "mapping of CPUs to NUMA node is not supported");
    }
    if (!check_levels(slots, o, errp)) {
        return false;
    }
    wanted_ids(o, ids);
    for (unsigned i = 0; i < slots->count; i++) {
        if (slot_matches(&slots->slots[i], ids, o)) {
            if (!check_slot(&slots->slots[i], o->node_id, errp)) {
                return false;
            }
            g_ptr_array_add(chosen, &slots->slots[i]);
        }
    }
    if (!chosen->len) {
        return error_set(errp, "no match found");
    }
    if (!check_initiator_is_self(machine, o->node_id, machine->numa->nodes[o->node_id].initiator,
                                 errp)) {
        return false;
    }
    for (guint i = 0; i < chosen->len; i++) {
        put_slot(machine, chosen->pdata[i], o->node_id);
    }
    return true;
}

/* --- the rest --- */

static void describe_slot(GString *out, const CpuSlot *slot, unsigned cpu)
{
    const char *separator = "";

    g_string_append_printf(out, "%sCPU %u [", out->len ? ", " : "", cpu);
    for (int level = 0; level < TOPOLOGY_LEVEL_COUNT; level++) {
        if (slot->ids[level] >= 0) {
            g_string_append_printf(out, "%s%s: %" PRId64, separator, level_names[level],
                                   slot->ids[level]);
            separator = ", ";
        }
    }
    g_string_append_c(out, ']');
}

static int64_t default_node(const Machine *machine, const CpuSlot *slot)
{
    const MachineType *ops = machine_ops(machine);

    if (ops->default_cpu_node) {
        return ops->default_cpu_node(machine, slot);
    }
    return MAX(0, slot->ids[TOPOLOGY_SOCKET]) % machine->numa->count;
}

static void warn_of_rest(const GString *rest)
{
    if (rest->len) {
        warn_report("CPU(s) not present in any NUMA nodes: %s", rest->str);
        warn_report("All CPU(s) up to maxcpus should be described in NUMA config, ability to "
                    "start up with partial NUMA mappings is obsoleted and will be removed in "
                    "future");
    }
}

bool numa_assign_cpus(Machine *machine, Error **errp)
{
    g_autoptr(GString) rest = g_string_new(NULL);
    CpuSlots *slots = machine->slots;
    bool is_default = true;
    unsigned cpu = 0;

    if (!machine->numa->count) {
        return true;
    }
    for (unsigned i = 0; i < slots->count; i++) {
        is_default &= slots->slots[i].node_id < 0;
    }
    for (unsigned i = 0; i < slots->count; cpu += slots->slots[i++].vcpu_count) {
        CpuSlot *slot = &slots->slots[i];

        if (slot->node_id < 0) {
            slot->node_id = is_default ? default_node(machine, slot) : 0;
            if (!is_default) {
                describe_slot(rest, slot, cpu);
            }
        }
    }
    warn_of_rest(rest);
    return numa_hmat_check_initiators(machine, errp);
}
