/*
 * Which instructions a CPU's features bring.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_ISA_H
#define TARGET_I386_ISA_H

#include <Zydis/Zydis.h>

#include "target/i386/cpu.h"

/* The CPU has the instruction; else it is undefined. */
bool x86_has_instruction(const X86Cpu *cpu, const ZydisDecodedInstruction *in);

#endif
