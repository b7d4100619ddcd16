/*
 * The kinds of property: how each is read, written, defaulted and freed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qom/members.h"
#include "qom/object.h"

static void *field(Object *obj, const Property *p)
{
    return (char *)obj + p->offset;
}

static bool wrong_type(const Property *p, const char *expected, Error **errp)
{
    return error_set(errp, "Invalid parameter type for '%s', expected: %s", p->name, expected);
}

static const char *text_of(json_object *value, PropertyForm form)
{
    if (form == PROPERTY_TYPED || !json_object_is_type(value, json_type_string)) {
        return NULL;
    }
    return json_object_get_string(value);
}

/* --- bool --- */

static bool parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = { "on", "yes", "true", "y" };
    static const char *const no[] = { "off", "no", "false", "n" };

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) {
            *out = !strcmp(text, yes[i]);
            return true;
        }
    }
    return false;
}

bool property_value_bool(const Property *p, json_object *value, PropertyForm form, bool *out,
                         Error **errp)
{
    const char *text = text_of(value, form);

    if (text) {
        return parse_bool(text, out) ||
               error_set(errp, "Parameter '%s' expects 'on' or 'off'", p->name);
    }
    if (form == PROPERTY_TEXT || !json_object_is_type(value, json_type_boolean)) {
        return wrong_type(p, "boolean", errp);
    }
    *out = json_object_get_boolean(value);
    return true;
}

static json_object *bool_get(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_boolean(*(bool *)field(obj, p));
}

static bool bool_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                     Error **errp)
{
    return property_value_bool(p, value, form, field(obj, p), errp);
}

static void bool_set_initial(Object *obj, const Property *p)
{
    *(bool *)field(obj, p) = p->initial;
}

static json_object *bool_show_initial(const Property *p)
{
    return json_object_new_boolean(p->initial);
}

const PropertyKind property_bool = {
    .name = "bool", .get = bool_get, .set = bool_set, .set_initial = bool_set_initial,
    .show_initial = bool_show_initial,
};

#define BIT_KIND(kind, ctype, bit_of)                                                              \
    static void kind##_write(Object *obj, const Property *p, bool is_on)                           \
    {                                                                                              \
        ctype *word = field(obj, p);                                                               \
                                                                                                   \
        *word = (*word & ~bit_of(p->bit)) | (is_on ? bit_of(p->bit) : 0);                          \
    }                                                                                              \
    static json_object *kind##_get(Object *obj, const Property *p, Error **errp)                   \
    {                                                                                              \
        return json_object_new_boolean(*(ctype *)field(obj, p) >> p->bit & 1);                     \
    }                                                                                              \
    static bool kind##_set(Object *obj, const Property *p, json_object *value, PropertyForm form,  \
                           Error **errp)                                                           \
    {                                                                                              \
        bool is_on;                                                                                \
                                                                                                   \
        if (!property_value_bool(p, value, form, &is_on, errp)) {                                  \
            return false;                                                                          \
        }                                                                                          \
        kind##_write(obj, p, is_on);                                                               \
        return true;                                                                               \
    }                                                                                              \
    static void kind##_set_initial(Object *obj, const Property *p)                                 \
    {                                                                                              \
        kind##_write(obj, p, p->initial);                                                          \
    }                                                                                              \
    const PropertyKind property_##kind = {                                                         \
        .name = "bool", .get = kind##_get, .set = kind##_set, .set_initial = kind##_set_initial,   \
        .show_initial = bool_show_initial,                                                         \
    };

BIT_KIND(bit32, uint32_t, BIT)
BIT_KIND(bit64, uint64_t, BIT64)

/* --- integers --- */

static bool parse_uint(const char *text, uint64_t *out)
{
    char *end;

    if (!g_ascii_isdigit(*text)) {
        return false;
    }
    errno = 0;
    *out = g_ascii_strtoull(text, &end, 0);
    return !errno && !*end;
}

static bool parse_int(const char *text, int64_t *out)
{
    char *end;

    if (!g_ascii_isdigit(*text) && *text != '-') {
        return false;
    }
    errno = 0;
    *out = g_ascii_strtoll(text, &end, 0);
    return !errno && !*end;
}

