/*
 * Arm models: types, properties by trait, and what clients are told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu_models.h"
#include "target/arm/cpu.h"
#include "target/arm/id_registers.h"

static CpuModelExpansionInfo *expand(const char *name, const char *props, Error **errp)
{
    g_autoptr(JsonObject) value = props ? json_tokener_parse(props) : NULL;
    CpuModelInfo model = { .name = (char *)name, .props = value };

    return cpu_models()->expand(CPU_MODEL_EXPANSION_TYPE_FULL, &model, errp);
}

typedef struct Refusal {
    const char *model, *props, *text;
} Refusal;

static const Refusal refusals[] = {
    { "host", NULL, "The CPU type 'host' requires KVM" },
    { "foo", NULL, "The CPU type 'foo' is not a recognized ARM CPU type" },
    { "max", "[]", "Invalid parameter type for 'model.props', expected: object" },
    { "max", "{\"not-a-prop\": false}", "Parameter 'model.props.not-a-prop' is unexpected" },
    { "max", "{\"sve-max-vq\": 8}", "Parameter 'model.props.sve-max-vq' is unexpected" },
    { "max", "{\"aarch64\": false}", "'aarch64' feature cannot be disabled unless KVM is enabled "
                                     "and 32-bit EL1 is supported" },
    { "max", "{\"sve128\": false}", "cannot disable sve128" },
    { "max", "{\"sve\": false, \"sve128\": true}", "cannot enable sve128" },
    { "a64fx", "{\"sve640\": true}", "cannot enable sve640" },
    { "max", "{\"pauth\": false, \"pauth-impdef\": true}",
      "cannot enable pauth-impdef or pauth-qarma3 without pauth" },
    { "max", "{\"pauth-impdef\": true, \"pauth-qarma3\": true}",
      "cannot enable both pauth-impdef and pauth-qarma3" },
    { "cortex-a15", "{\"aarch64\": true}", "Property 'cortex-a15-arm-cpu.aarch64' not found" },
};

static void test_refusals(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        g_autoptr(Error) err = NULL;

        g_assert_null(expand(refusals[i].model, refusals[i].props, &err));
        g_assert_cmpstr(error_text(err), ==, refusals[i].text);
    }
}

static void test_static_expansion(void)
{
    CpuModelInfo model = { .name = (char *)"max" };
    g_autoptr(Error) err = NULL;

    g_assert_null(cpu_models()->expand(CPU_MODEL_EXPANSION_TYPE_STATIC, &model, &err));
    g_assert_cmpstr(error_text(err), ==, "The requested expansion type is not supported");
}

static bool prop(const CpuModelExpansionInfo *info, const char *name)
{
    json_object *value = json_member(info->model->props, name);

    g_assert_true(json_object_is_type(value, json_type_boolean));
    return json_object_get_boolean(value);
}

static void test_expansion(void)
{
    g_autoptr(CpuModelExpansionInfo) max = expand("max", NULL, NULL);
    g_autoptr(CpuModelExpansionInfo) some = expand("max", "{\"sve384\": true}", NULL);
    g_autoptr(CpuModelExpansionInfo) none = expand("max", "{\"sve\": false}", NULL);
    g_autoptr(CpuModelExpansionInfo) a15 = expand("cortex-a15", NULL, NULL);
    g_autoptr(CpuModelExpansionInfo) m0 = expand("cortex-m0", NULL, NULL);

    g_assert_true(prop(max, "sve2048") && prop(max, "sve128") && prop(max, "pauth"));
    g_assert_false(prop(max, "pauth-impdef"));
    g_assert_true(prop(some, "sve128") && prop(some, "sve256") && prop(some, "sve384"));
    g_assert_false(prop(some, "sve512"));
    g_assert_false(prop(none, "sve128") || prop(none, "sve"));
    g_assert_true(prop(a15, "pmu"));
    g_assert_null(json_member(a15->model->props, "aarch64"));
    g_assert_null(m0->model->props);
}

static void test_types(void)
{
    for (size_t i = 0; i < arm_model_count; i++) {
        const char *name = cpu_models()->find(arm_models[i].name);
        g_autoptr(Object) cpu = object_new(name);

        g_assert_cmphex(object_get_int(cpu, "midr"), ==, arm_models[i].midr);
        g_assert_true(object_is_a(cpu, TYPE_AARCH64_CPU) ==
                      !!(arm_models[i].traits & ARM_TRAIT_A64));
        g_assert_true(arm_cpu_finish(ARM_CPU(cpu), NULL));
    }
}

/* A field of four bits is not zero exactly if the model has the trait. */
static void check_field(const ArmModel *model, uint64_t reg, unsigned shift, uint32_t trait)
{
    g_test_message("%s: bit %u", model->name, shift);
    g_assert_true(!!(reg >> shift & 0xf) == !!(model->traits & trait));
}

static void test_id_registers(void)
{
    unsigned known = 0;

    for (size_t i = 0; i < arm_model_count; i++) {
        const ArmModel *model = &arm_models[i];
        const ArmIdRegisters *id = arm_id_registers(model->name);

        if (!id) {
            continue;
        }
        known++;
        check_field(model, id->id_aa64pfr0, 0, ARM_TRAIT_A64);
        check_field(model, id->id_aa64pfr0, 32, ARM_TRAIT_SVE);
        if (model->traits & ARM_TRAIT_A64) {
            check_field(model, id->id_aa64pfr0, 8, ARM_TRAIT_EL2);
            check_field(model, id->id_aa64pfr0, 12, ARM_TRAIT_EL3);
            check_field(model, id->id_aa64dfr0, 8, ARM_TRAIT_PMU);
        } else {
            check_field(model, id->id_pfr1, 12, ARM_TRAIT_EL2);
            check_field(model, id->id_pfr1, 4, ARM_TRAIT_EL3);
            check_field(model, id->id_pfr1, 16, ARM_TRAIT_TIMER);
        }
    }
    g_assert_cmpuint(known, >=, 9);
}

static void test_max_vq(void)
{
    g_autoptr(Object) cpu = object_new("max-arm-cpu");
    g_autoptr(Error) err = NULL;

    g_assert_false(object_set_text(cpu, "sve-max-vq", "17", &err));
    g_assert_cmpstr(error_text(err), ==, "unsupported SVE vector length");
    g_assert_true(object_set_text(cpu, "sve-max-vq", "8", NULL));
    g_assert_true(arm_cpu_finish(ARM_CPU(cpu), NULL));
    g_assert_cmphex(ARM_CPU(cpu)->sve_lengths, ==, 0xff);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arm/models/refusals", test_refusals);
    g_test_add_func("/arm/models/static", test_static_expansion);
    g_test_add_func("/arm/models/expansion", test_expansion);
    g_test_add_func("/arm/models/types", test_types);
    g_test_add_func("/arm/models/id-registers", test_id_registers);
    g_test_add_func("/arm/models/sve-max-vq", test_max_vq);
    return g_test_run();
}
