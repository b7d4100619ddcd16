/*
 * Reading and writing an object's properties: see qom/object.h. Kinds of property are in
 * property_kinds.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qom/members.h"
#include "qom/object.h"

const Property *object_find_property(const void *opaque, const char *name)
{
    const Object *obj = opaque;
    const Property *prop = type_property(obj->type, name, NULL);
    Member *member = prop ? NULL : members_find(obj, name);

    return member ? &member->prop : prop;
}

void *object_property_opaque(const void *obj, const char *name)
{
    Member *member = members_find(obj, name);

    return member ? member->prop.opaque : NULL;
}

void object_add_property(void *obj, const Property *prop, void *opaque)
{
    Member *member = members_add(obj, prop);

    assert(member);
    member->prop.opaque = opaque;
}

/* An alias forwards to `opaque`, its Member. */
static json_object *alias_get(Object *obj, const Property *p, Error **errp)
{
    Member *member = p->opaque;

    return object_get(member->alias_of, member->alias_name, errp);
}

static bool alias_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                      Error **errp)
{
    Member *member = p->opaque;

    return object_set(member->alias_of, member->alias_name, value, form, errp);
}

void object_add_alias(void *obj, const char *name, Object *target, const char *target_name)
{
    const Property *shown = object_find_property(target, target_name);
    g_autofree char *type_text = property_type_name(shown);
    Property prop = PROP_COMPUTED(name, g_intern_string(type_text), .doc = shown->doc,
                                  .is_live = true, .get = alias_get, .set = alias_set);
    Member *member = members_add(obj, &prop);

    assert(member);
    member->prop.opaque = member;
    member->alias_of = target;
    member->alias_name = g_strdup(target_name);
}

typedef struct Each {
    void (*fn)(void *opaque, const Property *prop);
    void *opaque;
} Each;

static void each_declared(void *opaque, const Type *owner, const Property *prop)
{
    Each *each = opaque;

    each->fn(each->opaque, prop);
}

void object_each_property(const void *opaque, void (*fn)(void *opaque, const Property *prop),
                          void *fn_opaque)
{
    const Object *obj = opaque;
    Each each = { fn, fn_opaque };

    type_each_property(obj->type, each_declared, &each);
    for (GList *at = obj->members ? obj->members->order.head : NULL; at; at = at->next) {
        fn(fn_opaque, &((Member *)at->data)->prop);
    }
}

static const Property *find(Object *obj, const char *name, Error **errp)
{
    const Property *prop = object_find_property(obj, name);

    if (!prop) {
        error_set(errp, "Property '%s.%s' not found", object_type_name(obj), name);
    }
    return prop;
}

/* NULL with *errp set when that part is gone. */
static Object *holder(Object *obj, const Property *prop, Error **errp)
{
    Object *part = prop->holder ? prop->holder(obj) : obj;

    if (!part) {
        error_set(errp, "Property '%s.%s' is not there any more", object_type_name(obj),
                  prop->name);
    }
    return part;
}

json_object *object_get(void *opaque, const char *name, Error **errp)
{
    Object *obj = opaque;
    const Property *prop = find(obj, name, errp);

    if (!prop) {
        return NULL;
    }
    if (prop->kind == &property_computed && !prop->get) {
        error_set(errp, "Property '%s.%s' is not readable", object_type_name(obj), name);
        return NULL;
    }
    obj = holder(obj, prop, errp);
    return obj ? prop->kind->get(obj, prop, errp) : NULL;
}

static bool check_writable(Object *obj, const Property *prop, Error **errp)
{
    if (prop->is_read_only || !prop->kind->set ||
        (prop->kind == &property_computed && !prop->set)) {
        return error_set(errp, "Property '%s.%s' is not writable", object_type_name(obj),
                         prop->name);
    }
    if (obj->is_sealed && !prop->is_live) {
        return error_set(errp, "Attempt to set property '%s' on object '%s' (type '%s') after it "
                         "was realized", prop->name, obj->name ? obj->name : "anonymous",
                         object_type_name(obj));
    }
    return true;
}

