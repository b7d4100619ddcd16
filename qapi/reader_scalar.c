/*
 * JSON to QAPI strings, numbers, booleans and enumerations, typed or as text.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "reader.h"
#include "text.h"

const char *reader_text(const Reader *r, json_object *in)
{
    bool is_text = r->form == QAPI_TEXT && json_object_is_type(in, json_type_string);

    return is_text ? json_object_get_string(in) : NULL;
}

static bool check_string(const Reader *r, const Path *path, json_object *in)
{
    if (!json_object_is_type(in, json_type_string)) {
        if (r->form == QAPI_TEXT && in) {
            return reader_fail_unexpected(r, path, in);
        }
        return reader_fail_type(r, path, "string");
    }
    if (strlen(json_object_get_string(in)) != (size_t)json_object_get_string_len(in)) {
        return reader_fail_expects(r, path, "a string without NUL characters");
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
    const char *text = reader_text(r, in);

    if (text) {
        return qapi_parse_bool(text, slot) || reader_fail_expects(r, path, "'on' or 'off'");
    }
    if (!json_object_is_type(in, json_type_boolean)) {
        return reader_fail_type(r, path, "boolean");
    }
    *slot = json_object_get_boolean(in);
    return true;
}

static bool fail_range(const Reader *r, const Path *path, const QapiType *type)
{
    g_autofree char *name =
        g_strdup_printf("%sint%u_t", type->kind == QAPI_INT ? "" : "u", type->bits);

    return reader_fail_expects(r, path, name);
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
    const char *text = reader_text(r, in);
    int64_t limit = type->bits == 64 ? INT64_MAX : (INT64_C(1) << (type->bits - 1)) - 1;
    int64_t value;

    if (text) {
        if (!qapi_parse_int64(text, &value)) {
            return reader_fail_expects(r, path, "integer");
        }
    } else if (!json_get_int64(in, &value)) {
        return reader_fail_type(r, path, "integer");
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
    const char *text = reader_text(r, in);
    uint64_t value;

    if (text) {
        if (!qapi_parse_uint64(text, &value)) {
            return reader_fail_expects(r, path, "integer");
        }
    } else if (!json_get_uint64(in, &value)) {
        return type->bits == 64 || !json_object_is_type(in, json_type_int)
                   ? reader_fail_expects(r, path, "uint64")
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
    const char *text = reader_text(r, in);

    if (text) {
        return qapi_parse_size(text, slot) || reader_fail_expects(r, path, "a size value");
    }
    return json_get_uint64(in, slot) || reader_fail_expects(r, path, "uint64");
}

static bool read_number(const Reader *r, const Path *path, json_object *in, double *slot)
{
    const char *text = reader_text(r, in);

    if (text) {
        return qapi_parse_number(text, slot) || reader_fail_expects(r, path, "a number");
    }
    if (!json_object_is_type(in, json_type_double) && !json_object_is_type(in, json_type_int)) {
        return reader_fail_type(r, path, "number");
    }
    *slot = json_object_get_double(in);
    return true;
}

static bool read_enum(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                      int *slot)
{
    int value;

    if (!check_string(r, path, in)) {
        return false;
    }
    value = enum_table_find(type->values, json_object_get_string(in));
    if (value < 0) {
        return reader_fail_value(r, path, json_object_get_string(in));
    }
    *slot = value;
    return true;
}

bool reader_read_scalar(const Reader *r, const Path *path, const QapiType *type, json_object *in,
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
    default: /* null */
        return true;
    }
}
