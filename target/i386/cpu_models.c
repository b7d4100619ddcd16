/*
 * What clients and users ask about x86 CPU models.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu_models.h"
#include "system/target.h"
#include "target/i386/cpu.h"

static const TargetInfo x86_target = {
    .name = "x86_64", .page_bits = 12, .cpu_base = TYPE_X86_CPU, .cpu_suffix = X86_CPU_SUFFIX,
};

static const Type *type_of_model(const char *model)
{
    g_autofree char *name = g_strconcat(model, X86_CPU_SUFFIX, NULL);
    const Type *type = type_find(name);

    return type && !type_is_abstract(type) ? type : NULL;
}

static const char *x86_find(const char *model)
{
    const Type *type = type_of_model(model);

    return type ? type_name(type) : NULL;
}

/* --- -cpu help --- */

static void print_line(GString *out, const char *name, const char *text)
{
    g_string_append_printf(out, "x86 %-20s  %s\n", name, text);
}

static void print_model(GString *out, const X86Model *model)
{
    print_line(out, model->name, "(alias configured by machine type)");
    for (unsigned v = 1; v <= x86_model_version_count(model); v++) {
        const X86ModelVersion *version = x86_model_version(model, v);
        g_autofree char *text = x86_model_describe(model, v);
        g_autofree char *name = g_strdup_printf("%s-v%u", model->name, v);
        g_autofree char *alias_text = g_strdup_printf("(alias of %s)", name);

        if (version && version->alias) {
            print_line(out, version->alias, alias_text);
        }
        print_line(out, name, text);
    }
}

