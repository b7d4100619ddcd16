/*
 * pvpanic: a port on which a guest tells that it panicked (bit 0) or has loaded a crash kernel
 * (bit 1). A read tells which of them are heard.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa.h"
#include "hw/misc/pvpanic.h"

typedef struct Pvpanic {
    IsaDevice parent;
    uint16_t ioport;
    uint8_t events;
} Pvpanic;
DECLARE_CAST(Pvpanic, PVPANIC)

static uint64_t pvpanic_read(Device *dev, unsigned n)
{
    return PVPANIC(dev)->events;
}

static void pvpanic_write(Device *dev, unsigned n, uint64_t value)
{
    pvpanic_tell(value);
}

static bool pvpanic_realize(Device *dev, Error **errp)
{
    return isa_device_map_registers(ISA_DEVICE(dev), PVPANIC(dev)->ioport, errp);
}

static const RegDef pvpanic_regs[] = {
    REG_COMPUTED(0, "EVENTS", .read = pvpanic_read, .write = pvpanic_write),
};
static const Property pvpanic_props[] = {
    PROP_U16("ioport", Pvpanic, ioport, .initial = 0x505, .doc = "Its port"),
    PROP_U8("events", Pvpanic, events, .initial = PVPANIC_KNOWN, .doc = "What a read shows"),
};

static const DeviceType pvpanic_type = {
    .name = "pvpanic",
    .doc = "Port on which a guest tells that it panicked",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(Pvpanic),
    .category = DEVICE_CATEGORY_MISC,
    .registers = REG_MAP(pvpanic_regs, .size = 1, .width = 1),
    .properties = PROPERTIES(pvpanic_props),
    .realize = pvpanic_realize,
};
DEVICE_TYPE(pvpanic_type)
