/*
 * ACPI tables of PCs: see acpi_build.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_build.h"
#include "acpi_nvdimm.h"
#include "acpi_tpm.h"
#include "hw/acpi/fadt.h"
#include "hw/acpi/table_source.h"

void acpi_build(AcpiLinker *linker, const AcpiBoard *board)
{
    g_autoptr(AcpiTables) t = acpi_tables_new(linker, &board->oem);
    uint32_t facs = acpi_tables_add_facs(t);
    uint32_t dsdt = acpi_tables_add_aml(t, "DSDT", 2, acpi_dsdt(board));

    acpi_add_fixed_tables(t, board, dsdt, facs);
    acpi_add_nvdimm_tables(t, board);
    acpi_add_tpm_tables(t);
    acpi_add_viot_table(t, board);
    acpi_add_tables_of_devices(t);
    for (guint i = 0; i < board->user_tables->len; i++) {
        const GByteArray *table = board->user_tables->pdata[i];

        acpi_tables_add_raw(t, table->data, table->len);
    }
    acpi_tables_finish(t, 0);
}
