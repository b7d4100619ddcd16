/*
 * CPUID against the manuals: Intel SDM volume 2 CPUID, volume 1 section 13.5; AMD APM volume 3
 * appendix E.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"

static X86Cpu *new_cpu(const char *model)
{
    g_autofree char *name = g_strconcat(model, X86_CPU_SUFFIX, NULL);
    X86Cpu *cpu = X86_CPU(object_new(name));

    cpu->apic_id = 0;
    x86_cpu_expand_features(cpu);
    g_assert_true(x86_cpu_check_phys_bits(cpu, NULL));
    return cpu;
}

static X86CpuidRegs cpuid(const X86Cpu *cpu, uint32_t leaf, uint32_t subleaf)
{
    X86CpuidRegs regs;

    x86_cpu_cpuid(cpu, leaf, subleaf, &regs);
    return regs;
}

static void test_identity(void)
{
    X86Cpu *cpu = new_cpu("Haswell-v1");
    X86CpuidRegs r = cpuid(cpu, 0, 0);

    g_assert_cmphex(r.eax, ==, 0xd);
    g_assert_cmphex(r.ebx, ==, 0x756e6547); /* "Genu" */
    g_assert_cmphex(r.edx, ==, 0x49656e69); /* "ineI" */
    g_assert_cmphex(r.ecx, ==, 0x6c65746e); /* "ntel" */
    r = cpuid(cpu, 1, 0);
    g_assert_cmphex(r.eax, ==, 0x306c4); /* family 6, model 3Ch, stepping 4 */
    g_assert_cmphex(r.ecx & BIT(28), ==, BIT(28)); /* AVX */
    g_assert_cmphex(r.ebx >> 8 & 0xff, ==, 8);
    r = cpuid(cpu, 0x80000002, 0);
    g_assert_cmpmem(&r.eax, 4, "Inte", 4);
    r = cpuid(cpu, 0x80000000, 0);
    g_assert_cmphex(r.eax, ==, 0x80000008);
    object_unref(cpu);
    cpu = new_cpu("EPYC-v1");
    g_assert_cmphex(cpuid(cpu, 1, 0).eax, ==, 0x00800f12); /* family 17h, model 1 */
    g_assert_cmphex(cpuid(cpu, 0x80000001, 0).edx & 0xff, ==, cpuid(cpu, 1, 0).edx & 0xff);
    object_unref(cpu);
}

/* SDM: a leaf beyond the highest basic one answers as the highest basic one does. */
static void test_out_of_range(void)
{
    X86Cpu *cpu = new_cpu("pentium-v1");

    g_assert_cmphex(cpuid(cpu, 0, 0).eax, ==, 1);
    g_assert_cmphex(cpuid(cpu, 7, 0).eax, ==, cpuid(cpu, 1, 0).eax);
    g_assert_cmphex(cpuid(cpu, 0x12345678, 0).edx, ==, cpuid(cpu, 1, 0).edx);
    g_assert_cmphex(cpuid(cpu, 0xffffffff, 0).eax, ==, cpuid(cpu, 1, 0).eax);
    object_unref(cpu);
}

static void test_topology(void)
{
    X86Cpu *cpu = new_cpu("Haswell-v1");
    X86CpuidRegs r;

    cpu->topology = (X86Topology){ .dies = 1, .cores = 3, .threads = 2 };
    cpu->apic_id = 5;
    r = cpuid(cpu, 0xb, 0);
    g_assert_cmphex(r.eax, ==, 1);
    g_assert_cmphex(r.ebx, ==, 2);
    g_assert_cmphex(r.ecx, ==, 1 << 8);
    g_assert_cmphex(r.edx, ==, 5);
    r = cpuid(cpu, 0xb, 1);
    g_assert_cmphex(r.eax, ==, 3); /* one bit of thread, two of core */
    g_assert_cmphex(r.ebx, ==, 6);
    g_assert_cmphex(r.ecx, ==, (2 << 8 | 1));
    r = cpuid(cpu, 0xb, 2);
    g_assert_cmphex(r.ebx, ==, 0);
    g_assert_cmphex(r.ecx, ==, 2);
    r = cpuid(cpu, 1, 0);
    g_assert_cmphex(r.ebx >> 24, ==, 5);
    g_assert_cmphex(r.ebx >> 16 & 0xff, ==, 6);
    g_assert_cmphex(r.edx & BIT(28), ==, BIT(28)); /* HTT */
    object_unref(cpu);
}

