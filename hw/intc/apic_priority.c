/*
 * Local APIC: which interrupt is the CPU's next. SDM volume 3, "Handling Interrupts".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/intc/apic_state.h"

static void set_bit(uint32_t bits[8], uint8_t vector, bool is_set)
{
    uint32_t bit = BIT(vector % 32);

    bits[vector / 32] = is_set ? bits[vector / 32] | bit : bits[vector / 32] & ~bit;
}

static bool test_bit(const uint32_t bits[8], uint8_t vector)
{
    return bits[vector / 32] & BIT(vector % 32);
}

int apic_highest(const uint32_t bits[8])
{
    for (int i = 7; i >= 0; i--) {
        if (bits[i]) {
            return i * 32 + 31 - __builtin_clz(bits[i]);
        }
    }
    return -1;
}

uint8_t apic_processor_priority(const Apic *apic)
{
    int in_service = apic_highest(apic->isr);

    if (in_service < 0 || apic->tpr >> 4 >= in_service >> 4) {
        return apic->tpr;
    }
    return in_service & 0xf0;
}

/* The vector that may interrupt the CPU now, -1: none. */
static int deliverable(const Apic *apic)
{
    int vector = apic_highest(apic->irr);

    if (!apic_is_on(apic) || !apic_is_software_enabled(apic) || vector < 0 ||
        vector >> 4 <= apic_processor_priority(apic) >> 4) {
        return -1;
    }
    return vector;
}

/* The 8259s' line reaches the CPU through LINT0, or past an APIC that is off. */
static bool has_extint(const Apic *apic)
{
    uint32_t lvt = apic->lvt[APIC_LVT_LINT0];

    if (!apic_is_on(apic)) {
        return apic->lint_level[0];
    }
    return apic->is_extint_pending ||
           (apic->lint_level[0] && !(lvt & APIC_LVT_MASKED) && (lvt >> 8 & 7) == APIC_EXTINT);
}

void apic_update(Apic *apic)
{
    if (apic->cpu.ops) {
        apic->cpu.ops->set_intr(apic->cpu.opaque, deliverable(apic) >= 0 || has_extint(apic));
    }
}

void apic_request(Apic *apic, uint8_t vector, bool is_level)
{
    set_bit(apic->irr, vector, true);
    set_bit(apic->tmr, vector, is_level);
    apic_update(apic);
}

int apic_acknowledge(Device *dev)
{
    Apic *apic = APIC(dev);
    int vector = deliverable(apic);

    if (vector >= 0) {
        set_bit(apic->irr, vector, false);
        set_bit(apic->isr, vector, true);
    } else if (has_extint(apic)) {
        apic->is_extint_pending = false;
        vector = apic_bus_acknowledge_pic();
    }
    apic_update(apic);
    return vector;
}

void apic_end_of_interrupt(Apic *apic)
{
    int vector = apic_highest(apic->isr);

    if (vector < 0) {
        return; /* as after a spurious interrupt */
    }
    set_bit(apic->isr, vector, false);
    for (unsigned n = APIC_LVT_LINT0; n <= APIC_LVT_LINT1; n++) {
        if ((apic->lvt[n] & 0xff) == vector) {
            apic->lvt[n] &= ~APIC_LVT_REMOTE_IRR;
        }
    }
    if (test_bit(apic->tmr, vector)) {
        apic_bus_end_of_interrupt(vector);
        for (unsigned n = 0; n < 2; n++) {
            if (apic->lint_level[n]) {
                apic_lint_set(apic, n, 1);
            }
        }
    }
    apic_update(apic);
}
