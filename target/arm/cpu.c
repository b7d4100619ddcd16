/*
 * The Arm CPU as a device. A model has the properties that its traits bring.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qom/error.h"
#include "target/arm/cpu.h"
#include "target/arm/id_registers.h"

static json_object *get_aarch64(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_boolean(ARM_CPU(obj)->is_aarch64);
}

static bool set_aarch64(Object *obj, const Property *p, json_object *value, PropertyForm form,
                        Error **errp)
{
    bool is_on;

    if (!property_value_bool(p, value, form, &is_on, errp)) {
        return false;
    }
    return is_on || error_set(errp, "'aarch64' feature cannot be disabled unless KVM is enabled "
                              "and 32-bit EL1 is supported");
}

/* "sve384" is length 3. */
static uint32_t sve_bit(const Property *p)
{
    return BIT(atoi(p->name + strlen("sve")) / 128 - 1);
}

/* Before realize, what was asked for; after it, what came out. */
static json_object *get_sve_length(Object *obj, const Property *p, Error **errp)
{
    const ArmCpu *cpu = ARM_CPU(obj);
    uint32_t lengths = cpu->sve_lengths;

    if (!lengths && cpu->sve.is_on && !cpu->parent.parent.is_realized) {
        lengths = cpu->sve.wanted;
    }
    return json_object_new_boolean(lengths & sve_bit(p));
}

static bool set_sve_length(Object *obj, const Property *p, json_object *value, PropertyForm form,
                           Error **errp)
{
    ArmSveChoice *sve = &ARM_CPU(obj)->sve;
    bool is_on;

    if (!property_value_bool(p, value, form, &is_on, errp)) {
        return false;
    }
    sve->wanted = is_on ? sve->wanted | sve_bit(p) : sve->wanted & ~sve_bit(p);
    sve->refused = is_on ? sve->refused & ~sve_bit(p) : sve->refused | sve_bit(p);
    return true;
}

static bool check_max_vq(Object *obj, const Property *p, Error **errp)
{
    uint32_t max_vq = ARM_CPU(obj)->sve.max_vq;

    if (max_vq == 0 || max_vq > ARM_SVE_LENGTHS) {
        error_set(errp, "unsupported SVE vector length");
        error_hint(errp, "Valid sve-max-vq in range [1-%d]\n", ARM_SVE_LENGTHS);
        return false;
    }
    return true;
}

/* A property, and the traits a model needs to have it. */
typedef struct TraitProperty {
    uint32_t traits;
    Property prop;
} TraitProperty;

#define SVE_LENGTH(name)                                                                           \
    { ARM_TRAIT_SVE, PROP_COMPUTED(name, "bool", .get = get_sve_length, .set = set_sve_length,     \
                                   .doc = "Vectors of this many bits") }

static const TraitProperty trait_props[] = {
    { ARM_TRAIT_A64, PROP_COMPUTED("aarch64", "bool", .get = get_aarch64, .set = set_aarch64,
                                   .doc = "Starts in AArch64 state") },
    { ARM_TRAIT_A64, PROP_U64("rvbar", ArmCpu, rvbar, .doc = "Where it starts") },
    { ARM_TRAIT_EL2, PROP_BOOL("has_el2", ArmCpu, has_el2, .initial = true) },
    { ARM_TRAIT_EL3, PROP_BOOL("has_el3", ArmCpu, has_el3, .initial = true) },
    { ARM_TRAIT_PMU, PROP_BOOL("pmu", ArmCpu, has_pmu, .initial = true) },
    { ARM_TRAIT_VFP, PROP_BOOL("vfp", ArmCpu, has_vfp, .initial = true) },
    { ARM_TRAIT_NEON, PROP_BOOL("neon", ArmCpu, has_neon, .initial = true) },
    { ARM_TRAIT_DSP, PROP_BOOL("dsp", ArmCpu, has_dsp, .initial = true) },
    { ARM_TRAIT_TIMER, PROP_U64("cntfrq", ArmCpu, timer_hz, .initial = 62500000,
                                .doc = "Hz of the generic timer") },
    { ARM_TRAIT_CBAR, PROP_U64("reset-cbar", ArmCpu, cbar) },
    { ARM_TRAIT_MPU, PROP_BOOL("has-mpu", ArmCpu, has_mpu, .initial = true) },
    { ARM_TRAIT_REGIONS, PROP_U32("pmsav7-dregion", ArmCpu, mpu_regions, .initial = 16,
                                  .max = 255) },
    { ARM_TRAIT_M, PROP_U32("init-nsvtor", ArmCpu, vector_table) },
    { ARM_TRAIT_SECURE, PROP_U32("init-svtor", ArmCpu, secure_vector_table) },
    { ARM_TRAIT_MAX, PROP_BOOL("pauth", ArmCpu, has_pauth, .initial = true) },
    { ARM_TRAIT_MAX, PROP_BOOL("pauth-impdef", ArmCpu, has_pauth_impdef) },
    { ARM_TRAIT_MAX, PROP_BOOL("pauth-qarma3", ArmCpu, has_pauth_qarma3) },
    { ARM_TRAIT_MAX, PROP_BOOL("lpa2", ArmCpu, has_lpa2, .initial = true) },
    { ARM_TRAIT_MAX, PROP_U32("sve-max-vq", ArmCpu, sve.max_vq, .check = check_max_vq,
                              .doc = "Longest vectors, in units of 128 bits") },
    { ARM_TRAIT_SVE, PROP_BOOL("sve", ArmCpu, sve.is_on, .initial = true) },
    SVE_LENGTH("sve128"), SVE_LENGTH("sve256"), SVE_LENGTH("sve384"), SVE_LENGTH("sve512"),
    SVE_LENGTH("sve640"), SVE_LENGTH("sve768"), SVE_LENGTH("sve896"), SVE_LENGTH("sve1024"),
    SVE_LENGTH("sve1152"), SVE_LENGTH("sve1280"), SVE_LENGTH("sve1408"), SVE_LENGTH("sve1536"),
    SVE_LENGTH("sve1664"), SVE_LENGTH("sve1792"), SVE_LENGTH("sve1920"), SVE_LENGTH("sve2048"),
};

