/*
 * See qom/trace_option.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qom/trace_option.h"

#include "util/trace.h"

static const char *text_of(json_object *keys, const char *name)
{
    return json_object_get_string(json_member(keys, name));
}

bool trace_apply_option(json_object *keys, Error **errp)
{
    TraceOption option = { text_of(keys, "enable"), text_of(keys, "events"), text_of(keys, "file") };
    g_autoptr(GString) warnings = g_string_new(NULL);
    g_autofree char *why = NULL;

    if (!trace_parse_option(&option, warnings, &why)) {
        return error_set(errp, "%s", why);
    }
    if (warnings->len) {
        g_string_truncate(warnings, warnings->len - 1);
        warn_report("%s", warnings->str);
    }
    return true;
}
