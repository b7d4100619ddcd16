/*
 * Root hub ports (4.19, 5.4.8). A port of the bus is one of USB 2, of USB 3, or both, as a
 * connector is: a device shows at the one of its speed. A reset takes no time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "xhci.h"

#include "trace.h"

enum { AT_PORTSC = 0x0, AT_PORTPMSC = 0x4 };
#define USB2_SPEEDS (BIT(USB_LOW) | BIT(USB_FULL) | BIT(USB_HIGH))

/* --- state --- */

static unsigned link_state(const XhciPort *port)
{
    return (port->portsc & PORTSC_PLS) >> 5;
}

static void set_link_state(XhciPort *port, unsigned state)
{
    port->portsc = (port->portsc & ~PORTSC_PLS) | state << 5;
}

static void tell(XhciPort *port)
{
    Xhci *xhci = port->xhci;
    XhciTrb event = { .parameter = (uint64_t)port->number << 24, .status = CC_SUCCESS << 24,
                      .control = TRB_PORT_CHANGE << 10 };

    xhci->usbsts |= USBSTS_PCD;
    port->is_untold = !xhci_is_running(xhci) || !xhci_has_room(xhci, 0);
    if (port->is_untold) {
        xhci->is_work_due = true;
    } else {
        xhci_post(xhci, 0, &event, false);
    }
}

void xhci_tell_ports(Xhci *xhci)
{
    for (unsigned n = 0; n < xhci->port_count; n++) {
        XhciPort *port = &xhci->ports[n];

        if (port->is_untold && port->portsc & PORTSC_CHANGES) {
            tell(port);
        }
    }
}

/* An event is for the first of the changes that software has not seen yet. */
static void change(XhciPort *port, uint32_t bits)
{
    bool is_first = bits && !(port->portsc & PORTSC_CHANGES);

    trace_xhci_port(port->number, port->portsc, bits);
    port->portsc |= bits;
    if (is_first) {
        tell(port);
    }
}

static bool shows(const XhciPort *port, const UsbDevice *dev)
{
    return dev && port->is_usb3 == (dev->speed == USB_SUPER);
}

/* Speed ids of PORTSC and contexts: 1 full, 2 low, 3 high, 4 super. */
static uint32_t speed_bits(const UsbDevice *dev)
{
    static const uint8_t ids[] = { [USB_LOW] = 2, [USB_FULL] = 1, [USB_HIGH] = 3,
                                   [USB_SUPER] = 4 };

    return ids[dev->speed] << 10;
}

/* What is connected, as found at power on. */
static void connect(XhciPort *port)
{
    port->portsc &= ~(PORTSC_CCS | PORTSC_PED | PORTSC_SPEED);
    if (!shows(port, port->usb->dev)) {
        set_link_state(port, PLS_RX_DETECT);
        return;
    }
    port->portsc |= PORTSC_CCS | speed_bits(port->usb->dev);
    port->portsc |= port->is_usb3 ? PORTSC_PED : 0; /* links of USB 3 train by themselves */
    set_link_state(port, port->is_usb3 ? PLS_U0 : PLS_POLLING);
}

void xhci_reset_ports(Xhci *xhci)
{
    for (unsigned n = 0; n < xhci->port_count; n++) {
        XhciPort *port = &xhci->ports[n];

        port->portsc = PORTSC_PP;
        port->portpmsc = 0;
        connect(port);
        port->portsc |= port->portsc & PORTSC_CCS ? PORTSC_CSC : 0;
        port->is_untold = port->portsc & PORTSC_CSC;
        if (port->usb->dev && shows(port, port->usb->dev)) {
            usb_device_reset(port->usb->dev);
        }
    }
}

/* --- registers --- */

static void reset(XhciPort *port, bool is_warm)
{
    uint32_t bits = PORTSC_PRC | (is_warm ? PORTSC_WRC : 0);

    if (!shows(port, port->usb->dev)) {
        set_link_state(port, PLS_RX_DETECT);
        change(port, port->is_usb3 ? bits : 0);
        return;
    }
    usb_device_reset(port->usb->dev);
    port->portsc |= PORTSC_PED;
    set_link_state(port, PLS_U0);
    change(port, bits);
}

/* What software may ask for depends on where the link is. */
static void write_link_state(XhciPort *port, unsigned state)
{
    unsigned now = link_state(port);

    switch (state) {
    case PLS_U0:
        if (now == PLS_U2 || now == PLS_U3 || now == PLS_RESUME) {
            set_link_state(port, PLS_U0);
            change(port, PORTSC_PLC);
        }
        break;
    case PLS_U2: case PLS_U3:
        if (port->portsc & PORTSC_PED && now <= PLS_U3) {
            set_link_state(port, state);
        }
        break;
    case PLS_DISABLED:
        if (port->is_usb3) {
            port->portsc &= ~(PORTSC_PED | PORTSC_CCS | PORTSC_SPEED);
            set_link_state(port, PLS_DISABLED);
        }
        break;
    case PLS_RX_DETECT:
        if (port->is_usb3 && now == PLS_DISABLED) {
            connect(port);
            change(port, port->portsc & PORTSC_CCS ? PORTSC_CSC : 0);
        }
        break;
    case PLS_RESUME:
        if (!port->is_usb3 && now == PLS_U3) {
            set_link_state(port, PLS_RESUME);
        }
        break;
    default:
        break;
    }
}

