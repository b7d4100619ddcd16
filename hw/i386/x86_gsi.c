/*
 * Global system interrupts: see x86_gsi.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/intc/i8259.h"
#include "x86_gsi.h"

#define CASCADE   2 /* no device can have it */
#define TIMER_PIN 2

static void gsi_changed(void *opaque, unsigned n, int level)
{
    X86Gsi *gsi = opaque;
    bool is_up = level;

    for (const IrqLine *line = gsi->in.items[n].lines; line; line = line->next) {
        is_up |= line->level != 0;
    }
    if (n < X86_PIC_INPUTS) {
        irq_set(&gsi->pic[n], is_up);
    }
    irq_set(&gsi->ioapic[n], is_up);
}

void x86_gsi_init(X86Gsi *gsi)
{
    irq_inputs_init(&gsi->in, X86_GSI_COUNT, gsi_changed, gsi);
}

static void disconnect_all(IrqLine *lines, unsigned count)
{
    for (unsigned n = 0; n < count; n++) {
        irq_disconnect(&lines[n]);
    }
}

void x86_gsi_clear(X86Gsi *gsi)
{
    disconnect_all(gsi->pic, X86_PIC_INPUTS);
    disconnect_all(gsi->ioapic, X86_GSI_COUNT);
    irq_inputs_clear(&gsi->in);
}

void x86_gsi_connect_ioapic(X86Gsi *gsi, unsigned n, Device *ioapic)
{
    for (unsigned pin = 0; pin < X86_IOAPIC_PINS; pin++) {
        unsigned number = n * X86_IOAPIC_PINS + pin;

        if (number == 0) {
            irq_connect(&gsi->ioapic[0], device_irq_in(ioapic, NULL, TIMER_PIN));
        } else if (number != TIMER_PIN) {
            irq_connect(&gsi->ioapic[number], device_irq_in(ioapic, NULL, pin));
        }
    }
}

void x86_gsi_connect_pics(X86Gsi *gsi, Device *master)
{
    for (unsigned n = 0; n < X86_PIC_INPUTS; n++) {
        if (n != CASCADE) {
            irq_connect(&gsi->pic[n], i8259_pair_input(master, n));
        }
    }
}
