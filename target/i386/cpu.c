/*
 * The x86 CPU as a device: its properties, and how it comes to life.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "qom/error.h"
#include "system/run_state.h"
#include "target/i386/control.h"
#include "target/i386/debug.h"
#include "target/i386/execute.h"

/* The user said so: "max" leaves the bit alone. */
static void feature_changed(Object *obj, const Property *p)
{
    X86Cpu *cpu = X86_CPU(obj);
    size_t word = (p->offset - offsetof(X86Cpu, features)) / sizeof(uint64_t);

    cpu->user_features.words[word] |= BIT64(p->bit);
}

static bool set_chars(char *field, size_t size, const Property *p, json_object *value,
                      Error **errp)
{
    const char *text;

    if (!property_value_text(p, value, &text, errp)) {
        return false;
    }
    if (strlen(text) >= size) {
        return error_set(errp, "Property '%s' takes at most %zu characters", p->name, size - 1);
    }
    memset(field, 0, size);
    memcpy(field, text, strlen(text));
    return true;
}

static json_object *get_vendor(Object *obj, const Property *p, Error **errp)
{
    return json_string(X86_CPU(obj)->vendor);
}

static bool set_vendor(Object *obj, const Property *p, json_object *value, PropertyForm form,
                       Error **errp)
{
    const char *text;

    if (!property_value_text(p, value, &text, errp)) {
        return false;
    }
    if (strlen(text) != X86_VENDOR_CHARS) {
        return error_set(errp, "Property '%s.vendor' doesn't take value '%s'",
                         object_type_name(obj), text);
    }
    return set_chars(X86_CPU(obj)->vendor, sizeof(X86_CPU(obj)->vendor), p, value, errp);
}

static json_object *get_model_id(Object *obj, const Property *p, Error **errp)
{
    return json_string(X86_CPU(obj)->model_id);
}

static bool set_model_id(Object *obj, const Property *p, json_object *value, PropertyForm form,
                         Error **errp)
{
    return set_chars(X86_CPU(obj)->model_id, sizeof(X86_CPU(obj)->model_id), p, value, errp);
}

static json_object *word_to_json(int word, uint64_t features)
{
    const X86WordInfo *info = &x86_words[word];
    json_object *out = json_object_new_object();

    json_set(out, "cpuid-register", json_string(info->reg));
    if (info->subleaf >= 0) {
        json_set(out, "cpuid-input-ecx", json_object_new_int64(info->subleaf));
    }
    json_set(out, "cpuid-input-eax", json_object_new_int64(info->leaf));
    json_set(out, "features", json_object_new_int64(features));
    return out;
}

/* MSRs have no place in this list. */
static json_object *words_to_json(const X86FeatureSet *set)
{
    json_object *list = json_object_new_array();

    for (int word = 0; word < X86_WORD_COUNT; word++) {
        if (x86_words[word].reg) {
            json_object_array_add(list, word_to_json(word, set->words[word]));
        }
    }
    return list;
}

static json_object *get_feature_words(Object *obj, const Property *p, Error **errp)
{
    return words_to_json(&X86_CPU(obj)->features);
}

static json_object *get_filtered(Object *obj, const Property *p, Error **errp)
{
    return words_to_json(&X86_CPU(obj)->filtered);
}

static json_object *get_unavailable(Object *obj, const Property *p, Error **errp)
{
    const X86Cpu *cpu = X86_CPU(obj);
    json_object *list = json_object_new_array();
    size_t count;
    const X86Feature *feature = x86_features(&count);

    for (; count > 0; count--, feature++) {
        if (x86_feature_has(&cpu->filtered, feature->word, feature->bit)) {
            json_object_array_add(list, json_string(feature->name));
        }
    }
    return list;
}

