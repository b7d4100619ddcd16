/*
 * A USB device: its life on a port, and packets on their way to it. See hw/usb/usb.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "usb.h"
#include "usb_pcap.h"

/* --- packets --- */

static uint32_t stall_bit(uint8_t endpoint, bool is_in)
{
    return BIT(endpoint + (is_in ? 16 : 0));
}

void usb_stall(UsbDevice *dev, uint8_t endpoint, bool is_in)
{
    dev->stalled |= stall_bit(endpoint, is_in);
}

static UsbStatus data_transfer(UsbDevice *dev, UsbPacket *packet)
{
    const UsbDeviceType *ops = usb_device_ops(dev);
    uint8_t address = packet->endpoint | (packet->is_in ? USB_TO_HOST : 0);

    if (!dev->configuration || !usb_find_endpoint(dev, address) || !ops->data) {
        return USB_IO_ERROR;
    }
    return dev->stalled & stall_bit(packet->endpoint, packet->is_in) ? USB_STALL :
                                                                       ops->data(dev, packet);
}

/* The device has it no longer. */
static void end(UsbPacket *packet)
{
    if (packet->dev->pcap && packet->status != USB_NAK) {
        usb_pcap_done(packet->dev, packet);
    }
    usb_pcap_forget(packet);
    packet->dev = NULL;
}

UsbStatus usb_submit(UsbDevice *dev, UsbPacket *packet)
{
    packet->moved = 0;
    packet->has_fault = false;
    packet->dev = dev;
    packet->given = NULL;
    packet->status = packet->endpoint ? data_transfer(dev, packet) : usb_control(dev, packet);
    if (dev->pcap && packet->status != USB_NAK) {
        usb_pcap_submitted(dev, packet);
    }
    if (packet->status != USB_LATER) {
        end(packet);
    }
    return packet->status;
}

void usb_cancel(UsbPacket *packet)
{
    UsbDevice *dev = packet->dev;

    packet->dev = NULL;
    usb_pcap_forget(packet);
    usb_device_ops(dev)->cancel(dev, packet);
}

void usb_complete(UsbPacket *packet, UsbStatus status)
{
    packet->status = status;
    end(packet);
    packet->done(packet);
}

size_t usb_give(UsbPacket *packet, const void *data, size_t bytes)
{
    DmaSpan span = { packet->moved, MIN(bytes, usb_room(packet)) };
    size_t done = 0;

    packet->has_fault |= dma_list_write(packet->data, span, data, &done) != MEM_TX_OK;
    packet->moved += done;
    if (packet->dev && packet->dev->pcap) {
        usb_pcap_given(packet, data, done);
    }
    return done;
}

size_t usb_take(UsbPacket *packet, void *data, size_t bytes)
{
    DmaSpan span = { packet->moved, MIN(bytes, usb_room(packet)) };
    size_t done = 0;

    packet->has_fault |= dma_list_read(packet->data, span, data, &done) != MEM_TX_OK;
    packet->moved += done;
    return done;
}

void usb_wake(UsbDevice *dev, uint8_t endpoint)
{
    const UsbBus *bus = USB_BUS(dev->parent.bus);

    if (!dev->is_attached) {
        return;
    }
    if (dev->may_wake) {
        dev->port->ops->resumed(dev->port);
    }
    bus->ops->wake(bus->opaque, dev, endpoint);
}

/* --- on a port --- */

const char *usb_speed_name(UsbSpeed speed)
{
    static const char *const names[] = { "1.5", "12", "480", "5000" };

    return names[speed];
}

const char *usb_device_name(const UsbDevice *dev)
{
    const UsbDescriptors *descriptors = usb_device_ops(dev)->descriptors;

    return descriptors->strings[descriptors->product_string - 1];
}

void usb_device_reset(UsbDevice *dev)
{
    dev->address = dev->configuration = 0;
    dev->may_wake = false;
    dev->stalled = 0;
    if (usb_device_ops(dev)->bus_reset) {
        usb_device_ops(dev)->bus_reset(dev);
    }
}

static const char *speed_word(unsigned speeds)
{
    static const char *const words[] = { "low", "full", "high", "super" };

    for (int speed = USB_SPEEDS - 1; speed >= 0; speed--) {
        if (speeds & BIT(speed)) {
            return words[speed];
        }
    }
    return "no";
}

bool usb_device_attach(UsbDevice *dev, Error **errp)
{
    UsbPort *port = dev->port;
    unsigned speeds = dev->speeds & port->speeds;

    if (!speeds) {
        return error_set(errp, "Warning: speed mismatch trying to attach usb device \"%s\" (%s "
                         "speed) to bus \"%s\", port \"%s\" (%s speed)", usb_device_name(dev),
                         speed_word(dev->speeds), bus_name(dev->parent.bus), port->path,
                         speed_word(port->speeds));
    }
    dev->speed = 31 - __builtin_clz(speeds);
    dev->is_attached = true;
    port->dev = dev;
    usb_device_reset(dev);
    port->ops->attached(port);
    return true;
}