static int compare_models(const void *a, const void *b)
{
    const X86Model *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_features(GString *out)
{
    size_t count, column = 0;
    const X86Feature *features = x86_features(&count);
    g_autofree const char **names = g_new(const char *, count);

    for (size_t i = 0; i < count; i++) {
        names[i] = features[i].name;
    }
    qsort(names, count, sizeof(*names), compare_names);
    g_string_append(out, "\nRecognized CPUID flags:\n");
    for (size_t i = 0; i < count; i++) {
        if (column && column + 1 + strlen(names[i]) > 75) {
            g_string_append_c(out, '\n');
            column = 0;
        }
        g_string_append_printf(out, column ? " %s" : "  %s", names[i]);
        column += (column ? 1 : 2) + strlen(names[i]);
    }
    g_string_append_c(out, '\n');
}

static void x86_print(GString *out)
{
    static const char *const specials[] = { "base", "host", "max" };
    size_t count;
    const X86Model *models = x86_models(&count);
    g_autofree const X86Model **sorted = g_new(const X86Model *, count);

    for (size_t i = 0; i < count; i++) {
        sorted[i] = &models[i];
    }
    qsort(sorted, count, sizeof(*sorted), compare_models);
    g_string_append(out, "Available CPUs:\n");
    for (size_t i = 0; i < count; i++) {
        print_model(out, sorted[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(specials); i++) {
        print_line(out, specials[i], type_decl(type_of_model(specials[i]))->doc);
    }
    print_features(out);
}

/* --- query-cpu-definitions --- */

/* A CPU as it would be, for its properties alone. */
static X86Cpu *new_sample(const Type *type)
{
    return X86_CPU(object_new_of(type));
}

static void finish_sample(X86Cpu *cpu)
{
    x86_cpu_expand_features(cpu);
    cpu->is_enforced = false;
    x86_cpu_filter_features(cpu, true, NULL);
}

static StrArray *unavailable_features(const Type *type)
{
    StrArray *list = g_new0(StrArray, 1);
    X86Cpu *cpu = new_sample(type);
    size_t count;
    const X86Feature *feature = x86_features(&count);

    finish_sample(cpu);
    if (x86_cpu_ops(cpu)->needs_host) {
        str_array_add(list, g_strdup("kvm"));
    }
    for (; count > 0; count--, feature++) {
        if (x86_feature_has(&cpu->filtered, feature->word, feature->bit)) {
            str_array_add(list, g_strdup(feature->name));
        }
    }
    object_unref(cpu);
    return list;
}

static void define(CpuDefinitionInfoArray *list, const char *name, char *alias_of)
{
    const Type *type = type_of_model(name);
    const X86CpuType *ops = type_ops(type);
    CpuDefinitionInfo *info = cpu_definition_add(list, name, type_name(type));

    info->static_ = !ops->model && !ops->has_all;
    info->has_migration_safe = true;
    info->migration_safe = !ops->has_all;
    info->unavailable_features = unavailable_features(type);
    info->alias_of = alias_of;
}

static void define_model(CpuDefinitionInfoArray *list, const X86Model *model)
{
    for (unsigned v = 1; v <= x86_model_version_count(model); v++) {
        const X86ModelVersion *version = x86_model_version(model, v);
        g_autofree char *name = g_strdup_printf("%s-v%u", model->name, v);

        define(list, name, NULL);
        if (v == 1) {
            define(list, model->name, g_strdup(name));
        }
        if (version && version->alias) {
            define(list, version->alias, g_strdup(name));
        }
    }
}

static CpuDefinitionInfoArray *x86_definitions(void)
{
    CpuDefinitionInfoArray *list = g_new0(CpuDefinitionInfoArray, 1);
    size_t count;
    const X86Model *model = x86_models(&count);

    define(list, "max", NULL);
    define(list, "host", NULL);
    define(list, "base", NULL);
    for (; count > 0; count--, model++) {
        define_model(list, model);
    }
    return list;
}

/* --- query-cpu-model-expansion --- */

/* What makes any model out of "base", besides the features. */
static const char *const static_props[] = {
    "family", "lmce", "min-level", "min-xlevel", "model", "model-id", "stepping", "vendor",
};

static json_object *static_values(X86Cpu *cpu)
{
    json_object *props = json_object_new_object();
    size_t count;
    const X86Feature *feature = x86_features(&count);

    for (; count > 0; count--, feature++) {
        bool is_on = x86_feature_has(&cpu->features, feature->word, feature->bit);

        json_set(props, feature->name, json_object_new_boolean(is_on));
    }
    for (size_t i = 0; i < ARRAY_SIZE(static_props); i++) {
        json_set(props, static_props[i], object_get(cpu, static_props[i], NULL));
    }
    return props;
}

typedef struct FullValues {
    X86Cpu *cpu;
    json_object *props;
} FullValues;

/* Of the device as such, nothing is a matter of the model. */
static void add_full_value(void *opaque, const Type *owner, const Property *prop)
{
    FullValues *full = opaque;
    json_object *value = NULL;

    if (type_is_a(owner, TYPE_CPU)) {
        value = object_get(full->cpu, prop->name, NULL);
    }
    if (value && !json_object_is_type(value, json_type_array)) {
        json_set(full->props, prop->name, value);
    } else {
        json_unref(value);
    }
}

static json_object *full_values(X86Cpu *cpu)
{
    FullValues full = { cpu, json_object_new_object() };

    type_each_property(cpu->parent.parent.parent.type, add_full_value, &full);
    return full.props;
}

static CpuModelExpansionInfo *x86_expand(CpuModelExpansionType how, const CpuModelInfo *model,
                                         Error **errp)
{
    const Type *type = type_of_model(model->name);
    CpuModelExpansionInfo *info;
    X86Cpu *cpu;

    if (!type) {
        error_set(errp, "CPU model '%s' not found", model->name);
        return NULL;
    }
    if (model->props && !json_object_is_type(model->props, json_type_object)) {
        error_set(errp, "Invalid parameter type for 'model.props', expected: object");
        return NULL;
    }
    cpu = new_sample(type);
    if (model->props && !object_set_all(cpu, model->props, PROPERTY_TYPED, errp)) {
        object_unref(cpu);
        return NULL;
    }
    finish_sample(cpu);
    info = g_new0(CpuModelExpansionInfo, 1);
    info->model = g_new0(CpuModelInfo, 1);
    if (how == CPU_MODEL_EXPANSION_TYPE_STATIC) {
        info->model->name = g_strdup("base");
        info->model->props = static_values(cpu);
    } else {
        info->model->name = g_strdup(model->name);
        info->model->props = full_values(cpu);
    }
    object_unref(cpu);
    return info;
}

static const CpuModels x86_models_ops = {
    .find = x86_find, .print = x86_print, .definitions = x86_definitions, .expand = x86_expand,
    .has_feature_signs = true,
};

static void CONSTRUCTOR register_x86(void)
{
    target_set(&x86_target);
    cpu_models_set(&x86_models_ops);
}
