/*
 * -readconfig: an INI file of option groups. [group] or [group "id"], key = "value", # comments.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"
#include "util/keyval.h"

typedef struct Reader {
    OptionSet *set;
    const char *path;
    unsigned line;
    const OptionDef *def; /* of the open section */
    json_object *keys;
} Reader;

static bool bad(Reader *r, Error **errp, const char *what)
{
    return error_set(errp, "%s:%u: %s", r->path, r->line, what);
}

static bool close_section(Reader *r, Error **errp)
{
    g_autoptr(JsonObject) tree = g_steal_pointer(&r->keys);
    g_autofree char *why = NULL;
    json_object *keys;

    if (!r->def) {
        return true;
    }
    keys = r->def->is_flat ? json_ref(tree) : keyval_finish(tree, &why);
    if (!keys) {
        return bad(r, errp, why);
    }
    if (!option_set_add_keys(r->set, r->def, keys, NULL, errp)) {
        error_prefix(errp, "%s:%u: ", r->path, r->line);
        return false;
    }
    return true;
}

static bool open_section(Reader *r, char *line, Error **errp)
{
    char *end = strchr(line, ']'), *quote = strchr(line, '"');
    g_autofree char *group = NULL, *id = NULL;

    if (!close_section(r, errp)) {
        return false;
    }
    if (!end) {
        return bad(r, errp, "section without ']'");
    }
    if (quote && quote < end) {
        char *close = strchr(quote + 1, '"');

        if (!close || close > end) {
            return bad(r, errp, "id without closing quote");
        }
        id = g_strndup(quote + 1, close - quote - 1);
        end = quote;
    }
    group = g_strstrip(g_strndup(line + 1, end - line - 1));
    r->def = option_find_group(group);
    if (!r->def || (r->def->style != OPTION_KEYS && r->def->style != OPTION_MERGED)) {
        r->def = NULL;
        return error_set(errp, "%s:%u: there is no option group '%s'", r->path, r->line, group);
    }
    r->keys = json_object_new_object();
    if (id) {
        json_set(r->keys, "id", json_string(id));
    }
    return true;
}

static bool read_pair(Reader *r, char *line, Error **errp)
{
    char *equals = strchr(line, '='), *value, *end;
    g_autofree char *key = NULL, *why = NULL;

    if (!equals) {
        return bad(r, errp, "parse error");
    }
    if (!r->def) {
        return bad(r, errp, "no group defined");
    }
    key = g_strstrip(g_strndup(line, equals - line));
    value = g_strstrip(equals + 1);
    end = *value == '"' ? strrchr(value, '"') : NULL;
    if (end == value || !*key) {
        return bad(r, errp, "parse error");
    }
    if (end) {
        *end = '\0';
        value++;
    }
    if (r->def->is_flat) {
        json_set(r->keys, key, json_string(value));
        return true;
    }
    if (!keyval_put(r->keys, key, value, &why)) {
        return bad(r, errp, why);
    }
    return true;
}

bool option_read_config_text(OptionSet *set, const char *path, char *text, Error **errp)
{
    Reader r = { set, path };
    char *line;
    bool is_ok = true;

    while (is_ok && (line = strsep(&text, "\n"))) {
        char *stripped = g_strstrip(line);

        r.line++;
        if (!*stripped || *stripped == '#') {
            continue;
        }
        is_ok = *stripped == '[' ? open_section(&r, stripped, errp) :
                                   read_pair(&r, stripped, errp);
    }
    is_ok = is_ok && close_section(&r, errp);
    json_unref(r.keys);
    return is_ok;
}

bool option_read_config(OptionSet *set, const char *path, Error **errp)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) failure = NULL;

    if (!g_file_get_contents(path, &text, NULL, &failure)) {
        return error_set(errp, "Could not open '%s': %s", path,
                         failure->code == G_FILE_ERROR_NOENT ? "No such file or directory" :
                                                               failure->message);
    }
    return option_read_config_text(set, path, text, errp);
}
