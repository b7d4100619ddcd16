/*
 * NVDIMMs in tables: the NFIT, and an SSDT with the root device, whose methods pass requests on
 * (hw/acpi/nvdimm.h), and a device per slot.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_nvdimm.h"
#include "hw/acpi/nvdimm.h"

#define UUID_ROOT   "2f10e7a4-9e91-11e4-89d3-123b93f75cba"
#define UUID_MODULE "4309ac30-0d11-11e4-9191-0800200c9a66"
#define UUID_FIT    "648b9cf2-cda1-4312-8ad9-49c4af32bd62"
#define REQUEST_HEAD 12
#define ANSWER_HEAD  4
#define AML_OBJECT_PACKAGE 4
/* In the SSDT: the header, NameOp, the name, DWordPrefix. */
#define ADDRESS_AT (ACPI_HEADER_BYTES + 1 + 4 + 1)
#define CALL "\\_SB.NVDR.NCAL"

static Aml *nothing(void)
{
    return aml_return(aml_buffer("\0", 1));
}

/* The page, as request and as answer. */
static Aml *page_fields(void)
{
    return aml_list(
        aml_op_region("NPIO", AML_SYSTEM_IO, aml_int(ACPI_NVDIMM_PORT),
                      aml_int(ACPI_NVDIMM_PORT_BYTES)),
        aml_op_region("NRAM", AML_SYSTEM_MEMORY, aml_ref("\\MEMA"),
                      aml_int(ACPI_NVDIMM_PAGE_BYTES)),
        aml_field("NPIO", AML_DWORD_ACC, AML_NO_LOCK, AML_PRESERVE, aml_unit("NTFI", 32)),
        aml_field("NRAM", AML_DWORD_ACC, AML_NO_LOCK, AML_PRESERVE, aml_unit("HDLE", 32),
                  aml_unit("REVS", 32), aml_unit("FUNC", 32),
                  aml_unit("FARG", (ACPI_NVDIMM_PAGE_BYTES - REQUEST_HEAD) * 8)),
        aml_field("NRAM", AML_DWORD_ACC, AML_NO_LOCK, AML_PRESERVE, aml_unit("RLEN", 32),
                  aml_unit("ODAT", (ACPI_NVDIMM_PAGE_BYTES - ANSWER_HEAD) * 8)));
}

/* UUID, revision, function, package of arguments, handle. */
static Aml *call_method(void)
{
    Aml *bits = aml_shift_left(aml_subtract(aml_ref("RLEN"), aml_int(ANSWER_HEAD), NULL),
                               aml_int(3), NULL);

    return aml_method(
        "NCAL", 5, AML_SERIALIZED,
        aml_if(aml_lequal(aml_ref("\\MEMA"), aml_int(0)), nothing()),
        page_fields(),
        aml_store(aml_uuid(UUID_MODULE), aml_local(0)),
        aml_if(aml_lequal(aml_arg(4), aml_int(0)), aml_store(aml_uuid(UUID_ROOT), aml_local(0))),
        aml_if(aml_lequal(aml_arg(4), aml_int(ACPI_NVDIMM_FIT_HANDLE)),
               aml_store(aml_uuid(UUID_FIT), aml_local(0))),
        aml_if(aml_lnot_equal(aml_arg(0), aml_local(0)), nothing()),
        aml_store(aml_arg(4), aml_ref("HDLE")), aml_store(aml_arg(1), aml_ref("REVS")),
        aml_store(aml_arg(2), aml_ref("FUNC")),
        aml_if(aml_land(aml_lequal(aml_object_type(aml_arg(3)), aml_int(AML_OBJECT_PACKAGE)),
                        aml_lequal(aml_size_of(aml_arg(3)), aml_int(1))),
               aml_store(aml_deref_of(aml_index(aml_arg(3), aml_int(0))), aml_local(1)),
               aml_store(aml_local(1), aml_ref("FARG"))),
        aml_store(aml_ref("\\MEMA"), aml_ref("NTFI")),
        aml_store(bits, aml_local(2)),
        aml_store(aml_ref("ODAT"), aml_local(4)),
        aml_create_field(aml_local(4), aml_int(0), aml_local(2), "OBUF"),
        aml_concatenate(aml_buffer(NULL, 0), aml_ref("OBUF"), aml_local(3)),
        aml_return(aml_local(3)));
}

