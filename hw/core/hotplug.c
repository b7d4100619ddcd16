/*
 * Plugging and unplugging: see hw/core/hotplug.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/hotplug.h"
#include "hw/core/machine.h"

static const ObjectType hotplug_handler_type = {
    .name = TYPE_HOTPLUG_HANDLER,
    .doc = "Plugs devices into a running machine",
    .is_interface = true,
};
OBJECT_TYPE(hotplug_handler_type)

/* The one phase of the process: boards first, users' hot-plug after. */
static bool is_hotplug_phase;

void device_set_hotplug_phase(bool is_hotplug)
{
    is_hotplug_phase = is_hotplug;
}

bool device_is_hotplug_phase(void)
{
    return is_hotplug_phase;
}

Object *hotplug_handler_of(const Device *dev)
{
    Machine *machine = machine_current();
    const MachineType *ops = machine ? machine_ops(machine) : NULL;
    Object *handler = ops && ops->hotplug_handler ? ops->hotplug_handler(machine, dev) : NULL;

    if (dev->is_part) {
        return NULL;
    }
    return handler ? handler : dev->bus ? dev->bus->hotplug : NULL;
}

static const HotplugHandler *handler_ops(Object *handler)
{
    return handler ? object_interface(handler, TYPE_HOTPLUG_HANDLER) : NULL;
}

static bool check_plug_allowed(Device *dev, Object *handler, Error **errp)
{
    if (!dev->is_hotplugged || dev->is_part) {
        return true;
    }
    if (dev->bus && !handler) {
        return error_set(errp, "Bus '%s' does not support hotplugging", bus_name(dev->bus));
    }
    if (device_ops(dev)->is_not_hotpluggable) {
        return error_set(errp, "Device '%s' does not support hotplugging",
                         object_type_name(dev));
    }
    return true;
}

bool hotplug_pre_plug(Device *dev, Error **errp)
{
    Object *handler = hotplug_handler_of(dev);
    const HotplugHandler *ops = handler_ops(handler);

    return check_plug_allowed(dev, handler, errp) &&
           (!ops || !ops->pre_plug || ops->pre_plug(handler, dev, errp));
}

bool hotplug_plug(Device *dev, Error **errp)
{
    Object *handler = hotplug_handler_of(dev);
    const HotplugHandler *ops = handler_ops(handler);

    return !ops || !ops->plug || ops->plug(handler, dev, errp);
}

bool hotplug_can_request(const Device *dev)
{
    const HotplugHandler *ops = handler_ops(hotplug_handler_of(dev));

    return ops && ops->unplug_request;
}

bool hotplug_unplug_request(Device *dev, Error **errp)
{
    Object *handler = hotplug_handler_of(dev);
    bool was_pending = dev->is_unplug_pending, is_ok;

    object_ref(dev); /* it may go at once */
    dev->is_unplug_pending = true;
    is_ok = handler_ops(handler)->unplug_request(handler, dev, errp);
    dev->is_unplug_pending = is_ok || was_pending;
    object_unref(dev);
    return is_ok;
}

void hotplug_unplug(Device *dev)
{
    Object *handler = hotplug_handler_of(dev);
    const HotplugHandler *ops = handler_ops(handler);

    if (ops && ops->unplug) {
        ops->unplug(handler, dev);
    }
    dev->tells_deletion = true;
    device_delete(dev);
}

static void collect_pending(void *opaque, Object *child)
{
    if (object_is_a(child, TYPE_DEVICE) && DEVICE(child)->is_unplug_pending) {
        g_ptr_array_add(opaque, object_ref(child));
    }
}

void hotplug_complete_pending(void)
{
    g_autoptr(GPtrArray) pending = g_ptr_array_new_with_free_func(object_unref);

    object_each_child(object_container("/machine/peripheral"), collect_pending, pending);
    object_each_child(object_container("/machine/peripheral-anon"), collect_pending, pending);
    for (guint i = 0; i < pending->len; i++) {
        if (DEVICE(pending->pdata[i])->is_realized) {
            hotplug_unplug(pending->pdata[i]);
        }
    }
}
