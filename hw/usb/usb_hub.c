/*
 * usb-hub: a full-speed hub of up to eight ports (USB 2.0, chapter 11). A device that goes to one
 * of its ports is on the bus the hub is on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "usb.h"

#include "util/byte_order.h"

#define PORTS_MOST     8
#define ENDPOINT       1
#define CHARACTERISTICS_NO_SWITCH 0x000a /* no power switches, overcurrent by port */
#define CHARACTERISTICS_SWITCH    0x0009

/* Port status, and the change bits beside it */
enum {
    PORT_CONNECTION = BIT(0), PORT_ENABLE = BIT(1), PORT_SUSPEND = BIT(2), PORT_RESET = BIT(4),
    PORT_POWER = BIT(8), PORT_LOW_SPEED = BIT(9),
};
/* Features (table 11-17); what is above is the change of what is 16 below */
enum {
    FEATURE_ENABLE = 1, FEATURE_SUSPEND = 2, FEATURE_RESET = 4, FEATURE_POWER = 8,
    FEATURE_C_CONNECTION = 16, FEATURE_C_RESET = 20,
};
enum { GET_STATUS = 0, CLEAR_FEATURE = 1, SET_FEATURE = 3, GET_DESCRIPTOR = 6 };
#define HUB_IN   (USB_TO_HOST | USB_KIND_CLASS | USB_TARGET_DEVICE)
#define HUB_OUT  (USB_KIND_CLASS | USB_TARGET_DEVICE)
#define PORT_IN  (USB_TO_HOST | USB_KIND_CLASS | USB_TARGET_OTHER)
#define PORT_OUT (USB_KIND_CLASS | USB_TARGET_OTHER)

typedef struct UsbHubPort {
    UsbPort usb;
    uint16_t status, change;
} UsbHubPort;

typedef struct UsbHub {
    UsbDevice parent;
    /* properties */
    uint32_t port_count;
    bool has_power_switches;
    UsbHubPort ports[PORTS_MOST];
} UsbHub;
DECLARE_CAST(UsbHub, USB_HUB)

/* --- ports --- */

static UsbHubPort *port_of(UsbPort *usb)
{
    return container_of(usb, UsbHubPort, usb);
}

static void tell(UsbHub *hub)
{
    usb_wake(&hub->parent, ENDPOINT);
}

static void change(UsbHubPort *port, uint16_t bits)
{
    port->change |= bits;
    tell(port->usb.opaque);
}

static void connect(UsbHubPort *port)
{
    if (port->status & PORT_POWER && port->usb.dev) {
        port->status |= PORT_CONNECTION |
                        (port->usb.dev->speed == USB_LOW ? PORT_LOW_SPEED : 0);
        port->change |= PORT_CONNECTION;
    }
}

static void disconnect(UsbHubPort *port)
{
    if (port->status & PORT_CONNECTION) {
        port->change |= PORT_CONNECTION | (port->status & PORT_ENABLE);
        port->status &= PORT_POWER;
    }
}

static void attached(UsbPort *usb)
{
    connect(port_of(usb));
    tell(usb->opaque);
}

static void detached(UsbPort *usb)
{
    disconnect(port_of(usb));
    tell(usb->opaque);
}

static void resumed(UsbPort *usb)
{
    UsbHubPort *port = port_of(usb);

    if (port->status & PORT_SUSPEND) {
        port->status &= ~PORT_SUSPEND;
        change(port, PORT_SUSPEND);
    } else {
        tell(usb->opaque);
    }
}

static const UsbPortOps port_ops = {
    .attached = attached, .detached = detached, .resumed = resumed,
};

static UsbDevice *hub_behind(UsbDevice *dev, unsigned number)
{
    UsbHub *hub = USB_HUB(dev);

    return number && number <= hub->port_count &&
           hub->ports[number - 1].status & PORT_CONNECTION ? hub->ports[number - 1].usb.dev : NULL;
}

static void hub_bus_reset(UsbDevice *dev)
{
    UsbHub *hub = USB_HUB(dev);

    for (unsigned n = 0; n < hub->port_count; n++) {
        UsbHubPort *port = &hub->ports[n];

        port->status = hub->has_power_switches ? 0 : PORT_POWER;
        port->change = 0;
        connect(port);
        if (port->usb.dev) {
            usb_device_reset(port->usb.dev);
        }
    }
}

/* --- requests --- */

