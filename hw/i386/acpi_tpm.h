/*
 * The TPM in tables and fw_cfg.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_ACPI_TPM_H
#define HW_I386_ACPI_TPM_H

#include "acpi_board.h"

Aml *acpi_tpm_terms(void); /* NULL: there is none */
/* Its physical presence (acpi_tpm_ppi.c), for inside its device. */
Aml *acpi_tpm_ppi_terms(void);
void acpi_add_tpm_tables(AcpiTables *t);
/* The log's and the configuration's files. */
bool acpi_tpm_add_files(Device *fw_cfg, Error **errp);

#endif