#define FEATURE_PROP(word_, bit_, name_)                                                           \
    PROP_BIT64(name_, X86Cpu, features.words[X86_##word_], bit_, .has_no_default = true,           \
               .changed = feature_changed),

static const Property x86_cpu_props[] = {
    X86_FEATURES(FEATURE_PROP)
    X86_FEATURE_ALIASES(FEATURE_PROP)
    PROP_U32("family", X86Cpu, family, .max = 0xff + 0xf),
    PROP_U32("model", X86Cpu, model, .max = 0xff),
    PROP_U32("stepping", X86Cpu, stepping, .max = 0xf),
    PROP_COMPUTED("vendor", "string", .get = get_vendor, .set = set_vendor),
    PROP_COMPUTED("model-id", "string", .get = get_model_id, .set = set_model_id),
    PROP_U32("level", X86Cpu, level, .initial = UINT32_MAX, .doc = "Highest basic CPUID leaf"),
    PROP_U32("xlevel", X86Cpu, xlevel, .initial = UINT32_MAX,
             .doc = "Highest extended CPUID leaf"),
    PROP_U32("xlevel2", X86Cpu, xlevel2, .initial = UINT32_MAX,
             .doc = "Highest CPUID leaf of the range C0000000h"),
    PROP_U32("min-level", X86Cpu, min_level),
    PROP_U32("min-xlevel", X86Cpu, min_xlevel),
    PROP_U32("min-xlevel2", X86Cpu, min_xlevel2),
    PROP_BOOL("full-cpuid-auto-level", X86Cpu, auto_level, .initial = true,
              .doc = "Raise the levels to show all features"),
    PROP_U32("phys-bits", X86Cpu, phys_bits, .doc = "Physical address bits; 0: the model's"),
    PROP_U32("apic-id", X86Cpu, apic_id, .initial = X86_NO_APIC_ID),
    PROP_U64("tsc-frequency", X86Cpu, tsc_hz, .doc = "Hz; 0: the host's"),
    PROP_BOOL("l3-cache", X86Cpu, has_l3_cache, .initial = true),
    PROP_BOOL("legacy-cache", X86Cpu, has_legacy_caches, .initial = true,
              .doc = "The same plain caches for all models"),
    PROP_BOOL("cpuid-0xb", X86Cpu, has_topology_leaf, .initial = true),
    PROP_BOOL("pmu", X86Cpu, has_pmu),
    PROP_BOOL("lmce", X86Cpu, has_lmce, .doc = "Local machine checks"),
    PROP_BOOL("migratable", X86Cpu, is_migratable, .initial = true,
              .doc = "Of all features, only those another host could go on with"),
    PROP_BOOL("check", X86Cpu, is_checked, .initial = true,
              .doc = "Warn about features that are not there"),
    PROP_BOOL("enforce", X86Cpu, is_enforced, .doc = "Fail when a feature is not there"),
    PROP_BOOL("x-force-features", X86Cpu, is_forced,
              .doc = "Show features even if the accelerator lacks them"),
    PROP_BOOL("tcg-cpuid", X86Cpu, has_tcg_leaf, .initial = true,
              .doc = "CPUID leaf 40000000h"),
    PROP_CPU_ID("socket-id", X86Cpu, TOPOLOGY_SOCKET),
    PROP_CPU_ID("die-id", X86Cpu, TOPOLOGY_DIE),
    PROP_CPU_ID("core-id", X86Cpu, TOPOLOGY_CORE),
    PROP_CPU_ID("thread-id", X86Cpu, TOPOLOGY_THREAD),
    PROP_CPU_NODE(X86Cpu),
    PROP_COMPUTED("feature-words", "X86CPUFeatureWordInfo", .get = get_feature_words),
    PROP_COMPUTED("filtered-features", "X86CPUFeatureWordInfo", .get = get_filtered),
    PROP_COMPUTED("unavailable-features", "strList", .get = get_unavailable),
};

static void take_model(X86Cpu *cpu, const X86ModelState *state)
{
    g_strlcpy(cpu->vendor, state->vendor, sizeof(cpu->vendor));
    g_strlcpy(cpu->model_id, state->model_id, sizeof(cpu->model_id));
    cpu->family = state->family;
    cpu->model = state->model;
    cpu->stepping = state->stepping;
    cpu->min_level = state->level;
    cpu->min_xlevel = state->xlevel;
    cpu->has_legacy_caches = !state->has_own_caches;
    cpu->features = state->features;
    x86_apply_accelerator_defaults(&cpu->features);
}

static void x86_cpu_init(Object *obj)
{
    X86Cpu *cpu = X86_CPU(obj);
    const X86CpuType *ops = x86_cpu_ops(cpu);

    cpu->topology = (X86Topology){ 1, 1, 1 };
    tcg_cpu_init(&cpu->state.tcg, &cpu->parent.vcpu, &x86_tcg_ops, address_space_system());
    if (ops->model) {
        X86ModelState state;

        x86_model_resolve(ops->model, ops->version, &state);
        take_model(cpu, &state);
    } else if (ops->has_all) {
        static const X86ModelState state = {
            .vendor = X86_VENDOR_AMD, .model_id = "QEMU TCG CPU version 2.5+",
            .family = 15, .model = 107, .stepping = 1, .level = 0xd, .xlevel = 0x8000000a,
        };

        take_model(cpu, &state);
        cpu->has_pmu = true;
    }
}

static void take_topology(X86Cpu *cpu)
{
    const Machine *machine = machine_current();

    if (machine) {
        const unsigned *counts = machine->smp.counts;

        cpu->topology = (X86Topology){ counts[TOPOLOGY_DIE], counts[TOPOLOGY_CORE],
                                       counts[TOPOLOGY_THREAD] };
    }
    if (cpu->apic_id == X86_NO_APIC_ID && cpu->parent.slot) {
        cpu->apic_id = cpu->parent.slot->arch_id;
    }
}

static bool x86_cpu_realize(Device *dev, Error **errp)
{
    X86Cpu *cpu = X86_CPU(dev);

    if (x86_cpu_ops(cpu)->needs_host) {
        return error_set(errp, "CPU model 'host' requires KVM");
    }
    if (cpu->has_lmce) {
        return error_set(errp, "LMCE not supported");
    }
    take_topology(cpu);
    if (cpu->apic_id == X86_NO_APIC_ID) {
        return error_set(errp, "apic-id property was not initialized properly");
    }
    x86_cpu_expand_features(cpu);
    return x86_cpu_filter_features(cpu, false, errp) && x86_cpu_check_phys_bits(cpu, errp) &&
           x86_cpu_make_apic(cpu, errp);
}

/* vCPUs are readers of maps while they run guest code: none does while one of them goes. This one
 * stays stopped. */
static void drop_smm_space_safely(X86Cpu *cpu)
{
    bool was_running = vm_is_running();

    vcpu_pause_all();
    x86_drop_smm_space(cpu);
    if (was_running) {
        vcpu_resume_all();
        vcpu_pause(&cpu->parent.vcpu);
    }
}

static void x86_cpu_unrealize(Device *dev)
{
    X86Cpu *cpu = X86_CPU(dev);

    if (cpu->has_smm_space) {
        drop_smm_space_safely(cpu);
    }
    x86_cpu_drop_apic(cpu);
}

static void x86_cpu_finalize(Object *obj)
{
    tcg_cpu_clear(&X86_CPU(obj)->state.tcg);
}

static void x86_cpu_reset_hold(Device *dev)
{
    X86Cpu *cpu = X86_CPU(dev);

    cpu->state.tcg.requests = 0;
    x86_reset_state(cpu, false);
    /* All but the first wait for a STARTUP message. */
    cpu->state.is_waiting = cpu->parent.vcpu.index != 0;
    cpu->parent.vcpu.is_halted |= cpu->state.is_waiting;
}

static bool x86_vcpu_has_work(Vcpu *vcpu)
{
    return x86_has_work(X86_CPU(vcpu->object));
}

static const VcpuOps x86_vcpu_ops = { .has_work = x86_vcpu_has_work };

static void x86_cpu_set_pc(Cpu *cpu, uint64_t pc)
{
    X86_CPU(cpu)->state.pc = pc;
}

static const IrqDef x86_cpu_lines[] = {
    IRQ_ROW_IN(NULL, x86_cpu_set_intr, 1),
    IRQ_ROW_IN("a20", x86_cpu_set_a20, 1),
};

static const X86CpuType x86_cpu_type = {
    .name = TYPE_X86_CPU,
    .doc = "x86 CPU",
    .parent = TYPE_CPU,
    .size = sizeof(X86Cpu),
    .is_abstract = true,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PORT_CALL_CPU, &x86_port_call },
                                           { TYPE_X86_START_CPU, &x86_start_cpu }, { 0 } },
    .init = x86_cpu_init,
    .finalize = x86_cpu_finalize,
    .properties = PROPERTIES(x86_cpu_props),
    .access = DEVICE_ACCESS_USER,
    .vmstate = &x86_cpu_vmstate,
    .irqs = IRQS(x86_cpu_lines),
    .realize = x86_cpu_realize,
    .unrealize = x86_cpu_unrealize,
    .reset_hold = x86_cpu_reset_hold,
    .print_registers = x86_print_registers,
    .vcpu_ops = &x86_vcpu_ops,
    .set_pc = x86_cpu_set_pc,
    .debug = &x86_cpu_debug,
};
OBJECT_TYPE(x86_cpu_type)

