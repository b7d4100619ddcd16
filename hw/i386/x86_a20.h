/*
 * Address line 20 of x86 boards: the 8042's gate and port 92's, either of which frees it, and the
 * CPUs, which all follow. A gate that nobody drives is up: without an 8042 the line stays free,
 * whatever port 92 says.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_X86_A20_H
#define HW_I386_X86_A20_H

#include "hw/core/device.h"

typedef enum X86A20Gate { X86_A20_8042, X86_A20_PORT92, X86_A20_GATE_COUNT } X86A20Gate;

typedef struct X86A20 {
    IrqOr gates;    /* by X86A20Gate */
    IrqInputs cpus; /* one, for all of them */
} X86A20;

struct Machine;

void x86_a20_init(X86A20 *a20, struct Machine *machine);
void x86_a20_clear(X86A20 *a20);
/* The device's output "a20" is this gate. */
void x86_a20_connect(X86A20 *a20, X86A20Gate gate, Device *dev);
/* A CPU that comes finds the line as it is. */
void x86_a20_tell(const X86A20 *a20, Device *cpu);

#endif
