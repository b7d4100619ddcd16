/*
 * Which x86 features each accelerator can give a guest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/accel.h"
#include "target/i386/cpu.h"

/* What our own execution of x86 covers. */
static const char tcg_features[] =
    "fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush acpi mmx fxsr "
    "sse sse2 ss pni pclmulqdq monitor ssse3 fma cx16 pcid sse4.1 sse4.2 x2apic movbe popcnt "
    "tsc-deadline aes xsave avx f16c rdrand hypervisor "
    "fsgsbase tsc-adjust bmi1 avx2 fdp-excptn-only smep bmi2 erms invpcid zero-fcs-fds "
    "rdseed adx smap clflushopt clwb sha-ni umip pku waitpkg gfni vaes vpclmulqdq la57 rdpid "
    "movdiri movdir64b enqcmd fsrm serialize "
    "syscall nx mmxext fxsr-opt pdpe1gb rdtscp lm lahf-lm cr8legacy abm misalignsse "
    "3dnowprefetch topoext invtsc wbnoinvd svm npt nrip-save vmcb-clean flushbyasid "
    "decodeassists vgif svme-addr-chk "
    "arat xsaveopt xsavec xgetbv1 xsaves";
/* Another host cannot keep their promise. */
static const char unmigratable_features[] = "invtsc";
/* Named models have them, but virtual-8086 extensions are not executed. */
static const char tcg_model_changes[] = "-vme";

static void add_all(X86FeatureSet *set)
{
    size_t count;
    const X86Feature *feature = x86_features(&count);

    for (; count > 0; count--, feature++) {
        set->words[feature->word] |= BIT64(feature->bit);
    }
}

static void remove_all(X86FeatureSet *set, const char *names)
{
    X86FeatureSet removed = { 0 };

    x86_features_change(&removed, names);
    for (int word = 0; word < X86_WORD_COUNT; word++) {
        set->words[word] &= ~removed.words[word];
    }
}

void x86_supported_features(X86FeatureSet *out, bool with_unmigratable)
{
    *out = (X86FeatureSet){ 0 };
    if (accel_is("tcg")) {
        x86_features_change(out, tcg_features);
    } else {
        add_all(out);
    }
    if (!with_unmigratable) {
        remove_all(out, unmigratable_features);
    }
}

const char *x86_accelerator_title(void)
{
    return accel_current() && accel_ops()->title ? accel_ops()->title : "the accelerator";
}

void x86_apply_accelerator_defaults(X86FeatureSet *features)
{
    x86_features_change(features, "hypervisor");
    if (accel_is("tcg")) {
        x86_features_change(features, tcg_model_changes);
    }
}