static const X86CpuType base_type = {
    .name = "base" X86_CPU_SUFFIX,
    .doc = "base CPU model type with no features enabled",
    .parent = TYPE_X86_CPU,
};
OBJECT_TYPE(base_type)

static const X86CpuType max_type = {
    .name = "max" X86_CPU_SUFFIX,
    .doc = "Enables all features supported by the accelerator in the current host",
    .parent = TYPE_X86_CPU,
    .has_all = true,
};
OBJECT_TYPE(max_type)

static const X86CpuType host_type = {
    .name = "host" X86_CPU_SUFFIX,
    .doc = "processor with all supported host features",
    .parent = "max" X86_CPU_SUFFIX,
    .needs_host = true,
};
OBJECT_TYPE(host_type)

/* Types live as long as the program. */
static void register_model_type(const char *name, const X86Model *model, unsigned version)
{
    X86CpuType *type = g_new0(X86CpuType, 1);

    type->name = g_strconcat(name, X86_CPU_SUFFIX, NULL);
    type->doc = x86_model_describe(model, version);
    type->parent = TYPE_X86_CPU;
    type->model = model;
    type->version = version;
    type_register((const ObjectType *)type, sizeof(*type));
}

static void CONSTRUCTOR register_model_types(void)
{
    size_t count;
    const X86Model *model = x86_models(&count);

    for (; count > 0; count--, model++) {
        register_model_type(model->name, model, 1);
        for (unsigned v = 1; v <= x86_model_version_count(model); v++) {
            const X86ModelVersion *version = x86_model_version(model, v);
            g_autofree char *name = g_strdup_printf("%s-v%u", model->name, v);

            register_model_type(name, model, v);
            if (version && version->alias) {
                register_model_type(version->alias, model, v);
            }
        }
    }
}
