/*
 * See hw/core/block_conf.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/block_conf.h"

#include "qom/object.h"

static const char *const on_error_names[] = {
    [BLOCK_ON_ERROR_REPORT] = "report", [BLOCK_ON_ERROR_IGNORE] = "ignore",
    [BLOCK_ON_ERROR_ENOSPC] = "enospc", [BLOCK_ON_ERROR_STOP] = "stop",
    [BLOCK_ON_ERROR_AUTO] = "auto",
};
const EnumTable block_on_error_table = {
    "BlockdevOnError", on_error_names, ARRAY_SIZE(on_error_names),
};

static void *field(Object *obj, const Property *p)
{
    return (char *)obj + p->offset;
}

static json_object *drive_get(Object *obj, const Property *p, Error **errp)
{
    return json_string("");
}

static bool drive_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                      Error **errp)
{
    const char *id;

    if (!property_value_text(p, value, &id, errp)) {
        return false;
    }
    return !*id || error_set(errp, "Property '%s.%s' can't find value '%s'",
                             object_type_name(obj), p->name, id);
}

const PropertyKind property_drive = { .name = "str", .get = drive_get, .set = drive_set };

static json_object *block_size_get(Object *obj, const Property *p, Error **errp)
{
    return property_size.get(obj, p, errp);
}

static bool block_size_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                           Error **errp)
{
    uint64_t old = *(uint64_t *)field(obj, p), bytes;

    if (!property_size.set(obj, p, value, form, errp)) {
        return false;
    }
    bytes = *(uint64_t *)field(obj, p);
    if (bytes && (bytes < 512 || bytes > 2 * MiB || bytes & (bytes - 1))) {
        *(uint64_t *)field(obj, p) = old;
        return error_set(errp, "Property %s.%s doesn't take value %" PRIu64
                         " (a power of two between 512 and 2097152, or 0)",
                         object_type_name(obj), p->name, bytes);
    }
    return true;
}

static json_object *block_size_initial(const Property *p)
{
    return property_size.show_initial(p);
}

static void block_size_set_initial(Object *obj, const Property *p)
{
    *(uint64_t *)field(obj, p) = p->initial;
}

static char *block_size_print(Object *obj, const Property *p)
{
    return property_size.print(obj, p);
}

const PropertyKind property_block_size = {
    .print = block_size_print,
    .name = "size", .get = block_size_get, .set = block_size_set,
    .set_initial = block_size_set_initial, .show_initial = block_size_initial,
};

static json_object *boot_index_get(Object *obj, const Property *p, Error **errp)
{
    return property_i32.get(obj, p, errp);
}

static bool boot_index_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                           Error **errp)
{
    return property_i32.set(obj, p, value, form, errp);
}

static void boot_index_set_initial(Object *obj, const Property *p)
{
    *(int32_t *)field(obj, p) = p->initial;
}

/* It is shown where firmware is told of it, not in the device. */
static char *boot_index_print(Object *obj, const Property *p)
{
    return NULL;
}

const PropertyKind property_boot_index = {
    .print = boot_index_print,
    .name = "int32", .get = boot_index_get, .set = boot_index_set,
    .set_initial = boot_index_set_initial,
};
