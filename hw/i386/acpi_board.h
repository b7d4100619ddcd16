/*
 * AcpiBoard: all that the ACPI tables of a PC tell, as its board fills it in (acpi_pc.c), and the
 * parts the tables are made of. What is borrowed lives as long as the machine.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_ACPI_BOARD_H
#define HW_I386_ACPI_BOARD_H

#include "hw/acpi/aml_resource.h"
#include "hw/acpi/hotplug.h"
#include "hw/acpi/platform_tables.h"
#include "hw/core/machine.h"
#include "hw/isa/isa.h"

typedef struct AcpiBoard {
    AcpiOem oem;
    Machine *machine;
    bool is_express;        /* ICH9 instead of PIIX: eight PIRQs, ECAM */
    /* power management */
    uint16_t pm_port, gpe_port, command_port, smbus_port;
    uint8_t gpe_bytes, enable_command, disable_command;
    uint8_t sci_gsi, s4_type;
    bool has_s3, has_s4, has_reset_port, has_smm;
    bool tells_firmware_of_new_cpus, leaves_ejection_to_firmware; /* by an SMI, as it asked for */
    const AcpiHotplug *hotplug;
    bool has_pci_hotplug;
    /* interrupts */
    uint32_t ioapic_address;
    bool has_pics;
    /* PCI */
    PciBus *root;
    PciDevice *isa_bridge;  /* that has the PIRQ registers */
    MemoryWindow hole32, hole64;
    AcpiEcam ecam;
    uint64_t ecam_bytes;    /* 0: there is none */
    IsaBus *isa;
    /* memory */
    uint64_t below_4g_bytes, above_4g_base, above_4g_bytes;
    /* other things that are there */
    bool has_hpet, has_8042, has_nvdimm;
    uint32_t hpet_id;
    Device *fw_cfg;
    const GPtrArray *user_tables; /* of GByteArray: complete tables */
} AcpiBoard;

/* --- terms of the DSDT; each of a subject --- */

Aml *acpi_pci_terms(const AcpiBoard *board);    /* acpi_pci.c: PCI0, other roots, links */
Aml *acpi_pci_slots(const AcpiHotplug *hp, PciBus *bus);  /* acpi_pci_slots.c: functions, hot-plug */
Aml *acpi_pci_hotplug_terms(const AcpiBoard *board);
/* acpi_pci_routes.c: _PRT and the link devices it names. */
Aml *acpi_pci_routes(const AcpiBoard *board);
Aml *acpi_pci_links(const AcpiBoard *board);
Aml *acpi_isa_terms(const AcpiBoard *board);    /* acpi_isa.c */
Aml *acpi_cpu_terms(const AcpiBoard *board);    /* acpi_cpus.c */
Aml *acpi_memory_terms(const AcpiBoard *board); /* acpi_memory.c */
Aml *acpi_nvdimm_terms(const AcpiBoard *board); /* acpi_nvdimm.c; NULL: none */

/* A device that only claims ports, so that nobody else does. */
Aml *acpi_port_claim(const char *name, const char *uid, uint16_t port, uint8_t bytes);

/* --- fixed tables (acpi_fixed.c) --- */

struct NumaState;
void acpi_add_fixed_tables(AcpiTables *t, const AcpiBoard *board, uint32_t dsdt, uint32_t facs);
/* acpi_hmat.c */
void acpi_add_hmat(AcpiTables *t, const struct NumaState *numa);

#endif
