/*
 * The features an x86 CPU can have: Intel SDM volume 2 (CPUID), volume 3 appendix A (VMX) and
 * volume 4 (MSRs), AMD APM volume 3 appendix E. One row each: the word it is in, its bit, its
 * name, which is also its property.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_FEATURES_H
#define TARGET_I386_FEATURES_H

#include "qom/error.h"

/* Registers of CPUID leaves and MSRs that are made of features. */
typedef enum X86Word {
    X86_1_EDX,
    X86_1_ECX,
    X86_7_0_EBX,
    X86_7_0_ECX,
    X86_7_0_EDX,
    X86_7_1_EAX,
    X86_7_1_EDX,
    X86_7_2_EDX,
    X86_8000_0001_EDX,
    X86_8000_0001_ECX,
    X86_8000_0007_EDX,
    X86_8000_0008_EBX,
    X86_8000_000A_EDX,
    X86_8000_0021_EAX,
    X86_C000_0001_EDX,
    X86_6_EAX,
    X86_D_1_EAX,
    X86_12_0_EAX,
    X86_12_0_EBX,
    X86_12_1_EAX,
    X86_14_0_ECX,
    X86_KVM_EAX,
    X86_KVM_EDX,
    X86_MSR_ARCH_CAPABILITIES,
    X86_MSR_CORE_CAPABILITY,
    X86_MSR_PERF_CAPABILITIES,
    X86_MSR_VMX_BASIC,
    X86_MSR_VMX_MISC,
    X86_MSR_VMX_PROCBASED_CTLS2,
    X86_MSR_VMX_EPT_VPID_CAP,
    X86_MSR_VMX_PINBASED_CTLS,
    X86_MSR_VMX_PROCBASED_CTLS,
    X86_MSR_VMX_EXIT_CTLS,
    X86_MSR_VMX_ENTRY_CTLS,
    X86_MSR_VMX_VMFUNC,
    X86_WORD_COUNT
} X86Word;

/* Where a word is. */
typedef struct X86WordInfo {
    uint32_t leaf;      /* of CPUID, or the MSR */
    int8_t subleaf;     /* -1: the leaf has none */
    const char *reg;    /* "EAX"...; NULL: an MSR */
    const char *needed; /* without this feature the word is zero; NULL: it always stands */
} X86WordInfo;

typedef struct X86Feature {
    const char *name;
    X86Word word;
    uint8_t bit;
} X86Feature;

typedef struct X86FeatureSet {
    uint64_t words[X86_WORD_COUNT];
} X86FeatureSet;

extern const X86WordInfo x86_words[X86_WORD_COUNT];

/* By name or alias; NULL: there is none. */
const X86Feature *x86_feature_find(const char *name);
/* The name of a bit; NULL when it has none. */
const char *x86_feature_name(X86Word word, unsigned bit);
/* All of them, in the order of words and bits. */
const X86Feature *x86_features(size_t *count);
static inline bool x86_feature_has(const X86FeatureSet *set, X86Word word, unsigned bit)
{
    return set->words[word] >> bit & 1;
}
bool x86_feature_has_name(const X86FeatureSet *set, const char *name);
/* "aes avx -hle": adds and takes away. A name that does not exist is our bug and asserts. */
void x86_features_change(X86FeatureSet *set, const char *changes);
/* "CPUID.01H:ECX.vmx [bit 5]", "MSR(48EH) [bit 2]". Free it. */
char *x86_feature_place(X86Word word, unsigned bit);
/* Takes away the words whose needed feature is missing. */
void x86_features_drop_dependents(X86FeatureSet *set);

