/*
 * Starting a kernel without firmware: what memory holds and what the boot processor's registers
 * are when it enters the kernel. A pure function of the kernel and the machine's memory map; who
 * resets the machine puts it in place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_X86_DIRECT_H
#define HW_I386_X86_DIRECT_H

#include "hw/acpi/e820.h"
#include "hw/core/x86_start.h"
#include "x86_kernel.h"

typedef struct X86DirectBoot {
    X86StartState state;
    GArray *pieces;   /* X86Blob: what resets write to memory; `data` NULL: zeros */
    GPtrArray *owned; /* buffers behind some of them; the kernel has the others */
} X86DirectBoot;

typedef struct X86DirectRoom {
    const E820 *memory;
    uint64_t rsdp; /* address of ACPI's root; 0: there is none */
} X86DirectRoom;

/* No kernel that only real mode can start. */
bool x86_can_start_directly(const X86Kernel *kernel);
/* The kernel outlives the result. Fails if it cannot be started so. */
bool x86_direct_boot(const X86Kernel *kernel, const X86DirectRoom *room, X86DirectBoot *boot,
                     Error **errp);
void x86_direct_boot_clear(X86DirectBoot *boot);

#endif
