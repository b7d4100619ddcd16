/*
 * What -smp, -m and -boot say, checked, and where CPUs can be.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_TOPOLOGY_H
#define HW_CORE_TOPOLOGY_H

#include "qom/object.h"

struct Machine;
struct MachineType;

typedef enum TopologyLevel {
    TOPOLOGY_SOCKET,
    TOPOLOGY_DIE,
    TOPOLOGY_CLUSTER,
    TOPOLOGY_CORE,
    TOPOLOGY_THREAD,
    TOPOLOGY_LEVEL_COUNT
} TopologyLevel;

typedef struct CpuTopology {
    unsigned cpus, max_cpus;
    unsigned counts[TOPOLOGY_LEVEL_COUNT]; /* of each in the one above */
} CpuTopology;

typedef struct MemorySizes {
    uint64_t size_bytes, max_bytes, slots;
} MemorySizes;

typedef struct BootOrder {
    char *order, *once, *splash;
    bool is_menu, has_menu, is_strict;
    int64_t splash_time, reboot_timeout; /* -1: not given */
} BootOrder;

/* A place a CPU can take. */
typedef struct CpuSlot {
    const char *type_name;
    unsigned vcpu_count;
    int64_t ids[TOPOLOGY_LEVEL_COUNT]; /* -1: the level does not exist here */
    int64_t node_id;                   /* -1: none assigned */
    uint64_t arch_id;
    struct Device *cpu;                /* NULL: empty */
} CpuSlot;

typedef struct CpuSlots {
    unsigned count;
    CpuSlot *slots;
} CpuSlots;

/* `value` is an object of text or typed members (SMPConfiguration); merges nothing. */
bool topology_set(struct Machine *machine, json_object *value, PropertyForm form, Error **errp);
json_object *topology_get(const CpuTopology *smp);
bool memory_sizes_set(struct Machine *machine, json_object *value, PropertyForm form,
                      Error **errp);
json_object *memory_sizes_get(const MemorySizes *memory);
bool boot_order_set(struct Machine *machine, json_object *value, PropertyForm form, Error **errp);
json_object *boot_order_get(const BootOrder *boot);
void boot_order_clear(BootOrder *boot);

/* Slots in order socket, die, cluster, core, thread, for the levels the machine has. */
CpuSlots *cpu_slots_new(struct Machine *machine, const char *type_name);
void cpu_slots_free(CpuSlots *slots);

#endif
