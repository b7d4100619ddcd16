/*
 * ib700: the watchdog of the iBASE IB700 board. A write to port 0x443 starts it anew with
 * 30 - 2 * (value & 15) seconds, one to 0x441 stops it; the ports cannot be read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa.h"
#include "system/run_state.h"

#define IB700_PORT 0x441
enum { IB700_DISABLE = 0, IB700_ENABLE = 2 };

typedef struct Ib700 {
    IsaDevice parent;
    Timer timer;
} Ib700;
DECLARE_CAST(Ib700, IB700)

static uint64_t ib700_read(Device *dev, unsigned n)
{
    return 0xff;
}

static void ib700_enable(Device *dev, unsigned n, uint64_t value)
{
    timer_arm_after_ns(&IB700(dev)->timer, (30 - 2 * (int64_t)(value & 15)) * NS_PER_SEC);
}

static void ib700_disable(Device *dev, unsigned n, uint64_t value)
{
    timer_cancel(&IB700(dev)->timer);
}

static void ib700_expired(Device *dev)
{
    vm_watchdog_expired();
}

static void ib700_reset(Device *dev)
{
    timer_cancel(&IB700(dev)->timer);
}

static bool ib700_realize(Device *dev, Error **errp)
{
    return isa_device_map_registers(ISA_DEVICE(dev), IB700_PORT, errp);
}

static const RegDef ib700_regs[] = {
    REG_COMPUTED(IB700_DISABLE, "DISABLE", .read = ib700_read, .write = ib700_disable),
    REG_COMPUTED(IB700_ENABLE, "ENABLE", .read = ib700_read, .write = ib700_enable),
};
static const VMField ib700_fields[] = { VM_TIMER(Ib700, timer) };

static const DeviceType ib700_type = {
    .name = "ib700",
    .doc = "iBASE 700 watchdog",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(Ib700),
    .category = DEVICE_CATEGORY_WATCHDOG,
    .registers = REG_MAP(ib700_regs, .size = 3, .width = 1),
    .timers = TIMER_ON(CLOCK_VIRTUAL, Ib700, timer, ib700_expired),
    .vmstate = VMSTATE(ib700_fields, .version = 1),
    .realize = ib700_realize,
    .reset_hold = ib700_reset,
};
DEVICE_TYPE(ib700_type)
