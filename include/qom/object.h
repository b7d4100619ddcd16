/*
 * Objects: what has a type, properties, a place in the tree and a reference count.
 *
 * A type is declared as a const `ObjectType` (or a family's descriptor that starts with one) and
 * registered before main() by OBJECT_TYPE(). Single inheritance; every level's init() runs, base
 * first, and finalize() in reverse. Everything here is guarded by the machine lock, except
 * references, which are atomic.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QOM_OBJECT_H
#define QOM_OBJECT_H

#include "qom/error.h"
#include "qom/property.h"
#include "util/json.h"

#define TYPE_OBJECT    "object"
#define TYPE_CONTAINER "container"

typedef struct Object Object;
typedef struct ObjectType ObjectType;
typedef struct Type Type; /* a registered type, resolved against its parents */

typedef struct InterfaceImpl {
    const char *name;
    const void *ops; /* the interface's operations; may be NULL for a mark */
} InterfaceImpl;

struct ObjectType {
    const char *name;
    const char *doc;    /* one line for help and manual */
    const char *parent; /* NULL: TYPE_OBJECT */
    size_t size;        /* of an instance; 0: the parent's */
    bool is_abstract;
    bool is_interface;
    const InterfaceImpl *interfaces; /* ends with a NULL name; inherited */
    PropertyList properties;
    void (*init)(Object *obj);
    void (*finalize)(Object *obj);
};

struct Object {
    const Type *type;
    Object *parent;
    char *name;             /* in the parent */
    unsigned refs;          /* atomic */
    bool is_sealed;         /* only properties marked is_live can be written */
    struct Members *members; /* children and properties of this one object */
};

/*
 * Registers `decl`, which is `size` bytes: an ObjectType and what its family appends. Appended
 * fields must be words (pointers, size_t); those left zero are taken from the parent's.
 */
void type_register(const ObjectType *decl, size_t size);
#define OBJECT_TYPE(decl)                                                                          \
    static void CONSTRUCTOR register_##decl(void)                                                  \
    {                                                                                              \
        type_register((const ObjectType *)&(decl), sizeof(decl));                                  \
    }

/* A name without a type gives NULL; a type without its parents is a bug and asserts. */
const Type *type_find(const char *name);
const char *type_name(const Type *type);
const Type *type_parent(const Type *type);
/* As it was declared, at this level only. */
const ObjectType *type_decl(const Type *type);
/* The descriptor with inherited words filled in; cast it to the family's descriptor. */
const void *type_ops(const Type *type);
bool type_is_abstract(const Type *type);
size_t type_instance_size(const Type *type);
/* `name` may be a type or an interface. */
bool type_is_a(const Type *type, const char *name);
const void *type_interface(const Type *type, const char *interface);
/* All registered types that are a `base` (NULL: all), sorted by name. Free the array. */
GPtrArray *type_list(const char *base, bool with_abstract);
/* Finds a property declared by the type or a parent; `*owner` (may be NULL) is who declares it. */
const Property *type_property(const Type *type, const char *name, const Type **owner);
/* Calls for each declared property, the type's own first; an overridden one only once. */
void type_each_property(const Type *type, void (*fn)(void *opaque, const Type *owner,
                                                     const Property *prop), void *opaque);

/* An alias is another name users may give for a type, where the family permits (-device). */
void type_register_alias(const char *alias, const char *name);
const char *type_resolve_alias(const char *name); /* `name` itself when it is none */
void type_each_alias(void (*fn)(void *opaque, const char *alias, const char *name), void *opaque);
/* Help on a type's properties that can be set: one line each, sorted. */
void type_print_properties(GString *out, const Type *type);

/* One reference, no parent, properties at their initial values. The type must be concrete. */
Object *object_new(const char *type_name);
Object *object_new_of(const Type *type);
Object *object_ref(void *obj);
void object_unref(void *obj); /* NULL is fine */
static inline const char *object_type_name(const void *obj)
{
    return type_name(((const Object *)obj)->type);
}
static inline const void *object_ops(const void *obj)
{
    return type_ops(((const Object *)obj)->type);
}
bool object_is_a(const void *obj, const char *type_or_interface);
const void *object_interface(const void *obj, const char *interface);
void object_seal(void *obj);

/* --- the tree (qom/tree.c) --- */

Object *object_root(void);
/* The container at an absolute path, made with all above it if need be. */
Object *object_container(const char *path);
/*
 * Makes `child` the child `name` of `parent`, which takes a reference. "name[*]" picks the first
 * free number. Fails if the name is taken.
 */
bool object_add_child(Object *parent, const char *name, void *child, Error **errp);
/* Takes it out of the tree (its parent's reference is dropped). */
void object_unparent(void *obj);
Object *object_child(Object *parent, const char *name); /* borrowed, or NULL */
void object_each_child(Object *parent, void (*fn)(void *opaque, Object *child), void *opaque);
/* "/machine/unattached/device[0]"; NULL when it is not in the tree. Free it. */
char *object_path(const void *obj);
/*
 * An absolute path, or the tail of one that must be unique: ambiguity gives NULL and sets
 * *is_ambiguous. `type` (may be NULL) filters.
 */
Object *object_resolve(const char *path, const char *type, bool *is_ambiguous);

/* --- properties of an object (qom/property.c) --- */

/* Adds to this one object a property that needs no declaration; `prop` is copied. */
void object_add_property(void *obj, const Property *prop, void *opaque);
/* `name` of `obj` reads and writes `target_name` of `target`, which must outlive it. */
void object_add_alias(void *obj, const char *name, Object *target, const char *target_name);
void *object_property_opaque(const void *obj, const char *name);
const Property *object_find_property(const void *obj, const char *name);
void object_each_property(const void *obj, void (*fn)(void *opaque, const Property *prop),
                          void *opaque);
/* NULL with *errp set when it cannot be read; a null value is NULL with *errp unset. */
json_object *object_get(void *obj, const char *name, Error **errp);
bool object_set(void *obj, const char *name, json_object *value, PropertyForm form, Error **errp);
/* Conveniences for code that knows what it asks for; a wrong name or type is our bug. */
bool object_set_text(void *obj, const char *name, const char *text, Error **errp);
bool object_set_bool(void *obj, const char *name, bool value, Error **errp);
bool object_set_int(void *obj, const char *name, int64_t value, Error **errp);
bool object_set_link(void *obj, const char *name, Object *value, Error **errp);
bool object_get_bool(void *obj, const char *name);
int64_t object_get_int(void *obj, const char *name);
char *object_get_text(void *obj, const char *name);
/* Sets every member of `props` (an object) but "id"/"qom-type"/"driver"; stops at the first error. */
bool object_set_all(void *obj, json_object *props, PropertyForm form, Error **errp);
/* As introspection names it: "bool", "uint32", "link<T>", "child<T>", an enum's name. Free it. */
char *property_type_name(const Property *prop);
/* The declared initial value as JSON, or NULL when there is none to show. */
json_object *property_default(const Property *prop);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Object, object_unref)

/* ALARM(obj): the instance behind any pointer to its head. */
#define DECLARE_CAST(Struct, CAST)                                                                 \
    static inline Struct *CAST(const void *obj)                                                    \
    {                                                                                              \
        return (Struct *)obj;                                                                      \
    }

#endif
