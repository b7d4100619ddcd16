/*
 * What is on the buses, for people: `info usb`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "usb.h"

#include "qapi/qapi-commands-machine.h"

static void print_bus(void *opaque, UsbBus *bus)
{
    for (guint i = 0; i < bus->ports->len; i++) {
        const UsbPort *port = bus->ports->pdata[i];
        const UsbDevice *dev = port->dev;

        if (dev) {
            g_string_append_printf(opaque, "  Device %u.%u, Port %s, Speed %s Mb/s, Product %s%s%s\n",
                                   bus->number, dev->address, port->path,
                                   usb_speed_name(dev->speed), usb_device_name(dev),
                                   dev->parent.id ? ", ID: " : "",
                                   dev->parent.id ? dev->parent.id : "");
        }
    }
}

HumanReadableText *qmp_x_query_usb(Error **errp)
{
    HumanReadableText *text;
    GString *out;

    if (!usb_each_bus(NULL, NULL)) {
        error_set(errp, "USB support not enabled");
        return NULL;
    }
    out = g_string_new(NULL);
    usb_each_bus(print_bus, out);
    text = g_new0(HumanReadableText, 1);
    text->human_readable_text = g_string_free(out, FALSE);
    return text;
}
