/*
 * User creatable objects: what -object and object-add make. They live under /objects by id.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QOM_USER_CREATABLE_H
#define QOM_USER_CREATABLE_H

#include "qom/object.h"

#define TYPE_USER_CREATABLE "user-creatable"

/* The interface's operations; any may be NULL. */
typedef struct UserCreatable {
    /* All properties are set: do what the object is for, or fail and leave nothing. */
    bool (*complete)(Object *obj, Error **errp);
    /* May it go? Without this, it may when nothing but the tree holds a reference. */
    bool (*can_be_deleted)(Object *obj);
    /* Needs chardevs, netdevs or block nodes: made after those on the command line. */
    bool (*is_late)(const Type *type);
} UserCreatable;

/*
 * Makes an object from {"qom-type": T, "id": ID, ...}. Borrowed result, or NULL with nothing left
 * behind.
 */
Object *user_creatable_add(json_object *options, PropertyForm form, Error **errp);
bool user_creatable_del(const char *id, Error **errp);
/* At exit: all of them, the youngest first. */
void user_creatable_cleanup(void);
bool user_creatable_is_late(const char *type);

/* Letters first, then letters, digits, '-', '.', '_'. */
bool id_is_wellformed(const char *id);

#endif
