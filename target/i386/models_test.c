/*
 * Named x86 models: they resolve, inherit and change as their rows say, and a CPU made of one has
 * the features as properties.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu_models.h"
#include "target/i386/cpu.h"

static X86ModelState resolve(const char *name, unsigned version)
{
    const X86Model *model = x86_model_find(name);
    X86ModelState state;

    g_assert_nonnull(model);
    x86_model_resolve(model, version, &state);
    return state;
}

static bool has(const X86ModelState *state, const char *feature)
{
    return x86_feature_has_name(&state->features, feature);
}

static void test_all_resolve(void)
{
    size_t count;
    const X86Model *model = x86_models(&count);

    g_assert_cmpuint(count, >, 30);
    for (; count > 0; count--, model++) {
        for (unsigned v = 1; v <= x86_model_version_count(model); v++) {
            const X86ModelVersion *row = x86_model_version(model, v);
            X86ModelState state;

            g_assert_true(!row || row->number == v);
            x86_model_resolve(model, v, &state);
            g_assert_true(has(&state, "fpu"));
            g_assert_cmpuint(strlen(state.vendor), ==, X86_VENDOR_CHARS);
            g_assert_cmpuint(strlen(state.model_id), <=, X86_MODEL_ID_CHARS);
        }
    }
}

static void test_versions(void)
{
    X86ModelState v1 = resolve("Haswell", 1), v2 = resolve("Haswell", 2);
    X86ModelState v4 = resolve("Haswell", 4);

    g_assert_true(has(&v1, "hle") && has(&v1, "rtm") && has(&v1, "avx2") && !has(&v1, "adx"));
    g_assert_true(!has(&v2, "hle") && !has(&v2, "rtm") && has(&v2, "avx2"));
    g_assert_true(has(&v4, "spec-ctrl") && !has(&v4, "hle"));
    g_assert_cmpuint(v1.stepping, ==, 4);
    g_assert_cmpuint(v2.stepping, ==, 1);
    g_assert_cmpstr(v4.model_id, ==, "Intel Core Processor (Haswell, no TSX, IBRS)");
}

static void test_feature_rows(void)
{
    size_t count;
    const X86Feature *feature = x86_features(&count);
    X86FeatureSet seen = { 0 };

    for (; count > 0; count--, feature++) {
        g_assert_false(x86_feature_has(&seen, feature->word, feature->bit));
        seen.words[feature->word] |= BIT64(feature->bit);
        g_assert_true(x86_feature_find(feature->name) == feature);
        g_assert_true(!x86_words[feature->word].reg || feature->bit < 32);
    }
    g_assert_cmpstr(x86_feature_name(X86_1_ECX, 19), ==, "sse4.1");
    g_assert_true(x86_feature_find("sse4-1")->bit == 19 && x86_feature_find("sse4_1")->bit == 19);
    g_assert_null(x86_feature_find("sse5"));
}

static void test_places(void)
{
    g_autofree char *cpuid = x86_feature_place(X86_1_ECX, 5);
    g_autofree char *msr = x86_feature_place(X86_MSR_VMX_PROCBASED_CTLS, 2);
    g_autofree char *unnamed = x86_feature_place(X86_MSR_VMX_EPT_VPID_CAP, 14);

    g_assert_cmpstr(cpuid, ==, "CPUID.01H:ECX.vmx [bit 5]");
    g_assert_cmpstr(msr, ==, "MSR(48EH).vmx-vintr-pending [bit 2]");
    g_assert_cmpstr(unnamed, ==, "MSR(48CH) [bit 14]");
}

static void test_dependents(void)
{
    X86FeatureSet set = { 0 };

    x86_features_change(&set, "npt vmx-ept vmx-secondary-ctls svm");
    x86_features_drop_dependents(&set);
    g_assert_true(x86_feature_has_name(&set, "npt"));
    g_assert_false(x86_feature_has_name(&set, "vmx-secondary-ctls"));
    g_assert_false(x86_feature_has_name(&set, "vmx-ept"));
}

static void test_properties(void)
{
    g_autoptr(Object) cpu = object_new("Haswell-noTSX-x86_64-cpu");
    Error *err = NULL;

    g_assert_true(object_get_bool(cpu, "avx2") && object_get_bool(cpu, "sse4_2"));
    g_assert_false(object_get_bool(cpu, "hle"));
    g_assert_cmpint(object_get_int(cpu, "family"), ==, 6);
    g_assert_true(object_set_bool(cpu, "sse4-2", false, &err));
    g_assert_false(object_get_bool(cpu, "sse4.2"));
    g_assert_false(object_set_text(cpu, "vendor", "short", &err));
    error_free(err);
    err = NULL;
    g_assert_false(object_set_int(cpu, "stepping", 16, &err));
    error_free(err);
}

/* What the user says about a bit holds in "max", which otherwise has all there is. */
static void test_max(void)
{
    X86Cpu *cpu = X86_CPU(object_new("max-x86_64-cpu"));

    g_assert_true(object_set_bool(cpu, "avx", false, NULL));
    x86_cpu_expand_features(cpu);
    g_assert_false(x86_cpu_has(cpu, "avx"));
    g_assert_true(x86_cpu_has(cpu, "avx2"));
    g_assert_false(x86_cpu_has(cpu, "invtsc"));
    object_unref(cpu);
}

