/*
 * Fuzzes keyval_parse(): any text gives a value or a reason, and a value, written out again as
 * key=value with its commas doubled, gives itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/keyval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_value(GString *out, const char *path, json_object *value);

static void write_members(GString *out, const char *path, json_object *value)
{
    json_object_object_foreach (value, key, child) {
        g_autofree char *name = g_strconcat(path, *path ? "." : "", key, NULL);

        write_value(out, name, child);
    }
}

static void write_elements(GString *out, const char *path, json_object *value)
{
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        g_autofree char *name = g_strdup_printf("%s.%zu", path, i);

        write_value(out, name, json_object_array_get_idx(value, i));
    }
}

static void write_value(GString *out, const char *path, json_object *value)
{
    if (json_object_is_type(value, json_type_object)) {
        write_members(out, path, value);
    } else if (json_object_is_type(value, json_type_array)) {
        write_elements(out, path, value);
    } else {
        g_string_append_printf(out, "%s=", path);
        for (const char *p = json_object_get_string(value); *p; p++) {
            g_string_append_len(out, ",,", *p == ',' ? 2 : 0);
            g_string_append_len(out, p, *p != ',');
        }
        g_string_append_c(out, ',');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GString) warnings = g_string_new(NULL), again = g_string_new(NULL);
    KeyvalSyntax syntax = { size && data[0] % 2 ? "type" : NULL, warnings };
    g_autofree char *why = NULL;
    g_autoptr(JsonObject) value = keyval_parse(text, &syntax, &why);
    g_autoptr(JsonObject) second = NULL;

    assert(!value == (why != NULL));
    if (value) {
        write_value(again, "", value);
        second = keyval_parse(again->str, &(KeyvalSyntax){ NULL }, &why);
        assert(second && json_object_equal(value, second));
    }
    return 0;
}
