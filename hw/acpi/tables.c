/*
 * ACPI system description tables: headers, root, RSDP (ACPI 6.4, 5.2.5 to 5.2.8).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/tables.h"

#define TABLES_ALIGN 64 /* the FACS's */
#define TABLE_ALIGN  8
#define RSDP_ALIGN   16

#define LENGTH_OFFSET   4
#define CHECKSUM_OFFSET 9
#define OEM_REVISION     1
#define CREATOR_ID       "BXPC"
#define CREATOR_REVISION 1

#define RSDP_CHECKSUM_OFFSET          8
#define RSDP_RSDT_OFFSET              16
#define RSDP_REV0_BYTES               20
#define RSDP_XSDT_OFFSET              24
#define RSDP_EXTENDED_CHECKSUM_OFFSET 32
#define RSDP_REV2_BYTES               36

struct AcpiTables {
    AcpiLinker *linker;
    AcpiOem oem;
    GByteArray *bytes;
    GArray *listed; /* uint32_t places */
    uint32_t start; /* of the open table */
    bool is_open, has_pointer;
};

AcpiTables *acpi_tables_new(AcpiLinker *linker, const AcpiOem *oem)
{
    AcpiTables *t = g_new0(AcpiTables, 1);

    t->linker = linker;
    t->oem = *oem;
    t->bytes = acpi_linker_blob(linker, ACPI_TABLES_FILE, TABLES_ALIGN, ACPI_ZONE_HIGH);
    t->listed = g_array_new(false, false, sizeof(uint32_t));
    return t;
}

void acpi_tables_free(AcpiTables *t)
{
    if (t) {
        g_array_unref(t->listed);
        g_free(t);
    }
}

AcpiLinker *acpi_tables_linker(AcpiTables *t)
{
    return t->linker;
}

GByteArray *acpi_tables_bytes(AcpiTables *t)
{
    return t->bytes;
}

GByteArray *acpi_table_begin(AcpiTables *t, const char *signature, uint8_t revision)
{
    assert(!t->is_open && strlen(signature) == 4);
    bytes_align(t->bytes, TABLE_ALIGN);
    t->is_open = true;
    t->has_pointer = false;
    t->start = t->bytes->len;
    bytes_put_text(t->bytes, signature, 4, 0);
    bytes_pack(t->bytes, "411", 0 /* length */, revision, 0 /* checksum */);
    bytes_put_text(t->bytes, t->oem.id, 6, 0);
    bytes_put_text(t->bytes, t->oem.table_id, 8, 0);
    bytes_put_le(t->bytes, OEM_REVISION, 4);
    bytes_put_text(t->bytes, CREATOR_ID, 4, 0);
    bytes_put_le(t->bytes, CREATOR_REVISION, 4);
    return t->bytes;
}

uint32_t acpi_table_length(const AcpiTables *t)
{
    assert(t->is_open);
    return t->bytes->len - t->start;
}

void acpi_table_set(AcpiTables *t, uint32_t offset, uint64_t value, unsigned bytes)
{
    assert(t->is_open);
    bytes_set_le(t->bytes, t->start + offset, value, bytes);
}

void acpi_table_point(AcpiTables *t, uint32_t offset, uint8_t bytes, const char *file,
                      uint32_t file_offset)
{
    assert(t->is_open);
    t->has_pointer = true;
    acpi_linker_add_pointer(t->linker, &(AcpiPointer){ ACPI_TABLES_FILE, t->start + offset, bytes,
                                                       file, file_offset });
}

/* The loader only needs to sum what it changes. */
uint32_t acpi_table_end_unlisted(AcpiTables *t)
{
    uint32_t length = acpi_table_length(t);
    uint32_t at = t->start + CHECKSUM_OFFSET;

    acpi_table_set(t, LENGTH_OFFSET, length, 4);
    if (t->has_pointer) {
        acpi_linker_add_checksum(t->linker, ACPI_TABLES_FILE, t->start, length, at);
    } else {
        bytes_set_le(t->bytes, at, bytes_checksum(t->bytes, t->start, length), 1);
    }
    t->is_open = false;
    return t->start;
}

uint32_t acpi_table_end(AcpiTables *t)
{
    uint32_t place = acpi_table_end_unlisted(t);

    g_array_append_val(t->listed, place);
    return place;
}

void acpi_put_address(GByteArray *out, const AcpiAddress *a)
{
    bytes_pack(out, "11118", a->space, a->bits, a->bit_offset, a->access, a->address);
}

uint32_t acpi_tables_add_aml(AcpiTables *t, const char *signature, uint8_t revision, Aml *terms)
{
    g_autoptr(GByteArray) code = aml_steal_bytes(terms);

    g_byte_array_append(acpi_table_begin(t, signature, revision), code->data, code->len);
    return strcmp(signature, "DSDT") == 0 ? acpi_table_end_unlisted(t) : acpi_table_end(t);
}

uint32_t acpi_tables_add_raw(AcpiTables *t, const void *table, uint32_t bytes)
{
    uint32_t place;

    assert(!t->is_open && bytes >= ACPI_HEADER_BYTES);
    bytes_align(t->bytes, TABLE_ALIGN);
    place = t->bytes->len;
    g_byte_array_append(t->bytes, table, bytes);
    g_array_append_val(t->listed, place);
    return place;
}

static uint32_t add_root(AcpiTables *t, bool is_xsdt)
{
    unsigned width = is_xsdt ? 8 : 4;
    GByteArray *out = acpi_table_begin(t, is_xsdt ? "XSDT" : "RSDT", 1);

    for (guint i = 0; i < t->listed->len; i++) {
        bytes_put_zero(out, width);
        acpi_table_point(t, ACPI_HEADER_BYTES + i * width, width, ACPI_TABLES_FILE,
                         g_array_index(t->listed, uint32_t, i));
    }
    return acpi_table_end_unlisted(t);
}

uint32_t acpi_tables_finish(AcpiTables *t, uint8_t revision)
{
    bool is_xsdt = revision >= 2;
    uint32_t root = add_root(t, is_xsdt);
    GByteArray *out =
        acpi_linker_blob(t->linker, ACPI_RSDP_FILE, RSDP_ALIGN, ACPI_ZONE_F_SEGMENT);

    assert((revision == 0 || revision == 2) && out->len == 0);
    bytes_put_text(out, "RSD PTR ", 8, 0);
    bytes_put_le(out, 0, 1);
    bytes_put_text(out, t->oem.id, 6, 0);
    bytes_pack(out, "14", revision, 0 /* RSDT */);
    if (is_xsdt) {
        bytes_pack(out, "4813", RSDP_REV2_BYTES, 0 /* XSDT */, 0 /* checksum */, 0);
    }
    acpi_linker_add_pointer(t->linker,
                            &(AcpiPointer){ ACPI_RSDP_FILE,
                                            is_xsdt ? RSDP_XSDT_OFFSET : RSDP_RSDT_OFFSET,
                                            is_xsdt ? 8 : 4, ACPI_TABLES_FILE, root });
    acpi_linker_add_checksum(t->linker, ACPI_RSDP_FILE, 0, RSDP_REV0_BYTES, RSDP_CHECKSUM_OFFSET);
    if (is_xsdt) {
        acpi_linker_add_checksum(t->linker, ACPI_RSDP_FILE, 0, RSDP_REV2_BYTES,
                                 RSDP_EXTENDED_CHECKSUM_OFFSET);
    }
    return root;
}
