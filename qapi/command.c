/*
 * Lookup of QMP commands: see qapi/command.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/command.h"
#include "qapi/qapi-commands-control.h"

static const QmpCommand no_commands[] = { { .name = NULL } };
static const uint16_t no_slots[1];
static const QmpCommandTable no_table = { no_commands, 0, no_slots, 1 };
static const QmpCommandTable *table = &no_table;
static unsigned target_mask;

void qapi_set_target(const char *name)
{
    static const char *const names[] = { "x86_64", "aarch64", "ppc64" };

    target_mask = 0;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(name, names[i])) {
            target_mask = 1u << i;
        }
    }
    assert(target_mask);
}

unsigned qapi_target(void)
{
    return target_mask;
}

void qmp_commands_set(const QmpCommandTable *commands)
{
    table = commands;
}

/* FNV-1a, as in scripts/qapi/gen_commands.py. */
static uint32_t hash(const char *text)
{
    uint32_t value = 0x811c9dc5;

    for (; *text; text++) {
        value = (value ^ (unsigned char)*text) * 0x01000193;
    }
    return value;
}

static bool is_here(const QmpCommand *command)
{
    return command->targets & target_mask;
}

const QmpCommand *qmp_command_find(const char *name)
{
    size_t mask = table->slot_count - 1;

    for (size_t at = hash(name) & mask; table->slots[at]; at = (at + 1) & mask) {
        const QmpCommand *command = &table->commands[table->slots[at] - 1];

        if (!strcmp(command->name, name)) {
            return is_here(command) ? command : NULL;
        }
    }
    return NULL;
}

const QmpCommand *qmp_command_next(const QmpCommand *command)
{
    command = command ? command + 1 : table->commands;
    while (command->name && !is_here(command)) {
        command++;
    }
    return command->name ? command : NULL;
}

bool qmp_command_run(const QmpCommand *command, json_object *args, json_object **ret, Error **errp)
{
    g_autoptr(JsonObject) in = args ? json_ref(args) : json_object_new_object();

    if (!json_object_is_type(in, json_type_object)) {
        return error_set(errp, "Invalid parameter type for 'arguments', expected: object");
    }
    *ret = NULL;
    if (!command->run(in, ret, errp)) {
        return false;
    }
    if (!command->ret) {
        *ret = json_object_new_object();
    }
    return true;
}

bool qmp_no_arguments(json_object *args, Error **errp)
{
    json_object_object_foreach (args, key, value) {
        (void)value;
        return error_set(errp, "Parameter '%s' is unexpected", key);
    }
    return true;
}

bool qmp_return_str(char *text, json_object **ret)
{
    if (!text) {
        return false;
    }
    *ret = json_string(text);
    g_free(text);
    return true;
}

CommandInfoArray *qmp_query_commands(Error **errp)
{
    CommandInfoArray *result = g_new0(CommandInfoArray, 1);

    for (const QmpCommand *c = qmp_command_next(NULL); c; c = qmp_command_next(c)) {
        CommandInfo *info = g_new0(CommandInfo, 1);

        info->name = g_strdup(c->name);
        command_info_array_add(result, info);
    }
    return result;
}
