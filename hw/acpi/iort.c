/*
 * IORT: how ids of requests and MSIs are routed on Arm (DEN 0049E, revision 3 of the table).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/iommu_tables.h"

enum {
    NODE_ITS_GROUP = 0,
    NODE_NAMED_COMPONENT = 1,
    NODE_ROOT_COMPLEX = 2,
    NODE_SMMU_V3 = 4,
    NODE_RESERVED = 6,
};

#define IORT_COUNT_OFFSET 36
#define IORT_HEADER_BYTES 48
#define NODE_HEADER_BYTES 16
#define MAPPING_BYTES     20

#define MEMORY_COHERENT       1u
#define MEMORY_CPM_DACS       3u /* coherent path, cacheable and shareable */
#define SMMU_NODE_VALID       BIT(3)

void acpi_iort_begin(AcpiTables *t)
{
    bytes_pack(acpi_table_begin(t, "IORT", 3), "444", 0 /* nodes */, IORT_HEADER_BYTES, 0);
}

/* A node's header; its number is its identifier. Data and mappings follow. */
static uint32_t begin_node(AcpiTables *t, uint8_t type, uint8_t revision, unsigned data_bytes,
                           const IortMappings *ids)
{
    GByteArray *out = acpi_tables_bytes(t);
    uint32_t offset = acpi_table_length(t);
    uint32_t table = out->len - offset;
    uint32_t number = bytes_get_le(out, table + IORT_COUNT_OFFSET, 4);
    unsigned mappings = NODE_HEADER_BYTES + data_bytes;
    unsigned count = ids ? ids->count : 0;

    acpi_table_set(t, IORT_COUNT_OFFSET, number + 1, 4);
    bytes_pack(out, "121444", type, mappings + count * MAPPING_BYTES, revision, number, count,
               count ? mappings : 0);
    return offset;
}

static void put_mappings(GByteArray *out, const IortMappings *ids)
{
    for (unsigned i = 0; i < ids->count; i++) {
        const IortMapping *m = &ids->rows[i];

        assert(m->count && m->output_node);
        bytes_pack(out, "44444", m->input_base, m->count - 1, m->output_base, m->output_node,
                   m->flags);
    }
}

uint32_t iort_its_group(AcpiTables *t, const uint32_t *its_ids, unsigned count)
{
    uint32_t offset = begin_node(t, NODE_ITS_GROUP, 1, 4 + 4 * count, NULL);

    bytes_put_le(acpi_tables_bytes(t), count, 4);
    for (unsigned i = 0; i < count; i++) {
        bytes_put_le(acpi_tables_bytes(t), its_ids[i], 4);
    }
    return offset;
}

static void put_memory_properties(GByteArray *out, bool is_coherent)
{
    bytes_pack(out, "4121", is_coherent ? MEMORY_COHERENT : 0, 0, 0,
               is_coherent ? MEMORY_CPM_DACS : 0);
}

uint32_t iort_root_complex(AcpiTables *t, const IortRootComplex *rc)
{
    GByteArray *out = acpi_tables_bytes(t);
    uint32_t offset = begin_node(t, NODE_ROOT_COMPLEX, 3, 20, &rc->ids);

    put_memory_properties(out, rc->is_coherent);
    bytes_pack(out, "44121", rc->ats, rc->segment, rc->address_bits, rc->pasid_bits, 0);
    put_mappings(out, &rc->ids);
    return offset;
}

uint32_t iort_smmu_v3(AcpiTables *t, const IortSmmuV3 *s)
{
    GByteArray *out = acpi_tables_bytes(t);
    uint32_t offset = begin_node(t, NODE_SMMU_V3, 4, 52, &s->ids);
    uint32_t flags = s->flags | (s->has_node ? SMMU_NODE_VALID : 0);

    bytes_pack(out, "84484", s->base, flags, 0, 0 /* VATOS */, 0 /* generic */);
    bytes_pack(out, "444444", s->event_gsi, s->pri_gsi, s->gerr_gsi, s->sync_gsi, s->node,
               s->device_id_mapping);
    put_mappings(out, &s->ids);
    return offset;
}

uint32_t iort_named_component(AcpiTables *t, const IortNamedComponent *c)
{
    GByteArray *out = acpi_tables_bytes(t);
    unsigned name_bytes = ROUND_UP(13 + strlen(c->path) + 1, 4) - 13;
    uint32_t offset = begin_node(t, NODE_NAMED_COMPONENT, 4, 13 + name_bytes, &c->ids);

    bytes_put_le(out, 0, 4);
    put_memory_properties(out, c->is_coherent);
    bytes_put_le(out, c->address_bits, 1);
    bytes_put_text(out, c->path, name_bytes, 0);
    put_mappings(out, &c->ids);
    return offset;
}

uint32_t iort_reserved(AcpiTables *t, const IortReserved *r)
{
    GByteArray *out = acpi_tables_bytes(t);
    uint32_t offset = begin_node(t, NODE_RESERVED, 3, 32, &r->ids);

    bytes_pack(out, "444", r->flags, 1, NODE_HEADER_BYTES + 12);
    bytes_pack(out, "884", r->base, r->bytes, 0);
    put_mappings(out, &r->ids);
    return offset;
}
