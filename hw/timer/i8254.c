/*
 * isa-pit: Intel 8254 programmable interval timer, per its data sheet (231164). Counter 0 drives
 * the interrupt output, counter 2 can be gated and heard; its input, while up, keeps counter 0 from
 * interrupting (an HPET took over).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/timer/i8254.h"
#include "i8254_counter.h"

#define COUNTERS          3
#define READ_BACK         3
#define READ_BACK_NO_COUNT  BIT(5)
#define READ_BACK_NO_STATUS BIT(4)

typedef struct Pit {
    IsaDevice parent;
    IrqLine irq;
    Timer timer; /* counter 0's OUT changes */
    int64_t change_ns; /* then; 0 if it does not. Not saved: update() finds it again */
    PitCounter counters[COUNTERS];
    uint32_t iobase;
    bool is_irq_disabled;
} Pit;
DECLARE_CAST(Pit, PIT)

static int64_t now(void)
{
    return clock_now_ns(CLOCK_VIRTUAL);
}

static void update(Device *dev)
{
    Pit *s = PIT(dev);
    int64_t at = now(), next = pit_counter_next_change_ns(&s->counters[0], at);

    if (s->is_irq_disabled) {
        irq_lower(&s->irq);
        next = INT64_MAX;
    } else {
        /* Low for one clock: what is over by now was an edge all the same. */
        if (s->change_ns && s->change_ns <= at) {
            irq_set(&s->irq, pit_counter_out(&s->counters[0], s->change_ns));
        }
        irq_set(&s->irq, pit_counter_out(&s->counters[0], at));
    }
    s->change_ns = next == INT64_MAX ? 0 : next;
    if (s->change_ns) {
        timer_arm_at_ns(&s->timer, next);
    } else {
        timer_cancel(&s->timer);
    }
}

/* Up: the timer has its interrupt; down: another takes its place. */
static void i8254_control_irq(void *opaque, unsigned n, int level)
{
    PIT(opaque)->is_irq_disabled = !level;
    update(DEVICE(opaque));
}

static void read_back(Pit *s, uint8_t word)
{
    for (unsigned n = 0; n < COUNTERS; n++) {
        if (!(word & BIT(n + 1))) {
            continue;
        }
        if (!(word & READ_BACK_NO_COUNT)) {
            pit_counter_latch_count(&s->counters[n], now());
        }
        if (!(word & READ_BACK_NO_STATUS)) {
            pit_counter_latch_status(&s->counters[n], now());
        }
    }
}

static void control_write(Device *dev, unsigned n, uint64_t value)
{
    Pit *s = PIT(dev);

    if (value >> 6 == READ_BACK) {
        read_back(s, value);
        return;
    }
    pit_counter_control(&s->counters[value >> 6], value, now());
    update(dev);
}

static void counter_write(Device *dev, unsigned n, uint64_t value)
{
    pit_counter_write(&PIT(dev)->counters[n], value, now());
    update(dev);
}

static uint64_t counter_read(Device *dev, unsigned n)
{
    return pit_counter_read(&PIT(dev)->counters[n], now());
}

static uint64_t control_read(Device *dev, unsigned n)
{
    return 0;
}

static void i8254_set_gate(Device *dev, unsigned n, bool gate)
{
    pit_counter_set_gate(&PIT(dev)->counters[n], gate, now());
    update(dev);
}

static bool i8254_gate(Device *dev, unsigned n)
{
    return PIT(dev)->counters[n].gate;
}

static bool i8254_out(Device *dev, unsigned n)
{
    return pit_counter_out(&PIT(dev)->counters[n], now());
}

static void i8254_reset(Device *dev)
{
    for (unsigned n = 0; n < COUNTERS; n++) {
        pit_counter_reset(&PIT(dev)->counters[n], n != 2, now());
    }
}

static bool i8254_realize(Device *dev, Error **errp)
{
    return isa_device_map_registers(ISA_DEVICE(dev), PIT(dev)->iobase, errp);
}

static bool i8254_post_load(void *opaque, int version, Error **errp)
{
    update(DEVICE(opaque));
    return true;
}

static const RegDef i8254_regs[] = {
    REG_COMPUTED(0, "COUNTER", .count = COUNTERS, .read = counter_read, .write = counter_write),
    REG_COMPUTED(3, "CONTROL", .read = control_read, .write = control_write),
};
static const Property i8254_props[] = {
    PROP_U32("iobase", Pit, iobase, .initial = ISA_UNSET, .doc = "First of its four ports"),
};
static const VMField i8254_fields[] = {
    VM_STRUCT_ARRAY(Pit, counters, pit_counter_state), VM_BOOL(Pit, is_irq_disabled),
    VM_TIMER(Pit, timer),
};

static const DeviceType pit_common_type = {
    .name = TYPE_PIT_COMMON,
    .doc = "An interval timer of a PC",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(IsaDevice),
    .is_abstract = true,
    .access = DEVICE_ACCESS_BOARD,
    .is_not_hotpluggable = true,
};
DEVICE_TYPE(pit_common_type)

static const PitType i8254_type = {
    .name = TYPE_I8254,
    .doc = "Intel 8254 interval timer",
    .parent = TYPE_PIT_COMMON,
    .size = sizeof(Pit),
    .registers = REG_MAP(i8254_regs, .size = 4, .width = 1, .access_max = 4),
    .irqs = IRQS(((const IrqDef[]){ IRQ_ROW_OUT(NULL, Pit, irq),
                                    IRQ_ROW_IN(NULL, i8254_control_irq, 1) })),
    .timers = TIMER_ON(CLOCK_VIRTUAL, Pit, timer, update),
    .properties = PROPERTIES(i8254_props),
    .vmstate = VMSTATE(i8254_fields, .version = 1, .post_load = i8254_post_load),
    .realize = i8254_realize,
    .reset_hold = i8254_reset,
    .reset_exit = update,
    .set_gate = i8254_set_gate,
    .gate = i8254_gate,
    .out = i8254_out,
};
DEVICE_TYPE(i8254_type)
