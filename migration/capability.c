/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/capability.h"
#include "qapi/qapi-commands-migration.h"
#include "system/migration_blocker.h"

typedef struct CapabilityDef {
    MigrationCapability value;
    bool shapes_stream; /* both sides must have it alike */
} CapabilityDef;

/* Those that there are, in the order in which they are shown. */
static const CapabilityDef defs[] = {
    { MIGRATION_CAPABILITY_EVENTS },
    { MIGRATION_CAPABILITY_PAUSE_BEFORE_SWITCHOVER },
    { MIGRATION_CAPABILITY_X_IGNORE_SHARED, .shapes_stream = true },
    { MIGRATION_CAPABILITY_VALIDATE_UUID },
};

static bool is_on[MIGRATION_CAPABILITY_COUNT];

bool capability_is_on(MigrationCapability capability)
{
    return is_on[capability];
}

char *capability_stream_names(void)
{
    GString *names = g_string_new(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(defs); i++) {
        if (defs[i].shapes_stream && is_on[defs[i].value]) {
            g_string_append_printf(names, "%s%s", names->len ? "," : "",
                                   enum_table_name(&migration_capability_names, defs[i].value));
        }
    }
    return g_string_free(names, FALSE);
}

static bool is_known(MigrationCapability capability)
{
    for (size_t i = 0; i < ARRAY_SIZE(defs); i++) {
        if (defs[i].value == capability) {
            return true;
        }
    }
    return false;
}

/* One that we do not have may be switched off: it is. */
static bool check(const MigrationCapabilityStatus *status, Error **errp)
{
    return !status->state || is_known(status->capability) ||
           error_set(errp, "Parameter 'capability' does not accept value '%s'",
                     enum_table_name(&migration_capability_names, status->capability));
}

bool qmp_migrate_set_capabilities(const MigrationCapabilityStatusArray *capabilities, Error **errp)
{
    if (migration_is_active()) {
        return error_set(errp, "There's a migration process in progress");
    }
    for (size_t i = 0; i < capabilities->count; i++) {
        if (!check(capabilities->items[i], errp)) {
            return false;
        }
    }
    for (size_t i = 0; i < capabilities->count; i++) {
        is_on[capabilities->items[i]->capability] = capabilities->items[i]->state;
    }
    return true;
}

MigrationCapabilityStatusArray *qmp_query_migrate_capabilities(Error **errp)
{
    MigrationCapabilityStatusArray *list = g_new0(MigrationCapabilityStatusArray, 1);

    list->items = g_new0(MigrationCapabilityStatus *, ARRAY_SIZE(defs));
    for (size_t i = 0; i < ARRAY_SIZE(defs); i++) {
        MigrationCapabilityStatus *status = g_new0(MigrationCapabilityStatus, 1);

        status->capability = defs[i].value;
        status->state = is_on[defs[i].value];
        list->items[list->count++] = status;
    }
    return list;
}
