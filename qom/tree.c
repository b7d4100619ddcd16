/*
 * The object tree: parents, children, paths. See qom/object.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qom/members.h"
#include "qom/object.h"

Object *object_root(void)
{
    static Object *root; /* the one tree of the process */

    if (!root) {
        root = object_new(TYPE_CONTAINER);
    }
    return root;
}

static bool is_array_name(const char *name)
{
    return g_str_has_suffix(name, "[*]");
}

static char *pick_array_name(Object *parent, const char *name)
{
    g_autofree char *stem = g_strndup(name, strlen(name) - 3);

    for (unsigned i = 0;; i++) {
        g_autofree char *full = g_strdup_printf("%s[%u]", stem, i);

        if (!members_find(parent, full)) {
            return g_steal_pointer(&full);
        }
    }
}

bool object_add_child(Object *parent, const char *name, void *opaque, Error **errp)
{
    Object *child = opaque;
    g_autofree char *full =
        is_array_name(name) ? pick_array_name(parent, name) : g_strdup(name);
    Property prop = { .name = full, .kind = &property_child, .is_read_only = true,
                      .has_no_default = true, .target = object_type_name(child) };
    Member *member;

    assert(!child->parent);
    member = members_add(parent, &prop);
    if (!member) {
        return error_set(errp, "attempt to add duplicate property '%s' to object (type '%s')",
                         full, object_type_name(parent));
    }
    member->child = object_ref(child);
    child->parent = parent;
    g_free(child->name);
    child->name = g_steal_pointer(&full);
    return true;
}

void object_unparent(void *opaque)
{
    Object *obj = opaque, *parent = obj->parent;

    if (!parent) {
        return;
    }
    obj->parent = NULL;
    members_remove(parent, members_find(parent, obj->name));
    object_unref(obj);
}

Object *object_child(Object *parent, const char *name)
{
    Member *member = members_find(parent, name);

    return member ? member->child : NULL;
}

void object_each_child(Object *parent, void (*fn)(void *opaque, Object *child), void *opaque)
{
    g_autoptr(GPtrArray) children = g_ptr_array_new_with_free_func(object_unref);

    for (GList *at = parent->members ? parent->members->order.head : NULL; at; at = at->next) {
        Member *member = at->data;

        if (member->child) {
            g_ptr_array_add(children, object_ref(member->child));
        }
    }
    for (guint i = 0; i < children->len; i++) {
        fn(opaque, children->pdata[i]);
    }
}

Object *object_container(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    Object *at = object_root();

    for (char **part = parts; *part; part++) {
        Object *next;

        if (!**part) {
            continue;
        }
        next = object_child(at, *part);
        if (!next) {
            next = object_new(TYPE_CONTAINER);
            object_add_child(at, *part, next, NULL);
            object_unref(next);
        }
        at = next;
    }
    return at;
}

char *object_path(const void *opaque)
{
    const Object *obj = opaque;
    GString *path;

    if (obj == object_root()) {
        return g_strdup("/");
    }
    path = g_string_new(NULL);
    for (; obj && obj != object_root(); obj = obj->parent) {
        g_string_prepend(path, obj->name ? obj->name : "");
        g_string_prepend_c(path, '/');
    }
    return g_string_free(path, !obj);
}

/* Follows children and links. */
static Object *step(Object *at, const char *name)
{
    Member *member = members_find(at, name);
    const Property *prop;

    if (member && member->child) {
        return member->child;
    }
    if (member && member->alias_of) {
        return step(member->alias_of, member->alias_name);
    }
    prop = object_find_property(at, name);
    return prop && prop->kind == &property_link ? *(Object **)((char *)at + prop->offset) : NULL;
}

static Object *walk(Object *at, char **parts, const char *type)
{
    for (; at && *parts; parts++) {
        if (**parts) {
            at = step(at, *parts);
        }
    }
    return at && (!type || object_is_a(at, type)) ? at : NULL;
}

typedef struct Search {
    char **parts;
    const char *type;
    Object *found;
    bool is_ambiguous;
} Search;

static void search_below(void *opaque, Object *at)
{
    Search *search = opaque;
    Object *hit = walk(at, search->parts, search->type);

    if (hit && search->found && hit != search->found) {
        search->is_ambiguous = true;
    } else if (hit) {
        search->found = hit;
    }
    if (!search->is_ambiguous) {
        object_each_child(at, search_below, search);
    }
}

Object *object_resolve(const char *path, const char *type, bool *is_ambiguous)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    Search search = { parts, type };

    if (is_ambiguous) {
        *is_ambiguous = false;
    }
    if (*path == '/') {
        return walk(object_root(), parts, type);
    }
    if (!*path) {
        return NULL;
    }
    search_below(&search, object_root());
    if (is_ambiguous) {
        *is_ambiguous = search.is_ambiguous;
    }
    return search.is_ambiguous ? NULL : search.found;
}
