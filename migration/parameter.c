/*
 * What has no effect yet, because what it would tune does not exist, is kept and shown all the
 * same: managers read all parameters and write them back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/parameter.h"
#include "qapi/qapi-commands-migration.h"
#include "system/target.h"

typedef enum ParameterKind { PARAMETER_UINT, PARAMETER_BOOL, PARAMETER_TEXT } ParameterKind;

typedef struct ParameterDef {
    const char *name;
    ParameterKind kind;
    uint64_t initial;
    const char *initial_text;
    uint64_t min, max; /* max 0: what the type allows */
    const char *range; /* "expects ..." when it is outside */
} ParameterDef;

#define UINT(name_, initial_, ...) { .name = (name_), .initial = (initial_), __VA_ARGS__ }
#define BOOL(name_, initial_)                                                                      \
    { .name = (name_), .kind = PARAMETER_BOOL, .initial = (initial_) }
#define TEXT(name_, initial_)                                                                      \
    { .name = (name_), .kind = PARAMETER_TEXT, .initial_text = (initial_) }

static const ParameterDef defs[] = {
    UINT("announce-initial", 50, .max = 100000, .range = "a value between 0 and 100000"),
    UINT("announce-max", 550, .max = 100000, .range = "a value between 0 and 100000"),
    UINT("announce-rounds", 5, .max = 1000, .range = "a value between 0 and 1000"),
    UINT("announce-step", 100, .min = 1, .max = 10000, .range = "a value between 0 and 10000"),
    UINT("compress-level", 1, .max = 9, .range = "a value between 0 and 9"),
    UINT("compress-threads", 8, .min = 1, .max = 255, .range = "a value between 1 and 255"),
    BOOL("compress-wait-thread", true),
    UINT("decompress-threads", 2, .min = 1, .max = 255, .range = "a value between 1 and 255"),
    UINT("throttle-trigger-threshold", 50, .min = 1, .max = 100,
         .range = "an integer in the range of 1 to 100"),
    UINT("cpu-throttle-initial", 20, .min = 1, .max = 99,
         .range = "an integer in the range of 1 to 99"),
    UINT("cpu-throttle-increment", 10, .min = 1, .max = 99,
         .range = "an integer in the range of 1 to 99"),
    BOOL("cpu-throttle-tailslow", false),
    TEXT("tls-creds", ""),
    TEXT("tls-hostname", ""),
    TEXT("tls-authz", ""),
    UINT("max-bandwidth", 128 * MiB),
    UINT("avail-switchover-bandwidth", 0),
    UINT("downtime-limit", 300, .max = 2000000,
         .range = "an integer in the range of 0 to (2000 * 1000) ms"),
    UINT("x-checkpoint-delay", 20000),
    BOOL("block-incremental", false),
    UINT("multifd-channels", 2, .min = 1, .max = 255, .range = "a value between 1 and 255"),
    UINT("xbzrle-cache-size", 64 * MiB),
    UINT("max-postcopy-bandwidth", 0),
    UINT("max-cpu-throttle", 99, .max = 99,
         .range = "an integer in the range of cpu_throttle_initial to 99"),
    TEXT("multifd-compression", "none"),
    UINT("multifd-zlib-level", 1, .max = 9, .range = "a value between 0 and 9"),
    UINT("multifd-zstd-level", 1, .max = 20, .range = "a value between 0 and 20"),
    UINT("x-vcpu-dirty-limit-period", 1000, .min = 1, .max = 1000,
         .range = "a value between 1 and 1000"),
    UINT("vcpu-dirty-limit", 1, .min = 1, .range = "is invalid, it must greater then 1 MB/s"),
    TEXT("mode", "normal"),
    TEXT("zero-page-detection", "legacy"),
};

static json_object *current;
static void (*listener)(void);

static json_object *initial_value(const ParameterDef *def)
{
    switch (def->kind) {
    case PARAMETER_UINT:
        return json_object_new_uint64(def->initial);
    case PARAMETER_BOOL:
        return json_object_new_boolean(def->initial);
    default:
        return json_string(def->initial_text);
    }
}

json_object *parameter_all(void)
{
    if (!current) {
        current = json_object_new_object();
        for (size_t i = 0; i < ARRAY_SIZE(defs); i++) {
            json_set(current, defs[i].name, initial_value(&defs[i]));
        }
    }
    return current;
}

static const ParameterDef *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(defs); i++) {
        if (!strcmp(defs[i].name, name)) {
            return &defs[i];
        }
    }
    return NULL;
}

static bool out_of_range(const char *name, const char *range, Error **errp)
{
    g_autofree char *shown = g_strdelimit(g_strdup(name), "-", '_');

    return error_set(errp, "Parameter '%s' expects %s", shown, range);
}

/* `wanted`: all that is set at once. */
static bool check_uint(const ParameterDef *def, uint64_t value, json_object *wanted, Error **errp)
{
    uint64_t min = def->min;

    if (!strcmp(def->name, "max-cpu-throttle")) {
        json_object *initial = json_member(wanted, "cpu-throttle-initial");

        json_get_uint64(initial ? initial : json_member(parameter_all(), "cpu-throttle-initial"),
                        &min);
    }
    if (!strcmp(def->name, "xbzrle-cache-size")) {
        return (value >= BIT64(target_info()->page_bits) && !(value & (value - 1))) ||
               out_of_range(def->name, "a power of two no less than the target page size", errp);
    }
    return (value >= min && value <= (def->max ? def->max : UINT64_MAX)) ||
           out_of_range(def->name, def->range, errp);
}

static bool check(const char *name, json_object *value, json_object *wanted, Error **errp)
{
    const ParameterDef *def = find(name);
    uint64_t number;

    if (!def) { /* it cannot be reported, so it cannot be kept */
        return error_set(errp, "Parameter '%s' is not supported", name);
    }
    return def->kind != PARAMETER_UINT || !json_get_uint64(value, &number) ||
           check_uint(def, number, wanted, errp);
}

bool qmp_migrate_set_parameters(const MigrateSetParameters *args, Error **errp)
{
    g_autoptr(JsonObject) wanted = migrate_set_parameters_to_json(args);
    json_object *all = parameter_all();

    json_object_object_foreach(wanted, name, value) {
        if (!check(name, value, wanted, errp)) {
            return false;
        }
    }
    {
        json_object_object_foreach(wanted, key, changed) {
            json_set(all, key, changed ? json_ref(changed) : json_string(""));
        }
    }
    if (listener) {
        listener();
    }
    return true;
}

MigrationParameters *qmp_query_migrate_parameters(Error **errp)
{
    return migration_parameters_from_json(parameter_all(), QAPI_TYPED, errp);
}

uint64_t parameter_uint(const char *name)
{
    uint64_t value = 0;

    json_get_uint64(json_member(parameter_all(), name), &value);
    return value;
}

const char *parameter_text(const char *name)
{
    return json_object_get_string(json_member(parameter_all(), name));
}

void parameter_set_listener(void (*changed)(void))
{
    listener = changed;
}
