/*
 * The generic event device of machines without ACPI hardware: what others tell it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_GED_H
#define HW_ACPI_GED_H

#include "hw/core/mmio_device.h"

#define TYPE_ACPI_GED     "acpi-ged"
#define TYPE_ACPI_GED_X86 "acpi-ged-x86"

/* Bits of the event selector, and of the property "ged-event". */
#define ACPI_GED_MEMORY_HOTPLUG BIT(0)
#define ACPI_GED_POWER_DOWN     BIT(1)
#define ACPI_GED_NVDIMM_HOTPLUG BIT(2)
#define ACPI_GED_CPU_HOTPLUG    BIT(3)

/* Its regions, by number. */
enum { ACPI_GED_SELECTOR, ACPI_GED_MEMORY, ACPI_GED_REGISTERS };
#define ACPI_GED_MEMORY_BYTES 24

/* Registers for sleep and reset (ACPI 6.4, 4.8.3.7 and 4.8.3.6). */
enum { ACPI_GED_SLEEP_CONTROL, ACPI_GED_SLEEP_STATUS, ACPI_GED_RESET, ACPI_GED_REGISTER_BYTES };
#define ACPI_GED_RESET_VALUE 0x42
#define ACPI_GED_S5_TYPE     5

/* Shows the guest an event, if "ged-event" has it. Machine lock. */
void acpi_ged_raise(Device *ged, uint32_t event);
/* Where the controller of pluggable memory puts its registers. */
MemoryRegion *acpi_ged_memory_container(Device *ged);

#endif
