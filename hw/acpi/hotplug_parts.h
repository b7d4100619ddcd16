/*
 * What the controllers of hw/acpi/hotplug.h share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_HOTPLUG_PARTS_H
#define HW_ACPI_HOTPLUG_PARTS_H

#include "hw/acpi/hotplug.h"
#include "qapi/qapi-types-acpi.h"

/* The selected slot; NULL (and logged): it does not exist. */
AcpiSlot *acpi_slot_selected(AcpiSlots *slots, const char *what);
/* The guest's OST is complete: tells clients; a refused ejection also as such. `dev` may be NULL. */
void acpi_slot_report(const AcpiSlots *slots, ACPISlotType type, Device *dev);
ACPIOSTInfo *acpi_slot_describe(const AcpiSlots *slots, unsigned n, ACPISlotType type,
                                const Device *dev);

/* Each controller; the device has its kind. */
extern const MemoryOps acpi_memory_hotplug_ops, acpi_cpu_hotplug_ops, acpi_pci_hotplug_ops;
Device *acpi_memory_hotplug_device(unsigned slot);
Device *acpi_cpu_hotplug_device(unsigned slot);
bool acpi_pci_hotplug_pre_plug(AcpiHotplug *hp, PciDevice *dev, Error **errp);
void acpi_pci_hotplug_plug(AcpiHotplug *hp, PciDevice *dev);
void acpi_pci_hotplug_request(AcpiHotplug *hp, PciDevice *dev);
void acpi_pci_hotplug_unplug(AcpiHotplug *hp, PciDevice *dev);

#endif
