/*
 * What the CPUID instruction answers: Intel SDM volume 2 chapter 3, AMD APM volume 3 appendix E.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/caches.h"
#include "target/i386/cpu.h"

#define XCR0_BASE (BIT64(0) | BIT64(1)) /* x87 and SSE: there is no going without */
#define XSAVE_BASE_BYTES 576            /* legacy area and header */

/* A part of the extended state. */
typedef struct XsavePart {
    uint8_t component;     /* bit of XCR0 or IA32_XSS */
    bool is_supervisor;    /* of IA32_XSS: has no place in the standard format */
    bool is_aligned;       /* to 64 bytes in the compacted format */
    uint16_t bytes;
    uint16_t at;           /* in the standard format */
    const char *feature;
} XsavePart;

static const XsavePart xsave_parts[] = {
    { .component = 2, .bytes = 256, .at = 576, .feature = "avx" },
    { .component = 3, .bytes = 64, .at = 960, .feature = "mpx" },
    { .component = 4, .bytes = 64, .at = 1024, .feature = "mpx" },
    { .component = 5, .bytes = 64, .at = 1088, .feature = "avx512f" },
    { .component = 6, .bytes = 512, .at = 1152, .feature = "avx512f" },
    { .component = 7, .bytes = 1024, .at = 1664, .feature = "avx512f" },
    { .component = 9, .bytes = 8, .at = 2688, .feature = "pku" },
    { .component = 10, .bytes = 8, .is_supervisor = true, .feature = "enqcmd" },
    { .component = 15, .bytes = 808, .is_supervisor = true, .feature = "arch-lbr" },
    { .component = 17, .bytes = 64, .at = 2752, .is_aligned = true, .feature = "amx-tile" },
    { .component = 18, .bytes = 8192, .at = 2816, .is_aligned = true, .feature = "amx-tile" },
};

uint32_t x86_xsave_bytes(uint64_t components)
{
    uint32_t bytes = XSAVE_BASE_BYTES;

    for (size_t i = 0; i < ARRAY_SIZE(xsave_parts); i++) {
        const XsavePart *part = &xsave_parts[i];

        if (!part->is_supervisor && (components & BIT64(part->component))) {
            bytes = MAX(bytes, (uint32_t)part->at + part->bytes);
        }
    }
    return bytes;
}

static uint32_t compacted_bytes(uint64_t components)
{
    uint32_t bytes = XSAVE_BASE_BYTES;

    for (size_t i = 0; i < ARRAY_SIZE(xsave_parts); i++) {
        const XsavePart *part = &xsave_parts[i];

        if (components & BIT64(part->component)) {
            bytes = part->is_aligned ? ROUND_UP(bytes, 64) : bytes;
            bytes += part->bytes;
        }
    }
    return bytes;
}

static uint64_t component_mask(const X86Cpu *cpu, bool is_supervisor)
{
    uint64_t mask = 0;

    for (size_t i = 0; i < ARRAY_SIZE(xsave_parts); i++) {
        const XsavePart *part = &xsave_parts[i];

        if (part->is_supervisor == is_supervisor && x86_cpu_has(cpu, part->feature)) {
            mask |= BIT64(part->component);
        }
    }
    return mask;
}

uint64_t x86_cpu_xcr0_mask(const X86Cpu *cpu)
{
    return x86_cpu_has(cpu, "xsave") ? XCR0_BASE | component_mask(cpu, false) : 0;
}

uint64_t x86_cpu_xss_mask(const X86Cpu *cpu)
{
    return x86_cpu_has(cpu, "xsaves") ? component_mask(cpu, true) : 0;
}

static uint32_t word(const X86Cpu *cpu, X86Word which)
{
    return cpu->features.words[which];
}

static bool is_amd(const X86Cpu *cpu)
{
    return !strcmp(cpu->vendor, X86_VENDOR_AMD) || !strcmp(cpu->vendor, X86_VENDOR_HYGON);
}

static uint32_t signature(const X86Cpu *cpu)
{
    uint32_t family = MIN(cpu->family, 0xf);

    return (cpu->family - family) << 20 | (cpu->model >> 4) << 16 | family << 8 |
           (cpu->model & 0xf) << 4 | cpu->stepping;
}

/* Four bytes of text as a register holds them. */
static uint32_t text_register(const char *text)
{
    const uint8_t *b = (const uint8_t *)text;

    return b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24;
}

static unsigned bits_for(unsigned count)
{
    return count > 1 ? 32 - __builtin_clz(count - 1) : 0;
}

static unsigned thread_bits(const X86Cpu *cpu)
{
    return bits_for(cpu->topology.threads);
}

static unsigned core_bits(const X86Cpu *cpu)
{
    return thread_bits(cpu) + bits_for(cpu->topology.cores);
}

