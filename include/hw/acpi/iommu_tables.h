/*
 * IOMMUs: DMAR (VT-d 4.0, chapter 8), IORT (Arm DEN 0049E), VIOT (ACPI 6.5, 5.2.32). Begin, add,
 * acpi_table_end().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_IOMMU_TABLES_H
#define HW_ACPI_IOMMU_TABLES_H

#include "hw/acpi/tables.h"

/* DMAR. */
enum { DMAR_INTR_REMAP = 1u << 0, DMAR_X2APIC_OPT_OUT = 1u << 1, DMAR_DMA_CTRL_OPT_IN = 1u << 2 };
enum { DMAR_INCLUDE_PCI_ALL = 1u << 0 }; /* DRHD */
enum { DMAR_ALL_PORTS = 1u << 0 };       /* ATSR */
enum { DMAR_SCOPE_ENDPOINT = 1, DMAR_SCOPE_BRIDGE, DMAR_SCOPE_IOAPIC, DMAR_SCOPE_HPET,
       DMAR_SCOPE_NAMESPACE };

/* A device: from `bus` along `path` of device and function numbers. */
typedef struct DmarScope {
    uint8_t type;
    uint8_t id; /* of an IOAPIC, HPET or namespace device */
    uint8_t bus;
    uint8_t depth; /* of the path, at least 1 */
    struct {
        uint8_t device, function;
    } path[8];
} DmarScope;
typedef struct DmarScopes {
    const DmarScope *scopes;
    unsigned count;
} DmarScopes;

/* `address_bits`: the width of a host's address. */
void acpi_dmar_begin(AcpiTables *t, uint8_t address_bits, uint8_t flags);
typedef struct DmarUnit {
    uint8_t flags;
    uint16_t segment;
    uint64_t base;
    DmarScopes of;
} DmarUnit;
void dmar_drhd(AcpiTables *t, const DmarUnit *unit);
typedef struct DmarReserved {
    uint16_t segment;
    uint64_t base, last;
    DmarScopes of;
} DmarReserved;
void dmar_rmrr(AcpiTables *t, const DmarReserved *reserved);
void dmar_atsr(AcpiTables *t, uint8_t flags, uint16_t segment, const DmarScopes *ports);
void dmar_rhsa(AcpiTables *t, uint64_t unit_base, uint32_t node);
void dmar_andd(AcpiTables *t, uint8_t device, const char *acpi_path);
void dmar_satc(AcpiTables *t, uint8_t flags, uint16_t segment, const DmarScopes *devices);

/* IORT. Each node function returns the node's offset in the table, which mappings refer to. */
typedef struct IortMapping {
    uint32_t input_base, count; /* count of ids, at least 1 */
    uint32_t output_base;
    uint32_t output_node;
    uint32_t flags; /* IORT_SINGLE_MAPPING */
} IortMapping;
enum { IORT_SINGLE_MAPPING = 1u << 0 };
typedef struct IortMappings {
    const IortMapping *rows;
    unsigned count;
} IortMappings;

void acpi_iort_begin(AcpiTables *t);
uint32_t iort_its_group(AcpiTables *t, const uint32_t *its_ids, unsigned count);

typedef struct IortRootComplex {
    uint32_t segment;
    bool is_coherent;
    uint32_t ats; /* bit 0: ATS, bit 1: PRI, bit 2: PASID forwarded */
    uint8_t address_bits;
    uint8_t pasid_bits; /* 0: no PASIDs */
    IortMappings ids;
} IortRootComplex;
uint32_t iort_root_complex(AcpiTables *t, const IortRootComplex *rc);

typedef struct IortSmmuV3 {
    uint64_t base;
    uint32_t flags; /* bit 0: coherent table walks */
    uint32_t event_gsi, pri_gsi, gerr_gsi, sync_gsi;
    bool has_node;
    uint32_t node;
    uint32_t device_id_mapping; /* which of `ids` its own MSIs use */
    IortMappings ids;
} IortSmmuV3;
uint32_t iort_smmu_v3(AcpiTables *t, const IortSmmuV3 *smmu);

typedef struct IortNamedComponent {
    const char *path; /* in the namespace */
    bool is_coherent;
    uint8_t address_bits;
    IortMappings ids;
} IortNamedComponent;
uint32_t iort_named_component(AcpiTables *t, const IortNamedComponent *component);

/* Memory that devices must see at its own address. */
typedef struct IortReserved {
    uint32_t flags;
    uint64_t base, bytes; /* of 64 KiB pages */
    IortMappings ids;
} IortReserved;
uint32_t iort_reserved(AcpiTables *t, const IortReserved *reserved);

/* VIOT: one virtio IOMMU on PCI, and the functions behind it, by their numbers. */
typedef struct ViotRange {
    uint16_t first, last; /* bus, device and function */
} ViotRange;
void acpi_add_viot(AcpiTables *t, uint16_t iommu, const ViotRange *ranges, unsigned count);

#endif
