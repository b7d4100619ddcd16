/*
 * The named x86 CPU models. Features are those a processor of the name has, as far as a guest can
 * be shown them; the first version of each is what it was when it was introduced.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/models.h"

static const X86Model models[] = {
    { .name = "qemu64", .vendor = "AuthenticAMD",
      .family = 15, .model = 107, .stepping = 1,
      .level = 0xd, .xlevel = 0x8000000a,
      .model_id = "QEMU Virtual CPU version 2.5+",
      .features = "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 "
                  "clflush mmx fxsr sse sse2 pni cx16 syscall nx lm lahf-lm svm" },
    { .name = "qemu32", .vendor = "GenuineIntel",
      .family = 6, .model = 6, .stepping = 3,
      .level = 4, .xlevel = 0x80000004,
      .model_id = "QEMU Virtual CPU version 2.5+",
      .features = "@qemu64 -mtrr -mca -pse36 -clflush -cx16 -syscall -nx -lm -lahf-lm -svm" },
    { .name = "kvm64", .vendor = "GenuineIntel",
      .family = 15, .model = 6, .stepping = 1,
      .level = 0xd, .xlevel = 0x80000008,
      .model_id = "Common KVM processor",
      .features = "@qemu64 vmx-activity-hlt vmx-intr-exit vmx-nmi-exit vmx-vintr-pending "
                  "vmx-tsc-offset vmx-hlt-exit vmx-invlpg-exit vmx-mwait-exit vmx-rdpmc-exit "
                  "vmx-rdtsc-exit vmx-cr8-load-exit vmx-cr8-store-exit vmx-flexpriority "
                  "vmx-movdr-exit vmx-io-exit vmx-io-bitmap vmx-monitor-exit vmx-pause-exit "
                  "vmx-exit-ack-intr vmx-entry-ia32e-mode -lahf-lm -svm" },
    { .name = "kvm32", .vendor = "GenuineIntel",
      .family = 15, .model = 6, .stepping = 1,
      .level = 5, .xlevel = 0x80000008,
      .model_id = "Common 32-bit KVM processor",
      .features = "@kvm64 vmx-msr-bitmap -cx16 -syscall -nx -lm -vmx-cr8-load-exit "
                  "-vmx-cr8-store-exit -vmx-flexpriority -vmx-entry-ia32e-mode" },
    { .name = "486", .vendor = "GenuineIntel",
      .family = 4, .model = 8, .stepping = 0,
      .level = 1, .xlevel = 0,
      .model_id = "",
      .features = "fpu pse" },
    { .name = "pentium", .vendor = "GenuineIntel",
      .family = 5, .model = 4, .stepping = 3,
      .level = 1, .xlevel = 0,
      .model_id = "",
      .features = "fpu vme de pse tsc msr mce cx8 apic mmx" },
    { .name = "pentium2", .vendor = "GenuineIntel",
      .family = 6, .model = 5, .stepping = 2,
      .level = 2, .xlevel = 0,
      .model_id = "",
      .features = "@qemu32 mtrr mca pse36 -sse -sse2 -pni" },
    { .name = "pentium3", .vendor = "GenuineIntel",
      .family = 6, .model = 7, .stepping = 3,
      .level = 3, .xlevel = 0,
      .model_id = "",
      .features = "@pentium2 sse" },
    { .name = "athlon", .vendor = "AuthenticAMD",
      .family = 6, .model = 2, .stepping = 3,
      .level = 2, .xlevel = 0x80000008,
      .model_id = "QEMU Virtual CPU version 2.5+",
      .features = "@pentium3 sse2 mmxext 3dnowext 3dnow" },
    { .name = "phenom", .vendor = "AuthenticAMD",
      .family = 16, .model = 2, .stepping = 3,
      .level = 5, .xlevel = 0x8000001a,
      .model_id = "AMD Phenom(tm) 9550 Quad-Core Processor",
      .features = "@qemu64 monitor popcnt mmxext fxsr-opt pdpe1gb rdtscp 3dnowext 3dnow abm "
                  "sse4a npt" },
    { .name = "coreduo", .vendor = "GenuineIntel",
      .family = 6, .model = 14, .stepping = 8,
      .level = 0xa, .xlevel = 0x80000008,
      .model_id = "Genuine Intel(R) CPU           T2600  @ 2.16GHz",
      .features = "@kvm32 acpi ss monitor nx -pse36" },
    { .name = "core2duo", .vendor = "GenuineIntel",
      .family = 6, .model = 15, .stepping = 11,
      .level = 0xa, .xlevel = 0x80000008,
      .model_id = "Intel(R) Core(TM)2 Duo CPU     T7700  @ 2.40GHz",
      .features = "@kvm64 acpi ss monitor ssse3 lahf-lm vmx-ins-outs vmx-apicv-xapic vmx-vnmi "
                  "vmx-vnmi-pending vmx-msr-bitmap vmx-secondary-ctls" },
    { .name = "n270", .vendor = "GenuineIntel",
      .family = 6, .model = 28, .stepping = 2,
      .level = 0xa, .xlevel = 0x80000008,
      .model_id = "Intel(R) Atom(TM) CPU N270   @ 1.60GHz",
      .features = "@qemu64 acpi ss monitor ssse3 movbe -pse36 -cx16 -syscall -lm -svm" },
    { .name = "Conroe", .vendor = "GenuineIntel",
      .family = 6, .model = 15, .stepping = 3,
      .level = 0xa, .xlevel = 0x80000008,
      .model_id = "Intel Celeron_4x0 (Conroe/Merom Class Core 2)",
      .features = "@core2duo -acpi -ss -monitor -cx16" },
    { .name = "Penryn", .vendor = "GenuineIntel",
      .family = 6, .model = 23, .stepping = 3,
      .level = 0xa, .xlevel = 0x80000008,
      .model_id = "Intel Core 2 Duo P9xxx (Penryn Class Core 2)",
      .features = "@Conroe cx16 sse4.1 vmx-wbinvd-exit vmx-exit-load-perf-global-ctrl "
                  "vmx-entry-load-perf-global-ctrl" },
    { .name = "Nehalem", .vendor = "GenuineIntel",
      .family = 6, .model = 26, .stepping = 3,
      .level = 0xb, .xlevel = 0x80000008,
      .model_id = "Intel Core i7 9xx (Nehalem Class Core i7)",
      .features = "@Penryn sse4.2 popcnt vmx-true-ctls vmx-ept vmx-desc-exit vmx-apicv-x2apic "
                  "vmx-vpid vmx-ept-execonly vmx-page-walk-4 vmx-ept-2mb vmx-ept-1gb vmx-invept "
                  "vmx-invept-single-context vmx-invept-all-context vmx-invvpid "
                  "vmx-invvpid-single-addr vmx-invvpid-all-context "
                  "vmx-invept-single-context-noglobals vmx-preemption-timer vmx-cr3-load-noexit "
                  "vmx-cr3-store-noexit vmx-mtf vmx-exit-nosave-debugctl vmx-exit-save-pat "
                  "vmx-exit-load-pat vmx-exit-save-efer vmx-exit-load-efer "
                  "vmx-exit-save-preemption-timer vmx-entry-noload-debugctl vmx-entry-load-pat "
                  "vmx-entry-load-efer",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .alias = "Nehalem-IBRS",
            .model_id = "Intel Core i7 9xx (Nehalem Core i7, IBRS update)",
            .changes = "spec-ctrl" },
          { 0 } } },
    { .name = "Westmere", .vendor = "GenuineIntel",
      .family = 6, .model = 44, .stepping = 1,
      .level = 0xb, .xlevel = 0x80000008,
      .model_id = "Westmere E56xx/L56xx/X56xx (Nehalem-C)",
      .features = "@Nehalem pclmulqdq aes arat vmx-store-lma vmx-unrestricted-guest",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .alias = "Westmere-IBRS",
            .model_id = "Westmere E56xx/L56xx/X56xx (IBRS update)",
            .changes = "spec-ctrl" },
          { 0 } } },
    { .name = "SandyBridge", .vendor = "GenuineIntel",
      .family = 6, .model = 42, .stepping = 1,
      .level = 0xd, .xlevel = 0x80000008,
      .model_id = "Intel Xeon E312xx (Sandy Bridge)",
      .features = "@Westmere x2apic tsc-deadline xsave avx rdtscp xsaveopt vmx-rdtscp-exit",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .alias = "SandyBridge-IBRS",
            .model_id = "Intel Xeon E312xx (Sandy Bridge, IBRS update)",
            .changes = "spec-ctrl" },
          { 0 } } },
    { .name = "IvyBridge", .vendor = "GenuineIntel",
      .family = 6, .model = 58, .stepping = 9,
      .level = 0xd, .xlevel = 0x80000008,
      .model_id = "Intel Xeon E3-12xx v2 (Ivy Bridge)",
      .features = "@SandyBridge f16c rdrand fsgsbase smep erms vmx-apicv-register vmx-apicv-vid "
                  "vmx-rdrand-exit vmx-posted-intr",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .alias = "IvyBridge-IBRS",
            .model_id = "Intel Xeon E3-12xx v2 (Ivy Bridge, IBRS)",
            .changes = "spec-ctrl" },
          { 0 } } },
    { .name = "Haswell", .vendor = "GenuineIntel",
      .family = 6, .model = 60, .stepping = 4,
      .level = 0xd, .xlevel = 0x80000008,
      .model_id = "Intel Core Processor (Haswell)",
      .features = "@IvyBridge fma pcid movbe bmi1 hle avx2 bmi2 invpcid rtm abm "
                  "vmx-vmwrite-vmexit-fields vmx-invpcid-exit vmx-vmfunc vmx-shadow-vmcs "
                  "vmx-eptad vmx-eptp-switching",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .alias = "Haswell-noTSX",
            .stepping = 1,
            .model_id = "Intel Core Processor (Haswell, no TSX)",
            .changes = "-hle -rtm" },
          { 3, .alias = "Haswell-IBRS",
            .stepping = 4,
            .model_id = "Intel Core Processor (Haswell, IBRS)",
            .changes = "hle rtm spec-ctrl" },
          { 4, .alias = "Haswell-noTSX-IBRS",
            .stepping = 1,
            .model_id = "Intel Core Processor (Haswell, no TSX, IBRS)",
            .changes = "-hle -rtm" },
          { 0 } } },
    { .name = "Broadwell", .vendor = "GenuineIntel",
      .family = 6, .model = 61, .stepping = 2,
      .level = 0xd, .xlevel = 0x80000008,
      .model_id = "Intel Core Processor (Broadwell)",
      .features = "@Haswell rdseed adx smap 3dnowprefetch vmx-rdseed-exit vmx-pml",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .alias = "Broadwell-noTSX",
            .model_id = "Intel Core Processor (Broadwell, no TSX)",
            .changes = "-hle -rtm" },
          { 3, .alias = "Broadwell-IBRS",
            .model_id = "Intel Core Processor (Broadwell, IBRS)",
            .changes = "hle rtm spec-ctrl" },
          { 4, .alias = "Broadwell-noTSX-IBRS",
            .model_id = "Intel Core Processor (Broadwell, no TSX, IBRS)",
            .changes = "-hle -rtm" },
          { 0 } } },
    { .name = "Skylake-Client", .vendor = "GenuineIntel",
      .family = 6, .model = 94, .stepping = 3,
      .level = 0xd, .xlevel = 0x80000008,
      .model_id = "Intel Core Processor (Skylake)",
      .features = "@Broadwell xsavec xgetbv1 -vmx-apicv-x2apic -vmx-apicv-register "
                  "-vmx-apicv-vid -vmx-posted-intr",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .alias = "Skylake-Client-IBRS",
            .model_id = "Intel Core Processor (Skylake, IBRS)",
            .changes = "spec-ctrl" },
          { 3, .alias = "Skylake-Client-noTSX-IBRS",
            .model_id = "Intel Core Processor (Skylake, IBRS, no TSX)",
            .changes = "-hle -rtm" },
          { 4, .note = "IBRS, XSAVES, no TSX",
            .changes = "xsaves vmx-xsaves" },
          { 0 } } },
    { .name = "Skylake-Server", .vendor = "GenuineIntel",
      .family = 6, .model = 85, .stepping = 4,
      .level = 0xd, .xlevel = 0x80000008,
      .model_id = "Intel Xeon Processor (Skylake)",
      .features = "@Broadwell avx512f avx512dq clflushopt clwb avx512cd avx512bw avx512vl pku "
                  "pdpe1gb xsavec xgetbv1 -vmx-eptp-switching",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .alias = "Skylake-Server-IBRS",
            .model_id = "Intel Xeon Processor (Skylake, IBRS)",
            .changes = "spec-ctrl -clflushopt" },
          { 3, .alias = "Skylake-Server-noTSX-IBRS",
            .model_id = "Intel Xeon Processor (Skylake, IBRS, no TSX)",
            .changes = "-hle -rtm" },
          { 4, .note = "IBRS, EPT switching, no TSX",
            .changes = "vmx-eptp-switching" },
          { 5, .note = "IBRS, XSAVES, EPT switching, no TSX",
            .changes = "xsaves vmx-xsaves" },
          { 0 } } },
    { .name = "Cascadelake-Server", .vendor = "GenuineIntel",
      .family = 6, .model = 85, .stepping = 6,
      .level = 0xd, .xlevel = 0x80000008,
      .model_id = "Intel Xeon Processor (Cascadelake)",
      .features = "@Skylake-Server avx512vnni spec-ctrl ssbd",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .note = "ARCH_CAPABILITIES",
            .changes = "arch-capabilities rdctl-no ibrs-all skip-l1dfl-vmentry mds-no" },
          { 3, .alias = "Cascadelake-Server-noTSX", .note = "ARCH_CAPABILITIES, no TSX",
            .changes = "-hle -rtm" },
          { 4, .note = "ARCH_CAPABILITIES, EPT switching, no TSX",
            .changes = "vmx-eptp-switching" },
          { 5, .note = "ARCH_CAPABILITIES, EPT switching, XSAVES, no TSX",
            .changes = "xsaves vmx-xsaves" },
          { 0 } } },
    { .name = "Cooperlake", .vendor = "GenuineIntel",
      .family = 6, .model = 85, .stepping = 10,
      .level = 0xd, .xlevel = 0x80000008,
      .model_id = "Intel Xeon Processor (Cooperlake)",
      .features = "@Cascadelake-Server stibp arch-capabilities avx512-bf16 rdctl-no ibrs-all "
                  "skip-l1dfl-vmentry mds-no pschange-mc-no taa-no vmx-eptp-switching",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .note = "XSAVES",
            .changes = "xsaves vmx-xsaves" },
          { 0 } } },
    { .name = "Icelake-Server", .vendor = "GenuineIntel",
      .family = 6, .model = 134, .stepping = 0,
      .level = 0xd, .xlevel = 0x80000008,
      .model_id = "Intel Xeon Processor (Icelake)",
      .features = "@Cascadelake-Server avx512vbmi umip avx512vbmi2 gfni vaes vpclmulqdq "
                  "avx512bitalg avx512-vpopcntdq la57 wbnoinvd -vmx-rdseed-exit -vmx-pml",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .alias = "Icelake-Server-noTSX", .note = "no TSX",
            .changes = "-hle -rtm" },
          { 3,
            .changes = "arch-capabilities rdctl-no ibrs-all skip-l1dfl-vmentry mds-no "
                       "pschange-mc-no taa-no" },
          { 4,
            .model = 106,
            .changes = "avx512ifma sha-ni rdpid fsrm vmx-rdseed-exit vmx-pml vmx-eptp-switching" },
          { 5, .note = "XSAVES",
            .changes = "xsaves vmx-xsaves" },
          { 6, .note = "5-level EPT",
            .changes = "vmx-page-walk-5" },
          { 0 } } },
    { .name = "SapphireRapids", .vendor = "GenuineIntel",
      .family = 6, .model = 143, .stepping = 4,
      .level = 0x20, .xlevel = 0x80000008,
      .model_id = "Intel Xeon Processor (SapphireRapids)",
      .features = "@Icelake-Server hle rtm arch-capabilities avx512ifma sha-ni rdpid "
                  "bus-lock-detect fsrm serialize tsx-ldtrk amx-bf16 avx512-fp16 amx-tile "
                  "amx-int8 avx-vnni avx512-bf16 fzrm fsrs fsrc xfd xsaves rdctl-no ibrs-all "
                  "skip-l1dfl-vmentry mds-no pschange-mc-no taa-no vmx-page-walk-5 "
                  "vmx-rdseed-exit vmx-pml vmx-xsaves vmx-eptp-switching",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2,
            .changes = "fbsdp-no psdp-no sbdr-ssdp-no" },
          { 0 } } },
    { .name = "GraniteRapids", .vendor = "GenuineIntel",
      .family = 6, .model = 173, .stepping = 0,
      .level = 0x20, .xlevel = 0x80000008,
      .model_id = "Intel Xeon Processor (GraniteRapids)",
      .features = "@SapphireRapids amx-fp16 prefetchiti mcdt-no fbsdp-no psdp-no sbdr-ssdp-no "
                  "pbrsb-no" },
    { .name = "KnightsMill", .vendor = "GenuineIntel",
      .family = 6, .model = 133, .stepping = 0,
      .level = 0xd, .xlevel = 0x80000008,
      .model_id = "Intel Xeon Phi Processor (Knights Mill)",
      .features = "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 "
                  "clflush mmx fxsr sse sse2 ss pni pclmulqdq ssse3 fma cx16 sse4.1 sse4.2 "
                  "x2apic movbe popcnt tsc-deadline aes xsave avx f16c rdrand fsgsbase bmi1 avx2 "
                  "smep bmi2 erms avx512f rdseed adx avx512pf avx512er avx512cd avx512-vpopcntdq "
                  "avx512-4vnniw avx512-4fmaps syscall nx pdpe1gb rdtscp lm lahf-lm abm "
                  "3dnowprefetch arat xsaveopt" },
    { .name = "Denverton", .vendor = "GenuineIntel",
      .family = 6, .model = 95, .stepping = 1,
      .level = 0x15, .xlevel = 0x80000008,
      .model_id = "Intel Atom Processor (Denverton)",
      .features = "@IvyBridge monitor movbe mpx rdseed smap clflushopt sha-ni spec-ctrl "
                  "arch-capabilities ssbd pdpe1gb 3dnowprefetch xsavec xgetbv1 rdctl-no "
                  "skip-l1dfl-vmentry vmx-vmwrite-vmexit-fields vmx-vmfunc vmx-shadow-vmcs "
                  "vmx-rdseed-exit vmx-pml vmx-eptad vmx-eptp-switching -avx -f16c",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .note = "no MPX, no MONITOR",
            .changes = "-monitor -mpx" },
          { 3, .note = "XSAVES, no MPX, no MONITOR",
            .changes = "xsaves vmx-xsaves" },
          { 0 } } },
    { .name = "Snowridge", .vendor = "GenuineIntel",
      .family = 6, .model = 134, .stepping = 1,
      .level = 0x1b, .xlevel = 0x80000008,
      .model_id = "Intel Atom Processor (SnowRidge)",
      .features = "@Denverton clwb umip gfni cldemote movdiri movdir64b core-capability "
                  "split-lock-detect -rdctl-no -skip-l1dfl-vmentry",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2,
            .model_id = "Intel Atom Processor (Snowridge, no MPX)",
            .changes = "-mpx" },
          { 3, .note = "XSAVES, no MPX",
            .changes = "xsaves vmx-xsaves" },
          { 4, .note = "no split lock detect, no core-capability",
            .changes = "-core-capability -split-lock-detect" },
          { 0 } } },
    { .name = "Opteron_G1", .vendor = "AuthenticAMD",
      .family = 15, .model = 6, .stepping = 1,
      .level = 5, .xlevel = 0x80000008,
      .model_id = "AMD Opteron 240 (Gen 1 Class Opteron)",
      .features = "@qemu64 -cx16 -lahf-lm -svm" },
    { .name = "Opteron_G2", .vendor = "AuthenticAMD",
      .family = 15, .model = 6, .stepping = 1,
      .level = 5, .xlevel = 0x8000000a,
      .model_id = "AMD Opteron 22xx (Gen 2 Class Opteron)",
      .features = "@qemu64" },
    { .name = "Opteron_G3", .vendor = "AuthenticAMD",
      .family = 16, .model = 2, .stepping = 3,
      .level = 5, .xlevel = 0x8000000a,
      .model_id = "AMD Opteron 23xx (Gen 3 Class Opteron)",
      .features = "@qemu64 monitor popcnt rdtscp abm sse4a misalignsse" },
    { .name = "Opteron_G4", .vendor = "AuthenticAMD",
      .family = 21, .model = 1, .stepping = 2,
      .level = 0xd, .xlevel = 0x8000001a,
      .model_id = "AMD Opteron 62xx class CPU",
      .features = "@Opteron_G3 pclmulqdq ssse3 sse4.1 sse4.2 aes xsave avx pdpe1gb 3dnowprefetch "
                  "xop fma4 npt nrip-save -monitor" },
    { .name = "Opteron_G5", .vendor = "AuthenticAMD",
      .family = 21, .model = 2, .stepping = 0,
      .level = 0xd, .xlevel = 0x8000001a,
      .model_id = "AMD Opteron 63xx class CPU",
      .features = "@Opteron_G4 fma f16c tbm" },
    { .name = "EPYC", .vendor = "AuthenticAMD",
      .family = 23, .model = 1, .stepping = 2,
      .level = 0xd, .xlevel = 0x8000001e, .has_own_caches = true,
      .model_id = "AMD EPYC Processor",
      .features = "@Opteron_G5 monitor movbe rdrand fsgsbase bmi1 avx2 smep bmi2 rdseed adx smap "
                  "clflushopt sha-ni mmxext fxsr-opt cr8legacy osvw topoext arat xsaveopt xsavec "
                  "xgetbv1 -xop -fma4 -tbm",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .alias = "EPYC-IBPB",
            .model_id = "AMD EPYC Processor (with IBPB)",
            .changes = "ibpb" },
          { 3,
            .model_id = "AMD EPYC Processor",
            .changes = "perfctr-core clzero xsaveerptr xsaves" },
          { 4, .model_id = "AMD EPYC-v4 Processor" },
          { 0 } } },
    { .name = "EPYC-Rome", .vendor = "AuthenticAMD",
      .family = 23, .model = 49, .stepping = 0,
      .level = 0xd, .xlevel = 0x8000001e, .has_own_caches = true,
      .model_id = "AMD EPYC-Rome Processor",
      .features = "@EPYC clwb umip rdpid perfctr-core clzero xsaveerptr wbnoinvd ibpb amd-stibp "
                  "xsaves",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2,
            .changes = "ibrs amd-ssbd" },
          { 3, .model_id = "AMD EPYC-Rome-v3 Processor" },
          { 4, .model_id = "AMD EPYC-Rome-v4 Processor (no XSAVES)",
            .changes = "-xsaves" },
          { 0 } } },
    { .name = "EPYC-Milan", .vendor = "AuthenticAMD",
      .family = 25, .model = 1, .stepping = 1,
      .level = 0xd, .xlevel = 0x8000001e, .has_own_caches = true,
      .model_id = "AMD EPYC-Milan Processor",
      .features = "@EPYC-Rome pcid erms invpcid pku fsrm ibrs amd-ssbd svme-addr-chk",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .model_id = "AMD EPYC-Milan-v2 Processor",
            .changes = "vaes vpclmulqdq stibp-always-on amd-psfd no-nested-data-bp "
                       "lfence-always-serializing null-sel-clr-base",
            .xlevel = 0x80000021 },
          { 0 } } },
    { .name = "EPYC-Genoa", .vendor = "AuthenticAMD",
      .family = 25, .model = 17, .stepping = 0,
      .level = 0xd, .xlevel = 0x80000022, .has_own_caches = true,
      .model_id = "AMD EPYC-Genoa Processor",
      .features = "@EPYC-Milan x2apic avx512f avx512dq avx512ifma avx512cd avx512bw avx512vl "
                  "avx512vbmi avx512vbmi2 gfni vaes vpclmulqdq avx512vnni avx512bitalg "
                  "avx512-vpopcntdq la57 avx512-bf16 stibp-always-on amd-psfd "
                  "no-nested-data-bp lfence-always-serializing null-sel-clr-base auto-ibrs vnmi" },
    { .name = "Dhyana", .vendor = "HygonGenuine",
      .family = 24, .model = 0, .stepping = 1,
      .level = 0xd, .xlevel = 0x8000001e, .has_own_caches = true,
      .model_id = "Hygon Dhyana Processor",
      .features = "@EPYC ibpb -pclmulqdq -aes -sha-ni",
      .versions = (const X86ModelVersion[]){
          { 1 },
          { 2, .note = "XSAVES",
            .changes = "xsaves" },
          { 0 } } },
};

const X86Model *x86_models(size_t *count)
{
    *count = ARRAY_SIZE(models);
    return models;
}

const X86Model *x86_model_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
        if (!strcmp(models[i].name, name)) {
            return &models[i];
        }
    }
    return NULL;
}

unsigned x86_model_version_count(const X86Model *model)
{
    unsigned count = 0;

    while (model->versions && model->versions[count].number) {
        count++;
    }
    return MAX(1, count);
}

const X86ModelVersion *x86_model_version(const X86Model *model, unsigned version)
{
    assert(version >= 1 && version <= x86_model_version_count(model));
    return model->versions ? &model->versions[version - 1] : NULL;
}

static void add_base_features(const X86Model *model, X86FeatureSet *set)
{
    const char *text = model->features;

    if (*text == '@') {
        size_t length = strcspn(text, " ");
        g_autofree char *base = g_strndup(text + 1, length - 1);
        const X86Model *other = x86_model_find(base);

        assert(other && other < model);
        add_base_features(other, set);
        text += length;
    }
    x86_features_change(set, text);
}

static void apply_version(const X86ModelVersion *version, X86ModelState *out)
{
    out->model_id = version->model_id ? version->model_id : out->model_id;
    out->model = version->model ? version->model : out->model;
    out->stepping = version->stepping ? version->stepping : out->stepping;
    out->xlevel = version->xlevel ? version->xlevel : out->xlevel;
    if (version->changes) {
        x86_features_change(&out->features, version->changes);
    }
}

void x86_model_resolve(const X86Model *model, unsigned version, X86ModelState *out)
{
    *out = (X86ModelState){
        .vendor = model->vendor, .model_id = model->model_id, .family = model->family,
        .model = model->model, .stepping = model->stepping, .level = model->level,
        .xlevel = model->xlevel, .has_own_caches = model->has_own_caches,
    };
    add_base_features(model, &out->features);
    for (unsigned i = 1; model->versions && i <= version; i++) {
        apply_version(x86_model_version(model, i), out);
    }
}

char *x86_model_describe(const X86Model *model, unsigned version)
{
    const X86ModelVersion *row = x86_model_version(model, version);
    const char *model_id = model->model_id;

    for (unsigned i = 1; model->versions && i <= version; i++) {
        const X86ModelVersion *step = x86_model_version(model, i);

        model_id = step->model_id ? step->model_id : model_id;
    }
    return row && row->note ? g_strdup_printf("%s [%s]", model_id, row->note)
                            : g_strdup(model_id);
}