bool property_value_uint(const Property *p, json_object *value, PropertyForm form, uint64_t *out,
                         Error **errp)
{
    const char *text = text_of(value, form);

    if (text) {
        return parse_uint(text, out) ||
               error_set(errp, "Parameter '%s' expects uint64", p->name);
    }
    if (form == PROPERTY_TEXT || !json_object_is_type(value, json_type_int)) {
        return wrong_type(p, "integer", errp);
    }
    return json_get_uint64(value, out) ||
           error_set(errp, "Parameter '%s' expects uint64", p->name);
}

static bool value_int(const Property *p, json_object *value, PropertyForm form, int64_t *out,
                      Error **errp)
{
    const char *text = text_of(value, form);

    if (text) {
        return parse_int(text, out) || error_set(errp, "Parameter '%s' expects int64", p->name);
    }
    if (form == PROPERTY_TEXT || !json_object_is_type(value, json_type_int)) {
        return wrong_type(p, "integer", errp);
    }
    return json_get_int64(value, out) ||
           error_set(errp, "Parameter '%s' expects int64", p->name);
}

static bool check_uint(Object *obj, const Property *p, uint64_t value, uint64_t kind_max,
                       Error **errp)
{
    uint64_t max = p->max ? p->max : kind_max;

    if (value < p->min || value > max) {
        return error_set(errp, "Property '%s.%s' doesn't take value '%" PRIu64
                         "' (minimum: %" PRIu64 ", maximum: %" PRIu64 ")",
                         object_type_name(obj), p->name, value, p->min, max);
    }
    return true;
}

static json_object *uint_show_initial(const Property *p)
{
    return json_object_new_uint64((uint64_t)p->initial);
}

static json_object *int_show_initial(const Property *p)
{
    return json_object_new_int64(p->initial);
}

#define UINT_KIND(kind, ctype, name_)                                                              \
    static json_object *kind##_get(Object *obj, const Property *p, Error **errp)                   \
    {                                                                                              \
        return json_object_new_uint64(*(ctype *)field(obj, p));                                    \
    }                                                                                              \
    static bool kind##_set(Object *obj, const Property *p, json_object *value, PropertyForm form,  \
                           Error **errp)                                                           \
    {                                                                                              \
        uint64_t number;                                                                           \
                                                                                                   \
        if (!property_value_uint(p, value, form, &number, errp) ||                                 \
            !check_uint(obj, p, number, (ctype)-1, errp)) {                                        \
            return false;                                                                          \
        }                                                                                          \
        *(ctype *)field(obj, p) = number;                                                          \
        return true;                                                                               \
    }                                                                                              \
    static void kind##_set_initial(Object *obj, const Property *p)                                 \
    {                                                                                              \
        *(ctype *)field(obj, p) = p->initial;                                                      \
    }                                                                                              \
    static json_object *kind##_show_initial(const Property *p)                                     \
    {                                                                                              \
        return json_object_new_uint64((ctype)p->initial);                                          \
    }                                                                                              \
    const PropertyKind property_##kind = {                                                         \
        .name = name_, .get = kind##_get, .set = kind##_set, .set_initial = kind##_set_initial,    \
        .show_initial = kind##_show_initial,                                                       \
    };

UINT_KIND(u8, uint8_t, "uint8")
UINT_KIND(u16, uint16_t, "uint16")
UINT_KIND(u32, uint32_t, "uint32")
UINT_KIND(u64, uint64_t, "uint64")

#define INT_KIND(kind, ctype, name_, lowest, highest)                                              \
    static json_object *kind##_get(Object *obj, const Property *p, Error **errp)                   \
    {                                                                                              \
        return json_object_new_int64(*(ctype *)field(obj, p));                                     \
    }                                                                                              \
    static bool kind##_set(Object *obj, const Property *p, json_object *value, PropertyForm form,  \
                           Error **errp)                                                           \
    {                                                                                              \
        int64_t number, min = p->max ? (int64_t)p->min : lowest;                                   \
        int64_t max = p->max ? (int64_t)p->max : highest;                                          \
                                                                                                   \
        if (!value_int(p, value, form, &number, errp)) {                                           \
            return false;                                                                          \
        }                                                                                          \
        if (number < min || number > max) {                                                        \
            return error_set(errp, "Property '%s.%s' doesn't take value '%" PRId64                 \
                             "' (minimum: %" PRId64 ", maximum: %" PRId64 ")",                     \
                             object_type_name(obj), p->name, number, min, max);                    \
        }                                                                                          \
        *(ctype *)field(obj, p) = number;                                                          \
        return true;                                                                               \
    }                                                                                              \
    static void kind##_set_initial(Object *obj, const Property *p)                                 \
    {                                                                                              \
        *(ctype *)field(obj, p) = p->initial;                                                      \
    }                                                                                              \
    const PropertyKind property_##kind = {                                                         \
        .name = name_, .get = kind##_get, .set = kind##_set, .set_initial = kind##_set_initial,    \
        .show_initial = int_show_initial,                                                          \
    };