static unsigned package_bits(const X86Cpu *cpu)
{
    return core_bits(cpu) + bits_for(cpu->topology.dies);
}

static unsigned package_threads(const X86Cpu *cpu)
{
    return cpu->topology.dies * cpu->topology.cores * cpu->topology.threads;
}

static void vendor_leaf(const X86Cpu *cpu, uint32_t level, X86CpuidRegs *out)
{
    out->eax = level;
    out->ebx = text_register(cpu->vendor);
    out->edx = text_register(cpu->vendor + 4);
    out->ecx = text_register(cpu->vendor + 8);
}

static void leaf_1(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    unsigned threads = package_threads(cpu);

    out->eax = signature(cpu);
    out->ebx = (cpu->apic_id & 0xff) << 24 | 8 << 8; /* CLFLUSH moves 8 quadwords */
    out->ecx = word(cpu, X86_1_ECX);
    out->edx = word(cpu, X86_1_EDX);
    if (threads > 1) {
        out->ebx |= MIN(threads, 255) << 16;
        out->edx |= BIT(28);
    }
}

static void leaf_5(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    if (x86_cpu_has(cpu, "monitor")) {
        out->eax = out->ebx = 64; /* smallest and largest line */
        out->ecx = BIT(0) | BIT(1); /* enumerates; interrupts end MWAIT even when masked */
    }
}

static void leaf_6(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    out->eax = word(cpu, X86_6_EAX);
}

static void leaf_7(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    bool has_2 = word(cpu, X86_7_2_EDX);

    switch (subleaf) {
    case 0:
        out->eax = has_2 ? 2 : word(cpu, X86_7_1_EAX) || word(cpu, X86_7_1_EDX);
        out->ebx = word(cpu, X86_7_0_EBX);
        out->ecx = word(cpu, X86_7_0_ECX);
        out->edx = word(cpu, X86_7_0_EDX);
        break;
    case 1:
        out->eax = word(cpu, X86_7_1_EAX);
        out->edx = word(cpu, X86_7_1_EDX);
        break;
    case 2:
        out->edx = word(cpu, X86_7_2_EDX);
        break;
    }
}

/* Levels of the topology as leaves Bh and 1Fh number them. */
enum { LEVEL_NONE, LEVEL_SMT, LEVEL_CORE, LEVEL_DIE = 5 };

static void topology_level(const X86Cpu *cpu, uint32_t subleaf, const unsigned *kinds,
                           X86CpuidRegs *out)
{
    unsigned kind = subleaf < 3 ? kinds[subleaf] : LEVEL_NONE;
    const X86Topology *t = &cpu->topology;

    out->ecx = (subleaf & 0xff) | kind << 8;
    out->edx = cpu->apic_id;
    switch (kind) {
    case LEVEL_SMT:
        out->eax = thread_bits(cpu);
        out->ebx = t->threads;
        break;
    case LEVEL_CORE:
        /* The last level shifts down to the package. */
        out->eax = kinds[2] == LEVEL_NONE ? package_bits(cpu) : core_bits(cpu);
        out->ebx = kinds[2] == LEVEL_NONE ? package_threads(cpu) : t->cores * t->threads;
        break;
    case LEVEL_DIE:
        out->eax = package_bits(cpu);
        out->ebx = package_threads(cpu);
        break;
    }
}

static void leaf_b(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    static const unsigned kinds[] = { LEVEL_SMT, LEVEL_CORE, LEVEL_NONE };

    if (cpu->has_topology_leaf) {
        topology_level(cpu, subleaf, kinds, out);
    }
}

static void leaf_1f(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    static const unsigned kinds[] = { LEVEL_SMT, LEVEL_CORE, LEVEL_DIE };

    if (cpu->topology.dies > 1) {
        topology_level(cpu, subleaf, kinds, out);
    }
}

static void leaf_d_part(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    uint64_t has = x86_cpu_xcr0_mask(cpu) | x86_cpu_xss_mask(cpu);

    for (size_t i = 0; i < ARRAY_SIZE(xsave_parts); i++) {
        const XsavePart *part = &xsave_parts[i];

        if (part->component == subleaf && (has & BIT64(subleaf))) {
            out->eax = part->bytes;
            out->ebx = part->at;
            out->ecx = part->is_supervisor | part->is_aligned << 1;
        }
    }
}

