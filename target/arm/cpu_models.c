/*
 * What clients and users ask about Arm CPU models.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu_models.h"
#include "qom/error.h"
#include "system/accel.h"
#include "system/target.h"
#include "target/arm/cpu.h"

static const TargetInfo arm_target = {
    .name = "aarch64", .page_bits = 12, .cpu_base = TYPE_ARM_CPU, .cpu_suffix = ARM_CPU_SUFFIX,
};

static const Type *type_of_model(const char *model)
{
    g_autofree char *name = g_strconcat(model, ARM_CPU_SUFFIX, NULL);
    const Type *type = type_find(name);

    return type && !type_is_abstract(type) ? type : NULL;
}

static const char *arm_find(const char *model)
{
    const Type *type = type_of_model(model);

    return type ? type_name(type) : NULL;
}

static void arm_print(GString *out)
{
    g_string_append(out, "Available CPUs:\n");
    for (size_t i = 0; i < arm_model_count; i++) {
        g_string_append_printf(out, "  %s\n", arm_models[i].name);
    }
}

static CpuDefinitionInfoArray *arm_definitions(void)
{
    CpuDefinitionInfoArray *list = g_new0(CpuDefinitionInfoArray, 1);

    for (size_t i = 0; i < arm_model_count; i++) {
        cpu_definition_add(list, arm_models[i].name, arm_find(arm_models[i].name));
    }
    return list;
}

/* What an expansion may set and tells. */
static const char *const expanded_props[] = {
    "aarch64", "pmu", "sve", "sve128", "sve256", "sve384", "sve512", "sve640", "sve768", "sve896",
    "sve1024", "sve1152", "sve1280", "sve1408", "sve1536", "sve1664", "sve1792", "sve1920",
    "sve2048", "pauth", "pauth-impdef", "pauth-qarma3",
};

static bool is_expanded(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(expanded_props); i++) {
        if (!strcmp(expanded_props[i], name)) {
            return true;
        }
    }
    return false;
}

static const Type *find_for_expansion(const char *name, Error **errp)
{
    const Type *type = type_of_model(name);

    if (!strcmp(name, "host")) {
        error_set(errp, "The CPU type 'host' requires KVM");
        return NULL;
    }
    if (!type) {
        error_set(errp, "The CPU type '%s' is not a recognized ARM CPU type", name);
    } else if (accel_is("kvm")) {
        error_set(errp, "We cannot guarantee the CPU type '%s' works with KVM on this host",
                  name);
        return NULL;
    }
    return type;
}

static bool set_props(ArmCpu *cpu, json_object *props, Error **errp)
{
    if (!props) {
        return true;
    }
    if (!json_object_is_type(props, json_type_object)) {
        return error_set(errp, "Invalid parameter type for 'model.props', expected: object");
    }
    json_object_object_foreach(props, name, value) {
        if (!is_expanded(name)) {
            return error_set(errp, "Parameter 'model.props.%s' is unexpected", name);
        }
        if (!object_set(cpu, name, value, PROPERTY_TYPED, errp)) {
            return false;
        }
    }
    return true;
}

static json_object *expanded_values(ArmCpu *cpu)
{
    json_object *props = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(expanded_props); i++) {
        if (object_find_property(cpu, expanded_props[i])) {
            props = props ? props : json_object_new_object();
            json_set(props, expanded_props[i], object_get(cpu, expanded_props[i], NULL));
        }
    }
    return props;
}

static CpuModelExpansionInfo *arm_expand(CpuModelExpansionType how, const CpuModelInfo *model,
                                         Error **errp)
{
    const Type *type;
    CpuModelExpansionInfo *info = NULL;
    g_autoptr(Object) cpu = NULL;

    if (how != CPU_MODEL_EXPANSION_TYPE_FULL) {
        error_set(errp, "The requested expansion type is not supported");
        return NULL;
    }
    type = find_for_expansion(model->name, errp);
    if (!type) {
        return NULL;
    }
    cpu = object_new_of(type);
    if (set_props(ARM_CPU(cpu), model->props, errp) && arm_cpu_finish(ARM_CPU(cpu), errp)) {
        info = g_new0(CpuModelExpansionInfo, 1);
        info->model = g_new0(CpuModelInfo, 1);
        info->model->name = g_strdup(model->name);
        info->model->props = expanded_values(ARM_CPU(cpu));
    }
    return info;
}

/* There is no interrupt controller yet, of any version. */
static GICCapabilityArray *arm_gic_capabilities(void)
{
    return g_new0(GICCapabilityArray, 1);
}

static const CpuModels arm_models_ops = {
    .find = arm_find, .print = arm_print, .definitions = arm_definitions, .expand = arm_expand,
    .gic_capabilities = arm_gic_capabilities,
};

static void CONSTRUCTOR register_arm(void)
{
    target_set(&arm_target);
    cpu_models_set(&arm_models_ops);
}
