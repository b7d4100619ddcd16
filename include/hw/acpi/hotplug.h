/*
 * AcpiHotplug: the controllers by which ACPI guests plug memory, CPUs and PCI functions: registers
 * that the AML of hw/i386 reads and writes, and GPEs that make it look. A chipset's power
 * management device embeds it and is the hot-plug handler of what it plugs. The layouts are those
 * of QEMU's machines, which firmware knows too.
 *
 * All functions want the machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_HOTPLUG_H
#define HW_ACPI_HOTPLUG_H

#include "hw/acpi/pm.h"
#include "hw/pci/pci_bus.h"

/* The interface of the device that embeds it. */
#define TYPE_ACPI_DEVICE_IF "acpi-device-interface"

/* What a guest is told, as numbers of GPEs. */
typedef enum AcpiEvent {
    ACPI_EVENT_PCI = 1,
    ACPI_EVENT_CPU,
    ACPI_EVENT_MEMORY,
    ACPI_EVENT_NVDIMM,
    ACPI_EVENT_VMGENID,
} AcpiEvent;

#define ACPI_MEMORY_HOTPLUG_PORT  0xa00
#define ACPI_MEMORY_HOTPLUG_BYTES 24
#define ACPI_CPU_HOTPLUG_BYTES    32 /* the first 12, when they are not the bitmap */
#define ACPI_PCI_HOTPLUG_BYTES    24
#define ACPI_PCI_HOTPLUG_BUSES    256

/* A place that a guest is told of. */
typedef struct AcpiSlot {
    bool is_inserting, is_removing; /* and the guest has not acknowledged it */
    bool is_left_to_firmware;       /* CPUs: firmware is to eject it */
    bool is_leaving;                /* CPUs: ejected; the device goes soon */
    uint32_t ost_event, ost_status;
} AcpiSlot;

typedef struct AcpiSlots {
    AcpiSlot *items;
    uint32_t count;
    uint32_t selector;
} AcpiSlots;

typedef struct AcpiPciBusSlots {
    uint32_t up, down; /* bit per slot */
} AcpiPciBusSlots;

typedef struct AcpiHotplug AcpiHotplug;

/* The chipset's part; const. */
typedef struct AcpiHotplugChip {
    uint16_t cpu_port, pci_port;
} AcpiHotplugChip;

struct AcpiHotplug {
    MemoryRegion memory_io, cpu_io, pci_io;
    const AcpiHotplugChip *chip;
    AcpiPm *pm;
    Device *owner;
    AcpiSlots memory, cpus;
    bool has_cpu_bitmap; /* the CPUs' registers are the bitmap of those present */
    uint8_t cpu_command;
    struct {
        PciBus *buses[ACPI_PCI_HOTPLUG_BUSES]; /* borrowed, by BSEL; NULL: none */
        unsigned bus_count;
        AcpiPciBusSlots slots[ACPI_PCI_HOTPLUG_BUSES];
        uint32_t selector, index;
    } pci;
};

typedef struct AcpiDeviceIf {
    AcpiHotplug *(*hotplug)(Object *obj);
} AcpiDeviceIf;

extern const VMState acpi_hotplug_state;

/* In the owner's init and finalize; `pm` and `chip` are borrowed. */
void acpi_hotplug_init(AcpiHotplug *hp, AcpiPm *pm, const AcpiHotplugChip *chip);
void acpi_hotplug_clear(AcpiHotplug *hp);
/* In its realize and unrealize: takes and gives ports. */
void acpi_hotplug_start(AcpiHotplug *hp, bool has_memory);
void acpi_hotplug_stop(AcpiHotplug *hp);
void acpi_hotplug_reset(AcpiHotplug *hp);

/* Of the machine; NULL: it has none. */
AcpiHotplug *acpi_hotplug_of_machine(void);
void acpi_hotplug_raise(AcpiHotplug *hp, AcpiEvent event);

/* The owner's TYPE_HOTPLUG_HANDLER, whatever kind of device it is. */
struct HotplugHandler;
extern const struct HotplugHandler acpi_hotplug_handler;

/*
 * When all of the board's devices are there: gives numbers (BSEL) to `root`, if `with_root`, and to
 * the buses behind bridges, if `with_bridges`, and becomes their handler.
 */
typedef struct AcpiPciScope {
    bool with_root, with_bridges;
} AcpiPciScope;
void acpi_pci_hotplug_adopt(AcpiHotplug *hp, PciBus *root, AcpiPciScope scope);
/* The number of a bus; -1: none. */
int acpi_pci_hotplug_bsel(const AcpiHotplug *hp, const PciBus *bus);

#endif
