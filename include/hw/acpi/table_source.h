/*
 * Devices that tell of themselves in ACPI tables of their own: an interface that boards' table
 * builders ask every device for. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_TABLE_SOURCE_H
#define HW_ACPI_TABLE_SOURCE_H

#include "hw/acpi/tables.h"
#include "hw/core/device.h"

#define TYPE_ACPI_TABLE_SOURCE "acpi-table-source"

typedef struct AcpiTableSource {
    /* Adds its tables; no table is open. */
    void (*add_tables)(Device *dev, AcpiTables *t);
} AcpiTableSource;

/* Of all realized devices of the machine, in the order of the tree. */
void acpi_add_tables_of_devices(AcpiTables *t);

#endif
