/*
 * -smp, -m and -boot: checked, completed. See hw/core/topology.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/machine.h"
#include "qapi/qapi-types-machine.h"

static QapiForm qapi_form(PropertyForm form)
{
    return form == PROPERTY_TEXT ? QAPI_TEXT : QAPI_TYPED;
}

static const char *const level_names[TOPOLOGY_LEVEL_COUNT] = {
    "sockets", "dies", "clusters", "cores", "threads",
};

typedef struct Given {
    uint64_t cpus, max_cpus;
    uint64_t counts[TOPOLOGY_LEVEL_COUNT]; /* 0: not given */
} Given;

static bool take_count(const char *name, bool has, int64_t value, uint64_t *out, Error **errp)
{
    *out = has ? value : 0;
    if (has && value <= 0) {
        return error_set(errp, "Invalid CPU topology: CPU topology parameters must be greater "
                         "than zero ('%s' is %" PRId64 ")", name, value);
    }
    return value <= INT32_MAX || error_set(errp, "Invalid CPU topology: '%s' is too large", name);
}

static bool take(const SMPConfiguration *c, Given *g, Error **errp)
{
    return take_count("cpus", c->has_cpus, c->cpus, &g->cpus, errp) &&
           take_count("maxcpus", c->has_maxcpus, c->maxcpus, &g->max_cpus, errp) &&
           take_count("sockets", c->has_sockets, c->sockets, &g->counts[TOPOLOGY_SOCKET], errp) &&
           take_count("dies", c->has_dies, c->dies, &g->counts[TOPOLOGY_DIE], errp) &&
           take_count("clusters", c->has_clusters, c->clusters, &g->counts[TOPOLOGY_CLUSTER],
                      errp) &&
           take_count("cores", c->has_cores, c->cores, &g->counts[TOPOLOGY_CORE], errp) &&
           take_count("threads", c->has_threads, c->threads, &g->counts[TOPOLOGY_THREAD], errp);
}

static bool check_levels(const MachineType *ops, const Given *g, Error **errp)
{
    for (int level = TOPOLOGY_DIE; level <= TOPOLOGY_CLUSTER; level++) {
        if (g->counts[level] > 1 && !(ops->supports_smp & BIT(level))) {
            return error_set(errp, "%s not supported by this machine's CPU topology",
                             level_names[level]);
        }
    }
    return true;
}

/* Fills in `level` so that the product is `total`; whoever else is missing is 1. */
static void derive(Given *g, TopologyLevel level, uint64_t total)
{
    uint64_t rest = 1;

    for (int i = 0; i < TOPOLOGY_LEVEL_COUNT; i++) {
        if (i != (int)level) {
            g->counts[i] = g->counts[i] ? g->counts[i] : 1;
            rest *= g->counts[i];
        }
    }
    g->counts[level] = MAX(1, total / rest);
}

/* The first level nobody gave takes what is left; cores before sockets, or the old way round. */
static void complete(const MachineType *ops, Given *g)
{
    const TopologyLevel order[] = {
        ops->prefers_sockets ? TOPOLOGY_SOCKET : TOPOLOGY_CORE,
        ops->prefers_sockets ? TOPOLOGY_CORE : TOPOLOGY_SOCKET,
        TOPOLOGY_THREAD,
    };
    uint64_t total = g->max_cpus ? g->max_cpus : g->cpus;

    g->counts[TOPOLOGY_DIE] = MAX(1, g->counts[TOPOLOGY_DIE]);
    g->counts[TOPOLOGY_CLUSTER] = MAX(1, g->counts[TOPOLOGY_CLUSTER]);
    for (size_t i = 0; total && i < ARRAY_SIZE(order); i++) {
        if (!g->counts[order[i]]) {
            derive(g, order[i], total);
            break;
        }
    }
    for (int i = 0; i < TOPOLOGY_LEVEL_COUNT; i++) {
        g->counts[i] = MAX(1, g->counts[i]);
    }
}

static char *product_text(const Given *g, uint64_t *product)
{
    GString *text = g_string_new(NULL);

    *product = 1;
    for (int i = 0; i < TOPOLOGY_LEVEL_COUNT; i++) {
        *product *= g->counts[i];
        if (g->counts[i] > 1 || (i != TOPOLOGY_DIE && i != TOPOLOGY_CLUSTER)) {
            g_string_append_printf(text, "%s%s (%" PRIu64 ")", text->len ? " * " : "",
                                   level_names[i], g->counts[i]);
        }
    }
    return g_string_free(text, FALSE);
}

