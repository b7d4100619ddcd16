/*
 * qemu-xhci, nec-usb-xhci: an xHCI controller on PCI. The second is what Renesas' (NEC's) uPD720200
 * says that it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "xhci.h"

#include "hw/pci/msi.h"
#include "hw/pci/pcie.h"

#define TYPE_XHCI_PCI  "pci-xhci"
#define BAR            0
#define PCI_SBRN       0x60
#define USB_3_0        0x30
#define MSI_AT         0x70
#define MSIX_AT        0x90
#define EXPRESS_AT     0xa0
#define MSIX_TABLE_AT  0x3000
#define MSIX_PBA_AT    0x3800
#define PCI_CACHE_LINE 0x0c

typedef struct XhciPci {
    PciDevice parent;
    Xhci core;
    int msi, msix; /* OnOffAutoValue */
    bool forces_express;
} XhciPci;
DECLARE_CAST(XhciPci, XHCI_PCI)

/* --- what the core asks --- */

static XhciPci *of(Xhci *xhci)
{
    return container_of(xhci, XhciPci, core);
}

static AddressSpace *space(Xhci *xhci)
{
    return pci_device_dma_as(&of(xhci)->parent);
}

static MemTxAttrs attrs(Xhci *xhci)
{
    return pci_device_attrs(&of(xhci)->parent);
}

static bool interrupt(Xhci *xhci, unsigned n, bool is_up)
{
    PciDevice *dev = &of(xhci)->parent;

    if (msix_is_enabled(dev)) {
        if (is_up) {
            msix_notify(dev, n);
        }
        return is_up;
    }
    if (msi_is_enabled(dev)) {
        if (is_up && n < msi_vectors(dev)) {
            msi_notify(dev, n);
        }
        return is_up;
    }
    if (!n) {
        pci_intx_set(dev, is_up);
    }
    return false;
}

static const XhciOps xhci_pci_ops = { .space = space, .attrs = attrs, .interrupt = interrupt };

/* --- life --- */

/* "auto" is what the machine's interrupt controller has: it always takes messages here. */
static bool add_messages(XhciPci *s, Error **errp)
{
    MsiSpec msi = { .at = MSI_AT, .vectors = s->core.interrupter_count, .is_64 = true };
    MsixSpec msix = { .at = MSIX_AT, .vectors = s->core.interrupter_count,
                      .table_region = &s->core.region, .table_bar = BAR,
                      .table_offset = MSIX_TABLE_AT, .pba_region = &s->core.region,
                      .pba_bar = BAR, .pba_offset = MSIX_PBA_AT };

    return (s->msi == ON_OFF_AUTO_VALUE_OFF || msi_init(&s->parent, &msi, errp)) &&
           (s->msix == ON_OFF_AUTO_VALUE_OFF || msix_init(&s->parent, &msix, errp));
}

static bool xhci_pci_realize(Device *dev, Error **errp)
{
    XhciPci *s = XHCI_PCI(dev);
    PciDevice *pci = &s->parent;

    pci->config[PCI_INTERRUPT_PIN] = 1;
    pci->config[PCI_CACHE_LINE] = 0x10;
    pci->config[PCI_SBRN] = USB_3_0;
    if (!xhci_realize(&s->core, dev, &xhci_pci_ops, errp)) {
        return false;
    }
    pci_add_bar(pci, BAR, PCI_BAR_64, &s->core.region);
    if ((s->forces_express || pci_device_is_express(pci)) &&
        !pcie_endpoint_cap_init(pci, EXPRESS_AT, errp)) {
        xhci_unrealize(&s->core);
        return false;
    }
    if (!add_messages(s, errp)) {
        xhci_unrealize(&s->core);
        return false;
    }
    return true;
}

static void xhci_pci_unrealize(Device *dev)
{
    xhci_unrealize(&XHCI_PCI(dev)->core);
}

static void xhci_pci_finalize(Object *obj)
{
    xhci_finalize(&XHCI_PCI(obj)->core);
}

static void xhci_pci_reset(Device *dev)
{
    xhci_reset(&XHCI_PCI(dev)->core);
}

static void moderation_expired(Device *dev)
{
    xhci_moderation_expired(&XHCI_PCI(dev)->core);
}

static void wrap_expired(Device *dev)
{
    xhci_wrapped(&XHCI_PCI(dev)->core);
}

static const VMField xhci_pci_fields[] = { VM_STRUCT(XhciPci, core, xhci_state) };
static const TimerDef xhci_pci_timers[] = {
    XHCI_TIMERS(XhciPci, core, moderation_expired, wrap_expired),
};

static const PciDeviceType xhci_pci_type = {
    .name = TYPE_XHCI_PCI,
    .doc = "xHCI controller on PCI",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(XhciPci),
    .is_abstract = true,
    .class_id = 0x0c03, .prog_if = 0x30,
    .category = DEVICE_CATEGORY_USB,
    .timers = TIMERS(xhci_pci_timers),
    .vmstate = VMSTATE(xhci_pci_fields, .version = 1),
    .realize = xhci_pci_realize,
    .unrealize = xhci_pci_unrealize,
    .finalize = xhci_pci_finalize,
    .reset_hold = xhci_pci_reset,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_EXPRESS }, { TYPE_PCI_CONVENTIONAL }, { 0 } },
};
PCI_DEVICE_TYPE(xhci_pci_type)

/* --- qemu-xhci --- */

static void qemu_xhci_init(Object *obj)
{
    XhciPci *s = XHCI_PCI(obj);

    s->core.slot_count = XHCI_SLOTS;
    s->core.interrupter_count = XHCI_INTERRUPTERS;
    s->core.has_usb3_first = true;
    s->msi = ON_OFF_AUTO_VALUE_OFF;
}

static const Property qemu_xhci_props[] = { XHCI_PROPERTIES(XhciPci, core) };

static const PciDeviceType qemu_xhci_type = {
    .name = "qemu-xhci",
    .doc = "xHCI USB controller",
    .parent = TYPE_XHCI_PCI,
    .vendor_id = 0x1b36, .device_id = 0x000d, .revision = 1,
    .properties = PROPERTIES(qemu_xhci_props),
    .init = qemu_xhci_init,
};
PCI_DEVICE_TYPE(qemu_xhci_type)

/* --- nec-usb-xhci --- */

static const Property nec_xhci_props[] = {
    XHCI_PROPERTIES(XhciPci, core),
    XHCI_COUNTS(XhciPci, core),
    PROP_ON_OFF_AUTO("msi", XhciPci, msi, .doc = "Interrupts by MSI"),
    PROP_ON_OFF_AUTO("msix", XhciPci, msix, .doc = "Interrupts by MSI-X"),
    PROP_BOOL("superspeed-ports-first", XhciPci, core.has_usb3_first, .initial = true,
              .doc = "Ports of USB 3 come before those of USB 2"),
    PROP_BOOL("force-pcie-endcap", XhciPci, forces_express,
              .doc = "A PCI Express capability on any bus"),
};

static const PciDeviceType nec_xhci_type = {
    .name = "nec-usb-xhci",
    .doc = "xHCI USB controller, as NEC's",
    .parent = TYPE_XHCI_PCI,
    .vendor_id = 0x1033, .device_id = 0x0194, .revision = 3,
    .properties = PROPERTIES(nec_xhci_props),
};
PCI_DEVICE_TYPE(nec_xhci_type)
