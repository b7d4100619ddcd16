/*
 * -smbios: fields of types that we build, and whole structures out of files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/smbios.h"
#include "hw/acpi/smbios_keys.h"
#include "util/keyval.h"
#include "util/size.h"

typedef enum ValueKind { KIND_TEXT, KIND_BOOL, KIND_U8, KIND_U16, KIND_U64, KIND_UUID,
                         KIND_RELEASE } ValueKind;

static const struct {
    unsigned type;
    const char *name;
    ValueKind kind;
} keys[] = {
#define SMBIOS_KEY_ROW(type, key, name, kind) { type, name, KIND_##kind },
    SMBIOS_KEYS(SMBIOS_KEY_ROW)
};

#define HEADER_BYTES   4
#define TYPE_END       127
#define FILE_MAX_BYTES (64 * KiB)

typedef struct Pair {
    char *key, *value;
} Pair;

static void pair_clear(void *opaque)
{
    Pair *pair = opaque;

    g_free(pair->key);
    g_free(pair->value);
}

static void values_clear(SmbiosValues *values)
{
    for (unsigned i = 0; i < SMBIOS_KEY_COUNT; i++) {
        g_free(values->text[i]);
    }
}

static void values_free(void *values)
{
    values_clear(values);
    g_free(values);
}

SmbiosOptions *smbios_options_new(void)
{
    SmbiosOptions *o = g_new0(SmbiosOptions, 1);

    o->ports = g_ptr_array_new_with_free_func(values_free);
    o->slots = g_ptr_array_new_with_free_func(values_free);
    o->oem_strings = g_ptr_array_new_with_free_func(g_free);
    o->structures = g_byte_array_new();
    return o;
}

void smbios_options_free(SmbiosOptions *o)
{
    if (o) {
        values_clear(&o->values);
        g_ptr_array_unref(o->ports);
        g_ptr_array_unref(o->slots);
        g_ptr_array_unref(o->oem_strings);
        g_byte_array_unref(o->structures);
        g_free(o);
    }
}

uint64_t smbios_number(const SmbiosValues *values, SmbiosKey key, uint64_t otherwise)
{
    uint64_t number;
    char *why;

    if (!values->text[key]) {
        return otherwise;
    }
    if (keys[key].kind == KIND_BOOL) {
        return strcmp(values->text[key], "on") == 0;
    }
    if (!number_parse(values->text[key], &number, &why)) {
        g_assert_not_reached(); /* check_value() */
    }
    return number;
}

static bool check_number(const Pair *pair, uint64_t max, Error **errp)
{
    g_autofree char *why = NULL;
    uint64_t number;

    if (!number_parse(pair->value, &number, &why)) {
        return error_set(errp, "Parameter '%s' expects a number", pair->key);
    }
    if (number > max) {
        return error_set(errp, "Parameter '%s' is above %" PRIu64, pair->key, max);
    }
    return true;
}

static bool check_release(const Pair *pair, Error **errp)
{
    unsigned major, minor;
    int used = 0;

    if (sscanf(pair->value, "%3u.%3u%n", &major, &minor, &used) != 2 || pair->value[used] ||
        major > UINT8_MAX || minor > UINT8_MAX) {
        return error_set(errp, "Invalid release");
    }
    return true;
}

static bool check_value(ValueKind kind, const Pair *pair, Error **errp)
{
    switch (kind) {
    case KIND_BOOL:
        return strcmp(pair->value, "on") == 0 || strcmp(pair->value, "off") == 0 ||
               error_set(errp, "Parameter '%s' expects 'on' or 'off'", pair->key);
    case KIND_U8:
        return check_number(pair, UINT8_MAX, errp);
    case KIND_U16:
        return check_number(pair, UINT16_MAX, errp);
    case KIND_U64:
        return check_number(pair, UINT64_MAX, errp);
    case KIND_UUID:
        return g_uuid_string_is_valid(pair->value) || error_set(errp, "Invalid UUID");
    case KIND_RELEASE:
        return check_release(pair, errp);
    case KIND_TEXT:
        return true;
    }
    g_assert_not_reached();
}

static bool collect(void *opaque, const char *key, const char *value, char **why)
{
    Pair pair = { g_strdup(key), g_strdup(value) };

    g_array_append_val((GArray *)opaque, pair);
    return true;
}

static const char *find(const GArray *pairs, const char *key)
{
    for (guint i = pairs->len; i > 0; i--) {
        const Pair *pair = &g_array_index(pairs, Pair, i - 1);

        if (strcmp(pair->key, key) == 0) {
            return pair->value;
        }
    }
    return NULL;
}

static int find_key(unsigned type, const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].type == type && strcmp(keys[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static bool has_keys(unsigned type)
{
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].type == type) {
            return true;
        }
    }
    return false;
}

static bool check_fields(unsigned type, const GArray *pairs, Error **errp)
{
    for (guint i = 0; i < pairs->len; i++) {
        const Pair *pair = &g_array_index(pairs, Pair, i);
        int key = find_key(type, pair->key);

        if (strcmp(pair->key, "type") == 0) {
            continue;
        }
        if (key < 0) {
            return error_set(errp, "Invalid parameter '%s'", pair->key);
        }
        if (!check_value(keys[key].kind, pair, errp)) {
            return false;
        }
    }
    return true;
}

static void set_fields(SmbiosValues *values, unsigned type, const GArray *pairs)
{
    for (guint i = 0; i < pairs->len; i++) {
        const Pair *pair = &g_array_index(pairs, Pair, i);
        int key = find_key(type, pair->key);

        if (key >= 0) {
            g_free(values->text[key]);
            values->text[key] = g_strdup(pair->value);
        }
    }
}

