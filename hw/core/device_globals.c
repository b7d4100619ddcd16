/*
 * Values given for all devices of a type: -global, and what a versioned machine keeps as it was.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/device_parts.h"

typedef struct Global {
    char *type, *prop, *value;
    bool is_user;
    bool is_used;
} Global;

/* In the order given: later ones win. Filled during start-up. */
static GPtrArray *globals;

void device_add_global(const char *type, const char *prop, const char *value, bool is_user)
{
    Global *global = g_new0(Global, 1);

    if (!globals) {
        globals = g_ptr_array_new();
    }
    *global = (Global){ g_strdup(type), g_strdup(prop), g_strdup(value), is_user };
    g_ptr_array_add(globals, global);
}

/* A value that does not fit keeps the device from being realized. */
void device_apply_globals(Device *dev)
{
    for (guint i = 0; globals && i < globals->len; i++) {
        Global *global = globals->pdata[i];
        Error **errp = dev->global_error ? NULL : &dev->global_error;

        if (!object_is_a(dev, global->type)) {
            continue;
        }
        global->is_used = true;
        if (!global->is_user && !object_find_property(dev, global->prop)) {
            continue;
        }
        if (!object_set_text(dev, global->prop, global->value, errp)) {
            error_prefix(errp, "can't apply global %s.%s=%s: ", global->type, global->prop,
                         global->value);
        }
    }
}

void device_warn_unused_globals(void)
{
    for (guint i = 0; globals && i < globals->len; i++) {
        Global *global = globals->pdata[i];
        const Type *type = type_find(type_resolve_alias(global->type));

        if (!global->is_user || global->is_used) {
            continue;
        }
        if (!type) {
            warn_report("global %s.%s has invalid class name", global->type, global->prop);
        } else {
            warn_report("global %s.%s=%s not used", global->type, global->prop, global->value);
        }
    }
}
