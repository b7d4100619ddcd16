/*
 * How reading JSON into QAPI values fails: paths (a.b[0].c; in the text form a.b.0.c) and the
 * messages that clients know.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "reader.h"

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

bool reader_fail_type(const Reader *r, const Path *path, const char *expected)
{
    g_autofree char *name = path_text(r, path);

    return error_set(r->errp, "Invalid parameter type for '%s', expected: %s", name, expected);
}

bool reader_fail_expects(const Reader *r, const Path *path, const char *expected)
{
    g_autofree char *name = short_name(r, path);

    return error_set(r->errp, "Parameter '%s' expects %s", name, expected);
}

bool reader_fail_unexpected(const Reader *r, const Path *path, json_object *value)
{
    g_autofree char *name = path_text(r, path);
    bool is_nested =
        json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array);

    if (r->form == QAPI_TEXT && is_nested) {
        return error_set(r->errp, "Parameters '%s.*' are unexpected", name);
    }
    return error_set(r->errp, "Parameter '%s' is unexpected", name);
}

bool reader_fail_missing(const Reader *r, const Path *path)
{
    g_autofree char *name = path_text(r, path);

    return error_set(r->errp, "Parameter '%s' is missing", name);
}

bool reader_fail_value(const Reader *r, const Path *path, const char *value)
{
    g_autofree char *name = short_name(r, path);

    return error_set(r->errp, "Parameter '%s' does not accept value '%s'", name, value);
}