static void write_portsc(XhciPort *port, uint32_t value)
{
    port->portsc &= ~(value & PORTSC_CHANGES);
    port->portsc = (port->portsc & ~PORTSC_WAKES) | (value & PORTSC_WAKES);
    if (value & PORTSC_WPR && port->is_usb3) {
        reset(port, true);
        return;
    }
    if (value & PORTSC_PR) {
        reset(port, false);
        return;
    }
    if (value & PORTSC_LWS) {
        write_link_state(port, (value & PORTSC_PLS) >> 5);
    } else if (value & PORTSC_PED && port->portsc & PORTSC_PED) {
        port->portsc &= ~PORTSC_PED;
        set_link_state(port, port->is_usb3 ? PLS_DISABLED : PLS_POLLING);
    }
}

static uint64_t port_read(void *opaque, uint64_t at, unsigned bytes)
{
    const XhciPort *port = opaque;

    return at == AT_PORTSC ? port->portsc : at == AT_PORTPMSC ? port->portpmsc : 0;
}

static void port_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    XhciPort *port = opaque;

    if (at == AT_PORTSC) {
        write_portsc(port, value);
    } else if (at == AT_PORTPMSC) {
        port->portpmsc = value & (port->is_usb3 ? 0x1ffff : 0x1fffff);
    }
}

const MemoryOps xhci_port_ops = {
    .read = port_read, .write = port_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 8 }, .impl = { 4, 4 },
};

/* --- the bus's ports --- */

static XhciPort *port_of(UsbPort *usb)
{
    Xhci *xhci = usb->opaque;

    for (unsigned n = 0; n < xhci->port_count; n++) {
        if (xhci->ports[n].usb == usb && shows(&xhci->ports[n], usb->dev)) {
            return &xhci->ports[n];
        }
    }
    return NULL;
}

static void attached(UsbPort *usb)
{
    XhciPort *port = port_of(usb);

    connect(port);
    change(port, PORTSC_CSC);
}

static void detached(UsbPort *usb)
{
    XhciPort *port = port_of(usb);

    port->portsc &= ~(PORTSC_CCS | PORTSC_PED | PORTSC_SPEED);
    set_link_state(port, PLS_RX_DETECT);
    change(port, PORTSC_CSC);
}

static void resumed(UsbPort *usb)
{
    XhciPort *port = port_of(usb);

    if (link_state(port) == PLS_U3) {
        set_link_state(port, PLS_RESUME);
        change(port, PORTSC_PLC);
    }
}

static const UsbPortOps usb_port_ops = {
    .attached = attached, .detached = detached, .resumed = resumed,
};

static unsigned speeds_of(const Xhci *xhci, unsigned number)
{
    return (number <= xhci->usb2_ports ? USB2_SPEEDS : 0) |
           (number <= xhci->usb3_ports ? BIT(USB_SUPER) : 0);
}

void xhci_init_ports(Xhci *xhci)
{
    unsigned first2 = xhci->has_usb3_first ? xhci->usb3_ports : 0;
    unsigned first3 = xhci->has_usb3_first ? 0 : xhci->usb2_ports;

    xhci->port_count = xhci->usb2_ports + xhci->usb3_ports;
    for (unsigned n = 0; n < xhci->port_count; n++) {
        bool is_usb3 = n >= first3 && n < first3 + xhci->usb3_ports;
        unsigned number = n - (is_usb3 ? first3 : first2);

        xhci->ports[n] = (XhciPort){ .xhci = xhci, .number = n + 1, .is_usb3 = is_usb3,
                                     .usb = &xhci->usb_ports[number] };
    }
}

void xhci_add_usb_ports(Xhci *xhci)
{
    for (unsigned n = 0; n < MAX(xhci->usb2_ports, xhci->usb3_ports); n++) {
        xhci->usb_ports[n] = (UsbPort){ .ops = &usb_port_ops, .opaque = xhci, .number = n + 1,
                                        .speeds = speeds_of(xhci, n + 1) };
        usb_port_add(xhci->bus, &xhci->usb_ports[n], NULL);
    }
}

UsbDevice *xhci_find_device(const Xhci *xhci, unsigned number, uint32_t route)
{
    const XhciPort *port = number && number <= xhci->port_count ? &xhci->ports[number - 1] : NULL;
    UsbDevice *dev = port && shows(port, port->usb->dev) ? port->usb->dev : NULL;

    for (route &= 0xfffff; dev && route; route >>= 4) {
        const UsbDeviceType *ops = usb_device_ops(dev);

        dev = ops->behind ? ops->behind(dev, route & 0xf) : NULL;
    }
    return dev;
}
