/*
 * PcMachine: what `pc` and `q35` share. A board is a PcMachineType: which chipset, how RAM is
 * split, what is on the ISA bus; pc_build() does the rest.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_PC_MACHINE_H
#define HW_I386_PC_MACHINE_H

#include "block/block_backend.h"
#include "pc_host.h"
#include "x86_machine.h"

#define TYPE_PC_MACHINE "generic-pc" TYPE_MACHINE_SUFFIX

#define PC_FLASHES 2

typedef enum PcSmbios { PC_SMBIOS_32, PC_SMBIOS_64, PC_SMBIOS_AUTO } PcSmbios;

typedef struct PcMachine PcMachine;

/* A function of the chipset on the root bus. */
typedef struct PcFunction {
    const char *type;
    unsigned devfn;
    bool is_multifunction;
    bool (*is_wanted)(const PcMachine *pc); /* NULL: always */
    void (*prepare)(PcMachine *pc, Device *dev); /* properties; before it is realized */
    void (*wire)(PcMachine *pc, Device *dev);    /* lines; after */
    bool has_ide_drives;                         /* if=ide is behind it */
} PcFunction;

struct PcMachine {
    X86Machine parent;
    /* properties */
    int vmport;            /* OnOffAutoValue */
    int smbios_entry_point; /* PcSmbios */
    bool has_hpet, has_i8042, has_sata, has_smbus, checks_floppy, bypasses_iommu, has_nvdimm;
    uint64_t max_ram_below_4g; /* 0: what suits the board */
    BlockBackend *flash[PC_FLASHES]; /* referenced; NULL: no chip */
    /* state */
    bool was_reset;        /* for -boot once= */
    PcHost *host;          /* referenced: ROMs are in its memory; other devices are borrowed */
    PciDevice *isa_bridge;
    IsaBus *isa;
    struct AcpiPc *acpi;      /* the tables in fw_cfg; NULL: there are none */
    MemoryRegion option_roms; /* 0xc0000-0xdffff on the PCI bus */
};
DECLARE_CAST(PcMachine, PC_MACHINE)

typedef struct PcMachineType {
    struct X86MachineType;
    const char *host_type;   /* of the host bridge, */
    const char *host_name;   /* a child of the machine of this name */
    const char *bridge_type; /* of the ISA bridge, */
    uintptr_t bridge_devfn;  /* there on the root bus */
    const char *bridge_irqs; /* its outputs, which are GSIs of the same numbers */
    uintptr_t bridge_irq_count;
    uintptr_t has_floppy;    /* a controller, whatever is behind it */
    uintptr_t hpet_lines;    /* that its timers can use, a bit each */
    uintptr_t smbios_default; /* PcSmbios */
    /* Bytes of RAM below 4 GiB at most. */
    uint64_t (*split_ram)(const PcMachine *pc);
    /* After the bridge, in this order; the first without a type ends it. */
    const PcFunction *functions;
    /* What the bridge must know before it is realized; NULL: nothing. */
    void (*prepare_bridge)(PcMachine *pc, Device *bridge);
    /* As MachineType.complete, for what is this board's alone; NULL: nothing. */
    bool (*complete_board)(PcMachine *pc, Error **errp);
} PcMachineType;

static inline const PcMachineType *pc_machine_ops(const PcMachine *pc)
{
    return object_ops(pc);
}

bool pc_build(Machine *machine, Error **errp);
bool pc_complete(Machine *machine, Error **errp);

/* --- the parts of it --- */

/* Where what is above 4 GiB begins, and that it fits (pc_memory.c). The host is not realized. */
bool pc_place_memory(PcMachine *pc, Error **errp);
/* Timers, ports, controllers on the ISA bus (pc_devices.c). */
bool pc_add_isa_devices(PcMachine *pc, Error **errp);
bool pc_add_functions(PcMachine *pc, Error **errp);
/* -serial, -parallel, -vga (pc_lines.c). */
bool pc_add_lines(PcMachine *pc, Error **errp);
/* What firmware finds in the RTC's memory (pc_cmos.c); of drives when all are there. */
void pc_tell_drives(PcMachine *pc);
bool pc_fill_cmos(PcMachine *pc, Error **errp);
/* What it finds in fw_cfg (pc_fw_cfg.c, pc_smbios.c); with all devices there. */
bool pc_tell_firmware(PcMachine *pc, Error **errp);
bool pc_make_smbios(PcMachine *pc, Error **errp);

/* Abstract types of the two boards, from which versions derive (pc_versions.c). */
#define TYPE_PC_I440FX "pc-i440fx-base" TYPE_MACHINE_SUFFIX
#define TYPE_PC_Q35    "pc-q35-base" TYPE_MACHINE_SUFFIX

/* Puts option ROMs without a BAR where firmware looks; when all devices are there. */
bool pc_offer_pci_roms(PcMachine *pc, Error **errp);

#endif
