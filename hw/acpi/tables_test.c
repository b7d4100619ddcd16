/*
 * Every data table, judged by iasl, which knows their layouts from the same specifications, and
 * lengths and fields that firmware and kernels depend on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/fadt.h"
#include "hw/acpi/iasl_tool.h"
#include "hw/acpi/iommu_tables.h"
#include "hw/acpi/madt.h"
#include "hw/acpi/nfit.h"
#include "hw/acpi/numa_tables.h"
#include "hw/acpi/platform_tables.h"

typedef struct Fixture {
    AcpiLinker *linker;
    AcpiTables *t;
    GByteArray *bytes;
} Fixture;

static void set_up(Fixture *f, gconstpointer build)
{
    f->linker = acpi_linker_new();
    f->t = acpi_tables_new(f->linker, &(AcpiOem){ "BOCHS ", "BXPC    " });
    f->bytes = acpi_tables_bytes(f->t);
}

static void tear_down(Fixture *f, gconstpointer build)
{
    acpi_tables_free(f->t);
    acpi_linker_free(f->linker);
}

/* One table, at the start of the blob: its length and its sum, and iasl. */
static void check_table(Fixture *f, const char *signature, uint32_t length)
{
    g_assert_cmpmem(f->bytes->data, 4, signature, 4);
    g_assert_cmpuint(bytes_get_le(f->bytes, 4, 4), ==, length);
    g_assert_cmpuint(f->bytes->len, ==, length);
    if (!f->bytes->data[9]) { /* it refers to other tables: the firmware's to fill in */
        f->bytes->data[9] = bytes_checksum(f->bytes, 0, length);
    }
    g_assert_cmpuint(bytes_checksum(f->bytes, 0, length), ==, 0);
    if (tool_or_skip("iasl")) {
        iasl_check(f->bytes->data, f->bytes->len);
    }
}

static void check_bytes(Fixture *f, uint32_t offset, unsigned width, uint64_t value)
{
    g_assert_cmphex(bytes_get_le(f->bytes, offset, width), ==, value);
}

static const AcpiFadt pc_fadt = {
    .sci_int = 9, .smi_cmd = 0xb2, .acpi_enable = 2, .acpi_disable = 3,
    .pm1a_evt = { AML_SYSTEM_IO, 32, 0, 0, 0x600 }, .pm1a_cnt = { AML_SYSTEM_IO, 16, 0, 0, 0x604 },
    .pm_tmr = { AML_SYSTEM_IO, 32, 0, 0, 0x608 }, .gpe0 = { AML_SYSTEM_IO, 128, 0, 0, 0x620 },
    .p_lvl2_lat = 0xfff, .p_lvl3_lat = 0xfff, .century = 0x32, .iapc_boot_arch = FADT_8042,
    .flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_RTC_S4 | FADT_RESET_REG_SUP,
    .reset_reg = { AML_SYSTEM_IO, 8, 0, 0, 0xcf9 }, .reset_value = 0xf,
};

static void test_fadt_1(Fixture *f, gconstpointer data)
{
    AcpiFadt fadt = pc_fadt;

    fadt.revision = 1;
    acpi_tables_add_fadt(f->t, &fadt);
    check_table(f, "FACP", 116);
    check_bytes(f, 56, 4, 0x600);
    check_bytes(f, 80, 4, 0x620);
    check_bytes(f, 92, 1, 16);
    check_bytes(f, 109, 2, 0);
}

static void test_fadt_3(Fixture *f, gconstpointer data)
{
    AcpiFadt fadt = pc_fadt;

    fadt.revision = 3;
    acpi_tables_add_fadt(f->t, &fadt);
    check_table(f, "FACP", 244);
    check_bytes(f, 109, 2, FADT_8042);
    check_bytes(f, 116, 4, 0x801);
    check_bytes(f, 120, 8, 0xcf9);
    check_bytes(f, 152, 8, 0x600);
    check_bytes(f, 220, 2, 0x8001);
}

