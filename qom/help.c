/*
 * Help on a type's properties, from their declarations.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qom/object.h"

static void collect_help(void *opaque, const Type *owner, const Property *prop)
{
    if (!prop->is_read_only && (prop->kind != &property_computed || prop->set)) {
        g_ptr_array_add(opaque, (void *)prop);
    }
}

static gint compare_props(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const Property *const *)a)->name, (*(const Property *const *)b)->name);
}

void type_print_properties(GString *out, const Type *type)
{
    g_autoptr(GPtrArray) props = g_ptr_array_new();

    type_each_property(type, collect_help, props);
    g_ptr_array_sort(props, compare_props);
    for (guint i = 0; i < props->len; i++) {
        const Property *prop = props->pdata[i];
        g_autofree char *kind = property_type_name(prop);
        g_autofree char *head = g_strdup_printf("  %s=<%s>", prop->name, kind);
        json_object *initial = property_default(prop);

        g_string_append(out, head);
        if (prop->doc || initial) {
            g_string_append_printf(out, "%*s - %s", (int)MAX(0, 24 - (int)strlen(head)), "",
                                   prop->doc ? prop->doc : "");
        }
        if (initial) {
            g_string_append_printf(
                out, " (default: %s)",
                json_object_to_json_string_ext(initial, JSON_C_TO_STRING_NOSLASHESCAPE));
            json_unref(initial);
        }
        g_string_append_c(out, '\n');
    }
}
