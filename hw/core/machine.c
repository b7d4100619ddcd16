/*
 * Machines: see hw/core/machine.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/cpu.h"
#include "hw/core/device_memory.h"
#include "hw/core/machine.h"
#include "hw/core/machine_parts.h"
#include "hw/core/numa.h"
#include "hw/core/reset.h"
#include "system/memory_backend.h"

static json_object *get_smp(Object *obj, const Property *p, Error **errp)
{
    return topology_get(&MACHINE(obj)->smp);
}

static bool set_smp(Object *obj, const Property *p, json_object *value, PropertyForm form,
                    Error **errp)
{
    return topology_set(MACHINE(obj), value, form, errp);
}

static json_object *get_memory(Object *obj, const Property *p, Error **errp)
{
    return memory_sizes_get(&MACHINE(obj)->memory);
}

static bool set_memory(Object *obj, const Property *p, json_object *value, PropertyForm form,
                       Error **errp)
{
    return memory_sizes_set(MACHINE(obj), value, form, errp);
}

static json_object *get_boot(Object *obj, const Property *p, Error **errp)
{
    return boot_order_get(&MACHINE(obj)->boot);
}

static bool set_boot(Object *obj, const Property *p, json_object *value, PropertyForm form,
                     Error **errp)
{
    return boot_order_set(MACHINE(obj), value, form, errp);
}

static const Property machine_props[] = {
    PROP_STR("kernel", Machine, kernel, .doc = "Linux kernel image file"),
    PROP_STR("initrd", Machine, initrd, .doc = "Linux initial ramdisk file"),
    PROP_STR("append", Machine, append, .doc = "Linux kernel command line"),
    PROP_STR("dtb", Machine, dtb, .doc = "Device tree file"),
    PROP_STR("dumpdtb", Machine, dumpdtb, .doc = "Write the device tree to a file and quit"),
    PROP_STR("dt-compatible", Machine, dt_compatible,
             .doc = "Replaces \"compatible\" of the device tree's root"),
    PROP_STR("firmware", Machine, firmware, .doc = "Firmware image"),
    PROP_STR("memory-encryption", Machine, memory_encryption,
             .doc = "Id of the memory encryption object"),
    PROP_I64("phandle-start", Machine, phandle_start, .has_no_default = true,
             .doc = "First phandle of the device tree we make"),
    PROP_BOOL("usb", Machine, usb, .has_no_default = true, .doc = "USB controller"),
    PROP_BOOL("graphics", Machine, graphics, .initial = true, .has_no_default = true,
              .doc = "Graphics output"),
    PROP_BOOL("mem-merge", Machine, mem_merge, .initial = true, .has_no_default = true,
              .doc = "Let the host merge equal pages"),
    PROP_BOOL("dump-guest-core", Machine, dump_guest_core, .initial = true,
              .has_no_default = true, .doc = "Guest memory in a core dump of the process"),
    PROP_BOOL("suppress-vmdesc", Machine, suppress_vmdesc, .has_no_default = true,
              .doc = "Leave the description out of the migration stream"),
    PROP_LINK("confidential-guest-support", Machine, confidential, "confidential-guest-support",
              .doc = "Object that makes the guest confidential"),
    PROP_LINK("memory-backend", Machine, memory_backend, TYPE_MEMORY_BACKEND,
              .doc = "Back end of the RAM, by id"),
    PROP_COMPUTED("smp", "SMPConfiguration", .get = get_smp, .set = set_smp,
                  .doc = "CPU topology"),
    PROP_COMPUTED("memory", "MemorySizeConfiguration", .get = get_memory, .set = set_memory,
                  .doc = "Memory sizes"),
    PROP_COMPUTED("boot", "BootConfiguration", .get = get_boot, .set = set_boot,
                  .doc = "Boot order and menu"),
};

static void machine_init(Object *obj)
{
    Machine *machine = MACHINE(obj);
    const MachineType *ops = machine_ops(machine);

    machine->smp = (CpuTopology){ 1, 1, { 1, 1, 1, 1, 1 } };
    machine->memory.size_bytes = ops->is_without_ram ? 0 :
                                 ops->default_ram_bytes ? ops->default_ram_bytes : 128 * MiB;
    machine->memory.max_bytes = machine->memory.size_bytes;
    machine->boot.splash_time = machine->boot.reboot_timeout = -1;
    machine->numa = numa_state_new();
    board_options_init(&machine->options);
    machine->cpu_type = ops->default_cpu;
}

static void machine_finalize(Object *obj)
{
    Machine *machine = MACHINE(obj);

    device_memory_clear(machine);
    machine_free_ram(machine);
    boot_order_clear(&machine->boot);
    cpu_slots_free(machine->slots);
    numa_state_free(machine->numa);
    board_options_clear(&machine->options);
}

static const MachineType machine_type = {
    .name = TYPE_MACHINE,
    .doc = "A board",
    .size = sizeof(Machine),
    .is_abstract = true,
    .properties = PROPERTIES(machine_props),
    .init = machine_init,
    .finalize = machine_finalize,
};
MACHINE_TYPE(machine_type)

Machine *machine_current(void)
{
    Object *obj = object_child(object_root(), "machine");

    return obj && object_is_a(obj, TYPE_MACHINE) ? MACHINE(obj) : NULL;
}

char *machine_type_short_name(const Type *type)
{
    const char *name = type_name(type);

    assert(g_str_has_suffix(name, TYPE_MACHINE_SUFFIX));
    return g_strndup(name, strlen(name) - strlen(TYPE_MACHINE_SUFFIX));
}

const Type *machine_type_find(const char *name)
{
    g_autoptr(GPtrArray) types = type_list(TYPE_MACHINE, false);

    for (guint i = 0; i < types->len; i++) {
        const MachineType *ops = type_ops(types->pdata[i]);
        g_autofree char *short_name = machine_type_short_name(types->pdata[i]);

        if (!strcmp(short_name, name) || (ops->alias && !strcmp(ops->alias, name))) {
            return types->pdata[i];
        }
    }
    return NULL;
}

const Type *machine_type_default(void)
{
    g_autoptr(GPtrArray) types = type_list(TYPE_MACHINE, false);

    for (guint i = 0; i < types->len; i++) {
        if (((const MachineType *)type_ops(types->pdata[i]))->is_default) {
            return types->pdata[i];
        }
    }
    return NULL;
}

/* Families by name, the newest first in each; then what has none, by name. */
static gint compare_types(gconstpointer a, gconstpointer b)
{
    const Type *x = *(const Type *const *)a, *y = *(const Type *const *)b;
    const MachineType *p = type_ops(x), *q = type_ops(y);
    int order;

    if (!p->family || !q->family) {
        return p->family ? -1 : q->family ? 1 : strcmp(type_name(x), type_name(y));
    }
    order = strcmp(p->family, q->family);
    return order ? order : strcmp(type_name(y), type_name(x));
}

