/*
 * x86 features by name, bit and place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/features.h"

#define CPUID_WORD(leaf_, subleaf_, reg_, ...)                                                     \
    { .leaf = (leaf_), .subleaf = (subleaf_), .reg = (reg_), __VA_ARGS__ }
#define MSR_WORD(number, needed_) { .leaf = (number), .subleaf = -1, .needed = (needed_) }

const X86WordInfo x86_words[X86_WORD_COUNT] = {
    [X86_1_EDX] = CPUID_WORD(1, -1, "EDX"),
    [X86_1_ECX] = CPUID_WORD(1, -1, "ECX"),
    [X86_7_0_EBX] = CPUID_WORD(7, 0, "EBX"),
    [X86_7_0_ECX] = CPUID_WORD(7, 0, "ECX"),
    [X86_7_0_EDX] = CPUID_WORD(7, 0, "EDX"),
    [X86_7_1_EAX] = CPUID_WORD(7, 1, "EAX"),
    [X86_7_1_EDX] = CPUID_WORD(7, 1, "EDX"),
    [X86_7_2_EDX] = CPUID_WORD(7, 2, "EDX"),
    [X86_8000_0001_EDX] = CPUID_WORD(0x80000001, -1, "EDX"),
    [X86_8000_0001_ECX] = CPUID_WORD(0x80000001, -1, "ECX"),
    [X86_8000_0007_EDX] = CPUID_WORD(0x80000007, -1, "EDX"),
    [X86_8000_0008_EBX] = CPUID_WORD(0x80000008, -1, "EBX"),
    [X86_8000_000A_EDX] = CPUID_WORD(0x8000000a, -1, "EDX", .needed = "svm"),
    [X86_8000_0021_EAX] = CPUID_WORD(0x80000021, -1, "EAX"),
    [X86_C000_0001_EDX] = CPUID_WORD(0xc0000001, -1, "EDX"),
    [X86_6_EAX] = CPUID_WORD(6, -1, "EAX"),
    [X86_D_1_EAX] = CPUID_WORD(0xd, 1, "EAX"),
    [X86_12_0_EAX] = CPUID_WORD(0x12, 0, "EAX", .needed = "sgx"),
    [X86_12_0_EBX] = CPUID_WORD(0x12, 0, "EBX", .needed = "sgx"),
    [X86_12_1_EAX] = CPUID_WORD(0x12, 1, "EAX", .needed = "sgx"),
    [X86_14_0_ECX] = CPUID_WORD(0x14, 0, "ECX", .needed = "intel-pt"),
    [X86_KVM_EAX] = CPUID_WORD(0x40000001, -1, "EAX"),
    [X86_KVM_EDX] = CPUID_WORD(0x40000001, -1, "EDX"),
    [X86_MSR_ARCH_CAPABILITIES] = MSR_WORD(0x10a, "arch-capabilities"),
    [X86_MSR_CORE_CAPABILITY] = MSR_WORD(0xcf, "core-capability"),
    [X86_MSR_PERF_CAPABILITIES] = MSR_WORD(0x345, "pdcm"),
    [X86_MSR_VMX_BASIC] = MSR_WORD(0x480, "vmx"),
    [X86_MSR_VMX_MISC] = MSR_WORD(0x485, "vmx"),
    [X86_MSR_VMX_PROCBASED_CTLS2] = MSR_WORD(0x48b, "vmx-secondary-ctls"),
    [X86_MSR_VMX_EPT_VPID_CAP] = MSR_WORD(0x48c, "vmx-ept"),
    [X86_MSR_VMX_PINBASED_CTLS] = MSR_WORD(0x48d, "vmx"),
    [X86_MSR_VMX_PROCBASED_CTLS] = MSR_WORD(0x48e, "vmx"),
    [X86_MSR_VMX_EXIT_CTLS] = MSR_WORD(0x48f, "vmx"),
    [X86_MSR_VMX_ENTRY_CTLS] = MSR_WORD(0x490, "vmx"),
    [X86_MSR_VMX_VMFUNC] = MSR_WORD(0x491, "vmx-vmfunc"),
};

#define FEATURE_ROW(word_, bit_, name_) { .name = (name_), .word = X86_##word_, .bit = (bit_) },
static const X86Feature features[] = { X86_FEATURES(FEATURE_ROW) };
static const X86Feature aliases[] = { X86_FEATURE_ALIASES(FEATURE_ROW) };

/* Name to row; built when first asked for. */
static GHashTable *by_name(void)
{
    static GHashTable *table;

    if (!table) {
        table = g_hash_table_new(g_str_hash, g_str_equal);
        for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
            g_hash_table_insert(table, (char *)aliases[i].name, (void *)&aliases[i]);
        }
        for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
            g_hash_table_insert(table, (char *)features[i].name, (void *)&features[i]);
        }
    }
    return table;
}

const X86Feature *x86_feature_find(const char *name)
{
    return g_hash_table_lookup(by_name(), name);
}

const X86Feature *x86_features(size_t *count)
{
    *count = ARRAY_SIZE(features);
    return features;
}

const char *x86_feature_name(X86Word word, unsigned bit)
{
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        if (features[i].word == word && features[i].bit == bit) {
            return features[i].name;
        }
    }
    return NULL;
}

bool x86_feature_has_name(const X86FeatureSet *set, const char *name)
{
    const X86Feature *feature = x86_feature_find(name);

    assert(feature);
    return x86_feature_has(set, feature->word, feature->bit);
}

static void change_one(X86FeatureSet *set, const char *name)
{
    bool is_off = *name == '-';
    const X86Feature *feature = x86_feature_find(name + is_off);

    if (!feature) {
        g_error("there is no x86 feature '%s'", name + is_off);
    }
    if (is_off) {
        set->words[feature->word] &= ~BIT64(feature->bit);
    } else {
        set->words[feature->word] |= BIT64(feature->bit);
    }
}

void x86_features_change(X86FeatureSet *set, const char *changes)
{
    g_auto(GStrv) names = g_strsplit(changes, " ", -1);

    for (char **name = names; *name; name++) {
        if (**name) {
            change_one(set, *name);
        }
    }
}

char *x86_feature_place(X86Word word, unsigned bit)
{
    const X86WordInfo *info = &x86_words[word];
    const char *name = x86_feature_name(word, bit);
    const char *dot = name ? "." : "";

    if (!name) {
        name = "";
    }
    if (!info->reg) {
        return g_strdup_printf("MSR(%XH)%s%s [bit %u]", info->leaf, dot, name, bit);
    }
    return g_strdup_printf("CPUID.%02XH:%s%s%s [bit %u]", info->leaf, info->reg, dot, name, bit);
}

void x86_features_drop_dependents(X86FeatureSet *set)
{
    bool is_changed;

    do {
        is_changed = false;
        for (int word = 0; word < X86_WORD_COUNT; word++) {
            const char *needed = x86_words[word].needed;

            if (set->words[word] && needed && !x86_feature_has_name(set, needed)) {
                set->words[word] = 0;
                is_changed = true;
            }
        }
    } while (is_changed);
}