/* A microvm's. */
static void test_fadt_5(Fixture *f, gconstpointer data)
{
    const AcpiFadt fadt = {
        .revision = 5, .minor = 1, .flags = FADT_HW_REDUCED_ACPI | FADT_RESET_REG_SUP,
        .sleep_control = { AML_SYSTEM_MEMORY, 8, 0, 0, 0xfea00200 },
        .sleep_status = { AML_SYSTEM_MEMORY, 8, 0, 0, 0xfea00201 },
        .reset_reg = { AML_SYSTEM_MEMORY, 8, 0, 0, 0xfea00202 }, .reset_value = 42,
    };

    acpi_tables_add_fadt(f->t, &fadt);
    /* Not for iasl, which looks for revision 6's last field in revision 5, too. */
    g_assert_cmpuint(f->bytes->len, ==, 268);
    check_bytes(f, 112, 4, 1 << 20 | 1 << 10);
    check_bytes(f, 128, 1, 42);
    check_bytes(f, 248, 8, 0xfea00200);
    check_bytes(f, 260, 8, 0xfea00201);
}

static void test_fadt_6(Fixture *f, gconstpointer data)
{
    const AcpiFadt fadt = {
        .revision = 6, .minor = 3, .flags = FADT_HW_REDUCED_ACPI,
        .arm_boot_arch = FADT_PSCI_COMPLIANT | FADT_PSCI_USE_HVC,
        .hypervisor_vendor = { 'Q', 'E', 'M', 'U' },
    };

    acpi_tables_add_fadt(f->t, &fadt);
    check_table(f, "FACP", 276);
    check_bytes(f, 129, 2, 3);
    check_bytes(f, 131, 1, 3);
    check_bytes(f, 268, 8, 0x554d4551);
}

static void test_facs(Fixture *f, gconstpointer data)
{
    bytes_put_zero(f->bytes, 3);
    g_assert_cmpuint(acpi_tables_add_facs(f->t), ==, 64);
    check_bytes(f, 64 + 4, 4, 64);
    if (tool_or_skip("iasl")) {
        iasl_check(f->bytes->data + 64, 64);
    }
}

static void test_madt_x86(Fixture *f, gconstpointer data)
{
    acpi_madt_begin(f->t, 3, 0xfee00000, MADT_PCAT_COMPAT);
    madt_local_apic(f->t, 0, 0, MADT_ENABLED);
    madt_local_apic(f->t, 255, 0x140, MADT_ENABLED);
    madt_io_apic(f->t, 0, 0xfec00000, 0);
    madt_override(f->t, 0, 2, MADT_BUS_DEFAULT);
    madt_override(f->t, 5, 5, MADT_ACTIVE_HIGH | MADT_LEVEL);
    madt_nmi_source(f->t, 3, MADT_ACTIVE_LOW | MADT_EDGE);
    madt_local_apic_nmi(f->t, MADT_ALL_CPUS, 1, MADT_BUS_DEFAULT);
    madt_x2apic_nmi(f->t, MADT_ALL_CPUS_X2, 1, MADT_BUS_DEFAULT);
    acpi_table_end(f->t);
    check_table(f, "APIC", 44 + 8 + 16 + 12 + 10 + 10 + 8 + 6 + 12);
    check_bytes(f, 44 + 8, 1, 9); /* an x2APIC, for its id */
    check_bytes(f, 44 + 8 + 16 + 12 + 10 + 8, 2, 0xd);
}

static void test_madt_arm(Fixture *f, gconstpointer data)
{
    const MadtGicc cpu = { .uid = 1, .flags = MADT_ENABLED, .performance_gsi = 23,
                           .maintenance_gsi = 25, .mpidr = 0x80000001, .gicv = 0x8040000 };

    acpi_madt_begin(f->t, 4, 0, 0);
    madt_gicc(f->t, &cpu);
    madt_gicd(f->t, 0x8000000, 3);
    madt_gic_msi_frame(f->t, &(MadtMsiFrame){ .base = 0x8020000, .spi_base = 80,
                                              .spi_count = 64 });
    madt_gicr(f->t, 0x80a0000, 0xf60000);
    madt_gic_its(f->t, 0, 0x8080000);
    acpi_table_end(f->t);
    check_table(f, "APIC", 44 + 80 + 24 + 24 + 16 + 20);
    check_bytes(f, 44 + 68, 8, 0x80000001);
}

static void test_srat(Fixture *f, gconstpointer data)
{
    acpi_srat_begin(f->t);
    srat_cpu(f->t, 0x10203, 1);
    srat_cpu(f->t, 1, 0x1ff);
    srat_memory(f->t, &(SratMemory){ 1, 4 * GiB, GiB, SRAT_MEMORY_ENABLED });
    srat_gicc(f->t, 0, 1);
    srat_gic_its(f->t, 1, 0);
    srat_generic_initiator(f->t, 1, 0, 2, 0x18);
    acpi_table_end(f->t);
    check_table(f, "SRAT", 48 + 16 + 24 + 40 + 18 + 12 + 32);
    check_bytes(f, 48 + 2, 1, 3);
    check_bytes(f, 48 + 9, 3, 0x102);
}

