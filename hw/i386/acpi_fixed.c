/*
 * The tables of fixed layout that PCs have beside their DSDT: FADT, MADT, HPET, MCFG, WAET, and
 * those of NUMA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_board.h"
#include "hw/acpi/fadt.h"
#include "hw/acpi/madt.h"
#include "hw/acpi/numa_tables.h"
#include "hw/core/device_memory.h"
#include "hw/core/numa_hmat.h"
#include "hw/core/numa.h"
#include "hw/mem/pc_dimm.h"

#define LOCAL_APIC_ADDRESS 0xfee00000
#define HPET_ADDRESS       0xfed00000
#define RTC_CENTURY        0x32
#define NO_LATENCY         0x0fff /* states C2 and C3 are not there */
#define RESET_PORT         0xcf9
#define RESET_VALUE        0x0f
#define LEGACY_HOLE_BASE   (640 * KiB)
#define LEGACY_HOLE_END    MiB
/* ISA interrupts that PCI's may share: level, as the PIRQs route them. */
static const uint8_t pci_isa_irqs[] = { 5, 9, 10, 11 };

static AcpiAddress port(uint16_t at, uint8_t bytes)
{
    return (AcpiAddress){ AML_SYSTEM_IO, bytes * 8, 0, 0, at };
}

/* --- FADT --- */

static void describe_pm(AcpiFadt *fadt, const AcpiBoard *board)
{
    fadt->sci_int = board->sci_gsi;
    fadt->smi_cmd = board->command_port;
    fadt->acpi_enable = board->enable_command;
    fadt->acpi_disable = board->disable_command;
    fadt->pm1a_evt = port(board->pm_port, 4);
    fadt->pm1a_cnt = port(board->pm_port + 4, 2);
    fadt->pm_tmr = port(board->pm_port + 8, 4);
    fadt->gpe0 = port(board->gpe_port, board->gpe_bytes);
    fadt->p_lvl2_lat = fadt->p_lvl3_lat = NO_LATENCY;
    fadt->century = RTC_CENTURY;
}

static void add_fadt(AcpiTables *t, const AcpiBoard *board, uint32_t dsdt, uint32_t facs)
{
    AcpiFadt fadt = {
        .revision = board->is_express ? 3 : 1, .dsdt = dsdt, .facs = facs, .has_facs = true,
        .flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_RTC_S4 |
                 FADT_USE_PLATFORM_CLOCK,
    };

    describe_pm(&fadt, board);
    if (board->has_reset_port) {
        fadt.flags |= FADT_RESET_REG_SUP;
        fadt.reset_reg = port(RESET_PORT, 1);
        fadt.reset_value = RESET_VALUE;
    }
    if (board->machine->smp.max_cpus > 8) { /* ids do not fit a logical set */
        fadt.flags |= FADT_FORCE_APIC_CLUSTER;
    }
    if (fadt.revision >= 3 && board->has_8042) {
        fadt.iapc_boot_arch = FADT_8042;
    }
    acpi_tables_add_fadt(t, &fadt);
}

/* --- MADT --- */

static void add_cpus(AcpiTables *t, const CpuSlots *cpus)
{
    for (unsigned n = 0; cpus && n < cpus->count; n++) {
        madt_local_apic(t, n, cpus->slots[n].arch_id, cpus->slots[n].cpu ? MADT_ENABLED : 0);
    }
}

static bool has_x2apic(const CpuSlots *cpus)
{
    return cpus && cpus->slots[cpus->count - 1].arch_id >= 255;
}

static void add_madt(AcpiTables *t, const AcpiBoard *board)
{
    acpi_madt_begin(t, 1, LOCAL_APIC_ADDRESS, board->has_pics ? MADT_PCAT_COMPAT : 0);
    add_cpus(t, board->machine->slots);
    madt_io_apic(t, 0, board->ioapic_address, 0);
    madt_override(t, 0, 2, MADT_BUS_DEFAULT);
    for (size_t i = 0; i < ARRAY_SIZE(pci_isa_irqs); i++) {
        madt_override(t, pci_isa_irqs[i], pci_isa_irqs[i], MADT_ACTIVE_HIGH | MADT_LEVEL);
    }
    madt_local_apic_nmi(t, MADT_ALL_CPUS, 1, MADT_BUS_DEFAULT);
    if (has_x2apic(board->machine->slots)) {
        madt_x2apic_nmi(t, MADT_ALL_CPUS_X2, 1, MADT_BUS_DEFAULT);
    }
    acpi_table_end(t);
}

