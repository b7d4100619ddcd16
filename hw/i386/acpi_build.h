/*
 * All ACPI tables of a PC, as blobs that the linker knows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_ACPI_BUILD_H
#define HW_I386_ACPI_BUILD_H

#include "acpi_board.h"

struct PcMachine;

Aml *acpi_dsdt(const AcpiBoard *board);
void acpi_add_viot_table(AcpiTables *t, const AcpiBoard *board); /* acpi_viot.c */
void acpi_build(AcpiLinker *linker, const AcpiBoard *board);

/* acpi_pc.c: the board's files in fw_cfg, brought up to date when a guest reads them first. */
bool acpi_pc_init(struct PcMachine *pc, Error **errp);
void acpi_pc_clear(struct PcMachine *pc);
void acpi_pc_nvdimm_changed(struct PcMachine *pc);

#endif
