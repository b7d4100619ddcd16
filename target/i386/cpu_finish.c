/*
 * From an x86 CPU's properties to what it is: features that follow from others, levels that show
 * them all, what the accelerator cannot do.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"

static void add_supported(X86Cpu *cpu)
{
    X86FeatureSet supported;

    x86_supported_features(&supported, !cpu->is_migratable);
    for (int word = 0; word < X86_WORD_COUNT; word++) {
        cpu->features.words[word] |= supported.words[word] & ~cpu->user_features.words[word];
    }
}

/* A leaf that has to be there when a word has features, or a feature is on. */
typedef struct LevelRow {
    uint32_t leaf;
    X86Word word;
    const char *feature; /* instead of the word */
} LevelRow;

static const LevelRow level_rows[] = {
    { .leaf = 1, .word = X86_1_EDX },
    { .leaf = 1, .word = X86_1_ECX },
    { .leaf = 6, .word = X86_6_EAX },
    { .leaf = 7, .word = X86_7_0_EBX },
    { .leaf = 7, .word = X86_7_0_ECX },
    { .leaf = 7, .word = X86_7_0_EDX },
    { .leaf = 7, .word = X86_7_1_EAX },
    { .leaf = 7, .word = X86_7_1_EDX },
    { .leaf = 7, .word = X86_7_2_EDX },
    { .leaf = 0xd, .word = X86_D_1_EAX },
    { .leaf = 0xd, .feature = "xsave" },
    { .leaf = 0x12, .feature = "sgx" },
    { .leaf = 0x14, .feature = "intel-pt" },
    { .leaf = 0x1e, .feature = "amx-tile" },
    { .leaf = 0x80000001, .word = X86_8000_0001_EDX },
    { .leaf = 0x80000001, .word = X86_8000_0001_ECX },
    { .leaf = 0x80000007, .word = X86_8000_0007_EDX },
    { .leaf = 0x80000008, .word = X86_8000_0008_EBX },
    { .leaf = 0x8000000a, .feature = "svm" },
    { .leaf = 0x8000001e, .feature = "topoext" },
    { .leaf = 0x80000021, .word = X86_8000_0021_EAX },
    { .leaf = 0xc0000001, .word = X86_C000_0001_EDX },
};

static void raise_level(X86Cpu *cpu, uint32_t leaf)
{
    uint32_t *level = leaf >= 0xc0000000 ? &cpu->min_xlevel2 :
                      leaf >= 0x80000000 ? &cpu->min_xlevel : &cpu->min_level;

    *level = MAX(*level, leaf);
}

static void set_levels(X86Cpu *cpu)
{
    for (size_t i = 0; cpu->auto_level && i < ARRAY_SIZE(level_rows); i++) {
        const LevelRow *row = &level_rows[i];

        if (row->feature ? x86_cpu_has(cpu, row->feature) : cpu->features.words[row->word]) {
            raise_level(cpu, row->leaf);
        }
    }
    if (cpu->auto_level && cpu->topology.dies > 1) {
        raise_level(cpu, 0x1f);
    }
    cpu->level = cpu->level == UINT32_MAX ? cpu->min_level : cpu->level;
    cpu->xlevel = cpu->xlevel == UINT32_MAX ? cpu->min_xlevel : cpu->xlevel;
    cpu->xlevel2 = cpu->xlevel2 == UINT32_MAX ? cpu->min_xlevel2 : cpu->xlevel2;
}

void x86_cpu_expand_features(X86Cpu *cpu)
{
    if (x86_cpu_ops(cpu)->has_all) {
        add_supported(cpu);
    }
    x86_features_drop_dependents(&cpu->features);
    set_levels(cpu);
}

static void warn_filtered(const X86Cpu *cpu, int word)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        if (x86_feature_has(&cpu->filtered, word, bit)) {
            g_autofree char *place = x86_feature_place(word, bit);

            warn_report("%s doesn't support requested feature: %s", x86_accelerator_title(),
                        place);
        }
    }
}

static bool has_filtered(const X86Cpu *cpu)
{
    for (int word = 0; word < X86_WORD_COUNT; word++) {
        if (cpu->filtered.words[word]) {
            return true;
        }
    }
    return false;
}

bool x86_cpu_filter_features(X86Cpu *cpu, bool is_quiet, Error **errp)
{
    X86FeatureSet supported;

    if (cpu->is_forced) {
        return true;
    }
    x86_supported_features(&supported, true);
    for (int word = 0; word < X86_WORD_COUNT; word++) {
        cpu->filtered.words[word] = cpu->features.words[word] & ~supported.words[word];
        cpu->features.words[word] &= supported.words[word];
        if (!is_quiet && (cpu->is_checked || cpu->is_enforced)) {
            warn_filtered(cpu, word);
        }
    }
    return !cpu->is_enforced || !has_filtered(cpu) ||
           error_set(errp, "%s doesn't support requested features", x86_accelerator_title());
}

bool x86_cpu_check_phys_bits(X86Cpu *cpu, Error **errp)
{
    if (!cpu->phys_bits) {
        cpu->phys_bits = x86_cpu_has(cpu, "lm") ? 40 : x86_cpu_has(cpu, "pse36") ? 36 : 32;
    } else if (cpu->phys_bits < 32 || cpu->phys_bits > 52) {
        return error_set(errp, "phys-bits should be between 32 and 52  (but is %u)",
                         cpu->phys_bits);
    } else if (!x86_cpu_has(cpu, "lm")) {
        return error_set(errp, "phys-bits is not user-configurable in 32 bit");
    }
    return true;
}
