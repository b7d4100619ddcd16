/*
 * X86Gsi: global system interrupts, the lines that devices of an x86 board drive: 0 to 15 are the
 * 8259s' and the first IOAPIC's, 16 on are IOAPICs' alone. GSI 0, the timer's, is pin 2 of its
 * IOAPIC. A line is up while anyone drives it up.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_X86_GSI_H
#define HW_I386_X86_GSI_H

#include "hw/core/device.h"

#define X86_IOAPIC_PINS  24
#define X86_IOAPIC_COUNT 2
#define X86_GSI_COUNT    (X86_IOAPIC_PINS * X86_IOAPIC_COUNT)
#define X86_PIC_INPUTS   16
#define X86_IOAPIC_ADDR  UINT64_C(0xfec00000)
#define X86_IOAPIC2_ADDR UINT64_C(0xfec10000)

typedef struct X86Gsi {
    IrqInputs in;
    IrqLine pic[X86_PIC_INPUTS];
    IrqLine ioapic[X86_GSI_COUNT];
} X86Gsi;

void x86_gsi_init(X86Gsi *gsi);
void x86_gsi_clear(X86Gsi *gsi);
static inline IrqInput *x86_gsi_input(X86Gsi *gsi, unsigned n)
{
    return irq_inputs_at(&gsi->in, n);
}
/* IOAPIC n takes GSIs from 24 * n on; `master` is a pair of 8259s. */
void x86_gsi_connect_ioapic(X86Gsi *gsi, unsigned n, Device *ioapic);
void x86_gsi_connect_pics(X86Gsi *gsi, Device *master);

#endif
