/*
 * QAPI values as such: freeing, cloning, and writing them as JSON. See qapi/qapi.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "value.h"

static void free_slot(const QapiType *type, void *slot);
static json_object *slot_to_json(const QapiType *type, const void *slot);

/* The branch a union's tag or an alternate's json_type selects, or NULL. */
const QapiType *qapi_branch(const QapiType *type, const void *value)
{
    unsigned selector = type->kind == QAPI_UNION
                            ? *(const unsigned *)((const char *)value + type->tag->offset)
                            : *(const json_type *)value;

    return selector < type->branch_count ? type->branches[selector].type : NULL;
}

static bool is_pointer(const QapiType *type)
{
    return type->kind >= QAPI_STRUCT || type->kind == QAPI_STR || type->kind == QAPI_ANY;
}

static bool has_member(const QapiMember *member, const void *value)
{
    const char *bytes = value;

    if (member->has_indicator) {
        return *(const bool *)(bytes + member->has_offset);
    }
    return !member->is_optional || *(void *const *)(bytes + member->offset);
}

static int64_t slot_int(const QapiType *type, const void *slot)
{
    switch (type->slot_size) {
    case 1:
        return *(const int8_t *)slot;
    case 2:
        return *(const int16_t *)slot;
    case 4:
        return *(const int32_t *)slot;
    default:
        return *(const int64_t *)slot;
    }
}

static uint64_t slot_uint(const QapiType *type, const void *slot)
{
    uint64_t mask = type->slot_size == 8 ? UINT64_MAX : BIT64(8 * type->slot_size) - 1;

    return (uint64_t)slot_int(type, slot) & mask;
}

/* Freeing. A value half read is zero where nothing was read. */

static void free_members(const QapiType *type, void *value)
{
    const QapiType *branch = type->kind == QAPI_UNION ? qapi_branch(type, value) : NULL;

    for (size_t i = 0; i < type->member_count; i++) {
        free_slot(type->members[i].type, (char *)value + type->members[i].offset);
    }
    if (branch) {
        free_members(branch, (char *)value + type->union_offset);
    }
}

static void free_array(const QapiType *type, QapiArray *array)
{
    if (is_pointer(type->element)) {
        for (size_t i = 0; i < array->count; i++) {
            free_slot(type->element, (char *)array->items + i * type->element->slot_size);
        }
    }
    g_free(array->items);
}

static void free_slot(const QapiType *type, void *slot)
{
    if (type->kind == QAPI_STR) {
        g_free(*(char **)slot);
    } else if (type->kind == QAPI_ANY) {
        json_unref(*(json_object **)slot);
    } else if (is_pointer(type)) {
        qapi_free(type, *(void **)slot);
    }
}

void qapi_free(const QapiType *type, void *value)
{
    const QapiType *branch;

    if (!value) {
        return;
    }
    if (type->kind == QAPI_ARRAY) {
        free_array(type, value);
    } else if (type->kind == QAPI_ALTERNATE) {
        branch = qapi_branch(type, value);
        if (branch) {
            free_slot(branch, (char *)value + type->union_offset);
        }
    } else {
        free_members(type, value);
    }
    g_free(value);
}

/* Cloning */

static void clone_slot(const QapiType *type, void *to, const void *from);

static void clone_members(const QapiType *type, char *to, const char *from)
{
    const QapiType *branch = type->kind == QAPI_UNION ? qapi_branch(type, from) : NULL;

    for (size_t i = 0; i < type->member_count; i++) {
        const QapiMember *member = &type->members[i];

        if (member->has_indicator) {
            *(bool *)(to + member->has_offset) = *(const bool *)(from + member->has_offset);
        }
        clone_slot(member->type, to + member->offset, from + member->offset);
    }
    if (branch) {
        clone_members(branch, to + type->union_offset, from + type->union_offset);
    }
}

