/*
 * MADT (ACPI 6.4, 5.2.12): acpi_madt_begin(), any number of madt_*(), acpi_table_end().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_MADT_H
#define HW_ACPI_MADT_H

#include "hw/acpi/tables.h"

#define MADT_PCAT_COMPAT    1u /* flags of the table: there are 8259s */
#define MADT_ENABLED        1u /* flags of a CPU */
#define MADT_ONLINE_CAPABLE 2u
#define MADT_ALL_CPUS       0xffu /* a processor's uid, where NMIs are told of */
#define MADT_ALL_CPUS_X2    UINT32_MAX

/* MPS INTI flags. */
enum {
    MADT_BUS_DEFAULT = 0,
    MADT_ACTIVE_HIGH = 1,
    MADT_ACTIVE_LOW = 3,
    MADT_EDGE = 1 << 2,
    MADT_LEVEL = 3 << 2,
};

void acpi_madt_begin(AcpiTables *t, uint8_t revision, uint32_t local_apic, uint32_t flags);

/* x86. Ids above 254 are x2APICs. */
void madt_local_apic(AcpiTables *t, uint32_t uid, uint32_t apic_id, uint32_t flags);
void madt_x2apic(AcpiTables *t, uint32_t uid, uint32_t apic_id, uint32_t flags);
void madt_io_apic(AcpiTables *t, uint8_t id, uint32_t address, uint32_t gsi_base);
void madt_override(AcpiTables *t, uint8_t isa_irq, uint32_t gsi, uint16_t flags);
void madt_nmi_source(AcpiTables *t, uint32_t gsi, uint16_t flags);
void madt_local_apic_nmi(AcpiTables *t, uint8_t uid, uint8_t lint, uint16_t flags);
void madt_x2apic_nmi(AcpiTables *t, uint32_t uid, uint8_t lint, uint16_t flags);

/* Arm. */
typedef struct MadtGicc {
    uint32_t interface; /* number of the CPU interface (GICv2) */
    uint32_t uid;
    uint32_t flags; /* MADT_ENABLED; bit 1: edge performance, bit 2: edge maintenance */
    uint32_t performance_gsi, maintenance_gsi;
    uint64_t base, gicv, gich, gicr; /* 0: none */
    uint64_t mpidr;
    uint8_t efficiency_class;
    uint16_t spe_gsi; /* 0: none */
} MadtGicc;
void madt_gicc(AcpiTables *t, const MadtGicc *cpu);
void madt_gicd(AcpiTables *t, uint64_t base, uint8_t version);
typedef struct MadtMsiFrame {
    uint32_t id;
    uint64_t base;
    uint16_t spi_base, spi_count; /* 0: as the frame says */
} MadtMsiFrame;
void madt_gic_msi_frame(AcpiTables *t, const MadtMsiFrame *frame);
void madt_gicr(AcpiTables *t, uint64_t base, uint32_t bytes);
void madt_gic_its(AcpiTables *t, uint32_t id, uint64_t base);

#endif
