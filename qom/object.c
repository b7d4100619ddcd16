/*
 * Life of an object: made from its type, counted, freed. See qom/object.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qom/members.h"
#include "qom/object.h"

static void set_initial(void *opaque, const Type *owner, const Property *prop)
{
    if (prop->kind->set_initial && !prop->holder) {
        prop->kind->set_initial(opaque, prop);
    }
}

/* Whatever alignment a member asks for: vector registers, cache lines. */
#define OBJECT_ALIGNMENT 64

static void init_levels(Object *obj, const Type *type)
{
    if (type_parent(type)) {
        init_levels(obj, type_parent(type));
    }
    if (type_decl(type)->init) {
        type_decl(type)->init(obj);
    }
}

Object *object_new_of(const Type *type)
{
    Object *obj;

    assert(!type_is_abstract(type));
    obj = g_aligned_alloc0(1, type_instance_size(type), OBJECT_ALIGNMENT);
    obj->type = type;
    obj->refs = 1;
    type_each_property(type, set_initial, obj);
    init_levels(obj, type);
    return obj;
}

Object *object_new(const char *name)
{
    const Type *type = type_find(name);

    assert(type);
    return object_new_of(type);
}

Object *object_ref(void *obj)
{
    g_atomic_int_inc((gint *)&((Object *)obj)->refs);
    return obj;
}

static void clear_property(void *opaque, const Type *owner, const Property *prop)
{
    if (prop->kind->clear && !prop->holder) {
        prop->kind->clear(opaque, prop);
    }
}

static void object_free(Object *obj)
{
    assert(!obj->parent);
    members_drop_children(obj);
    for (const Type *type = obj->type; type; type = type_parent(type)) {
        if (type_decl(type)->finalize) {
            type_decl(type)->finalize(obj);
        }
    }
    type_each_property(obj->type, clear_property, obj);
    members_free(obj);
    g_free(obj->name);
    g_aligned_free(obj);
}

void object_unref(void *opaque)
{
    Object *obj = opaque;

    if (obj && g_atomic_int_dec_and_test((gint *)&obj->refs)) {
        object_free(obj);
    }
}

bool object_is_a(const void *obj, const char *name)
{
    return type_is_a(((const Object *)obj)->type, name);
}

const void *object_interface(const void *obj, const char *interface)
{
    return type_interface(((const Object *)obj)->type, interface);
}

void object_seal(void *obj)
{
    ((Object *)obj)->is_sealed = true;
}

static json_object *get_type(Object *obj, const Property *p, Error **errp)
{
    return json_string(object_type_name(obj));
}

static const Property object_props[] = {
    PROP_COMPUTED("type", "string", .doc = "Name of the type", .get = get_type),
};

static const ObjectType object_type = {
    .name = TYPE_OBJECT,
    .doc = "What everything is",
    .is_abstract = true,
    .properties = PROPERTIES(object_props),
};
OBJECT_TYPE(object_type)

static const ObjectType container_type = {
    .name = TYPE_CONTAINER,
    .doc = "A folder in the object tree",
};
OBJECT_TYPE(container_type)
