/*
 * Machine: the board as a whole, "/machine". Its type is a table: what it may have, what it has
 * by default, how it is built. Exactly one exists, made from -machine's options.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_MACHINE_H
#define HW_CORE_MACHINE_H

#include "hw/core/board_options.h"
#include "hw/core/device.h"
#include "hw/core/topology.h"

#define TYPE_MACHINE        "machine"
#define TYPE_MACHINE_SUFFIX "-machine"

struct NumaState;

typedef struct Machine {
    Object parent;
    /* properties */
    char *kernel, *initrd, *append, *dtb, *dumpdtb, *dt_compatible, *firmware, *memory_encryption;
    int64_t phandle_start;
    bool usb, graphics, mem_merge, dump_guest_core, suppress_vmdesc;
    bool hmat; /* only boards that declare PROP_MACHINE_HMAT can turn it on */
    Object *confidential;
    Object *memory_backend; /* the RAM's; NULL: none yet, or those of the NUMA nodes */
    CpuTopology smp;
    MemorySizes memory;
    BootOrder boot;
    struct NumaState *numa;
    BoardOptions options;
    /* -mem-path (borrowed) and -mem-prealloc: the shape of the RAM nobody gave a back end for */
    const char *mem_path;
    bool is_ram_preallocated;
    /* state */
    const char *cpu_type;      /* QOM type of -cpu; NULL: no CPU */
    MemoryRegion *ram;         /* NULL: no memory */
    MemoryRegion own_ram;      /* holds the NUMA nodes' */
    struct DeviceMemory *device_memory; /* where DIMMs go; NULL: nowhere */
    CpuSlots *slots;           /* where CPUs are or may come; NULL: none asked for */
    bool is_initialized;
} Machine;
DECLARE_CAST(Machine, MACHINE)

/* What devices of a type are set to, before the user's -global. */
typedef struct MachineGlobal {
    const char *type, *property, *value;
} MachineGlobal;

/* A release whose machines stay as they were: what changed after it, undone. */
typedef struct MachineVersion {
    const char *name;                   /* "8.2" */
    const struct MachineVersion *newer; /* whose values come first; NULL: the newest */
    const MachineGlobal *globals;
    size_t count;
} MachineVersion;

typedef struct MachineType {
    struct ObjectType;
    const char *family;            /* machines of one stand together in lists; NULL: none */
    const MachineVersion *version; /* NULL: it has none */
    const char *alias;
    uintptr_t is_default;
    uintptr_t max_cpus;            /* 0: 1 */
    uintptr_t default_ram_bytes;   /* 0: 128 MiB */
    const char *default_ram_id;    /* NULL: it has no RAM of its own */
    const char *default_cpu;       /* QOM type name */
    uintptr_t has_hotpluggable_cpus;
    uintptr_t supports_numa;
    uintptr_t supports_numa_mem;   /* the old -numa mem= */
    uintptr_t auto_enable_numa;    /* NUMA_AUTO_* */
    uintptr_t supports_smp;        /* TopologyLevel mask */
    uintptr_t prefers_sockets;     /* derive sockets before cores */
    uintptr_t has_acpi;
    uintptr_t has_serial, has_parallel; /* ports that are there without being asked for */
    uintptr_t block_interface;     /* BlockInterface: of drives that do not say; 0: nowhere */
    uintptr_t has_cdrom, has_floppy_drive; /* without being asked for */
    uintptr_t ide_units;           /* of each IDE bus; 0: two */
    const char *default_vga;       /* -vga without -nodefaults; NULL: none */
    const char *default_nic;       /* without -nodefaults, and of -nic; NULL: none */
    uintptr_t is_without_ram;      /* -m 0 by default: "none" */
    const char *deprecation;       /* NULL: it is not */
    /* RAM, topology and CPU model are there: builds the rest. */
    bool (*build)(Machine *machine, Error **errp);
    /* The user's devices are there too: what firmware is told of them all. NULL: nothing. */
    bool (*complete)(Machine *machine, Error **errp);
    /* The slots of all CPUs that may come; the core makes the first smp.cpus of them. */
    CpuSlots *(*cpu_slots)(Machine *machine);
    /* The node of a CPU nobody spoke of; NULL: sockets take turns. Nodes are there. */
    unsigned (*default_cpu_node)(const Machine *machine, const CpuSlot *slot);
    /* Who plugs devices of this kind that have no bus handler; NULL: nobody. */
    Object *(*hotplug_handler)(Machine *machine, const Device *dev);
} MachineType;
#define MACHINE_TYPE(decl) OBJECT_TYPE(decl)

static inline const MachineType *machine_ops(const Machine *machine)
{
    return object_ops(machine);
}

/* A row for boards that can have an ACPI HMAT: -machine hmat=on permits -numa hmat-*. */
#define PROP_MACHINE_HMAT                                                                          \
    PROP_BOOL("hmat", Machine, hmat, .has_no_default = true,                                       \
              .doc = "Set on/off to enable/disable ACPI Heterogeneous Memory Attribute Table (HMAT)")

/* The machine of this process; NULL before it is made. */
Machine *machine_current(void);
/* By name or alias, as users know it: without the suffix. */
const Type *machine_type_find(const char *name);
const Type *machine_type_default(void);
/* "pc-q35-9.0" of "pc-q35-9.0-machine". Free it. */
char *machine_type_short_name(const Type *type);
/* -machine help: sorted lines "name  description (alias of x) (default)". */
void machine_print_types(GString *out);
/* Makes it, with its containers, and puts it at /machine. It has no devices yet. */
Machine *machine_create(const Type *type);
/* Made when first asked for: the topology is fixed from then on. NULL: it has no CPUs. */
CpuSlots *machine_cpu_slots(Machine *machine);
/* Checks properties against each other, makes RAM and slots, builds the board. */
bool machine_initialize(Machine *machine, Error **errp);
/* Done building: what comes now is hot-plugged; resets the machine for the first time. */
bool machine_set_ready(Machine *machine, Error **errp);
/* At exit: takes everything apart. */
void machine_destroy(void);

#endif
