/*
 * Life of a device: made, realized, unrealized. See hw/core/device.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/device_parts.h"
#include "hw/core/hotplug.h"
#include "hw/core/reset.h"
#include "qapi/qapi-events-qdev.h"

const char *device_label(const Device *dev)
{
    return dev->id ? dev->id : object_type_name(dev);
}

Device *device_new(const char *name)
{
    Device *dev = DEVICE(object_new(name));

    device_apply_globals(dev);
    return dev;
}

void device_levels(Device *dev, DeviceLevelFn *fn, bool is_reverse)
{
    const DeviceType *levels[32];
    unsigned count = 0;

    for (const Type *type = dev->parent.type; type_is_a(type, TYPE_DEVICE);
         type = type_parent(type)) {
        assert(count < ARRAY_SIZE(levels));
        levels[count++] = (const DeviceType *)type_decl(type);
    }
    for (unsigned i = 0; i < count; i++) {
        fn(dev, levels[is_reverse ? i : count - 1 - i]);
    }
}

/* Realizes the levels below and including `type`; undoes its work when one fails. */
static bool realize_levels(Device *dev, const Type *type, Error **errp)
{
    const DeviceType *level = (const DeviceType *)type_decl(type);

    if (!strcmp(type_name(type), TYPE_DEVICE)) {
        return true;
    }
    if (!realize_levels(dev, type_parent(type), errp)) {
        return false;
    }
    if (level->realize && !level->realize(dev, errp)) {
        for (type = type_parent(type); type_is_a(type, TYPE_DEVICE); type = type_parent(type)) {
            level = (const DeviceType *)type_decl(type);
            if (level->unrealize) {
                level->unrealize(dev);
            }
        }
        return false;
    }
    return true;
}

static bool attach_to_bus(Device *dev, Bus *bus, Error **errp)
{
    const char *wanted = device_ops(dev)->bus_type;

    if (!bus) {
        return !wanted || error_set(errp, "Device '%s' needs a bus of type '%s'",
                                    device_label(dev), wanted);
    }
    if (!wanted || !object_is_a(bus, wanted)) {
        return error_set(errp, "Device '%s' can't go on %s bus", object_type_name(dev),
                         object_type_name(bus));
    }
    if (bus_ops(bus)->check && !bus_ops(bus)->check(bus, dev, errp)) {
        return false;
    }
    dev->bus = BUS(object_ref(bus));
    g_ptr_array_add(bus->devices, dev);
    return true;
}

static void detach_from_bus(Device *dev)
{
    if (dev->bus) {
        g_ptr_array_remove(dev->bus->devices, dev);
        object_unref(dev->bus);
        dev->bus = NULL;
    }
}

static void place_in_tree(Device *dev)
{
    if (!dev->parent.parent) {
        object_add_child(object_container("/machine/unattached"), "device[*]", dev, NULL);
    }
}

static void take_out_of_tree(Device *dev, bool was_placed)
{
    if (!was_placed) {
        object_unparent(dev);
    }
}

static void join_reset(Device *dev)
{
    if (!dev->bus) {
        reset_register_device(dev);
    }
    if (dev->is_hotplugged) {
        device_reset(dev);
    }
}

static void set_buses_realized(Device *dev, bool is_realized)
{
    for (guint i = 0; dev->buses && i < dev->buses->len; i++) {
        ((Bus *)dev->buses->pdata[i])->is_realized = is_realized;
    }
}

static bool bring_to_life(Device *dev, Error **errp)
{
    if (!hotplug_pre_plug(dev, errp) || !realize_levels(dev, dev->parent.type, errp)) {
        return false;
    }
    if (!device_state_register(dev, errp)) {
        device_stop_levels(dev);
        return false;
    }
    dev->is_realized = true;
    set_buses_realized(dev, true);
    if (!hotplug_plug(dev, errp)) {
        dev->is_realized = false;
        device_state_unregister(dev);
        device_stop_levels(dev);
        return false;
    }
    return true;
}

static void unrealize_level(Device *dev, const DeviceType *level)
{
    if (level->unrealize) {
        level->unrealize(dev);
    }
}

