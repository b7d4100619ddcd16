/*
 * HMP commands that make, change and show objects.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"
#include "chardev/chardev.h"
#include "qom/user_creatable.h"
#include "util/keyval.h"

json_object *hmp_parse_options(Hmp *hmp, json_object *args, const char *implied_key)
{
    g_autofree char *why = NULL;
    g_autoptr(GString) warnings = g_string_new(NULL);
    KeyvalSyntax syntax = { .implied_key = implied_key, .warnings = warnings };
    json_object *options = keyval_parse(hmp_text(args, "options"), &syntax, &why);

    g_string_append(hmp->out, warnings->str);
    if (!options) {
        hmp_printf(hmp, "Error: %s\n", why);
    }
    return options;
}

/* `name` "": the types there are. */
static void print_object_help(Hmp *hmp, const char *name)
{
    g_autoptr(GPtrArray) types = type_list(TYPE_USER_CREATABLE, false);

    if (!*name) {
        hmp_printf(hmp, "List of user creatable objects:\n");
    }
    for (guint i = 0; i < types->len; i++) {
        const Type *type = g_ptr_array_index(types, i);

        if (!*name) {
            hmp_printf(hmp, "  %s\n", type_name(type));
        } else if (!strcmp(type_name(type), name)) {
            hmp_printf(hmp, "%s options:\n", name);
            type_print_properties(hmp->out, type);
            return;
        }
    }
    if (*name) {
        hmp_printf(hmp, "Error: Parameter 'qom-type' does not accept value '%s'\n", name);
    }
}

void hmp_object_add(Hmp *hmp, json_object *args)
{
    g_autoptr(JsonObject) options = hmp_parse_options(hmp, args, "qom-type");
    Error *err = NULL;

    if (!options) {
        return;
    }
    if (hmp_has(options, "help")) {
        print_object_help(hmp, hmp_text(options, "qom-type"));
    } else if (!user_creatable_add(options, PROPERTY_TEXT, &err)) {
        hmp_report(hmp, err);
    }
}

void hmp_chardev_add(Hmp *hmp, json_object *args)
{
    g_autoptr(JsonObject) options = hmp_parse_options(hmp, args, "backend");
    Error *err = NULL;

    if (options && !chardev_add_from_options(options, &err)) {
        hmp_report(hmp, err);
    }
}

void hmp_chardev_change(Hmp *hmp, json_object *args)
{
    g_autoptr(JsonObject) options = hmp_parse_options(hmp, args, "backend");
    Error *err = NULL;

    if (options && !chardev_change_from_options(hmp_text(args, "id"), options, &err)) {
        hmp_report(hmp, err);
    }
}

void hmp_qom_set(Hmp *hmp, json_object *args)
{
    const char *text = hmp_text(args, "value");
    g_autoptr(JsonObject) value = NULL;
    g_autofree char *why = NULL;
    bool is_ambiguous;
    Object *obj;
    Error *err = NULL;

    if (hmp_bool(args, "json")) {
        if (!json_parse(text, strlen(text), &value, &why)) {
            hmp_printf(hmp, "Error: JSON parse error, %s\n", why);
            return;
        }
        json_set(args, "value", json_ref(value));
        json_object_object_del(args, "json");
        hmp_call(hmp, "qom-set", args, NULL);
        return;
    }
    obj = object_resolve(hmp_text(args, "path"), NULL, &is_ambiguous);
    value = json_string(text);
    if (!obj) {
        hmp_printf(hmp, is_ambiguous ? "Error: Path '%s' is ambiguous\n"
                                     : "Error: Device '%s' not found\n", hmp_text(args, "path"));
    } else if (!object_set(obj, hmp_text(args, "property"), value, PROPERTY_TEXT, &err)) {
        hmp_report(hmp, err);
    }
}

void show_json(Hmp *hmp, json_object *value)
{
    json_append(hmp->out, value, true);
    g_string_append_c(hmp->out, '\n');
}

void show_qom_list(Hmp *hmp, json_object *value)
{
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        json_object *info = json_object_array_get_idx(value, i);

        hmp_printf(hmp, "%s (%s)\n", hmp_text(info, "name"), hmp_text(info, "type"));
    }
}

/* --- info qom-tree --- */

static void collect_child(void *opaque, Object *child)
{
    g_ptr_array_add(opaque, child);
}

static gint compare_children(gconstpointer a, gconstpointer b)
{
    return strcmp((*(Object *const *)a)->name, (*(Object *const *)b)->name);
}

static void print_tree(Hmp *hmp, Object *obj, unsigned depth)
{
    g_autoptr(GPtrArray) children = g_ptr_array_new();

    hmp_printf(hmp, "%*s/%s (%s)\n", depth * 2, "", obj->name ? obj->name : "",
               object_type_name(obj));
    object_each_child(obj, collect_child, children);
    g_ptr_array_sort(children, compare_children);
    for (guint i = 0; i < children->len; i++) {
        print_tree(hmp, g_ptr_array_index(children, i), depth + 1);
    }
}

void hmp_qom_tree(Hmp *hmp, json_object *args)
{
    const char *path = hmp_has(args, "path") ? hmp_text(args, "path") : "/machine";
    bool is_ambiguous;
    Object *obj = object_resolve(path, NULL, &is_ambiguous);

    if (obj) {
        print_tree(hmp, obj, 0);
    } else {
        hmp_printf(hmp, is_ambiguous ? "Error: Path '%s' is ambiguous.\n"
                                     : "Error: Path '%s' could not be resolved.\n", path);
    }
}

/* --- completion --- */

static void offer_child(void *opaque, Object *child)
{
    hmp_offer(opaque, child->name);
}

static void offer_children(HmpWords *words, const char *path)
{
    Object *obj = object_resolve(path, TYPE_CONTAINER, NULL);

    if (obj) {
        object_each_child(obj, offer_child, words);
    }
}

void complete_object(HmpWords *words)
{
    offer_children(words, "/objects");
}

void complete_chardev(HmpWords *words)
{
    offer_children(words, "/chardevs");
}

void complete_device(HmpWords *words)
{
    offer_children(words, "/machine/peripheral");
}

static void offer_types(HmpWords *words, const char *base)
{
    g_autoptr(GPtrArray) types = type_list(base, false);

    for (guint i = 0; i < types->len; i++) {
        hmp_offer(words, type_name(g_ptr_array_index(types, i)));
    }
}

void complete_object_type(HmpWords *words)
{
    offer_types(words, TYPE_USER_CREATABLE);
}

static void offer_path(void *opaque, Object *child)
{
    g_autofree char *path = object_path(child);

    hmp_offer(opaque, path);
}

void complete_path(HmpWords *words)
{
    const char *word = hmp_word(words), *slash = strrchr(word, '/');
    g_autofree char *parent = g_strndup(word, slash ? MAX(slash - word, 1) : 0);
    Object *obj = slash ? object_resolve(parent, NULL, NULL) : object_root();

    if (obj) {
        object_each_child(obj, offer_path, words);
    }
}

static void offer_property(void *opaque, const Property *prop)
{
    hmp_offer(opaque, prop->name);
}

void complete_property(HmpWords *words)
{
    const char *path = hmp_previous_word(words);
    Object *obj = path ? object_resolve(path, NULL, NULL) : NULL;

    if (obj) {
        object_each_property(obj, offer_property, words);
    }
}