static void test_dies(void)
{
    X86Cpu *cpu = X86_CPU(object_new("Icelake-Server-v1-x86_64-cpu"));
    X86CpuidRegs r;

    cpu->topology = (X86Topology){ .dies = 2, .cores = 4, .threads = 1 };
    x86_cpu_expand_features(cpu);
    g_assert_cmphex(cpuid(cpu, 0, 0).eax, ==, 0x1f);
    r = cpuid(cpu, 0x1f, 1);
    g_assert_cmphex(r.eax, ==, 2);
    g_assert_cmphex(r.ebx, ==, 4);
    r = cpuid(cpu, 0x1f, 2);
    g_assert_cmphex(r.eax, ==, 3);
    g_assert_cmphex(r.ebx, ==, 8);
    g_assert_cmphex(r.ecx, ==, (5 << 8 | 2));
    object_unref(cpu);
}

static void test_xsave(void)
{
    X86Cpu *cpu = new_cpu("Skylake-Server-v5");
    X86CpuidRegs r = cpuid(cpu, 0xd, 0);

    g_assert_cmphex(r.eax, ==, 0x2e7); /* x87, SSE, AVX, three of AVX-512, PKRU */
    g_assert_cmpuint(r.ebx, ==, 576);
    g_assert_cmpuint(r.ecx, ==, 2696);
    cpu->state.xcr0 = 7;
    g_assert_cmpuint(cpuid(cpu, 0xd, 0).ebx, ==, 832);
    g_assert_cmpuint(cpuid(cpu, 0xd, 1).ebx, ==, 832);
    r = cpuid(cpu, 0xd, 2);
    g_assert_cmpuint(r.eax, ==, 256);
    g_assert_cmpuint(r.ebx, ==, 576);
    r = cpuid(cpu, 0xd, 7);
    g_assert_cmpuint(r.eax, ==, 1024);
    g_assert_cmpuint(r.ebx, ==, 1664);
    g_assert_cmpuint(cpuid(cpu, 0xd, 63).eax, ==, 0);
    g_assert_cmpuint(cpuid(cpu, 0xd, UINT32_MAX).eax, ==, 0);
    object_unref(cpu);
    cpu = new_cpu("Nehalem-v1");
    g_assert_cmphex(cpuid(cpu, 0xd, 0).ecx, ==, cpuid(cpu, 0xb, 0).ecx); /* out of range */
    object_unref(cpu);
}

/* PASID's component has no place in the standard format. */
static void test_xsave_supervisor(void)
{
    X86Cpu *cpu = X86_CPU(object_new("max-x86_64-cpu"));
    X86CpuidRegs r;

    x86_cpu_expand_features(cpu);
    g_assert_cmphex(cpuid(cpu, 0xd, 1).ecx & BIT(10), ==, BIT(10));
    r = cpuid(cpu, 0xd, 10);
    g_assert_cmphex(r.eax, ==, 8);
    g_assert_cmphex(r.ebx, ==, 0);
    g_assert_cmphex(r.ecx, ==, 1);
    object_unref(cpu);
}

