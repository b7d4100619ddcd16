/*
 * The DSDT of PCs: its parts, and what belongs to none of them: sleep states, GPEs, HPET.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_build.h"
#include "acpi_tpm.h"

#define HPET_ADDRESS 0xfed00000
#define HPET_BYTES   0x400

/* SLP_TYP for both control registers. */
static Aml *sleep_state(const char *name, unsigned type)
{
    return aml_name(name, aml_package(aml_int(type), aml_int(type), aml_int(0), aml_int(0)));
}

static Aml *sleep_states(const AcpiBoard *board)
{
    return aml_list(board->has_s3 ? sleep_state("\\_S3", 1) : NULL,
                    board->has_s4 ? sleep_state("\\_S4", board->s4_type) : NULL,
                    sleep_state("\\_S5", 0));
}

static Aml *hpet(const AcpiBoard *board)
{
    return !board->has_hpet ? NULL :
        aml_device("\\_SB.HPET", aml_name("_HID", aml_eisaid("PNP0103")),
                   aml_name("_UID", aml_int(0)), aml_name("_STA", aml_int(0xf)),
                   aml_name("_CRS", aml_resource_template(aml_memory32_fixed(
                                        AML_READ_ONLY, HPET_ADDRESS, HPET_BYTES))));
}

/* Scopes first: paths of what follows lead into them. */
Aml *acpi_dsdt(const AcpiBoard *board)
{
    return aml_list(
        aml_scope("\\_GPE", aml_name("_HID", aml_string("ACPI0006"))),
        acpi_pci_terms(board), hpet(board), acpi_tpm_terms(), acpi_cpu_terms(board),
        acpi_memory_terms(board), sleep_states(board));
}
