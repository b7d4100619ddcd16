/*
 * The register of types: see qom/object.h. Declarations are collected before main() in any
 * order and resolved against their parents when first looked at.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qom/object.h"

struct Type {
    const ObjectType *decl;
    size_t decl_size;
    Type *parent;
    unsigned depth;
    size_t instance_size;
    void *ops;
    GHashTable *properties; /* name -> Property; its own, NULL when it has none */
    Type **ancestors;       /* [0] is the root, [depth] is itself */
    bool is_resolved;
};

/* The register, filled by constructors. */
static GHashTable *types;
static GHashTable *aliases;

void type_register(const ObjectType *decl, size_t size)
{
    Type *type = g_new0(Type, 1);

    if (!types) {
        types = g_hash_table_new(g_str_hash, g_str_equal);
    }
    assert(size >= sizeof(ObjectType) && !g_hash_table_contains(types, decl->name));
    type->decl = decl;
    type->decl_size = size;
    g_hash_table_insert(types, (char *)decl->name, type);
}

/* Takes the words the family appended and this type left zero from the parent. */
static void inherit_ops(Type *type)
{
    size_t size = MAX(type->decl_size, type->parent ? type->parent->decl_size : 0);
    size_t shared = type->parent ? type->parent->decl_size : 0;
    char *ops = g_malloc0(size);

    memcpy(ops, type->decl, type->decl_size);
    for (size_t at = sizeof(ObjectType); at + sizeof(uintptr_t) <= shared;
         at += sizeof(uintptr_t)) {
        uintptr_t word;

        memcpy(&word, ops + at, sizeof(word));
        if (!word) {
            memcpy(ops + at, (char *)type->parent->ops + at, sizeof(word));
        }
    }
    type->decl_size = size;
    type->ops = ops;
}

/* Only the type's own; a search goes up through the parents. */
static void index_properties(Type *type)
{
    PropertyList list = type->decl->properties;

    if (list.count) {
        type->properties = g_hash_table_new(g_str_hash, g_str_equal);
    }
    for (size_t i = 0; i < list.count; i++) {
        g_hash_table_insert(type->properties, (char *)list.items[i].name,
                            (Property *)&list.items[i]);
    }
}

static void type_resolve(Type *type)
{
    const char *parent = type->decl->parent;

    if (type->is_resolved) {
        return;
    }
    if (!parent && strcmp(type->decl->name, TYPE_OBJECT) && !type->decl->is_interface) {
        parent = TYPE_OBJECT;
    }
    if (parent) {
        type->parent = g_hash_table_lookup(types, parent);
        if (!type->parent) {
            g_error("type '%s' has no parent '%s'", type->decl->name, parent);
        }
        type_resolve(type->parent);
        type->depth = type->parent->depth + 1;
    }
    type->instance_size =
        MAX(type->decl->size, type->parent ? type->parent->instance_size : sizeof(Object));
    type->ancestors = g_new(Type *, type->depth + 1);
    if (type->parent) {
        memcpy(type->ancestors, type->parent->ancestors, type->depth * sizeof(Type *));
    }
    type->ancestors[type->depth] = type;
    inherit_ops(type);
    index_properties(type);
    type->is_resolved = true;
}

const Type *type_find(const char *name)
{
    Type *type = types ? g_hash_table_lookup(types, name) : NULL;

    if (type) {
        type_resolve(type);
    }
    return type;
}

const char *type_name(const Type *type)
{
    return type->decl->name;
}

const Type *type_parent(const Type *type)
{
    return type->parent;
}

const ObjectType *type_decl(const Type *type)
{
    return type->decl;
}

const void *type_ops(const Type *type)
{
    return type->ops;
}

bool type_is_abstract(const Type *type)
{
    return type->decl->is_abstract || type->decl->is_interface;
}

size_t type_instance_size(const Type *type)
{
    return type->instance_size;
}

static const InterfaceImpl *own_interface(const Type *type, const char *name)
{
    for (const InterfaceImpl *i = type->decl->interfaces; i && i->name; i++) {
        const Type *interface = type_find(i->name);

        if (!strcmp(i->name, name) || (interface && type_is_a(interface, name))) {
            return i;
        }
    }
    return NULL;
}

static const InterfaceImpl *find_interface(const Type *type, const char *name)
{
    const InterfaceImpl *found = NULL;

    for (; type && !found; type = type->parent) {
        found = own_interface(type, name);
    }
    return found;
}

bool type_is_a(const Type *type, const char *name)
{
    const Type *base = type_find(name);

    if (!base) {
        return false;
    }
    if (base->depth <= type->depth && type->ancestors[base->depth] == base) {
        return true;
    }
    return base->decl->is_interface && find_interface(type, name);
}

const void *type_interface(const Type *type, const char *interface)
{
    const InterfaceImpl *impl = find_interface(type, interface);

    return impl ? impl->ops : NULL;
}

static gint compare_types(gconstpointer a, gconstpointer b)
{
    return strcmp(type_name(*(const Type *const *)a), type_name(*(const Type *const *)b));
}

GPtrArray *type_list(const char *base, bool with_abstract)
{
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter it;
    Type *type;

    g_hash_table_iter_init(&it, types);
    while (g_hash_table_iter_next(&it, NULL, (gpointer *)&type)) {
        type_resolve(type);
        if ((with_abstract || !type_is_abstract(type)) && (!base || type_is_a(type, base))) {
            g_ptr_array_add(list, type);
        }
    }
    g_ptr_array_sort(list, compare_types);
    return list;
}

const Property *type_property(const Type *type, const char *name, const Type **owner)
{
    for (; type; type = type->parent) {
        const Property *prop = type->properties ? g_hash_table_lookup(type->properties, name)
                                                : NULL;

        if (prop) {
            if (owner) {
                *owner = type;
            }
            return prop;
        }
    }
    return NULL;
}

void type_each_property(const Type *type, void (*fn)(void *opaque, const Type *owner,
                                                     const Property *prop), void *opaque)
{
    for (const Type *level = type; level; level = level->parent) {
        PropertyList list = level->decl->properties;

        for (size_t i = 0; i < list.count; i++) {
            if (type_property(type, list.items[i].name, NULL) == &list.items[i]) {
                fn(opaque, level, &list.items[i]);
            }
        }
    }
}

void type_register_alias(const char *alias, const char *name)
{
    if (!aliases) {
        aliases = g_hash_table_new(g_str_hash, g_str_equal);
    }
    g_hash_table_insert(aliases, (char *)alias, (char *)name);
}

const char *type_resolve_alias(const char *name)
{
    const char *target = aliases ? g_hash_table_lookup(aliases, name) : NULL;

    return target && type_find(target) ? target : name;
}

void type_each_alias(void (*fn)(void *opaque, const char *alias, const char *name), void *opaque)
{
    GHashTableIter it;
    const char *alias, *name;

    if (!aliases) {
        return;
    }
    g_hash_table_iter_init(&it, aliases);
    while (g_hash_table_iter_next(&it, (gpointer *)&alias, (gpointer *)&name)) {
        fn(opaque, alias, name);
    }
}