static void test_intel_caches(void)
{
    X86Cpu *cpu = new_cpu("Haswell-v1");
    X86CpuidRegs r;

    cpu->topology.cores = 4;
    r = cpuid(cpu, 4, 0);
    g_assert_cmphex(r.eax & 0x1f, ==, 1);
    g_assert_cmphex(r.eax >> 5 & 7, ==, 1);
    g_assert_cmphex(r.eax >> 26, ==, 3);
    g_assert_cmpuint(((r.ebx >> 22) + 1) * ((r.ebx & 0xfff) + 1) * (r.ecx + 1), ==, 32 * KiB);
    r = cpuid(cpu, 4, 3);
    g_assert_cmphex(r.eax >> 14 & 0xfff, ==, 3); /* four threads share it */
    g_assert_cmphex(cpuid(cpu, 4, 4).eax & 0x1f, ==, 0);
    g_assert_true(object_set_bool(cpu, "l3-cache", false, NULL));
    g_assert_cmphex(cpuid(cpu, 4, 3).eax & 0x1f, ==, 0);
    object_unref(cpu);
}

static void test_amd(void)
{
    X86Cpu *cpu = new_cpu("EPYC-Milan-v1");
    X86CpuidRegs r;

    cpu->topology = (X86Topology){ .dies = 1, .cores = 4, .threads = 2 };
    r = cpuid(cpu, 0x8000001d, 3);
    g_assert_cmphex(r.eax >> 14 & 0xfff, ==, 7);
    g_assert_cmpuint((uint64_t)((r.ebx >> 22) + 1) * ((r.ebx & 0xfff) + 1) * (r.ecx + 1), ==,
                     32 * MiB);
    cpu->apic_id = 5;
    r = cpuid(cpu, 0x8000001e, 0);
    g_assert_cmphex(r.eax, ==, 5);
    g_assert_cmphex(r.ebx, ==, 0x102); /* two threads a core, core 2 */
    r = cpuid(cpu, 0x80000008, 0);
    g_assert_cmphex(r.eax, ==, (48 << 8 | 40));
    g_assert_cmphex(r.ecx, ==, (3 << 12 | 7));
    r = cpuid(cpu, 0x80000005, 0);
    g_assert_cmphex(r.ecx, ==, (32u << 24 | 8 << 16 | 1 << 8 | 64));
    g_assert_cmphex(cpuid(cpu, 4, 0).eax, ==, 0);
    object_unref(cpu);
}

static void test_hypervisor(void)
{
    X86Cpu *cpu = new_cpu("qemu64");

    g_assert_cmphex(cpuid(cpu, 1, 0).ecx >> 31, ==, 1);
    g_assert_cmphex(cpuid(cpu, 0x40000000, 0).ebx, ==, 0x54474354); /* "TCGT" */
    g_assert_true(object_set_bool(cpu, "tcg-cpuid", false, NULL));
    g_assert_cmphex(cpuid(cpu, 0x40000000, 0).eax, ==, 0);
    object_unref(cpu);
}

static void test_phys_bits(void)
{
    X86Cpu *cpu = X86_CPU(object_new("qemu64-x86_64-cpu"));
    Error *err = NULL;

    cpu->phys_bits = 53;
    g_assert_false(x86_cpu_check_phys_bits(cpu, &err));
    g_assert_cmpstr(error_text(err), ==, "phys-bits should be between 32 and 52  (but is 53)");
    error_free(err);
    cpu->phys_bits = 48;
    g_assert_true(x86_cpu_check_phys_bits(cpu, NULL));
    object_unref(cpu);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/x86/cpuid/identity", test_identity);
    g_test_add_func("/x86/cpuid/out-of-range", test_out_of_range);
    g_test_add_func("/x86/cpuid/topology", test_topology);
    g_test_add_func("/x86/cpuid/dies", test_dies);
    g_test_add_func("/x86/cpuid/xsave", test_xsave);
    g_test_add_func("/x86/cpuid/xsave-supervisor", test_xsave_supervisor);
    g_test_add_func("/x86/cpuid/intel-caches", test_intel_caches);
    g_test_add_func("/x86/cpuid/amd", test_amd);
    g_test_add_func("/x86/cpuid/hypervisor", test_hypervisor);
    g_test_add_func("/x86/cpuid/phys-bits", test_phys_bits);
    return g_test_run();
}
