/*
 * The bus: ports, who has them, where a device goes. Ports of hubs are the bus's as well. A device
 * that would take the last free one gets a hub there, so that more may come.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "usb.h"

#include "hw/core/hotplug.h"

/* --- ports --- */

void usb_port_add(UsbBus *bus, UsbPort *port, const UsbPort *parent)
{
    port->bus = bus;
    port->level = parent ? parent->level + 1 : 0;
    if (parent) {
        g_snprintf(port->path, sizeof(port->path), "%s.%u", parent->path, port->number);
    } else {
        g_snprintf(port->path, sizeof(port->path), "%u", port->number);
    }
    g_ptr_array_add(bus->ports, port);
}

void usb_port_remove(UsbPort *port)
{
    g_ptr_array_remove(port->bus->ports, port);
}

static unsigned count_free(const UsbBus *bus, UsbPort **first)
{
    unsigned count = 0;

    *first = NULL;
    for (guint i = 0; i < bus->ports->len; i++) {
        UsbPort *port = bus->ports->pdata[i];

        if (!port->owner) {
            *first = *first ? *first : port;
            count++;
        }
    }
    return count;
}

static bool claim_by_path(UsbBus *bus, UsbDevice *dev, Error **errp)
{
    for (guint i = 0; i < bus->ports->len; i++) {
        UsbPort *port = bus->ports->pdata[i];

        if (!port->owner && !strcmp(port->path, dev->wanted_port)) {
            dev->port = port;
            return true;
        }
    }
    return error_set(errp, "usb port %s (bus %s) not found (in use?)", dev->wanted_port,
                     bus_name(&bus->parent));
}

bool usb_claim_port(UsbDevice *dev, Error **errp)
{
    UsbBus *bus = USB_BUS(dev->parent.bus);
    UsbPort *first;

    if (dev->wanted_port) {
        if (!claim_by_path(bus, dev, errp)) {
            return false;
        }
    } else {
        if (count_free(bus, &first) == 1 && !usb_device_ops(dev)->behind &&
            first->level < USB_HUB_LEVELS &&
            !device_realize_and_unref(device_new("usb-hub"), &bus->parent, errp)) {
            return false;
        }
        if (!count_free(bus, &first)) {
            return error_set(errp, "tried to attach usb device %s to a bus with no free ports",
                             usb_device_name(dev));
        }
        dev->port = first;
    }
    dev->port->owner = dev;
    return true;
}

void usb_release_port(UsbDevice *dev)
{
    dev->port->owner = NULL;
    dev->port = NULL;
}

/* --- plugging --- */

static bool usb_plug(Object *handler, Device *device, Error **errp)
{
    UsbDevice *dev = USB_DEVICE(device);

    return dev->is_kept_away || usb_device_attach(dev, errp);
}

/* A guest sees that it is gone: there is nothing to ask. */
static bool usb_unplug_request(Object *handler, Device *dev, Error **errp)
{
    hotplug_unplug(dev);
    return true;
}

static const HotplugHandler usb_hotplug = {
    .plug = usb_plug, .unplug_request = usb_unplug_request,
};

/* --- the bus --- */

static unsigned each_below(Bus *bus, void (*fn)(void *opaque, UsbBus *bus), void *opaque)
{
    bool is_usb = object_is_a(bus, TYPE_USB_BUS);
    unsigned count = is_usb;

    if (is_usb && fn) {
        fn(opaque, USB_BUS(bus));
    }
    for (guint i = 0; i < bus->devices->len; i++) {
        const Device *dev = bus->devices->pdata[i];

        for (guint n = 0; dev->buses && n < dev->buses->len; n++) {
            count += each_below(dev->buses->pdata[n], fn, opaque);
        }
    }
    return count;
}

unsigned usb_each_bus(void (*fn)(void *opaque, UsbBus *bus), void *opaque)
{
    return each_below(bus_system(), fn, opaque);
}

UsbBus *usb_bus_new(Device *owner, const UsbBusOps *ops, void *opaque)
{
    g_autofree char *name = owner->id ? g_strdup_printf("%s.0", owner->id) : NULL;
    unsigned number = usb_each_bus(NULL, NULL);
    UsbBus *bus;

    for (unsigned n = 0; !name; n++) {
        name = g_strdup_printf("usb-bus.%u", n);
        if (bus_find(name, TYPE_USB_BUS)) {
            g_clear_pointer(&name, g_free);
        }
    }
    bus = USB_BUS(bus_new(TYPE_USB_BUS, owner, name));
    bus->number = number;
    bus->ops = ops;
    bus->opaque = opaque;
    bus_set_hotplug_handler(&bus->parent, &bus->parent.parent);
    return bus;
}

void usb_bus_delete(UsbBus *bus)
{
    bus_set_hotplug_handler(&bus->parent, NULL); /* it would keep itself */
    object_unparent(bus);
}

static void print_device(Bus *bus, Device *device, GString *out, int indent)
{
    const UsbDevice *dev = USB_DEVICE(device);

    g_string_append_printf(out, "%*saddr %u.%u, port %s, speed %s, name %s%s\n", indent, "",
                           USB_BUS(bus)->number, dev->address, dev->port ? dev->port->path : "-",
                           usb_speed_name(dev->speed), usb_device_name(dev),
                           dev->is_attached ? ", attached" : "");
}

static char *device_address(Bus *bus, Device *device)
{
    const UsbDevice *dev = USB_DEVICE(device);

    return dev->port ? g_strdup(dev->port->path) : NULL;
}

/* Hubs before the device are steps of its own: "hub@1/storage@2". */
static char *firmware_path(Bus *bus, Device *device)
{
    const UsbDevice *dev = USB_DEVICE(device);
    const char *at = dev->port->path, *name = usb_device_ops(dev)->firmware_name;
    GString *out = g_string_new(NULL);

    for (const char *dot = strchr(at, '.'); dot; at = dot + 1, dot = strchr(at, '.')) {
        g_string_append_printf(out, "hub@%lx/", strtoul(at, NULL, 10));
    }
    g_string_append_printf(out, "%s@%lx", name ? name : object_type_name(dev),
                           strtoul(at, NULL, 10));
    return g_string_free(out, FALSE);
}

static void bus_init(Object *obj)
{
    USB_BUS(obj)->ports = g_ptr_array_new();
}

static void bus_finalize(Object *obj)
{
    g_ptr_array_unref(USB_BUS(obj)->ports);
}

static const BusType usb_bus_type = {
    .name = TYPE_USB_BUS,
    .parent = TYPE_BUS,
    .doc = "Devices of a USB host controller, hubs' too",
    .size = sizeof(UsbBus),
    .init = bus_init,
    .finalize = bus_finalize,
    .print_device = print_device,
    .device_address = device_address,
    .firmware_path = firmware_path,
    .interfaces = (const InterfaceImpl[]){ { TYPE_HOTPLUG_HANDLER, &usb_hotplug }, { 0 } },
};
BUS_TYPE(usb_bus_type)