/* F(word, bit, name) for each feature. */
#define X86_FEATURES(F)                                                                            \
    /* CPUID 1H:EDX */                                                                             \
    F(1_EDX, 0, "fpu")                                                                             \
    F(1_EDX, 1, "vme")                                                                             \
    F(1_EDX, 2, "de")                                                                              \
    F(1_EDX, 3, "pse")                                                                             \
    F(1_EDX, 4, "tsc")                                                                             \
    F(1_EDX, 5, "msr")                                                                             \
    F(1_EDX, 6, "pae")                                                                             \
    F(1_EDX, 7, "mce")                                                                             \
    F(1_EDX, 8, "cx8")                                                                             \
    F(1_EDX, 9, "apic")                                                                            \
    F(1_EDX, 11, "sep")                                                                            \
    F(1_EDX, 12, "mtrr")                                                                           \
    F(1_EDX, 13, "pge")                                                                            \
    F(1_EDX, 14, "mca")                                                                            \
    F(1_EDX, 15, "cmov")                                                                           \
    F(1_EDX, 16, "pat")                                                                            \
    F(1_EDX, 17, "pse36")                                                                          \
    F(1_EDX, 18, "pn")                                                                             \
    F(1_EDX, 19, "clflush")                                                                        \
    F(1_EDX, 21, "ds")                                                                             \
    F(1_EDX, 22, "acpi")                                                                           \
    F(1_EDX, 23, "mmx")                                                                            \
    F(1_EDX, 24, "fxsr")                                                                           \
    F(1_EDX, 25, "sse")                                                                            \
    F(1_EDX, 26, "sse2")                                                                           \
    F(1_EDX, 27, "ss")                                                                             \
    F(1_EDX, 28, "ht")                                                                             \
    F(1_EDX, 29, "tm")                                                                             \
    F(1_EDX, 30, "ia64")                                                                           \
    F(1_EDX, 31, "pbe")                                                                            \
    /* CPUID 1H:ECX */                                                                             \
    F(1_ECX, 0, "pni")                                                                             \
    F(1_ECX, 1, "pclmulqdq")                                                                       \
    F(1_ECX, 2, "dtes64")                                                                          \
    F(1_ECX, 3, "monitor")                                                                         \
    F(1_ECX, 4, "ds-cpl")                                                                          \
    F(1_ECX, 5, "vmx")                                                                             \
    F(1_ECX, 6, "smx")                                                                             \
    F(1_ECX, 7, "est")                                                                             \
    F(1_ECX, 8, "tm2")                                                                             \
    F(1_ECX, 9, "ssse3")                                                                           \
    F(1_ECX, 10, "cid")                                                                            \
    F(1_ECX, 12, "fma")                                                                            \
    F(1_ECX, 13, "cx16")                                                                           \
    F(1_ECX, 14, "xtpr")                                                                           \
    F(1_ECX, 15, "pdcm")                                                                           \
    F(1_ECX, 17, "pcid")                                                                           \
    F(1_ECX, 18, "dca")                                                                            \
    F(1_ECX, 19, "sse4.1")                                                                         \
    F(1_ECX, 20, "sse4.2")                                                                         \
    F(1_ECX, 21, "x2apic")                                                                         \
    F(1_ECX, 22, "movbe")                                                                          \
    F(1_ECX, 23, "popcnt")                                                                         \
    F(1_ECX, 24, "tsc-deadline")                                                                   \
    F(1_ECX, 25, "aes")                                                                            \
    F(1_ECX, 26, "xsave")                                                                          \
    F(1_ECX, 28, "avx")                                                                            \
    F(1_ECX, 29, "f16c")                                                                           \
    F(1_ECX, 30, "rdrand")                                                                         \
    F(1_ECX, 31, "hypervisor")                                                                     \
    /* CPUID 7H.0:EBX */                                                                           \
    F(7_0_EBX, 0, "fsgsbase")                                                                      \
    F(7_0_EBX, 1, "tsc-adjust")                                                                    \
    F(7_0_EBX, 2, "sgx")                                                                           \
    F(7_0_EBX, 3, "bmi1")                                                                          \
    F(7_0_EBX, 4, "hle")                                                                           \
    F(7_0_EBX, 5, "avx2")                                                                          \
    F(7_0_EBX, 6, "fdp-excptn-only")                                                               \
    F(7_0_EBX, 7, "smep")                                                                          \
    F(7_0_EBX, 8, "bmi2")                                                                          \
    F(7_0_EBX, 9, "erms")                                                                          \
    F(7_0_EBX, 10, "invpcid")                                                                      \
    F(7_0_EBX, 11, "rtm")                                                                          \
    F(7_0_EBX, 13, "zero-fcs-fds")                                                                 \
    F(7_0_EBX, 14, "mpx")                                                                          \
    F(7_0_EBX, 16, "avx512f")                                                                      \
    F(7_0_EBX, 17, "avx512dq")                                                                     \
    F(7_0_EBX, 18, "rdseed")                                                                       \
    F(7_0_EBX, 19, "adx")                                                                          \
    F(7_0_EBX, 20, "smap")                                                                         \
    F(7_0_EBX, 21, "avx512ifma")                                                                   \
    F(7_0_EBX, 22, "pcommit")                                                                      \
    F(7_0_EBX, 23, "clflushopt")                                                                   \
    F(7_0_EBX, 24, "clwb")                                                                         \
    F(7_0_EBX, 25, "intel-pt")                                                                     \
    F(7_0_EBX, 26, "avx512pf")                                                                     \
    F(7_0_EBX, 27, "avx512er")                                                                     \
    F(7_0_EBX, 28, "avx512cd")                                                                     \
    F(7_0_EBX, 29, "sha-ni")                                                                       \
    F(7_0_EBX, 30, "avx512bw")                                                                     \
    F(7_0_EBX, 31, "avx512vl")                                                                     \
    /* CPUID 7H.0:ECX */                                                                           \
    F(7_0_ECX, 1, "avx512vbmi")                                                                    \
    F(7_0_ECX, 2, "umip")                                                                          \
    F(7_0_ECX, 3, "pku")                                                                           \
    F(7_0_ECX, 5, "waitpkg")                                                                       \
    F(7_0_ECX, 6, "avx512vbmi2")                                                                   \
    F(7_0_ECX, 8, "gfni")                                                                          \
    F(7_0_ECX, 9, "vaes")                                                                          \
    F(7_0_ECX, 10, "vpclmulqdq")                                                                   \
    F(7_0_ECX, 11, "avx512vnni")                                                                   \
    F(7_0_ECX, 12, "avx512bitalg")                                                                 \
    F(7_0_ECX, 14, "avx512-vpopcntdq")                                                             \
    F(7_0_ECX, 16, "la57")                                                                         \
    F(7_0_ECX, 22, "rdpid")                                                                        \
    F(7_0_ECX, 24, "bus-lock-detect")                                                              \
    F(7_0_ECX, 25, "cldemote")                                                                     \
    F(7_0_ECX, 27, "movdiri")                                                                      \
    F(7_0_ECX, 28, "movdir64b")                                                                    \
    F(7_0_ECX, 29, "enqcmd")                                                                       \
    F(7_0_ECX, 30, "sgxlc")                                                                        \
    F(7_0_ECX, 31, "pks")                                                                          \
    /* CPUID 7H.0:EDX */                                                                           \
    F(7_0_EDX, 2, "avx512-4vnniw")                                                                 \
    F(7_0_EDX, 3, "avx512-4fmaps")                                                                 \
    F(7_0_EDX, 4, "fsrm")                                                                          \
    F(7_0_EDX, 8, "avx512-vp2intersect")                                                           \
    F(7_0_EDX, 10, "md-clear")                                                                     \
    F(7_0_EDX, 14, "serialize")                                                                    \
    F(7_0_EDX, 16, "tsx-ldtrk")                                                                    \
    F(7_0_EDX, 19, "arch-lbr")                                                                     \
    F(7_0_EDX, 22, "amx-bf16")                                                                     \
    F(7_0_EDX, 23, "avx512-fp16")                                                                  \
    F(7_0_EDX, 24, "amx-tile")                                                                     \
    F(7_0_EDX, 25, "amx-int8")                                                                     \
    F(7_0_EDX, 26, "spec-ctrl")                                                                    \
    F(7_0_EDX, 27, "stibp")                                                                        \
    F(7_0_EDX, 29, "arch-capabilities")                                                            \
    F(7_0_EDX, 30, "core-capability")                                                              \
    F(7_0_EDX, 31, "ssbd")                                                                         \
    /* CPUID 7H.1:EAX */                                                                           \
    F(7_1_EAX, 4, "avx-vnni")                                                                      \
    F(7_1_EAX, 5, "avx512-bf16")                                                                   \
    F(7_1_EAX, 7, "cmpccxadd")                                                                     \
    F(7_1_EAX, 10, "fzrm")                                                                         \
    F(7_1_EAX, 11, "fsrs")                                                                         \
    F(7_1_EAX, 12, "fsrc")                                                                         \
    F(7_1_EAX, 21, "amx-fp16")                                                                     \
    F(7_1_EAX, 23, "avx-ifma")                                                                     \
    /* CPUID 7H.1:EDX */                                                                           \
    F(7_1_EDX, 4, "avx-vnni-int8")                                                                 \
    F(7_1_EDX, 5, "avx-ne-convert")                                                                \
    F(7_1_EDX, 8, "amx-complex")                                                                   \
    F(7_1_EDX, 14, "prefetchiti")                                                                  \
    /* CPUID 7H.2:EDX */                                                                           \
    F(7_2_EDX, 5, "mcdt-no")                                                                       \
    /* CPUID 80000001H:EDX */                                                                      \
    F(8000_0001_EDX, 11, "syscall")                                                                \
    F(8000_0001_EDX, 20, "nx")                                                                     \
    F(8000_0001_EDX, 22, "mmxext")                                                                 \
    F(8000_0001_EDX, 25, "fxsr-opt")                                                               \
    F(8000_0001_EDX, 26, "pdpe1gb")                                                                \
    F(8000_0001_EDX, 27, "rdtscp")                                                                 \
    F(8000_0001_EDX, 29, "lm")                                                                     \
    F(8000_0001_EDX, 30, "3dnowext")                                                               \
    F(8000_0001_EDX, 31, "3dnow")                                                                  \
    /* CPUID 80000001H:ECX */                                                                      \
    F(8000_0001_ECX, 0, "lahf-lm")                                                                 \
    F(8000_0001_ECX, 1, "cmp-legacy")                                                              \
    F(8000_0001_ECX, 2, "svm")                                                                     \
    F(8000_0001_ECX, 3, "extapic")                                                                 \
    F(8000_0001_ECX, 4, "cr8legacy")                                                               \
    F(8000_0001_ECX, 5, "abm")                                                                     \
    F(8000_0001_ECX, 6, "sse4a")                                                                   \
    F(8000_0001_ECX, 7, "misalignsse")                                                             \
    F(8000_0001_ECX, 8, "3dnowprefetch")                                                           \
    F(8000_0001_ECX, 9, "osvw")                                                                    \
    F(8000_0001_ECX, 10, "ibs")                                                                    \
    F(8000_0001_ECX, 11, "xop")                                                                    \
    F(8000_0001_ECX, 12, "skinit")                                                                 \
    F(8000_0001_ECX, 13, "wdt")                                                                    \
    F(8000_0001_ECX, 15, "lwp")                                                                    \
    F(8000_0001_ECX, 16, "fma4")                                                                   \
    F(8000_0001_ECX, 17, "tce")                                                                    \
    F(8000_0001_ECX, 19, "nodeid-msr")                                                             \
    F(8000_0001_ECX, 21, "tbm")                                                                    \
    F(8000_0001_ECX, 22, "topoext")                                                                \
    F(8000_0001_ECX, 23, "perfctr-core")                                                           \
    F(8000_0001_ECX, 24, "perfctr-nb")                                                             \
    /* CPUID 80000007H:EDX */                                                                      \
    F(8000_0007_EDX, 8, "invtsc")                                                                  \
    /* CPUID 80000008H:EBX */                                                                      \
    F(8000_0008_EBX, 0, "clzero")                                                                  \
    F(8000_0008_EBX, 2, "xsaveerptr")                                                              \
    F(8000_0008_EBX, 9, "wbnoinvd")                                                                \
    F(8000_0008_EBX, 12, "ibpb")                                                                   \
    F(8000_0008_EBX, 14, "ibrs")                                                                   \
    F(8000_0008_EBX, 15, "amd-stibp")                                                              \
    F(8000_0008_EBX, 17, "stibp-always-on")                                                        \
    F(8000_0008_EBX, 24, "amd-ssbd")                                                               \
    F(8000_0008_EBX, 25, "virt-ssbd")                                                              \
    F(8000_0008_EBX, 26, "amd-no-ssb")                                                             \
    F(8000_0008_EBX, 28, "amd-psfd")                                                               \
    /* CPUID 8000000AH:EDX */                                                                      \
    F(8000_000A_EDX, 0, "npt")                                                                     \
    F(8000_000A_EDX, 1, "lbrv")                                                                    \
    F(8000_000A_EDX, 2, "svm-lock")                                                                \
    F(8000_000A_EDX, 3, "nrip-save")                                                               \
    F(8000_000A_EDX, 4, "tsc-scale")                                                               \
    F(8000_000A_EDX, 5, "vmcb-clean")                                                              \
    F(8000_000A_EDX, 6, "flushbyasid")                                                             \
    F(8000_000A_EDX, 7, "decodeassists")                                                           \
    F(8000_000A_EDX, 10, "pause-filter")                                                           \
    F(8000_000A_EDX, 12, "pfthreshold")                                                            \
    F(8000_000A_EDX, 13, "avic")                                                                   \
    F(8000_000A_EDX, 15, "v-vmsave-vmload")                                                        \
    F(8000_000A_EDX, 16, "vgif")                                                                   \
    F(8000_000A_EDX, 18, "x2avic")                                                                 \
    F(8000_000A_EDX, 25, "vnmi")                                                                   \
    F(8000_000A_EDX, 28, "svme-addr-chk")                                                          \
    /* CPUID 80000021H:EAX */                                                                      \
    F(8000_0021_EAX, 0, "no-nested-data-bp")                                                       \
    F(8000_0021_EAX, 2, "lfence-always-serializing")                                               \
    F(8000_0021_EAX, 6, "null-sel-clr-base")                                                       \
    F(8000_0021_EAX, 8, "auto-ibrs")                                                               \
    /* CPUID C0000001H:EDX */                                                                      \
    F(C000_0001_EDX, 2, "xstore")                                                                  \
    F(C000_0001_EDX, 3, "xstore-en")                                                               \
    F(C000_0001_EDX, 6, "xcrypt")                                                                  \
    F(C000_0001_EDX, 7, "xcrypt-en")                                                               \
    F(C000_0001_EDX, 8, "ace2")                                                                    \
    F(C000_0001_EDX, 9, "ace2-en")                                                                 \
    F(C000_0001_EDX, 10, "phe")                                                                    \
    F(C000_0001_EDX, 11, "phe-en")                                                                 \
    F(C000_0001_EDX, 12, "pmm")                                                                    \
    F(C000_0001_EDX, 13, "pmm-en")                                                                 \
    /* CPUID 6H:EAX */                                                                             \
    F(6_EAX, 2, "arat")                                                                            \
    /* CPUID DH.1:EAX */                                                                           \
    F(D_1_EAX, 0, "xsaveopt")                                                                      \
    F(D_1_EAX, 1, "xsavec")                                                                        \
    F(D_1_EAX, 2, "xgetbv1")                                                                       \
    F(D_1_EAX, 3, "xsaves")                                                                        \
    F(D_1_EAX, 4, "xfd")                                                                           \
    /* CPUID 12H.0:EAX */                                                                          \
    F(12_0_EAX, 0, "sgx1")                                                                         \
    F(12_0_EAX, 1, "sgx2")                                                                         \
    /* CPUID 12H.0:EBX */                                                                          \
    F(12_0_EBX, 0, "sgx-exinfo")                                                                   \
    /* CPUID 12H.1:EAX */                                                                          \
    F(12_1_EAX, 1, "sgx-debug")                                                                    \
    F(12_1_EAX, 2, "sgx-mode64")                                                                   \
    F(12_1_EAX, 4, "sgx-provisionkey")                                                             \
    F(12_1_EAX, 5, "sgx-tokenkey")                                                                 \
    F(12_1_EAX, 7, "sgx-kss")                                                                      \
    /* CPUID 14H.0:ECX */                                                                          \
    F(14_0_ECX, 31, "intel-pt-lip")                                                                \
    /* CPUID 40000001H:EAX */                                                                      \
    F(KVM_EAX, 1, "kvm-nopiodelay")                                                                \
    F(KVM_EAX, 2, "kvm-mmu")                                                                       \
    F(KVM_EAX, 3, "kvmclock")                                                                      \
    F(KVM_EAX, 4, "kvm-asyncpf")                                                                   \
    F(KVM_EAX, 5, "kvm-steal-time")                                                                \
    F(KVM_EAX, 6, "kvm-pv-eoi")                                                                    \
    F(KVM_EAX, 7, "kvm-pv-unhalt")                                                                 \
    F(KVM_EAX, 9, "kvm-pv-tlb-flush")                                                              \
    F(KVM_EAX, 11, "kvm-pv-ipi")                                                                   \
    F(KVM_EAX, 12, "kvm-poll-control")                                                             \
    F(KVM_EAX, 13, "kvm-pv-sched-yield")                                                           \
    F(KVM_EAX, 14, "kvm-asyncpf-int")                                                              \
    F(KVM_EAX, 15, "kvm-msi-ext-dest-id")                                                          \
    F(KVM_EAX, 24, "kvmclock-stable-bit")                                                          \
    /* CPUID 40000001H:EDX */                                                                      \
    F(KVM_EDX, 0, "kvm-hint-dedicated")                                                            \
    /* MSR 10AH */                                                                                 \
    F(MSR_ARCH_CAPABILITIES, 0, "rdctl-no")                                                        \
    F(MSR_ARCH_CAPABILITIES, 1, "ibrs-all")                                                        \
    F(MSR_ARCH_CAPABILITIES, 2, "rsba")                                                            \
    F(MSR_ARCH_CAPABILITIES, 3, "skip-l1dfl-vmentry")                                              \
    F(MSR_ARCH_CAPABILITIES, 4, "ssb-no")                                                          \
    F(MSR_ARCH_CAPABILITIES, 5, "mds-no")                                                          \
    F(MSR_ARCH_CAPABILITIES, 6, "pschange-mc-no")                                                  \
    F(MSR_ARCH_CAPABILITIES, 7, "tsx-ctrl")                                                        \
    F(MSR_ARCH_CAPABILITIES, 8, "taa-no")                                                          \
    F(MSR_ARCH_CAPABILITIES, 13, "sbdr-ssdp-no")                                                   \
    F(MSR_ARCH_CAPABILITIES, 14, "fbsdp-no")                                                       \
    F(MSR_ARCH_CAPABILITIES, 15, "psdp-no")                                                        \
    F(MSR_ARCH_CAPABILITIES, 17, "fb-clear")                                                       \
    F(MSR_ARCH_CAPABILITIES, 24, "pbrsb-no")                                                       \
    F(MSR_ARCH_CAPABILITIES, 26, "gds-no")                                                         \
    F(MSR_ARCH_CAPABILITIES, 27, "rfds-no")                                                        \
    F(MSR_ARCH_CAPABILITIES, 28, "rfds-clear")                                                     \
    /* MSR CFH */                                                                                  \
    F(MSR_CORE_CAPABILITY, 5, "split-lock-detect")                                                 \
    /* MSR 345H */                                                                                 \
    F(MSR_PERF_CAPABILITIES, 13, "full-width-write")                                               \
    /* MSR 480H */                                                                                 \
    F(MSR_VMX_BASIC, 54, "vmx-ins-outs")                                                           \
    F(MSR_VMX_BASIC, 55, "vmx-true-ctls")                                                          \
    /* MSR 485H */                                                                                 \
    F(MSR_VMX_MISC, 5, "vmx-store-lma")                                                            \
    F(MSR_VMX_MISC, 6, "vmx-activity-hlt")                                                         \
    F(MSR_VMX_MISC, 7, "vmx-activity-shutdown")                                                    \
    F(MSR_VMX_MISC, 8, "vmx-activity-wait-sipi")                                                   \
    F(MSR_VMX_MISC, 29, "vmx-vmwrite-vmexit-fields")                                               \
    F(MSR_VMX_MISC, 30, "vmx-zero-len-inject")                                                     \
    /* MSR 48BH */                                                                                 \
    F(MSR_VMX_PROCBASED_CTLS2, 0, "vmx-apicv-xapic")                                               \
    F(MSR_VMX_PROCBASED_CTLS2, 1, "vmx-ept")                                                       \
    F(MSR_VMX_PROCBASED_CTLS2, 2, "vmx-desc-exit")                                                 \
    F(MSR_VMX_PROCBASED_CTLS2, 3, "vmx-rdtscp-exit")                                               \
    F(MSR_VMX_PROCBASED_CTLS2, 4, "vmx-apicv-x2apic")                                              \
    F(MSR_VMX_PROCBASED_CTLS2, 5, "vmx-vpid")                                                      \
    F(MSR_VMX_PROCBASED_CTLS2, 6, "vmx-wbinvd-exit")                                               \
    F(MSR_VMX_PROCBASED_CTLS2, 7, "vmx-unrestricted-guest")                                        \
    F(MSR_VMX_PROCBASED_CTLS2, 8, "vmx-apicv-register")                                            \
    F(MSR_VMX_PROCBASED_CTLS2, 9, "vmx-apicv-vid")                                                 \
    F(MSR_VMX_PROCBASED_CTLS2, 10, "vmx-ple")                                                      \
    F(MSR_VMX_PROCBASED_CTLS2, 11, "vmx-rdrand-exit")                                              \
    F(MSR_VMX_PROCBASED_CTLS2, 12, "vmx-invpcid-exit")                                             \
    F(MSR_VMX_PROCBASED_CTLS2, 13, "vmx-vmfunc")                                                   \
    F(MSR_VMX_PROCBASED_CTLS2, 14, "vmx-shadow-vmcs")                                              \
    F(MSR_VMX_PROCBASED_CTLS2, 15, "vmx-encls-exit")                                               \
    F(MSR_VMX_PROCBASED_CTLS2, 16, "vmx-rdseed-exit")                                              \
    F(MSR_VMX_PROCBASED_CTLS2, 17, "vmx-pml")                                                      \
    F(MSR_VMX_PROCBASED_CTLS2, 20, "vmx-xsaves")                                                   \
    F(MSR_VMX_PROCBASED_CTLS2, 25, "vmx-tsc-scaling")                                              \
    /* MSR 48CH */                                                                                 \
    F(MSR_VMX_EPT_VPID_CAP, 0, "vmx-ept-execonly")                                                 \
    F(MSR_VMX_EPT_VPID_CAP, 6, "vmx-page-walk-4")                                                  \
    F(MSR_VMX_EPT_VPID_CAP, 7, "vmx-page-walk-5")                                                  \
    F(MSR_VMX_EPT_VPID_CAP, 16, "vmx-ept-2mb")                                                     \
    F(MSR_VMX_EPT_VPID_CAP, 17, "vmx-ept-1gb")                                                     \
    F(MSR_VMX_EPT_VPID_CAP, 20, "vmx-invept")                                                      \
    F(MSR_VMX_EPT_VPID_CAP, 21, "vmx-eptad")                                                       \
    F(MSR_VMX_EPT_VPID_CAP, 22, "vmx-ept-advanced-exitinfo")                                       \
    F(MSR_VMX_EPT_VPID_CAP, 25, "vmx-invept-single-context")                                       \
    F(MSR_VMX_EPT_VPID_CAP, 26, "vmx-invept-all-context")                                          \
    F(MSR_VMX_EPT_VPID_CAP, 32, "vmx-invvpid")                                                     \
    F(MSR_VMX_EPT_VPID_CAP, 40, "vmx-invvpid-single-addr")                                         \
    F(MSR_VMX_EPT_VPID_CAP, 42, "vmx-invvpid-all-context")                                         \
    F(MSR_VMX_EPT_VPID_CAP, 43, "vmx-invept-single-context-noglobals")                             \
    /* MSR 48DH */                                                                                 \
    F(MSR_VMX_PINBASED_CTLS, 0, "vmx-intr-exit")                                                   \
    F(MSR_VMX_PINBASED_CTLS, 3, "vmx-nmi-exit")                                                    \
    F(MSR_VMX_PINBASED_CTLS, 5, "vmx-vnmi")                                                        \
    F(MSR_VMX_PINBASED_CTLS, 6, "vmx-preemption-timer")                                            \
    F(MSR_VMX_PINBASED_CTLS, 7, "vmx-posted-intr")                                                 \
    /* MSR 48EH */                                                                                 \
    F(MSR_VMX_PROCBASED_CTLS, 2, "vmx-vintr-pending")                                              \
    F(MSR_VMX_PROCBASED_CTLS, 3, "vmx-tsc-offset")                                                 \
    F(MSR_VMX_PROCBASED_CTLS, 7, "vmx-hlt-exit")                                                   \
    F(MSR_VMX_PROCBASED_CTLS, 9, "vmx-invlpg-exit")                                                \
    F(MSR_VMX_PROCBASED_CTLS, 10, "vmx-mwait-exit")                                                \
    F(MSR_VMX_PROCBASED_CTLS, 11, "vmx-rdpmc-exit")                                                \
    F(MSR_VMX_PROCBASED_CTLS, 12, "vmx-rdtsc-exit")                                                \
    F(MSR_VMX_PROCBASED_CTLS, 15, "vmx-cr3-load-noexit")                                           \
    F(MSR_VMX_PROCBASED_CTLS, 16, "vmx-cr3-store-noexit")                                          \
    F(MSR_VMX_PROCBASED_CTLS, 19, "vmx-cr8-load-exit")                                             \
    F(MSR_VMX_PROCBASED_CTLS, 20, "vmx-cr8-store-exit")                                            \
    F(MSR_VMX_PROCBASED_CTLS, 21, "vmx-flexpriority")                                              \
    F(MSR_VMX_PROCBASED_CTLS, 22, "vmx-vnmi-pending")                                              \
    F(MSR_VMX_PROCBASED_CTLS, 23, "vmx-movdr-exit")                                                \
    F(MSR_VMX_PROCBASED_CTLS, 24, "vmx-io-exit")                                                   \
    F(MSR_VMX_PROCBASED_CTLS, 25, "vmx-io-bitmap")                                                 \
    F(MSR_VMX_PROCBASED_CTLS, 27, "vmx-mtf")                                                       \
    F(MSR_VMX_PROCBASED_CTLS, 28, "vmx-msr-bitmap")                                                \
    F(MSR_VMX_PROCBASED_CTLS, 29, "vmx-monitor-exit")                                              \
    F(MSR_VMX_PROCBASED_CTLS, 30, "vmx-pause-exit")                                                \
    F(MSR_VMX_PROCBASED_CTLS, 31, "vmx-secondary-ctls")                                            \
    /* MSR 48FH */                                                                                 \
    F(MSR_VMX_EXIT_CTLS, 2, "vmx-exit-nosave-debugctl")                                            \
    F(MSR_VMX_EXIT_CTLS, 12, "vmx-exit-load-perf-global-ctrl")                                     \
    F(MSR_VMX_EXIT_CTLS, 15, "vmx-exit-ack-intr")                                                  \
    F(MSR_VMX_EXIT_CTLS, 18, "vmx-exit-save-pat")                                                  \
    F(MSR_VMX_EXIT_CTLS, 19, "vmx-exit-load-pat")                                                  \
    F(MSR_VMX_EXIT_CTLS, 20, "vmx-exit-save-efer")                                                 \
    F(MSR_VMX_EXIT_CTLS, 21, "vmx-exit-load-efer")                                                 \
    F(MSR_VMX_EXIT_CTLS, 22, "vmx-exit-save-preemption-timer")                                     \
    F(MSR_VMX_EXIT_CTLS, 23, "vmx-exit-clear-bndcfgs")                                             \
    F(MSR_VMX_EXIT_CTLS, 25, "vmx-exit-clear-rtit-ctl")                                            \
    F(MSR_VMX_EXIT_CTLS, 29, "vmx-exit-load-pkrs")                                                 \
    /* MSR 490H */                                                                                 \
    F(MSR_VMX_ENTRY_CTLS, 2, "vmx-entry-noload-debugctl")                                          \
    F(MSR_VMX_ENTRY_CTLS, 9, "vmx-entry-ia32e-mode")                                               \
    F(MSR_VMX_ENTRY_CTLS, 13, "vmx-entry-load-perf-global-ctrl")                                   \
    F(MSR_VMX_ENTRY_CTLS, 14, "vmx-entry-load-pat")                                                \
    F(MSR_VMX_ENTRY_CTLS, 15, "vmx-entry-load-efer")                                               \
    F(MSR_VMX_ENTRY_CTLS, 16, "vmx-entry-load-bndcfgs")                                            \
    F(MSR_VMX_ENTRY_CTLS, 18, "vmx-entry-load-rtit-ctl")                                           \
    F(MSR_VMX_ENTRY_CTLS, 22, "vmx-entry-load-pkrs")                                               \
    /* MSR 491H */                                                                                 \
    F(MSR_VMX_VMFUNC, 0, "vmx-eptp-switching")

