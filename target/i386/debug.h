/*
 * An x86 CPU for debuggers: what the files behind its CpuDebug share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_DEBUG_H
#define TARGET_I386_DEBUG_H

#include "hw/core/cpu_debug.h"
#include "target/i386/cpu.h"

extern const CpuDebug x86_cpu_debug;

/* One instruction as text, of code in `mode` (X86_MODE_*); its length, 0: none. */
unsigned x86_format_insn(uint32_t mode, uint64_t addr, const uint8_t *code, unsigned bytes,
                         GString *out);

/* target/i386/gdb_registers.c */
const char *x86_gdb_architecture(Cpu *cpu);
const CpuRegisterSet *x86_gdb_register_set(Cpu *cpu, unsigned index);

/* target/i386/core_notes.c */
uint16_t x86_elf_machine(Cpu *cpu);
void x86_write_notes(Cpu *cpu, unsigned id, CpuNoteFn *fn, void *opaque);

/* A descriptor's upper word without its base: target/i386/print_registers.c. */
uint32_t x86_segment_flags(const X86Segment *seg);

#endif