/* A part of the FIT from an offset on; RSTA is the status, an empty buffer the end. */
static Aml *fit_part_method(void)
{
    return aml_method(
        "RFIT", 1, AML_SERIALIZED,
        aml_store(aml_buffer(NULL, 4), aml_local(1)),
        aml_create_dword_field(aml_local(1), aml_int(0), "OFFS"),
        aml_store(aml_arg(0), aml_ref("OFFS")),
        aml_store(aml_package(aml_int(0)), aml_local(2)),
        aml_store(aml_local(1), aml_index(aml_local(2), aml_int(0))),
        aml_store(aml_call(CALL, aml_uuid(UUID_FIT), aml_int(1), aml_int(ACPI_NVDIMM_FIT_READ),
                           aml_local(2), aml_int(ACPI_NVDIMM_FIT_HANDLE)), aml_local(0)),
        aml_if(aml_lless(aml_size_of(aml_local(0)), aml_int(4)),
               aml_store(aml_int(1), aml_ref("RSTA")), aml_return(aml_buffer(NULL, 0))),
        aml_create_dword_field(aml_local(0), aml_int(0), "STAU"),
        aml_store(aml_ref("STAU"), aml_ref("RSTA")),
        aml_subtract(aml_size_of(aml_local(0)), aml_int(4), aml_local(3)),
        aml_if(aml_lor(aml_lnot_equal(aml_ref("RSTA"), aml_int(0)),
                       aml_lequal(aml_local(3), aml_int(0))),
               aml_return(aml_buffer(NULL, 0))),
        aml_create_field(aml_local(0), aml_int(32),
                         aml_shift_left(aml_local(3), aml_int(3), NULL), "PART"),
        aml_return(aml_ref("PART")));
}

/* All parts; from the start again if modules came meanwhile. */
static Aml *fit_method(void)
{
    return aml_method(
        "_FIT", 0, AML_SERIALIZED,
        aml_store(aml_buffer(NULL, 0), aml_local(2)),
        aml_store(aml_int(0), aml_local(3)),
        aml_while(aml_int(1),
                  aml_store(aml_call("RFIT", aml_local(3)), aml_local(0)),
                  aml_store(aml_size_of(aml_local(0)), aml_local(1)),
                  aml_if(aml_lequal(aml_ref("RSTA"), aml_int(ACPI_NVDIMM_FIT_CHANGED)),
                         aml_store(aml_buffer(NULL, 0), aml_local(2)),
                         aml_store(aml_int(0), aml_local(3))),
                  aml_else(aml_if(aml_lequal(aml_local(1), aml_int(0)),
                                  aml_return(aml_local(2))),
                           aml_add(aml_local(3), aml_local(1), aml_local(3)),
                           aml_concatenate(aml_local(2), aml_local(0), aml_local(2)))));
}

static Aml *dsm_method(unsigned handle)
{
    return aml_method("_DSM", 4, AML_NOT_SERIALIZED,
                      aml_return(aml_call(CALL, aml_arg(0), aml_arg(1), aml_arg(2), aml_arg(3),
                                          aml_int(handle))));
}

static Aml *root_device(unsigned slots)
{
    Aml *root = aml_device("NVDR", aml_name("_HID", aml_string("ACPI0012")),
                           aml_name("RSTA", aml_int(0)), call_method(), dsm_method(0),
                           fit_part_method(), fit_method());

    for (unsigned n = 0; n < slots; n++) {
        aml_append(root, aml_device(aml_path("NV%02X", n).text,
                                    aml_name("_ADR", aml_int(n + 1)), dsm_method(n + 1)));
    }
    return root;
}

static void put_terms(GByteArray *out, Aml *terms)
{
    g_autoptr(GByteArray) bytes = aml_steal_bytes(terms);

    g_byte_array_append(out, bytes->data, bytes->len);
}

static void add_ssdt(AcpiTables *t, unsigned slots)
{
    GByteArray *page = acpi_linker_blob(acpi_tables_linker(t), ACPI_NVDIMM_PAGE_FILE,
                                        ACPI_NVDIMM_PAGE_BYTES, ACPI_ZONE_HIGH);
    GByteArray *table = acpi_table_begin(t, "SSDT", 1);

    g_byte_array_set_size(page, ACPI_NVDIMM_PAGE_BYTES);
    memset(page->data, 0, page->len);
    /* Four bytes of address, whatever their value is now. */
    put_terms(table, aml_name("\\MEMA", aml_int(UINT32_MAX)));
    acpi_table_set(t, ADDRESS_AT + 1, 0, 4);
    acpi_table_point(t, ADDRESS_AT + 1, 4, ACPI_NVDIMM_PAGE_FILE, 0);
    put_terms(table, aml_list(aml_scope("\\_SB", root_device(slots)),
                              aml_method("\\_GPE._E04", 0, AML_NOT_SERIALIZED,
                                         aml_notify(aml_ref("\\_SB.NVDR"), aml_int(0x80)))));
    acpi_table_end(t);
}

void acpi_add_nvdimm_tables(AcpiTables *t, const AcpiBoard *board)
{
    g_autoptr(GByteArray) fit = NULL;

    if (!board->has_nvdimm || !board->machine->memory.slots) {
        return;
    }
    fit = acpi_nvdimm_fit(board->machine);
    add_ssdt(t, board->machine->memory.slots);
    if (fit->len) {
        acpi_tables_add_nfit(t, fit);
    }
}
