/*
 * PIIX4_PM: where the power management function of the PC's south bridge has its registers, for
 * the board and its ACPI tables.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_PIIX4_PM_H
#define HW_ACPI_PIIX4_PM_H

#define TYPE_PIIX4_PM "PIIX4_PM"

/* Ports that do not move. */
#define PIIX4_GPE0_PORT      0xafe0
#define PIIX4_GPE0_BYTES     4
#define PIIX4_PCI_HOTPLUG_PORT 0xae00
#define PIIX4_CPU_HOTPLUG_PORT 0xaf00
#define PIIX4_APM_PORT       0xb2
#define PIIX4_ACPI_ENABLE    0xf1
#define PIIX4_ACPI_DISABLE   0xf0
/* From the base that firmware writes to PMBA. */
#define PIIX4_PM_BYTES       64
#define PIIX4_PM_EVENT       0
#define PIIX4_PM_CONTROL     4
#define PIIX4_PM_TIMER       8

/* Lines: unnamed 0 is the SCI, "smi-irq" 0 the SMI. */

#endif
