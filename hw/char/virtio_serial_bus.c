/*
 * The bus of virtio-serial's ports: which numbers and names they have, and their coming and going.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_serial.h"

#include "hw/core/hotplug.h"

#define ANY UINT32_MAX

/* --- who is there --- */

typedef bool PortMatch(const VirtioSerialPort *port, const void *what);

static VirtioSerialPort *search(const Bus *bus, PortMatch *match, const void *what)
{
    for (guint i = 0; i < bus->devices->len; i++) {
        VirtioSerialPort *port = bus->devices->pdata[i];

        if (port->parent.is_realized && match(port, what)) {
            return port;
        }
    }
    return NULL;
}

static bool match_number(const VirtioSerialPort *port, const void *number)
{
    return port->number == *(const uint32_t *)number;
}

static bool match_name(const VirtioSerialPort *port, const void *name)
{
    return port->name && !strcmp(port->name, name);
}

static bool match_console(const VirtioSerialPort *port, const void *none)
{
    return virtio_serial_port_is_console(port);
}

VirtioSerialPort *virtio_serial_find(const VirtioSerial *s, uint32_t number)
{
    return search(s->bus, match_number, &number);
}

VirtioSerialPort *virtio_serial_find_console(const VirtioSerial *s)
{
    return search(s->bus, match_console, NULL);
}

void virtio_serial_each_port(const VirtioSerial *s, void (*fn)(VirtioSerialPort *port))
{
    for (guint i = 0; i < s->bus->devices->len; i++) {
        VirtioSerialPort *port = s->bus->devices->pdata[i];

        if (port->parent.is_realized) {
            fn(port);
        }
    }
}

/* --- places --- */

/* Number 0 is a console's: what drivers without ports take for one. */
static void choose_number(const VirtioSerial *s, VirtioSerialPort *port)
{
    port->number = virtio_serial_port_is_console(port) ? 0 : 1;
    while (virtio_serial_find(s, port->number)) {
        port->number++;
    }
}

static bool check_port(Bus *bus, Device *dev, Error **errp)
{
    const VirtioSerial *s = VIRTIO_SERIAL(bus->owner);
    VirtioSerialPort *port = VIRTIO_SERIAL_PORT(dev);

    if (!port->number && !virtio_serial_port_is_console(port)) {
        return error_set(errp, "Port number 0 on virtio-serial devices reserved for virtconsole "
                         "devices for backward compatibility.");
    }
    if (port->number != ANY && virtio_serial_find(s, port->number)) {
        return error_set(errp, "virtio-serial-bus: A port already exists at id %" PRIu32,
                         port->number);
    }
    if (port->name && search(bus, match_name, port->name)) {
        return error_set(errp, "virtio-serial-bus: A port already exists by name %s", port->name);
    }
    if (port->number == ANY) {
        choose_number(s, port);
    }
    return port->number < s->max_ports ||
           error_set(errp, "virtio-serial-bus: Out-of-range port id specified, max. allowed: %u",
                     s->max_ports - 1);
}

/* --- plugging: the driver is told, not asked --- */

static bool plug(Object *handler, Device *dev, Error **errp)
{
    const VirtioSerialPort *port = VIRTIO_SERIAL_PORT(dev);

    virtio_serial_send(virtio_serial_of(port), port->number, VIRTIO_CONSOLE_DEVICE_ADD, 1);
    return true;
}

static void unplug(Object *handler, Device *dev)
{
    const VirtioSerialPort *port = VIRTIO_SERIAL_PORT(dev);

    virtio_serial_send(virtio_serial_of(port), port->number, VIRTIO_CONSOLE_DEVICE_REMOVE, 1);
}

static const HotplugHandler hotplug = { .plug = plug, .unplug = unplug };

/* --- the bus --- */

static void print_device(Bus *bus, Device *dev, GString *out, int indent)
{
    const VirtioSerialPort *port = VIRTIO_SERIAL_PORT(dev);

    g_string_append_printf(out, "%*sport %u, guest %s, host %s, throttle %s\n", indent, "",
                           port->number, port->is_guest_open ? "on" : "off",
                           virtio_serial_port_is_host_open(port) ? "on" : "off",
                           port->watch ? "on" : "off");
}

static char *device_address(Bus *bus, Device *dev)
{
    Bus *above = bus->owner->bus;
    g_autofree char *place = above && bus_ops(above)->device_address ?
                             bus_ops(above)->device_address(above, bus->owner) : NULL;

    return g_strdup_printf("%s/port%" PRIu32, place ? place : "", VIRTIO_SERIAL_PORT(dev)->number);
}

Bus *virtio_serial_bus_new(VirtioSerial *s)
{
    Device *dev = &s->parent.parent;
    const char *id = dev->id ? dev->id : dev->bus->owner->id; /* the PCI function's */
    g_autofree char *name = bus_free_name(id ? id : TYPE_VIRTIO_SERIAL_BUS);
    Bus *bus = bus_new(TYPE_VIRTIO_SERIAL_BUS, dev, name);

    bus_set_hotplug_handler(bus, &bus->parent);
    return bus;
}

void virtio_serial_bus_delete(Bus *bus)
{
    bus_set_hotplug_handler(bus, NULL); /* it would keep itself */
    object_unparent(bus);
}

static const BusType serial_bus_type = {
    .name = TYPE_VIRTIO_SERIAL_BUS,
    .parent = TYPE_BUS,
    .doc = "Ports of a virtio console",
    .check = check_port,
    .print_device = print_device,
    .device_address = device_address,
    .interfaces = (const InterfaceImpl[]){ { TYPE_HOTPLUG_HANDLER, &hotplug }, { 0 } },
};
BUS_TYPE(serial_bus_type)
