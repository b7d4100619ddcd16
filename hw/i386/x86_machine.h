/*
 * X86Machine: what all x86 boards are: CPUs with APIC ids by topology, interrupts that end at 8259s
 * and IOAPICs, firmware below 4 GiB, what firmware is told. Boards derive from it and call its
 * parts in their build().
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_X86_MACHINE_H
#define HW_I386_X86_MACHINE_H

#include "hw/acpi/e820.h"
#include "hw/core/machine.h"
#include "hw/isa/isa.h"
#include "hw/pci/pci_bus.h"
#include "x86_a20.h"
#include "x86_gsi.h"
#include "x86_topology.h"

#define TYPE_X86_MACHINE "x86" TYPE_MACHINE_SUFFIX

#define X86_OEM_ID       "BOCHS "
#define X86_OEM_TABLE_ID "BXPC    "

typedef struct X86Machine {
    Machine parent;
    /* properties; the first four are OnOffAutoValue */
    int acpi, smm, pic, pit;
    char *oem_id, *oem_table_id;
    uint64_t bus_lock_rate;
    unsigned bus_numbers; /* of PCI, that tables announce; 0: as many as there can be */
    /* state */
    uint64_t below_4g_bytes, above_4g_bytes; /* of RAM */
    uint64_t above_4g_base;
    uint64_t firmware_max_bytes;
    X86ApicIds apic_ids;
    X86Gsi gsi;
    X86A20 a20;
    IrqInputs smi;               /* one: an SMI to the boot processor */
    Device *acpi_device;         /* that has power management registers; NULL: none */
    Device *ioapic, *pic_device, *pit_device, *rtc, *fw_cfg; /* borrowed; NULL: there is none */
    Object *hotplug;             /* ACPI's controller of CPUs; borrowed; NULL: none */
    E820 *e820;                  /* RAM and what is reserved */
    MemoryRegion firmware, firmware_alias;
    MemoryRegion ram_below, ram_above; /* aliases on the machine's RAM */
    uint64_t firmware_bytes;     /* 0: there is none */
    struct X86Kernel *kernel;    /* of -kernel; NULL: none was given */
    bool has_direct_start;       /* resets enter it; firmware is told nothing of it */
    Object *firmware_home;       /* referenced: owner of the memory it is in; NULL: nobody */
} X86Machine;
DECLARE_CAST(X86Machine, X86_MACHINE)

typedef struct X86MachineType {
    struct MachineType;
    /* Where a legacy BIOS is below 1 MiB RAM shows, not a ROM (microvm). */
    uintptr_t has_writable_firmware;
    uintptr_t has_no_apic_id_gaps; /* for very old versions; 0: ids have a field per level */
} X86MachineType;
#define X86_MACHINE_TYPE(decl) OBJECT_TYPE(decl)

/* "auto" is on. */
static inline bool x86_is_on(int on_off_auto)
{
    return on_off_auto != ON_OFF_AUTO_VALUE_OFF;
}

/* --- PCI Express (x86_buses.c) --- */

/* A row of properties, for boards with ECAM: x-mcfg-buses. */
json_object *x86_get_bus_numbers(Object *obj, const Property *p, Error **errp);
bool x86_set_bus_numbers(Object *obj, const Property *p, json_object *value, PropertyForm form,
                         Error **errp);
#define PROP_X86_BUS_NUMBERS                                                                       \
    PROP_COMPUTED("x-mcfg-buses", "string", .get = x86_get_bus_numbers,                            \
                  .set = x86_set_bus_numbers,                                                      \
                  .doc = "PCI bus numbers that ACPI announces: 1 to 256, or auto")
struct PciHost;
/* 1 to 256. */
unsigned x86_bus_numbers(const X86Machine *x86, const struct PciHost *host, bool is_plugged_later);

/* --- CPUs (x86_cpus.c) --- */

CpuSlots *x86_cpu_slots(Machine *machine);
/* For boards' hotplug_handler: CPUs are the machine's. */
Object *x86_hotplug_handler(Machine *machine, const Device *dev);
/* One more than the highest APIC id there can be. */
unsigned x86_apic_id_limit(Machine *machine);
/* The boot processor; NULL: none yet. */
Device *x86_boot_cpu(Machine *machine);

/* --- interrupts --- */

/* IOAPIC 0, a child "ioapic" of `parent`, and the messages' window. */
bool x86_make_ioapic(X86Machine *x86, Object *parent, Error **errp);
/* The 8259s on `bus`, behind the boot processor's LINT0 or INTR pin; GSIs lead to them. */
bool x86_make_pics(X86Machine *x86, IsaBus *bus, Error **errp);
/* Interrupts of `bus` end at the GSIs of the same numbers. */
void x86_connect_isa(X86Machine *x86, IsaBus *bus);

/* --- memory (x86_memory.c) --- */

/* Splits RAM at `split` bytes and maps it; fills e820. */
void x86_map_ram(X86Machine *x86, uint64_t split);

/* --- firmware (x86_firmware.c) --- */

/* The machine's, or `initial`: below 4 GiB of `memory` and, its end, below 1 MiB. */
bool x86_load_firmware(X86Machine *x86, const char *initial, MemoryRegion *memory, Error **errp);

/* --- what it boots from (x86_boot.c) --- */

/* After RAM. `reserved_bytes` of RAM below 4 GiB are left for ACPI tables. */
bool x86_load_kernel(X86Machine *x86, uint64_t reserved_bytes, Error **errp);
/* After fw_cfg: an option ROM that starts the kernel, if there is one, before anything else. */
bool x86_offer_kernel_rom(X86Machine *x86, Error **errp);
/* In .complete: users' files, the kernel and the boot order, into fw_cfg. */
bool x86_tell_boot(X86Machine *x86, Error **errp);

/* Sizes of RAM, into the clock's memory (x86_cmos.c). */
void x86_fill_cmos_sizes(X86Machine *x86);

/* --- fw_cfg (x86_fw_cfg.c) --- */

/* The device at the PC's ports, a child "fw_cfg" of the machine, with what all x86 boards tell. */
bool x86_make_fw_cfg(X86Machine *x86, Error **errp);

#endif
