/*
 * Properties that name a chardev: see hw/core/chardev_property.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/chardev_property.h"

#include "chardev/chardev.h"

static CharFrontend *front_end(Object *obj, const Property *p)
{
    return (CharFrontend *)((char *)obj + p->offset);
}

static json_object *get_chardev(Object *obj, const Property *p, Error **errp)
{
    Chardev *chr = char_frontend_chardev(front_end(obj, p));

    return json_string(chr ? chardev_label(chr) : "");
}

static bool set_chardev(Object *obj, const Property *p, json_object *value, PropertyForm form,
                        Error **errp)
{
    const char *id;
    Chardev *chr;

    if (!property_value_text(p, value, &id, errp)) {
        return false;
    }
    if (!*id) {
        char_frontend_detach(front_end(obj, p));
        return true;
    }
    chr = chardev_find(id);
    if (!chr) {
        return error_set(errp, "Property '%s.%s' can't find value '%s'",
                         object_type_name(obj), p->name, id);
    }
    char_frontend_detach(front_end(obj, p));
    return char_frontend_attach(front_end(obj, p), chr, errp);
}

static void clear_chardev(Object *obj, const Property *p)
{
    char_frontend_detach(front_end(obj, p));
}

const PropertyKind property_chardev = {
    .name = "str", .get = get_chardev, .set = set_chardev, .clear = clear_chardev,
};
