/*
 * Ports and the display adapter of a PC, as -serial, -parallel and -vga say.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "pc_machine.h"

static const struct {
    const char *name, *type; /* type NULL: no adapter */
} adapters[] = {
    { "none" }, { "std", "VGA" }, { "cirrus", "cirrus-vga" }, { "vmware", "vmware-svga" },
    { "qxl", "qxl-vga" }, { "virtio", "virtio-vga" },
};

static bool add_ports(PcMachine *pc, const GPtrArray *chardevs, const char *type, Error **errp)
{
    for (guint i = 0; i < chardevs->len; i++) {
        Device *dev;

        if (!chardevs->pdata[i]) {
            continue;
        }
        dev = device_new(type);
        object_set_int(dev, "index", i, NULL);
        if (!object_set_text(dev, "chardev", chardevs->pdata[i], errp) ||
            !device_realize(dev, &pc->isa->parent, errp)) {
            object_unref(dev);
            return false;
        }
        object_unref(dev);
    }
    return true;
}

static bool add_adapter(PcMachine *pc, const char *type, Error **errp)
{
    return device_realize_and_unref(device_new(type), &pc->host->parent.bus->parent, errp);
}

static bool add_display(PcMachine *pc, Error **errp)
{
    const char *name = pc->parent.parent.options.vga;

    for (size_t i = 0; name && i < ARRAY_SIZE(adapters); i++) {
        if (strcmp(adapters[i].name, name)) {
            continue;
        }
        if (adapters[i].type && !type_find(adapters[i].type)) {
            return error_set(errp, "-vga %s: there is no '%s' in this build", name,
                             adapters[i].type);
        }
        return !adapters[i].type || add_adapter(pc, adapters[i].type, errp);
    }
    return !name || error_set(errp, "unknown vga type: %s", name);
}

bool pc_add_lines(PcMachine *pc, Error **errp)
{
    const BoardOptions *options = &pc->parent.parent.options;

    return add_ports(pc, options->serial, "isa-serial", errp) &&
           add_ports(pc, options->parallel, "isa-parallel", errp) && add_display(pc, errp);
}
