/*
 * Children and properties of a single object: see qom/members.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qom/members.h"

Member *members_find(const Object *obj, const char *name)
{
    return obj->members ? g_hash_table_lookup(obj->members->by_name, name) : NULL;
}

Member *members_add(Object *obj, const Property *prop)
{
    Member *member;

    if (members_find(obj, prop->name) || type_property(obj->type, prop->name, NULL)) {
        return NULL;
    }
    if (!obj->members) {
        obj->members = g_new0(Members, 1);
        obj->members->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    }
    member = g_new0(Member, 1);
    member->prop = *prop;
    member->name = g_strdup(prop->name);
    member->prop.name = member->name;
    member->link.data = member;
    g_hash_table_insert(obj->members->by_name, member->name, member);
    g_queue_push_tail_link(&obj->members->order, &member->link);
    return member;
}

void members_remove(Object *obj, Member *member)
{
    g_hash_table_remove(obj->members->by_name, member->name);
    g_queue_unlink(&obj->members->order, &member->link);
    g_free(member->alias_name);
    g_free(member->name);
    g_free(member);
}

void members_drop_children(Object *obj)
{
    GList *next;

    for (GList *at = obj->members ? obj->members->order.tail : NULL; at; at = next) {
        Member *member = at->data;

        next = at->prev;
        if (member->child) {
            object_unparent(member->child);
            next = obj->members->order.tail;
            while (next && !((Member *)next->data)->child) {
                next = next->prev;
            }
        }
    }
}

void members_free(Object *obj)
{
    if (!obj->members) {
        return;
    }
    while (obj->members->order.head) {
        members_remove(obj, obj->members->order.head->data);
    }
    g_hash_table_destroy(obj->members->by_name);
    g_free(obj->members);
}
