/*
 * What clients ask about CPUs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/cpu_models.h"
#include "hw/core/machine.h"
#include "qapi/qapi-commands-machine-target.h"
#include "qapi/qapi-commands-machine.h"
#include "qapi/qapi-commands-misc-target.h"
#include "system/target.h"

static CpuInstanceProperties *place_of(const CpuSlot *slot)
{
    CpuInstanceProperties *props = g_new0(CpuInstanceProperties, 1);
    const int64_t *ids = slot->ids;

    props->has_node_id = slot->node_id >= 0;
    props->node_id = slot->node_id;
    props->has_socket_id = ids[TOPOLOGY_SOCKET] >= 0;
    props->socket_id = ids[TOPOLOGY_SOCKET];
    props->has_die_id = ids[TOPOLOGY_DIE] >= 0;
    props->die_id = ids[TOPOLOGY_DIE];
    props->has_cluster_id = ids[TOPOLOGY_CLUSTER] >= 0;
    props->cluster_id = ids[TOPOLOGY_CLUSTER];
    props->has_core_id = ids[TOPOLOGY_CORE] >= 0;
    props->core_id = ids[TOPOLOGY_CORE];
    props->has_thread_id = ids[TOPOLOGY_THREAD] >= 0;
    props->thread_id = ids[TOPOLOGY_THREAD];
    return props;
}

static SysEmuTarget target_number(void)
{
    int number = enum_table_find(&sys_emu_target_names, target_info()->name);

    assert(number >= 0);
    return number;
}

CpuInfoFastArray *qmp_query_cpus_fast(Error **errp)
{
    CpuInfoFastArray *list = g_new0(CpuInfoFastArray, 1);

    for (Vcpu *vcpu = vcpu_first(); vcpu; vcpu = vcpu_next(vcpu)) {
        CpuInfoFast *info = g_new0(CpuInfoFast, 1);
        const Cpu *cpu = CPU(vcpu->object);

        info->cpu_index = vcpu->index;
        info->qom_path = object_path(vcpu->object);
        info->thread_id = vcpu_thread_id(vcpu);
        info->props = cpu->slot ? place_of(cpu->slot) : NULL;
        info->target = target_number();
        cpu_info_fast_array_add(list, info);
    }
    return list;
}

HotpluggableCPUArray *qmp_query_hotpluggable_cpus(Error **errp)
{
    Machine *machine = machine_current();
    HotpluggableCPUArray *list;
    const CpuSlots *slots;

    if (!machine || !machine_ops(machine)->has_hotpluggable_cpus) {
        error_set(errp, "The feature 'query-hotpluggable-cpus' is not enabled");
        return NULL;
    }
    list = g_new0(HotpluggableCPUArray, 1);
    slots = machine_cpu_slots(machine);
    for (unsigned i = slots ? slots->count : 0; i-- > 0;) {
        const CpuSlot *slot = &slots->slots[i];
        HotpluggableCPU *info = g_new0(HotpluggableCPU, 1);

        info->type = g_strdup(slot->type_name);
        info->vcpus_count = slot->vcpu_count;
        info->props = place_of(slot);
        info->qom_path = slot->cpu ? object_path(slot->cpu) : NULL;
        hotpluggable_cpu_array_add(list, info);
    }
    return list;
}

CpuDefinitionInfoArray *qmp_query_cpu_definitions(Error **errp)
{
    return cpu_models()->definitions();
}

CpuModelExpansionInfo *qmp_query_cpu_model_expansion(CpuModelExpansionType type,
                                                     const CpuModelInfo *model, Error **errp)
{
    return cpu_models()->expand(type, model, errp);
}

GICCapabilityArray *qmp_query_gic_capabilities(Error **errp)
{
    return cpu_models()->gic_capabilities();
}
