/*
 * sysbus-xhci: an xHCI controller at an address a board gives it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "xhci.h"

#include "hw/core/mmio_device.h"

typedef struct XhciSysbus {
    MmioDevice parent;
    Xhci core;
    IrqLine irqs[XHCI_INTERRUPTERS];
} XhciSysbus;
DECLARE_CAST(XhciSysbus, XHCI_SYSBUS)

static AddressSpace *space(Xhci *xhci)
{
    return address_space_system();
}

static MemTxAttrs attrs(Xhci *xhci)
{
    return (MemTxAttrs){ 0 };
}

static bool interrupt(Xhci *xhci, unsigned n, bool is_up)
{
    irq_set(&container_of(xhci, XhciSysbus, core)->irqs[n], is_up);
    return false;
}

static const XhciOps xhci_sysbus_ops = { .space = space, .attrs = attrs, .interrupt = interrupt };

static bool xhci_sysbus_realize(Device *dev, Error **errp)
{
    XhciSysbus *s = XHCI_SYSBUS(dev);

    if (!xhci_realize(&s->core, dev, &xhci_sysbus_ops, errp)) {
        return false;
    }
    mmio_device_add_region(&s->parent, &s->core.region);
    return true;
}

static void xhci_sysbus_unrealize(Device *dev)
{
    xhci_unrealize(&XHCI_SYSBUS(dev)->core);
}

static void xhci_sysbus_finalize(Object *obj)
{
    xhci_finalize(&XHCI_SYSBUS(obj)->core);
}

static void xhci_sysbus_reset(Device *dev)
{
    xhci_reset(&XHCI_SYSBUS(dev)->core);
}

static void moderation_expired(Device *dev)
{
    xhci_moderation_expired(&XHCI_SYSBUS(dev)->core);
}

static void wrap_expired(Device *dev)
{
    xhci_wrapped(&XHCI_SYSBUS(dev)->core);
}

static const VMField xhci_sysbus_fields[] = { VM_STRUCT(XhciSysbus, core, xhci_state) };
static const TimerDef xhci_sysbus_timers[] = {
    XHCI_TIMERS(XhciSysbus, core, moderation_expired, wrap_expired),
};
static const IrqDef xhci_sysbus_irqs[] = {
    IRQ_ROW_OUT("sysbus-irq", XhciSysbus, irqs, .count = XHCI_INTERRUPTERS),
};
static const Property xhci_sysbus_props[] = {
    XHCI_PROPERTIES(XhciSysbus, core),
    XHCI_COUNTS(XhciSysbus, core),
};

static const DeviceType xhci_sysbus_type = {
    .name = "sysbus-xhci",
    .doc = "xHCI USB controller of a board",
    .parent = TYPE_MMIO_DEVICE,
    .size = sizeof(XhciSysbus),
    .category = DEVICE_CATEGORY_USB,
    .access = DEVICE_ACCESS_BOARD,
    .irqs = IRQS(xhci_sysbus_irqs),
    .timers = TIMERS(xhci_sysbus_timers),
    .properties = PROPERTIES(xhci_sysbus_props),
    .vmstate = VMSTATE(xhci_sysbus_fields, .version = 1),
    .realize = xhci_sysbus_realize,
    .unrealize = xhci_sysbus_unrealize,
    .finalize = xhci_sysbus_finalize,
    .reset_hold = xhci_sysbus_reset,
};
DEVICE_TYPE(xhci_sysbus_type)
