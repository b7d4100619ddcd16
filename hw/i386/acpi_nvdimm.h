/*
 * Tables of NVDIMMs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_ACPI_NVDIMM_H
#define HW_I386_ACPI_NVDIMM_H

#include "acpi_board.h"

/* NFIT, if there are any; SSDT, if any can come. */
void acpi_add_nvdimm_tables(AcpiTables *t, const AcpiBoard *board);

#endif
