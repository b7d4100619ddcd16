/*
 * System management interrupts of chipsets: to the boot processor, or to all.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_X86_SMI_H
#define HW_I386_X86_SMI_H

#include "system/irq.h"

typedef enum X86SmiTarget { X86_SMI_BOOT_CPU, X86_SMI_ALL_CPUS } X86SmiTarget;

void x86_send_smi(X86SmiTarget target);
/* A line whose going up sends one to the boot processor: an IrqHandler. */
void x86_smi_line(void *opaque, unsigned n, int level);

#endif