/* Sets, checks, and brings the old value back when the check fails. */
static bool set_checked(Object *obj, const Property *prop, json_object *value, PropertyForm form,
                        Error **errp)
{
    json_object *old;

    if (!prop->check) {
        return prop->kind->set(obj, prop, value, form, errp);
    }
    old = prop->kind->get(obj, prop, NULL);
    if (!prop->kind->set(obj, prop, value, form, errp)) {
        json_unref(old);
        return false;
    }
    if (!prop->check(obj, prop, errp)) {
        if (old) {
            prop->kind->set(obj, prop, old, PROPERTY_TYPED, NULL);
        } else {
            prop->kind->clear(obj, prop);
        }
        json_unref(old);
        return false;
    }
    json_unref(old);
    return true;
}

bool object_set(void *opaque, const char *name, json_object *value, PropertyForm form,
                Error **errp)
{
    Object *obj = opaque;
    const Property *prop = find(obj, name, errp);

    if (!prop || !(obj = holder(obj, prop, errp)) || !check_writable(obj, prop, errp) ||
        !set_checked(obj, prop, value, form, errp)) {
        return false;
    }
    if (prop->changed) {
        prop->changed(obj, prop);
    }
    return true;
}

static bool set_owned(void *obj, const char *name, json_object *value, PropertyForm form,
                      Error **errp)
{
    bool is_ok = object_set(obj, name, value, form, errp);

    json_unref(value);
    return is_ok;
}

bool object_set_text(void *obj, const char *name, const char *text, Error **errp)
{
    return set_owned(obj, name, json_string(text), PROPERTY_ANY, errp);
}

bool object_set_bool(void *obj, const char *name, bool value, Error **errp)
{
    return set_owned(obj, name, json_object_new_boolean(value), PROPERTY_TYPED, errp);
}

bool object_set_int(void *obj, const char *name, int64_t value, Error **errp)
{
    return set_owned(obj, name, json_object_new_int64(value), PROPERTY_TYPED, errp);
}

bool object_set_link(void *obj, const char *name, Object *value, Error **errp)
{
    g_autofree char *path = value ? object_path(value) : g_strdup("");

    assert(path);
    return object_set_text(obj, name, path, errp);
}

bool object_get_bool(void *obj, const char *name)
{
    json_object *value = object_get(obj, name, NULL);
    bool result = json_object_get_boolean(value);

    json_unref(value);
    return result;
}

int64_t object_get_int(void *obj, const char *name)
{
    json_object *value = object_get(obj, name, NULL);
    int64_t result = json_object_get_int64(value);

    json_unref(value);
    return result;
}

char *object_get_text(void *obj, const char *name)
{
    json_object *value = object_get(obj, name, NULL);
    char *result = value ? g_strdup(json_object_get_string(value)) : NULL;

    json_unref(value);
    return result;
}

bool object_set_all(void *obj, json_object *props, PropertyForm form, Error **errp)
{
    json_object_object_foreach (props, key, value) {
        if (!strcmp(key, "id") || !strcmp(key, "qom-type") || !strcmp(key, "driver")) {
            continue;
        }
        if (!object_set(obj, key, value, form, errp)) {
            return false;
        }
    }
    return true;
}

char *property_type_name(const Property *prop)
{
    if (prop->kind == &property_link) {
        return g_strdup_printf("link<%s>", prop->target);
    }
    if (prop->kind == &property_child) {
        return g_strdup_printf("child<%s>", prop->target);
    }
    if (prop->kind == &property_enum) {
        return g_strdup(prop->values->name);
    }
    return g_strdup(prop->type_text ? prop->type_text : prop->kind->name);
}

json_object *property_default(const Property *prop)
{
    if (prop->has_no_default || !prop->kind->show_initial) {
        return NULL;
    }
    return prop->kind->show_initial(prop);
}