static const Property arm_cpu_props[] = {
    PROP_U64("midr", ArmCpu, midr, .has_no_default = true, .doc = "Main ID register"),
    PROP_U64("mp-affinity", ArmCpu, mp_affinity, .has_no_default = true),
    PROP_U32("psci-conduit", ArmCpu, psci_conduit, .max = 2,
             .doc = "How it is powered on: 0 not, 1 SMC, 2 HVC"),
    PROP_BOOL("reset-hivecs", ArmCpu, has_high_vectors),
    PROP_BOOL("cfgend", ArmCpu, is_big_endian),
    PROP_CPU_ID("socket-id", ArmCpu, TOPOLOGY_SOCKET),
    PROP_CPU_ID("cluster-id", ArmCpu, TOPOLOGY_CLUSTER),
    PROP_CPU_ID("core-id", ArmCpu, TOPOLOGY_CORE),
    PROP_CPU_ID("thread-id", ArmCpu, TOPOLOGY_THREAD),
    PROP_CPU_NODE(ArmCpu),
};

static void arm_cpu_init(Object *obj)
{
    ArmCpu *cpu = ARM_CPU(obj);

    cpu->midr = arm_cpu_model(cpu)->midr;
    cpu->is_aarch64 = arm_cpu_model(cpu)->traits & ARM_TRAIT_A64;
}

static bool check_pauth(const ArmCpu *cpu, Error **errp)
{
    bool is_chosen = cpu->has_pauth_impdef || cpu->has_pauth_qarma3;

    if (is_chosen && !cpu->has_pauth) {
        return error_set(errp, "cannot enable pauth-impdef or pauth-qarma3 without pauth");
    }
    return !cpu->has_pauth_impdef || !cpu->has_pauth_qarma3 ||
           error_set(errp, "cannot enable both pauth-impdef and pauth-qarma3");
}

bool arm_cpu_finish(ArmCpu *cpu, Error **errp)
{
    const ArmModel *model = arm_cpu_model(cpu);

    if ((model->traits & ARM_TRAIT_SVE) &&
        !arm_sve_resolve(&cpu->sve, model->sve_lengths, &cpu->sve_lengths, errp)) {
        return false;
    }
    return !(model->traits & ARM_TRAIT_MAX) || check_pauth(cpu, errp);
}

static bool arm_cpu_realize(Device *dev, Error **errp)
{
    return arm_cpu_finish(ARM_CPU(dev), errp);
}

static void arm_print_registers(Cpu *cpu, GString *out)
{
    const ArmIdRegisters *id = arm_id_registers(arm_cpu_model(ARM_CPU(cpu))->name);

    g_string_append_printf(out, "MIDR %08" PRIx64 "\n", ARM_CPU(cpu)->midr);
    if (id) {
        g_string_append_printf(out, "ID_AA64PFR0 %016" PRIx64 " ID_PFR0 %08" PRIx32 "\n",
                               id->id_aa64pfr0, id->id_pfr0);
    }
}

static const ArmCpuType arm_cpu_type = {
    .name = TYPE_ARM_CPU,
    .doc = "Arm CPU",
    .parent = TYPE_CPU,
    .size = sizeof(ArmCpu),
    .is_abstract = true,
    .init = arm_cpu_init,
    .properties = PROPERTIES(arm_cpu_props),
    .realize = arm_cpu_realize,
    .print_registers = arm_print_registers,
};
OBJECT_TYPE(arm_cpu_type)

static const ArmCpuType aarch64_cpu_type = {
    .name = TYPE_AARCH64_CPU,
    .doc = "Arm CPU with AArch64 state",
    .parent = TYPE_ARM_CPU,
    .is_abstract = true,
};
OBJECT_TYPE(aarch64_cpu_type)

static PropertyList properties_of(const ArmModel *model)
{
    Property *items = g_new(Property, ARRAY_SIZE(trait_props));
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(trait_props); i++) {
        if (model->traits & trait_props[i].traits) {
            items[count++] = trait_props[i].prop;
        }
    }
    return (PropertyList){ items, count };
}

/* Types live as long as the program. */
static void CONSTRUCTOR register_types(void)
{
    for (size_t i = 0; i < arm_model_count; i++) {
        const ArmModel *model = &arm_models[i];
        ArmCpuType *type = g_new0(ArmCpuType, 1);

        type->name = g_strconcat(model->name, ARM_CPU_SUFFIX, NULL);
        type->doc = "Arm CPU";
        type->parent = model->traits & ARM_TRAIT_A64 ? TYPE_AARCH64_CPU : TYPE_ARM_CPU;
        type->model = model;
        type->properties = properties_of(model);
        type_register((const ObjectType *)type, sizeof(*type));
    }
}
