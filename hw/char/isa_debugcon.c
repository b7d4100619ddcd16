/*
 * isa-debugcon: a port that hands each byte written to a chardev; a read gives a value by which
 * firmware knows that it is there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/chardev_property.h"
#include "hw/isa/isa.h"

typedef struct Debugcon {
    IsaDevice parent;
    CharFrontend chr;
    uint32_t iobase, readback;
} Debugcon;
DECLARE_CAST(Debugcon, DEBUGCON)

static uint64_t debugcon_read(Device *dev, unsigned n)
{
    return DEBUGCON(dev)->readback;
}

static void debugcon_write(Device *dev, unsigned n, uint64_t value)
{
    uint8_t byte = value;

    char_frontend_write_all(&DEBUGCON(dev)->chr, &byte, 1);
}

static const CharHandlers debugcon_handlers; /* it only sends */

static bool debugcon_realize(Device *dev, Error **errp)
{
    Debugcon *d = DEBUGCON(dev);

    if (!char_frontend_chardev(&d->chr)) {
        return error_set(errp, "Can't create debugcon device, empty char device");
    }
    if (!isa_device_map_registers(&d->parent, d->iobase, errp)) {
        return false;
    }
    char_frontend_set_handlers(&d->chr, &debugcon_handlers, d, NULL);
    return true;
}

static void debugcon_unrealize(Device *dev)
{
    char_frontend_detach(&DEBUGCON(dev)->chr);
}

static const RegDef debugcon_regs[] = {
    REG_COMPUTED(0, "DATA", .read = debugcon_read, .write = debugcon_write),
};
static const Property debugcon_props[] = {
    PROP_U32("iobase", Debugcon, iobase, .initial = 0xe9, .doc = "Its port"),
    PROP_U32("readback", Debugcon, readback, .initial = 0xe9, .doc = "What a read gives"),
    PROP_CHARDEV("chardev", Debugcon, chr),
};

static const DeviceType debugcon_type = {
    .name = "isa-debugcon",
    .doc = "Console port for firmware",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(Debugcon),
    .category = DEVICE_CATEGORY_MISC,
    .registers = REG_MAP(debugcon_regs, .size = 1, .width = 1),
    .properties = PROPERTIES(debugcon_props),
    .realize = debugcon_realize,
    .unrealize = debugcon_unrealize,
};
DEVICE_TYPE(debugcon_type)
