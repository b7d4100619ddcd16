/*
 * AcpiNvdimm: how a guest's AML asks about NVDIMMs: a page of guest memory with a request, whose
 * address is written to a port. For boards with -machine nvdimm=on.
 *
 * A request: handle, revision, function (32 bits each), arguments. The answer takes its place:
 * its length with these 32 bits, then what _DSM returns. Handles: 0 is the root device,
 * 0x10000 asks for the FIT, others are 1 + the module's slot. NVDIMM DSM Interface Example, 1.3.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_NVDIMM_H
#define HW_ACPI_NVDIMM_H

#include "hw/acpi/nfit.h"
#include "hw/core/machine.h"

#define ACPI_NVDIMM_PORT       0xa18
#define ACPI_NVDIMM_PORT_BYTES 4
#define ACPI_NVDIMM_PAGE_FILE  "etc/acpi/nvdimm-mem"
#define ACPI_NVDIMM_PAGE_BYTES 4096
#define ACPI_NVDIMM_FIT_HANDLE 0x10000
#define ACPI_NVDIMM_FIT_READ   1 /* the function; argument: the offset */
#define ACPI_NVDIMM_FIT_CHANGED 0x100 /* status: begin again */

typedef struct AcpiNvdimm AcpiNvdimm;

/* Takes the port. */
AcpiNvdimm *acpi_nvdimm_new(Machine *machine);
void acpi_nvdimm_free(AcpiNvdimm *nvdimm);
/* An NVDIMM came: a guest that is reading the FIT begins again. */
void acpi_nvdimm_changed(AcpiNvdimm *nvdimm);
/* The structures of all NVDIMMs: what the NFIT has, and _FIT returns. Free it. */
GByteArray *acpi_nvdimm_fit(const Machine *machine);
/* Serves the request in a page; what the port does. */
void acpi_nvdimm_serve(AcpiNvdimm *nvdimm, uint8_t page[ACPI_NVDIMM_PAGE_BYTES]);

#endif