static void test_slit(Fixture *f, gconstpointer data)
{
    acpi_tables_add_slit(f->t, (const uint8_t[]){ 10, 20, 21, 10 }, 2);
    check_table(f, "SLIT", 48);
    check_bytes(f, 44, 4, 0x0a15140a);
}

static void test_hmat(Fixture *f, gconstpointer data)
{
    static const uint32_t initiators[] = { 0 }, targets[] = { 0, 1 };
    static const uint16_t values[] = { 100, 200 };

    acpi_hmat_begin(f->t);
    hmat_memory_domain(f->t, 0, 1);
    hmat_latency_bandwidth(f->t, &(HmatLatencyBandwidth){
                                     .initiator_count = 1, .target_count = 2,
                                     .initiators = initiators, .targets = targets,
                                     .base_unit = 1000, .values = values });
    hmat_cache(f->t, &(HmatCache){ .node = 1, .bytes = 64 * KiB, .levels = 1, .level = 1,
                                   .associativity = 1, .write_policy = 1, .line_bytes = 64 });
    acpi_table_end(f->t);
    check_table(f, "HMAT", 40 + 40 + 48 + 32);
    check_bytes(f, 40 + 40 + 44, 4, 200 << 16 | 100);
    check_bytes(f, 40 + 40 + 48 + 24, 4, 64 << 16 | 0x1111);
}

static void test_nfit(Fixture *f, gconstpointer data)
{
    g_autoptr(GByteArray) parts = g_byte_array_new();
    const uint64_t hints[] = { 0x100000000, 0x100001000 };

    nfit_put_range(parts, &(NfitRange){ .index = 1, .flags = NFIT_RANGE_NODE_VALID, .node = 0,
                                        .type = NFIT_PERSISTENT_MEMORY, .base = 8 * GiB,
                                        .bytes = GiB,
                                        .attributes = NFIT_ATTRIBUTE_WB | NFIT_ATTRIBUTE_NV });
    nfit_put_mapping(parts, &(NfitMapping){ .handle = 1, .range_index = 1, .control_index = 2,
                                            .bytes = GiB });
    nfit_put_control(parts, &(NfitControl){ .index = 2, .vendor = 0x8086, .device = 1,
                                            .revision = 1, .serial = 0x123456,
                                            .format = 0x301 });
    nfit_put_flush_hints(parts, 1, hints, 2);
    nfit_put_capabilities(parts, 1, NFIT_CPU_CACHE_FLUSH | NFIT_MEMORY_FLUSH);
    acpi_tables_add_nfit(f->t, parts);
    check_table(f, "NFIT", 40 + 56 + 48 + 80 + 32 + 16);
}

static void test_hpet(Fixture *f, gconstpointer data)
{
    acpi_tables_add_hpet(f->t, &(AcpiHpet){ .block_id = 0x8086a201, .base = 0xfed00000 });
    check_table(f, "HPET", 56);
    check_bytes(f, 44, 8, 0xfed00000);
}

static void test_mcfg(Fixture *f, gconstpointer data)
{
    const AcpiEcam ecams[] = { { 0xb0000000, 0, 0, 255 }, { 0x4000000000, 1, 16, 31 } };

    acpi_tables_add_mcfg(f->t, ecams, 2);
    check_table(f, "MCFG", 76);
}

static void test_waet(Fixture *f, gconstpointer data)
{
    acpi_tables_add_waet(f->t, WAET_PM_TIMER_GOOD);
    check_table(f, "WAET", 40);
}

static void test_tpm2(Fixture *f, gconstpointer data)
{
    acpi_linker_blob(f->linker, "etc/tpm/log", 1, ACPI_ZONE_HIGH);
    acpi_tables_add_tpm2(f->t, &(AcpiTpm2){ .start_method = TPM2_START_CRB,
                                            .control_area = 0xfed40040,
                                            .log_file = "etc/tpm/log", .log_bytes = 65536 });
    check_table(f, "TPM2", 76);
    check_bytes(f, 64, 4, 65536);
}