INT_KIND(i32, int32_t, "int32", INT32_MIN, INT32_MAX)
INT_KIND(i64, int64_t, "int64", INT64_MIN, INT64_MAX)

/* --- size --- */

static bool parse_size(const char *text, uint64_t *out)
{
    static const char suffixes[] = "KMGTPE";
    const char *suffix;
    char *end;
    double number;

    if (parse_uint(text, out)) {
        return true;
    }
    number = g_ascii_strtod(text, &end);
    if (end == text || !(number >= 0) || !*end || end[1]) {
        return false;
    }
    suffix = strchr(suffixes, g_ascii_toupper(*end));
    for (int i = suffix ? suffix - suffixes : -1; i >= 0; i--) {
        number *= 1024;
    }
    *out = (uint64_t)number;
    return (suffix || g_ascii_toupper(*end) == 'B') && number < 0x1p64;
}

static bool size_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                     Error **errp)
{
    const char *text = text_of(value, form);
    uint64_t number;

    if (text && !parse_size(text, &number)) {
        error_set(errp, "Parameter '%s' expects a non-negative number below 2^64", p->name);
        error_hint(errp, "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, "
                   "peta-\nand exabytes, respectively.\n");
        return false;
    }
    if ((!text && !property_value_uint(p, value, form, &number, errp)) ||
        !check_uint(obj, p, number, UINT64_MAX, errp)) {
        return false;
    }
    *(uint64_t *)field(obj, p) = number;
    return true;
}

/* "2147483648 (2 GiB)" */
static char *size_print(Object *obj, const Property *p)
{
    static const char *const units[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
    uint64_t bytes = *(uint64_t *)((char *)obj + p->offset);
    unsigned unit = bytes ? (63 - __builtin_clzll(bytes)) / 10 : 0;

    return g_strdup_printf("%" PRIu64 " (%.3g %sB)", bytes,
                           (double)bytes / (UINT64_C(1) << 10 * unit), units[unit]);
}

const PropertyKind property_size = {
    .name = "size", .get = u64_get, .set = size_set, .set_initial = u64_set_initial,
    .show_initial = uint_show_initial, .print = size_print,
};

/* --- str --- */

bool property_value_text(const Property *p, json_object *value, const char **out, Error **errp)
{
    if (!json_object_is_type(value, json_type_string)) {
        return wrong_type(p, "string", errp);
    }
    *out = json_object_get_string(value);
    return true;
}

static json_object *str_get(Object *obj, const Property *p, Error **errp)
{
    const char *text = *(char **)field(obj, p);

    return json_string(text ? text : "");
}

static bool str_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                    Error **errp)
{
    char **at = field(obj, p);
    const char *text = NULL;

    if (!property_value_text(p, value, &text, errp)) {
        return false;
    }
    g_free(*at);
    *at = g_strdup(text);
    return true;
}

static void str_set_initial(Object *obj, const Property *p)
{
    *(char **)field(obj, p) = g_strdup(p->initial_text);
}

static void str_clear(Object *obj, const Property *p)
{
    g_clear_pointer((char **)field(obj, p), g_free);
}

static json_object *str_show_initial(const Property *p)
{
    return p->initial_text ? json_string(p->initial_text) : NULL;
}

const PropertyKind property_str = {
    .name = "str", .get = str_get, .set = str_set, .set_initial = str_set_initial,
    .clear = str_clear, .show_initial = str_show_initial,
};

/* --- enum --- */

static json_object *enum_get(Object *obj, const Property *p, Error **errp)
{
    return json_string(enum_table_name(p->values, *(int *)field(obj, p)));
}

static bool enum_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                     Error **errp)
{
    const char *text = NULL;
    int number;

    if (!property_value_text(p, value, &text, errp)) {
        return false;
    }
    number = enum_table_find(p->values, text);
    if (number < 0) {
        return error_set(errp, "Parameter '%s' does not accept value '%s'", p->name, text);
    }
    *(int *)field(obj, p) = number;
    return true;
}

