/*
 * JSON to QAPI values, checked against the type: see qapi/qapi.h. Input is hostile: depth is
 * bounded, what was read is freed when the rest is bad, and errors name the member by path
 * (a.b[0].c; in the text form a.b.0.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "text.h"
#include "value.h"

/* Where we are; the root has no parent. */
typedef struct Path {
    const struct Path *parent;
    const char *name; /* NULL: an array element */
    size_t index;
    unsigned depth;
} Path;

typedef struct Reader {
    QapiForm form;
    Error **errp;
} Reader;

static bool read_slot(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                      void *slot);

static void append_path(const Reader *r, const Path *path, GString *out)
{
    if (path->parent) {
        append_path(r, path->parent, out);
    }
    if (path->name) {
        g_string_append_printf(out, "%s%s", out->len ? "." : "", path->name);
    } else if (path->parent) {
        g_string_append_printf(out, r->form == QAPI_TEXT ? ".%zu" : "[%zu]", path->index);
    }
}

static char *path_text(const Reader *r, const Path *path)
{
    GString *out = g_string_new(NULL);

    append_path(r, path, out);
    if (!out->len) {
        g_string_assign(out, "input");
    }
    return g_string_free(out, FALSE);
}

/* Some messages are known to clients with the bare name of the member. */
static char *short_name(const Reader *r, const Path *path)
{
    return path->name ? g_strdup(path->name) : path_text(r, path);
}

static bool fail_type(const Reader *r, const Path *path, const char *expected)
{
    g_autofree char *name = path_text(r, path);

    return error_set(r->errp, "Invalid parameter type for '%s', expected: %s", name, expected);
}

static bool fail_expects(const Reader *r, const Path *path, const char *expected)
{
    g_autofree char *name = short_name(r, path);

    return error_set(r->errp, "Parameter '%s' expects %s", name, expected);
}

static bool fail_unexpected(const Reader *r, const Path *path, json_object *value)
{
    g_autofree char *name = path_text(r, path);
    bool is_nested =
        json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array);

    if (r->form == QAPI_TEXT && is_nested) {
        return error_set(r->errp, "Parameters '%s.*' are unexpected", name);
    }
    return error_set(r->errp, "Parameter '%s' is unexpected", name);
}

/* In the text form: the string to parse, or NULL. */
static const char *text_of(const Reader *r, json_object *in)
{
    bool is_text = r->form == QAPI_TEXT && json_object_is_type(in, json_type_string);

    return is_text ? json_object_get_string(in) : NULL;
}

/* Scalars */

static bool check_string(const Reader *r, const Path *path, json_object *in)
{
    if (!json_object_is_type(in, json_type_string)) {
        if (r->form == QAPI_TEXT && in) {
            return fail_unexpected(r, path, in);
        }
        return fail_type(r, path, "string");
    }
    if (strlen(json_object_get_string(in)) != (size_t)json_object_get_string_len(in)) {
        return fail_expects(r, path, "a string without NUL characters");
    }
    return true;
}

static bool read_string(const Reader *r, const Path *path, json_object *in, char **slot)
{
    if (!check_string(r, path, in)) {
        return false;
    }
    *slot = g_strdup(json_object_get_string(in));
    return true;
}

static bool read_bool(const Reader *r, const Path *path, json_object *in, bool *slot)
{
    const char *text = text_of(r, in);

    if (text) {
        return qapi_parse_bool(text, slot) || fail_expects(r, path, "'on' or 'off'");
    }
    if (!json_object_is_type(in, json_type_boolean)) {
        return fail_type(r, path, "boolean");
    }
    *slot = json_object_get_boolean(in);
    return true;
}

static bool fail_range(const Reader *r, const Path *path, const QapiType *type)
{
    g_autofree char *name =
        g_strdup_printf("%sint%u_t", type->kind == QAPI_INT ? "" : "u", type->bits);

    return fail_expects(r, path, name);
}

/* Integers are little enough to be stored by size: two's complement is the same for both. */
static void store_int(const QapiType *type, uint64_t value, void *slot)
{
    switch (type->slot_size) {
    case 1:
        *(uint8_t *)slot = value;
        break;
    case 2:
        *(uint16_t *)slot = value;
        break;
    case 4:
        *(uint32_t *)slot = value;
        break;
    default:
        *(uint64_t *)slot = value;
    }
}

static bool read_int(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                     void *slot)
{
    const char *text = text_of(r, in);
    int64_t limit = type->bits == 64 ? INT64_MAX : (INT64_C(1) << (type->bits - 1)) - 1;
    int64_t value;

    if (text) {
        if (!qapi_parse_int64(text, &value)) {
            return fail_expects(r, path, "integer");
        }
    } else if (!json_get_int64(in, &value)) {
        return fail_type(r, path, "integer");
    }
    if (value > limit || value < -limit - 1) {
        return fail_range(r, path, type);
    }
    store_int(type, value, slot);
    return true;
}