static void test_erst(Fixture *f, gconstpointer data)
{
    const AcpiErstEntry entries[] = {
        { .action = 0, .instruction = 3, .address = { AML_SYSTEM_MEMORY, 32, 0, 3, 0xc0000000 },
          .mask = 0xff },
        { .action = 8, .instruction = 0, .flags = 0,
          .address = { AML_SYSTEM_MEMORY, 64, 0, 4, 0xc0000008 }, .mask = UINT64_MAX },
    };

    acpi_tables_add_erst(f->t, entries, 2);
    check_table(f, "ERST", 48 + 64);
}

static void test_spcr(Fixture *f, gconstpointer data)
{
    acpi_tables_add_spcr(f->t, &(AcpiSpcr){ .interface = SPCR_PL011,
                                            .base = { AML_SYSTEM_MEMORY, 32, 0, 3, 0x9000000 },
                                            .irq_type = SPCR_IRQ_GIC, .gsi = 33, .baud = 3,
                                            .stop_bits = 1, .flow_control = 2,
                                            .pci_device = 0xffff, .pci_vendor = 0xffff });
    check_table(f, "SPCR", 80);
    check_bytes(f, 54, 4, 33);
}

static void test_gtdt_2(Fixture *f, gconstpointer data)
{
    acpi_tables_add_gtdt(f->t, &(AcpiGtdt){ .revision = 2, .control_base = UINT64_MAX,
                                            .read_base = UINT64_MAX,
                                            .el1 = { 30, GTDT_ALWAYS_ON } });
    check_table(f, "GTDT", 96);
    check_bytes(f, 56, 4, 30);
}

static void test_gtdt_3(Fixture *f, gconstpointer data)
{
    const AcpiGtdtWatchdog dog = { 0x2a450000, 0x2a440000, 59, 0 };

    acpi_tables_add_gtdt(f->t, &(AcpiGtdt){ .revision = 3, .virtual_el2 = { 28, 0 },
                                            .watchdogs = &dog, .watchdog_count = 1 });
    g_assert_cmpuint(f->bytes->len, ==, 104 + 28);
    check_bytes(f, 92, 4, 104);
    check_bytes(f, 96, 4, 28);
    check_bytes(f, 104, 4, 1 | 28 << 8);
}

static void test_dmar(Fixture *f, gconstpointer data)
{
    const DmarScope scopes[] = {
        { .type = DMAR_SCOPE_IOAPIC, .id = 0, .bus = 0xff, .depth = 1 },
        { .type = DMAR_SCOPE_ENDPOINT, .bus = 0, .depth = 2, .path = { { 1, 0 }, { 2, 3 } } },
    };

    acpi_dmar_begin(f->t, 39, DMAR_INTR_REMAP);
    dmar_drhd(f->t, &(DmarUnit){ .flags = DMAR_INCLUDE_PCI_ALL, .base = 0xfed90000,
                                 .of = { scopes, 1 } });
    dmar_rmrr(f->t, &(DmarReserved){ .base = 0x1000, .last = 0x1fff, .of = { scopes + 1, 1 } });
    dmar_atsr(f->t, DMAR_ALL_PORTS, 0, &(DmarScopes){ 0 });
    dmar_rhsa(f->t, 0xfed90000, 1);
    dmar_andd(f->t, 1, "\\_SB.ABC");
    acpi_table_end(f->t);
    check_table(f, "DMAR", 48 + 24 + 34 + 8 + 20 + 17);
    check_bytes(f, 36, 1, 38);
}

static void test_satc(Fixture *f, gconstpointer data)
{
    const DmarScope scope = { .type = DMAR_SCOPE_ENDPOINT, .depth = 1, .path = { { 4, 0 } } };

    acpi_dmar_begin(f->t, 48, 0);
    dmar_satc(f->t, 1, 0, &(DmarScopes){ &scope, 1 });
    acpi_table_end(f->t);
    check_bytes(f, 48, 8, 0x0000000100100005);
}

