/*
 * MADT: interrupt controllers (ACPI 6.4, 5.2.12).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/madt.h"

enum {
    LOCAL_APIC = 0,
    IO_APIC = 1,
    OVERRIDE = 2,
    NMI_SOURCE = 3,
    LOCAL_APIC_NMI = 4,
    X2APIC = 9,
    X2APIC_NMI = 10,
    GICC = 11,
    GICD = 12,
    MSI_FRAME = 13,
    GICR = 14,
    GIC_ITS = 15,
};

#define XAPIC_MAX_ID         254
#define MSI_FRAME_SPI_SELECT 1u

void acpi_madt_begin(AcpiTables *t, uint8_t revision, uint32_t local_apic, uint32_t flags)
{
    bytes_pack(acpi_table_begin(t, "APIC", revision), "44", local_apic, flags);
}

void madt_local_apic(AcpiTables *t, uint32_t uid, uint32_t apic_id, uint32_t flags)
{
    if (apic_id > XAPIC_MAX_ID || uid > XAPIC_MAX_ID) {
        madt_x2apic(t, uid, apic_id, flags);
        return;
    }
    bytes_pack(acpi_tables_bytes(t), "11114", LOCAL_APIC, 8, uid, apic_id, flags);
}

void madt_x2apic(AcpiTables *t, uint32_t uid, uint32_t apic_id, uint32_t flags)
{
    bytes_pack(acpi_tables_bytes(t), "112444", X2APIC, 16, 0, apic_id, flags, uid);
}

void madt_io_apic(AcpiTables *t, uint8_t id, uint32_t address, uint32_t gsi_base)
{
    bytes_pack(acpi_tables_bytes(t), "111144", IO_APIC, 12, id, 0, address, gsi_base);
}

void madt_override(AcpiTables *t, uint8_t isa_irq, uint32_t gsi, uint16_t flags)
{
    bytes_pack(acpi_tables_bytes(t), "111142", OVERRIDE, 10, 0 /* ISA */, isa_irq, gsi, flags);
}

void madt_nmi_source(AcpiTables *t, uint32_t gsi, uint16_t flags)
{
    bytes_pack(acpi_tables_bytes(t), "1124", NMI_SOURCE, 8, flags, gsi);
}

void madt_local_apic_nmi(AcpiTables *t, uint8_t uid, uint8_t lint, uint16_t flags)
{
    bytes_pack(acpi_tables_bytes(t), "11121", LOCAL_APIC_NMI, 6, uid, flags, lint);
}

void madt_x2apic_nmi(AcpiTables *t, uint32_t uid, uint8_t lint, uint16_t flags)
{
    bytes_pack(acpi_tables_bytes(t), "112413", X2APIC_NMI, 12, flags, uid, lint, 0);
}

void madt_gicc(AcpiTables *t, const MadtGicc *cpu)
{
    bytes_pack(acpi_tables_bytes(t), "1124444488", GICC, 80, 0, cpu->interface, cpu->uid,
               cpu->flags, 0 /* parking protocol */, cpu->performance_gsi, 0 /* parked at */,
               cpu->base);
    bytes_pack(acpi_tables_bytes(t), "88488112", cpu->gicv, cpu->gich, cpu->maintenance_gsi,
               cpu->gicr, cpu->mpidr, cpu->efficiency_class, 0, cpu->spe_gsi);
}

void madt_gicd(AcpiTables *t, uint64_t base, uint8_t version)
{
    bytes_pack(acpi_tables_bytes(t), "11248413", GICD, 24, 0, 0 /* id */, base, 0, version, 0);
}

void madt_gic_msi_frame(AcpiTables *t, const MadtMsiFrame *frame)
{
    bytes_pack(acpi_tables_bytes(t), "11248422", MSI_FRAME, 24, 0, frame->id, frame->base,
               frame->spi_count ? MSI_FRAME_SPI_SELECT : 0, frame->spi_count, frame->spi_base);
}

void madt_gicr(AcpiTables *t, uint64_t base, uint32_t bytes)
{
    bytes_pack(acpi_tables_bytes(t), "11284", GICR, 16, 0, base, bytes);
}

void madt_gic_its(AcpiTables *t, uint32_t id, uint64_t base)
{
    bytes_pack(acpi_tables_bytes(t), "112484", GIC_ITS, 20, 0, id, base, 0);
}
