/*
 * SRAT, SLIT and HMAT (ACPI 6.4, 5.2.16, 5.2.17, 5.2.27).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/numa_tables.h"

enum {
    SRAT_LOCAL_APIC = 0,
    SRAT_MEMORY = 1,
    SRAT_X2APIC = 2,
    SRAT_GICC = 3,
    SRAT_GIC_ITS = 4,
    SRAT_GENERIC_INITIATOR = 5,
};
#define SRAT_ENABLED    1u
#define SRAT_HANDLE_PCI 1
#define XAPIC_MAX_ID    254

enum {
    HMAT_DOMAIN = 0,
    HMAT_LATENCY_BANDWIDTH = 1,
    HMAT_CACHE = 2,
};
#define HMAT_INITIATOR_VALID 1u

void acpi_srat_begin(AcpiTables *t)
{
    bytes_pack(acpi_table_begin(t, "SRAT", 3), "48", 1, 0);
}

void srat_cpu(AcpiTables *t, uint32_t node, uint32_t apic_id)
{
    if (apic_id > XAPIC_MAX_ID) {
        bytes_pack(acpi_tables_bytes(t), "11244444", SRAT_X2APIC, 24, 0, node, apic_id,
                   SRAT_ENABLED, 0 /* clock domain */, 0);
        return;
    }
    bytes_pack(acpi_tables_bytes(t), "11114134", SRAT_LOCAL_APIC, 16, node & 0xff, apic_id,
               SRAT_ENABLED, 0 /* SAPIC */, node >> 8, 0 /* clock domain */);
}

void srat_gicc(AcpiTables *t, uint32_t node, uint32_t uid)
{
    bytes_pack(acpi_tables_bytes(t), "114444", SRAT_GICC, 18, node, uid, SRAT_ENABLED, 0);
}

void srat_gic_its(AcpiTables *t, uint32_t node, uint32_t its_id)
{
    bytes_pack(acpi_tables_bytes(t), "11424", SRAT_GIC_ITS, 12, node, 0, its_id);
}

void srat_memory(AcpiTables *t, const SratMemory *memory)
{
    bytes_pack(acpi_tables_bytes(t), "114288448", SRAT_MEMORY, 40, memory->node, 0, memory->base,
               memory->bytes, 0, memory->flags, 0);
}

void srat_generic_initiator(AcpiTables *t, uint32_t node, uint16_t segment, uint8_t bus,
                            uint8_t devfn)
{
    bytes_pack(acpi_tables_bytes(t), "11114", SRAT_GENERIC_INITIATOR, 32, 0, SRAT_HANDLE_PCI,
               node);
    bytes_pack(acpi_tables_bytes(t), "21148", segment, bus, devfn, 0, 0);
    bytes_pack(acpi_tables_bytes(t), "44", SRAT_ENABLED, 0);
}

uint32_t acpi_tables_add_slit(AcpiTables *t, const uint8_t *distance, uint32_t nodes)
{
    GByteArray *out = acpi_table_begin(t, "SLIT", 1);

    bytes_put_le(out, nodes, 8);
    g_byte_array_append(out, distance, nodes * nodes);
    return acpi_table_end(t);
}

void acpi_hmat_begin(AcpiTables *t)
{
    bytes_put_le(acpi_table_begin(t, "HMAT", 2), 0, 4);
}

void hmat_memory_domain(AcpiTables *t, uint32_t initiator, uint32_t memory)
{
    bool is_known = initiator != UINT32_MAX;

    bytes_pack(acpi_tables_bytes(t), "22422444", HMAT_DOMAIN, 0, 40,
               is_known ? HMAT_INITIATOR_VALID : 0, 0, is_known ? initiator : 0, memory, 0);
    bytes_put_zero(acpi_tables_bytes(t), 16);
}

void hmat_latency_bandwidth(AcpiTables *t, const HmatLatencyBandwidth *table)
{
    GByteArray *out = acpi_tables_bytes(t);
    uint32_t values = table->initiator_count * table->target_count;

    bytes_pack(out, "2241111", HMAT_LATENCY_BANDWIDTH, 0,
               32 + 4 * (table->initiator_count + table->target_count) + 2 * values,
               table->hierarchy, table->data_type, 0 /* any transfer size */, 0);
    bytes_pack(out, "4448", table->initiator_count, table->target_count, 0, table->base_unit);
    for (uint32_t i = 0; i < table->initiator_count; i++) {
        bytes_put_le(out, table->initiators[i], 4);
    }
    for (uint32_t i = 0; i < table->target_count; i++) {
        bytes_put_le(out, table->targets[i], 4);
    }
    for (uint32_t i = 0; i < values; i++) {
        bytes_put_le(out, table->values[i], 2);
    }
}

void hmat_cache(AcpiTables *t, const HmatCache *cache)
{
    bytes_pack(acpi_tables_bytes(t), "224448", HMAT_CACHE, 0, 32, cache->node, 0, cache->bytes);
    bytes_pack(acpi_tables_bytes(t), "422",
               cache->levels | cache->level << 4 | cache->associativity << 8 |
                   cache->write_policy << 12 | (uint32_t)cache->line_bytes << 16,
               0, 0 /* SMBIOS handles */);
}
