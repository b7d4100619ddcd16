/*
 * Local APIC: interrupts that come from and go to others. SDM volume 3, "Issuing Interprocessor
 * Interrupts", "Delivering Local Interrupts".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/intc/apic_state.h"
#include "trace.h"

#define FIRST_VECTOR 16 /* those below are the processor's own */

#define ICR_LOGICAL       BIT(11)
#define ICR_ASSERT        BIT(14)
#define ICR_LEVEL         BIT(15)
#define ICR_SHORTHAND(low) ((low) >> 18 & 3)
enum { TO_DEST, TO_SELF, TO_ALL, TO_OTHERS };

/* --- is it for us? --- */

static bool is_broadcast(const ApicMessage *message)
{
    return message->dest == (message->has_wide_dest ? UINT32_MAX : 0xff);
}

/* LDR of x2APIC mode: the cluster above, one bit of 16 below. */
static bool matches_x2_logical(const Apic *apic, uint32_t dest)
{
    return dest >> 16 == apic->initial_id >> 4 && (dest & BIT(apic->initial_id & 15));
}

static bool matches_logical(const Apic *apic, uint32_t dest)
{
    uint8_t ours = apic->ldr >> 24;

    if (dest > 0xff) {
        return false;
    }
    if (apic->dfr >> 28 == 0xf) {
        return dest & ours; /* flat */
    }
    return dest >> 4 == ours >> 4 && (dest & ours & 0xf);
}

bool apic_matches(Device *dev, const ApicMessage *message)
{
    Apic *apic = APIC(dev);

    if (!apic_is_on(apic) || message->except == dev) {
        return false;
    }
    if (is_broadcast(message)) {
        return true;
    }
    if (message->is_logical) {
        return apic_is_x2(apic) ? matches_x2_logical(apic, message->dest) :
                                  matches_logical(apic, message->dest);
    }
    return message->dest == (apic_is_x2(apic) ? apic->initial_id : apic->id >> 24);
}

bool apic_arbitrates(Device *dev, uint8_t *priority)
{
    *priority = apic_processor_priority(APIC(dev));
    return apic_is_software_enabled(APIC(dev));
}

/* --- what comes in --- */

static void receive_vector(Apic *apic, uint8_t vector, bool is_level)
{
    if (!apic_is_software_enabled(apic)) {
        return;
    }
    if (vector < FIRST_VECTOR) {
        apic_error(apic, APIC_ESR_RECEIVED_VECTOR);
        return;
    }
    apic_request(apic, vector, is_level);
}

static void receive_init(Apic *apic)
{
    apic_init_reset(apic);
    apic->is_init = !(apic->base & APIC_BASE_BSP);
    apic->cpu.ops->raise_init(apic->cpu.opaque);
}

static void receive_startup(Apic *apic, uint8_t vector)
{
    if (apic->is_init) {
        apic->is_init = false;
        apic->cpu.ops->raise_startup(apic->cpu.opaque, vector);
    }
}

void apic_deliver(Device *dev, const ApicMessage *message)
{
    Apic *apic = APIC(dev);

    if (!apic->cpu.ops) {
        return;
    }
    trace_apic_deliver(apic->initial_id, message->delivery, message->vector);
    switch ((ApicDelivery)message->delivery) {
    case APIC_FIXED:
    case APIC_LOWEST_PRIORITY:
        receive_vector(apic, message->vector, message->is_level);
        break;
    case APIC_SMI:
        apic->cpu.ops->raise_smi(apic->cpu.opaque);
        break;
    case APIC_NMI:
        apic->cpu.ops->raise_nmi(apic->cpu.opaque);
        break;
    case APIC_INIT:
        if (!message->is_deassert) {
            receive_init(apic);
        }
        break;
    case APIC_STARTUP:
        receive_startup(apic, message->vector);
        break;
    case APIC_EXTINT:
        apic->is_extint_pending = true;
        apic_update(apic);
        break;
    case APIC_RESERVED:
        break;
    }
}

/* --- what comes from within --- */

void apic_fire_lvt(Apic *apic, unsigned n)
{
    uint32_t lvt = apic->lvt[n];
    ApicMessage message = {
        .delivery = n == APIC_LVT_TIMER || n == APIC_LVT_ERROR ? APIC_FIXED : lvt >> 8 & 7,
        .vector = lvt & 0xff,
    };

    if (!(lvt & APIC_LVT_MASKED) && apic_is_on(apic)) {
        apic_deliver(&apic->parent, &message);
    }
}

static void fire_lint_level(Apic *apic, unsigned n)
{
    uint32_t *lvt = &apic->lvt[APIC_LVT_LINT0 + n];

    if (!(*lvt & (APIC_LVT_MASKED | APIC_LVT_REMOTE_IRR)) && apic_is_software_enabled(apic)) {
        *lvt |= APIC_LVT_REMOTE_IRR;
        receive_vector(apic, *lvt & 0xff, true);
    }
}

/* An APIC that is off hands its pins on: they are INTR and NMI. */
void apic_lint_set(void *opaque, unsigned n, int level)
{
    Apic *apic = APIC(opaque);
    uint32_t lvt = apic->lvt[APIC_LVT_LINT0 + n];
    bool is_fixed = (lvt >> 8 & 7) == APIC_FIXED;
    bool is_edge = level && !apic->lint_level[n];

    apic->lint_level[n] = level != 0;
    if (!apic_is_on(apic)) {
        if (n == 1 && is_edge && apic->cpu.ops) {
            apic->cpu.ops->raise_nmi(apic->cpu.opaque);
        }
    } else if (is_fixed && (lvt & APIC_LVT_LEVEL)) {
        if (level) {
            fire_lint_level(apic, n);
        }
    } else if (is_edge && (lvt >> 8 & 7) != APIC_EXTINT) {
        apic_fire_lvt(apic, APIC_LVT_LINT0 + n);
    }
    apic_update(apic);
}

/* --- what goes out --- */

void apic_send_ipi(Apic *apic, uint32_t low, uint32_t dest)
{
    ApicMessage message = {
        .dest = dest,
        .vector = low & 0xff,
        .delivery = low >> 8 & 7,
        .is_logical = low & ICR_LOGICAL,
        .is_level = false, /* an IPI's trigger mode means something for INIT only */
        .is_deassert = (low & ICR_LEVEL) && !(low & ICR_ASSERT),
        .has_wide_dest = apic_is_x2(apic),
    };
    unsigned shorthand = ICR_SHORTHAND(low);

    if (message.delivery <= APIC_LOWEST_PRIORITY && message.vector < FIRST_VECTOR) {
        apic_error(apic, APIC_ESR_SEND_VECTOR);
        return;
    }
    if (shorthand == TO_SELF) {
        apic_deliver(&apic->parent, &message);
        return;
    }
    if (shorthand != TO_DEST) {
        message.dest = message.has_wide_dest ? UINT32_MAX : 0xff;
    }
    message.except = shorthand == TO_OTHERS ? &apic->parent : NULL;
    apic_bus_deliver(&message);
}
