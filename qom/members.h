/*
 * What belongs to one object and is not declared by its type: children and added properties,
 * by name and in the order they came.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QOM_MEMBERS_H
#define QOM_MEMBERS_H

#include "qom/object.h"

typedef struct Member {
    Property prop;
    char *name;    /* prop.name */
    Object *child; /* property_child: a reference */
    Object *alias_of;
    char *alias_name;
    GList link;
} Member;

typedef struct Members {
    GHashTable *by_name;
    GQueue order;
} Members;

/* The new member, or NULL if the name is taken. */
Member *members_add(Object *obj, const Property *prop);
Member *members_find(const Object *obj, const char *name);
void members_remove(Object *obj, Member *member);
void members_drop_children(Object *obj);
void members_free(Object *obj);

#endif