static bool check_product(Machine *machine, Given *g, Error **errp)
{
    const MachineType *ops = machine_ops(machine);
    uint64_t product, limit = MAX(1, ops->max_cpus);
    g_autofree char *name = machine_type_short_name(machine->parent.type);
    g_autofree char *text = product_text(g, &product);

    g->max_cpus = g->max_cpus ? g->max_cpus : g->cpus ? g->cpus : product;
    g->cpus = g->cpus ? g->cpus : g->max_cpus;
    if (product != g->max_cpus) {
        return error_set(errp, "Invalid CPU topology: product of the hierarchy must match "
                         "maxcpus: %s != maxcpus (%" PRIu64 ")", text, g->max_cpus);
    }
    if (g->max_cpus < g->cpus) {
        return error_set(errp, "Invalid CPU topology: maxcpus must be equal to or greater than "
                         "smp: %s == maxcpus (%" PRIu64 ") < smp_cpus (%" PRIu64 ")", text,
                         g->max_cpus, g->cpus);
    }
    return g->max_cpus <= limit ||
           error_set(errp, "Invalid SMP CPUs %" PRIu64 ". The max CPUs supported by machine '%s' "
                     "is %" PRIu64, g->max_cpus, name, limit);
}

bool topology_set(Machine *machine, json_object *value, PropertyForm form, Error **errp)
{
    g_autoptr(SMPConfiguration) config = smp_configuration_from_json(value, qapi_form(form), errp);
    Given g;

    if (machine->slots) {
        return error_set(errp, "The CPU topology is fixed: CPUs have been given their places");
    }
    if (!config || !take(config, &g, errp) ||
        !check_levels(machine_ops(machine), &g, errp)) {
        return false;
    }
    complete(machine_ops(machine), &g);
    if (!check_product(machine, &g, errp)) {
        return false;
    }
    machine->smp.cpus = g.cpus;
    machine->smp.max_cpus = g.max_cpus;
    for (int i = 0; i < TOPOLOGY_LEVEL_COUNT; i++) {
        machine->smp.counts[i] = g.counts[i];
    }
    return true;
}

json_object *topology_get(const CpuTopology *smp)
{
    json_object *value = json_object_new_object();

    json_set(value, "cpus", json_object_new_int64(smp->cpus));
    for (int i = 0; i < TOPOLOGY_LEVEL_COUNT; i++) {
        json_set(value, level_names[i], json_object_new_int64(smp->counts[i]));
    }
    json_set(value, "maxcpus", json_object_new_int64(smp->max_cpus));
    return value;
}

bool memory_sizes_set(Machine *machine, json_object *value, PropertyForm form, Error **errp)
{
    g_autoptr(MemorySizeConfiguration) config =
        memory_size_configuration_from_json(value, qapi_form(form), errp);
    MemorySizes sizes = machine->memory;

    if (!config) {
        return false;
    }
    if (config->has_size && config->size) {
        sizes.size_bytes = ROUND_UP(config->size, 8192);
        if (sizes.size_bytes < config->size) {
            return error_set(errp, "ram size too large");
        }
    }
    sizes.max_bytes = config->has_max_size ? config->max_size : sizes.size_bytes;
    sizes.slots = config->has_slots ? config->slots : 0;
    if (config->has_slots && !config->has_max_size && config->slots) {
        return error_set(errp, "slots specified but no max-size");
    }
    if (sizes.max_bytes < sizes.size_bytes) {
        return error_set(errp, "invalid value of maxmem: maximum memory size (0x%" PRIx64 ") must "
                         "be at least the initial memory size (0x%" PRIx64 ")", sizes.max_bytes,
                         sizes.size_bytes);
    }
    if (sizes.slots && sizes.max_bytes == sizes.size_bytes) {
        return error_set(errp, "invalid value of maxmem: memory slots were specified but maximum "
                         "memory size (0x%" PRIx64 ") is equal to the initial memory size (0x%"
                         PRIx64 ")", sizes.max_bytes, sizes.size_bytes);
    }
    if (!sizes.slots && sizes.max_bytes > sizes.size_bytes) {
        return error_set(errp, "invalid value of maxmem: no memory slots were specified but "
                         "maximum memory size (0x%" PRIx64 ") is greater than the initial memory "
                         "size (0x%" PRIx64 ")", sizes.max_bytes, sizes.size_bytes);
    }
    machine->memory = sizes;
    return true;
}

