/*
 * microvm: a board for guests that start fast and need little: virtio over memory-mapped registers,
 * no PCI unless asked for, hardware-reduced ACPI or a device tree. Not versioned.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_MICROVM_H
#define HW_I386_MICROVM_H

#include "hw/acpi/linker.h"
#include "x86_machine.h"

#define TYPE_MICROVM "microvm" TYPE_MACHINE_SUFFIX

/* The memory map. */
#define MICROVM_RAM_BELOW_4G   UINT64_C(0xc0000000)
#define MICROVM_PCIE_MMIO      UINT64_C(0xc0000000)
#define MICROVM_PCIE_MMIO_BYTES (512 * MiB)
#define MICROVM_ECAM           UINT64_C(0xe0000000)
#define MICROVM_ECAM_BYTES     (256 * MiB)
#define MICROVM_XHCI           UINT64_C(0xfe900000)
#define MICROVM_XHCI_BYTES     0x4000
#define MICROVM_GED            UINT64_C(0xfea00000)
#define MICROVM_GED_REGISTERS  UINT64_C(0xfea00200)
#define MICROVM_VIRTIO         UINT64_C(0xfeb00000)
#define MICROVM_VIRTIO_BYTES   0x200

#define MICROVM_GED_GSI     9
#define MICROVM_XHCI_GSI    10
#define MICROVM_MAX_SLOTS   24
#define MICROVM_RTC_IRQ     8
#define MICROVM_SERIAL_IRQ  4
#define MICROVM_SERIAL_PORT 0x3f8

typedef enum MicrovmPciHole {
    MICROVM_PCI_HOLE_AUTO, MICROVM_PCI_HOLE_KVM, MICROVM_PCI_HOLE_ALIAS, MICROVM_PCI_HOLE_OFF
} MicrovmPciHole;

/* Who has which lines: it depends on ACPI and on the second IOAPIC. */
typedef struct MicrovmLines {
    unsigned slots;     /* of virtio-mmio */
    unsigned slot_gsi;  /* of the first */
    unsigned pcie_gsi;  /* of INTA to INTD; 0: no PCI Express */
    unsigned ioapics;
} MicrovmLines;

typedef struct MicrovmMachine {
    X86Machine parent;
    /* properties; the first three are OnOffAutoValue */
    int rtc, pcie, ioapic2;
    bool has_serial, has_option_roms, extends_cmdline;
    int pci_hole; /* MicrovmPciHole */
    /* state */
    MicrovmLines lines;
    IsaBus *isa;
    Device *slots[MICROVM_MAX_SLOTS]; /* borrowed */
    Device *gpex;                     /* borrowed; NULL: no PCI Express */
    uint64_t pcie_mmio64, pcie_mmio64_bytes;
    struct X86DirectBoot *direct;     /* how resets enter the kernel; NULL: firmware does */
    GPtrArray *direct_roms;           /* Rom: what they write for it */
} MicrovmMachine;
DECLARE_CAST(MicrovmMachine, MICROVM_MACHINE)

static inline bool microvm_has_acpi(const MicrovmMachine *m)
{
    return x86_is_on(m->parent.acpi);
}
static inline uint64_t microvm_slot_addr(unsigned slot)
{
    return MICROVM_VIRTIO + slot * (uint64_t)MICROVM_VIRTIO_BYTES;
}
/* A device sits in the virtio-mmio slot. */
bool microvm_slot_is_used(const MicrovmMachine *m, unsigned slot);
/* A serial port is on the ISA bus. */
bool microvm_has_serial(const MicrovmMachine *m);

/* In .complete: ACPI's files (acpi_microvm.c) and the device tree's (microvm_fdt.c) in fw_cfg. */
bool microvm_add_acpi(MicrovmMachine *m, Error **errp);
bool microvm_add_fdt(MicrovmMachine *m, Error **errp);
/* The tables behind the former. */
void microvm_build_acpi(const MicrovmMachine *m, AcpiLinker *linker);

/* Without firmware (microvm_direct.c): the tables and the kernel are what resets write to memory.
 * In .complete, after all devices; at the end. */
bool microvm_start_directly(MicrovmMachine *m, Error **errp);
void microvm_direct_clear(MicrovmMachine *m);

#endif
