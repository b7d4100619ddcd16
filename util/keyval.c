/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/keyval.h"

#define INDEX_DIGITS 4

/* Takes a value up to its comma off `*text`, unescaping as it goes. */
static char *take_value(const char **text)
{
    GString *value = g_string_new(NULL);
    const char *at = *text;

    for (; *at && (*at != ',' || at[1] == ','); at++) {
        at += *at == ',';
        g_string_append_c(value, *at);
    }
    *text = at + (*at == ',');
    return g_string_free(value, FALSE);
}

/* An element without '=': sets *key and returns the value it stands for. */
static const char *bare_element(const char *element, GString *warnings, char **key)
{
    bool is_off = g_str_has_prefix(element, "no") && element[2];

    if (!strcmp(element, "help") || !strcmp(element, "?")) {
        *key = g_strdup("help");
        return "on";
    }
    *key = g_strdup(element + (is_off ? 2 : 0));
    if (warnings) {
        g_string_append_printf(warnings,
                               "short-form boolean option '%s' is deprecated, use %s=%s instead\n",
                               element, *key, is_off ? "off" : "on");
    }
    return is_off ? "off" : "on";
}

static bool is_member_name(const char *part, size_t size)
{
    if (!g_ascii_isalpha(*part) && *part != '_') {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!g_ascii_isalnum(part[i]) && part[i] != '_' && part[i] != '-') {
            return false;
        }
    }
    return true;
}

static bool is_index(const char *part, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!g_ascii_isdigit(part[i])) {
            return false;
        }
    }
    return size && size <= INDEX_DIGITS && (*part != '0' || size == 1);
}

static bool check_key(const char *key, char **why)
{
    const char *part = key;

    if (strlen(key) > KEYVAL_KEY_BYTES) {
        *why = g_strdup_printf("parameter '%.32s...' is longer than %d characters", key,
                               KEYVAL_KEY_BYTES);
        return false;
    }
    for (;;) {
        size_t size = strcspn(part, ".");

        if (!is_member_name(part, size) && (part == key || !is_index(part, size))) {
            *why = g_strdup_printf("invalid parameter '%s'", key);
            return false;
        }
        if (!part[size]) {
            return true;
        }
        part += size + 1;
    }
}

bool keyval_foreach(const char *text, const KeyvalSyntax *syntax, KeyvalVisit *visit, void *opaque,
                    char **why)
{
    const char *start = text;

    while (*text) {
        size_t size = strcspn(text, "=,");
        g_autofree char *key = NULL, *taken = NULL;
        const char *value;

        if (*text == ',') {
            text++;
            continue;
        }
        if (text[size] == '=') {
            key = g_strndup(text, size);
            text += size + 1;
            value = taken = take_value(&text);
        } else if (text == start && syntax->implied_key) {
            key = g_strdup(syntax->implied_key);
            value = taken = take_value(&text);
        } else {
            taken = take_value(&text);
            value = bare_element(taken, syntax->warnings, &key);
        }
        if (!check_key(key, why) || !visit(opaque, key, value, why)) {
            return false;
        }
    }
    return true;
}

bool keyval_put(json_object *tree, const char *key, const char *value, char **why)
{
    json_object *parent = tree, *old;
    const char *part = key;
    size_t size;

    if (!check_key(key, why)) {
        return false;
    }
    while (part[size = strcspn(part, ".")]) {
        g_autofree char *name = g_strndup(part, size);
        json_object *child = json_member(parent, name);

        part += size + 1;
        if (!child) {
            child = json_object_new_object();
            json_set(parent, name, child);
        } else if (!json_object_is_type(child, json_type_object)) {
            *why = g_strdup_printf("parameters '%.*s' and '%s' exclude each other",
                                   (int)(part - 1 - key), key, key);
            return false;
        }
        parent = child;
    }
    old = json_member(parent, part);
    if (json_object_is_type(old, json_type_object)) {
        *why = g_strdup_printf("parameters '%s' and '%s.*' exclude each other", key, key);
        return false;
    }
    json_set(parent, part, json_string(value));
    return true;
}

static bool put_element(void *opaque, const char *key, const char *value, char **why)
{
    return keyval_put(opaque, key, value, why);
}

bool keyval_add(json_object *tree, const char *text, const KeyvalSyntax *syntax, char **why)
{
    return keyval_foreach(text, syntax, put_element, tree, why);
}

static json_object *finish_value(json_object *value, const char *path, char **why);

static json_object *finish_object(json_object *tree, const char *path, char **why)
{
    g_autoptr(JsonObject) object = json_object_new_object();

    json_object_object_foreach (tree, key, child) {
        g_autofree char *name = g_strconcat(path, *path ? "." : "", key, NULL);
        json_object *value;

        if (g_ascii_isdigit(*key)) {
            *why = g_strdup_printf("parameter '%s' mixes list indices and members", path);
            return NULL;
        }
        value = finish_value(child, name, why);
        if (!value) {
            return NULL;
        }
        json_set(object, key, value);
    }
    return g_steal_pointer(&object);
}

/* Looking up 0 to count - 1 finds all members of another name by what is then missing. */
static json_object *finish_list(json_object *tree, const char *path, char **why)
{
    g_autoptr(JsonObject) list = json_object_new_array();
    int count = json_object_object_length(tree);

    json_object_object_foreach (tree, key, unused) {
        if (!g_ascii_isdigit(*key)) {
            *why = g_strdup_printf("parameter '%s' mixes list indices and members", path);
            return NULL;
        }
    }
    for (int i = 0; i < count; i++) {
        g_autofree char *key = g_strdup_printf("%d", i);
        g_autofree char *name = g_strconcat(path, ".", key, NULL);
        json_object *child = json_member(tree, key), *value;

        if (!child) {
            *why = g_strdup_printf("parameter '%s' is missing", name);
            return NULL;
        }
        value = finish_value(child, name, why);
        if (!value) {
            return NULL;
        }
        json_object_array_add(list, value);
    }
    return g_steal_pointer(&list);
}

/* A list if the first member is an index. `path` is empty at the root. */
static json_object *finish_value(json_object *value, const char *path, char **why)
{
    struct json_object_iterator first;

    if (json_object_is_type(value, json_type_string)) {
        return json_ref(value);
    }
    first = json_object_iter_begin(value);
    if (*path && g_ascii_isdigit(*json_object_iter_peek_name(&first))) {
        return finish_list(value, path, why);
    }
    return finish_object(value, path, why);
}

json_object *keyval_finish(json_object *tree, char **why)
{
    return finish_value(tree, "", why);
}

json_object *keyval_parse(const char *text, const KeyvalSyntax *syntax, char **why)
{
    g_autoptr(JsonObject) tree = json_object_new_object();

    if (!keyval_add(tree, text, syntax, why)) {
        return NULL;
    }
    return keyval_finish(tree, why);
}