json_object *memory_sizes_get(const MemorySizes *memory)
{
    json_object *value = json_object_new_object();

    json_set(value, "size", json_object_new_uint64(memory->size_bytes));
    if (memory->slots) {
        json_set(value, "max-size", json_object_new_uint64(memory->max_bytes));
        json_set(value, "slots", json_object_new_uint64(memory->slots));
    }
    return value;
}

static bool check_order(const char *order, Error **errp)
{
    uint32_t seen = 0;

    for (const char *p = order; p && *p; p++) {
        if (*p < 'a' || *p > 'p') {
            return error_set(errp, "Invalid boot device '%c'", *p);
        }
        if (seen & BIT(*p - 'a')) {
            return error_set(errp, "Boot device '%c' was given twice", *p);
        }
        seen |= BIT(*p - 'a');
    }
    return true;
}

static bool check_range(const char *name, bool has, int64_t value, Error **errp)
{
    return !has || (value >= -1 && value <= 0xffff) ||
           error_set(errp, "%s is invalid, it should be a value between -1 and 65535", name);
}

static void replace_text(char **field, char **value)
{
    if (*value) {
        g_free(*field);
        *field = g_steal_pointer(value);
    }
}

bool boot_order_set(Machine *machine, json_object *value, PropertyForm form, Error **errp)
{
    g_autoptr(BootConfiguration) config =
        boot_configuration_from_json(value, qapi_form(form), errp);
    BootOrder *boot = &machine->boot;

    if (!config || !check_order(config->order, errp) || !check_order(config->once, errp) ||
        !check_range("splash-time", config->has_splash_time, config->splash_time, errp) ||
        !check_range("reboot-timeout", config->has_reboot_timeout, config->reboot_timeout,
                     errp)) {
        return false;
    }
    replace_text(&boot->order, &config->order);
    replace_text(&boot->once, &config->once);
    replace_text(&boot->splash, &config->splash);
    if (config->has_menu) {
        boot->has_menu = true;
        boot->is_menu = config->menu;
    }
    boot->is_strict = config->has_strict ? config->strict : boot->is_strict;
    boot->splash_time = config->has_splash_time ? config->splash_time : boot->splash_time;
    boot->reboot_timeout =
        config->has_reboot_timeout ? config->reboot_timeout : boot->reboot_timeout;
    return true;
}

static void show_text(json_object *value, const char *name, const char *text)
{
    if (text) {
        json_set(value, name, json_string(text));
    }
}

json_object *boot_order_get(const BootOrder *boot)
{
    json_object *value = json_object_new_object();

    show_text(value, "order", boot->order);
    show_text(value, "once", boot->once);
    show_text(value, "splash", boot->splash);
    if (boot->has_menu) {
        json_set(value, "menu", json_object_new_boolean(boot->is_menu));
    }
    if (boot->splash_time >= 0) {
        json_set(value, "splash-time", json_object_new_int64(boot->splash_time));
    }
    if (boot->reboot_timeout >= 0) {
        json_set(value, "reboot-timeout", json_object_new_int64(boot->reboot_timeout));
    }
    json_set(value, "strict", json_object_new_boolean(boot->is_strict));
    return value;
}

void boot_order_clear(BootOrder *boot)
{
    g_free(boot->order);
    g_free(boot->once);
    g_free(boot->splash);
}

/* Numbers slot `n` by level, the innermost running fastest. */
static void number_slot(const Machine *machine, CpuSlot *slot, unsigned n)
{
    uintptr_t levels = machine_ops(machine)->supports_smp | BIT(TOPOLOGY_SOCKET) |
                       BIT(TOPOLOGY_CORE) | BIT(TOPOLOGY_THREAD);

    for (int level = TOPOLOGY_THREAD; level >= 0; level--) {
        unsigned count = machine->smp.counts[level];

        slot->ids[level] = levels & BIT(level) ? (int64_t)(n % count) : -1;
        n /= count;
    }
}

CpuSlots *cpu_slots_new(Machine *machine, const char *type_name)
{
    CpuSlots *slots = g_new0(CpuSlots, 1);

    slots->count = machine->smp.max_cpus;
    slots->slots = g_new0(CpuSlot, slots->count);
    for (unsigned i = 0; i < slots->count; i++) {
        CpuSlot *slot = &slots->slots[i];

        slot->type_name = type_name;
        slot->vcpu_count = 1;
        slot->node_id = -1;
        slot->arch_id = i;
        number_slot(machine, slot, i);
    }
    return slots;
}

void cpu_slots_free(CpuSlots *slots)
{
    if (slots) {
        g_free(slots->slots);
        g_free(slots);
    }
}