/* A(word, bit, other name). */
#define X86_FEATURE_ALIASES(A)                                                                     \
    A(1_ECX, 0, "sse3")                                                                            \
    A(1_ECX, 1, "pclmuldq")                                                                        \
    A(1_ECX, 4, "ds_cpl")                                                                          \
    A(1_ECX, 19, "sse4-1")                                                                         \
    A(1_ECX, 19, "sse4_1")                                                                         \
    A(1_ECX, 20, "sse4-2")                                                                         \
    A(1_ECX, 20, "sse4_2")                                                                         \
    A(7_0_EBX, 1, "tsc_adjust")                                                                    \
    A(8000_0001_EDX, 20, "xd")                                                                     \
    A(8000_0001_EDX, 25, "ffxsr")                                                                  \
    A(8000_0001_EDX, 25, "fxsr_opt")                                                               \
    A(8000_0001_EDX, 29, "i64")                                                                    \
    A(8000_0001_ECX, 0, "lahf_lm")                                                                 \
    A(8000_0001_ECX, 1, "cmp_legacy")                                                              \
    A(8000_0001_ECX, 19, "nodeid_msr")                                                             \
    A(8000_0001_ECX, 23, "perfctr_core")                                                           \
    A(8000_0001_ECX, 24, "perfctr_nb")                                                             \
    A(8000_000A_EDX, 2, "svm_lock")                                                                \
    A(8000_000A_EDX, 3, "nrip_save")                                                               \
    A(8000_000A_EDX, 4, "tsc_scale")                                                               \
    A(8000_000A_EDX, 5, "vmcb_clean")                                                              \
    A(8000_000A_EDX, 10, "pause_filter")                                                           \
    A(KVM_EAX, 1, "kvm_nopiodelay")                                                                \
    A(KVM_EAX, 2, "kvm_mmu")                                                                       \
    A(KVM_EAX, 4, "kvm_asyncpf")                                                                   \
    A(KVM_EAX, 5, "kvm_steal_time")                                                                \
    A(KVM_EAX, 6, "kvm_pv_eoi")                                                                    \
    A(KVM_EAX, 7, "kvm_pv_unhalt")                                                                 \
    A(KVM_EAX, 12, "kvm_poll_control")                                                             \
    A(KVM_EAX, 14, "kvm_asyncpf_int")

#endif