static UsbStatus get_descriptor(const UsbHub *hub, UsbPacket *packet)
{
    unsigned bytes = hub->port_count / 8 + 1; /* of each map of ports */
    uint8_t data[7 + 2 * (PORTS_MOST / 8 + 1)] = {
        7 + 2 * bytes, USB_DESC_HUB, hub->port_count,
        hub->has_power_switches ? CHARACTERISTICS_SWITCH : CHARACTERISTICS_NO_SWITCH, 0, 1, 0,
    };

    if (packet->request.value >> 8 != USB_DESC_HUB) {
        return USB_STALL;
    }
    memset(data + 7 + bytes, 0xff, bytes);
    return usb_reply(packet, data, data[0]);
}

static UsbHubPort *find_port(UsbHub *hub, uint16_t index)
{
    return index && index <= hub->port_count ? &hub->ports[index - 1] : NULL;
}

static UsbStatus get_port_status(UsbHub *hub, UsbPacket *packet)
{
    const UsbHubPort *port = find_port(hub, packet->request.index);
    uint8_t data[4];

    if (!port) {
        return USB_STALL;
    }
    store_le16(data, port->status);
    store_le16(data + 2, port->change);
    return usb_reply(packet, data, sizeof(data));
}

static UsbStatus set_port_feature(UsbHub *hub, const UsbRequest *request)
{
    UsbHubPort *port = find_port(hub, request->index & 0xff);

    if (!port) {
        return USB_STALL;
    }
    switch (request->value) {
    case FEATURE_SUSPEND:
        port->status |= port->status & PORT_ENABLE ? PORT_SUSPEND : 0;
        return USB_OK;
    case FEATURE_RESET:
        if (port->status & PORT_CONNECTION) {
            usb_device_reset(port->usb.dev);
            port->status = (port->status & ~PORT_SUSPEND) | PORT_ENABLE;
            change(port, PORT_RESET);
        }
        return USB_OK;
    case FEATURE_POWER:
        if (!(port->status & PORT_POWER)) {
            port->status |= PORT_POWER;
            connect(port);
            tell(hub);
        }
        return USB_OK;
    default:
        return USB_STALL;
    }
}

static UsbStatus clear_port_feature(UsbHub *hub, const UsbRequest *request)
{
    UsbHubPort *port = find_port(hub, request->index & 0xff);

    if (!port) {
        return USB_STALL;
    }
    switch (request->value) {
    case FEATURE_ENABLE:
        port->status &= ~PORT_ENABLE;
        return USB_OK;
    case FEATURE_SUSPEND:
        if (port->status & PORT_SUSPEND) {
            port->status &= ~PORT_SUSPEND;
            change(port, PORT_SUSPEND);
        }
        return USB_OK;
    case FEATURE_POWER:
        if (hub->has_power_switches) {
            port->status = 0;
        }
        return USB_OK;
    case FEATURE_C_CONNECTION ... FEATURE_C_RESET:
        port->change &= ~BIT(request->value - FEATURE_C_CONNECTION);
        return USB_OK;
    default:
        return USB_STALL;
    }
}

static UsbStatus hub_control(UsbDevice *dev, UsbPacket *packet)
{
    static const uint8_t nothing[4];
    const UsbRequest *request = &packet->request;
    UsbHub *hub = USB_HUB(dev);

    switch (USB_REQUEST(request->kind, request->code)) {
    case USB_REQUEST(HUB_IN, GET_DESCRIPTOR):
        return get_descriptor(hub, packet);
    case USB_REQUEST(HUB_IN, GET_STATUS): /* power is good, and was */
        return usb_reply(packet, nothing, sizeof(nothing));
    case USB_REQUEST(HUB_OUT, CLEAR_FEATURE):
    case USB_REQUEST(HUB_OUT, SET_FEATURE):
        return request->value <= 1 ? USB_OK : USB_STALL;
    case USB_REQUEST(PORT_IN, GET_STATUS):
        return get_port_status(hub, packet);
    case USB_REQUEST(PORT_OUT, SET_FEATURE):
        return set_port_feature(hub, request);
    case USB_REQUEST(PORT_OUT, CLEAR_FEATURE):
        return clear_port_feature(hub, request);
    default:
        return USB_STALL;
    }
}