/* What is behind a hub is out of reach with it. */
static void tell_gone(UsbDevice *dev)
{
    const UsbBus *bus = USB_BUS(dev->parent.bus);
    UsbDevice *(*behind)(UsbDevice *dev, unsigned port) = usb_device_ops(dev)->behind;
    UsbDevice *other;

    for (unsigned n = 1; behind && n <= USB_HUB_PORTS; n++) {
        other = behind(dev, n);
        if (other) {
            tell_gone(other);
        }
    }
    bus->ops->gone(bus->opaque, dev);
}

void usb_device_detach(UsbDevice *dev)
{
    UsbPort *port = dev->port;

    tell_gone(dev);
    port->ops->detached(port);
    port->dev = NULL;
    dev->is_attached = false;
    usb_device_reset(dev);
}

/* --- life --- */

/* What the controller is on its own bus. */
static char *controller_address(const Device *controller)
{
    const BusType *ops = controller->bus ? bus_ops(controller->bus) : NULL;

    return ops && ops->device_address ?
        ops->device_address(controller->bus, (Device *)controller) : NULL;
}

static void set_serial(UsbDevice *dev)
{
    const UsbDescriptors *descriptors = dev->descriptors;
    g_autofree char *controller = controller_address(dev->parent.bus->owner);

    if (dev->wanted_serial) {
        dev->serial = g_strdup(dev->wanted_serial);
    } else if (descriptors->serial_string) {
        dev->serial = g_strdup_printf("%s%s%s-%s",
                                      descriptors->strings[descriptors->serial_string - 1],
                                      controller ? "-" : "", controller ? controller : "",
                                      dev->port->path);
    }
}

static bool usb_device_realize(Device *device, Error **errp)
{
    UsbDevice *dev = USB_DEVICE(device);

    dev->descriptors = usb_device_ops(dev)->descriptors;
    for (int speed = 0; speed < USB_SPEEDS; speed++) {
        dev->speeds |= dev->descriptors->speeds[speed] ? BIT(speed) : 0;
        dev->speed = dev->descriptors->speeds[speed] ? speed : dev->speed;
    }
    if (dev->pcap_path && !(dev->pcap = usb_pcap_open(dev->pcap_path, errp))) {
        return false;
    }
    if (!usb_claim_port(dev, errp)) {
        g_clear_pointer(&dev->pcap, usb_pcap_close);
        return false;
    }
    set_serial(dev);
    return true;
}

static void usb_device_unrealize(Device *device)
{
    UsbDevice *dev = USB_DEVICE(device);

    if (dev->is_attached) {
        usb_device_detach(dev);
    }
    usb_release_port(dev);
    g_clear_pointer(&dev->pcap, usb_pcap_close);
    g_clear_pointer(&dev->serial, g_free);
    dev->speeds = 0;
}

static void usb_device_reset_hold(Device *device)
{
    if (USB_DEVICE(device)->is_attached) {
        usb_device_reset(USB_DEVICE(device));
    }
}

static json_object *get_attached(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_boolean(USB_DEVICE(obj)->is_attached);
}

static bool set_attached(Object *obj, const Property *p, json_object *value, PropertyForm form,
                         Error **errp)
{
    UsbDevice *dev = USB_DEVICE(obj);
    bool is_on;

    if (!property_value_bool(p, value, form, &is_on, errp)) {
        return false;
    }
    if (!dev->parent.is_realized) {
        dev->is_kept_away = !is_on;
    } else if (is_on && !dev->is_attached) {
        return usb_device_attach(dev, errp);
    } else if (!is_on && dev->is_attached) {
        usb_device_detach(dev);
    }
    return true;
}

static const Property usb_device_props[] = {
    PROP_STR("port", UsbDevice, wanted_port,
             .doc = "Port of the bus, with those of hubs before it: 1.2; unset: a free one"),
    PROP_STR("pcap", UsbDevice, pcap_path,
             .doc = "File that its packets are written to, for Wireshark"),
    PROP_STR("serial", UsbDevice, wanted_serial, .doc = "Serial number it tells"),
    PROP_COMPUTED("attached", "bool", .get = get_attached, .set = set_attached, .is_live = true,
                  .doc = "Whether it is on its port"),
};

/* --- saved state --- */

static bool usb_device_post_load(void *opaque, int version, Error **errp)
{
    const UsbDevice *dev = opaque;

    return (dev->address < 128 && dev->configuration <= 1) ||
           error_set(errp, "usb: address %u, configuration %u", dev->address, dev->configuration);
}

static const VMField usb_device_fields[] = {
    VM_EQUAL(UsbDevice, is_attached), VM_U8(UsbDevice, address), VM_U8(UsbDevice, configuration),
    VM_BOOL(UsbDevice, may_wake), VM_U32(UsbDevice, stalled),
};

static const UsbDeviceType usb_device_type = {
    .name = TYPE_USB_DEVICE,
    .doc = "A device on a USB",
    .parent = TYPE_DEVICE,
    .size = sizeof(UsbDevice),
    .is_abstract = true,
    .bus_type = TYPE_USB_BUS,
    .category = DEVICE_CATEGORY_USB,
    .properties = PROPERTIES(usb_device_props),
    .vmstate = VMSTATE(usb_device_fields, .version = 1, .post_load = usb_device_post_load),
    .realize = usb_device_realize,
    .unrealize = usb_device_unrealize,
    .reset_hold = usb_device_reset_hold,
};
DEVICE_TYPE(usb_device_type)
