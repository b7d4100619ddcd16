/*
 * The machine from its options: see cli/machine_options.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/machine_options.h"
#include "hw/core/block_conf.h"
#include "hw/core/cpu.h"
#include "hw/core/machine.h"
#include "hw/core/numa.h"
#include "system/accel.h"
#include "system/memory_backend.h"

static const Type *choose_type(OptionSet *set)
{
    const char *name = option_key(set, "machine", "type");
    const Type *type = name ? machine_type_find(name) : machine_type_default();

    if (name && !type) {
        error_report("unsupported machine type '%s'", name);
        fprintf(stderr, "Use -machine help to list supported machines\n");
    } else if (!type) {
        error_report("No machine specified, and there is no default");
        fprintf(stderr, "Use -machine help to list supported machines\n");
    }
    return type;
}

static char *property_name(const char *key)
{
    return g_strdelimit(g_strdup(key), "_", '-');
}

/* Links and drives name what is made between the machine and its board: they wait till then. */
static bool is_link(Machine *machine, const char *name)
{
    const Property *prop = object_find_property(machine, name);

    return prop && (prop->kind == &property_link || prop->kind == &property_drive);
}

static bool set_properties(OptionSet *set, Machine *machine, bool are_links)
{
    json_object *keys = option_keys(set, "machine");
    Error *err = NULL;

    if (!keys) {
        return true;
    }
    json_object_object_foreach (keys, key, value) {
        g_autofree char *name = property_name(key);

        if (!strcmp(key, "type") || !strcmp(key, "accel") ||
            is_link(machine, name) != are_links) {
            continue;
        }
        if (!object_set(machine, name, value, PROPERTY_TEXT, &err)) {
            error_report_err(err);
            return false;
        }
    }
    return true;
}

/* --- accelerators: the first that works --- */

static bool start_accel(const char *name, json_object *keys, Error **errp)
{
    const Type *type = accel_find(name);
    g_autoptr(Object) accel = NULL;

    if (!type) {
        return error_set(errp, "invalid accelerator %s", name);
    }
    accel = object_new_of(type);
    if (keys) {
        json_object_object_foreach (keys, key, value) {
            g_autofree char *prop = property_name(key);

            if (strcmp(key, "accel") && !object_set(accel, prop, value, PROPERTY_TEXT, errp)) {
                return false;
            }
        }
    }
    return accel_start(ACCEL(accel), &machine_current()->parent, errp);
}

static bool try_accel(const char *name, json_object *keys, bool had_failure)
{
    Error *err = NULL;

    if (start_accel(name, keys, &err)) {
        if (had_failure) {
            error_set_location(NULL, NULL);
            error_report("falling back to %s", name);
        }
        return true;
    }
    error_report_err(err);
    return false;
}

static bool try_accel_list(const char *list)
{
    g_auto(GStrv) names = g_strsplit(list, ":", -1);
    bool had_failure = false;

    for (char **name = names; *name; name++) {
        if (**name && try_accel(*name, NULL, had_failure)) {
            return true;
        }
        had_failure = true;
    }
    return false;
}

typedef struct AccelTry {
    bool is_started, had_failure;
} AccelTry;

static bool try_accel_option(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    AccelTry *state = opaque;
    json_object *name = json_member(value->keys, "accel");

    if (state->is_started) {
        return true;
    }
    if (!name) {
        return error_set(errp, "Parameter 'accel' is missing");
    }
    state->is_started =
        try_accel(json_object_get_string(name), value->keys, state->had_failure);
    state->had_failure = true;
    return true;
}

static bool choose_accel(OptionSet *set)
{
    const char *list = option_key(set, "machine", "accel");
    AccelTry state = { 0 };

    if (list && option_given(set, "accel")) {
        error_report("The -accel and \"-machine accel=\" options are incompatible");
        return false;
    }
    if (option_given(set, "accel")) {
        return option_each(set, "accel", try_accel_option, &state) && state.is_started;
    }
    if (list) {
        return try_accel_list(list);
    }
    return try_accel(option_given(set, "qtest") ? "qtest" : "tcg", NULL, false);
}

