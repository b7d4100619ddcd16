/*
 * Sets of small numbers: see number_set.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/number_set.h"

#include "util/bitmap.h"

static bool add_range(NumberSet set, const Property *p, uint64_t first, uint64_t last,
                      Error **errp)
{
    if (last >= set.count) {
        return error_set(errp, "Invalid %s value: %" PRIu64, p->name, last);
    }
    bitmap_set_range(set.bits, first, last - first + 1);
    return true;
}

/* "3" or "3-5". */
static bool add_text(NumberSet set, const Property *p, const char *text, Error **errp)
{
    uint64_t first, last;
    char *end;

    if (!g_ascii_isdigit(*text)) {
        return error_set(errp, "Parameter '%s' expects an int64 value or range", p->name);
    }
    first = last = g_ascii_strtoull(text, &end, 10);
    if (*end == '-' && g_ascii_isdigit(end[1])) {
        last = g_ascii_strtoull(end + 1, &end, 10);
    }
    if (*end || last < first) {
        return error_set(errp, "Parameter '%s' expects an int64 value or range", p->name);
    }
    return add_range(set, p, first, last, errp);
}

static bool add_list_text(NumberSet set, const Property *p, const char *text, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    for (char **part = parts; *part; part++) {
        if (!add_text(set, p, *part, errp)) {
            return false;
        }
    }
    return true;
}

static bool add_json(NumberSet set, const Property *p, json_object *item, Error **errp)
{
    uint64_t number;

    if (json_object_is_type(item, json_type_string)) {
        return add_list_text(set, p, json_object_get_string(item), errp);
    }
    if (!json_object_is_type(item, json_type_int) || !json_get_uint64(item, &number)) {
        return error_set(errp, "Invalid parameter type for '%s', expected: integer", p->name);
    }
    return add_range(set, p, number, number, errp);
}

bool number_set_parse(NumberSet set, const Property *p, json_object *value, Error **errp)
{
    size_t bytes = bitmap_words(set.count) * sizeof(uint64_t);
    g_autofree uint64_t *bits = g_malloc0(bytes);
    NumberSet fresh = { bits, set.count };

    if (!json_object_is_type(value, json_type_array)) {
        if (!add_json(fresh, p, value, errp)) {
            return false;
        }
    } else {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            if (!add_json(fresh, p, json_object_array_get_idx(value, i), errp)) {
                return false;
            }
        }
    }
    memcpy(set.bits, bits, bytes);
    return true;
}

json_object *number_set_to_json(NumberSet set)
{
    json_object *list = json_object_new_array();

    for (uint64_t at = 0; (at = bitmap_find_set(set.bits, set.count, at)) < set.count; at++) {
        json_object_array_add(list, json_object_new_int64(at));
    }
    return list;
}

bool number_set_is_empty(NumberSet set)
{
    return !bitmap_test_range(set.bits, 0, set.count);
}

void number_set_print(NumberSet set, GString *out)
{
    const char *comma = "";

    for (uint64_t at = 0; (at = bitmap_find_set(set.bits, set.count, at)) < set.count;) {
        uint64_t end = bitmap_find_clear(set.bits, set.count, at);

        g_string_append_printf(out, "%s%" PRIu64, comma, at);
        if (end - at > 1) {
            g_string_append_printf(out, "-%" PRIu64, end - 1);
        }
        comma = ",";
        at = end;
    }
}
