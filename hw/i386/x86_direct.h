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
#include "x86_kernel.h"

/* A segment register: selector, and the descriptor as it stands in the GDT. */
typedef struct X86StartSegment {
    uint16_t selector;
    uint64_t descriptor; /* a 64-bit TSS: its lower half, base 0 */
} X86StartSegment;

/* General registers not named are 0; interrupts are off; the IDT is empty. */
typedef struct X86StartState {
    bool is_long_mode;
    uint64_t rip, rsp, rax, rbx, rsi, rflags;
    uint64_t cr0, cr3, cr4, efer;
    X86StartSegment code, data, tss; /* `data`: DS, ES, FS, GS and SS */
    uint64_t gdt_base;
    uint16_t gdt_limit;
} X86StartState;

typedef struct X86DirectBoot {
    X86StartState state;
    GArray *pieces;   /* X86Blob: what resets write to memory; `data` NULL: zeros */
    GPtrArray *owned; /* buffers behind some of them; the kernel has the others */
} X86DirectBoot;

typedef struct X86DirectRoom {
    const E820 *memory;
    uint64_t rsdp; /* address of ACPI's root; 0: there is none */
} X86DirectRoom;

/* The kernel outlives the result. Fails for kernels that only real mode can start. */
bool x86_direct_boot(const X86Kernel *kernel, const X86DirectRoom *room, X86DirectBoot *boot,
                     Error **errp);
void x86_direct_boot_clear(X86DirectBoot *boot);

#endif