/* What realize did, undone, the most derived first. */
void device_stop_levels(Device *dev)
{
    device_levels(dev, unrealize_level, true);
    device_timers_cancel(dev);
}

bool device_realize(Device *dev, Bus *bus, Error **errp)
{
    bool was_placed = dev->parent.parent;

    assert(!dev->is_realized);
    if (dev->global_error) {
        return error_propagate(errp, error_copy(dev->global_error));
    }
    dev->is_hotplugged = device_is_hotplug_phase();
    if (!attach_to_bus(dev, bus, errp)) {
        return false;
    }
    object_ref(dev);
    place_in_tree(dev);
    if (!bring_to_life(dev, errp)) {
        detach_from_bus(dev);
        take_out_of_tree(dev, was_placed);
        object_unref(dev);
        return false;
    }
    object_seal(dev);
    join_reset(dev);
    object_unref(dev);
    return true;
}

bool device_realize_and_unref(Device *dev, Bus *bus, Error **errp)
{
    bool is_ok = device_realize(dev, bus, errp);

    object_unref(dev);
    return is_ok;
}

static void unrealize_children(Device *dev)
{
    for (guint i = 0; dev->buses && i < dev->buses->len; i++) {
        Bus *bus = dev->buses->pdata[i];

        while (bus->devices->len) {
            Device *child = bus->devices->pdata[bus->devices->len - 1];

            child->tells_deletion = dev->tells_deletion;
            device_delete(child);
        }
    }
}

void device_unrealize(Device *dev)
{
    if (!dev->is_realized) {
        return;
    }
    unrealize_children(dev);
    set_buses_realized(dev, false);
    if (!dev->bus) {
        reset_unregister_device(dev);
    }
    device_state_unregister(dev);
    dev->is_realized = false;
    device_stop_levels(dev);
    dev->parent.is_sealed = false;
}

void device_delete(Device *dev)
{
    g_autofree char *path = object_path(dev);

    object_ref(dev);
    device_unrealize(dev);
    detach_from_bus(dev);
    object_unparent(dev);
    if (dev->tells_deletion && path) {
        qapi_event_send_device_deleted(dev->id, path);
    }
    object_unref(dev);
}

static json_object *get_realized(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_boolean(DEVICE(obj)->is_realized);
}

static json_object *get_hotpluggable(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_boolean(!device_ops(DEVICE(obj))->is_not_hotpluggable);
}

static json_object *get_hotplugged(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_boolean(DEVICE(obj)->is_hotplugged);
}

static json_object *get_parent_bus(Object *obj, const Property *p, Error **errp)
{
    g_autofree char *path = DEVICE(obj)->bus ? object_path(DEVICE(obj)->bus) : NULL;

    return json_string(path ? path : "");
}

static const Property device_props[] = {
    PROP_COMPUTED("realized", "bool", .get = get_realized, .doc = "Whether it is alive"),
    PROP_COMPUTED("hotpluggable", "bool", .get = get_hotpluggable,
                  .doc = "Whether its type can be plugged into a running machine"),
    PROP_COMPUTED("hotplugged", "bool", .get = get_hotplugged,
                  .doc = "Whether it came after the machine was built"),
    PROP_COMPUTED("parent_bus", "link<bus>", .get = get_parent_bus, .doc = "The bus it sits on"),
};

static void device_init(Object *obj)
{
    device_lines_init(DEVICE(obj));
    device_timers_init(DEVICE(obj));
}

static void device_finalize(Object *obj)
{
    Device *dev = DEVICE(obj);

    assert(!dev->is_realized);
    device_timers_clear(dev);
    device_lines_clear(dev);
    if (dev->buses) {
        g_ptr_array_unref(dev->buses);
    }
    error_free(dev->global_error);
    json_unref(dev->options);
    g_free(dev->id);
}

static const DeviceType device_type = {
    .name = TYPE_DEVICE,
    .doc = "What a guest can see or hear",
    .size = sizeof(Device),
    .is_abstract = true,
    .properties = PROPERTIES(device_props),
    .init = device_init,
    .finalize = device_finalize,
    .access = DEVICE_ACCESS_USER,
};
DEVICE_TYPE(device_type)