static void leaf_d(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    uint64_t mask = x86_cpu_xcr0_mask(cpu), xss = x86_cpu_xss_mask(cpu);

    if (!mask) {
        return;
    }
    switch (subleaf) {
    case 0:
        out->eax = mask;
        out->edx = mask >> 32;
        out->ebx = x86_xsave_bytes(cpu->state.xcr0);
        out->ecx = x86_xsave_bytes(mask);
        break;
    case 1:
        out->eax = word(cpu, X86_D_1_EAX);
        out->ebx = out->eax & (BIT(1) | BIT(3)) ? compacted_bytes(cpu->state.xcr0 | cpu->state.xss) : 0;
        out->ecx = xss;
        out->edx = xss >> 32;
        break;
    default:
        leaf_d_part(cpu, subleaf, out);
        break;
    }
}

static void leaf_2(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    out->eax = 0x01;       /* one call tells all */
    out->edx = 0xff << 8;  /* caches: see leaf 4 */
}

static void leaf_4(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    const X86Cache *cache = x86_cpu_cache(cpu, subleaf);
    unsigned sharing;

    if (is_amd(cpu) || !cache) {
        return;
    }
    sharing = 1u << (cache->is_of_die ? core_bits(cpu) : thread_bits(cpu));
    x86_cache_describe(cache, sharing, out);
    out->eax |= (uint32_t)MIN((1u << (core_bits(cpu) - thread_bits(cpu))) - 1, 63) << 26;
}

static void leaf_a(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    if (cpu->has_pmu && !is_amd(cpu)) {
        out->eax = 2 | 4 << 8 | 48 << 16 | 7 << 24; /* version, counters, bits, events */
        out->edx = 3 | 48 << 5;                     /* fixed counters, bits */
    }
}

static void leaf_14(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    if (x86_cpu_has(cpu, "intel-pt") && subleaf == 0) {
        out->ecx = word(cpu, X86_14_0_ECX);
    }
}

static void leaf_12(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    if (!x86_cpu_has(cpu, "sgx")) {
        return;
    }
    if (subleaf == 0) {
        out->eax = word(cpu, X86_12_0_EAX);
        out->ebx = word(cpu, X86_12_0_EBX);
    } else if (subleaf == 1) {
        out->eax = word(cpu, X86_12_1_EAX);
    }
}

static void leaf_1d(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    if (!x86_cpu_has(cpu, "amx-tile")) {
        return;
    }
    if (subleaf == 0) {
        out->eax = 1; /* palettes */
    } else if (subleaf == 1) {
        out->eax = 8192 | 1024 << 16; /* bytes of all tiles, of one */
        out->ebx = 64 | 8 << 16;      /* bytes of a row, names */
        out->ecx = 16;                /* rows */
    }
}

static void leaf_1e(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    if (x86_cpu_has(cpu, "amx-tile") && subleaf == 0) {
        out->ebx = 16 | 64 << 8; /* rows or columns, bytes of a column */
    }
}

static void leaf_8000_0001(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    out->eax = signature(cpu);
    out->ecx = word(cpu, X86_8000_0001_ECX);
    out->edx = word(cpu, X86_8000_0001_EDX);
    if (is_amd(cpu)) {
        /* Repeats what leaf 1 has. */
        out->edx |= word(cpu, X86_1_EDX) & 0x0183f3ff;
        out->ecx |= package_threads(cpu) > 1 ? BIT(1) : 0;
    }
}

static void leaf_brand(const X86Cpu *cpu, uint32_t part, X86CpuidRegs *out)
{
    char text[X86_MODEL_ID_CHARS] = { 0 };

    memcpy(text, cpu->model_id, strlen(cpu->model_id));
    out->eax = text_register(text + part * 16);
    out->ebx = text_register(text + part * 16 + 4);
    out->ecx = text_register(text + part * 16 + 8);
    out->edx = text_register(text + part * 16 + 12);
}

static void leaf_8000_0005(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    if (is_amd(cpu)) {
        out->ecx = x86_cache_amd_l1(x86_cpu_cache(cpu, 0));
        out->edx = x86_cache_amd_l1(x86_cpu_cache(cpu, 1));
    }
}

static void leaf_8000_0006(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    const X86Cache *l3 = x86_cpu_cache(cpu, 3);

    out->ecx = x86_cache_amd_l2(x86_cpu_cache(cpu, 2));
    if (is_amd(cpu) && l3) {
        out->edx = x86_cache_amd_l3(l3);
    }
}

static void leaf_8000_0007(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    out->edx = word(cpu, X86_8000_0007_EDX);
}

static void leaf_8000_0008(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    unsigned threads = package_threads(cpu);

    out->eax = cpu->phys_bits;
    if (x86_cpu_has(cpu, "lm")) {
        out->eax |= (x86_cpu_has(cpu, "la57") ? 57 : 48) << 8;
    } else {
        out->eax |= 32 << 8;
    }
    out->ebx = word(cpu, X86_8000_0008_EBX);
    if (is_amd(cpu) && threads > 1) {
        out->ecx = package_bits(cpu) << 12 | MIN(threads - 1, 255);
    }
}