static void test_iort(Fixture *f, gconstpointer data)
{
    const uint32_t its[] = { 0 };
    IortMapping to_its = { 0, 0x10000, 0, 0, 0 };
    IortMapping to_smmu = { 0, 0x10000, 0, 0, 0 };

    acpi_iort_begin(f->t);
    to_its.output_node = iort_its_group(f->t, its, 1);
    g_assert_cmpuint(to_its.output_node, ==, 48);
    to_smmu.output_node =
        iort_smmu_v3(f->t, &(IortSmmuV3){ .base = 0x9050000, .flags = 1, .event_gsi = 106,
                                          .pri_gsi = 107, .gerr_gsi = 109, .sync_gsi = 108,
                                          .ids = { &to_its, 1 } });
    iort_root_complex(f->t, &(IortRootComplex){ .is_coherent = true, .address_bits = 64,
                                                .ids = { &to_smmu, 1 } });
    iort_named_component(f->t, &(IortNamedComponent){ .path = "\\_SB.DEV0", .address_bits = 48,
                                                      .ids = { &to_its, 1 } });
    acpi_table_end(f->t);
    check_bytes(f, 36, 4, 4);
    check_bytes(f, 72 + 4, 4, 1);
    check_bytes(f, 160 + 4, 4, 2);
    /* Identifiers of nodes are newer than Debian 12's iasl. */
    for (unsigned node = 48; node < f->bytes->len; node += bytes_get_le(f->bytes, node + 1, 2)) {
        bytes_set_le(f->bytes, node + 4, 0, 4);
    }
    bytes_set_le(f->bytes, 9, 0, 1);
    bytes_set_le(f->bytes, 9, bytes_checksum(f->bytes, 0, f->bytes->len), 1);
    check_table(f, "IORT", 48 + 24 + 88 + 56 + 60);
}

static void test_iort_reserved(Fixture *f, gconstpointer data)
{
    IortMapping to = { 0x100, 1, 0x100, 48, IORT_SINGLE_MAPPING };

    acpi_iort_begin(f->t);
    iort_its_group(f->t, (const uint32_t[]){ 0 }, 1);
    iort_reserved(f->t, &(IortReserved){ .base = 0x8000000, .bytes = 0x100000, .ids = { &to, 1 } });
    acpi_table_end(f->t);
    check_bytes(f, 72, 1, 6);
    check_bytes(f, 72 + 1, 2, 68);
    check_bytes(f, 72 + 12, 4, 48);
    check_bytes(f, 72 + 24, 4, 28);
    check_bytes(f, 72 + 28, 8, 0x8000000);
    check_bytes(f, 72 + 48 + 4, 4, 0); /* number of ids, less one */
}

/* A table of the user's is listed as it came. */
static void test_raw(Fixture *f, gconstpointer data)
{
    AcpiPlacement room = { 0x10000, 0x20000, 0xf0000, 0x100000 };
    uint8_t table[40] = "SLIC";

    table[4] = sizeof(table);
    g_assert_cmpuint(acpi_tables_add_raw(f->t, table, sizeof(table)), ==, 0);
    acpi_tables_finish(f->t, 0);
    g_assert_cmpmem(f->bytes->data + 40, 4, "RSDT", 4);
    check_bytes(f, 40 + 4, 4, 40);
    g_assert_true(acpi_linker_place(f->linker, &room, NULL));
    check_bytes(f, 40 + 36, 4, 0x10000);
    g_assert_cmpuint(acpi_linker_find(f->linker, ACPI_RSDP_FILE)->len, ==, 20);
    if (tool_or_skip("iasl")) {
        iasl_check(f->bytes->data + 40, 40);
    }
}

#define TEST(name, function) g_test_add("/tables/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("fadt-1", test_fadt_1);
    TEST("fadt-3", test_fadt_3);
    TEST("fadt-5", test_fadt_5);
    TEST("fadt-6", test_fadt_6);
    TEST("facs", test_facs);
    TEST("madt-x86", test_madt_x86);
    TEST("madt-arm", test_madt_arm);
    TEST("srat", test_srat);
    TEST("slit", test_slit);
    TEST("hmat", test_hmat);
    TEST("nfit", test_nfit);
    TEST("hpet", test_hpet);
    TEST("mcfg", test_mcfg);
    TEST("waet", test_waet);
    TEST("tpm2", test_tpm2);
    TEST("erst", test_erst);
    TEST("spcr", test_spcr);
    TEST("gtdt-2", test_gtdt_2);
    TEST("gtdt-3", test_gtdt_3);
    TEST("dmar", test_dmar);
    TEST("satc", test_satc);
    TEST("iort", test_iort);
    TEST("iort-reserved", test_iort_reserved);
    TEST("raw", test_raw);
    return g_test_run();
}
