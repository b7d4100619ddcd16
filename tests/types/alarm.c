/*
 * alarm: a one-shot timer. Writing DELAY starts it; when it runs out STATUS.FIRED sets and the
 * line stays up until the guest clears the bit. The example of docs/devel/devices.md.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/mmio_device.h"
#include "system/timer.h"

#define STATUS_FIRED BIT(0)

typedef struct Alarm {
    MmioDevice parent;
    IrqLine irq;
    Timer timer;
    uint32_t tick_ns;       /* property */
    uint32_t delay, status; /* registers */
} Alarm;
DECLARE_CAST(Alarm, ALARM)

static void alarm_update_irq(Device *dev)
{
    irq_set(&ALARM(dev)->irq, ALARM(dev)->status & STATUS_FIRED);
}

static void alarm_fire(Device *dev)
{
    ALARM(dev)->status |= STATUS_FIRED;
    alarm_update_irq(dev);
}

static void alarm_delay_written(Device *dev)
{
    Alarm *a = ALARM(dev);

    timer_arm_after_ns(&a->timer, (int64_t)a->delay * a->tick_ns);
}

static const RegDef alarm_regs[] = {
    REG(0x0, "DELAY", Alarm, delay, .writable = UINT32_MAX, .written = alarm_delay_written),
    REG(0x4, "STATUS", Alarm, status, .clear_on_1 = STATUS_FIRED, .written = alarm_update_irq),
};
static const Property alarm_props[] = {
    PROP_U32("tick-ns", Alarm, tick_ns, .initial = 1000, .min = 1, .max = NS_PER_SEC,
             .doc = "Nanoseconds of one tick"),
};
static const VMField alarm_fields[] = { VM_REGISTERS, VM_TIMER(Alarm, timer) };

static const DeviceType alarm_type = {
    .name = "alarm",
    .doc = "One-shot timer with a level interrupt",
    .parent = TYPE_MMIO_DEVICE,
    .size = sizeof(Alarm),
    .registers = REG_MAP(alarm_regs, .size = 0x1000, .width = 4, .endian = ENDIAN_LITTLE),
    .irqs = IRQ_OUT(Alarm, irq),
    .timers = TIMER_ON(CLOCK_VIRTUAL, Alarm, timer, alarm_fire),
    .properties = PROPERTIES(alarm_props),
    .vmstate = VMSTATE(alarm_fields, .version = 1),
};
DEVICE_TYPE(alarm_type)
