/*
 * X86Cpu: an x86 CPU: its model as properties, what it tells by CPUID, its place among others.
 * What it holds while it executes is X86State.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_CPU_H
#define TARGET_I386_CPU_H

#include "hw/core/cpu.h"
#include "system/address_space.h"
#include "target/i386/features.h"
#include "target/i386/models.h"
#include "target/i386/state.h"

#define TYPE_X86_CPU     "x86_64-cpu"
#define X86_CPU_SUFFIX   "-x86_64-cpu"
#define X86_NO_APIC_ID   UINT32_MAX
#define X86_VENDOR_CHARS   12
#define X86_MODEL_ID_CHARS 48

#define X86_VENDOR_INTEL "GenuineIntel"
#define X86_VENDOR_AMD   "AuthenticAMD"
#define X86_VENDOR_HYGON "HygonGenuine"

/* How many of each are in the one above. */
typedef struct X86Topology {
    unsigned dies, cores, threads;
} X86Topology;

typedef struct X86Cpu {
    Cpu parent;
    /* properties */
    X86FeatureSet features;
    char vendor[X86_VENDOR_CHARS + 1];
    char model_id[X86_MODEL_ID_CHARS + 1];
    uint32_t family, model, stepping;
    uint32_t level, xlevel, xlevel2; /* UINT32_MAX: the least that shows all features */
    uint32_t min_level, min_xlevel, min_xlevel2;
    uint32_t phys_bits;              /* 0: what suits the model */
    uint32_t apic_id;
    uint64_t tsc_hz;                 /* 0: the host's */
    bool has_l3_cache, has_legacy_caches, has_topology_leaf, has_pmu;
    bool is_migratable, is_checked, is_enforced, is_forced, auto_level;
    bool has_tcg_leaf, has_lmce;
    /* state */
    X86FeatureSet user_features;     /* bits the user set, on or off */
    X86FeatureSet filtered;          /* asked for, but the accelerator lacks them */
    X86Topology topology;
    Device *apic;                    /* our child "lapic"; NULL: it has none */
    AddressSpace smm_space;          /* with SMRAM over the system's memory */
    MemoryRegion smm_root, smm_system, smm_ram;
    bool has_smm_space;
    bool is_a20_masked;              /* address line 20 is held down; atomic */
    uint8_t startup_vector;          /* of the last STARTUP */
    X86State state;
} X86Cpu;
DECLARE_CAST(X86Cpu, X86_CPU)

static inline X86Cpu *x86_cpu_of(TcgCpu *tcg)
{
    return container_of(tcg, X86Cpu, state.tcg);
}

/* What a model's type adds. */
typedef struct X86CpuType {
    struct CpuType;
    const X86Model *model; /* NULL: "base", "max", "host" */
    uintptr_t version;
    uintptr_t has_all;     /* "max", "host": whatever the accelerator has */
    uintptr_t needs_host;  /* "host": a host's CPU must run it */
} X86CpuType;

static inline const X86CpuType *x86_cpu_ops(const X86Cpu *cpu)
{
    return object_ops(cpu);
}
static inline bool x86_cpu_has(const X86Cpu *cpu, const char *feature)
{
    return x86_feature_has_name(&cpu->features, feature);
}

/* --- what accelerators can do (target/i386/supported.c) --- */

/* Features that can be shown under the machine's accelerator; all of them while it has none. */
void x86_supported_features(X86FeatureSet *out, bool with_unmigratable);
/* "TCG", for messages. */
const char *x86_accelerator_title(void);
/* Adjusts a named model to what all models get under the accelerator. */
void x86_apply_accelerator_defaults(X86FeatureSet *features);

/* --- making a CPU's features final (target/i386/cpu_finish.c) --- */

/* Everything between properties and a CPU: what is implied, filtered, numbered. */
void x86_cpu_expand_features(X86Cpu *cpu);
/* Takes away what the accelerator lacks, with warnings if asked to; fails if enforced. */
bool x86_cpu_filter_features(X86Cpu *cpu, bool is_quiet, Error **errp);
bool x86_cpu_check_phys_bits(X86Cpu *cpu, Error **errp);

/* --- the local APIC (target/i386/cpu_apic.c) --- */

/* What waits for the vCPU: TcgCpu.requests. */
#define X86_REQUEST_INTR    BIT(0) /* a level: the APIC, or the pin, has an interrupt */
#define X86_REQUEST_NMI     BIT(1)
#define X86_REQUEST_SMI     BIT(2)
#define X86_REQUEST_INIT    BIT(3)
#define X86_REQUEST_STARTUP BIT(4)
#define X86_REQUEST_VIRTUAL BIT(5) /* an SVM guest has a virtual interrupt */

bool x86_cpu_make_apic(X86Cpu *cpu, Error **errp);
void x86_cpu_drop_apic(X86Cpu *cpu);
/* The INTR pin. */
void x86_cpu_set_intr(void *opaque, unsigned n, int level);
/* The vector of the interrupt to take now; -1: none. */
int x86_cpu_acknowledge(X86Cpu *cpu);

/* The input "a20": up while address line 20 is free (target/i386/memory.c). */
void x86_cpu_set_a20(void *opaque, unsigned n, int level);

void x86_print_registers(Cpu *cpu, GString *out);
/* Without floating point and vectors. */
void x86_print_state(X86Cpu *cpu, GString *out);
/* A line and the registers to the log, with vectors if that is asked for. */
void x86_log_state(X86Cpu *cpu, const char *fmt, ...) PRINTF(2, 3);

/* --- CPUID (target/i386/cpuid.c) --- */

typedef struct X86CpuidRegs {
    uint32_t eax, ebx, ecx, edx;
} X86CpuidRegs;
void x86_cpu_cpuid(const X86Cpu *cpu, uint32_t leaf, uint32_t subleaf, X86CpuidRegs *out);
/* Bytes of the XSAVE area, standard format, with these components. */
uint32_t x86_xsave_bytes(uint64_t components);
/* XCR0 bits the CPU has. */
uint64_t x86_cpu_xcr0_mask(const X86Cpu *cpu);
/* IA32_XSS bits the CPU has. */
uint64_t x86_cpu_xss_mask(const X86Cpu *cpu);

#endif
