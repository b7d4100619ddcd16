/*
 * What clients ask about machines and devices.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/core/numa.h"
#include "qapi/qapi-commands-machine.h"
#include "qapi/qapi-commands-qdev.h"
#include "system/run_state.h"

static MachineInfo *describe(const Type *type)
{
    const MachineType *ops = type_ops(type);
    MachineInfo *info = g_new0(MachineInfo, 1);

    info->name = machine_type_short_name(type);
    info->alias = g_strdup(ops->alias);
    info->has_is_default = ops->is_default;
    info->is_default = ops->is_default;
    info->cpu_max = MAX(1, ops->max_cpus);
    info->hotpluggable_cpus = ops->has_hotpluggable_cpus;
    info->numa_mem_supported = ops->supports_numa_mem;
    info->deprecated = ops->deprecation;
    info->default_cpu_type = g_strdup(ops->default_cpu);
    info->default_ram_id = g_strdup(ops->default_ram_id);
    info->acpi = ops->has_acpi;
    return info;
}

MachineInfoArray *qmp_query_machines(Error **errp)
{
    g_autoptr(GPtrArray) types = type_list(TYPE_MACHINE, false);
    MachineInfoArray *list = g_new0(MachineInfoArray, 1);

    list->items = g_new0(MachineInfo *, types->len);
    for (guint i = 0; i < types->len; i++) {
        list->items[list->count++] = describe(types->pdata[i]);
    }
    return list;
}

CurrentMachineParams *qmp_query_current_machine(Error **errp)
{
    CurrentMachineParams *params = g_new0(CurrentMachineParams, 1);

    params->wakeup_suspend_support = vm_has_wakeup_support();
    return params;
}

bool qmp_device_add(json_object *args, Error **errp)
{
    g_autoptr(JsonObject) none = args ? NULL : json_object_new_object();

    return device_add(args ? args : none, PROPERTY_ANY, errp);
}

bool qmp_device_del(const char *id, Error **errp)
{
    return device_del(id, errp);
}

bool qmp_set_numa_node(const NumaOptions *options, Error **errp)
{
    g_autoptr(JsonObject) value = NULL;

    if (machine_current()->is_initialized) {
        return error_set(errp, "The command is permitted only before the machine has been created");
    }
    value = numa_options_to_json(options);
    return numa_add_option(machine_current(), value, PROPERTY_TYPED, errp);
}