/* --- NUMA --- */

/* [base, base + bytes) of a node, without the hole below 1 MiB. */
static void add_memory(AcpiTables *t, SratMemory memory)
{
    SratMemory low = memory;

    if (memory.base < LEGACY_HOLE_BASE && memory.bytes > LEGACY_HOLE_BASE - memory.base) {
        low.bytes = LEGACY_HOLE_BASE - memory.base;
        srat_memory(t, &low);
        memory.bytes -= MIN(memory.bytes, LEGACY_HOLE_END - memory.base);
        memory.base = LEGACY_HOLE_END;
    }
    if (memory.bytes) {
        srat_memory(t, &memory);
    }
}

/* Nodes lie one after another in RAM, which is split at 4 GiB. */
static void add_nodes(AcpiTables *t, const AcpiBoard *board)
{
    uint64_t at = 0; /* in RAM */

    for (unsigned n = 0; n < numa_node_count(board->machine->numa); n++) {
        uint64_t bytes = numa_node_bytes(board->machine->numa, n);
        uint64_t below = at < board->below_4g_bytes ? MIN(bytes, board->below_4g_bytes - at) : 0;

        add_memory(t, (SratMemory){ n, at, below, SRAT_MEMORY_ENABLED });
        if (bytes > below) {
            add_memory(t, (SratMemory){ n, board->above_4g_base + (at + below -
                                                                   board->below_4g_bytes),
                                        bytes - below, SRAT_MEMORY_ENABLED });
        }
        at += bytes;
    }
}

/* They are used from the start, each with the node it was given. */
static void add_nvdimms(AcpiTables *t, const DeviceMemory *memory)
{
    for (guint i = 0; i < memory->devices->len; i++) {
        PcDimm *dimm = memory->devices->pdata[i];

        if (object_is_a(dimm, TYPE_NVDIMM)) {
            srat_memory(t, &(SratMemory){ dimm->node, dimm->addr, pc_dimm_bytes(dimm),
                                          SRAT_MEMORY_ENABLED | SRAT_MEMORY_NON_VOLATILE });
        }
    }
}

static void add_srat(AcpiTables *t, const AcpiBoard *board)
{
    const CpuSlots *cpus = board->machine->slots;
    const DeviceMemory *memory = board->machine->device_memory;

    acpi_srat_begin(t);
    for (unsigned n = 0; cpus && n < cpus->count; n++) {
        srat_cpu(t, MAX(0, cpus->slots[n].node_id), cpus->slots[n].arch_id);
    }
    add_nodes(t, board);
    if (memory) { /* so that systems keep room for it; DIMMs say their own nodes */
        add_nvdimms(t, memory);
        srat_memory(t, &(SratMemory){ numa_node_count(board->machine->numa) - 1, memory->base,
                                      memory->region.size,
                                      SRAT_MEMORY_ENABLED | SRAT_MEMORY_HOTPLUGGABLE });
    }
    acpi_table_end(t);
}

static void add_slit(AcpiTables *t, const NumaState *numa)
{
    unsigned nodes = numa_node_count(numa);
    g_autofree uint8_t *distance = g_malloc(nodes * nodes);

    for (unsigned i = 0; i < nodes * nodes; i++) {
        distance[i] = numa_distance(numa, i / nodes, i % nodes);
    }
    acpi_tables_add_slit(t, distance, nodes);
}

static void add_numa(AcpiTables *t, const AcpiBoard *board)
{
    const NumaState *numa = board->machine->numa;

    if (!numa_node_count(numa)) {
        return;
    }
    add_srat(t, board);
    if (numa_has_distances(numa)) {
        add_slit(t, numa);
    }
    if (board->machine->hmat) {
        acpi_add_hmat(t, numa);
    }
}

/* --- all --- */

void acpi_add_fixed_tables(AcpiTables *t, const AcpiBoard *board, uint32_t dsdt, uint32_t facs)
{
    add_fadt(t, board, dsdt, facs);
    add_madt(t, board);
    if (board->has_hpet) {
        acpi_tables_add_hpet(t, &(AcpiHpet){ board->hpet_id, HPET_ADDRESS, 0, 0 });
    }
    add_numa(t, board);
    if (board->ecam_bytes) {
        acpi_tables_add_mcfg(t, &board->ecam, 1);
    }
    acpi_tables_add_waet(t, WAET_PM_TIMER_GOOD);
}