void machine_print_types(GString *out)
{
    g_autoptr(GPtrArray) types = type_list(TYPE_MACHINE, false);

    g_ptr_array_sort(types, compare_types);
    g_string_append(out, "Supported machines are:\n");
    for (guint i = 0; i < types->len; i++) {
        const MachineType *ops = type_ops(types->pdata[i]);
        g_autofree char *name = machine_type_short_name(types->pdata[i]);

        if (ops->alias) {
            g_string_append_printf(out, "%-20s %s (alias of %s)\n", ops->alias, ops->doc, name);
        }
        g_string_append_printf(out, "%-20s %s%s%s\n", name, ops->doc,
                               ops->is_default ? " (default)" : "",
                               ops->deprecation ? " (deprecated)" : "");
    }
}

static void apply_version(const MachineVersion *version)
{
    if (!version) {
        return;
    }
    apply_version(version->newer);
    for (size_t i = 0; i < version->count; i++) {
        const MachineGlobal *global = &version->globals[i];

        device_add_global(global->type, global->property, global->value, false);
    }
}

Machine *machine_create(const Type *type)
{
    Object *machine = object_new_of(type);

    assert(!machine_current());
    apply_version(((const MachineType *)type_ops(type))->version);
    object_add_child(object_root(), "machine", machine, NULL);
    object_unref(machine);
    object_container("/machine/peripheral");
    object_container("/machine/peripheral-anon");
    object_container("/machine/unattached");
    bus_system();
    return MACHINE(machine);
}

CpuSlots *machine_cpu_slots(Machine *machine)
{
    const MachineType *ops = machine_ops(machine);

    if (!machine->slots && machine->cpu_type && ops->cpu_slots) {
        machine->slots = ops->cpu_slots(machine);
    }
    return machine->slots;
}

static bool make_cpus(Machine *machine, Error **errp)
{
    if (!machine_cpu_slots(machine)) {
        return true;
    }
    if (!numa_assign_cpus(machine, errp)) {
        return false;
    }
    for (unsigned i = 0; i < machine->smp.cpus && i < machine->slots->count; i++) {
        if (!cpu_create_in_slot(machine, &machine->slots->slots[i], errp)) {
            return false;
        }
    }
    return true;
}

bool machine_initialize(Machine *machine, Error **errp)
{
    const MachineType *ops = machine_ops(machine);

    if (!numa_complete(machine, errp) || !machine_make_ram(machine, errp) ||
        !make_cpus(machine, errp) || (ops->build && !ops->build(machine, errp))) {
        return false;
    }
    machine->is_initialized = true;
    object_seal(machine);
    return true;
}

bool machine_set_ready(Machine *machine, Error **errp)
{
    const MachineType *ops = machine_ops(machine);

    if (ops->complete && !ops->complete(machine, errp)) {
        return false;
    }
    device_set_hotplug_phase(true);
    reset_machine();
    return true;
}

static void delete_device(void *opaque, Object *child)
{
    if (object_is_a(child, TYPE_DEVICE) && child->parent) {
        device_delete(DEVICE(child));
    }
}

void machine_destroy(void)
{
    static const char *const places[] = { "/machine/peripheral-anon", "/machine/peripheral",
                                          "/machine/unattached", "/machine" };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        object_each_child(object_container(places[i]), delete_device, NULL);
    }
}