/* A map of ports with changes, from bit 1. */
static UsbStatus hub_data(UsbDevice *dev, UsbPacket *packet)
{
    const UsbHub *hub = USB_HUB(dev);
    uint8_t map[2] = { 0 };
    unsigned bytes = hub->port_count / 8 + 1;

    for (unsigned n = 1; n <= hub->port_count; n++) {
        map[n / 8] |= hub->ports[n - 1].change ? BIT(n % 8) : 0;
    }
    if (!map[0] && !map[1]) {
        return USB_NAK;
    }
    return usb_give(packet, map, bytes) == bytes ? USB_OK : USB_BABBLE;
}

static void hub_cancel(UsbDevice *dev, UsbPacket *packet)
{
}

/* --- life --- */

static bool hub_realize(Device *dev, Error **errp)
{
    UsbHub *hub = USB_HUB(dev);

    if (!hub->port_count || hub->port_count > PORTS_MOST) {
        return error_set(errp, "num_ports (%" PRIu32 ") out of range (1..%d)", hub->port_count,
                         PORTS_MOST);
    }
    if (hub->parent.port->level >= USB_HUB_LEVELS) {
        return error_set(errp, "usb hub chain too deep");
    }
    for (unsigned n = 0; n < hub->port_count; n++) {
        hub->ports[n].usb = (UsbPort){ .ops = &port_ops, .opaque = hub, .number = n + 1,
                                       .speeds = BIT(USB_LOW) | BIT(USB_FULL) };
        usb_port_add(USB_BUS(dev->bus), &hub->ports[n].usb, hub->parent.port);
    }
    return true;
}

/* Whoever has a port of its goes with it. */
static void hub_unrealize(Device *dev)
{
    UsbHub *hub = USB_HUB(dev);

    for (unsigned n = 0; n < hub->port_count; n++) {
        UsbDevice *owner = hub->ports[n].usb.owner;

        if (owner) {
            owner->parent.tells_deletion = dev->tells_deletion;
            device_delete(&owner->parent);
        }
        usb_port_remove(&hub->ports[n].usb);
    }
}

static const Property hub_props[] = {
    PROP_U32("ports", UsbHub, port_count, .initial = PORTS_MOST, .doc = "How many ports it has"),
    PROP_BOOL("port-power", UsbHub, has_power_switches, .doc = "Ports have power switches"),
};
static const VMField port_fields[] = { VM_U16(UsbHubPort, status), VM_U16(UsbHubPort, change) };
static const VMState port_state = VMSTATE_INIT(port_fields, .name = "usb_hub_port", .version = 1);
static const VMField hub_fields[] = {
    VM_EQUAL(UsbHub, port_count), VM_STRUCT_ARRAY(UsbHub, ports, port_state),
};

enum { STRING_MANUFACTURER = 1, STRING_PRODUCT, STRING_SERIAL };
static const char *const strings[] = { "QEMU", "QEMU USB Hub", "314159" };
static const UsbInterfaceDescriptor interfaces[] = {
    { .class_id = 9, USB_ENDPOINTS_OF({ 0x80 | ENDPOINT, USB_INTERRUPT, 2, 255 }) },
};
static const UsbSpeedDescriptor full = {
    .version = 0x0110, .packet_bytes = 8, .attributes = USB_SELF_POWERED | USB_REMOTE_WAKEUP,
    USB_INTERFACES_OF(interfaces),
};
static const UsbDescriptors descriptors = {
    .vendor = 0x0409, .product = 0x55aa, .release = 0x0101, .class_id = 9,
    .manufacturer_string = STRING_MANUFACTURER, .product_string = STRING_PRODUCT,
    .serial_string = STRING_SERIAL, .strings = strings, .string_count = ARRAY_SIZE(strings),
    .speeds = { [USB_FULL] = &full },
};

static const UsbDeviceType usb_hub_type = {
    .name = "usb-hub",
    .doc = "USB hub",
    .parent = TYPE_USB_DEVICE,
    .size = sizeof(UsbHub),
    .category = DEVICE_CATEGORY_BRIDGE,
    .properties = PROPERTIES(hub_props),
    .vmstate = VMSTATE(hub_fields, .version = 1),
    .realize = hub_realize,
    .unrealize = hub_unrealize,
    .descriptors = &descriptors,
    .firmware_name = "hub",
    .control = hub_control,
    .data = hub_data,
    .cancel = hub_cancel,
    .bus_reset = hub_bus_reset,
    .behind = hub_behind,
};
DEVICE_TYPE(usb_hub_type)
