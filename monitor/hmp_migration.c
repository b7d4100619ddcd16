/*
 * HMP commands on migration, and what `info` prints of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"
#include "qapi/qapi-types-migration.h"

/* Waiting would hold the main loop, which the migration and other monitors need. */
void hmp_migrate(Hmp *hmp, json_object *args)
{
    bool is_detached = hmp_bool(args, "detach");

    json_object_object_del(args, "detach");
    if (hmp_call(hmp, "migrate", args, NULL) && !is_detached) {
        hmp_printf(hmp, "the monitor does not wait for a migration, which goes on detached: "
                   "see 'info migrate'\n");
    }
}

void hmp_migrate_set_capability(Hmp *hmp, json_object *args)
{
    json_object *list = json_object_new_array(), *status = json_object_new_object();
    g_autoptr(JsonObject) changes = json_object_new_object();

    json_set(status, "capability", json_ref(json_member(args, "capability")));
    json_set(status, "state", json_ref(json_member(args, "state")));
    json_object_array_add(list, status);
    json_set(changes, "capabilities", list);
    hmp_call(hmp, "migrate-set-capabilities", changes, NULL);
}

/* --- parameters --- */

typedef struct ParameterUnit {
    const char *name, *unit;
    bool is_megabytes; /* a bare number typed here is in MiB */
} ParameterUnit;

static const ParameterUnit parameter_units[] = {
    { "announce-initial", " ms" },
    { "announce-max", " ms" },
    { "announce-step", " ms" },
    { "max-bandwidth", " bytes/second", true },
    { "avail-switchover-bandwidth", " bytes/second", true },
    { "downtime-limit", " ms" },
    { "x-checkpoint-delay", " ms" },
    { "xbzrle-cache-size", " bytes" },
    { "x-vcpu-dirty-limit-period", " ms" },
    { "vcpu-dirty-limit", " MB/s" },
};

static const ParameterUnit *find_unit(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(parameter_units); i++) {
        if (!strcmp(parameter_units[i].name, name)) {
            return &parameter_units[i];
        }
    }
    return NULL;
}

static json_object *parameter_text(const char *name, const char *text)
{
    const ParameterUnit *unit = find_unit(name);
    size_t size = strlen(text);
    g_autofree char *megabytes = NULL;

    if (unit && unit->is_megabytes && size && strspn(text, "0123456789.") == size) {
        megabytes = g_strconcat(text, "M", NULL);
    }
    return json_string(megabytes ? megabytes : text);
}

static bool is_parameter(const char *name)
{
    const QapiType *type = &qapi_type_migrate_set_parameters;

    for (size_t i = 0; i < type->member_count; i++) {
        if (!strcmp(type->members[i].name, name)) {
            return true;
        }
    }
    return false;
}

void hmp_migrate_set_parameter(Hmp *hmp, json_object *args)
{
    const char *name = hmp_text(args, "parameter");
    g_autoptr(JsonObject) texts = json_object_new_object();
    g_autoptr(JsonObject) values = NULL;
    g_autoptr(MigrateSetParameters) parameters = NULL;
    Error *err = NULL;

    if (!is_parameter(name)) {
        hmp_printf(hmp, "Error: invalid parameter value: %s\n", name);
        return;
    }
    json_set(texts, name, parameter_text(name, hmp_text(args, "value")));
    parameters = migrate_set_parameters_from_json(texts, QAPI_TEXT, &err);
    if (!parameters) {
        hmp_report(hmp, err);
        return;
    }
    values = migrate_set_parameters_to_json(parameters);
    hmp_call(hmp, "migrate-set-parameters", values, NULL);
}

void complete_migration_parameter(HmpWords *words)
{
    const QapiType *type = &qapi_type_migrate_set_parameters;

    for (size_t i = 0; i < type->member_count; i++) {
        hmp_offer(words, type->members[i].name);
    }
}

void complete_migration_capability(HmpWords *words)
{
    const EnumTable *names = qapi_type_migration_capability.values;

    for (int i = 0; i < names->count; i++) {
        hmp_offer(words, names->names[i]);
    }
}

static const char *on_off(json_object *value)
{
    return json_object_get_boolean(value) ? "on" : "off";
}

