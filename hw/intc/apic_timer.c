/*
 * Local APIC: its timer, one-shot, periodic or at a TSC value. It counts a bus clock of 1 GHz,
 * divided. SDM volume 3, "APIC Timer".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/intc/apic_state.h"
#include "trace.h"

#define MODE(lvt) ((lvt) >> 17 & 3)
enum { ONE_SHOT, PERIODIC, TSC_DEADLINE };

/* A shorter period would leave the host no time for anything else. */
#define MIN_PERIOD_NS (10 * NS_PER_US)

/* A count is 2^n ns: bits 3, 1 and 0 of the register, with all ones for 1. */
static unsigned shift(const Apic *apic)
{
    return ((apic->divide & 3) + ((apic->divide >> 1) & 4) + 1) & 7;
}

static unsigned mode(const Apic *apic)
{
    return MODE(apic->lvt[APIC_LVT_TIMER]);
}

static int64_t period_ns(const Apic *apic)
{
    return (int64_t)apic->initial_count << shift(apic);
}

static void arm(Apic *apic)
{
    int64_t delay = period_ns(apic);

    timer_cancel(&apic->timer);
    if (apic->initial_count && mode(apic) != TSC_DEADLINE) {
        timer_arm_at_ns(&apic->timer, apic->count_start_ns + delay);
    }
}

/* A new initial count: counting starts over. */
void apic_timer_start(Device *dev)
{
    APIC(dev)->count_start_ns = clock_now_ns(CLOCK_VIRTUAL);
    arm(APIC(dev));
}

void apic_timer_divide_written(Device *dev)
{
    if (timer_is_armed(&APIC(dev)->timer) && mode(APIC(dev)) != TSC_DEADLINE) {
        apic_timer_start(dev);
    }
}

/* The period that begins now, and when the next but one interrupt is due at the earliest. */
static void rearm(Apic *apic)
{
    int64_t period = period_ns(apic), now = clock_now_ns(CLOCK_VIRTUAL);

    if (now - apic->count_start_ns >= period) {
        apic->count_start_ns = now - (now - apic->count_start_ns) % period;
    }
    timer_arm_at_ns(&apic->timer, MAX(apic->count_start_ns + period, now + MIN_PERIOD_NS));
}

void apic_timer_expired(Device *dev)
{
    Apic *apic = APIC(dev);

    trace_apic_timer(apic->initial_id);
    apic->tsc_deadline = 0;
    if (mode(apic) == PERIODIC && apic->initial_count) {
        rearm(apic);
    }
    apic_fire_lvt(apic, APIC_LVT_TIMER);
}

void apic_timer_mode_written(Apic *apic, uint32_t old)
{
    if (MODE(old) == mode(apic)) {
        return;
    }
    if (MODE(old) == TSC_DEADLINE || mode(apic) == TSC_DEADLINE) {
        timer_cancel(&apic->timer);
        apic->tsc_deadline = 0;
        apic->initial_count = 0;
    } else if (mode(apic) == PERIODIC && !timer_is_armed(&apic->timer) && apic->initial_count) {
        apic_timer_start(&apic->parent);
    }
}

uint64_t apic_timer_count(Device *dev, unsigned n)
{
    Apic *apic = APIC(dev);
    int64_t passed = clock_now_ns(CLOCK_VIRTUAL) - apic->count_start_ns;
    uint64_t counts = (uint64_t)MAX(passed, 0) >> shift(apic);

    if (!timer_is_armed(&apic->timer) || mode(apic) == TSC_DEADLINE) {
        return 0;
    }
    if (mode(apic) == PERIODIC) {
        counts %= apic->initial_count;
    }
    return counts < apic->initial_count ? apic->initial_count - counts : 0;
}

uint64_t apic_timer_deadline(const Apic *apic)
{
    return mode(apic) == TSC_DEADLINE ? apic->tsc_deadline : 0;
}

void apic_timer_set_deadline(Apic *apic, uint64_t tsc)
{
    if (mode(apic) != TSC_DEADLINE) {
        return;
    }
    apic->tsc_deadline = tsc;
    timer_cancel(&apic->timer);
    if (tsc) {
        timer_arm_at_ns(&apic->timer, apic->cpu.ops->tsc_time_ns(apic->cpu.opaque, tsc));
    }
}