static CpuModelExpansionInfo *expand(CpuModelExpansionType how, const char *name,
                                     const char *props, Error **errp)
{
    g_autoptr(JsonObject) value = props ? json_tokener_parse(props) : NULL;
    CpuModelInfo model = { .name = (char *)name, .props = value };

    return cpu_models()->expand(how, &model, errp);
}

static void check_refused(const char *name, const char *props, const char *text)
{
    Error *err = NULL;

    g_assert_null(expand(CPU_MODEL_EXPANSION_TYPE_FULL, name, props, &err));
    g_assert_cmpstr(error_text(err), ==, text);
    error_free(err);
}

static void test_expansion(void)
{
    g_autoptr(CpuModelExpansionInfo) fixed =
        expand(CPU_MODEL_EXPANSION_TYPE_STATIC, "qemu64", "{\"avx\": true}", NULL);
    g_autoptr(CpuModelExpansionInfo) full =
        expand(CPU_MODEL_EXPANSION_TYPE_FULL, "qemu64", NULL, NULL);

    g_assert_cmpstr(fixed->model->name, ==, "base");
    g_assert_true(json_object_get_boolean(json_member(fixed->model->props, "avx")));
    g_assert_true(json_object_get_boolean(json_member(fixed->model->props, "lm")));
    g_assert_null(json_member(fixed->model->props, "sse4_1"));
    g_assert_cmpstr(json_object_get_string(json_member(fixed->model->props, "vendor")), ==,
                    "AuthenticAMD");
    g_assert_cmpstr(full->model->name, ==, "qemu64");
    g_assert_nonnull(json_member(full->model->props, "sse4_1"));
    g_assert_false(json_object_get_boolean(json_member(full->model->props, "avx")));
    check_refused("nope", NULL, "CPU model 'nope' not found");
    check_refused("max", "{\"avx\": 1}", "Invalid parameter type for 'avx', expected: boolean");
    check_refused("max", "{\"foo\": 1}", "Property 'max-x86_64-cpu.foo' not found");
    check_refused("max", "5", "Invalid parameter type for 'model.props', expected: object");
}

static void test_definitions(void)
{
    g_autoptr(CpuDefinitionInfoArray) list = cpu_models()->definitions();
    bool has_alias = false;

    for (size_t i = 0; i < list->count; i++) {
        const CpuDefinitionInfo *info = list->items[i];

        g_assert_nonnull(type_find(info->typename));
        g_assert_cmpstr(cpu_models()->find(info->name), ==, info->typename);
        has_alias |= !strcmp(info->name, "Haswell-IBRS") &&
                     !g_strcmp0(info->alias_of, "Haswell-v3");
    }
    g_assert_true(has_alias);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/x86/models/resolve", test_all_resolve);
    g_test_add_func("/x86/models/versions", test_versions);
    g_test_add_func("/x86/models/properties", test_properties);
    g_test_add_func("/x86/models/max", test_max);
    g_test_add_func("/x86/models/expansion", test_expansion);
    g_test_add_func("/x86/models/definitions", test_definitions);
    g_test_add_func("/x86/features/rows", test_feature_rows);
    g_test_add_func("/x86/features/places", test_places);
    g_test_add_func("/x86/features/dependents", test_dependents);
    return g_test_run();
}
