/*
 * ACPI system description tables (ACPI 6.4, 5.2): a set of tables in one blob, ended by its root.
 *
 *     AcpiTables *t = acpi_tables_new(linker, &(AcpiOem){ "BOCHS ", "BXPC    " });
 *     fadt.dsdt = acpi_tables_add_aml(t, "DSDT", 2, dsdt);
 *     acpi_tables_add_fadt(t, &fadt);
 *     acpi_tables_finish(t, 2);
 *
 * The headers beside this one append other tables. A table's place is its offset in the blob.
 * Machine lock. What is declared is ours: mistakes are assertions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_TABLES_H
#define HW_ACPI_TABLES_H

#include "hw/acpi/aml.h"
#include "hw/acpi/linker.h"
#include "hw/acpi/pack.h"

/* Names of the fw_cfg files. */
#define ACPI_TABLES_FILE "etc/acpi/tables"
#define ACPI_RSDP_FILE   "etc/acpi/rsdp"
#define ACPI_LOADER_FILE "etc/table-loader"

#define ACPI_HEADER_BYTES 36

typedef struct AcpiTables AcpiTables;

/* As they stand in every header, filled up with what the user likes, mostly spaces. */
typedef struct AcpiOem {
    char id[7];
    char table_id[9];
} AcpiOem;

/* Generic Address Structure. `bits` 0 and `address` 0: there is no such register. */
typedef struct AcpiAddress {
    uint8_t space; /* AmlSpace */
    uint8_t bits, bit_offset;
    uint8_t access; /* AmlAccess: 0 undefined, 1 byte ... */
    uint64_t address;
} AcpiAddress;

/* `linker` is borrowed and must outlive the tables. */
AcpiTables *acpi_tables_new(AcpiLinker *linker, const AcpiOem *oem);
void acpi_tables_free(AcpiTables *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AcpiTables, acpi_tables_free)

/* Borrowed. */
AcpiLinker *acpi_tables_linker(AcpiTables *t);
/* The blob: what is appended belongs to the open table, if there is one. */
GByteArray *acpi_tables_bytes(AcpiTables *t);

/* A table in steps: begin, append to the array it returns, end. */
GByteArray *acpi_table_begin(AcpiTables *t, const char *signature, uint8_t revision);
/* The open table so far, header included. */
uint32_t acpi_table_length(const AcpiTables *t);
/* Overwrites `bytes` at `offset` of the open table. */
void acpi_table_set(AcpiTables *t, uint32_t offset, uint64_t value, unsigned bytes);
/* `bytes` at `offset` of the open table become an address in blob `file`. */
void acpi_table_point(AcpiTables *t, uint32_t offset, uint8_t bytes, const char *file,
                      uint32_t file_offset);
/* The root lists the table (not so a DSDT). Returns the table's place. */
uint32_t acpi_table_end(AcpiTables *t);
uint32_t acpi_table_end_unlisted(AcpiTables *t);

void acpi_put_address(GByteArray *out, const AcpiAddress *address);

/* A DSDT, which the FADT points to, or an SSDT. Consumes `terms`. */
uint32_t acpi_tables_add_aml(AcpiTables *t, const char *signature, uint8_t revision, Aml *terms);
/* A complete table as the user gave it; it must have a header. */
uint32_t acpi_tables_add_raw(AcpiTables *t, const void *table, uint32_t bytes);

/*
 * The root: RSDP of revision 0 with an RSDT, or 2 with an XSDT, in a blob of its own. Frees
 * nothing; no table can be added later. Returns the root's place.
 */
uint32_t acpi_tables_finish(AcpiTables *t, uint8_t revision);

#endif
