/*
 * Tables of single devices and the platform: HPET, MCFG, WAET, TPM2, ERST, SPCR, GTDT.
 * Each adds a whole table and returns its place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_PLATFORM_TABLES_H
#define HW_ACPI_PLATFORM_TABLES_H

#include "hw/acpi/tables.h"

/* IA-PC HPET 1.0a, 3.2.4. */
typedef struct AcpiHpet {
    uint32_t block_id; /* low half of the capabilities register */
    uint64_t base;
    uint8_t number;
    uint16_t min_ticks; /* in periodic mode */
} AcpiHpet;
uint32_t acpi_tables_add_hpet(AcpiTables *t, const AcpiHpet *hpet);

/* PCI Firmware 3.3, 4.1.2. */
typedef struct AcpiEcam {
    uint64_t base; /* of bus 0, even if it begins later */
    uint16_t segment;
    uint8_t first_bus, last_bus;
} AcpiEcam;
uint32_t acpi_tables_add_mcfg(AcpiTables *t, const AcpiEcam *ecams, unsigned count);

/* Windows ACPI Emulated Devices Table; bits of `flags`. */
enum { WAET_RTC_GOOD = 1u << 0, WAET_PM_TIMER_GOOD = 1u << 1 };
uint32_t acpi_tables_add_waet(AcpiTables *t, uint32_t flags);

/* TCG ACPI 1.2, revision 4. */
enum { TPM2_CLASS_CLIENT = 0, TPM2_CLASS_SERVER = 1 };
enum { TPM2_START_ACPI = 2, TPM2_START_TIS = 6, TPM2_START_CRB = 7, TPM2_START_CRB_SMC = 11 };
typedef struct AcpiTpm2 {
    uint16_t platform_class;
    uint64_t control_area; /* 0 for TIS */
    uint32_t start_method;
    const char *log_file; /* a blob of the linker; NULL: no log */
    uint32_t log_bytes;
} AcpiTpm2;
uint32_t acpi_tables_add_tpm2(AcpiTables *t, const AcpiTpm2 *tpm);

/* ACPI 6.4, 18.5: serialization. */
typedef struct AcpiErstEntry {
    uint8_t action, instruction, flags;
    AcpiAddress address;
    uint64_t value, mask;
} AcpiErstEntry;
uint32_t acpi_tables_add_erst(AcpiTables *t, const AcpiErstEntry *entries, uint32_t count);

/* Serial Port Console Redirection, revision 2. */
enum { SPCR_16550 = 0, SPCR_PL011 = 3, SPCR_SBSA_32BIT = 0xd, SPCR_SBSA = 0xe };
enum { SPCR_IRQ_8259 = 1, SPCR_IRQ_APIC = 2, SPCR_IRQ_GIC = 8 };
typedef struct AcpiSpcr {
    uint8_t interface;
    AcpiAddress base;
    uint8_t irq_type, irq; /* `irq` for the 8259 */
    uint32_t gsi;
    uint8_t baud; /* 0 as it is, 3 9600, 4 19200, 6 57600, 7 115200 */
    uint8_t stop_bits, flow_control, terminal; /* 0 VT100, 3 ANSI */
    uint16_t pci_device, pci_vendor; /* 0xffff: not on PCI */
    uint8_t pci_bus, pci_slot, pci_function, pci_segment;
} AcpiSpcr;
uint32_t acpi_tables_add_spcr(AcpiTables *t, const AcpiSpcr *spcr);

/* ACPI 6.4, 5.2.24. */
typedef struct AcpiGtdtTimer {
    uint32_t gsi, flags; /* GTDT_* */
} AcpiGtdtTimer;
enum { GTDT_EDGE = 1u << 0, GTDT_ACTIVE_LOW = 1u << 1, GTDT_ALWAYS_ON = 1u << 2 };
typedef struct AcpiGtdtWatchdog {
    uint64_t refresh_frame, control_frame;
    uint32_t gsi, flags; /* flags: edge, active low, bit 2: secure */
} AcpiGtdtWatchdog;
typedef struct AcpiGtdt {
    uint8_t revision; /* 2, or 3 with the EL2 virtual timer */
    uint64_t control_base, read_base; /* UINT64_MAX: not mapped */
    AcpiGtdtTimer secure_el1, el1, virtual_el1, el2, virtual_el2;
    const AcpiGtdtWatchdog *watchdogs;
    unsigned watchdog_count;
} AcpiGtdt;
uint32_t acpi_tables_add_gtdt(AcpiTables *t, const AcpiGtdt *gtdt);

#endif
