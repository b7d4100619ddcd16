/*
 * Collecting options: see cli/option.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"
#include "system/target.h"
#include "util/keyval.h"

static const OptionFamily *const families[] = {
    &options_standard, &options_block, &options_network, &options_display, &options_machine,
    &options_character, &options_host, &options_debug,
};

static void value_free(void *opaque)
{
    OptionValue *value = opaque;

    g_free(value->text);
    json_unref(value->keys);
    g_free(value);
}

static void array_free(void *array)
{
    g_ptr_array_unref(array);
}

OptionSet *option_set_new(void)
{
    OptionSet *set = g_new0(OptionSet, 1);

    set->values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, array_free);
    set->order = g_ptr_array_new_with_free_func(value_free);
    return set;
}

void option_set_free(OptionSet *set)
{
    g_hash_table_destroy(set->values);
    g_ptr_array_unref(set->order);
    g_free(set);
}

static bool is_for_target(const OptionDef *def)
{
    return !def->targets || strstr(def->targets, target_info()->name);
}

const OptionDef *option_find(const char *name)
{
    for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
        for (size_t i = 0; i < families[f]->count; i++) {
            const OptionDef *def = &families[f]->defs[i];

            if (!strcmp(def->name, name) && is_for_target(def)) {
                return def;
            }
        }
    }
    return NULL;
}

const OptionDef *option_find_group(const char *group)
{
    for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
        for (size_t i = 0; i < families[f]->count; i++) {
            const OptionDef *def = &families[f]->defs[i];

            if (def->group && !strcmp(def->group, group) && is_for_target(def)) {
                return def;
            }
        }
    }
    return NULL;
}

static GPtrArray *values_of(const OptionSet *set, const char *name)
{
    return g_hash_table_lookup(set->values, name);
}

static OptionValue *keep(OptionSet *set, const OptionDef *def)
{
    GPtrArray *values = values_of(set, def->name);
    OptionValue *value;

    if (!values) {
        values = g_ptr_array_new();
        g_hash_table_insert(set->values, (char *)def->name, values);
    }
    if (def->style == OPTION_MERGED && values->len) {
        return values->pdata[0];
    }
    value = g_new0(OptionValue, 1);
    value->def = def;
    g_ptr_array_add(values, value);
    g_ptr_array_add(set->order, value);
    return value;
}

static bool check_params(const OptionDef *def, json_object *keys, Error **errp)
{
    json_object_object_foreach (keys, key, unused) {
        const OptionParam *param = def->params;

        (void)unused;
        while (param && param->name && strcmp(param->name, key)) {
            param++;
        }
        if (param && !param->name) {
            return error_set(errp, "Invalid parameter '%s'", key);
        }
    }
    return true;
}

static void merge(json_object *into, json_object *from)
{
    json_object_object_foreach (from, key, member) {
        json_object *old = json_member(into, key);

        if (json_object_is_type(old, json_type_object) &&
            json_object_is_type(member, json_type_object)) {
            merge(old, member);
        } else {
            json_set(into, key, json_ref(member));
        }
    }
}

bool option_set_add_keys(OptionSet *set, const OptionDef *def, json_object *keys, const char *arg,
                         Error **errp)
{
    OptionValue *value;

    if (!check_params(def, keys, errp)) {
        json_unref(keys);
        return false;
    }
    value = keep(set, def);
    if (value->keys) {
        merge(value->keys, keys);
        json_unref(keys);
    } else {
        value->keys = keys;
        value->text = g_strdup(arg);
    }
    return true;
}

static bool parse_json(const char *arg, json_object **keys, Error **errp)
{
    g_autofree char *why = NULL;

    if (!json_parse(arg, strlen(arg), keys, &why)) {
        return error_set(errp, "JSON parse error, %s", why);
    }
    if (!json_object_is_type(*keys, json_type_object)) {
        json_unref(*keys);
        return error_set(errp, "Expecting a JSON object");
    }
    return true;
}

static bool put_flat(void *opaque, const char *key, const char *value, char **why)
{
    json_set(opaque, key, json_string(value));
    return true;
}

static json_object *parse_flat(const char *arg, const KeyvalSyntax *syntax, char **why)
{
    json_object *keys = json_object_new_object();

    if (!keyval_foreach(arg, syntax, put_flat, keys, why)) {
        json_unref(keys);
        return NULL;
    }
    return keys;
}

static json_object *parse_keys(const OptionDef *def, const char *arg, Error **errp)
{
    g_autoptr(GString) warnings = g_string_new(NULL);
    KeyvalSyntax syntax = { def->implied_key, warnings };
    g_autofree char *why = NULL;
    json_object *keys = def->is_flat ? parse_flat(arg, &syntax, &why) :
                                       keyval_parse(arg, &syntax, &why);
    g_auto(GStrv) lines = g_strsplit(warnings->str, "\n", -1);

    for (char **line = lines; *line; line++) {
        if (**line) {
            warn_report("%s", *line);
        }
    }
    if (!keys) {
        error_set(errp, "%s", why);
    }
    return keys;
}

static bool add_keys(OptionSet *set, const OptionDef *def, const char *arg, Error **errp)
{
    bool is_json = def->takes_json && *arg == '{';
    json_object *keys;

    if (is_json) {
        if (!parse_json(arg, &keys, errp)) {
            return false;
        }
    } else {
        keys = parse_keys(def, arg, errp);
        if (!keys) {
            return false;
        }
    }
    if (!option_set_add_keys(set, def, keys, arg, errp)) {
        return false;
    }
    if (is_json) {
        ((OptionValue *)set->order->pdata[set->order->len - 1])->is_json = true;
    }
    return true;
}

bool option_set_add(OptionSet *set, const char *name, const char *arg, Error **errp)
{
    const OptionDef *def = option_find(name);

    assert(def);
    if (def->apply) {
        return def->apply(set, arg, errp);
    }
    if (def->style == OPTION_KEYS || def->style == OPTION_MERGED) {
        return add_keys(set, def, arg, errp);
    }
    keep(set, def)->text = g_strdup(arg);
    return true;
}

static bool parse_one(OptionSet *set, char **argv, int *at, Error **errp)
{
    const char *word = argv[*at], *arg = NULL;
    const OptionDef *def;

    if (*word != '-' || !word[1]) {
        return option_set_add(set, "hda", word, errp);
    }
    word += word[1] == '-' ? 2 : 1;
    error_set_location(argv[*at] + 1, NULL);
    def = option_find(word);
    if (!def) {
        return error_set(errp, "invalid option");
    }
    error_set_location(word, NULL);
    if (def->style != OPTION_FLAG) {
        arg = argv[++*at];
        if (!arg) {
            return error_set(errp, "requires an argument");
        }
        error_set_location(word, arg);
    }
    return option_set_add(set, word, arg, errp);
}

bool option_set_parse(OptionSet *set, int argc, char **argv, Error **errp)
{
    for (int at = 1; at < argc; at++) {
        if (!parse_one(set, argv, &at, errp)) {
            return false;
        }
    }
    error_set_location(NULL, NULL);
    return true;
}

bool option_given(const OptionSet *set, const char *name)
{
    return values_of(set, name);
}

const char *option_text(const OptionSet *set, const char *name)
{
    GPtrArray *values = values_of(set, name);

    return values ? ((OptionValue *)values->pdata[values->len - 1])->text : NULL;
}

json_object *option_keys(const OptionSet *set, const char *name)
{
    GPtrArray *values = values_of(set, name);

    return values ? ((OptionValue *)values->pdata[values->len - 1])->keys : NULL;
}

const char *option_key(const OptionSet *set, const char *name, const char *key)
{
    json_object *keys = option_keys(set, name);
    json_object *value = keys ? json_member(keys, key) : NULL;

    return value ? json_object_get_string(value) : NULL;
}

bool option_key_bool(const OptionSet *set, const char *name, const char *key, bool initial)
{
    const char *text = option_key(set, name, key);

    return text ? !strcmp(text, "on") || !strcmp(text, "yes") || !strcmp(text, "true") ||
                      !strcmp(text, "y") : initial;
}

bool option_each(OptionSet *set, const char *name, OptionEach *fn, void *opaque)
{
    GPtrArray *values = values_of(set, name);

    for (guint i = 0; values && i < values->len; i++) {
        OptionValue *value = values->pdata[i];
        Error *err = NULL;

        error_set_location(value->def->reported_as ? value->def->reported_as : value->def->name,
                           value->text);
        if (!fn(set, value, opaque, &err)) {
            error_report_err(err);
            return false;
        }
        error_set_location(NULL, NULL);
    }
    return true;
}

static OptionValue *find_by_id(OptionSet *set, const OptionDef *def, const char *id)
{
    GPtrArray *values = values_of(set, def->name);

    for (guint i = 0; values && i < values->len; i++) {
        OptionValue *value = values->pdata[i];
        json_object *own = json_member(value->keys, "id");

        if (own && !strcmp(json_object_get_string(own), id)) {
            return value;
        }
    }
    return NULL;
}

bool option_set_key(OptionSet *set, const char *spec, Error **errp)
{
    const char *equals = strchr(spec, '=');
    g_autofree char *left = equals ? g_strndup(spec, equals - spec) : NULL;
    g_auto(GStrv) parts = left ? g_strsplit(left, ".", 3) : NULL;
    const OptionDef *def;
    OptionValue *value;

    if (!parts || g_strv_length(parts) != 3) {
        return error_set(errp, "cannot parse: \"%s\"", spec);
    }
    def = option_find_group(parts[0]);
    if (!def || def->style != OPTION_KEYS) {
        return error_set(errp, "There is no option group '%s'", parts[0]);
    }
    value = find_by_id(set, def, parts[1]);
    if (!value) {
        return error_set(errp, "There is no %s \"%s\" defined", parts[0], parts[1]);
    }
    json_set(value->keys, parts[2], json_string(equals + 1));
    return check_params(def, value->keys, errp);
}

static void print_family(const OptionFamily *family)
{
    printf("\n%s:\n", family->heading);
    for (size_t i = 0; i < family->count; i++) {
        const OptionDef *def = &family->defs[i];
        g_autofree char *head = g_strdup_printf("-%s%s%s", def->name, def->syntax ? " " : "",
                                                def->syntax ? def->syntax : "");
        g_auto(GStrv) lines = g_strsplit(def->help ? def->help : "", "\n", -1);

        if (def->is_hidden || !is_for_target(def)) {
            continue;
        }
        if (strlen(head) < 16) {
            printf("%-15s %s\n", head, lines[0] ? lines[0] : "");
        } else {
            printf("%s\n                %s\n", head, lines[0] ? lines[0] : "");
        }
        for (char **line = lines[0] ? lines + 1 : lines; *line; line++) {
            printf("                %s\n", *line);
        }
    }
}

void option_print_help(void)
{
    printf("usage: %s [options]\n", error_program());
    for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
        print_family(families[f]);
    }
}

void option_register_groups(void)
{
    for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
        for (size_t i = 0; i < families[f]->count; i++) {
            const OptionDef *def = &families[f]->defs[i];

            if (def->group && is_for_target(def)) {
                option_group_register(def->group, def->params ? def->params : def->shown);
            }
        }
    }
}

void option_exit_with(GString *text)
{
    fputs(text->str, stdout);
    exit(0);
}