static bool read_uint(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                      void *slot)
{
    const char *text = text_of(r, in);
    uint64_t value;

    if (text) {
        if (!qapi_parse_uint64(text, &value)) {
            return fail_expects(r, path, "integer");
        }
    } else if (!json_get_uint64(in, &value)) {
        return type->bits == 64 || !json_object_is_type(in, json_type_int)
                   ? fail_expects(r, path, "uint64")
                   : fail_range(r, path, type);
    }
    if (type->bits < 64 && value >> type->bits) {
        return fail_range(r, path, type);
    }
    store_int(type, value, slot);
    return true;
}

static bool read_size(const Reader *r, const Path *path, json_object *in, uint64_t *slot)
{
    const char *text = text_of(r, in);

    if (text) {
        return qapi_parse_size(text, slot) || fail_expects(r, path, "a size value");
    }
    return json_get_uint64(in, slot) || fail_expects(r, path, "uint64");
}

static bool read_number(const Reader *r, const Path *path, json_object *in, double *slot)
{
    const char *text = text_of(r, in);

    if (text) {
        return qapi_parse_number(text, slot) || fail_expects(r, path, "a number");
    }
    if (!json_object_is_type(in, json_type_double) && !json_object_is_type(in, json_type_int)) {
        return fail_type(r, path, "number");
    }
    *slot = json_object_get_double(in);
    return true;
}

static bool read_enum(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                      int *slot)
{
    g_autofree char *name = NULL;
    int value;

    if (!check_string(r, path, in)) {
        return false;
    }
    value = enum_table_find(type->values, json_object_get_string(in));
    if (value < 0) {
        name = short_name(r, path);
        return error_set(r->errp, "Parameter '%s' does not accept value '%s'", name,
                         json_object_get_string(in));
    }
    *slot = value;
    return true;
}

/* Structs and unions */

static bool fail_missing(const Reader *r, const Path *path)
{
    g_autofree char *name = path_text(r, path);

    return error_set(r->errp, "Parameter '%s' is missing", name);
}

/* Reads the members that `type` names; counts those that were there. */
static bool read_members(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                         char *value, int *found)
{
    for (size_t i = 0; i < type->member_count; i++) {
        const QapiMember *m = &type->members[i];
        const Path here = { .parent = path, .name = m->name, .depth = path->depth + 1 };
        json_object *item;

        if (!json_object_object_get_ex(in, m->name, &item)) {
            if (m->is_optional) {
                continue;
            }
            return fail_missing(r, &here);
        }
        *found += 1;
        if (!read_slot(r, &here, m->type, item, value + m->offset)) {
            return false;
        }
        if (m->has_indicator) {
            *(bool *)(value + m->has_offset) = true;
        }
    }
    if (type->kind == QAPI_UNION && qapi_branch(type, value)) {
        return read_members(r, path, qapi_branch(type, value), in, value + type->union_offset,
                            found);
    }
    return true;
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
            return fail_unexpected(r, &here, item);
        }
    }
    return true;
}

static bool read_object(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                        void *value)
{
    int found = 0;

    if (!json_object_is_type(in, json_type_object)) {
        return fail_type(r, path, "object");
    }
    return read_members(r, path, type, in, value, &found) &&
           (found == json_object_object_length(in) || fail_extra(r, path, type, in, value));
}

/* Arrays */

/* The text form of integer lists: "0-3,7". */
static bool read_ranges(const Reader *r, const Path *path, const QapiType *type, const char *text,
                        QapiArray *array)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(int64_t));
    const QapiType *element = type->element;

    if (!qapi_parse_ranges(text, numbers)) {
        return fail_expects(r, path, "a uint64 value or range");
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
    const char *text = text_of(r, in);
    size_t count;

    if (text && (element->kind == QAPI_INT || element->kind == QAPI_UINT)) {
        return read_ranges(r, path, type, text, array);
    }
    if (!json_object_is_type(in, json_type_array)) {
        return fail_type(r, path, "array");
    }
    count = json_object_array_length(in);
    array->items = g_try_malloc0_n(count, element->slot_size);
    if (count && !array->items) {
        return fail_expects(r, path, "fewer elements");
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
    const char *text = text_of(r, in);

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
        return fail_type(r, path, type->name);
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
    switch (type->kind) {
    case QAPI_STR:
        return read_string(r, path, in, slot);
    case QAPI_BOOL:
        return read_bool(r, path, in, slot);
    case QAPI_INT:
        return read_int(r, path, type, in, slot);
    case QAPI_UINT:
        return read_uint(r, path, type, in, slot);
    case QAPI_SIZE:
        return read_size(r, path, in, slot);
    case QAPI_NUMBER:
        return read_number(r, path, in, slot);
    case QAPI_ENUM:
        return read_enum(r, path, type, in, slot);
    case QAPI_ANY:
        *(json_object **)slot = json_ref(in);
        return true;
    case QAPI_NULL:
        return true;
    default:
        *(void **)slot = g_malloc0(type->struct_size);
        return read_heap(r, path, type, in, *(void **)slot);
    }
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
