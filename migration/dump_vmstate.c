/*
 * -dump-vmstate: what every type of device saves, in the form that tools which compare versions
 * read: {"vmschkmachine": {"Name"}, TYPE: {"Name", "version_id", "minimum_version_id",
 * "Description"}}, types in order of name.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "hw/core/machine.h"
#include "migration/migration.h"
#include "system/vmstate_kind.h"

static json_object *describe_machine(void)
{
    Machine *machine = machine_current();
    g_autofree char *name = machine ? machine_type_short_name(machine->parent.type) :
                                      g_strdup("none");
    json_object *shown = json_object_new_object();

    json_set(shown, "Name", json_string(name));
    return shown;
}

static json_object *describe_type(const Type *type, const VMState *state)
{
    json_object *shown = json_object_new_object();
    int oldest = state->minimum_version ? state->minimum_version : state->version;

    json_set(shown, "Name", json_string(type_name(type)));
    json_set(shown, "version_id", json_object_new_int(state->version));
    json_set(shown, "minimum_version_id", json_object_new_int(oldest));
    json_set(shown, "Description", vmstate_describe(state, type_name(type)));
    return shown;
}

bool migration_dump_vmstate(const char *path, Error **errp)
{
    g_autoptr(JsonObject) all = json_object_new_object();
    g_autoptr(GPtrArray) types = type_list(TYPE_DEVICE, false);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) failure = NULL;

    json_set(all, "vmschkmachine", describe_machine());
    for (guint i = 0; i < types->len; i++) {
        const Type *type = types->pdata[i];
        const VMState *state = device_type_state(type);

        if (state) {
            json_set(all, type_name(type), describe_type(type, state));
        }
    }
    json_append(text, all, true);
    g_string_append_c(text, '\n');
    return g_file_set_contents_full(path, text->str, text->len, G_FILE_SET_CONTENTS_NONE, 0666,
                                    &failure) ||
           error_set(errp, "%s", failure->message);
}