/* -icount. */
static bool count_time(OptionSet *set)
{
    const char *shift = option_key(set, "icount", "shift");
    AccelCounting how = { .shift = ACCEL_SHIFT_AUTO,
                          .aligns = option_key_bool(set, "icount", "align", false),
                          .sleeps = option_key_bool(set, "icount", "sleep", true) };
    Error *err = NULL;
    guint64 value;

    if (!option_given(set, "icount")) {
        return true;
    }
    if (shift && strcmp(shift, "auto")) {
        if (!g_ascii_string_to_unsigned(shift, 10, 0, ACCEL_SHIFT_MOST, &value, NULL)) {
            error_report("icount: Invalid shift value");
            return false;
        }
        how.shift = value;
    }
    if (!accel_ops()->count_time) {
        error_report("-icount is not available with %s", accel_ops()->title);
        return false;
    }
    if (!accel_ops()->count_time(accel_current(), &how, &err)) {
        error_report_err(err);
        return false;
    }
    return true;
}

bool machine_options_create(OptionSet *set)
{
    const Type *type = choose_type(set);

    return type && set_properties(set, machine_create(type), false) && choose_accel(set) &&
           count_time(set);
}

/* --- before it is built --- */

static bool set_merged(OptionSet *set, const char *option, const char *property)
{
    json_object *keys = option_keys(set, option);
    Error *err = NULL;

    if (keys && !object_set(machine_current(), property, keys, PROPERTY_TEXT, &err)) {
        error_report_err(err);
        return false;
    }
    return true;
}

/* A number without a suffix is MiB here. */
static json_object *mib_size(json_object *value)
{
    const char *text = json_object_get_string(value);
    g_autofree char *with_unit = g_strconcat(text, "M", NULL);
    bool is_bare = *text && text[strspn(text, "0123456789.")] == '\0';

    return json_string(is_bare ? with_unit : text);
}

static bool set_memory(OptionSet *set)
{
    json_object *keys = option_keys(set, "m"), *size, *max, *slots;
    g_autoptr(JsonObject) config = json_object_new_object();
    Error *err = NULL;

    if (!keys) {
        return true;
    }
    size = json_member(keys, "size");
    max = json_member(keys, "maxmem");
    slots = json_member(keys, "slots");
    if (size) {
        json_set(config, "size", mib_size(size));
    }
    if (max) {
        json_set(config, "max-size", json_ref(max));
    }
    if (slots) {
        json_set(config, "slots", json_ref(slots));
    }
    error_set_location("m", size ? json_object_get_string(size) : "...");
    if (!object_set(machine_current(), "memory", config, PROPERTY_TEXT, &err)) {
        error_report_err(err);
        return false;
    }
    error_set_location(NULL, NULL);
    return true;
}

/* A back end given without -m says how much memory there is. */
static void take_backend_size(OptionSet *set)
{
    Machine *machine = machine_current();

    if (machine->memory_backend && !option_key(set, "m", "size")) {
        machine->memory.size_bytes = MEMORY_BACKEND(machine->memory_backend)->size_bytes;
        machine->memory.max_bytes = MAX(machine->memory.max_bytes, machine->memory.size_bytes);
    }
}

static bool add_numa(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    return numa_add_option(machine_current(), value->keys,
                           value->is_json ? PROPERTY_TYPED : PROPERTY_TEXT, errp);
}

static bool add_global(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    static const char *const names[] = { "driver", "property", "value" };
    const char *texts[3];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        json_object *member = json_member(value->keys, names[i]);

        if (!member) {
            return error_set(errp, "Parameter '%s' is missing", names[i]);
        }
        texts[i] = json_object_get_string(member);
    }
    device_add_global(texts[0], texts[1], texts[2], true);
    return true;
}

static bool set_cpu(OptionSet *set)
{
    const char *text = option_text(set, "cpu-model");
    Error *err = NULL;

    if (!text) {
        return true;
    }
    machine_current()->cpu_type = cpu_parse_option(text, &err);
    if (err) {
        error_report_err(err);
        return false;
    }
    return true;
}

bool machine_options_apply(OptionSet *set)
{
    return set_properties(set, machine_current(), true) &&
           option_each(set, "global-keys", add_global, NULL) &&
           set_merged(set, "smp", "smp") && set_memory(set) && set_merged(set, "boot", "boot") &&
           set_cpu(set) && option_each(set, "numa-keys", add_numa, NULL);
}

bool machine_options_build(OptionSet *set)
{
    Error *err = NULL;

    take_backend_size(set);
    machine_current()->mem_path = option_text(set, "mem-path");
    machine_current()->is_ram_preallocated = option_given(set, "mem-prealloc");
    if (!machine_initialize(machine_current(), &err)) {
        error_report_err(err);
        return false;
    }
    return true;
}
