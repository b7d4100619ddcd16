/*
 * Devices that users make and remove: -device, device_add, device_del.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/hotplug.h"
#include "hw/core/machine.h"
#include "qom/user_creatable.h"
#include "system/migration_blocker.h"

static const char *option_text(json_object *options, const char *name, Error **errp)
{
    json_object *value;

    if (!json_object_object_get_ex(options, name, &value)) {
        return NULL;
    }
    if (!json_object_is_type(value, json_type_string)) {
        error_set(errp, "Invalid parameter type for '%s', expected: string", name);
        return NULL;
    }
    return json_object_get_string(value);
}

static const Type *find_device_type(const char *driver, Error **errp)
{
    const Type *type = type_find(type_resolve_alias(driver));

    if (!type || !type_is_a(type, TYPE_DEVICE)) {
        error_set(errp, "'%s' is not a valid device model name", driver);
        return NULL;
    }
    if (type_is_abstract(type)) {
        error_set(errp, "Parameter 'driver' expects a non-abstract device type");
        return NULL;
    }
    if (((const DeviceType *)type_ops(type))->access != DEVICE_ACCESS_USER) {
        error_set(errp, "Parameter 'driver' expects a pluggable device type");
        return NULL;
    }
    return type;
}

static bool find_bus(const Type *type, const char *name, Bus **bus, Error **errp)
{
    const char *wanted = ((const DeviceType *)type_ops(type))->bus_type;

    *bus = NULL;
    if (name) {
        *bus = bus_find(name, NULL);
        if (!*bus) {
            return error_set(errp, "Bus '%s' not found", name);
        }
        if (!wanted || !object_is_a(*bus, wanted)) {
            return error_set(errp, "Device '%s' can't go on %s bus", type_name(type),
                             object_type_name(*bus));
        }
        if ((*bus)->is_full) {
            return error_set(errp, "Bus '%s' is full", name);
        }
    } else if (wanted) {
        *bus = bus_find_free(wanted);
        if (!*bus) {
            return error_set(errp, "No '%s' bus found for device '%s'", wanted, type_name(type));
        }
    }
    if (*bus && device_is_hotplug_phase() && !(*bus)->hotplug) {
        return error_set(errp, "Bus '%s' does not support hotplugging", bus_name(*bus));
    }
    return true;
}

static bool check_id(const char *id, Error **errp)
{
    if (!id_is_wellformed(id)) {
        error_set(errp, "Parameter 'id' expects an identifier");
        error_hint(errp, "Identifiers consist of letters, digits, '-', '.', '_', starting with a "
                   "letter.\n");
        return false;
    }
    if (object_child(object_container("/machine/peripheral"), id)) {
        return error_set(errp, "Duplicate device ID '%s'", id);
    }
    return true;
}

static bool set_options(Device *dev, json_object *options, PropertyForm form, Error **errp)
{
    json_object_object_foreach (options, key, value) {
        if (!strcmp(key, "driver") || !strcmp(key, "bus") || !strcmp(key, "id")) {
            continue;
        }
        if (!object_set(dev, key, value, form, errp)) {
            return false;
        }
    }
    return true;
}

static Device *make(const Type *type, Bus *bus, json_object *options, PropertyForm form,
                    Error **errp)
{
    g_autoptr(Device) dev = device_new(type_name(type));
    json_object *id = json_member(options, "id");
    bool is_ok;

    dev->id = id ? g_strdup(json_object_get_string(id)) : NULL;
    dev->options = json_ref(options);
    is_ok = id ? object_add_child(object_container("/machine/peripheral"), dev->id, dev, errp) :
                 object_add_child(object_container("/machine/peripheral-anon"), "device[*]", dev,
                                  errp);
    if (!is_ok) {
        return NULL;
    }
    if (!set_options(dev, options, form, errp) || !device_realize(dev, bus, errp)) {
        object_unparent(dev);
        return NULL;
    }
    return dev;
}

Device *device_add(json_object *options, PropertyForm form, Error **errp)
{
    Error *err = NULL;
    const char *driver = option_text(options, "driver", &err);
    const char *bus_text = err ? NULL : option_text(options, "bus", &err);
    const char *id = err ? NULL : option_text(options, "id", &err);
    const Type *type;
    Bus *bus;

    if (!error_propagate(errp, err)) {
        return NULL;
    }
    if (migration_is_active()) {
        error_set(errp, "device_add not allowed while migrating");
        return NULL;
    }
    if (!driver) {
        error_set(errp, "Parameter 'driver' is missing");
        return NULL;
    }
    type = find_device_type(driver, errp);
    if (!type || !find_bus(type, bus_text, &bus, errp) || (id && !check_id(id, errp))) {
        return NULL;
    }
    return make(type, bus, options, form, errp);
}

Device *device_find(const char *id)
{
    Object *obj = *id == '/' ? object_resolve(id, TYPE_DEVICE, NULL) :
                               object_child(object_container("/machine/peripheral"), id);

    return obj && object_is_a(obj, TYPE_DEVICE) ? DEVICE(obj) : NULL;
}

static bool check_unplug(Device *dev, Error **errp)
{
    if (dev->bus && !dev->bus->hotplug) {
        return error_set(errp, "Bus '%s' does not support hotplugging", bus_name(dev->bus));
    }
    if (device_ops(dev)->is_not_hotpluggable) {
        return error_set(errp, "Device '%s' does not support hotplugging",
                         object_type_name(dev));
    }
    return hotplug_handler_of(dev) ||
           error_set(errp, "Device '%s' can not be hotunplugged on this machine",
                     object_type_name(dev));
}

bool device_del(const char *id, Error **errp)
{
    Device *dev = device_find(id);

    if (migration_is_active()) {
        return error_set(errp, "device_del not allowed while migrating");
    }
    if (!dev) {
        return error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", id);
    }
    if (!check_unplug(dev, errp)) {
        return false;
    }
    if (dev->is_unplug_pending && dev->unplug_repeat_ns > clock_now_ns(CLOCK_VIRTUAL)) {
        return error_set(errp, "Device %s is already in the process of unplug", id);
    }
    if (hotplug_can_request(dev)) {
        return hotplug_unplug_request(dev, errp);
    }
    hotplug_unplug(dev);
    return true;
}
