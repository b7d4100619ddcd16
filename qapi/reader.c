/*
 * JSON to QAPI values, checked against the type: see qapi/qapi.h. Input is hostile: depth is
 * bounded, and what was read is freed when the rest is bad.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "reader.h"
#include "text.h"

static bool read_slot(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                      void *slot);

/* Structs and unions */

static bool read_member(const Reader *r, const Path *path, const QapiMember *m, json_object *in,
                        char *value)
{
    const Path here = { .parent = path, .name = m->name, .depth = path->depth + 1 };
    json_object *item;

    if (!json_object_object_get_ex(in, m->name, &item)) {
        return m->is_optional || reader_fail_missing(r, &here);
    }
    if (!read_slot(r, &here, m->type, item, value + m->offset)) {
        return false;
    }
    if (m->has_indicator) {
        *(bool *)(value + m->has_offset) = true;
    }
    return true;
}

static bool read_members(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                         char *value)
{
    const QapiType *branch;

    for (size_t i = 0; i < type->member_count; i++) {
        if (!read_member(r, path, &type->members[i], in, value)) {
            return false;
        }
    }
    branch = type->kind == QAPI_UNION ? qapi_branch(type, value) : NULL;
    return !branch || read_members(r, path, branch, in, value + type->union_offset);
}

/* How many members of `in` the type has. */
static int count_known(const QapiType *type, json_object *in, const char *value)
{
    const QapiType *branch = type->kind == QAPI_UNION ? qapi_branch(type, value) : NULL;
    int count = branch ? count_known(branch, in, value + type->union_offset) : 0;

    for (size_t i = 0; i < type->member_count; i++) {
        count += json_object_object_get_ex(in, type->members[i].name, NULL);
    }
    return count;
}

static bool has_member_named(const QapiType *type, const char *value, const char *name)
{
    for (size_t i = 0; i < type->member_count; i++) {
        if (!strcmp(type->members[i].name, name)) {
            return true;
        }
    }
    return type->kind == QAPI_UNION && qapi_branch(type, value) &&
           has_member_named(qapi_branch(type, value), value + type->union_offset, name);
}

/* The first member of `in` that the type does not have. */
static bool fail_extra(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                       const char *value)
{
    json_object_object_foreach (in, name, item) {
        const Path here = { .parent = path, .name = name };

        if (!has_member_named(type, value, name)) {
            return reader_fail_unexpected(r, &here, item);
        }
    }
    return true;
}

static bool read_object(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                        void *value)
{
    if (!json_object_is_type(in, json_type_object)) {
        return reader_fail_type(r, path, "object");
    }
    return read_members(r, path, type, in, value) &&
           (count_known(type, in, value) == json_object_object_length(in) ||
            fail_extra(r, path, type, in, value));
}

/* Arrays */

/* The text form of integer lists: "0-3,7". */
static bool read_ranges(const Reader *r, const Path *path, const QapiType *type, const char *text,
                        QapiArray *array)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(int64_t));
    const QapiType *element = type->element;

    if (!qapi_parse_ranges(text, numbers)) {
        return reader_fail_expects(r, path, "a uint64 value or range");
    }
    array->items = g_malloc0_n(numbers->len, element->slot_size);
    for (guint i = 0; i < numbers->len; i++) {
        g_autoptr(JsonObject) number = json_object_new_int64(g_array_index(numbers, int64_t, i));
        const Path here = { .parent = path, .index = i, .depth = path->depth + 1 };

        if (!read_slot(r, &here, element, number, (char *)array->items + i * element->slot_size)) {
            return false;
        }
        array->count++;
    }
    return true;
}

static bool read_array(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                       QapiArray *array)
{
    const QapiType *element = type->element;
    const char *text = reader_text(r, in);
    size_t count;

    if (text && (element->kind == QAPI_INT || element->kind == QAPI_UINT)) {
        return read_ranges(r, path, type, text, array);
    }
    if (!json_object_is_type(in, json_type_array)) {
        return reader_fail_type(r, path, "array");
    }
    count = json_object_array_length(in);
    array->items = g_try_malloc0_n(count, element->slot_size);
    if (count && !array->items) {
        return reader_fail_expects(r, path, "fewer elements");
    }
    for (size_t i = 0; i < count; i++) {
        const Path here = { .parent = path, .index = i, .depth = path->depth + 1 };

        array->count++;
        if (!read_slot(r, &here, element, json_object_array_get_idx(in, i),
                       (char *)array->items + i * element->slot_size)) {
            return false;
        }
    }
    return true;
}

/* Alternates */

/* In the text form a string may stand for what it can be parsed as. */
static json_type select_by_text(const QapiType *type, const char *text)
{
    int64_t number;
    bool flag;

    for (json_type t = json_type_null; t < type->branch_count; t++) {
        const QapiType *branch = type->branches[t].type;

        if (!branch) {
            continue;
        }
        if ((t == json_type_int && qapi_parse_int64(text, &number)) ||
            (t == json_type_boolean && qapi_parse_bool(text, &flag))) {
            return t;
        }
    }
    return json_type_string;
}

static json_type select_branch(const Reader *r, const QapiType *type, json_object *in)
{
    json_type selector = json_object_get_type(in);
    const char *text = reader_text(r, in);

    if (text &&
        (type->branch_count <= json_type_string || !type->branches[json_type_string].type)) {
        selector = select_by_text(type, text);
    } else if (selector == json_type_int && !type->branches[json_type_int].type) {
        selector = json_type_double;
    }
    return selector;
}

static bool read_alternate(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                           char *value)
{
    json_type selector = select_branch(r, type, in);

    if (selector >= type->branch_count || !type->branches[selector].type) {
        return reader_fail_type(r, path, type->name);
    }
    *(json_type *)value = selector;
    return read_slot(r, path, type->branches[selector].type, in, value + type->union_offset);
}

/* All of them */

static bool read_heap(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                      void *value)
{
    if (path->depth > QAPI_MAX_DEPTH) {
        return error_set(r->errp, "Parameters are nested too deep");
    }
    switch (type->kind) {
    case QAPI_ARRAY:
        return read_array(r, path, type, in, value);
    case QAPI_ALTERNATE:
        return read_alternate(r, path, type, in, value);
    default:
        return read_object(r, path, type, in, value);
    }
}

static bool read_slot(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                      void *slot)
{
    if (type->kind < QAPI_STRUCT) {
        return reader_read_scalar(r, path, type, in, slot);
    }
    *(void **)slot = g_malloc0(type->struct_size);
    return read_heap(r, path, type, in, *(void **)slot);
}

void *qapi_from_json(const QapiType *type, json_object *in, QapiForm form, Error **errp)
{
    const Reader reader = { .form = form, .errp = errp };
    const Path root = { .depth = 0 };
    void *value = NULL;

    if (!read_slot(&reader, &root, type, in, &value)) {
        qapi_free(type, value);
        return NULL;
    }
    return value;
}
