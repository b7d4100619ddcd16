/*
 * What the operating system is told of proximity domains: SRAT, SLIT, HMAT (ACPI 6.4, 5.2.16,
 * 5.2.17, 5.2.27). Begin, any number of srat_*() or hmat_*(), acpi_table_end().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_NUMA_TABLES_H
#define HW_ACPI_NUMA_TABLES_H

#include "hw/acpi/tables.h"

enum {
    SRAT_MEMORY_ENABLED = 1u << 0,
    SRAT_MEMORY_HOTPLUGGABLE = 1u << 1,
    SRAT_MEMORY_NON_VOLATILE = 1u << 2,
};

void acpi_srat_begin(AcpiTables *t);
/* Enabled CPUs; ids above 254 are x2APICs. */
void srat_cpu(AcpiTables *t, uint32_t node, uint32_t apic_id);
void srat_gicc(AcpiTables *t, uint32_t node, uint32_t uid);
void srat_gic_its(AcpiTables *t, uint32_t node, uint32_t its_id);
typedef struct SratMemory {
    uint32_t node;
    uint64_t base, bytes;
    uint32_t flags;
} SratMemory;
void srat_memory(AcpiTables *t, const SratMemory *memory);
/* A PCI device that reads and writes memory of its own accord. */
void srat_generic_initiator(AcpiTables *t, uint32_t node, uint16_t segment, uint8_t bus,
                            uint8_t devfn);

/* `distance[from * nodes + to]`; 10 is local. */
uint32_t acpi_tables_add_slit(AcpiTables *t, const uint8_t *distance, uint32_t nodes);

void acpi_hmat_begin(AcpiTables *t);
/* `initiator` UINT32_MAX: not known. */
void hmat_memory_domain(AcpiTables *t, uint32_t initiator, uint32_t memory);
typedef struct HmatLatencyBandwidth {
    uint8_t hierarchy, data_type;
    uint32_t initiator_count, target_count;
    const uint32_t *initiators, *targets;
    uint64_t base_unit;     /* ps, or MB/s */
    const uint16_t *values; /* [initiator * target_count + target]; 0: no information */
} HmatLatencyBandwidth;
void hmat_latency_bandwidth(AcpiTables *t, const HmatLatencyBandwidth *table);
typedef struct HmatCache {
    uint32_t node;
    uint64_t bytes;
    uint8_t levels, level;
    uint8_t associativity; /* 0 none, 1 direct mapped, 2 complex */
    uint8_t write_policy;  /* 0 none, 1 write back, 2 write through */
    uint16_t line_bytes;
} HmatCache;
void hmat_cache(AcpiTables *t, const HmatCache *cache);

#endif
