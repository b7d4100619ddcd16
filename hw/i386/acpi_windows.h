/*
 * AcpiWindows: ranges of ports and memory that firmware gave to the functions of a root bus, for
 * _CRS: what one root has, another must not offer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_ACPI_WINDOWS_H
#define HW_I386_ACPI_WINDOWS_H

#include "hw/acpi/aml_resource.h"
#include "hw/pci/pci_bus.h"

typedef enum AcpiWindowKind { ACPI_WINDOW_IO, ACPI_WINDOW_MEMORY, ACPI_WINDOW_KINDS }
    AcpiWindowKind;

typedef struct AcpiRange {
    uint64_t first, last;
} AcpiRange;

typedef struct AcpiWindows {
    GArray *ranges[ACPI_WINDOW_KINDS]; /* of AcpiRange, in order, apart */
    unsigned first_bus, last_bus;      /* 256, 0: none */
} AcpiWindows;

AcpiWindows *acpi_windows_new(void);
void acpi_windows_free(AcpiWindows *windows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AcpiWindows, acpi_windows_free)

/* BARs of its functions, windows and buses of its bridges, as they are programmed. */
void acpi_windows_add_bus(AcpiWindows *windows, PciBus *root);
void acpi_windows_join(AcpiWindows *windows, const AcpiWindows *more);
/* 256: none. */
unsigned acpi_windows_first_bus(const AcpiWindows *windows);
Aml *acpi_windows_bus_numbers(const AcpiWindows *windows, unsigned root_number);
/* All of them. */
void acpi_windows_put(const AcpiWindows *windows, Aml *template);
/* What of [first, last] is not among them. */
void acpi_windows_put_rest(const AcpiWindows *windows, AcpiWindowKind kind, uint64_t first,
                           uint64_t last, Aml *template);

#endif