static void enum_set_initial(Object *obj, const Property *p)
{
    *(int *)field(obj, p) = p->initial;
}

static json_object *enum_show_initial(const Property *p)
{
    return json_string(enum_table_name(p->values, p->initial));
}

const PropertyKind property_enum = {
    .get = enum_get, .set = enum_set, .set_initial = enum_set_initial,
    .show_initial = enum_show_initial,
};

static const char *const on_off_auto_names[] = {
    [ON_OFF_AUTO_VALUE_AUTO] = "auto",
    [ON_OFF_AUTO_VALUE_ON] = "on",
    [ON_OFF_AUTO_VALUE_OFF] = "off",
};
const EnumTable on_off_auto_table = { "OnOffAuto", on_off_auto_names, 3 };

/* --- link and child --- */

static json_object *link_get(Object *obj, const Property *p, Error **errp)
{
    Object *target = *(Object **)field(obj, p);
    g_autofree char *path = target ? object_path(target) : NULL;

    return json_string(path ? path : "");
}

static Object *find_target(const char *text, const char *type, bool *is_ambiguous)
{
    Object *found = NULL;

    if (*text != '/') {
        Object *objects = object_container("/objects");

        found = object_child(objects, text);
    }
    if (found && object_is_a(found, type)) {
        return found;
    }
    return object_resolve(text, type, is_ambiguous);
}

static bool link_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                     Error **errp)
{
    Object **at = field(obj, p), *target = NULL;
    bool is_ambiguous = false;
    const char *text = NULL;

    if (!property_value_text(p, value, &text, errp)) {
        return false;
    }
    if (*text) {
        target = find_target(text, p->target, &is_ambiguous);
        if (is_ambiguous) {
            return error_set(errp, "Path '%s' does not uniquely identify an object", text);
        }
        if (!target) {
            Object *other = object_resolve(text, NULL, NULL);

            return other ? error_set(errp, "Invalid parameter type for '%s', expected: %s",
                                     p->name, p->target) :
                           error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found",
                                           text);
        }
        object_ref(target);
    }
    object_unref(*at);
    *at = target;
    return true;
}

static void link_clear(Object *obj, const Property *p)
{
    Object **at = field(obj, p);

    object_unref(*at);
    *at = NULL;
}

const PropertyKind property_link = { .get = link_get, .set = link_set, .clear = link_clear };

static json_object *child_get(Object *obj, const Property *p, Error **errp)
{
    g_autofree char *path = object_path(members_find(obj, p->name)->child);

    return json_string(path ? path : "");
}

const PropertyKind property_child = { .get = child_get };

/* --- computed --- */

static json_object *computed_get(Object *obj, const Property *p, Error **errp)
{
    return p->get(obj, p, errp);
}

static bool computed_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                         Error **errp)
{
    return p->set(obj, p, value, form, errp);
}

const PropertyKind property_computed = {
    .name = "any", .get = computed_get, .set = computed_set,
};

/* --- uuid --- */

static json_object *uuid_get(Object *obj, const Property *p, Error **errp)
{
    const uint8_t *u = field(obj, p);
    GString *text = g_string_new(NULL);
    json_object *value;

    for (int i = 0; i < 16; i++) {
        g_string_append_printf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                               u[i]);
    }
    value = json_string(text->str);
    g_string_free(text, TRUE);
    return value;
}

static bool parse_uuid(const char *text, uint8_t *out)
{
    if (!g_uuid_string_is_valid(text)) {
        return false;
    }
    for (int i = 0; i < 16; text++) {
        if (*text != '-') {
            out[i++] = g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]);
            text++;
        }
    }
    return true;
}

static bool uuid_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                     Error **errp)
{
    const char *text = NULL;

    if (!property_value_text(p, value, &text, errp)) {
        return false;
    }
    if (!strcmp(text, "auto")) {
        g_autofree char *made = g_uuid_string_random();

        return parse_uuid(made, field(obj, p));
    }
    return parse_uuid(text, field(obj, p)) ||
           error_set(errp, "Parameter '%s' expects UUID", p->name);
}

const PropertyKind property_uuid = { .name = "str", .get = uuid_get, .set = uuid_set };
