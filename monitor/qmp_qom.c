/*
 * QMP commands on objects, their properties and types.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/qapi-commands-qdev.h"
#include "qapi/qapi-commands-qom.h"
#include "qom/object.h"
#include "qom/user_creatable.h"

#define DEVICE_TYPE_NAME "device"

static Object *find_object(const char *path, Error **errp)
{
    bool is_ambiguous = false;
    Object *obj = object_resolve(path, NULL, &is_ambiguous);

    if (!obj && (is_ambiguous || !*path)) {
        error_set(errp, "Path '%s' is ambiguous", path);
    } else if (!obj) {
        error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", path);
    }
    return obj;
}

/* --- lists --- */

static ObjectPropertyInfoArray *steal_infos(GPtrArray *infos)
{
    ObjectPropertyInfoArray *result = g_new0(ObjectPropertyInfoArray, 1);

    result->items = (ObjectPropertyInfo **)g_ptr_array_steal(infos, &result->count);
    g_ptr_array_unref(infos);
    return result;
}

static ObjectPropertyInfo *property_info(const Property *prop)
{
    ObjectPropertyInfo *info = g_new0(ObjectPropertyInfo, 1);

    info->name = g_strdup(prop->name);
    info->type = property_type_name(prop);
    return info;
}

static void add_object_property(void *opaque, const Property *prop)
{
    g_ptr_array_add(opaque, property_info(prop));
}

ObjectPropertyInfoArray *qmp_qom_list(const char *path, Error **errp)
{
    Object *obj = find_object(path, errp);
    GPtrArray *infos;

    if (!obj) {
        return NULL;
    }
    infos = g_ptr_array_new();
    object_each_property(obj, add_object_property, infos);
    return steal_infos(infos);
}

static void add_type_property(void *opaque, const Type *owner, const Property *prop)
{
    ObjectPropertyInfo *info = property_info(prop);

    info->description = g_strdup(prop->doc);
    info->default_value = property_default(prop);
    g_ptr_array_add(opaque, info);
}

ObjectPropertyInfoArray *qmp_qom_list_properties(const char *typename, Error **errp)
{
    const Type *type = type_find(typename);
    GPtrArray *infos;

    if (!type) {
        error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Class '%s' not found", typename);
        return NULL;
    }
    infos = g_ptr_array_new();
    type_each_property(type, add_type_property, infos);
    return steal_infos(infos);
}

/* What is no setting of a device but of the core. */
static bool is_core_property(const char *name)
{
    static const char *const names[] = {
        "type", "realized", "hotpluggable", "hotplugged", "parent_bus",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(names[i], name)) {
            return true;
        }
    }
    return g_str_has_prefix(name, "legacy-");
}

static void add_device_property(void *opaque, const Type *owner, const Property *prop)
{
    if (!is_core_property(prop->name)) {
        add_type_property(opaque, owner, prop);
    }
}

ObjectPropertyInfoArray *qmp_device_list_properties(const char *typename, Error **errp)
{
    const Type *type = type_find(type_resolve_alias(typename));
    GPtrArray *infos;

    if (!type) {
        error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", typename);
        return NULL;
    }
    if (!type_is_a(type, DEVICE_TYPE_NAME) || type_is_abstract(type)) {
        error_set(errp, "Parameter 'typename' expects a non-abstract device type");
        return NULL;
    }
    infos = g_ptr_array_new();
    type_each_property(type, add_device_property, infos);
    return steal_infos(infos);
}

static ObjectTypeInfo *type_info(const Type *type)
{
    ObjectTypeInfo *info = g_new0(ObjectTypeInfo, 1);
    const Type *parent = type_parent(type);

    info->name = g_strdup(type_name(type));
    info->parent = parent ? g_strdup(type_name(parent)) : NULL;
    info->has_abstract = info->abstract = type_is_abstract(type);
    return info;
}

ObjectTypeInfoArray *qmp_qom_list_types(const char *implements, bool has_abstract, bool abstract,
                                        Error **errp)
{
    g_autoptr(GPtrArray) types = type_list(implements, has_abstract && abstract);
    ObjectTypeInfoArray *result = g_new0(ObjectTypeInfoArray, 1);

    result->count = types->len;
    result->items = g_new(ObjectTypeInfo *, types->len);
    for (guint i = 0; i < types->len; i++) {
        result->items[i] = type_info(g_ptr_array_index(types, i));
    }
    return result;
}

/* --- values --- */

json_object *qmp_qom_get(const char *path, const char *property, Error **errp)
{
    Object *obj = find_object(path, errp);

    return obj ? object_get(obj, property, errp) : NULL;
}

bool qmp_qom_set(const char *path, const char *property, json_object *value, Error **errp)
{
    Object *obj = find_object(path, errp);

    return obj && object_set(obj, property, value, PROPERTY_TYPED, errp);
}

/* --- objects of users --- */

bool qmp_object_add(const ObjectOptions *args, Error **errp)
{
    g_autoptr(JsonObject) options = object_options_to_json(args);

    return user_creatable_add(options, PROPERTY_TYPED, errp);
}

bool qmp_object_del(const char *id, Error **errp)
{
    return user_creatable_del(id, errp);
}