static void clone_array(const QapiType *type, QapiArray *to, const QapiArray *from)
{
    size_t step = type->element->slot_size;

    to->count = from->count;
    to->items = g_malloc0_n(from->count, step);
    for (size_t i = 0; i < from->count; i++) {
        clone_slot(type->element, (char *)to->items + i * step, (char *)from->items + i * step);
    }
}

static void clone_slot(const QapiType *type, void *to, const void *from)
{
    if (type->kind == QAPI_STR) {
        *(char **)to = g_strdup(*(char *const *)from);
    } else if (type->kind == QAPI_ANY) {
        json_object *copy = NULL;
        json_object *original = *(json_object *const *)from;

        if (original && json_object_deep_copy(original, &copy, NULL) < 0) {
            g_error("no memory to copy a JSON value");
        }
        *(json_object **)to = copy;
    } else if (is_pointer(type)) {
        *(void **)to = qapi_clone(type, *(void *const *)from);
    } else {
        memcpy(to, from, type->slot_size);
    }
}

void *qapi_clone(const QapiType *type, const void *value)
{
    const QapiType *branch;
    char *copy;

    if (!value) {
        return NULL;
    }
    copy = g_malloc0(type->struct_size);
    if (type->kind == QAPI_ARRAY) {
        clone_array(type, (QapiArray *)copy, value);
    } else if (type->kind == QAPI_ALTERNATE) {
        *(json_type *)copy = *(const json_type *)value;
        branch = qapi_branch(type, value);
        if (branch) {
            clone_slot(branch, copy + type->union_offset, (const char *)value + type->union_offset);
        }
    } else {
        clone_members(type, copy, value);
    }
    return copy;
}

/* Writing */

static void members_to_json(const QapiType *type, const char *value, json_object *out)
{
    const QapiType *branch = type->kind == QAPI_UNION ? qapi_branch(type, value) : NULL;

    for (size_t i = 0; i < type->member_count; i++) {
        const QapiMember *member = &type->members[i];

        if (has_member(member, value)) {
            json_set(out, member->name, slot_to_json(member->type, value + member->offset));
        }
    }
    if (branch) {
        members_to_json(branch, value + type->union_offset, out);
    }
}

static json_object *array_to_json(const QapiType *type, const QapiArray *array)
{
    json_object *out = json_object_new_array_ext(MIN(array->count, INT_MAX));

    for (size_t i = 0; i < array->count; i++) {
        const char *slot = (const char *)array->items + i * type->element->slot_size;

        json_object_array_add(out, slot_to_json(type->element, slot));
    }
    return out;
}

static json_object *slot_to_json(const QapiType *type, const void *slot)
{
    const char *text;

    switch (type->kind) {
    case QAPI_STR:
        text = *(const char *const *)slot;
        return json_string(text ? text : "");
    case QAPI_BOOL:
        return json_object_new_boolean(*(const bool *)slot);
    case QAPI_INT:
        return json_object_new_int64(slot_int(type, slot));
    case QAPI_UINT:
    case QAPI_SIZE:
        return json_object_new_uint64(slot_uint(type, slot));
    case QAPI_NUMBER:
        return json_object_new_double(*(const double *)slot);
    case QAPI_ENUM:
        text = enum_table_name(type->values, *(const int *)slot);
        assert(text); /* else the room that makes this value does not list it in 'qmp' */
        return json_string(text);
    case QAPI_ANY:
        return json_ref(*(json_object *const *)slot);
    case QAPI_NULL:
        return NULL;
    default:
        return qapi_to_json(type, *(void *const *)slot);
    }
}

json_object *qapi_to_json(const QapiType *type, const void *value)
{
    json_object *out;

    assert(value);
    if (type->kind == QAPI_ARRAY) {
        return array_to_json(type, value);
    }
    if (type->kind == QAPI_ALTERNATE) {
        const QapiType *branch = qapi_branch(type, value);

        return branch ? slot_to_json(branch, (const char *)value + type->union_offset) : NULL;
    }
    out = json_object_new_object();
    members_to_json(type, value, out);
    return out;
}