void show_migrate_parameters(Hmp *hmp, json_object *value)
{
    json_object_object_foreach (value, name, parameter) {
        const ParameterUnit *unit = find_unit(name);

        if (json_object_is_type(parameter, json_type_boolean)) {
            hmp_printf(hmp, "%s: %s\n", name, on_off(parameter));
        } else if (g_str_has_prefix(name, "tls-")) {
            hmp_printf(hmp, "%s: '%s'\n", name, json_object_get_string(parameter));
        } else {
            hmp_printf(hmp, "%s: %s%s\n", name, json_object_get_string(parameter),
                       unit ? unit->unit : "");
        }
    }
}

void show_migrate_capabilities(Hmp *hmp, json_object *value)
{
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        json_object *status = json_object_array_get_idx(value, i);

        hmp_printf(hmp, "%s: %s\n", hmp_text(status, "capability"),
                   on_off(json_member(status, "state")));
    }
}

/* --- info migrate --- */

typedef struct NumberRow {
    const char *key, *label, *unit;
    bool is_kib;        /* bytes, printed in KiB */
    bool is_left_out;   /* when zero */
} NumberRow;

static const NumberRow time_rows[] = {
    { "total-time", "total time", " ms" },
    { "expected-downtime", "expected downtime", " ms" },
    { "downtime", "downtime", " ms" },
    { "setup-time", "setup", " ms" },
};

static const NumberRow ram_rows[] = {
    { "remaining", "remaining ram", " kbytes", .is_kib = true },
    { "total", "total ram", " kbytes", .is_kib = true },
    { "duplicate", "duplicate", " pages" },
    { "skipped", "skipped", " pages" },
    { "normal", "normal", " pages" },
    { "normal-bytes", "normal bytes", " kbytes", .is_kib = true },
    { "dirty-sync-count", "dirty sync count", "" },
    { "page-size", "page size", " kbytes", .is_kib = true },
    { "multifd-bytes", "multifd bytes", " kbytes", .is_kib = true },
    { "pages-per-second", "pages-per-second", "" },
    { "dirty-pages-rate", "dirty pages rate", " pages", .is_left_out = true },
    { "postcopy-requests", "postcopy request count", "", .is_left_out = true },
    { "precopy-bytes", "precopy ram", " kbytes", .is_kib = true, .is_left_out = true },
    { "downtime-bytes", "downtime ram", " kbytes", .is_kib = true, .is_left_out = true },
    { "postcopy-bytes", "postcopy ram", " kbytes", .is_kib = true, .is_left_out = true },
};

static void print_numbers(Hmp *hmp, json_object *object, const NumberRow *rows, size_t count)
{
    for (const NumberRow *row = rows; row < rows + count; row++) {
        int64_t value = hmp_int(object, row->key);

        if (hmp_has(object, row->key) && (value || !row->is_left_out)) {
            hmp_printf(hmp, "%s: %" PRId64 "%s\n", row->label, row->is_kib ? value / KiB : value,
                       row->unit);
        }
    }
}

static void print_blockers(Hmp *hmp, json_object *reasons)
{
    if (reasons) {
        hmp_printf(hmp, "Outgoing migration blocked:\n");
        for (size_t i = 0; i < json_object_array_length(reasons); i++) {
            hmp_printf(hmp, "  %s\n",
                       json_object_get_string(json_object_array_get_idx(reasons, i)));
        }
    }
}

static void print_addresses(Hmp *hmp, json_object *addresses)
{
    for (size_t i = 0; addresses && i < json_object_array_length(addresses); i++) {
        json_object *address = json_object_array_get_idx(addresses, i);

        hmp_printf(hmp, "socket address: ");
        json_append(hmp->out, address, false);
        hmp_printf(hmp, "\n");
    }
}

void show_migrate(Hmp *hmp, json_object *value)
{
    json_object *ram = json_member(value, "ram");

    print_blockers(hmp, json_member(value, "blocked-reasons"));
    if (hmp_has(value, "status")) {
        hmp_printf(hmp, "Migration status: %s", hmp_text(value, "status"));
        if (hmp_has(value, "error-desc")) {
            hmp_printf(hmp, " (%s)", hmp_text(value, "error-desc"));
        }
        hmp_printf(hmp, "\n");
    }
    print_numbers(hmp, value, time_rows, ARRAY_SIZE(time_rows));
    print_addresses(hmp, json_member(value, "socket-address"));
    if (ram) {
        hmp_printf(hmp, "transferred ram: %" PRId64 " kbytes\nthroughput: %.2f mbps\n",
                   hmp_int(ram, "transferred") / (int64_t)KiB,
                   json_object_get_double(json_member(ram, "mbps")));
        print_numbers(hmp, ram, ram_rows, ARRAY_SIZE(ram_rows));
    }
}
