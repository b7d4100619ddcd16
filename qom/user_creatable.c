/*
 * Objects made by users: see qom/user_creatable.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qom/user_creatable.h"

static const ObjectType user_creatable_type = {
    .name = TYPE_USER_CREATABLE,
    .doc = "Can be made with -object",
    .is_interface = true,
};
OBJECT_TYPE(user_creatable_type)

bool id_is_wellformed(const char *id)
{
    if (!g_ascii_isalpha(*id)) {
        return false;
    }
    return id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")] == 0;
}

static const char *text_member(json_object *options, const char *name, Error **errp)
{
    json_object *value;

    if (!json_object_object_get_ex(options, name, &value)) {
        error_set(errp, "Parameter '%s' is missing", name);
        return NULL;
    }
    if (!json_object_is_type(value, json_type_string)) {
        error_set(errp, "Invalid parameter type for '%s', expected: string", name);
        return NULL;
    }
    return json_object_get_string(value);
}

static const Type *creatable_type(const char *name)
{
    const Type *type = type_find(name);

    return type && !type_is_abstract(type) && type_is_a(type, TYPE_USER_CREATABLE) ? type : NULL;
}

bool user_creatable_is_late(const char *name)
{
    const Type *type = creatable_type(name);
    const UserCreatable *ops = type ? type_interface(type, TYPE_USER_CREATABLE) : NULL;

    return ops && ops->is_late && ops->is_late(type);
}

typedef struct Required {
    json_object *options;
    const char *missing;
} Required;

static void check_required(void *opaque, const Type *owner, const Property *prop)
{
    Required *r = opaque;

    if (prop->is_required && !json_object_object_get_ex(r->options, prop->name, NULL)) {
        r->missing = prop->name;
    }
}

static bool check_options(const Type *type, json_object *options, Error **errp)
{
    Required required = { options };

    json_object_object_foreach (options, key, value) {
        (void)value;
        if (strcmp(key, "id") && strcmp(key, "qom-type") && !type_property(type, key, NULL)) {
            return error_set(errp, "Parameter '%s' is unexpected", key);
        }
    }
    type_each_property(type, check_required, &required);
    return !required.missing || error_set(errp, "Parameter '%s' is missing", required.missing);
}

static bool fill_and_place(Object *obj, const char *id, json_object *options, PropertyForm form,
                           Error **errp)
{
    const UserCreatable *ops = object_interface(obj, TYPE_USER_CREATABLE);

    if (!object_set_all(obj, options, form, errp) ||
        !object_add_child(object_container("/objects"), id, obj, errp)) {
        return false;
    }
    if (ops && ops->complete && !ops->complete(obj, errp)) {
        object_unparent(obj);
        return false;
    }
    object_seal(obj);
    return true;
}

Object *user_creatable_add(json_object *options, PropertyForm form, Error **errp)
{
    const char *type_text = text_member(options, "qom-type", errp);
    const char *id = type_text ? text_member(options, "id", errp) : NULL;
    const Type *type;
    g_autoptr(Object) obj = NULL;

    if (!id) {
        return NULL;
    }
    type = creatable_type(type_text);
    if (!type) {
        error_set(errp, "Parameter 'qom-type' does not accept value '%s'", type_text);
        return NULL;
    }
    if (!id_is_wellformed(id)) {
        error_set(errp, "Parameter 'id' expects an identifier");
        error_hint(errp, "Identifiers consist of letters, digits, '-', '.', '_', starting with a "
                   "letter.\n");
        return NULL;
    }
    if (!check_options(type, options, errp)) {
        return NULL;
    }
    obj = object_new_of(type);
    return fill_and_place(obj, id, options, form, errp) ? obj : NULL;
}

bool user_creatable_del(const char *id, Error **errp)
{
    Object *obj = object_child(object_container("/objects"), id);
    const UserCreatable *ops;

    if (!obj || !object_is_a(obj, TYPE_USER_CREATABLE)) {
        return error_set(errp, "object '%s' not found", id);
    }
    ops = object_interface(obj, TYPE_USER_CREATABLE);
    if (ops && ops->can_be_deleted ? !ops->can_be_deleted(obj) : obj->refs > 1) {
        return error_set(errp, "object '%s' is in use, can not be deleted", id);
    }
    object_unparent(obj);
    return true;
}

static void collect(void *opaque, Object *child)
{
    g_ptr_array_add(opaque, child);
}

void user_creatable_cleanup(void)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();

    object_each_child(object_container("/objects"), collect, all);
    for (guint i = all->len; i > 0; i--) {
        object_unparent(all->pdata[i - 1]);
    }
}
