/*
 * CpuDebug: a CPU as people and debuggers look at it: what its addresses mean, its instructions as
 * text, its registers by name and number. Looking changes nothing in the guest.
 *
 * Machine lock, and the CPU is out of guest code: cpu_debug_call() sees to that.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_CPU_DEBUG_H
#define HW_CORE_CPU_DEBUG_H

#include "hw/core/cpu.h"
#include "system/address_space.h"

/* Where an address of the CPU's code leads. */
typedef struct CpuPlace {
    AddressSpace *as;
    MemTxAttrs attrs;
    GuestAddr physical;
    uint64_t bytes;     /* from here to the end of the page, at least 1 */
} CpuPlace;

/* Addresses in a row that are physical ones in a row. */
typedef struct CpuMapping {
    uint64_t addr, bytes;
    GuestAddr physical;
} CpuMapping;
typedef void CpuMappingFn(void *opaque, const CpuMapping *mapping);

/* A register as gdb numbers and describes it; its value is `bits` / 8 bytes, in target order. */
typedef struct CpuRegister {
    const char *name, *type; /* gdb's type, or one of the set's */
    const char *group;       /* NULL: gdb chooses */
    uint16_t bits;
} CpuRegister;

/* Registers that CPUs have or lack together. */
typedef struct CpuRegisterSet {
    const char *feature;     /* "org.gnu.gdb.i386.core" */
    const char *types;       /* XML; NULL: none of its own */
    const CpuRegister *rows;
    unsigned count;
    void (*read)(Cpu *cpu, unsigned n, uint8_t *value);
    /* False: it cannot be written, or not to this value. */
    bool (*write)(Cpu *cpu, unsigned n, const uint8_t *value);
} CpuRegisterSet;

/* A note of an ELF core file. */
typedef void CpuNoteFn(void *opaque, const char *name, uint32_t type, const void *data,
                       size_t bytes);

typedef struct CpuDebug {
    /* Through page tables, whatever they allow. False: there is nothing. */
    bool (*locate)(Cpu *cpu, uint64_t addr, CpuPlace *place);
    /* One instruction as text, in the CPU's mode of now; its length, 0: none. */
    unsigned (*disassemble)(Cpu *cpu, uint64_t addr, const uint8_t *code, unsigned bytes,
                            GString *out);
    uint64_t (*pc)(Cpu *cpu); /* as addresses of breakpoints are */
    void (*set_pc)(Cpu *cpu, uint64_t pc);
    /* Of a name people use: "pc", "eip", "cs". */
    bool (*find_register)(Cpu *cpu, const char *name, uint64_t *value);
    /* Pages, and ranges of them with equal rights. */
    void (*print_pages)(Cpu *cpu, GString *out);
    void (*print_ranges)(Cpu *cpu, GString *out);
    /* By address, joined. False: paging is off. */
    bool (*each_mapping)(Cpu *cpu, CpuMappingFn *fn, void *opaque);
    /* Its interrupt controller; NULL: it has none of its own. */
    void (*print_controller)(Cpu *cpu, GString *out);
    /* --- for gdb --- */
    const char *(*architecture)(Cpu *cpu);
    /* The set at `index`, NULL past the last. */
    const CpuRegisterSet *(*register_set)(Cpu *cpu, unsigned index);
    /* --- for core files --- */
    uint16_t (*elf_machine)(Cpu *cpu); /* of the first CPU, for the file */
    /* As many from each CPU; `id` from 1. */
    void (*write_notes)(Cpu *cpu, unsigned id, CpuNoteFn *fn, void *opaque);
} CpuDebug;

/* NULL: this CPU cannot be looked into. */
static inline const CpuDebug *cpu_debug(const Cpu *cpu)
{
    return cpu_ops(cpu)->debug;
}

/* Runs fn while the CPU is out of guest code, its state in memory (lock given up meanwhile). */
void cpu_debug_call(Cpu *cpu, void (*fn)(Cpu *cpu, void *opaque), void *opaque);

/* All or nothing of it; devices are read as by a load. */
bool cpu_debug_read(Cpu *cpu, uint64_t addr, void *out, size_t bytes);
/* ROM is written, devices are not. */
bool cpu_debug_write(Cpu *cpu, uint64_t addr, const void *data, size_t bytes);

#endif