static void leaf_8000_000a(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    if (x86_cpu_has(cpu, "svm")) {
        out->eax = 1;  /* SVM revision */
        out->ebx = 16; /* address space identifiers */
        out->edx = word(cpu, X86_8000_000A_EDX);
    }
}

static void leaf_8000_001d(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    const X86Cache *cache = x86_cpu_cache(cpu, subleaf);

    if (x86_cpu_has(cpu, "topoext") && cache) {
        x86_cache_describe(cache, cache->is_of_die ? cpu->topology.cores * cpu->topology.threads
                                                   : cpu->topology.threads, out);
    }
}

static void leaf_8000_001e(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    if (x86_cpu_has(cpu, "topoext") && cpu->topology.cores <= 255) {
        unsigned core = cpu->apic_id >> thread_bits(cpu) &
                        ((1u << (package_bits(cpu) - thread_bits(cpu))) - 1);
        unsigned die = cpu->apic_id >> core_bits(cpu) &
                       ((1u << (package_bits(cpu) - core_bits(cpu))) - 1);

        out->eax = cpu->apic_id;
        out->ebx = (cpu->topology.threads - 1) << 8 | (core & 0xff);
        out->ecx = (cpu->topology.dies - 1) << 8 | (die & 0xff);
    }
}

static void leaf_8000_0021(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    out->eax = word(cpu, X86_8000_0021_EAX);
}

static void leaf_c000_0001(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out)
{
    out->eax = signature(cpu);
    out->edx = word(cpu, X86_C000_0001_EDX);
}

typedef struct LeafRow {
    uint32_t leaf;
    void (*fill)(const X86Cpu *cpu, uint32_t subleaf, X86CpuidRegs *out);
} LeafRow;

static const LeafRow leaf_rows[] = {
    { 1, leaf_1 }, { 2, leaf_2 }, { 4, leaf_4 }, { 5, leaf_5 }, { 6, leaf_6 }, { 7, leaf_7 },
    { 0xa, leaf_a }, { 0xb, leaf_b }, { 0xd, leaf_d }, { 0x12, leaf_12 }, { 0x14, leaf_14 },
    { 0x1d, leaf_1d }, { 0x1e, leaf_1e }, { 0x1f, leaf_1f },
    { 0x80000001, leaf_8000_0001 }, { 0x80000005, leaf_8000_0005 },
    { 0x80000006, leaf_8000_0006 }, { 0x80000007, leaf_8000_0007 },
    { 0x80000008, leaf_8000_0008 }, { 0x8000000a, leaf_8000_000a },
    { 0x8000001d, leaf_8000_001d }, { 0x8000001e, leaf_8000_001e },
    { 0x80000021, leaf_8000_0021 }, { 0xc0000001, leaf_c000_0001 },
};

/* Beyond the highest leaf of its range, a CPU answers with the highest basic leaf. */
static uint32_t clamp_leaf(const X86Cpu *cpu, uint32_t leaf)
{
    uint32_t limit = leaf >= 0xc0000000 ? cpu->xlevel2 :
                     leaf >= 0x80000000 ? cpu->xlevel : cpu->level;

    return leaf > limit ? cpu->level : leaf;
}

/* 40000000h: who runs the guest. */
static void hypervisor_leaf(const X86Cpu *cpu, uint32_t leaf, X86CpuidRegs *out)
{
    static const char name[] = "TCGTCGTCGTCG";

    if (cpu->has_tcg_leaf && leaf == 0x40000000) {
        out->eax = 0x40000001;
        out->ebx = text_register(name);
        out->ecx = text_register(name + 4);
        out->edx = text_register(name + 8);
    }
}

void x86_cpu_cpuid(const X86Cpu *cpu, uint32_t leaf, uint32_t subleaf, X86CpuidRegs *out)
{
    *out = (X86CpuidRegs){ 0 };
    if (leaf >= 0x40000000 && leaf < 0x40010000) {
        hypervisor_leaf(cpu, leaf, out);
        return;
    }
    leaf = clamp_leaf(cpu, leaf);
    if (leaf == 0) {
        vendor_leaf(cpu, cpu->level, out);
    } else if (leaf == 0x80000000) {
        vendor_leaf(cpu, cpu->xlevel, out);
    } else if (leaf == 0xc0000000) {
        out->eax = cpu->xlevel2;
    } else if (leaf >= 0x80000002 && leaf <= 0x80000004) {
        leaf_brand(cpu, leaf - 0x80000002, out);
    }
    for (size_t i = 0; i < ARRAY_SIZE(leaf_rows); i++) {
        if (leaf_rows[i].leaf == leaf) {
            leaf_rows[i].fill(cpu, subleaf, out);
        }
    }
}