/* A file of at most FILE_MAX_BYTES, with a NUL behind it; NULL and *errp if it is not that. */
static char *read_small(const char *path, size_t *bytes, Error **errp)
{
    g_autofree char *data = g_malloc(FILE_MAX_BYTES + 2);
    FILE *file = fopen(path, "rbe");
    bool has_failed;

    if (!file) {
        error_set_errno(errp, errno, "Cannot read SMBIOS file %s", path);
        return NULL;
    }
    *bytes = fread(data, 1, FILE_MAX_BYTES + 1, file);
    has_failed = ferror(file);
    fclose(file);
    if (has_failed || *bytes == 0 || *bytes > FILE_MAX_BYTES) {
        error_set(errp, "Cannot read SMBIOS file %s: %s", path,
                  has_failed ? "read error" : *bytes ? "too large" : "empty");
        return NULL;
    }
    data[*bytes] = 0;
    return g_steal_pointer(&data);
}

/* Strings of type 11 add up, in their order; `path` has one in a file. */
static bool add_oem_strings(SmbiosOptions *o, const GArray *pairs, Error **errp)
{
    g_autoptr(GPtrArray) strings = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < pairs->len; i++) {
        const Pair *pair = &g_array_index(pairs, Pair, i);
        char *text;
        size_t length;

        if (strcmp(pair->key, "value") == 0) {
            g_ptr_array_add(strings, g_strdup(pair->value));
        } else if (strcmp(pair->key, "path") == 0) {
            text = read_small(pair->value, &length, errp);
            if (!text) {
                return false;
            }
            g_ptr_array_add(strings, text);
            if (strlen(text) != length) {
                return error_set(errp, "NUL in OEM strings value in %s", pair->value);
            }
        }
    }
    g_ptr_array_extend_and_steal(o->oem_strings, g_steal_pointer(&strings));
    return true;
}

static bool add_fields(SmbiosOptions *o, unsigned type, const GArray *pairs, Error **errp)
{
    GPtrArray *things = type == 8 ? o->ports : type == 9 ? o->slots : NULL;
    SmbiosValues *values = &o->values;

    if (o->has_structure[type]) {
        return error_set(errp, "SMBIOS type %u structure already defined, cannot add field", type);
    }
    if (!check_fields(type, pairs, errp)) {
        return false;
    }
    if (type == 11) {
        if (!add_oem_strings(o, pairs, errp)) {
            return false;
        }
    } else {
        if (things) {
            values = g_new0(SmbiosValues, 1);
            g_ptr_array_add(things, values);
        }
        set_fields(values, type, pairs);
    }
    o->has_fields[type] = true;
    return true;
}

/* Length of the structure with its strings, which end with two NULs; 0: it is not whole. */
static size_t structure_bytes(const uint8_t *data, size_t bytes)
{
    size_t at;

    if (bytes < HEADER_BYTES || data[1] < HEADER_BYTES) {
        return 0;
    }
    for (at = data[1]; at + 1 < bytes; at++) {
        if (data[at] == 0 && data[at + 1] == 0) {
            return at + 2;
        }
    }
    return 0;
}

static bool check_file(const SmbiosOptions *o, const char *path, const uint8_t *data, size_t bytes,
                       Error **errp)
{
    size_t length;

    for (size_t at = 0; at < bytes; at += length) {
        length = structure_bytes(data + at, bytes - at);
        if (!length) {
            return error_set(errp, "SMBIOS file %s: no whole structure at byte %zu", path, at);
        }
        if (data[at] == TYPE_END) {
            return error_set(errp, "SMBIOS file %s: the end of the table is not for files", path);
        }
        if (o->has_fields[data[at]]) {
            return error_set(errp, "SMBIOS type %u field already defined, cannot add structure",
                             data[at]);
        }
    }
    return true;
}

static bool add_file(SmbiosOptions *o, const char *path, Error **errp)
{
    size_t bytes, length;
    g_autofree char *data = read_small(path, &bytes, errp);

    if (!data || !check_file(o, path, (uint8_t *)data, bytes, errp)) {
        return false;
    }
    for (size_t at = 0; at < bytes; at += length) {
        length = structure_bytes((uint8_t *)data + at, bytes - at);
        o->has_structure[(uint8_t)data[at]] = true;
        o->structure_count++;
        o->largest_structure = MAX(o->largest_structure, length);
    }
    g_byte_array_append(o->structures, (uint8_t *)data, bytes);
    return true;
}

bool smbios_options_add(SmbiosOptions *o, const char *text, Error **errp)
{
    g_autoptr(GArray) pairs = g_array_new(false, false, sizeof(Pair));
    const KeyvalSyntax syntax = { NULL, NULL };
    g_autofree char *why = NULL;
    g_autofree char *why_type = NULL;
    const char *type_text, *file;
    uint64_t type;

    g_array_set_clear_func(pairs, pair_clear);
    if (!keyval_foreach(text, &syntax, collect, pairs, &why)) {
        return error_set(errp, "%s", why);
    }
    type_text = find(pairs, "type");
    file = find(pairs, "file");
    if (file) {
        return pairs->len == 1 ? add_file(o, file, errp)
                               : error_set(errp, "'file' stands alone in -smbios");
    }
    if (!type_text) {
        return error_set(errp, "Must specify type= or file=");
    }
    if (!number_parse(type_text, &type, &why_type) || type >= SMBIOS_TYPE_MAX) {
        return error_set(errp, "SMBIOS type out of range: '%s'", type_text);
    }
    if (!has_keys(type)) {
        return error_set(errp, "Don't know how to build fields for SMBIOS type %" PRIu64, type);
    }
    return add_fields(o, type, pairs, errp);
}
